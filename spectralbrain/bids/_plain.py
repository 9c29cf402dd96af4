"""Surfaces in a plain folder, named by no convention."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from spectralbrain.bids.entities import HEMISPHERES, natural_key, parse_name, to_label
from spectralbrain.bids.headers import count_vertices
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.query import REFUSED_SURFACES, Query
from spectralbrain.bids.structures import CORTEX, DENTATE, HIPPOCAMPUS
from spectralbrain.errors import BIDSError

MESH_EXTENSIONS = (".surf.gii", ".surf.gii.gz", ".ply", ".obj", ".stl", ".vtk", ".vtp", ".off")
MAYBE_MESH_EXTENSIONS = (".gii", ".gii.gz")  # also maps and labels: only the content tells
MAX_DEPTH = 3
_HEMISPHERE_WORDS = {"lh": "L", "l": "L", "left": "L", "rh": "R", "r": "R", "right": "R"}
_SURFACE_WORDS = {
    **{word: word for word in ("white", "pial", "midthickness", "smoothwm", "inner", "outer", "graymid")},
    **{word: word for word in REFUSED_SURFACES},
    "mid": "midthickness",
    "infl": "inflated",
    "orig": "orig",
}
_NOT_MAPS = (".shape.gii", ".func.gii", ".label.gii", ".time.gii", ".coord.gii", ".topo.gii")


def scan(root: Path, dataset: str, query: Query) -> tuple[list[SurfaceInput], list[str]]:
    """Find surface files of any name; return them and what was left out on purpose."""
    surfaces: list[SurfaceInput] = []
    skipped: list[str] = []
    for path in _files(root):
        if not _is_mesh(path):
            continue
        record = _record(path, root, dataset)
        if record.surface in REFUSED_SURFACES:
            skipped.append(f"{path.relative_to(root)}: {record.surface} is a map of the brain, not its shape")
        elif query.surfaces and record.surface not in query.surfaces:
            skipped.append(f"{path.relative_to(root)}: {record.surface} was not asked for")
        elif (
            query.wants(record.subject, record.session)
            and record.structure in query.structures.surfaces
            and query.accepts(parse_name(path.name))
        ):
            surfaces.append(record)
    return _told_apart(surfaces), skipped


def _files(root: Path) -> list[Path]:
    found = []
    for folder, subfolders, names in os.walk(root, followlinks=False):
        depth = len(Path(folder).relative_to(root).parts)
        subfolders[:] = sorted(d for d in subfolders if not d.startswith(".") and depth < MAX_DEPTH)
        found += [Path(folder, name) for name in sorted(names, key=natural_key) if not name.startswith(".")]
    return found


def _is_mesh(path: Path) -> bool:
    name = path.name.lower()
    if name.endswith(_NOT_MAPS):
        return False
    if name.endswith(MESH_EXTENSIONS):
        return True
    if name.endswith(MAYBE_MESH_EXTENSIONS):
        return count_vertices(path) is not None
    # FreeSurfer geometry has no extension of its own (lh.white), so its magic number decides.
    bare = name.startswith(("lh.", "rh.")) or "." not in name
    return bare and count_vertices(path) is not None


def _record(path: Path, root: Path, dataset: str) -> SurfaceInput:
    name = parse_name(path.name)
    words = [w for w in re.split(r"[._\-\s]+", _stem(path)) if w]
    hemisphere = name.entities.get("hemi", "")
    if hemisphere not in HEMISPHERES:
        hemisphere = next((_HEMISPHERE_WORDS[w.lower()] for w in words if w.lower() in _HEMISPHERE_WORDS), "")
    surface = next((_SURFACE_WORDS[w.lower()] for w in words if w.lower() in _SURFACE_WORDS), "surface")
    structure = name.entities.get("label", CORTEX)
    subject = name.entities.get("sub") or _subject(words, path, root)
    missing = () if path.exists() else (f"{path.name} is a broken symlink",)
    return SurfaceInput(
        *(to_label(subject), name.entities.get("ses", ""), hemisphere),
        structure if structure in (HIPPOCAMPUS, DENTATE) else CORTEX,
        *(surface, dataset, name.entities.get("space", ""), name.entities.get("den", "")),
        mesh=path if not missing else None,
        mask=_mask_beside(path, hemisphere),
        missing=missing,
    )


def _stem(path: Path) -> str:
    name = path.name
    for extension in sorted((*MESH_EXTENSIONS, *MAYBE_MESH_EXTENSIONS), key=len, reverse=True):
        if name.lower().endswith(extension):
            return name[: -len(extension)]
    return name


def _subject(words: list[str], path: Path, root: Path) -> str:
    own = [w for w in words if w.lower() not in _HEMISPHERE_WORDS and w.lower() not in _SURFACE_WORDS]
    for candidate in ("".join(own), "".join(path.parent.relative_to(root).parts), root.resolve().name):
        try:
            return to_label(candidate)
        except BIDSError:
            continue
    return "01"


def _mask_beside(path: Path, hemisphere: str) -> Path | None:
    folder, side = path.parent, {"L": "lh", "R": "rh"}.get(hemisphere, "")
    prefix = path.name.rpartition("_")[0]
    candidates = [folder / f"{prefix}_desc-cortex_mask.label.gii", folder / f"{side}.cortex.label"]
    return next((c for c in candidates if c.is_file()), None)


def _told_apart(surfaces: list[SurfaceInput]) -> list[SurfaceInput]:
    """Give files that would share a name the label of their whole stem."""
    counts = Counter(_key(s) for s in surfaces)
    apart = [
        replace(s, subject=to_label(_stem(s.mesh))) if counts[_key(s)] > 1 and s.mesh else s for s in surfaces
    ]
    twice = [key for key, n in Counter(_key(s) for s in apart).items() if n > 1]
    if twice:
        files = [str(s.mesh) for s in apart if _key(s) == twice[0]]
        raise BIDSError(
            f"{' and '.join(files)}: both would be participant {twice[0][0]!r}; rename one of them"
        )
    return apart


def _key(s: SurfaceInput) -> tuple[str, ...]:
    return s.subject, s.session, s.hemisphere, s.structure, s.surface, s.space, s.density
