"""PLY, the Stanford polygon format: binary or ASCII read, binary little-endian written."""

from __future__ import annotations

from dataclasses import dataclass, field
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
)
from spectralbrain.runtime import Faces, Vertices

_TYPES = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
_ENDIAN = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": ""}
_INDEX_NAMES = ("vertex_indices", "vertex_index")
_LONGEST_LIST = 2**16  # a longer one fails the comparison with its own count


@dataclass
class _Element:
    name: str
    count: int
    # (property name, type of the list's length or '', type of the values)
    properties: list[tuple[str, str, str]] = field(default_factory=list)


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write a mesh: float64 coordinates, int32 indices."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(vertices)}\n"
        "property double x\nproperty double y\nproperty double z\n"
        f"element face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    rows["count"] = 3
    rows["corners"] = as_int32(faces, "PLY", len(vertices))
    stream.write(header.encode("ascii"))
    stream.write(np.ascontiguousarray(vertices, dtype="<f8").data)
    stream.write(rows.view(np.uint8).data)


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the vertices and triangles of a file; other elements and properties are skipped."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated, not PLY, or holds something other than triangles.
    """
    elements, layout, body = _header(content, path)
    parser = _parse_ascii if layout == "ascii" else _parse_binary
    tables = parser(body, elements, _ENDIAN[layout], path)
    vertex = tables.get("vertex", {})
    missing = [axis for axis in "xyz" if axis not in vertex or vertex[axis].ndim != 1]
    if missing:
        raise FormatError(f"{path}: PLY: element vertex has no property {', '.join(missing)}")
    faces = np.empty((0, 3), dtype=np.int64)
    if tables.get("tristrips"):
        raise FormatError(f"{path}: PLY: expected faces, found triangle strips")
    if "face" in tables:
        lists = {name for name, values in tables["face"].items() if values.ndim == 2}
        names = [name for name in _INDEX_NAMES if name in lists]
        if not names:
            raise FormatError(f"{path}: PLY: element face has no list vertex_indices")
        faces = tables["face"][names[0]]
    return checked_mesh(np.column_stack([vertex[axis] for axis in "xyz"]), faces, path)


def _header(content: bytes, path: Path) -> tuple[list[_Element], str, bytes]:
    end = content.find(b"end_header")
    newline = content.find(b"\n", end)
    if not content.startswith((b"ply\n", b"ply\r")) or end < 0 or newline < 0:
        raise FormatError(f"{path}: expected a PLY header, found none that is complete")
    elements: list[_Element] = []
    layout = ""
    for line in content[:end].decode("ascii", "replace").splitlines()[1:]:
        match line.split():
            case ["format", name, _]:
                layout = name
            case ["element", name, count] if count.isdecimal() and len(count) <= 18:
                elements.append(_Element(name, int(count)))
            case ["property", "list", size, value, name] if elements and {size, value} <= _TYPES.keys():
                elements[-1].properties.append((name, _TYPES[size], _TYPES[value]))
                if _TYPES[size][0] == "f":
                    raise FormatError(f"{path}: PLY: list {name} has a length of type {size}")
            case ["property", value, name] if elements and value in _TYPES:
                elements[-1].properties.append((name, "", _TYPES[value]))
            case [] | ["comment" | "obj_info", *_]:
                pass
            case _:
                raise FormatError(f"{path}: PLY: cannot read the header line {line[:80]!r}")
    if layout not in _ENDIAN:
        raise FormatError(f"{path}: PLY: unknown format {layout[:80]!r}")
    return elements, layout, content[newline + 1 :]


def _parse_binary(
    body: bytes, elements: list[_Element], endian: str, path: Path
) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    offset = 0
    for element in elements:
        sizes = _list_sizes(body, offset, element, endian)
        fields: list[Any] = []
        for number, (_, size, value) in enumerate(element.properties):
            if size:
                fields.append((f"n{number}", endian + size))
            fields.append((f"p{number}", endian + value, (sizes[number],) if size else ()))
        dtype = np.dtype(fields)
        if element.count and (dtype.itemsize == 0 or element.count > (len(body) - offset) // dtype.itemsize):
            raise FormatError(
                f"{path}: PLY: {element.count} of element {element.name} do not fit into the file"
            )
        rows = np.frombuffer(body, dtype, element.count, offset) if element.count else np.empty(0, dtype)
        offset += rows.nbytes
        table = tables[element.name] = {}
        for number, (name, size, _) in enumerate(element.properties):
            if size:
                _check_lists(rows[f"n{number}"], sizes[number], element.name, name, path)
            table[name] = rows[f"p{number}"]
        if element.name == "face":
            break
    return tables


def _list_sizes(body: bytes, offset: int, element: _Element, endian: str) -> dict[int, int]:
    """Return the length of each list property in the element's first row."""
    sizes = {}
    for number, (_, size, value) in enumerate(element.properties):
        if size and element.count:
            dtype = np.dtype(endian + size)
            left = body[offset : offset + dtype.itemsize]
            length = int(np.frombuffer(left, dtype)[0]) if len(left) == dtype.itemsize else 0
            sizes[number] = max(0, min(length, _LONGEST_LIST))
            offset += dtype.itemsize + sizes[number] * np.dtype(value).itemsize
        else:
            sizes[number] = 0
            offset += np.dtype(value).itemsize
    return sizes


def _check_lists(counts: Any, expected: int, element: str, name: str, path: Path) -> None:
    if element == "face" and name in _INDEX_NAMES:
        require_triangles(counts, path)
    elif (counts != expected).any():
        raise FormatError(f"{path}: PLY: lists {name} of element {element} differ in length: not supported")


def _parse_ascii(body: bytes, elements: list[_Element], _: str, path: Path) -> dict[str, dict[str, Any]]:
    numbers = parse_numbers(body, np.float64, path, what="PLY body")
    tables: dict[str, dict[str, Any]] = {}
    for element in elements:
        table = tables[element.name] = {}
        position, columns = 0, []
        for name, size, _value in element.properties:
            length = 1
            if size:
                first = numbers[position] if element.count and position < len(numbers) else 0
                length = int(first) if 0 <= first <= _LONGEST_LIST else 0
                columns.append((name, position, position + 1 + length, True))
                position += 1 + length
            else:
                columns.append((name, position, position + 1, False))
                position += 1
        if element.count * max(position, 1) > len(numbers):
            raise FormatError(
                f"{path}: PLY: {element.count} of element {element.name} do not fit into the file"
            )
        rows = numbers[: element.count * position].reshape(element.count, position)
        numbers = numbers[element.count * position :]
        for name, start, stop, is_list in columns:
            if is_list:
                _check_lists(rows[:, start], stop - start - 1, element.name, name, path)
            table[name] = rows[:, start + 1 : stop] if is_list else rows[:, start]
        if element.name == "face":
            break
    return tables
