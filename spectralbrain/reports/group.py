"""The report of a cohort."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from spectralbrain.errors import FormatError
from spectralbrain.reports.cohort import (
    CohortSpectra,
    Outlier,
    cohort_spectra,
    default_threshold,
    found_outliers,
    given_outliers,
    plot_cohort_spectra,
)
from spectralbrain.reports.inputs import MISSING, cell_text, load_matrix, load_table
from spectralbrain.reports.matrices import (
    LabelledMatrix,
    cluster_distances,
    complete_rows,
    plot_clustered,
    plot_embedding,
    plot_matrix,
)
from spectralbrain.reports.page import Assembly, Panel, new_assembly, paragraphs
from spectralbrain.reports.results import ReportResult
from spectralbrain.reports.style import Figure, slugify
from spectralbrain.runtime import PathLike

_GROUP_KEYS = ("name", "shapedna", "distance", "outliers", "threshold", "measures", "matrices")
_LEAST_TO_CLUSTER = 3
_METHODS = (
    "Participants are compared by their ShapeDNA, the normalised eigenvalues of the Laplace-Beltrami "
    "operator; the distance between two is given with its matrix. Groups hold surfaces computed in one "
    "and the same way only.\n\n"
    "Clustering is hierarchical with average linkage; the map of participants is classical "
    "multidimensional scaling. Outliers are found measure by measure with the robust z-score 0.6745 (x - "
    "median) / MAD, MAD being the median absolute deviation; the threshold stands with each table. An "
    "outlier is a reason to look at the participant's own report, not a reason to exclude."
)


@dataclass
class _GroupSection:
    """One comparable set in the page."""

    name: str
    anchor: str
    n: int
    threshold: float
    outliers: list[Outlier]
    panels: list[Panel] = field(default_factory=list)
    measures: list[dict[str, str]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)


def build_group_report(
    out_file: PathLike,
    groups: Sequence[Mapping[str, Any]],
    *,
    title: str = "Group report",
    participants: PathLike | Iterable[Mapping[str, Any]] | None = None,
    missing: PathLike | Iterable[Mapping[str, Any]] = (),
    failures: PathLike | Iterable[Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    methods: str | None = None,
    references: Sequence[str] = (),
    figures_dir: PathLike | None = None,
) -> ReportResult:
    """Write the report of a cohort: one HTML page that needs nothing else.

    A figure that cannot be drawn leaves its reason in the page, and in the result.

    Parameters
    ----------
    out_file : path
        The page.
    groups : sequence of mappings
        One for each set of comparable surfaces. Keys, all but ``name`` optional: ``shapedna``
        (table with participant_id and columns shapedna_0001 ..., or a mapping with labels and
        values), ``distance`` (as the matrices of :func:`build_subject_report`), ``outliers``
        (table with participant_id, measure, value, robust_z; found here if not given),
        ``threshold`` (of the robust z-score, 3.5), ``measures`` (table), ``matrices``.
    title : str
        Heading.
    participants : path or iterable of mappings, optional
        Overview table.
    missing, failures : path or iterable of mappings
        ``participant_id``, ``what`` is not there or failed, and for which ``reason``.
    parameters : mapping, optional
        Shown as a table.
    methods : str, optional
        Paragraphs, separated by empty lines.
    references : sequence of str
        Listed after the methods.
    figures_dir : path, optional
        Where each figure is written as a file of its own, too.

    Returns
    -------
    ReportResult

    Raises
    ------
    FormatError
        If an argument is not as described.
    MissingDependencyError
        If the extra ``app`` is not installed.

    Examples
    --------
    >>> spectra = {"labels": ["sub-01", "sub-02", "sub-03"], "values": [[25, 26], [25.1, 26.3], [24.9, 25.8]]}
    >>> build_group_report("group.html", [{"name": "left cortex", "shapedna": spectra}]).ok
    True
    """
    for index, group in enumerate(groups):
        _check_group(group, f"groups[{index}]")
    assembly = new_assembly(out_file, figures_dir)
    sections = [_group_section(group, assembly) for group in groups]
    tables = {
        name: assembly.protect("Summary", f"the table of {name}", partial(load_table, given, name)) or []
        for name, given in (("participants", participants), ("missing", missing), ("failures", failures))
    }
    return assembly.write(
        "group.html.j2",
        {
            "heading": title,
            "groups": sections,
            "verdict": _verdict(sections, tables["failures"], tables["missing"]),
            "participants": sizes_of(tables["participants"]),
            "missing": tables["missing"],
            "failed": tables["failures"],
            "methods": paragraphs(methods if methods is not None else _METHODS),
            "references": list(references),
            "parameters": {str(k): cell_text(v) for k, v in (parameters or {}).items()},
        },
    )


def sizes_of(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return a table of participants for reading: no spectra, no column that says nothing, reason last.

    Examples
    --------
    >>> sizes_of([{"index": "1", "reason": "n/a", "name": "sub-01", "area": "12.345678", "lambda_0001": "2"}])
    [{'name': 'sub-01', 'area': '12.3457'}]
    """
    spectra = re.compile(r"(lambda|eigenvalue|shapedna)_\d+")
    columns = [key for key in (rows[0] if rows else ()) if key != "index" and not spectra.fullmatch(key)]
    columns = [key for key in columns if any(row[key] != MISSING for row in rows)]
    if all(row.get("participant_id") == row.get("name") for row in rows):
        columns = [key for key in columns if key != "participant_id"]
    columns.sort(key=lambda key: key == "reason")
    return [{key: _shortened(row[key]) for key in columns} for row in rows]


def _shortened(cell: str) -> str:
    return f"{float(cell):.6g}" if re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?", cell) else cell


def _check_group(group: Mapping[str, Any], place: str) -> None:
    unknown = sorted(set(group) - set(_GROUP_KEYS))
    if unknown:
        raise FormatError(f"{place}: unknown {', '.join(unknown)}; expected {', '.join(_GROUP_KEYS)}")
    if not group.get("name"):
        raise FormatError(f"{place}: expected a name, found none")
    default_threshold(group.get("threshold"))


def _group_section(group: Mapping[str, Any], assembly: Assembly) -> _GroupSection:
    name = str(group["name"])
    threshold = default_threshold(group.get("threshold"))
    unread: list[Panel] = []

    def read(what: str, make: Any) -> Any:
        found = assembly.protect(name, what, make)
        if found is None:
            unread.append(Panel(what, failure=assembly.failures[-1]))
        return found

    spectra: CohortSpectra | None = None
    if group.get("shapedna") is not None:
        spectra = read("the ShapeDNA table", lambda: cohort_spectra(group["shapedna"], f"{name}, shapedna"))
    distance: LabelledMatrix | None = None
    if group.get("distance") is not None:
        distance = read("the distance matrix", lambda: load_matrix(group["distance"], f"{name}, distance"))
    measures = read("the measures", lambda: load_table(group.get("measures"), f"{name}, measures")) or []
    if group.get("outliers") is not None:
        outliers = read("the outliers", lambda: given_outliers(group["outliers"], f"{name}, outliers"))
    else:
        outliers = read("the outliers", lambda: found_outliers(spectra, measures, threshold))
    outliers = outliers or []
    section = _GroupSection(
        name=name,
        anchor=slugify(name),
        n=len(spectra.labels) if spectra else len(distance.labels) if distance else len(measures),
        threshold=threshold,
        outliers=outliers,
        measures=measures,
        missing=_missing_rows(spectra),
    )
    marked = tuple(dict.fromkeys(outlier.label for outlier in outliers))
    section.panels = [*unread, *_panels(group, spectra, distance, marked, assembly)]
    return section


def _panels(
    group: Mapping[str, Any],
    spectra: CohortSpectra | None,
    distance: LabelledMatrix | None,
    marked: tuple[str, ...],
    assembly: Assembly,
) -> list[Panel]:
    name = str(group["name"])
    panels = []
    if spectra is not None:
        draw = partial(plot_cohort_spectra, spectra, name=name, outliers=marked)
        panels.append(assembly.attempt(name, "ShapeDNA of all participants", draw))
    if distance is not None:
        panels += _distance_panels(name, distance, marked, assembly)
    for index, matrix in enumerate(group.get("matrices") or ()):
        place = f"{name}, matrix {index + 1}"
        panels.append(assembly.attempt(name, place, partial(_plot_given, matrix, place)))
    return panels


def _distance_panels(
    name: str, distance: LabelledMatrix, marked: tuple[str, ...], assembly: Assembly
) -> list[Panel]:
    used = complete_rows(distance.values)
    if used.sum() < _LEAST_TO_CLUSTER:
        return [assembly.attempt(name, distance.title, lambda: plot_matrix(distance, slug="distances"))]
    clustered = assembly.attempt(
        name,
        f"{distance.title}, clustered",
        lambda: plot_clustered(distance, cluster_distances(distance.values), outliers=marked),
    )
    if clustered.failure is not None:  # the matrix itself can still be shown
        plain = assembly.attempt(name, distance.title, lambda: plot_matrix(distance, slug="distances"))
        return [clustered, plain]
    placed = assembly.attempt(
        name, "the map of participants", lambda: plot_embedding(distance, used, outliers=marked)
    )
    return [clustered, placed]


def _plot_given(matrix: Any, place: str) -> Figure:
    return plot_matrix(load_matrix(matrix, place), slug=slugify(place))


def _missing_rows(spectra: CohortSpectra | None) -> list[dict[str, str]]:
    if spectra is None or not spectra.reasons:
        return []
    return [
        {"Participant": label, "Reason": reason}
        for label, reason in zip(spectra.labels, spectra.reasons, strict=True)
        if reason
    ]


def _verdict(
    sections: Sequence[_GroupSection],
    failed: Sequence[Mapping[str, str]],
    missing: Sequence[Mapping[str, str]],
) -> dict[str, str]:
    if not sections:
        return {"state": "failed", "text": "There is nothing to compare."}
    parts = [f"{len(sections)} group{'' if len(sections) == 1 else 's'} of comparable surfaces."]
    who = sorted({str(row.get("participant_id", "?")) for row in failed})
    if who:
        parts.append(f"Failed: {', '.join(who)}.")
    absent = sorted({str(row.get("participant_id", "?")) for row in missing})
    if absent:
        parts.append(f"Something is missing from {', '.join(absent)}.")
    standing = sorted({outlier.label for section in sections for outlier in section.outliers})
    parts.append(f"Outliers: {', '.join(standing)}." if standing else "No outlier.")
    state = "failed" if who else "flagged" if standing or absent else "ok"
    return {"state": state, "text": " ".join(parts)}
