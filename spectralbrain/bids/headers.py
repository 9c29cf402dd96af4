"""How many vertices a surface file announces, read from its first bytes only."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectralbrain.runtime import PathLike  # it would load NumPy, and --help must be quick


HEAD_BYTES = 65536
_FREESURFER_TRIANGLES = b"\xff\xff\xfe"
_GZIP = b"\x1f\x8b"
_GIFTI_ARRAY = re.compile(rb"<DataArray\b([^>]*)>", re.DOTALL)
_GIFTI_DIM0 = re.compile(rb"""\bDim0\s*=\s*["'](\d+)["']""")
_GIFTI_SIDE = re.compile(rb"AnatomicalStructurePrimary.{0,80}?(left|right)", re.DOTALL | re.IGNORECASE)
_TEXT_COUNTS = (
    re.compile(rb"^element\s+vertex\s+(\d+)", re.MULTILINE),  # .ply
    re.compile(rb"^POINTS\s+(\d+)", re.MULTILINE),  # .vtk
    re.compile(rb"\bNumberOfPoints\s*=\s*[\"'](\d+)[\"']"),  # .vtp
    re.compile(rb"\A(?:C|N|ST)*OFF\s+(?:#[^\n]*\n\s*)*(\d+)\s+\d+"),  # .off
)


def count_vertices(path: PathLike) -> int | None:
    """Return the number of vertices a surface file announces.

    Parameters
    ----------
    path : path-like
        FreeSurfer geometry or GIFTI (also gzipped), .ply, .vtk, .vtp or .off.

    Returns
    -------
    int or None
        None where the first 64 kB do not say (for example .obj and .stl), or the file cannot be
        read: this is for a table, the loader has the last word.

    Examples
    --------
    >>> count_vertices("/nowhere/lh.white") is None
    True
    """
    try:
        head = _head(Path(path))
    except (OSError, EOFError):
        return None
    if head.startswith(_FREESURFER_TRIANGLES):
        return _count_freesurfer(head)
    if b"<GIFTI" in head:
        return _count_gifti(head)
    for pattern in _TEXT_COUNTS:
        found = pattern.search(head)
        if found:
            return int(found.group(1))
    return None


def stated_hemisphere(path: PathLike) -> str:
    """Return the hemisphere that a GIFTI file says it is of.

    Parameters
    ----------
    path : path-like
        A surface.

    Returns
    -------
    str
        'L', 'R', or '' where it does not say, is of another format or cannot be read.

    Examples
    --------
    >>> stated_hemisphere("/nowhere/lh.white")
    ''
    """
    try:
        found = _GIFTI_SIDE.search(_head(Path(path)))
    except (OSError, EOFError):
        return ""
    return {b"l": "L", b"r": "R"}[found[1][:1].lower()] if found else ""


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(_GZIP):
        with gzip.open(path, "rb") as stream:
            head = stream.read(HEAD_BYTES)
    return head


def _count_freesurfer(head: bytes) -> int | None:
    # Magic, two lines of text ("created by ..." and an empty one), then two big-endian counts.
    start = head.find(b"\n\n", 3)
    if start < 0 or len(head) < start + 6:
        return None
    count: int = struct.unpack(">i", head[start + 2 : start + 6])[0]
    return count if count > 0 else None


def _count_gifti(head: bytes) -> int | None:
    for attributes in _GIFTI_ARRAY.findall(head):
        if b"NIFTI_INTENT_POINTSET" in attributes:
            found = _GIFTI_DIM0.search(attributes)
            return int(found.group(1)) if found else None
    return None
