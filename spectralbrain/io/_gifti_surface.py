"""GIFTI surfaces (.surf.gii): float32 coordinates and int32 triangles."""

from __future__ import annotations

import binascii
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import as_float32, as_int32, checked_mesh, read_content
from spectralbrain.io._gifti_xml import DataArray, GiftiFile, parse_gifti
from spectralbrain.runtime import Faces, Vertices

STRUCTURE_PRIMARY = "AnatomicalStructurePrimary"
STRUCTURE_SECONDARY = "AnatomicalStructureSecondary"
GEOMETRIC_TYPE = "GeometricType"
SPACE_UNKNOWN = "NIFTI_XFORM_UNKNOWN"

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/115/gifti.dtd">\n'
    '<GIFTI Version="1.0" NumberOfDataArrays="2">\n<MetaData/>\n<LabelTable/>\n'
)
_ARRAY = (
    '<DataArray Intent="NIFTI_INTENT_{intent}" DataType="NIFTI_TYPE_{kind}" '
    'ArrayIndexingOrder="RowMajorOrder" Dimensionality="2" Dim0="{rows}" Dim1="3" '
    'Encoding="GZipBase64Binary" Endian="LittleEndian" '
    'ExternalFileName="" ExternalFileOffset="">\n'
)
_SYSTEM = (
    "<CoordinateSystemTransformMatrix>\n<DataSpace><![CDATA[{space}]]></DataSpace>\n"
    "<TransformedSpace><![CDATA[{space}]]></TransformedSpace>\n"
    "<MatrixData>\n1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n</MatrixData>\n</CoordinateSystemTransformMatrix>\n"
)


def write(
    stream: BinaryIO,
    vertices: Vertices,
    faces: Faces,
    *,
    structure: str | None = None,
    secondary: str | None = None,
    geometric_type: str | None = None,
    space: str = SPACE_UNKNOWN,
) -> None:
    """Write a mesh as exactly two data arrays, POINTSET and TRIANGLE, as Workbench expects.

    Parameters
    ----------
    stream : binary stream
    vertices : (N, 3) array, mm
    faces : (F, 3) array of int
    structure, secondary, geometric_type : str, optional
        Workbench's names, for example 'CortexLeft', 'MidThickness', 'Anatomical'.
    space : str
        Code of the coordinates' space, for example 'NIFTI_XFORM_SCANNER_ANAT'. FreeSurfer takes
        other codes for surface coordinates (tkRAS).

    Raises
    ------
    ArrayError
        If a coordinate exceeds float32, or there are more vertices than int32 can number.
    """
    points = as_float32(vertices, "GIFTI")
    triangles = as_int32(faces, "GIFTI", len(vertices))
    meta = {STRUCTURE_PRIMARY: structure, STRUCTURE_SECONDARY: secondary, GEOMETRIC_TYPE: geometric_type}
    stream.write(_HEAD.encode("ascii"))
    stream.write(_ARRAY.format(intent="POINTSET", kind="FLOAT32", rows=len(points)).encode("ascii"))
    stream.write(_metadata({key: value for key, value in meta.items() if value}))
    stream.write(_SYSTEM.format(space=escape(space)).encode("utf-8"))
    _write_data(stream, points.astype("<f4", copy=False))
    stream.write(_ARRAY.format(intent="TRIANGLE", kind="INT32", rows=len(triangles)).encode("ascii"))
    stream.write(_metadata({}))
    _write_data(stream, triangles.astype("<i4", copy=False))
    stream.write(b"</GIFTI>\n")


def _metadata(items: dict[str, str]) -> bytes:
    lines = [f"<MD><Name>{escape(k)}</Name><Value>{escape(v)}</Value></MD>\n" for k, v in items.items()]
    return ("<MetaData>\n" + "".join(lines) + "</MetaData>\n" if lines else "<MetaData/>\n").encode("utf-8")


def _write_data(stream: BinaryIO, values: Any) -> None:
    import deflate

    stream.write(b"<Data>")
    compressed = deflate.zlib_compress(np.ascontiguousarray(values).tobytes(), 6)
    stream.write(binascii.b2a_base64(compressed, newline=False))
    stream.write(b"</Data>\n</DataArray>\n")


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh, coordinates as they are stored: a transform in the file is not applied."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated, hostile or not GIFTI, or does not hold exactly one surface.
    """
    gifti = parse_gifti(content, path)
    points, triangles = _single(gifti, "POINTSET", path), _single(gifti, "TRIANGLE", path)
    return checked_mesh(points.data, triangles.data, path)


def _single(gifti: GiftiFile, intent: str, path: Path) -> DataArray:
    found = gifti.with_intent(intent)
    if len(found) != 1:
        held = sorted({array.intent for array in gifti.arrays})
        raise FormatError(
            f"{path}: expected a GIFTI surface with one {intent} array, found {len(found)} "
            f"among {len(gifti.arrays)} arrays of {', '.join(held) or 'no intent'}"
        )
    array = found[0]
    if array.data.ndim != 2 or array.data.shape[1] != 3:
        raise FormatError(f"{path}: GIFTI {intent}: expected shape (n, 3), found {array.data.shape}")
    return array
