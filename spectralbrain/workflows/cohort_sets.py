"""The surfaces of a cohort, sorted into sets that can be compared: structure, hemisphere, surface.

Of each surface only the eigenvalues and a few facts stay in memory; every table is written row by row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectralbrain.bids.description import as_json
from spectralbrain.bids.entities import to_label
from spectralbrain.bids.products import sidecar_name
from spectralbrain.bids.structures import CORTEX
from spectralbrain.bids.tables import tsv_lines
from spectralbrain.io._atomic import absolute_path, atomic_write, write_text_atomic
from spectralbrain.spectral.group import COMPATIBLE_KEYS, GroupEntry
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.workflows.state import SurfaceState, participants_of, read_state
from spectralbrain.workflows.summary import MEASURES, eigenpairs_of

Row = dict[str, Any]
Key = tuple[str, str, str]  # structure, hemisphere, surface
KEPT = frozenset((*COMPATIBLE_KEYS, *MEASURES))  # metadata that the tables of a cohort look at


@dataclass
class Group:
    """A cohort: what was asked for, its comparable sets, and what was written so far.

    `only` holds the labels that an entity of a surface may have, for the entities that were asked for.
    """

    output: Path
    normalization: str
    threshold: float
    only: Mapping[str, Collection[str]] = field(default_factory=dict)
    sets: dict[Key, list[GroupEntry]] = field(default_factory=dict)
    sources: dict[Key, list[str]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    def write(self, name: str, rows: Iterable[Row], columns: Sequence[str], document: Row) -> Path:
        """Write a table, asking for each row when its line is due, and its sidecar; return the table."""
        path = absolute_path(self.output / name)
        with atomic_write(path) as stream:
            stream.writelines(line.encode() for line in tsv_lines(rows, columns))
        self.written += [path, write_text_atomic(self.output / sidecar_name(name), as_json(document))]
        return path


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


def set_entities(group: Group, key: Key) -> dict[str, str]:
    """Return the entities that name what is made of a set."""
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


def wanted_surfaces(group: Group, subject: str) -> list[SurfaceState]:
    """Return a participant's surfaces that were asked for, failed ones too, in the order of their keys."""
    surfaces = read_state(group.output, subject).surfaces
    return [s for _, s in sorted(surfaces.items()) if all(s.entities[k] in v for k, v in group.only.items())]


def collect(group: Group, participants: Sequence[str]) -> None:
    """Fill in the sets of a cohort from the states of its participants; a scan without a result says why."""
    scans: dict[str, dict[Key, GroupEntry]] = defaultdict(dict)
    sources: dict[Key, list[str]] = defaultdict(list)
    for subject in participants_of(group.output, participants):
        for surface in wanted_surfaces(group, subject):
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
    name = scan_name(subject, surface)
    entities = {"participant_id": f"sub-{subject}", "session_id": f"ses-{facts['session']}"}
    if not facts["session"]:
        del entities["session_id"]
    entities |= {"space": facts["space"], "density": facts["density"]}
    if surface.status == "failed":
        return GroupEntry(name, None, entities, surface.reason)
    try:
        spectrum = Spectrum.load(output / eigenpairs_of(surface))
        facts_of_it = {k: spectrum.metadata[k] for k in sorted(KEPT & spectrum.metadata.keys())}
        return GroupEntry(name, Spectrum(spectrum.eigenvalues, facts_of_it), entities)
    except OSError as error:
        return GroupEntry(name, None, entities, f"{error.filename or 'eigenpairs'}: cannot be read")


def _absent(name: str, other: GroupEntry) -> GroupEntry:
    return GroupEntry(name, None, other.entities, "no such surface in this participant")


def identity(entry: GroupEntry, key: Key) -> Row:
    """Return the cells that say whose and what a row is."""
    structure, hemisphere, surface = key
    facts = {
        "participant_id": entry.entities["participant_id"],
        "session_id": entry.entities.get("session_id"),
    }
    return facts | {"name": entry.name, "structure": structure, "hemisphere": hemisphere, "surface": surface}


def scan_name(subject: str, surface: SurfaceState) -> str:
    """Return a participant with what tells its scans apart: session, acquisition, reconstruction, run."""
    facts = surface.entities
    parts = {"ses": facts["session"], "acq": facts["acquisition"], "rec": facts["reconstruction"]}
    parts["run"] = facts["run"]
    return "_".join([f"sub-{subject}", *(f"{k}-{v}" for k, v in parts.items() if v)])
