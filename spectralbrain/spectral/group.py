"""Group level: one tidy row per participant, distances between participants, outliers.

Everything here reads spectra only, never eigenvectors, so that a cohort of any size fits in memory.
Numbers are compared only where they were computed in the same way; :func:`check_compatible` names
what differs. A value that is missing is ``None``, and the row's ``reason`` says why.

Statistics beyond this (harmonisation, linear models, covariates) belong to other tools: the tables
are made to be read by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.runtime import DistanceMatrix, FloatArray
from spectralbrain.spectral.shape_distance import (
    shapedna_distance,
    shapedna_distance_matrix,
    wesd_matrix,
)
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum

Row: TypeAlias = dict[str, Any]
Normalization: TypeAlias = Literal["area", "volume", "none"]
Index: TypeAlias = Literal["weyl", "lapy"] | None

#: What has to agree before two spectra may be compared.
COMPATIBLE_KEYS = (
    "structure",
    "surface",
    "space",
    "density",
    "masked",
    "boundary",
    "laplacian",
    "mass",
    "k",
)

#: Iglewicz & Hoaglin (1993), How to detect and handle outliers, p. 11: the modified z-score is
#: 0.6745 (x - median) / MAD, and beyond 3.5 it points to an outlier.
MAD_TO_SIGMA = 0.6745
OUTLIER_THRESHOLD = 3.5

_MEASURES = ("n_vertices", "surface_area", "volume", "boundary_length", "euler_characteristic")


@dataclass(frozen=True)
class GroupEntry:
    """One participant's surface in a group.

    Attributes
    ----------
    name : str
        Unique in the group, for example ``sub-01`` or ``sub-01_ses-pre``.
    spectrum : Spectrum or None
        None where it could not be computed; then `reason` is needed.
    entities : mapping
        Columns that identify the row (``participant_id``, ``session_id``) and facts that metadata
        lack (``space``, ``density``).
    reason : str, optional
        Why the spectrum is missing.

    Raises
    ------
    ArrayError
        If a missing spectrum comes without a reason.
    """

    name: str
    spectrum: Spectrum | None
    entities: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.spectrum is None and not self.reason:
            raise ArrayError(f"reason: expected why {self.name} has no spectrum, found {self.reason!r}")

    def fact(self, key: str) -> Any:
        """Return an entity or, failing that, a metadata value; None where there is neither."""
        if key in self.entities:
            return self.entities[key]
        return None if self.spectrum is None else self.spectrum.metadata.get(key)


def check_compatible(entries: Sequence[GroupEntry], *, keys: Iterable[str] = COMPATIBLE_KEYS) -> None:
    """Refuse to go on where spectra were computed in different ways.

    Parameters
    ----------
    entries : sequence of GroupEntry
        Entries without a spectrum are passed over.
    keys : iterable of str
        The facts that must agree.

    Raises
    ------
    IncompatibleError
        If a fact differs; the message names each fact, its values and who has them.
    ArrayError
        If two entries have the same name.
    """
    names = [entry.name for entry in entries]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ArrayError(f"entries: expected unique names, found {', '.join(doubled)} more than once")
    present = [entry for entry in entries if entry.spectrum is not None]
    differences = [text for key in keys if (text := _difference(present, key))]
    if differences:
        raise IncompatibleError("entries: expected spectra computed alike, found " + "; ".join(differences))


def _difference(entries: Sequence[GroupEntry], key: str) -> str:
    holders: dict[str, list[str]] = {}
    for entry in entries:
        holders.setdefault(str(entry.fact(key)), []).append(entry.name)
    if len(holders) < 2:
        return ""
    parts = (f"{value} in {_some(names)}" for value, names in sorted(holders.items()))
    return f"{key}: " + ", ".join(parts)


def _some(names: Sequence[str], most: int = 3) -> str:
    rest = len(names) - most
    return " ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def participants_table(entries: Sequence[GroupEntry], *, n_eigenvalues: int | None = None) -> list[Row]:
    """Return sizes, topology and eigenvalues, one row per entry.

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of the rows.
    n_eigenvalues : int, optional
        How many non-null eigenvalues become columns ``lambda_0001`` ... (mm^-2); all by default.

    Returns
    -------
    list of dict
        Columns: the entities, ``n_vertices``, ``surface_area`` (mm^2), ``volume`` (mm^3, closed
        surfaces only), ``boundary_length`` (mm), ``euler_characteristic``, the eigenvalues, and
        ``reason``.

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.
    ArrayError
        If `n_eigenvalues` exceeds what the spectra hold.
    """
    check_compatible(entries)
    width = _width(entries, n_eigenvalues)
    rows = []
    for entry in entries:
        measures = {key: entry.fact(key) for key in _MEASURES}
        values = _non_null(entry.spectrum)[:width] if entry.spectrum is not None else None
        rows.append(_identity(entry) | measures | _spread("lambda", values, width) | _why(entry, measures))
    return rows


def shapedna_table(
    entries: Sequence[GroupEntry],
    *,
    normalization: Normalization = "area",
    index: Index = "weyl",
    k: int | None = None,
) -> list[Row]:
    """Return ShapeDNA, one row per entry, columns ``shapedna_0001`` ...

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of the rows.
    normalization, index, k
        See :func:`spectralbrain.compute_shapedna`.

    Returns
    -------
    list of dict

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.
    """
    check_compatible(entries)
    spectra = {
        entry.name: compute_shapedna(entry.spectrum, normalization=normalization, index=index, k=k)
        for entry in entries
        if entry.spectrum is not None
    }
    width = min((len(values) for values in spectra.values()), default=0)
    return [
        _identity(entry) | _spread("shapedna", spectra.get(entry.name), width) | {"reason": entry.reason}
        for entry in entries
    ]


def distance_matrix(
    entries: Sequence[GroupEntry],
    *,
    method: Literal["shapedna", "wesd"] = "shapedna",
    k: int | None = None,
    **options: Any,
) -> tuple[DistanceMatrix, list[str]]:
    """Return the distances between all participants.

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of rows and columns.
    method : {'shapedna', 'wesd'}
        Euclidean distance of lambda A / n by default, or Konukoglu's weighted spectral distance.
    k : int, optional
        How many eigenvalues enter; all by default.
    **options
        Passed to :func:`spectralbrain.shapedna_distance_matrix` or :func:`spectralbrain.wesd_matrix`.

    Returns
    -------
    matrix : (S, S) array
        NaN in the rows and columns of entries without a spectrum.
    names : list of str

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.
    ArrayError
        If `method` is unknown.
    """
    check_compatible(entries)
    functions: dict[str, Callable[..., FloatArray]] = {
        "shapedna": shapedna_distance_matrix,
        "wesd": wesd_matrix,
    }
    if method not in functions:
        raise ArrayError(f"method: expected one of {sorted(functions)}, found {method!r}")
    present = [i for i, entry in enumerate(entries) if entry.spectrum is not None]
    matrix = np.full((len(entries), len(entries)), np.nan)
    if present:
        spectra = [entries[i].spectrum for i in present]
        matrix[np.ix_(present, present)] = functions[method](spectra, k=k, **options)
    return matrix, [entry.name for entry in entries]


def shapedna_deviations(
    entries: Sequence[GroupEntry],
    *,
    normalization: Normalization = "area",
    index: Index = "weyl",
    k: int | None = None,
) -> dict[str, float | None]:
    """Return each participant's Euclidean distance from the group's median ShapeDNA.

    Parameters
    ----------
    entries : sequence of GroupEntry
        The group.
    normalization, index, k
        See :func:`spectralbrain.compute_shapedna`.

    Returns
    -------
    dict
        Name to distance (dimensionless by default); None without a spectrum.
    """
    check_compatible(entries)
    names = [entry.name for entry in entries if entry.spectrum is not None]
    if not names:
        return {entry.name: None for entry in entries}
    values = np.array(
        [
            compute_shapedna(entry.spectrum, normalization=normalization, index=index, k=k)
            for entry in entries
            if entry.spectrum is not None
        ]
    )
    distance = np.linalg.norm(values - np.median(values, axis=0), axis=1)
    found = dict(zip(names, map(float, distance), strict=True))
    return {entry.name: found.get(entry.name) for entry in entries}


def find_outliers(
    values: Mapping[str, float | None], *, measure: str, threshold: float = OUTLIER_THRESHOLD
) -> list[Row]:
    """Return the robust z-score of each participant for one measure, and who lies beyond a threshold.

    Parameters
    ----------
    values : mapping of str to float or None
        Name to value; None and NaN are passed through as missing.
    measure : str
        What the values are; it stands in each row.
    threshold : float
        Absolute robust z beyond which a row is an outlier.

    Returns
    -------
    list of dict
        Columns ``name``, ``measure``, ``value``, ``median``, ``mad``, ``robust_z``, ``threshold``,
        ``outlier`` (bool or None) and ``reason``. Where the median absolute deviation is zero no
        score exists: a value off the median is then an outlier with an empty score.

    Raises
    ------
    ArrayError
        If `threshold` is not positive.

    Notes
    -----
    The score is 0.6745 (x - median) / MAD (Iglewicz & Hoaglin 1993, p. 11).

    Examples
    --------
    >>> rows = find_outliers({"a": 1.0, "b": 1.1, "c": 0.9, "d": 1.0, "e": 9.0}, measure="area")
    >>> [row["name"] for row in rows if row["outlier"]]
    ['e']
    """
    if not threshold > 0:
        raise ArrayError(f"threshold: expected a positive number, found {threshold!r}")
    known = np.array([value for value in values.values() if _known(value)], dtype=float)
    median = float(np.median(known)) if known.size else None
    mad = float(np.median(np.abs(known - median))) if median is not None else None
    rows = []
    for name, value in values.items():
        z, outlier, reason = _score(value, median, mad, threshold, known.size)
        rows.append(
            {
                "name": name,
                "measure": measure,
                "value": value if _known(value) else None,
                "median": median,
                "mad": mad,
                "robust_z": z,
                "threshold": threshold,
                "outlier": outlier,
                "reason": reason,
            }
        )
    return rows


def _score(
    value: float | None, median: float | None, mad: float | None, threshold: float, count: int
) -> tuple[float | None, bool | None, str | None]:
    if not _known(value) or value is None or median is None or mad is None:
        return None, None, "no value"
    if count < 3:
        return None, None, f"only {count} values: no spread to compare with"
    if mad == 0:
        reason = "more than half of the values are equal: the median absolute deviation is 0"
        return None, value != median, reason
    z = MAD_TO_SIGMA * (value - median) / mad
    return z, abs(z) > threshold, None


def pair_sessions(entries: Sequence[GroupEntry]) -> list[tuple[GroupEntry, GroupEntry]]:
    """Pair each participant's first session with each of the later ones.

    Parameters
    ----------
    entries : sequence of GroupEntry
        With the entities ``participant_id`` and ``session_id``; the order within a participant is
        the order of the sessions.

    Returns
    -------
    list of (baseline, follow-up)
    """
    sessions: dict[str, list[GroupEntry]] = {}
    for entry in entries:
        if "session_id" in entry.entities:
            sessions.setdefault(entry.entities["participant_id"], []).append(entry)
    return [(found[0], later) for found in sessions.values() for later in found[1:]]


def longitudinal_differences(
    pairs: Sequence[tuple[GroupEntry, GroupEntry]], *, k: int | None = None
) -> list[Row]:
    """Return within-subject differences, one row per pair.

    Parameters
    ----------
    pairs : sequence of (baseline, follow-up)
        See :func:`pair_sessions`.
    k : int, optional
        How many eigenvalues enter the distance; all by default.

    Returns
    -------
    list of dict
        ``baseline``, ``followup``, ``area_change`` and ``volume_change`` (follow-up minus baseline,
        relative to the baseline), ``shapedna_distance`` (Euclidean, lambda A / n), ``k``, ``reason``.

    Raises
    ------
    IncompatibleError
        If the spectra of a pair were computed in different ways.
    """
    rows = []
    for before, after in pairs:
        check_compatible([before, after])
        row: Row = {"baseline": before.name, "followup": after.name}
        row["area_change"] = _relative_change(before, after, "surface_area")
        row["volume_change"] = _relative_change(before, after, "volume")
        if before.spectrum is None or after.spectrum is None:
            reasons = (f"{e.name}: {e.reason}" for e in (before, after) if e.spectrum is None)
            row |= {"shapedna_distance": None, "k": None, "reason": "; ".join(reasons)}
        else:
            distance = shapedna_distance(before.spectrum, after.spectrum, k=k)
            row |= {"shapedna_distance": float(distance), "k": distance.k, "reason": None}
        rows.append(row)
    return rows


def _relative_change(before: GroupEntry, after: GroupEntry, key: str) -> float | None:
    first, second = before.fact(key), after.fact(key)
    if not _known(first) or not _known(second) or first == 0:
        return None
    return float((second - first) / first)


def _known(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))


def _identity(entry: GroupEntry) -> Row:
    return {"participant_id": entry.name, **entry.entities}


def _non_null(spectrum: Spectrum) -> FloatArray:
    return spectrum.eigenvalues[spectrum.n_null_modes :]


def _width(entries: Sequence[GroupEntry], wanted: int | None) -> int:
    held = min((len(_non_null(e.spectrum)) for e in entries if e.spectrum is not None), default=0)
    if wanted is not None and wanted > held and any(e.spectrum is not None for e in entries):
        raise ArrayError(f"n_eigenvalues: expected at most {held}, found {wanted}")
    return held if wanted is None else wanted


def _spread(prefix: str, values: FloatArray | None, width: int) -> Row:
    columns = [f"{prefix}_{i:04d}" for i in range(1, width + 1)]
    cells = [None] * width if values is None else [float(value) for value in values[:width]]
    return dict(zip(columns, cells, strict=True))


def _why(entry: GroupEntry, measures: Row) -> Row:
    if entry.reason:
        return {"reason": entry.reason}
    if measures["volume"] is None:
        return {"reason": "volume: the surface is not closed"}
    return {"reason": None}
