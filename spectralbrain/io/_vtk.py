"""Legacy VTK, versions 1 to 5.1: PolyData and triangles of unstructured grids read; binary 4.2 written.

Version 4.2 is what VTK 9 and readers much older than it understand; version 5 stores cells in
another way, which many programs of the field cannot read. Source of the layout: VTK User's Guide,
chapter 'VTK File Formats'.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import (
    as_int32,
    checked_mesh,
    parse_numbers,
    read_content,
    require_triangles,
    require_whole_text,
)
from spectralbrain.runtime import Faces, Vertices

_TYPES = {
    "char": "i1",
    "signed_char": "i1",
    "unsigned_char": "u1",
    "short": "i2",
    "unsigned_short": "u2",
    "int": "i4",
    "unsigned_int": "u4",
    "long": "i8",
    "unsigned_long": "u8",
    "float": "f4",
    "double": "f8",
    "vtkidtype": "i4",
    "vtktypeint64": "i8",
    "vtktypeint32": "i4",
    "vtktypeuint64": "u8",
}
_NEXT_KEYWORD = re.compile(rb"\n[ \t]*[A-Za-z]")  # a line of its own
_CELLS = ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS", "CELLS")
DATASETS = {"polydata": "POLYGONS", "unstructured_grid": "CELLS"}  # and what they call their triangles
_TRIANGLE_CELL = 5
_END = ("POINT_DATA", "CELL_DATA")


def write(stream: BinaryIO, vertices: Vertices, faces: Faces, *, vtk_dataset: str = "polydata") -> None:
    """Write a mesh: float64 coordinates and int32 indices, big-endian as the format wants it."""
    table = np.full((len(faces), 4), 3, dtype=">i4")
    table[:, 1:] = as_int32(faces, "VTK", len(vertices))
    stream.write(b"# vtk DataFile Version 4.2\nspectralbrain surface\nBINARY\n")
    stream.write(f"DATASET {vtk_dataset.upper()}\nPOINTS {len(vertices)} double\n".encode("ascii"))
    stream.write(vertices.astype(">f8").data)
    stream.write(f"\n{DATASETS[vtk_dataset]} {len(faces)} {4 * len(faces)}\n".encode("ascii"))
    stream.write(table.data)
    if DATASETS[vtk_dataset] == "CELLS":
        stream.write(f"\nCELL_TYPES {len(faces)}\n".encode("ascii"))
        stream.write(np.full(len(faces), _TRIANGLE_CELL, dtype=">i4").data)
    stream.write(b"\n")


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the points and triangles of a file; its data arrays, lines and single points are skipped."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated, not legacy VTK PolyData, or holds something other than triangles.
    """
    require_whole_text(content, path)
    cursor = _Cursor(content, path)
    points: Any = None
    faces: Any = None
    while line := cursor.line():
        match line.split():
            case ["POINTS", count, kind]:
                points = cursor.numbers(3 * cursor.count(count), kind)
            case [name, count, size] if name in _CELLS:
                found = cursor.cells(cursor.count(count), cursor.count(size), name in DATASETS.values())
                if name in DATASETS.values():
                    faces = found
                elif name == "TRIANGLE_STRIPS" and int(count):
                    raise FormatError(f"{path}: VTK: expected triangles, found triangle strips")
            case ["CELL_TYPES", count]:
                if (cursor.numbers(cursor.count(count), "int") != _TRIANGLE_CELL).any():
                    raise FormatError(f"{path}: VTK: expected triangles, found other cells")
            case ["FIELD", _, count]:
                cursor.skip_fields(cursor.count(count))
            case ["METADATA"]:
                cursor.skip_metadata()
            case [name, *_] if name in _END:
                break
            case _:
                raise FormatError(
                    f"{path}: VTK: cannot read {line[:60]!r}: damaged, or not triangle PolyData"
                )
    if points is None or faces is None:
        missing = "POINTS" if points is None else "POLYGONS"
        raise FormatError(f"{path}: VTK: no {missing}: the file is truncated or holds no surface")
    return checked_mesh(points, faces, path)


class _Cursor:
    """A position in a legacy VTK file."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content, self.path, self.position = content, path, 0
        magic, _, layout, dataset = (self.line(blank=True) for _ in range(4))
        self.ascii = layout.strip().upper() == "ASCII"
        self.version = re.match(r"# vtk DataFile Version (\d+)\.", magic)
        if self.version is None or layout.strip().upper() not in ("ASCII", "BINARY"):
            raise FormatError(f"{path}: expected a legacy VTK header, found something else")
        if dataset.split() not in (["DATASET", "POLYDATA"], ["DATASET", "UNSTRUCTURED_GRID"]):
            raise FormatError(f"{path}: VTK: expected DATASET POLYDATA, found {dataset[:60]!r}")

    def line(self, *, blank: bool = False) -> str:
        """Return the next line, by default the next that is not blank; '' at the end."""
        while self.position < len(self.content):
            end = self.content.find(b"\n", self.position)
            end = len(self.content) if end < 0 else end
            line = self.content[self.position : end].decode("latin-1").strip()
            self.position = end + 1
            if line or blank:
                return line
        return ""

    def count(self, text: str) -> int:
        if not text.isdecimal() or len(text) > 18:
            raise FormatError(f"{self.path}: VTK: expected a count, found {text[:40]!r}")
        return int(text)

    def numbers(self, count: int, kind: str) -> Any:
        if kind.lower() not in _TYPES:
            raise FormatError(f"{self.path}: VTK: type {kind[:40]!r} is not supported")
        dtype = np.dtype(_TYPES[kind.lower()]).newbyteorder(">")
        left = len(self.content) - self.position
        if count > (left // 2 + 1 if self.ascii else left // dtype.itemsize):
            raise FormatError(
                f"{self.path}: VTK: {count} numbers do not fit: the file is truncated or damaged"
            )
        start = self.position
        if not self.ascii:
            self.position += count * dtype.itemsize
            return np.frombuffer(self.content, dtype, count, start) if count else np.empty(0, dtype)
        keyword = _NEXT_KEYWORD.search(self.content, max(start - 1, 0)) if count else None
        self.position = start if not count else keyword.start() + 1 if keyword else len(self.content)
        want = np.int64 if dtype.kind in "iu" else np.float64
        return parse_numbers(self.content[start : self.position], want, self.path, what="VTK", count=count)

    def cells(self, count: int, size: int, triangles: bool) -> Any:
        if self.version is not None and int(self.version[1]) >= 5:
            return self._cells_of_version_5(count, size, triangles)
        table = self.numbers(size, "int")
        if not triangles:
            return None
        if size != 4 * count:
            raise FormatError(
                f"{self.path}: expected triangles, found {count} polygons of {size - count} corners; "
                "triangulate the surface first"
            )
        table = table.reshape(-1, 4)
        require_triangles(table[:, 0], self.path)
        return table[:, 1:]

    def _cells_of_version_5(self, count: int, size: int, triangles: bool) -> Any:
        arrays = []
        for keyword, length in (("OFFSETS", count), ("CONNECTIVITY", size)):
            words = self.line().split()
            if len(words) != 2 or words[0] != keyword:
                raise FormatError(f"{self.path}: VTK: expected {keyword} and a type")
            arrays.append(self.numbers(length, words[1]))
        offsets, corners = arrays
        if not triangles or count < 2:
            return np.empty((0, 3), dtype=np.int64)
        require_triangles(np.diff(offsets.astype(np.int64)), self.path)
        if offsets[0] != 0 or offsets[-1] != size:
            raise FormatError(f"{self.path}: VTK: OFFSETS do not fit CONNECTIVITY")
        return corners.reshape(-1, 3)

    def skip_fields(self, count: int) -> None:
        for _ in range(count):
            words = self.line().split()
            if not words:
                raise FormatError(f"{self.path}: VTK: a FIELD ends too early: the file is truncated")
            if len(words) != 4:
                raise FormatError(f"{self.path}: VTK: cannot read a field array's header")
            self.numbers(self.count(words[1]) * self.count(words[2]), words[3])
            if self.content[self.position : self.position + 64].lstrip()[:8] == b"METADATA":
                self.line()
                self.skip_metadata()

    def skip_metadata(self) -> None:
        while self.line(blank=True):
            pass
