"""VTK's XML PolyData (.vtp): every encoding read, except foreign compressors; inline base64 written.

Uncompressed base64 is valid XML, is the same bytes whatever the compression library, and is faster
to write and to read than anything compressed. Source of the layout: VTK User's Guide, chapter
'VTK File Formats', and the VTK wiki page 'VTK XML Formats'.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import (
    as_int32,
    checked_mesh,
    expansion_limit,
    inflate,
    parse_numbers,
    read_content,
    require_triangles,
)
from spectralbrain.io._xml import parse_xml
from spectralbrain.runtime import Faces, Vertices

_TYPES = {
    "Int8": "i1",
    "UInt8": "u1",
    "Int16": "i2",
    "UInt16": "u2",
    "Int32": "i4",
    "UInt32": "u4",
    "Int64": "i8",
    "UInt64": "u8",
    "Float32": "f4",
    "Float64": "f8",
}
_APPENDED = re.compile(rb"<AppendedData\b[^>]*>\s*_")


@dataclass
class _Piece:
    counts: dict[str, str]
    arrays: dict[tuple[str, str], tuple[dict[str, str], bytes]] = field(default_factory=dict)


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write a mesh: float64 points, int32 cells, little-endian."""
    corners = as_int32(faces, "VTP", len(vertices))
    counts = f'NumberOfPoints="{len(vertices)}" NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0"'
    stream.write(
        b'<?xml version="1.0"?>\n'
        b'<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'
        b"<PolyData>\n" + f'<Piece {counts} NumberOfPolys="{len(faces)}">\n'.encode("ascii")
    )
    stream.write(b"<Points>\n")
    _write_array(stream, b'type="Float64" Name="Points" NumberOfComponents="3"', vertices, "<f8")
    stream.write(b"</Points>\n<Polys>\n")
    _write_array(stream, b'type="Int32" Name="connectivity"', corners, "<i4")
    ends = 3 * np.arange(1, len(faces) + 1)
    kind, dtype = (b"Int32", "<i4") if 3 * len(faces) < 2**31 else (b"Int64", "<i8")
    _write_array(stream, b'type="' + kind + b'" Name="offsets"', ends, dtype)
    stream.write(b"</Polys>\n</Piece>\n</PolyData>\n</VTKFile>\n")


def _write_array(stream: BinaryIO, attributes: bytes, values: Any, dtype: str) -> None:
    data = np.ascontiguousarray(values, dtype=dtype).tobytes()
    stream.write(b"<DataArray " + attributes + b' format="binary">\n')
    stream.write(binascii.b2a_base64(len(data).to_bytes(8, "little") + data))
    stream.write(b"</DataArray>\n")


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read the points and triangles of a file; data arrays, lines and single points are skipped."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated, hostile, not VTP, or holds something other than triangles.
    """
    start = content.find(b"<AppendedData")
    appended = _APPENDED.match(content, start) if start >= 0 else None
    document = _Document(path)
    parse_xml(
        content[: appended.end() - 1] if appended else content,
        path,
        start=document.start,
        end=document.end,
        data="DataArray",
        complete=appended is None,
    )
    if document.root.get("type") != "PolyData":
        raise FormatError(f"{path}: expected a VTKFile of type PolyData, found {document.root.get('type')!r}")
    decode = _Decoder(document, content[appended.end() :] if appended else b"", path)
    points, faces, n_points = [], [], 0
    for piece in document.pieces:
        vertices = decode(piece, "Points", None, np.float64).reshape(-1)
        if _count(piece, "NumberOfStrips", path):
            raise FormatError(f"{path}: VTP: expected triangles, found triangle strips")
        if len(vertices) != 3 * _count(piece, "NumberOfPoints", path):
            raise FormatError(f"{path}: VTP: NumberOfPoints does not fit the {len(vertices)} coordinates")
        points.append(vertices.reshape(-1, 3))
        n_faces = _count(piece, "NumberOfPolys", path)
        corners = _triangles(decode, piece, path) if n_faces else np.empty((0, 3), dtype=np.int64)
        if len(corners) != n_faces:
            raise FormatError(f"{path}: VTP: expected {n_faces} polygons, found {len(corners)}")
        checked_mesh(points[-1], corners, path) if n_faces else None
        faces.append(corners + n_points)
        n_points += len(points[-1])
    if not points:
        raise FormatError(f"{path}: VTP: no Piece: the file holds no surface")
    return checked_mesh(np.concatenate(points), np.concatenate(faces), path)


def _triangles(decode: _Decoder, piece: _Piece, path: Path) -> Any:
    offsets = decode(piece, "Polys", "offsets", np.int64)
    corners = decode(piece, "Polys", "connectivity", np.int64)
    require_triangles(np.diff(offsets, prepend=0), path)
    if len(corners) != 3 * len(offsets):
        raise FormatError(f"{path}: VTP: {len(corners)} corners do not fit {len(offsets)} triangles")
    return corners.reshape(-1, 3)


def _count(piece: _Piece, name: str, path: Path) -> int:
    text = piece.counts.get(name, "0").strip()
    if not text.isdecimal() or len(text) > 18:
        raise FormatError(f"{path}: VTP: {name}: expected a count, found {text[:40]!r}")
    return int(text)


class _Document:
    """Collect the arrays of interest while the XML is walked through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root: dict[str, str] = {}
        self.encoding = ""
        self.pieces: list[_Piece] = []
        self._section = ""
        self._array: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "VTKFile":
                self.root = attributes
            case "Piece":
                self.pieces.append(_Piece(attributes))
            case "AppendedData":
                self.encoding = attributes.get("encoding", "")
            case "DataArray":
                self._array = attributes
            case "Points" | "Verts" | "Lines" | "Strips" | "Polys" | "PointData" | "CellData" | "FieldData":
                self._section = name

    def end(self, name: str, text: Any) -> None:
        if name == "DataArray" and self._section in ("Points", "Polys") and self.pieces:
            key = self._section, "" if self._section == "Points" else self._array.get("Name", "")
            self.pieces[-1].arrays[key] = self._array, text


def _text_length(size: int) -> int:
    """Return how many base64 characters encode `size` bytes, padding included."""
    return 4 * -(-size // 3)


def _without_blanks(text: bytes) -> bytes:
    return b"".join(text.split())


class _Decoder:
    """Turn the text or the appended bytes of an array into numbers."""

    def __init__(self, document: _Document, appended: bytes, path: Path) -> None:
        self.path = path
        self.endian = ">" if document.root.get("byte_order") == "BigEndian" else "<"
        header = document.root.get("header_type", "UInt32")
        if header not in ("UInt32", "UInt64"):
            raise FormatError(f"{path}: VTP: header_type {header[:40]!r} is not supported")
        self.header = np.dtype(self.endian + _TYPES[header])
        compressor = document.root.get("compressor", "")
        if compressor not in ("", "vtkZLibDataCompressor"):
            raise FormatError(f"{path}: VTP: compressor {compressor[:40]!r} is not supported, only zlib is")
        self.compressed = bool(compressor)
        self.encoding = document.encoding
        if self.encoding == "base64":
            appended = _without_blanks(appended.partition(b"<")[0])
        self.appended = appended

    def __call__(self, piece: _Piece, section: str, name: str | None, want: Any) -> Any:
        attributes, text = piece.arrays.get((section, name or ""), ({}, b""))
        kind = attributes.get("type", "")
        if kind not in _TYPES:
            raise FormatError(
                f"{self.path}: VTP: {section} {name or 'array'}: missing, or of unknown type {kind!r}"
            )
        if (np.dtype(_TYPES[kind]).kind == "f") != (want is np.float64) and want is np.int64:
            raise FormatError(f"{self.path}: VTP: {section} {name}: expected integers, found {kind}")
        layout = attributes.get("format", "")
        if layout == "ascii":
            return parse_numbers(text, want, self.path, what=f"VTP {section}")
        if layout == "binary":
            data = self._decode(_without_blanks(text), base64_encoded=True)
        elif layout == "appended" and re.fullmatch(r"\d{1,18}", attributes.get("offset", "")):
            data = self._decode(
                self.appended[int(attributes["offset"]) :], base64_encoded=self.encoding == "base64"
            )
        else:
            raise FormatError(f"{self.path}: VTP: {section}: format {layout[:40]!r} is not supported")
        dtype = np.dtype(self.endian + _TYPES[kind])
        if len(data) % dtype.itemsize:
            raise FormatError(f"{self.path}: VTP: {section}: {len(data)} bytes are no whole number of {kind}")
        return np.frombuffer(data, dtype).astype(want) if data else np.empty(0, want)

    def _decode(self, data: bytes, *, base64_encoded: bool) -> bytes:
        size = self.header.itemsize
        if self.compressed:
            return self._decode_blocks(data, base64_encoded=base64_encoded)
        if not base64_encoded:
            (length,) = self._header(data, 1)
            return self._take(data[size:], length)
        (length,) = self._header(self._unbase64(data[: _text_length(size)]), 1)
        found = self._unbase64(data[: _text_length(size + length)])
        if len(found) == size and length:  # header and data encoded apart, as some writers do
            return self._take(self._unbase64(data[_text_length(size) :][: _text_length(length)]), length)
        return self._take(found[size:], length)

    def _decode_blocks(self, data: bytes, *, base64_encoded: bool) -> bytes:
        """Decompress: number of blocks, their size, the last one's size, compressed sizes, blocks."""
        size = self.header.itemsize
        head = self._unbase64(data[: _text_length(3 * size)]) if base64_encoded else data
        n_blocks, block_size, last_size = self._header(head, 3)
        if n_blocks > len(data) // size:
            raise FormatError(f"{self.path}: VTP: {n_blocks} blocks do not fit into the file")
        length = (3 + n_blocks) * size
        if base64_encoded:
            head, data = self._unbase64(data[: _text_length(length)]), data[_text_length(length) :]
        else:
            head, data = data[:length], data[length:]
        sizes = self._header(head, 3 + n_blocks)[3:]
        if base64_encoded:
            data = self._unbase64(data[: _text_length(sum(sizes))])
        return self._inflate_blocks(data, sizes, block_size, last_size)

    def _inflate_blocks(self, data: bytes, sizes: list[int], block_size: int, last_size: int) -> bytes:
        parts, offset, total = [], 0, 0
        limit = expansion_limit(len(data))
        for number, size in enumerate(sizes):
            expected = last_size if last_size and number == len(sizes) - 1 else block_size
            total += expected
            if total > limit:
                raise FormatError(f"{self.path}: VTP: {len(data)} compressed bytes declare {total} bytes")
            parts.append(inflate(self._take(data[offset : offset + size], size), expected, self.path))
            offset += size
        return b"".join(parts)

    def _header(self, data: bytes, count: int) -> list[int]:
        length = count * self.header.itemsize
        if len(data) < length:
            raise FormatError(f"{self.path}: VTP: an array ends inside its header: the file is truncated")
        return [int(n) for n in np.frombuffer(data, self.header, count)]

    def _take(self, data: bytes, length: int) -> bytes:
        if len(data) < length:
            raise FormatError(f"{self.path}: VTP: expected {length} bytes of data, found {len(data)}")
        return data[:length]

    def _unbase64(self, text: bytes) -> bytes:
        end = text.find(b"=")  # what follows the padding is another stream
        if end >= 0:
            text = text[: end + -end % 4]
        try:
            return base64.b64decode(text[: len(text) - len(text) % 4], validate=True)
        except binascii.Error as error:
            raise FormatError(f"{self.path}: VTP: damaged base64 ({error})") from error
