"""The group level: tidy tables over participants, distances between them, outliers, a report.

Only eigenvalues and metadata are read, so the memory does not grow with the size of the surfaces.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectralbrain.bids.description import as_json
from spectralbrain.bids.entities import build_name, natural_key, to_label
from spectralbrain.bids.products import sidecar_name
from spectralbrain.bids.structures import CORTEX
from spectralbrain.bids.tables import format_tsv, parse_tsv
from spectralbrain.errors import ArrayError, IncompatibleError, MissingDependencyError
from spectralbrain.io._atomic import write_text_atomic
from spectralbrain.spectral.asymmetry import spectral_asymmetry
from spectralbrain.spectral.group import (
    GroupEntry,
    check_compatible,
    distance_matrix,
    find_outliers,
    longitudinal_differences,
    pair_sessions,
    participants_table,
    shapedna_deviations,
    shapedna_table,
)
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.workflows.state import (
    SurfaceState,
    digests_of,
    participants_of,
    read_state,
    remove_files,
)
from spectralbrain.workflows.summary import COLUMNS, eigenpairs_of

GROUP_STATE = Path("logs", "group.json")
REPORT = "group.html"
Row = dict[str, Any]
Key = tuple[str, str, str]  # structure, hemisphere, surface
DISTANCES = {
    "shapednadistance": ("shapedna", "Euclidean distance of ShapeDNA, lambda A / n", "1"),
    "wesd": ("wesd", "Weighted spectral distance (Konukoglu 2013), p = 2, without the score", "mm^2"),
}


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


@dataclass
class _Group:
    output: Path
    normalization: str
    threshold: float
    sets: dict[Key, list[GroupEntry]] = field(default_factory=dict)
    sources: dict[Key, list[str]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    def write(self, name: str, rows: Iterable[Row], columns: Sequence[str], document: Row) -> Path:
        path = write_text_atomic(self.output / name, format_tsv(rows, columns))
        self.written += [path, write_text_atomic(self.output / sidecar_name(name), as_json(document))]
        return path


def run_group_level(
    output: Path,
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
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
    participants, sessions : sequence of str
        Labels to compare; empty: all.
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
        If there are no results.
    """
    group = _Group(output, normalization, threshold)
    _collect(group, participants, sessions)
    if not any(entry.spectrum for entries in group.sets.values() for entry in entries):
        raise ArrayError(f"{output}: expected results of the participant level, found none")
    for key, entries in sorted(group.sets.items()):
        try:
            check_compatible(entries)
        except IncompatibleError as error:
            text = str(error).removeprefix("entries: expected spectra computed alike, found ")
            raise IncompatibleError(
                f"{set_name(key)}: cannot compare, because of different {text}"
            ) from error
    morphology = _write_morphology(group)
    distances = {key: _write_distances(group, key) for key in sorted(group.sets)}
    _write_asymmetry(group)
    outliers = _write_outliers(group)
    _write_longitudinal(group)
    _write_regions(group)
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
    beyond = tuple(row for row in outliers if row["outlier"])
    counts = {set_name(k): sum(e.spectrum is not None for e in v) for k, v in sorted(group.sets.items())}
    return GroupResult(tuple(group.written), counts, missing, beyond, tuple(problems), note)


def set_name(key: Key) -> str:
    """Return a set's name for people.

    Examples
    --------
    >>> set_name(("cortex", "L", "midthickness"))
    'left cortex (midthickness)'
    """
    structure, hemisphere, surface = key
    side = {"L": "left ", "R": "right "}.get(hemisphere, "")
    return f"{side}{structure} ({surface})"


def _set_entities(group: _Group, key: Key) -> dict[str, str]:
    structure, hemisphere, surface = key
    first = next(e for e in group.sets[key] if e.spectrum is not None)
    closed = structure == CORTEX and not first.fact("masked")
    return {
        "hemi": hemisphere,
        "space": str(first.fact("space") or ""),
        "den": str(first.fact("density") or ""),
        "label": "" if closed else to_label(structure),
        "desc": to_label(surface),
    }


def _collect(group: _Group, participants: Sequence[str], sessions: Sequence[str]) -> None:
    scans: dict[str, dict[Key, GroupEntry]] = defaultdict(dict)
    sources: dict[Key, list[str]] = defaultdict(list)
    for subject in participants_of(group.output, participants):
        state = read_state(group.output, subject)
        for key in sorted(state.surfaces):
            surface = state.surfaces[key]
            session = surface.entities["session"]
            if sessions and session and session not in sessions:
                continue
            entry = _entry(group.output, subject, surface)
            place = tuple(surface.entities[k] for k in ("structure", "hemisphere", "surface"))
            if entry.spectrum is not None:
                sources[place].append(f"bids::{eigenpairs_of(surface)}")  # type: ignore[index]
            scans[entry.name][place] = entry  # type: ignore[index]
    keys = {k for found in scans.values() for k, e in found.items() if e.spectrum is not None}
    for place in sorted(keys):
        entries = []
        for name, found in scans.items():
            identity = next(iter(found.values()))
            entries.append(found.get(place) or _absent(name, identity))
        group.sets[place] = entries
        group.sources[place] = sources[place]


def _entry(output: Path, subject: str, surface: SurfaceState) -> GroupEntry:
    facts = surface.entities
    parts = {"ses": facts["session"], "acq": facts["acquisition"], "rec": facts["reconstruction"]}
    parts["run"] = facts["run"]
    name = "_".join([f"sub-{subject}", *(f"{k}-{v}" for k, v in parts.items() if v)])
    entities = {"participant_id": f"sub-{subject}", "session_id": f"ses-{facts['session']}"}
    if not facts["session"]:
        del entities["session_id"]
    entities |= {"space": facts["space"], "density": facts["density"]}
    if surface.status == "failed":
        return GroupEntry(name, None, entities, surface.reason)
    try:
        return GroupEntry(name, Spectrum.load(output / eigenpairs_of(surface)), entities)
    except OSError as error:
        return GroupEntry(name, None, entities, f"{error.filename or 'eigenpairs'}: cannot be read")


def _absent(name: str, other: GroupEntry) -> GroupEntry:
    return GroupEntry(name, None, other.entities, "no such surface in this participant")


def _identity(entry: GroupEntry, key: Key) -> Row:
    structure, hemisphere, surface = key
    facts = {
        "participant_id": entry.entities["participant_id"],
        "session_id": entry.entities.get("session_id"),
    }
    return facts | {"name": entry.name, "structure": structure, "hemisphere": hemisphere, "surface": surface}


def _write_morphology(group: _Group) -> Path:
    """One row per participant and surface: size, topology, eigenvalues, ShapeDNA."""
    rows: list[Row] = []
    for key, entries in group.sets.items():
        measures = participants_table(entries)
        descriptors = shapedna_table(entries, normalization=group.normalization)  # type: ignore[arg-type]
        for entry, row, descriptor in zip(entries, measures, descriptors, strict=True):
            extra = {k: entry.fact(k) for k in ("boundary", "n_components", "n_domain_vertices")}
            values = {k: v for k, v in descriptor.items() if k.startswith("shapedna_")}
            own = {k: v for k, v in row.items() if k not in entry.entities and k != "participant_id"}
            facts = {k: entry.entities[k] for k in ("space", "density")}
            masked = entry.fact("masked")
            wall = None if masked is None else ("masked" if masked else "closed")
            rows.append(_identity(entry, key) | facts | {"medial_wall": wall} | extra | own | values)
    rows.sort(key=lambda row: (natural_key(row["name"]), row["structure"], row["hemisphere"]))
    for i, row in enumerate(rows, 1):
        row["index"] = i
    first = ["index", "name", "participant_id", "session_id", "structure", "hemisphere", "surface", "space"]
    first += ["density", "medial_wall", "boundary", "reason"]
    spectra = sorted({c for row in rows for c in row if c.startswith(("lambda_", "shapedna_"))})
    others = [c for c in dict.fromkeys(c for row in rows for c in row) if c not in (*first, *spectra)]
    document: Row = {
        "Description": "One row per participant and surface: size, topology, spectrum",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        "EigenvalueNormalization": group.normalization,
        **{c: _column(c, group.normalization) for c in [*first, *others, *spectra]},
    }
    return group.write("desc-shapedna_morph.tsv", rows, [*first, *others, *spectra], document)


def _column(name: str, normalization: str) -> Row:
    kind, _, number = name.partition("_")
    if kind == "lambda" and number.isdecimal():
        return {"Description": f"Non-null eigenvalue {int(number)}", "Units": "mm^-2"}
    if kind == "shapedna" and number.isdecimal():
        units = "mm^-2" if normalization == "none" else "1"
        return {"Description": f"ShapeDNA, non-null mode {int(number)}", "Units": units}
    known = {
        "participant_id": "Participant",
        "session_id": "Session",
        "name": "Participant, with the session and what else tells its scans apart",
        "reason": "Why a value is missing",
    }
    return {"Description": known[name]} if name in known else COLUMNS.get(name, {"Description": name})


def _write_distances(group: _Group, key: Key) -> dict[str, Path]:
    """Write the participants' distance matrices of one set."""
    paths = {}
    for measure, (method, description, units) in DISTANCES.items():
        matrix, names = distance_matrix(group.sets[key], method=method)  # type: ignore[arg-type]
        entities = _set_entities(group, key)
        name = build_name({**entities, "meas": measure}, "relmat", ".tsv")
        rows = [
            {"node": n} | dict(zip(names, map(float, r), strict=True))
            for n, r in zip(names, matrix, strict=True)
        ]
        present = next(e for e in group.sets[key] if e.spectrum is not None)
        k = present.spectrum.k if present.spectrum else None
        document = {
            "Description": f"{description}, between participants: {set_name(key)}",
            "Sources": group.sources[key],
            "RelationshipMeasure": description,
            "MeasureUnits": units,
            "Directed": False,
            "Weighted": True,
            "ValidDiagonal": True,
            "NonNegative": True,
            "Software": "spectralbrain",
            "NumberOfModes": k,
            "node": {"Description": "Participant of the row; the columns are in the same order"},
        }
        if entities["space"] not in ("fsLR", "fsaverage"):
            document["SpatialReference"] = "Each participant's own surface"
        if entities["den"]:
            document["Density"] = entities["den"]
        paths[measure] = group.write(name, rows, ["node", *names], document)
    return paths


def _write_asymmetry(group: _Group) -> None:
    rows: list[Row] = []
    for structure, hemisphere, surface in group.sets:
        twin = (structure, "R", surface)
        if hemisphere != "L" or twin not in group.sets:
            continue
        right = {e.name: e for e in group.sets[twin]}
        for entry in group.sets[structure, "L", surface]:
            row = _identity(entry, (structure, "", surface))
            del row["hemisphere"]
            other = right.get(entry.name)
            lacking = [e.reason or "" for e in (entry, other) if e is not None and e.spectrum is None]
            if entry.spectrum is None or other is None or other.spectrum is None:
                rows.append(row | {"reason": "; ".join(dict.fromkeys(lacking))})
                continue
            found = spectral_asymmetry(entry.spectrum, other.spectrum)
            reason = None if found.volume_index is not None else "volume_index: a surface is not closed"
            rows.append(
                row
                | {"distance": found.distance, "area_index": found.area_index, "k": found.k}
                | {"volume_index": found.volume_index, "reason": reason}
            )
    if not rows:
        return
    for i, row in enumerate(rows, 1):
        row["index"] = i
    columns = ["index", "name", "participant_id", "session_id", "structure", "surface", "distance"]
    columns += ["area_index", "volume_index", "k", "reason"]
    document = {
        "Description": "Left against right: unsigned distance of shape, signed differences of size",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        **{c: _column(c, group.normalization) for c in columns},
        "distance": {"Description": "Euclidean distance of ShapeDNA, lambda A / n", "Units": "1"},
        "area_index": {"Description": "(L - R) / (L + R) of the areas", "Units": "1"},
        "volume_index": {"Description": "(L - R) / (L + R) of the volumes", "Units": "1"},
        "k": {"Description": "Eigenvalues compared"},
    }
    group.write("desc-asymmetry_morph.tsv", rows, columns, document)


def _write_outliers(group: _Group) -> list[Row]:
    rows: list[Row] = []
    for key, entries in group.sets.items():
        measures: dict[str, Mapping[str, float | None]] = {
            name: {e.name: e.fact(name) for e in entries}
            for name in ("surface_area", "volume", "boundary_length")
            if any(e.fact(name) is not None for e in entries)
        }
        measures["shapedna_deviation"] = shapedna_deviations(entries)
        by_name = {e.name: e for e in entries}
        for measure, values in measures.items():
            for row in find_outliers(values, measure=measure, threshold=group.threshold):
                rows.append(_identity(by_name[row["name"]], key) | row)
    for i, row in enumerate(rows, 1):
        row["index"] = i
    columns = ["index", "name", "participant_id", "session_id", "structure", "hemisphere", "surface"]
    columns += ["measure", "value", "median", "mad", "robust_z", "threshold", "outlier", "reason"]
    document = {
        "Description": "Robust z (0.6745 (x - median) / MAD) of each measure of each participant",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        "Threshold": group.threshold,
        **{c: _column(c, group.normalization) for c in columns},
        "measure": {
            "Description": "surface_area, volume, boundary_length, or distance from the median ShapeDNA"
        },
        "mad": {"Description": "Median absolute deviation"},
        "outlier": {"Description": "Whether |robust_z| exceeds the threshold"},
    }
    group.write("desc-outliers_morph.tsv", rows, columns, document)
    return rows


def _write_longitudinal(group: _Group) -> None:
    rows: list[Row] = []
    for (structure, hemisphere, surface), entries in group.sets.items():
        pairs = pair_sessions(entries)
        by_name = {e.name: e for e in entries}
        for row in longitudinal_differences(pairs):
            owner = by_name[row["baseline"]].entities["participant_id"]
            place = {"structure": structure, "hemisphere": hemisphere, "surface": surface}
            rows.append({"name": row["followup"], "participant_id": owner} | place | row)
    if not rows:
        return
    for i, row in enumerate(rows, 1):
        row["index"] = i
    columns = [
        "index",
        "name",
        "participant_id",
        "structure",
        "hemisphere",
        "surface",
        "baseline",
        "followup",
    ]
    columns += ["area_change", "volume_change", "shapedna_distance", "k", "reason"]
    document = {
        "Description": "Within-participant differences: each later session against the first",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        **{c: _column(c, group.normalization) for c in columns},
        "area_change": {"Description": "(follow-up - baseline) / baseline", "Units": "1"},
        "volume_change": {"Description": "(follow-up - baseline) / baseline", "Units": "1"},
        "shapedna_distance": {"Description": "Euclidean distance of ShapeDNA, lambda A / n", "Units": "1"},
        "k": {"Description": "Eigenvalues compared"},
    }
    group.write("desc-longitudinal_morph.tsv", rows, columns, document)


def _write_regions(group: _Group) -> None:
    """Put the participants' region tables under one another."""
    tables: dict[str, list[Row]] = defaultdict(list)
    sources: dict[str, list[str]] = defaultdict(list)
    names = {e.entities["participant_id"].removeprefix("sub-") for v in group.sets.values() for e in v}
    for subject in sorted(names, key=natural_key):
        for surface in read_state(group.output, subject).surfaces.values():
            entry_name = _entry_name(subject, surface)
            for name in surface.files:
                seg = name.rpartition("_seg-")[2].partition("_")[0]
                if "_seg-" in name and name.endswith("_morph.tsv"):
                    facts = {k: surface.entities[k] for k in ("structure", "hemisphere", "surface")}
                    owner = {"scan": entry_name, "participant_id": f"sub-{subject}"} | facts
                    text = (group.output / name).read_text(encoding="utf-8")
                    tables[seg] += [owner | row for row in parse_tsv(text)]
                    sources[seg].append(f"bids::{name}")
    for seg, rows in sorted(tables.items()):
        for i, row in enumerate(rows, 1):
            row["index"] = i
        first = ["index", "name", "scan", "participant_id", "structure", "hemisphere", "surface"]
        columns = [*first, *(c for c in dict.fromkeys(c for r in rows for c in r) if c not in first)]
        document = {
            "Description": f"One row per participant and region of {seg}",
            "Sources": sources[seg],
            **{c: _column(c, group.normalization) for c in columns},
            "name": {"Description": "Region"},
            "scan": {"Description": "Participant, with what tells its scans apart"},
        }
        group.write(f"seg-{seg}_desc-regions_morph.tsv", rows, columns, document)


def _entry_name(subject: str, surface: SurfaceState) -> str:
    session = surface.entities["session"]
    return f"sub-{subject}" + (f"_ses-{session}" if session else "")


def _write_report(
    group: _Group,
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
                        if r["outlier"]
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


def _forget_earlier(group: _Group) -> None:
    """Remove files of an earlier group run that this one did not write again."""
    path = group.output / GROUP_STATE
    try:
        earlier = set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        earlier = set()
    files = digests_of(group.output, {p.absolute() for p in group.written})
    remove_files(group.output, earlier - set(files))
    write_text_atomic(path, json.dumps(files, indent=1, sort_keys=True) + "\n")
