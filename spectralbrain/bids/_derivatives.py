"""Surfaces in datasets with BIDS names: fMRIPrep, sMRIPrep and the like."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from spectralbrain.bids.entities import HEMISPHERES, Name, natural_key, parse_name
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.query import DEFAULT_SURFACE, REFUSED_SURFACES, Query
from spectralbrain.bids.structures import CORTEX

SURFACE_EXTENSIONS = (".surf.gii", ".surf.gii.gz")
PARCEL_EXTENSION = ".label.gii"
WHITES = ("white", "smoothwm")  # smoothwm is what fMRIPrep < 23 called white
Found = list[tuple[Name, Path]]


def subject_folders(root: Path, query: Query) -> Iterator[tuple[str, str, Path]]:
    """Yield (participant, session, folder) for each ``sub-*`` and each of its ``ses-*``."""
    for subject_dir in sorted(folders(root, "sub-"), key=lambda p: natural_key(p.name)):
        subject = subject_dir.name.removeprefix("sub-")
        if not query.wants(subject):
            continue
        yield subject, "", subject_dir
        for session_dir in sorted(folders(subject_dir, "ses-"), key=lambda p: natural_key(p.name)):
            session = session_dir.name.removeprefix("ses-")
            if query.wants(subject, session):
                yield subject, session, session_dir


def folders(parent: Path, prefix: str = "") -> list[Path]:
    """Return the subfolders (also through symlinks) whose name starts with a prefix."""
    try:
        with os.scandir(parent) as entries:
            return [Path(e.path) for e in entries if e.name.startswith(prefix) and _is_dir(e)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def listing(folder: Path) -> Found:
    """Return the files of a folder with their names taken apart, sorted; nothing if it is absent."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [(parse_name(name), folder / name) for name in names if "." in name and not name.startswith(".")]


def scan(root: Path, dataset: str, query: Query) -> list[SurfaceInput]:
    """Find the cortical surfaces of an fMRIPrep-like dataset.

    A participant (or session) whose folder holds no usable surface is returned as well, without
    geometry, so that it is seen to be missing.
    """
    if CORTEX not in query.structures.surfaces:
        return []
    found: dict[str, list[SurfaceInput]] = defaultdict(list)
    empty: dict[str, list[str]] = defaultdict(list)
    odd: dict[str, str] = {}
    for subject, session, folder in subject_folders(root, query):
        files = listing(folder / "anat")
        surfaces = _scan_anat(subject, session, files, dataset, query)
        found[subject] += surfaces
        if not surfaces:
            empty[subject].append(session)
            odd[subject] = _odd_hemisphere(files) or odd.get(subject, "")
    for subject, sessions in empty.items():
        # A session without surfaces is normal where they stand in another one (fMRIPrep's default).
        if not found[subject]:
            session = sessions[-1] if len(sessions) == 2 else ""
            why = (odd[subject],) if odd[subject] else ()
            records = absent(subject, session, dataset, query.wanted_surfaces)
            found[subject] = [replace(record, missing=record.missing + why) for record in records]
    return [surface for surfaces in found.values() for surface in surfaces]


def _odd_hemisphere(files: Found) -> str:
    """Return what is wrong with a surface's name that says no hemisphere of BIDS, '' if none does."""
    for name, path in files:
        hemi = name.entities.get("hemi", "")
        if name.extension in SURFACE_EXTENSIONS and hemi not in HEMISPHERES:
            found = f"hemi-{hemi}" if hemi else "none"
            return f"{path.name}: expected hemi-L or hemi-R, found {found}"
    return ""


def absent(
    subject: str, session: str, dataset: str, surfaces: Iterable[str], structure: str = CORTEX
) -> list[SurfaceInput]:
    """Return the records that say that both hemispheres' surfaces were not found."""
    return [
        SurfaceInput(subject, session, hemi, structure, surface, dataset, missing=(f"no {surface} surface",))
        for hemi in HEMISPHERES
        for surface in surfaces
    ]


def _scan_anat(subject: str, session: str, files: Found, dataset: str, query: Query) -> list[SurfaceInput]:
    groups: dict[tuple[str, ...], dict[str, tuple[Name, Path]]] = defaultdict(dict)
    for name, path in files:
        if name.extension in SURFACE_EXTENSIONS and _is_candidate(name, query):
            groups[_group_key(name)][name.suffix] = (name, path)
    surfaces = []
    for key, by_suffix in groups.items():
        entities = next(iter(by_suffix.values()))[0].entities
        for wanted in query.wanted_surfaces:
            surfaces.append(_assemble(subject, session, entities, wanted, by_suffix, files, dataset, query))
        other = _other_hemisphere(key)
        if other not in groups:
            surfaces += [_missing_twin(s) for s in surfaces[-len(query.wanted_surfaces) :] if s.processable]
    return surfaces


def _is_candidate(name: Name, query: Query) -> bool:
    if name.entities.get("hemi") not in HEMISPHERES or name.suffix in REFUSED_SURFACES:
        return False
    if "desc" in name.entities and "desc" not in query.filters.get("surface", {}):
        return False
    if "label" in name.entities and name.entities["label"] != CORTEX:
        return False
    return query.accepts_space(name) and query.accepts(name)


_GROUP_KEYS = ("acq", "rec", "run", "hemi", "space", "den")


def _group_key(name: Name) -> tuple[str, ...]:
    return tuple(name.entities.get(key, "") for key in _GROUP_KEYS)


def _other_hemisphere(key: tuple[str, ...]) -> tuple[str, ...]:
    i = _GROUP_KEYS.index("hemi")
    return (*key[:i], "R" if key[i] == "L" else "L", *key[i + 1 :])


def _missing_twin(surface: SurfaceInput) -> SurfaceInput:
    other = "R" if surface.hemisphere == "L" else "L"
    return SurfaceInput(
        *(surface.subject, surface.session, other, surface.structure, surface.surface, surface.dataset),
        *(surface.space, surface.density, surface.acquisition, surface.reconstruction, surface.run),
        missing=(f"no {surface.surface} surface",),
    )


def _assemble(
    subject: str,
    session: str,
    entities: Mapping[str, str],
    wanted: str,
    by_suffix: dict[str, tuple[Name, Path]],
    files: Found,
    dataset: str,
    query: Query,
) -> SurfaceInput:
    labels = dict(entities)
    missing: list[str] = []
    mesh = _usable(by_suffix.get(wanted), missing)
    white = pial = None
    if mesh is None and wanted == DEFAULT_SURFACE:
        whites = [_usable(by_suffix.get(suffix), missing) for suffix in WHITES]
        white, pial = next((w for w in whites if w), None), _usable(by_suffix.get("pial"), missing)
    if mesh is None and not (white and pial):
        missing.append(no_surface(wanted, white is not None, pial is not None))
    related = [(n, p) for n, p in files if _belongs(n, labels)]
    mask = _first(related, "mask", "desc", CORTEX, query, missing)
    if mask is None:
        missing.append("no cortex mask")
    return SurfaceInput(
        *(subject, session or labels.get("ses", ""), labels["hemi"], CORTEX, wanted, dataset),
        *(labels.get("space", ""), labels.get("den", "")),
        *(labels.get("acq", ""), labels.get("rec", ""), labels.get("run", "")),
        mesh=mesh,
        white=white if mesh is None and pial else None,
        pial=pial if mesh is None and white else None,
        mask=mask,
        parcellations=_parcellations(related, query, missing),
        missing=tuple(missing),
    )


def no_surface(wanted: str, white: bool, pial: bool) -> str:
    """Say that a surface is not there, and what would be needed to compute it.

    Examples
    --------
    >>> no_surface("midthickness", True, False)
    'no midthickness surface, and no pial to compute it from'
    """
    lacking = {(True, False): "pial", (False, True): "white"}.get((white, pial), "")
    remedy = f", and no {lacking} to compute it from" if wanted == DEFAULT_SURFACE and lacking else ""
    return f"no {wanted} surface{remedy}"


def _usable(found: tuple[Name, Path] | None, missing: list[str]) -> Path | None:
    if found is None:
        return None
    if not found[1].exists():
        missing.append(f"{found[1].name} is a broken symlink")
        return None
    return found[1]


def _belongs(name: Name, labels: dict[str, str]) -> bool:
    """Whether a mask or parcellation has the surface's hemisphere, space and density."""
    return all(
        name.entities.get(key, "") == labels.get(key, "")
        or (key == "space" and {name.entities.get(key, ""), labels.get(key, "")} <= {"", "fsnative"})
        for key in ("hemi", "space", "den", "run", "acq", "rec")
    )


def _first(files: Found, suffix: str, key: str, label: str, query: Query, missing: list[str]) -> Path | None:
    for name, path in files:
        if name.suffix == suffix and name.entities.get(key) == label and query.accepts(name, "mask"):
            return _usable((name, path), missing)
    return None


def _parcellations(files: Found, query: Query, missing: list[str]) -> tuple[tuple[str, Path], ...]:
    if query.parcellations is None:
        return ()
    found: dict[str, Path] = {}
    for name, path in files:
        label = name.entities.get("seg") or name.entities.get("atlas")
        if name.suffix != "dseg" or name.extension != PARCEL_EXTENSION or not label:
            continue
        if (not query.parcellations or label in query.parcellations) and query.accepts(name, "parcellation"):
            usable = _usable((name, path), missing)
            if usable:
                found.setdefault(label, usable)
    missing += [no_parcellation(label) for label in query.parcellations if label not in found]
    return tuple(found.items())


def no_parcellation(name: str) -> str:
    """Say that a parcellation that was asked for is not there."""
    return f"no parcellation {name}"
