"""Hippocampal and dentate surfaces of HippUnfold, versions 1 and 2."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from spectralbrain.bids._derivatives import Found, absent, folders, listing, subject_folders
from spectralbrain.bids.entities import HEMISPHERES, Name
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.query import Query
from spectralbrain.bids.structures import DENTATE, HIPPOCAMPUS

SPACES = ("T1w", "T2w", "corobl", "")  # by preference; unfold(ed) is a map, never a shape
DENSITIES_V1 = ("0p5mm", "1mm", "2mm")
DENSITIES_V2 = ("8k", "18k", "2k", "512", "native")  # native has no correspondence across subjects
DENSITIES = (*DENSITIES_V1, *DENSITIES_V2, "")
UNFOLDED = ("unfold", "unfolded")
SUBFIELDS = "subfields"


def locate(root: Path) -> Path:
    """Return the folder with the participants: version 1 puts them into ``hippunfold/``."""
    inner = root / "hippunfold"
    return inner if not folders(root, "sub-") and folders(inner, "sub-") else root


def version_of(density: str) -> str:
    """Tell the version of HippUnfold from its density labels, '' if they do not say.

    Examples
    --------
    >>> version_of("0p5mm"), version_of("8k")
    ('1', '2')
    """
    if density in DENSITIES_V1:
        return "1"
    return "2" if density in DENSITIES_V2 else ""


def scan(root: Path, dataset: str, query: Query) -> list[SurfaceInput]:
    """Find the hippocampal surfaces, in the best space and the usual density of each participant."""
    found: dict[str, list[SurfaceInput]] = defaultdict(list)
    sessions: dict[str, list[str]] = defaultdict(list)
    structures = [s for s in (HIPPOCAMPUS, DENTATE) if s in query.structures.surfaces]
    for subject, session, folder in subject_folders(locate(root), query):
        meshes, metrics = listing(folder / "surf"), listing(folder / "metric")
        sessions[subject].append(session)
        for structure in structures:
            found[subject] += _structure(subject, session, structure, meshes, metrics, dataset, query)
    for subject, seen in sessions.items():
        if not found[subject] and HIPPOCAMPUS in structures:  # so that it is seen to be missing
            session = seen[-1] if len(seen) == 2 else ""
            found[subject] = absent(subject, session, dataset, query.wanted_surfaces, HIPPOCAMPUS)
    return [surface for surfaces in found.values() for surface in surfaces]


def _structure(
    subject: str, session: str, structure: str, meshes: Found, metrics: Found, dataset: str, query: Query
) -> list[SurfaceInput]:
    groups: dict[tuple[str, str], dict[tuple[str, str], tuple[Name, Path]]] = defaultdict(dict)
    for name, path in meshes:
        if _is_candidate(name, structure, query):
            key = (name.entities.get("space", ""), name.entities.get("den", ""))
            groups[key][name.entities["hemi"], name.suffix] = (name, path)
    if not groups:
        return []
    space, density = min(groups, key=_preference)
    files = groups[space, density]
    wanted = ("midthickness",) if structure == DENTATE else query.wanted_surfaces
    result = []
    for hemi in HEMISPHERES:
        for surface in wanted:
            found = files.get((hemi, surface))
            broken = found is not None and not found[1].exists()
            missing = [f"{found[1].name} is a broken symlink"] if found and broken else []
            if found is None:
                missing.append(f"no {surface} surface")
            labels = dict(found[0].entities) if found else {}
            result.append(
                SurfaceInput(
                    *(subject, session or labels.get("ses", ""), hemi, structure, surface, dataset),
                    *(space, density),
                    *(labels.get("acq", ""), labels.get("rec", ""), labels.get("run", "")),
                    mesh=found[1] if found and not broken else None,
                    parcellations=_subfields([*meshes, *metrics], hemi, structure, density, query),
                    missing=tuple(missing),
                )
            )
    return result


def _is_candidate(name: Name, structure: str, query: Query) -> bool:
    space, density = name.entities.get("space", ""), name.entities.get("den", "")
    return (
        name.extension == ".surf.gii"
        and name.entities.get("label") == structure
        and name.entities.get("hemi") in HEMISPHERES
        and space not in UNFOLDED
        and (not query.density or density == query.density)
        and (not query.space or space == query.space)
        and query.accepts(name)
    )


def _preference(key: tuple[str, str]) -> tuple[int, int, str, str]:
    space, density = key
    return (
        SPACES.index(space) if space in SPACES else len(SPACES),
        DENSITIES.index(density) if density in DENSITIES else len(DENSITIES),
        *key,
    )


def _subfields(
    files: Found, hemi: str, structure: str, density: str, query: Query
) -> tuple[tuple[str, Path], ...]:
    if query.parcellations is None:
        return ()
    found: dict[str, Path] = {}
    for name, path in files:
        labels = name.entities
        atlas = labels.get("atlas", SUBFIELDS)
        fits = labels.get("hemi") == hemi and labels.get("label") == structure and name.suffix == SUBFIELDS
        wanted = (not query.parcellations or atlas in query.parcellations) and query.accepts(
            name, "parcellation"
        )
        if fits and wanted and labels.get("den", "") == density and path.exists():
            found.setdefault(atlas, path)
    return tuple(found.items())
