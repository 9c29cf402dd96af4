"""The group level: tidy tables over participants, distances between them, outliers, a report.

Only eigenvalues and metadata are read, one participant after the other, so the memory does not grow with
the size of the surfaces; with the number of participants it grows by the spectra and by the distance matrix.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectralbrain.errors import ArrayError, IncompatibleError, MissingDependencyError
from spectralbrain.io._atomic import write_text_atomic
from spectralbrain.spectral.group import check_compatible, shapedna_table
from spectralbrain.workflows.cohort_sets import Group, Key, Row, collect, set_name
from spectralbrain.workflows.cohort_tables import (
    write_asymmetry,
    write_distances,
    write_longitudinal,
    write_morphology,
    write_outliers,
    write_regions,
)
from spectralbrain.workflows.state import digests_of, remove_files

GROUP_STATE = Path("logs", "group.json")
REPORT = "group.html"


@dataclass(frozen=True)
class GroupResult:
    """What the group level made.

    Attributes
    ----------
    files : tuple of Path
        Everything that was written.
    sets : dict
        Name of each comparable set and its number of participants with a result.
    missing : tuple of dict
        ``participant_id``, ``what``, ``reason`` of each surface without a result.
    outliers : tuple of dict
        Rows beyond the threshold.
    problems : tuple of str
        Parts of the report that could not be made.
    note : str
        Why there is no report, or ''.
    """

    files: tuple[Path, ...]
    sets: Mapping[str, int]
    missing: tuple[Row, ...]
    outliers: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    note: str = ""


def run_group_level(
    output: Path,
    *,
    participants: Sequence[str] = (),
    only: Mapping[str, Collection[str]] | None = None,
    parcellations: Collection[str] | None = None,
    normalization: str = "area",
    threshold: float = 3.5,
    parameters: Mapping[str, Any] | None = None,
    report: bool = True,
) -> GroupResult:
    """Compare the participants of a derivative dataset.

    Parameters
    ----------
    output : Path
        The dataset, with the results of the participant level.
    participants : sequence of str
        Labels to compare; empty: all.
    only : mapping, optional
        Entity of a surface ('session', 'structure', 'surface', 'space', 'density') to the labels to compare.
    parcellations : collection of str, optional
        Whose region tables to join; None: all.
    normalization : {'area', 'volume', 'none'}
        Of the ShapeDNA table.
    threshold : float
        Robust z beyond which a value is an outlier.
    parameters : mapping, optional
        For the report.
    report : bool
        Write ``group.html``.

    Returns
    -------
    GroupResult

    Raises
    ------
    IncompatibleError
        If surfaces were analysed in different ways; the message names what differs and in whom.
    ArrayError
        If there are no results, or none with a label of `only`.
    """
    group = Group(output, normalization, threshold, only or {})
    collect(group, participants)
    _check_found(group)
    for key, entries in sorted(group.sets.items()):
        try:
            check_compatible(entries)
        except IncompatibleError as error:
            text = str(error).removeprefix("entries: expected spectra computed alike, found ")
            raise IncompatibleError(
                f"{set_name(key)}: cannot compare, because of different {text}"
            ) from error
    morphology = write_morphology(group)
    distances = {key: write_distances(group, key) for key in sorted(group.sets)}
    write_asymmetry(group)
    outliers = write_outliers(group)
    write_longitudinal(group)
    write_regions(group, parcellations)
    missing = tuple(
        {"participant_id": e.name, "what": set_name(key), "reason": e.reason}
        for key, entries in sorted(group.sets.items())
        for e in entries
        if e.spectrum is None
    )
    problems: list[str] = []
    note = ""
    if report:
        problems, note = _write_report(group, morphology, distances, outliers, missing, parameters or {})
    _forget_earlier(group)
    counts = {set_name(k): sum(e.spectrum is not None for e in v) for k, v in sorted(group.sets.items())}
    return GroupResult(tuple(group.written), counts, missing, tuple(outliers), tuple(problems), note)


def _check_found(group: Group) -> None:
    """Refuse a choice of surfaces that the results do not have."""
    found = {
        "structure": {key[0] for key in group.sets},
        "surface": {key[2] for key in group.sets},
        **{k: {e.entities[k] for v in group.sets.values() for e in v} for k in ("space", "density")},
    }
    absent = [f"{k} {v}" for k, labels in found.items() for v in group.only.get(k, ()) if v not in labels]
    if absent or not group.sets:
        of = f" of {', '.join(sorted(absent))}" if absent else ""
        raise ArrayError(f"{group.output}: expected results{of} of the participant level, found none")


def _write_report(
    group: Group,
    morphology: Path,
    distances: Mapping[Key, Mapping[str, Path]],
    outliers: Sequence[Row],
    missing: Sequence[Row],
    parameters: Mapping[str, Any],
) -> tuple[list[str], str]:
    try:
        from spectralbrain.reports import build_group_report

        groups = []
        for key, entries in sorted(group.sets.items()):
            present = [e for e in entries if e.spectrum is not None]
            table = shapedna_table(present, normalization=group.normalization)  # type: ignore[arg-type]
            values = [[v for c, v in row.items() if c.startswith("shapedna_")] for row in table]
            own = [r for r in outliers if (r["structure"], r["hemisphere"], r["surface"]) == key]
            groups.append(
                {
                    "name": set_name(key)[0].upper() + set_name(key)[1:],
                    "shapedna": {"labels": [e.name for e in present], "values": values},
                    "distance": {
                        "file": str(distances[key]["shapednadistance"]),
                        "title": "ShapeDNA distance",
                        "kind": "distance",
                    },
                    "outliers": [
                        {
                            "participant_id": r["name"],
                            **{k: r[k] for k in ("measure", "value", "robust_z")},
                        }
                        for r in own
                    ],
                    "threshold": group.threshold,
                }
            )
        result = build_group_report(
            group.output / REPORT,
            groups,
            participants=str(morphology),
            missing=list(missing),
            parameters=dict(parameters),
        )
    except MissingDependencyError as error:
        return [], f"no report: {error}"
    except ImportError as error:
        return [], f"no report: {error}"
    except Exception as error:  # a page that cannot be drawn must not lose the numbers
        return [f"report: {type(error).__name__}: {error}"], ""
    group.written += [Path(f) for f in result.files]
    return [f"report: {f.where}, {f.what}: {f.message}" for f in result.failures], ""


def _forget_earlier(group: Group) -> None:
    """Remove files of an earlier group run that this one did not write again."""
    path = group.output / GROUP_STATE
    try:
        earlier = set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        earlier = set()
    files = digests_of(group.output, {p.absolute() for p in group.written})
    remove_files(group.output, earlier - set(files))
    write_text_atomic(path, json.dumps(files, indent=1, sort_keys=True) + "\n")
