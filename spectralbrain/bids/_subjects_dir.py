"""Surfaces in a SUBJECTS_DIR of FreeSurfer or FastSurfer."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from spectralbrain.bids._derivatives import absent, folders, no_parcellation, no_surface
from spectralbrain.bids.entities import natural_key, to_label
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.query import DEFAULT_SURFACE, Query
from spectralbrain.bids.structures import CORTEX, VolumeStructure
from spectralbrain.errors import BIDSError

SIDES = {"L": "lh", "R": "rh"}
TEMPLATES = re.compile(r"fsaverage|[lr]h\.EC_average|cvs_avg35|V1_average")
# FastSurfer has no aparc unless asked; its annot is the .mapped one, with a symlink that copies may lose.
PARCELLATION_ORDER = ("aparc", "aparc.DKTatlas", "aparc.DKTatlas.mapped")
VOLUMES = (
    "aseg.mgz",
    "aseg.presurf.mgz",
    "aseg.auto.mgz",
    "aparc.DKTatlas+aseg.deep.mgz",
    "aseg.auto_noCCseg.mgz",
)
BASE_TIMEPOINTS = "base-tps"  # recon-all -base leaves this file in the template of a participant's runs
_LONG = re.compile(r"(?P<timepoint>.+)\.long\.(?P<base>.+)")
_BIDS_ID = re.compile(r"sub-(?P<sub>[0-9A-Za-z+]+)(?:_ses-(?P<ses>[0-9A-Za-z+]+))?")


@dataclass(frozen=True)
class Recon:
    """One folder of a SUBJECTS_DIR: whose it is, and the base template of a longitudinal run."""

    folder: Path
    subject: str
    session: str
    base: str = ""


def is_recon(folder: Path) -> bool:
    """Tell whether a folder looks like a reconstruction of FreeSurfer or FastSurfer."""
    return (folder / "surf").is_dir() or ((folder / "mri").is_dir() and (folder / "scripts").is_dir())


def identify(name: str, query: Query) -> tuple[str, str, str]:
    """Return participant, session and longitudinal base ('' if none) of a folder's name.

    Examples
    --------
    >>> identify("sub-01_ses-pre.long.sub-01", Query())
    ('01', 'pre', 'sub-01')
    >>> identify("CON_001", Query(mapping={"CON_001": ("01", "")}))
    ('01', '', '')
    """
    long_run = _LONG.fullmatch(name)
    own, base = (long_run["timepoint"], long_run["base"]) if long_run else (name, "")
    for key in (name, own):
        if key in query.mapping:
            return (*query.mapping[key], base)
    bids = _BIDS_ID.fullmatch(own)
    if bids:
        return bids["sub"], bids["ses"] or "", base
    return to_label(own), "", base


def scan(root: Path, dataset: str, query: Query) -> tuple[list[SurfaceInput], list[str]]:
    """Find cortical surfaces and aseg structures; return them and what was left out on purpose."""
    recons, skipped = _recons(root, query)
    surfaces = []
    for recon in recons:
        if CORTEX in query.structures.surfaces:
            surfaces += _cortex(recon, dataset, query)
        surfaces += volume_structures(recon, dataset, query.structures.volumes)
    return surfaces, skipped


def _recons(root: Path, query: Query) -> tuple[list[Recon], list[str]]:
    skipped, recons = [], []
    for folder in sorted(folders(root), key=lambda p: natural_key(p.name)):
        if TEMPLATES.match(folder.name):
            skipped.append(f"{folder.name}: a template of FreeSurfer, not a participant")
        elif not folder.name.startswith(".") and is_recon(folder):
            subject, session, base = identify(folder.name, query)
            if query.wants(subject, session):
                recons.append(Recon(folder, subject, session, base))
    kept, left = _choose_longitudinal(recons, query)
    _check_unique(kept)
    return kept, skipped + left


def _choose_longitudinal(recons: list[Recon], query: Query) -> tuple[list[Recon], list[str]]:
    bases = {recon.base for recon in recons if recon.base}
    bases |= {r.folder.name for r in recons if not r.base and (r.folder / BASE_TIMEPOINTS).exists()}
    by_subject: dict[str, bool] = defaultdict(bool)
    for recon in recons:
        by_subject[recon.subject] |= bool(recon.base)
    kept, skipped = [], []
    for recon in recons:
        name = recon.folder.name
        if name in bases:
            skipped.append(f"{name}: the template of longitudinal runs, not a session")
        elif query.longitudinal == "ignore" and recon.base:
            skipped.append(f"{name}: a longitudinal run (--longitudinal ignore)")
        elif query.longitudinal == "only" and not recon.base:
            skipped.append(f"{name}: not a longitudinal run (--longitudinal only)")
        elif query.longitudinal == "auto" and not recon.base and by_subject[recon.subject]:
            skipped.append(f"{name}: this participant has longitudinal runs, which are preferred")
        else:
            kept.append(recon)
    return kept, skipped


def _check_unique(recons: list[Recon]) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for recon in recons:
        key = (recon.subject, recon.session)
        if key in seen:
            raise BIDSError(
                f"{recon.folder.name} and {seen[key].name}: both would be participant {recon.subject!r}"
                f"{f', session {recon.session!r}' if recon.session else ''}; "
                "name them apart in a mapping file (--mapping-file)"
            )
        seen[key] = recon.folder


def _cortex(recon: Recon, dataset: str, query: Query) -> list[SurfaceInput]:
    surf = recon.folder / "surf"
    present = [path.name for path in surf.iterdir()] if surf.is_dir() else []
    wanted = query.wanted_surfaces
    if not any(name.startswith(("lh.", "rh.")) for name in present):
        records = absent(recon.subject, recon.session, dataset, wanted)
        return [replace(r, reconstruction="long" if recon.base else "") for r in records]
    return [_surface(recon, hemi, surface, dataset, query) for hemi in SIDES for surface in wanted]


def _surface(recon: Recon, hemi: str, surface: str, dataset: str, query: Query) -> SurfaceInput:
    side = SIDES[hemi]
    missing: list[str] = []
    surf, label = recon.folder / "surf", recon.folder / "label"
    # fMRIPrep adds ?h.midthickness (once ?h.graymid) to the folder, recon-all does not make one.
    names = (surface, "graymid") if surface == DEFAULT_SURFACE else (surface,)
    mesh = _first_existing([surf / f"{side}.{name}" for name in names], missing)
    white = pial = None
    if mesh is None and surface == DEFAULT_SURFACE:
        white = _first_existing([surf / f"{side}.white"], missing)
        pial = _first_existing([surf / f"{side}.pial", surf / f"{side}.pial.T1"], missing)
    if mesh is None and not (white and pial):
        missing.append(no_surface(surface, white is not None, pial is not None))
        white = pial = None
    mask = _first_existing([label / f"{side}.cortex.label"], missing)
    if mask is None:
        missing.append("no cortex mask")
    return SurfaceInput(
        *(recon.subject, recon.session, hemi, CORTEX, surface, dataset),
        reconstruction="long" if recon.base else "",
        mesh=mesh,
        white=white,
        pial=pial,
        mask=mask,
        parcellations=parcellations(label, side, query, missing),
        missing=tuple(missing),
    )


def _first_existing(paths: list[Path], missing: list[str]) -> Path | None:
    for path in paths:
        if path.is_file():
            return path
        if path.is_symlink():
            missing.append(f"{path.name} is a broken symlink")
    return None


def parcellations(label: Path, side: str, query: Query, missing: list[str]) -> tuple[tuple[str, Path], ...]:
    """Return the annotations asked for; by default the first of FreeSurfer's usual ones."""
    if query.parcellations is None:
        return ()
    if not query.parcellations:
        for name in PARCELLATION_ORDER:
            path = _first_existing([label / f"{side}.{name}.annot"], missing)
            if path:
                return ((name, path),)
        return ()
    found = []
    for name in query.parcellations:
        path = _first_existing([label / f"{side}.{name}.annot"], missing)
        if path:
            found.append((name, path))
        else:
            missing.append(no_parcellation(name))
    return tuple(found)


def volume_structures(
    recon: Recon, dataset: str, structures: tuple[VolumeStructure, ...]
) -> list[SurfaceInput]:
    """Return one record for each structure to extract from the label volume."""
    if not structures:
        return []
    missing: list[str] = []
    volume = _first_existing([recon.folder / "mri" / name for name in VOLUMES], missing)
    if volume is None:
        missing.append("no aseg volume")
    return [
        SurfaceInput(
            *(recon.subject, recon.session, s.hemisphere, s.label, "boundary", dataset),
            reconstruction="long" if recon.base else "",
            volume=volume,
            volume_labels=s.ids,
            missing=tuple(missing),
        )
        for s in structures
    ]
