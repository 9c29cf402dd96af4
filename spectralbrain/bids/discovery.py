"""Find the surfaces in a folder, whatever made it. No database: a few directory listings per participant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectralbrain.bids import _derivatives, _hippunfold, _plain, _subjects_dir
from spectralbrain.bids._derivatives import no_parcellation
from spectralbrain.bids.entities import parse_name
from spectralbrain.bids.headers import count_vertices
from spectralbrain.bids.inventory import Inventory, SurfaceInput
from spectralbrain.bids.query import Query
from spectralbrain.bids.structures import CORTEX
from spectralbrain.errors import BIDSError

if TYPE_CHECKING:
    from spectralbrain.runtime import PathLike  # it would load NumPy, and --help must be quick

INPUT = "input"  # the key of the positional argument's own dataset
LAYOUTS = ("fmriprep", "hippunfold", "freesurfer", "bids", "plain")
_PROBED_SUBJECTS = 25  # some of a cohort's first participants may be broken
_RECON_PLACES = ("sourcedata/freesurfer", "freesurfer", "../freesurfer")


def read_description(root: Path) -> dict[str, Any]:
    """Return the content of ``dataset_description.json``, {} where it is absent or unreadable."""
    try:
        document = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def detect_layout(root: PathLike) -> str:
    """Tell what made a folder.

    Parameters
    ----------
    root : path-like
        A folder.

    Returns
    -------
    str
        'fmriprep' (any dataset with surfaces in ``sub-*/anat``), 'hippunfold', 'freesurfer' (also
        FastSurfer), 'bids' (a raw dataset) or 'plain'.

    Raises
    ------
    BIDSError
        If the folder does not exist.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise BIDSError(f"{folder}: expected a folder, found {'a file' if folder.exists() else 'nothing'}")
    made_by = [str(g.get("Name", "")).lower() for g in _generated_by(read_description(folder))]
    subjects = _derivatives.folders(_hippunfold.locate(folder), "sub-")
    recons = [f for f in _some(_derivatives.folders(folder)) if _subjects_dir.is_recon(f)]
    if any(_has_hippocampus(s) for s in _some(subjects)) or "hippunfold" in made_by[:1]:
        return "hippunfold"
    if any(_holds(s, "anat", _derivatives.SURFACE_EXTENSIONS) for s in _some(subjects)):
        return "fmriprep"
    if any(_looks_freesurfer(f) for f in recons):
        return "freesurfer"
    if {"fmriprep", "smriprep"} & set(made_by):
        return "fmriprep"
    if subjects and any(_holds(s, "anat", (".nii.gz", ".nii")) for s in _some(subjects)):
        return "bids"
    if subjects and read_description(folder).get("DatasetType", "raw") == "raw" and not recons:
        return "bids" if read_description(folder) else "plain"
    return "freesurfer" if recons else "plain"


def _generated_by(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = description.get("GeneratedBy", [])
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []


def _some(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths)[:_PROBED_SUBJECTS]


def _sessions(subject: Path) -> list[Path]:
    return [subject, *_derivatives.folders(subject, "ses-")]


def _holds(subject: Path, datatype: str, extensions: tuple[str, ...]) -> bool:
    return any(
        p.name.endswith(extensions) for s in _sessions(subject) for _, p in _derivatives.listing(s / datatype)
    )


def _has_hippocampus(subject: Path) -> bool:
    return any(
        n.extension == ".surf.gii" and n.entities.get("label") in ("hipp", "dentate")
        for s in _sessions(subject)
        for n, _ in _derivatives.listing(s / "surf")
    )


def _looks_freesurfer(folder: Path) -> bool:
    surf = folder / "surf"
    paths = surf.iterdir() if surf.is_dir() else ()
    return any(path.name.startswith(("lh.", "rh.")) for path in paths) or (folder / "mri").is_dir()


def discover(
    root: PathLike,
    query: Query | None = None,
    *,
    datasets: Mapping[str, PathLike] | None = None,
    layout: str | None = None,
) -> Inventory:
    """Find every surface to analyse.

    Parameters
    ----------
    root : path-like
        The input: derivatives of fMRIPrep, sMRIPrep or HippUnfold, a SUBJECTS_DIR, a raw BIDS
        dataset (whose surfaces come from `datasets`), or a plain folder of surfaces. Only read.
    query : Query, optional
        What to take.
    datasets : mapping, optional
        Further datasets by name. They add surfaces, and fill in masks and parcellations for
        surfaces with the same number of vertices.
    layout : str, optional
        One of 'fmriprep', 'hippunfold', 'freesurfer', 'bids', 'plain', instead of detecting it.

    Returns
    -------
    Inventory

    Raises
    ------
    BIDSError
        If a folder does not exist, the layout is unknown, or two sources have the same name.
    """
    query = query or Query()
    roots = {INPUT: Path(root), **{name: Path(path) for name, path in (datasets or {}).items()}}
    if layout is not None and layout not in LAYOUTS:
        raise BIDSError(f"layout: expected one of {', '.join(LAYOUTS)}, found {layout!r}")
    layouts = {INPUT: layout or detect_layout(root)}
    layouts.update((name, detect_layout(path)) for name, path in roots.items() if name != INPUT)
    surfaces: list[SurfaceInput] = []
    skipped: list[str] = []
    for name, kind in list(layouts.items()):
        found, left = _scan(kind, roots[name], name, query)
        surfaces, doubles = _merge(surfaces, found)
        skipped += [*left, *doubles]
        if kind == "fmriprep" and "freesurfer" not in layouts.values():
            recons = _recons_of(roots[name])
            if recons:
                roots["freesurfer"], layouts["freesurfer"] = recons, "freesurfer"
                extra, left = _scan("freesurfer", recons, "freesurfer", query)
                surfaces = _merge(surfaces, extra, fill_only=True)[0]
                skipped += left
    return Inventory(layouts, roots, tuple(sorted(surfaces, key=lambda s: s.sort_key)), tuple(skipped))


def _scan(layout: str, root: Path, name: str, query: Query) -> tuple[list[SurfaceInput], list[str]]:
    if layout == "fmriprep":
        return _derivatives.scan(root, name, query), []
    if layout == "hippunfold":
        return _hippunfold.scan(root, name, query), []
    if layout == "freesurfer":
        return _subjects_dir.scan(root, name, query)
    return _plain.scan(root, name, query) if layout == "plain" else ([], [])


def _recons_of(root: Path) -> Path | None:
    """Return the SUBJECTS_DIR that fMRIPrep leaves in or beside its derivatives."""
    for place in _RECON_PLACES:
        folder = root / place
        if folder.is_dir():
            return folder
    return None


def _merge(
    surfaces: list[SurfaceInput], found: list[SurfaceInput], *, fill_only: bool = False
) -> tuple[list[SurfaceInput], list[str]]:
    """Add what a further dataset has; what is there already keeps its geometry and gains files."""
    result = {_key(s): s for s in surfaces}
    by_place = {_place(s): s for s in found}
    taken = {_place(s) for s in surfaces}
    doubles = []
    for key, own in result.items():
        other = by_place.get(_place(own)) or by_place.get((own.subject, "", *_place(own)[2:]))
        if other is None and not own.session:  # recon-all ran on sub-01_ses-pre, fMRIPrep wrote sub-01
            twins = [s for s in found if (s.subject, *_place(s)[2:]) == (own.subject, *_place(own)[2:])]
            other = twins[0] if len(twins) == 1 else None
        if other is not None and own.structure == CORTEX and other.dataset != own.dataset:
            result[key] = _filled(own, other)
    for other in found:
        if _place(other) in taken:
            doubles.append(f"{other.name}: taken from another dataset, not from {other.dataset}")
        elif not fill_only or other.surface == "boundary":
            result[_key(other)] = other
    return list(result.values()), doubles


def _filled(own: SurfaceInput, other: SurfaceInput) -> SurfaceInput:
    geometry, theirs = own.mesh or own.white, other.mesh or other.white
    needs_mask = own.mask is None and other.mask is not None
    needs_parcels = not own.parcellations and other.parcellations
    if not (geometry and theirs and (needs_mask or needs_parcels)):
        return own
    n = count_vertices(geometry)
    if n is None or n != count_vertices(theirs):
        return own  # another mesh, for example fsLR: its vertices are not these
    found = {no_parcellation(name) for name, _ in other.parcellations}
    found |= {"no cortex mask"} if other.mask else set()
    return replace(
        own,
        mask=own.mask or other.mask,
        parcellations=own.parcellations or other.parcellations,
        missing=tuple(m for m in own.missing if m not in found),
    )


def _place(s: SurfaceInput) -> tuple[str, ...]:
    return s.subject, s.session, s.structure, s.hemisphere, s.surface


def _key(s: SurfaceInput) -> tuple[str, ...]:
    return (*_place(s), s.acquisition, s.reconstruction, s.run, s.space, s.density)


def candidate_datasets(root: PathLike) -> list[Path]:
    """Return the derivatives inside a raw dataset that could be given with ``--derivatives``."""
    folder = Path(root) / "derivatives"
    return [f for f in sorted(_derivatives.folders(folder)) if detect_layout(f) not in ("bids", "plain")]


def entities_of(path: PathLike) -> Mapping[str, str]:
    """Return the entities of a path's file name."""
    return parse_name(Path(path).name).entities
