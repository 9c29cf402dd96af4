"""The tables of a cohort: sizes and spectra, distances, asymmetry, outliers, changes, regions."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from spectralbrain.bids.entities import build_name, natural_key
from spectralbrain.bids.tables import parse_tsv
from spectralbrain.spectral.group import (
    GroupEntry,
    distance_matrix,
    find_outliers,
    longitudinal_differences,
    pair_sessions,
    participants_table,
    shapedna_deviations,
    shapedna_table,
)
from spectralbrain.workflows.asymmetry import ASYMMETRY_COLUMNS, ASYMMETRY_FIELDS, asymmetry_values
from spectralbrain.workflows.cohort_sets import (
    Group,
    Key,
    Row,
    identity,
    scan_name,
    set_entities,
    set_name,
    wanted_surfaces,
)
from spectralbrain.workflows.summary import COLUMNS

DISTANCES = {
    "shapednadistance": ("shapedna", "Euclidean distance of ShapeDNA, lambda A / n", "1"),
    "wesd": ("wesd", "Weighted spectral distance (Konukoglu 2013), p = 2, without the score", "mm^2"),
}


def write_morphology(group: Group) -> Path:
    """Write one row per participant and surface: size, topology, eigenvalues, ShapeDNA."""
    widths = {
        key: min(e.spectrum.k - e.spectrum.n_null_modes for e in entries if e.spectrum is not None)
        for key, entries in group.sets.items()
    }
    places = [(entry, key) for key, entries in group.sets.items() for entry in entries]
    places.sort(key=lambda place: (natural_key(place[0].name), *place[1][:2]))

    def rows() -> Iterator[Row]:
        for i, (entry, key) in enumerate(places, 1):
            yield {"index": i} | _morphology_row(entry, key, group.normalization, widths[key])

    first = ["index", "name", "participant_id", "session_id", "structure", "hemisphere", "surface", "space"]
    first += ["density", "medial_wall", "boundary", "reason"]
    width = max(widths.values())
    spectra = [f"{kind}_{i:04d}" for kind in ("lambda", "shapedna") for i in range(1, width + 1)]
    sample = _morphology_row(*places[0], group.normalization, 0)
    others = [c for c in sample if c not in (*first, *spectra)]
    document: Row = {
        "Description": "One row per participant and surface: size, topology, spectrum",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        "EigenvalueNormalization": group.normalization,
        **{c: _column(c, group.normalization) for c in [*first, *others, *spectra]},
    }
    return group.write("desc-shapedna_morph.tsv", rows(), [*first, *others, *spectra], document)


def _morphology_row(entry: GroupEntry, key: Key, normalization: str, width: int) -> Row:
    """Return a surface's row with its first `width` non-null eigenvalues."""
    (row,) = participants_table([entry], n_eigenvalues=width)
    facts = {k: entry.entities[k] for k in ("space", "density")}
    masked = entry.fact("masked")
    wall = None if masked is None else ("masked" if masked else "closed")
    extra = {k: entry.fact(k) for k in ("boundary", "n_components", "n_domain_vertices")}
    own = {k: v for k, v in row.items() if k not in entry.entities and k != "participant_id"}
    values: Row = {}
    if width:
        (descriptor,) = shapedna_table([entry], normalization=normalization, k=width)  # type: ignore[arg-type]
        values = {k: v for k, v in descriptor.items() if k.startswith("shapedna_")}
    return identity(entry, key) | facts | {"medial_wall": wall} | extra | own | values


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


def write_distances(group: Group, key: Key) -> dict[str, Path]:
    """Write the participants' distance matrices of one set."""
    paths = {}
    for measure, (method, description, units) in DISTANCES.items():
        matrix, names = distance_matrix(group.sets[key], method=method)  # type: ignore[arg-type]
        entities = set_entities(group, key)
        name = build_name({**entities, "meas": measure}, "relmat", ".tsv")
        rows = (
            {"node": n} | dict(zip(names, map(float, r), strict=True))
            for n, r in zip(names, matrix, strict=True)
        )
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


def write_asymmetry(group: Group) -> None:
    """Write left against right of each structure and scan that has both."""
    rows: list[Row] = []
    for structure, hemisphere, surface in group.sets:
        twin = (structure, "R", surface)
        if hemisphere != "L" or twin not in group.sets:
            continue
        right = {e.name: e for e in group.sets[twin]}
        for entry in group.sets[structure, "L", surface]:
            row = identity(entry, (structure, "", surface))
            del row["hemisphere"]
            other = right.get(entry.name)
            lacking = [e.reason or "" for e in (entry, other) if e is not None and e.spectrum is None]
            if entry.spectrum is None or other is None or other.spectrum is None:
                rows.append(row | {"reason": "; ".join(dict.fromkeys(lacking))})
            else:
                rows.append(row | asymmetry_values(entry.spectrum, other.spectrum))
    if not rows:
        return
    for i, row in enumerate(rows, 1):
        row["index"] = i
    columns = ["index", "name", "participant_id", "session_id", "structure", "surface", *ASYMMETRY_COLUMNS]
    document = {
        "Description": "Left against right: unsigned distance of shape, signed differences of size",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        **{c: _column(c, group.normalization) for c in columns},
        **ASYMMETRY_FIELDS,
    }
    group.write("desc-asymmetry_morph.tsv", rows, columns, document)


def write_outliers(group: Group) -> list[Row]:
    """Write how far each participant is from the median of each measure; return the outliers' rows."""
    outliers: list[Row] = []

    def rows() -> Iterator[Row]:
        for i, row in enumerate(_scores(group), 1):
            row["index"] = i
            if row["outlier"]:
                outliers.append(row)
            yield row

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
    group.write("desc-outliers_morph.tsv", rows(), columns, document)
    return outliers


def _scores(group: Group) -> Iterator[Row]:
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
                yield identity(by_name[row["name"]], key) | row


def write_longitudinal(group: Group) -> None:
    """Write each later session of a participant against the first, by label."""
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
        "Description": "Within-participant differences: each later session (by label) against the first",
        "Sources": sorted({s for sources in group.sources.values() for s in sources}),
        **{c: _column(c, group.normalization) for c in columns},
        "area_change": {"Description": "(follow-up - baseline) / baseline", "Units": "1"},
        "volume_change": {"Description": "(follow-up - baseline) / baseline", "Units": "1"},
        "shapedna_distance": {"Description": "Euclidean distance of ShapeDNA, lambda A / n", "Units": "1"},
        "k": {"Description": "Eigenvalues compared"},
    }
    group.write("desc-longitudinal_morph.tsv", rows, columns, document)


def write_regions(group: Group, parcellations: Collection[str] | None) -> None:
    """Put the participants' region tables of some parcellations (None: all) under one another."""
    tables: dict[str, list[tuple[Row, str]]] = defaultdict(list)  # seg -> owner, file of each
    columns: dict[str, dict[str, None]] = defaultdict(dict)
    names = {e.entities["participant_id"].removeprefix("sub-") for v in group.sets.values() for e in v}
    for subject in sorted(names, key=natural_key):
        for surface in wanted_surfaces(group, subject):
            for name in surface.files:
                seg = name.rpartition("_seg-")[2].partition("_")[0]
                if parcellations is not None and seg not in parcellations:
                    continue
                if "_seg-" in name and name.endswith("_morph.tsv"):
                    facts = {k: surface.entities[k] for k in ("structure", "hemisphere", "surface")}
                    owner = {"scan": scan_name(subject, surface), "participant_id": f"sub-{subject}"} | facts
                    tables[seg].append((owner, name))
                    with (group.output / name).open(encoding="utf-8") as stream:
                        columns[seg] |= dict.fromkeys(stream.readline().rstrip("\n").split("\t"))
    for seg, parts in sorted(tables.items()):
        first = ["index", "name", "scan", "participant_id", "structure", "hemisphere", "surface"]
        headers = [*first, *(c for c in columns[seg] if c not in first)]
        document = {
            "Description": f"One row per participant and region of {seg}",
            "Sources": [f"bids::{name}" for _, name in parts],
            **{c: _column(c, group.normalization) for c in headers},
            "name": {"Description": "Region"},
            "scan": {"Description": "Participant, with what tells its scans apart"},
        }
        group.write(f"seg-{seg}_desc-regions_morph.tsv", _region_rows(group, parts), headers, document)


def _region_rows(group: Group, parts: Iterable[tuple[Row, str]]) -> Iterator[Row]:
    numbers = itertools.count(1)
    for owner, name in parts:
        for row in parse_tsv((group.output / name).read_text(encoding="utf-8")):
            yield owner | row | {"index": next(numbers)}
