"""STL, triangles without shared vertices: binary or ASCII read, binary written.

STL keeps float32 and three corners per triangle, nothing else. Vertices that no triangle uses are
lost, vertices with equal float32 coordinates become one, and a reader numbers vertices by their
first use. Faces keep their order and orientation.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import as_float32, checked_mesh, parse_numbers, read_content
from spectralbrain.runtime import Faces, Vertices

_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER_SIZE = 84


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write the triangles, with unit normals by the right-hand rule (zero where degenerate)."""
    facets = np.zeros(len(faces), dtype=_FACET)
    corners = as_float32(vertices, "STL")[faces]
    facets["corners"] = corners
    a, b, c = (corners[:, i].astype(np.float64) for i in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    facets["normal"] = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    # the header must not begin with 'solid', by which readers know ASCII files
    stream.write(b"binary STL, spectralbrain".ljust(80) + len(faces).to_bytes(4, "little"))
    stream.write(facets.tobytes())


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the triangles of a file; corners with equal coordinates become one vertex."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated or not STL.
    """
    if content[:512].lstrip().startswith(b"solid") and b"\0" not in content[:_HEADER_SIZE]:
        corners = _ascii_corners(content, path)
    else:
        count = int.from_bytes(content[80:_HEADER_SIZE], "little")
        if len(content) < _HEADER_SIZE or len(content) - _HEADER_SIZE != count * _FACET.itemsize:
            raise FormatError(
                f"{path}: expected a binary STL file of {_HEADER_SIZE + 50 * count} bytes, "
                f"found {len(content)}"
            )
        facets = np.frombuffer(content, _FACET, count, _HEADER_SIZE) if count else np.empty(0, _FACET)
        corners = facets["corners"].reshape(-1, 3)
    if not np.isfinite(corners).all():
        raise FormatError(f"{path}: STL: coordinates are not finite")
    return checked_mesh(*_merge(corners), path)


def _ascii_corners(content: bytes, path: Path) -> Any:
    corners = re.findall(rb"(?m)^\s*vertex\s+(\S+[ \t]+\S+[ \t]+\S+)\s*$", content)
    loops = len(re.findall(rb"(?m)^\s*outer\s+loop\b", content))
    closed = len(re.findall(rb"(?m)^\s*endfacet\b", content))
    if len(corners) != 3 * loops or loops != closed or not re.search(rb"(?m)^\s*endsolid\b", content):
        raise FormatError(
            f"{path}: STL: expected three vertices in each of {loops} closed facets and 'endsolid', "
            f"found {len(corners)} vertices and {closed} closed facets"
        )
    numbers = parse_numbers(b"\n".join(corners), np.float64, path, what="STL vertex", count=3 * len(corners))
    return numbers.reshape(-1, 3)


def _merge(corners: Any) -> tuple[Any, Any]:
    """Number distinct coordinates by their first use."""
    values = np.ascontiguousarray(corners + 0.0)  # -0.0 becomes 0.0: they are the same place
    keys = np.zeros(len(values), dtype=np.uint64)
    for axis in values.view(f"u{values.itemsize}").T:
        keys = (keys ^ axis) * _ODD
        keys ^= keys >> np.uint64(29)
    first, place = _distinct(keys)
    if (values[first][place] != values).any():  # two places with one key: made to be
        first, place = _distinct(values)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return values[first[order]], rank[place].reshape(-1, 3)


_ODD = np.uint64(0x9E3779B97F4A7C15)  # of 64 mixed bits, so that the product depends on all below


def _distinct(keys: Any) -> tuple[Any, Any]:
    """Return where each distinct row stands first, and which of them every row is."""
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return first, place.reshape(-1)
