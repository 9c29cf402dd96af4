"""The structures of FreeSurfer's aseg whose boundary can be analysed, by name and by label id.

Ids are those of FreeSurferColorLUT.txt; the choice of structures is BrainPrint's (Wachinger 2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spectralbrain.bids.entities import to_label
from spectralbrain.errors import BIDSError

CORTEX = "cortex"
HIPPOCAMPUS = "hipp"
DENTATE = "dentate"
ASEG = "aseg"


@dataclass(frozen=True)
class VolumeStructure:
    """A structure of a label volume: its BIDS label, hemisphere ('' on the midline) and ids."""

    label: str
    hemisphere: str
    ids: tuple[int, ...]


def _pair(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> tuple[VolumeStructure, ...]:
    label = to_label(name)
    return VolumeStructure(label, "L", left), VolumeStructure(label, "R", right)


ASEG_STRUCTURES: tuple[VolumeStructure, ...] = (
    *_pair("Lateral-Ventricle", (4, 5, 31), (43, 44, 63)),
    *_pair("Cerebellum-Hemisphere", (7, 8), (46, 47)),
    *_pair("Thalamus", (10,), (49,)),
    *_pair("Caudate", (11,), (50,)),
    *_pair("Putamen", (12,), (51,)),
    *_pair("Pallidum", (13,), (52,)),
    *_pair("Hippocampus", (17,), (53,)),
    *_pair("Amygdala", (18,), (54,)),
    *_pair("Accumbens", (26,), (58,)),
    *_pair("VentralDC", (28,), (60,)),
    VolumeStructure("CorpusCallosum", "", (251, 252, 253, 254, 255)),
    VolumeStructure("Cerebellum", "", (7, 8, 16, 46, 47)),
    VolumeStructure(to_label("3rd-Ventricle"), "", (14,)),
    VolumeStructure(to_label("4th-Ventricle"), "", (15,)),
    VolumeStructure(to_label("Brain-Stem"), "", (16,)),
)
_SURFACE_NAMES = {
    "cortex": (CORTEX,),
    "hippocampus": (HIPPOCAMPUS,),
    "hipp": (HIPPOCAMPUS,),
    "dentate": (DENTATE,),
}


@dataclass(frozen=True)
class StructureChoice:
    """What to analyse.

    Attributes
    ----------
    surfaces : tuple of str
        Of 'cortex', 'hipp', 'dentate': structures that come as surfaces.
    volumes : tuple of VolumeStructure
        Structures to extract from a label volume.
    """

    surfaces: tuple[str, ...] = (CORTEX, HIPPOCAMPUS, DENTATE)
    volumes: tuple[VolumeStructure, ...] = ()


ALL_SURFACES = StructureChoice()


def choose_structures(names: Iterable[str]) -> StructureChoice:
    """Resolve the names a user gave.

    Parameters
    ----------
    names : iterable of str
        'cortex', 'hippocampus', 'dentate', 'aseg' (all of them) or single aseg structures such as
        'Thalamus', 'Brain-Stem', 'aseg:Hippocampus'. Nothing: every structure that comes as a surface.

    Returns
    -------
    StructureChoice

    Raises
    ------
    BIDSError
        If a name is unknown; the message lists the known ones.

    Examples
    --------
    >>> [v.hemisphere for v in choose_structures(["Thalamus"]).volumes]
    ['L', 'R']
    """
    names = list(names)
    if not names:
        return ALL_SURFACES
    surfaces: list[str] = []
    volumes: list[VolumeStructure] = []
    for name in names:
        if name.lower() in _SURFACE_NAMES:
            surfaces += _SURFACE_NAMES[name.lower()]
        elif name.lower() == ASEG:
            volumes += ASEG_STRUCTURES
        else:
            volumes += _aseg_structures(name)
    return StructureChoice(tuple(dict.fromkeys(surfaces)), tuple(dict.fromkeys(volumes)))


def _aseg_structures(name: str) -> list[VolumeStructure]:
    bare = name.removeprefix(f"{ASEG}:")
    wanted = "".join(c for c in bare if c.isalnum()).lower()
    found = [v for v in ASEG_STRUCTURES if v.label.lower() == wanted]
    if not found:
        known = [*dict.fromkeys(v.label for v in ASEG_STRUCTURES)]
        raise BIDSError(
            "structures: expected cortex, hippocampus, dentate, aseg or one of "
            f"{', '.join(known)}, found {name!r}"
        )
    return found
