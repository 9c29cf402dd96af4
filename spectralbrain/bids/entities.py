"""BIDS names: taken apart in any entity order, put together in the standard's one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spectralbrain.errors import BIDSError

# The order of rules/entities.yaml of BIDS 1.11.1. `meas` is BEP017's (a draft), which puts it before desc.
ENTITY_ORDER = (
    *("sub", "tpl", "ses", "cohort", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc", "stain"),
    *("rec", "dir", "run", "mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split"),
    *("recording", "chunk", "atlas", "seg", "scale", "res", "den", "label", "meas", "desc"),
)
HEMISPHERES = ("L", "R")
LONG_NAMES = {
    "subject": "sub",
    "participant": "sub",
    "session": "ses",
    "acquisition": "acq",
    "reconstruction": "rec",
    "hemisphere": "hemi",
    "segmentation": "seg",
    "density": "den",
    "resolution": "res",
    "description": "desc",
}
_LABEL = re.compile(r"[0-9A-Za-z+]+")


@dataclass(frozen=True)
class Name:
    """A file name taken apart.

    Attributes
    ----------
    entities : dict
        Entity key to label, in the order found.
    suffix : str
        What follows the last underscore, without extension.
    extension : str
        From the first dot, e.g. ``.surf.gii``.
    """

    entities: Mapping[str, str]
    suffix: str
    extension: str


def parse_name(filename: str) -> Name:
    """Take a file name apart, whatever the order of its entities.

    Parameters
    ----------
    filename : str
        The last part of a path. A chunk that is not ``key-label`` before the suffix is ignored.

    Returns
    -------
    Name

    Examples
    --------
    >>> name = parse_name("sub-01_space-fsnative_hemi-L_midthickness.surf.gii")
    >>> name.entities["hemi"], name.suffix, name.extension
    ('L', 'midthickness', '.surf.gii')
    """
    stem, dot, rest = filename.partition(".")
    *chunks, suffix = stem.split("_")
    entities = {}
    for chunk in chunks:
        key, dash, label = chunk.partition("-")
        if dash and key and label:
            entities[key] = label
    return Name(entities, suffix, dot + rest)


def build_name(entities: Mapping[str, str], suffix: str, extension: str) -> str:
    """Put a file name together.

    Parameters
    ----------
    entities : mapping
        Entity key to label; empty labels are left out.
    suffix : str
        Alphanumeric.
    extension : str
        With its dot.

    Returns
    -------
    str
        The name, entities in the standard's order.

    Raises
    ------
    BIDSError
        If an entity is unknown, a label or the suffix has characters BIDS does not allow, `hemi`
        is neither L nor R, or the extension has no dot.

    Examples
    --------
    >>> build_name({"desc": "midthickness", "sub": "01", "hemi": "L", "label": "cortex"}, "hks", ".shape.gii")
    'sub-01_hemi-L_label-cortex_desc-midthickness_hks.shape.gii'
    """
    given = {key: label for key, label in entities.items() if label}
    unknown = sorted(set(given) - set(ENTITY_ORDER))
    if unknown:
        raise BIDSError(f"entities: expected keys of BIDS, found {', '.join(unknown)}")
    for key, label in given.items():
        if not _LABEL.fullmatch(label):
            raise BIDSError(f"entities[{key!r}]: expected letters, digits and '+', found {label!r}")
    if given.get("hemi", "L") not in HEMISPHERES:
        raise BIDSError(f"entities['hemi']: expected L or R, found {given['hemi']!r}")
    if not re.fullmatch(r"[0-9A-Za-z]+", suffix):
        raise BIDSError(f"suffix: expected letters and digits, found {suffix!r}")
    if not extension.startswith("."):
        raise BIDSError(f"extension: expected a leading dot, found {extension!r}")
    chunks = [f"{key}-{given[key]}" for key in ENTITY_ORDER if key in given]
    return "_".join([*chunks, suffix]) + extension


def to_label(text: str) -> str:
    """Turn any text into a legal label by dropping what BIDS does not allow.

    Parameters
    ----------
    text : str
        For example a FreeSurfer structure or a foreign participant id.

    Returns
    -------
    str

    Raises
    ------
    BIDSError
        If nothing is left.

    Examples
    --------
    >>> to_label("3rd-Ventricle"), to_label("aparc.a2009s")
    ('3rdVentricle', 'aparca2009s')
    """
    label = "".join(_LABEL.findall(text))
    if not label:
        raise BIDSError(f"label: expected at least one letter or digit, found {text!r}")
    return label


def strip_prefix(label: str, key: str) -> str:
    """Return a label without its ``key-``, which users write or leave out.

    Examples
    --------
    >>> strip_prefix("sub-01", "sub"), strip_prefix("01", "sub")
    ('01', '01')
    """
    return label.removeprefix(f"{key}-")


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which sub-2 comes before sub-10.

    Examples
    --------
    >>> sorted(["sub-10", "sub-2", "sub-1"], key=natural_key)
    ['sub-1', 'sub-2', 'sub-10']
    """
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(p), p) if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts)
