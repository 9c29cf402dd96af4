"""OFF, the object file format of Geomview, as text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import checked_mesh, parse_numbers, read_content, require_whole_text
from spectralbrain.runtime import Faces, Vertices

_KEYWORD = re.compile(rb"\s*(?:(C?N?OFF)\b)?\s*")


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write a mesh; each coordinate as the shortest text that reads back to the same float64."""
    stream.write(f"OFF\n# spectralbrain\n{len(vertices)} {len(faces)} 0\n".encode("ascii"))
    text = ("%r %r %r\n" * len(vertices)) % tuple(vertices.ravel().tolist())
    stream.write(text.encode("ascii"))
    text = ("3 %d %d %d\n" * len(faces)) % tuple(faces.ravel().tolist())
    stream.write(text.encode("ascii"))


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the vertices and triangles of a file; colours and normals are skipped."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated, not OFF, or holds something other than triangles.
    """
    require_whole_text(content, path)
    text = re.sub(rb"#[^\r\n]*", b"", content) if b"#" in content else content
    keyword = _KEYWORD.match(text)
    if keyword is None or keyword[1] is None or b"\0" in text[:4096]:
        raise FormatError(f"{path}: expected OFF text, found something else")
    lines = [line for line in map(bytes.strip, text[keyword.end() :].splitlines()) if line]
    counts = parse_numbers(lines[0] if lines else b"", np.int64, path, what="OFF counts")
    if len(counts) not in (2, 3) or (counts < 0).any():
        raise FormatError(f"{path}: OFF: expected the numbers of vertices, faces and edges")
    n_vertices, n_faces = int(counts[0]), int(counts[1])
    if n_vertices + n_faces > len(lines) - 1:
        raise FormatError(
            f"{path}: OFF: expected {n_vertices} vertices and {n_faces} faces, found {len(lines) - 1} lines"
        )
    points = _columns(lines[1 : 1 + n_vertices], 3, np.float64, "OFF vertex", path)
    corners = _columns(lines[1 + n_vertices : 1 + n_vertices + n_faces], 4, np.int64, "OFF face", path)
    wrong = int((corners[:, 0] != 3).sum())
    if wrong:
        raise FormatError(
            f"{path}: expected triangles, found {wrong} other polygons; triangulate the surface first"
        )
    return checked_mesh(points, corners[:, 1:], path)


def _columns(lines: list[bytes], width: int, dtype: type, what: str, path: Path) -> Any:
    """Return the first `width` numbers of each line."""
    if not lines:
        return np.empty((0, width), dtype)
    if all(line.count(b" ") == width - 1 for line in lines):
        text = b"\n".join(lines)
        return parse_numbers(text, dtype, path, what=what, count=width * len(lines)).reshape(-1, width)
    rows = [line.split(None, width)[:width] for line in lines]
    short = next((i for i, row in enumerate(rows) if len(row) < width), None)
    if short is not None:
        raise FormatError(f"{path}: {what} {short + 1}: expected {width} numbers, found {len(rows[short])}")
    text = b" ".join([b" ".join(row) for row in rows])
    numbers = parse_numbers(text, dtype, path, what=what, count=width * len(lines))
    return numbers.reshape(-1, width)
