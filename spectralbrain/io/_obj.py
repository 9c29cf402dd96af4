"""OBJ, the Wavefront text format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import checked_mesh, parse_numbers, read_content, require_whole_text
from spectralbrain.runtime import Faces, Vertices

# OBJ declares no counts, so a cut-off file looks whole; ours say how much there must be.
_COUNTS = b"# spectralbrain: %d vertices, %d faces\n"
_COUNTS_PATTERN = re.compile(rb"# spectralbrain: (\d{1,18}) vertices, (\d{1,18}) faces\r?\n")


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write a mesh; each coordinate as the shortest text that reads back to the same float64."""
    stream.write(_COUNTS % (len(vertices), len(faces)))
    text = ("v %r %r %r\n" * len(vertices)) % tuple(vertices.ravel().tolist())
    stream.write(text.encode("ascii"))
    text = ("f %d %d %d\n" * len(faces)) % tuple((faces + 1).ravel().tolist())
    stream.write(text.encode("ascii"))


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the vertices and triangles of a file; groups, normals, textures and colours are skipped."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is not OBJ, is cut off inside a line, or holds something other than triangles.
    """
    if b"\0" in content:
        raise FormatError(f"{path}: expected OBJ text, found binary data")
    require_whole_text(content, path)
    content = content.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").replace(b"\t", b" ")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = content.split(b"\n")
    if b"\n " in content or b" \n" in content or content[:1] == b" " or content[-1:] == b" ":
        lines = [line.strip() for line in lines]
    points = [line[2:] for line in lines if line[:2] == b"v "]
    corners = [line[2:] for line in lines if line[:2] == b"f "]
    if not points:
        raise FormatError(f"{path}: expected OBJ lines 'v x y z', found none")
    counts = _COUNTS_PATTERN.match(content)
    if counts and (int(counts[1]), int(counts[2])) != (len(points), len(corners)):
        raise FormatError(
            f"{path}: expected {int(counts[1])} vertices and {int(counts[2])} faces, "
            f"found {len(points)} and {len(corners)}: the file is truncated or edited"
        )
    if not counts and not corners:
        raise FormatError(f"{path}: expected OBJ lines 'f a b c', found none: not a surface, or truncated")
    vertices = _rows(points, np.float64, "OBJ vertex", path)
    if vertices.shape[1] not in (3, 4, 6, 7):  # x y z, then a weight, a colour, or both
        raise FormatError(f"{path}: OBJ vertex: expected 3 coordinates, found {vertices.shape[1]}")
    return checked_mesh(vertices[:, :3], _faces(corners, lines, path), path)


def _faces(corners: list[bytes], lines: list[bytes], path: Path) -> Any:
    if not corners:
        return np.empty((0, 3), dtype=np.int64)
    text = b"\n".join(corners)
    if b"/" in text:  # vertex/texture/normal
        corners = re.sub(rb"/[-\d/]*", b"", text).split(b"\n")
    faces = _rows(corners, np.int64, "OBJ face", path)
    if faces.shape[1] != 3:
        raise FormatError(
            f"{path}: expected triangles, found polygons of {faces.shape[1]} corners; "
            "triangulate the surface first"
        )
    if (faces == 0).any():
        raise FormatError(f"{path}: OBJ face: expected indices from 1, found 0")
    negative = faces < 0
    if negative.any():  # counted back from the last vertex above the line
        defined = np.cumsum([line[:2] == b"v " for line in lines])
        above = defined[[line[:2] == b"f " for line in lines]]
        faces = np.where(negative, faces + above[:, None] + 1, faces)
        if (faces < 1).any():
            raise FormatError(f"{path}: OBJ face: a relative index points before the first vertex")
    return faces - 1


def _rows(texts: list[bytes], dtype: Any, what: str, path: Path) -> Any:
    """Return the numbers of lines that must all have as many as the first."""
    width = len(texts[0].split())
    text = b"\n".join(texts)
    # the total alone would let a line with one too many hide one with too few
    for i in np.flatnonzero(_blanks_per_line(text) != width - 1).tolist():
        found = len(texts[i].split())
        if found != width:
            raise FormatError(f"{path}: {what} {i + 1}: expected {width} numbers, found {found}")
    return parse_numbers(text, dtype, path, what=what, count=width * len(texts)).reshape(-1, width)


def _blanks_per_line(text: bytes) -> Any:
    characters = np.frombuffer(text, dtype=np.uint8)
    ends = np.append(np.flatnonzero(characters == ord("\n")), len(characters))
    blanks = np.flatnonzero(characters == ord(" "))
    return np.diff(np.searchsorted(blanks, ends), prepend=0)
