"""Tables of a cohort: spectra and measures of many participants, and who stands out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.reports.inputs import MISSING, as_number, cell_text, load_table
from spectralbrain.reports.style import ACCENT, SOFT, WARN, Figure, number, svg_figure
from spectralbrain.runtime import BoolArray, FloatArray
from spectralbrain.spectral.group import OUTLIER_THRESHOLD, find_outliers

_EIGENVALUE_COLUMN = re.compile(r"[A-Za-z][A-Za-z-]*_?\d+")
_IDENTITY = ("participant_id", "name", "session_id")
_TRUE = {"true", "1", "yes"}


@dataclass(frozen=True)
class CohortSpectra:
    """Spectral descriptors of many participants.

    Attributes
    ----------
    labels : tuple of str
        Participants, with session where there is one.
    values : (S, k) array
        A row of NaN where there is none.
    reasons : tuple of str
        Why a row is missing; empty where it is not.
    """

    labels: tuple[str, ...]
    values: FloatArray
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=float)
        if values.ndim != 2 or len(values) != len(self.labels):
            raise FormatError(
                f"shapedna: expected {len(self.labels)} rows of values, found shape {values.shape}"
            )
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class Outlier:
    """A participant that stands out, and in what; the texts are ready for a table."""

    label: str
    measure: str
    value: str
    robust_z: str
    reason: str = ""


def cohort_spectra(given: Any, place: str) -> CohortSpectra:
    """Read spectra from a table (path or rows), or from a mapping with ``labels`` and ``values``.

    Examples
    --------
    >>> rows = [{"participant_id": "sub-01", "shapedna_0001": 1.5, "reason": None}]
    >>> cohort_spectra(rows, "shapedna").values.tolist()
    [[1.5]]
    """
    if isinstance(given, Mapping):
        return CohortSpectra(tuple(map(str, given["labels"])), np.asarray(given["values"], dtype=float))
    rows = load_table(given, place)
    columns = [key for key in (rows[0] if rows else {}) if _EIGENVALUE_COLUMN.fullmatch(key)]
    if not columns:
        raise FormatError(
            f"{place}: expected columns such as shapedna_0001, found {', '.join(rows[0]) if rows else 'none'}"
        )
    values = np.array([[as_number(row[column]) for column in columns] for row in rows])
    reasons = tuple(_text(row.get("reason")) for row in rows)
    return CohortSpectra(tuple(row_label(row, place) for row in rows), values, reasons)


def row_label(row: Mapping[str, Any], place: str) -> str:
    """Return whose row it is.

    Examples
    --------
    >>> row_label({"participant_id": "sub-01", "session_id": "ses-pre"}, "table")
    'sub-01 ses-pre'
    """
    found = [str(row[key]) for key in _IDENTITY if row.get(key) not in (None, "", MISSING)]
    if not found:
        raise FormatError(f"{place}: expected a column participant_id or name, found {', '.join(row)}")
    return " ".join(dict.fromkeys(found))


def given_outliers(given: Any, place: str) -> list[Outlier]:
    """Read the outliers of a table; rows whose column ``outlier`` says no are passed over."""
    return [
        Outlier(
            row_label(row, place),
            row.get("measure", MISSING),
            row.get("value", MISSING),
            row.get("robust_z", MISSING),
            _text(row.get("reason")),
        )
        for row in load_table(given, place)
        if str(row.get("outlier", "true")).lower() in _TRUE
    ]


def found_outliers(
    spectra: CohortSpectra | None, measures: Sequence[Mapping[str, str]], threshold: float
) -> list[Outlier]:
    """Find who stands out, by robust z-scores of the measures and of the distance from the median.

    Parameters
    ----------
    spectra : CohortSpectra or None
        Each participant's distance from the median is one measure.
    measures : sequence of mappings
        Rows of a table; every numeric column is a measure.
    threshold : float
        Absolute robust z beyond which a participant stands out.

    Returns
    -------
    list of Outlier
    """
    columns: dict[str, dict[str, float | None]] = {}
    if spectra is not None:
        columns["distance from the median spectrum"] = dict(
            zip(spectra.labels, map(_known, spectrum_deviations(spectra)), strict=True)
        )
    for key in measures[0] if measures else ():
        if key in _IDENTITY or _EIGENVALUE_COLUMN.fullmatch(key):
            continue
        values = {row_label(row, "measures"): _known(as_number(row[key])) for row in measures}
        if any(value is not None for value in values.values()):
            columns[key] = values
    return [
        Outlier(
            str(row["name"]),
            measure,
            cell_text(row["value"]),
            MISSING if row["robust_z"] is None else f"{row['robust_z']:+.1f}",
            _text(row["reason"]),
        )
        for measure, values in columns.items()
        for row in find_outliers(values, measure=measure, threshold=threshold)
        if row["outlier"]
    ]


def spectrum_deviations(spectra: CohortSpectra) -> FloatArray:
    """Return Euclidean distances from the median spectrum, (S,) array; NaN where there is none."""
    values = spectra.values
    complete = np.isfinite(values).all(axis=1)
    deviations = np.full(len(values), np.nan)
    if complete.any():
        deviations[complete] = np.linalg.norm(values[complete] - np.median(values[complete], axis=0), axis=1)
    return deviations


def plot_cohort_spectra(spectra: CohortSpectra, *, name: str, outliers: Sequence[str] = ()) -> Figure:
    """Plot every participant's spectrum, and its deviation from the median.

    Parameters
    ----------
    spectra : CohortSpectra
        ShapeDNA, for example.
    name : str
        The group, for the text.
    outliers : sequence of str
        Labels drawn in colour, with a name.

    Returns
    -------
    Figure

    Raises
    ------
    FormatError
        If no participant has a complete spectrum.
    """
    complete: BoolArray = np.asarray(np.isfinite(spectra.values).all(axis=1))
    if not complete.any() or spectra.values.shape[1] == 0:
        raise FormatError(f"{name}: expected at least one complete spectrum, found none")
    values = spectra.values[complete]
    labels = [label for label, used in zip(spectra.labels, complete, strict=True) if used]
    median = np.median(values, axis=0)
    deviation = 100 * (values - median) / np.where(median == 0, np.nan, median)
    modes = np.arange(1, values.shape[1] + 1)
    marked = set(outliers)

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        style = {"color": SOFT, "alpha": max(0.15, min(0.8, 12 / len(labels))), "linewidth": 1.0}
        for label, row, away in sorted(
            zip(labels, values, deviation, strict=True), key=lambda r: r[0] in marked
        ):
            options = {"color": WARN, "linewidth": 1.8} if label in marked else style
            left.plot(modes, row, **options)
            right.plot(modes, away, **options)
            if label in marked:
                right.annotate(
                    label,
                    (modes[-1], away[-1]),
                    xytext=(4, 0),
                    textcoords="offset points",
                    color=WARN,
                    fontsize=9,
                )
        left.plot(modes, median, color=ACCENT, linewidth=2.2, label="median")
        right.axhline(0, color=ACCENT, linewidth=2.2)
        left.legend(loc="best")
        left.set(xlabel="eigenvalue", ylabel="ShapeDNA", title="Spectra")
        right.set(
            xlabel="eigenvalue",
            ylabel="deviation from the median (%)",
            title="How each differs from the median",
        )

    widest = float(np.nanmax(np.abs(deviation))) if np.isfinite(deviation).any() else 0.0
    return svg_figure(
        draw,
        (1120, 400),
        slug="shapedna",
        title="ShapeDNA of all participants",
        caption=(
            f"One line for each of {len(labels)} participants; blue: the median. Left: values as computed, "
            "which all look alike because Weyl's law fixes the trend. Right: the deviation from the "
            "median, where shape shows. Lines in red are outliers."
            + (f" {int((~complete).sum())} without a spectrum are not drawn." if not complete.all() else "")
        ),
        alt=(
            f"{name}: ShapeDNA of {len(labels)} participants over {len(modes)} eigenvalues; deviations "
            f"from the median reach {number(widest, 2)} per cent."
            + (f" Outliers: {', '.join(sorted(marked & set(labels)))}." if marked & set(labels) else "")
        ),
    )


def default_threshold(given: Any) -> float:
    """Return the threshold of a group: what was given, or the usual 3.5.

    Raises
    ------
    FormatError
        If it is not a positive number.
    """
    if given is None:
        return OUTLIER_THRESHOLD
    value = as_number(given)
    if not value > 0:
        raise FormatError(f"threshold: expected a positive number, found {given!r}")
    return value


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _text(value: Any) -> str:
    return "" if value in (None, MISSING, "None") else str(value)
