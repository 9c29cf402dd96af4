"""Read any GIFTI file: data arrays with their intents, label table, metadata.

An own parser rather than nibabel's, because files come from strangers: entities, data in other
files and compression bombs are refused, and nothing larger than the file deserves is allocated.
Source: GIFTI Surface Data Format, version 1.0 (19 January 2011).
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._content import inflate, parse_numbers
from spectralbrain.io._xml import parse_xml

_TYPES = {
    "NIFTI_TYPE_UINT8": "u1",
    "NIFTI_TYPE_INT32": "i4",
    "NIFTI_TYPE_FLOAT32": "f4",
    # not in the standard, but written by programs of the field
    "NIFTI_TYPE_INT8": "i1",
    "NIFTI_TYPE_INT16": "i2",
    "NIFTI_TYPE_INT64": "i8",
    "NIFTI_TYPE_UINT16": "u2",
    "NIFTI_TYPE_UINT32": "u4",
    "NIFTI_TYPE_UINT64": "u8",
    "NIFTI_TYPE_FLOAT64": "f8",
}
_ENDIAN = {"LittleEndian": "<", "BigEndian": ">"}


@dataclass(frozen=True, eq=False)
class CoordinateSystem:
    """A coordinate transform of a POINTSET, as the file states it; nothing here applies it."""

    dataspace: str
    xformspace: str
    matrix: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DataArray:
    """One data array of a GIFTI file."""

    intent: str
    data: npt.NDArray[Any]
    meta: dict[str, str]
    coordinate_systems: tuple[CoordinateSystem, ...] = ()

    @property
    def name(self) -> str:
        """The map's name; '' if it has none."""
        return self.meta.get("Name", "")


@dataclass(frozen=True, eq=False)
class GiftiFile:
    """What a GIFTI file holds."""

    arrays: tuple[DataArray, ...]
    meta: dict[str, str]
    labels: dict[int, str]
    colours: dict[int, tuple[float, float, float, float]]

    def with_intent(self, *intents: str) -> list[DataArray]:
        """Return the arrays of these intents, given without their prefix NIFTI_INTENT_."""
        wanted = {f"NIFTI_INTENT_{intent}" for intent in intents}
        return [array for array in self.arrays if array.intent in wanted]


def parse_gifti(content: bytes, path: Path) -> GiftiFile:
    """Read a GIFTI file from its (decompressed) bytes.

    Raises
    ------
    FormatError
        If the file is not GIFTI, is truncated or damaged, declares entities, keeps data in another
        file, or declares more data than it holds.
    """
    document = _Document(path)
    parse_xml(content, path, start=document.start, end=document.end, data="Data")
    if not document.is_gifti:
        raise FormatError(f"{path}: expected a GIFTI file, found other XML")
    return GiftiFile(tuple(document.arrays), document.meta, document.labels, document.colours)


@dataclass
class _Open:
    """A DataArray element that has not closed yet."""

    attributes: dict[str, str]
    meta: dict[str, str] = field(default_factory=dict)
    systems: list[CoordinateSystem] = field(default_factory=list)
    system: dict[str, str] = field(default_factory=dict)
    data: npt.NDArray[Any] | None = None


class _Document:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_gifti = False
        self.arrays: list[DataArray] = []
        self.meta: dict[str, str] = {}
        self.labels: dict[int, str] = {}
        self.colours: dict[int, tuple[float, float, float, float]] = {}
        self._array: _Open | None = None
        self._key = ""
        self._label: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "GIFTI":
            self.is_gifti = True
        elif name == "DataArray":
            self._array = _Open(attributes)
        elif name == "Label":
            self._label = attributes
        elif name == "MD":
            self._key = ""

    def end(self, name: str, text: Any) -> None:
        if name == "Name":
            self._key = text.strip()
        elif name == "Value" and self._key:
            (self._array.meta if self._array else self.meta)[self._key] = text.strip()
        elif name == "Label":
            self._add_label(text.strip())
        elif self._array is not None:
            self._end_in_array(self._array, name, text)

    def _end_in_array(self, array: _Open, name: str, text: Any) -> None:
        if name in ("DataSpace", "TransformedSpace"):
            array.system[name] = text.strip()
        elif name == "MatrixData":
            matrix = parse_numbers(
                text.encode("ascii", "replace"), np.float64, self.path, what="GIFTI MatrixData", count=16
            )
            space = array.system.get("DataSpace", ""), array.system.get("TransformedSpace", "")
            array.systems.append(CoordinateSystem(*space, matrix.reshape(4, 4)))
        elif name == "Data":
            array.data = _decode(array.attributes, text, self.path)
        elif name == "DataArray":
            if array.data is None:
                array.data = _decode(array.attributes, b"", self.path)
            intent = array.attributes.get("Intent", "NIFTI_INTENT_NONE")
            self.arrays.append(DataArray(intent, array.data, array.meta, tuple(array.systems)))
            self._array = None

    def _add_label(self, text: str) -> None:
        try:
            key = int(self._label.get("Key", self._label.get("Index", "")))
            red, green, blue = (float(self._label.get(name, 0)) for name in ("Red", "Green", "Blue"))
            alpha = float(self._label.get("Alpha", 1))
        except ValueError as error:
            raise FormatError(f"{self.path}: GIFTI: cannot read a label of the table ({error})") from error
        self.labels[key] = text
        self.colours[key] = red, green, blue, alpha


def _decode(attributes: dict[str, str], raw: bytes, path: Path) -> npt.NDArray[Any]:
    shape = _shape(attributes, path)
    kind, encoding = attributes.get("DataType", ""), attributes.get("Encoding", "")
    if kind not in _TYPES:
        raise FormatError(f"{path}: GIFTI: data type {kind[:40]!r} is not supported")
    endian = _ENDIAN.get(attributes.get("Endian", "LittleEndian"))
    if endian is None:
        raise FormatError(f"{path}: GIFTI: unknown Endian {attributes['Endian'][:40]!r}")
    dtype = np.dtype(endian + _TYPES[kind])
    count = math.prod(shape)
    order: Any = "F" if attributes.get("ArrayIndexingOrder") == "ColumnMajorOrder" else "C"
    if encoding == "ASCII":
        if order == "F" and sum(size > 1 for size in shape) > 1:
            # the standard orders the numbers by columns, nibabel writes and reads them by lines
            raise FormatError(f"{path}: GIFTI: ASCII data in ColumnMajorOrder are ambiguous: refused")
        want = np.float64 if dtype.kind == "f" else np.int64
        numbers = parse_numbers(raw, want, path, what="GIFTI data", count=count)
        return _narrow(numbers, dtype, path).reshape(shape, order=order)
    if encoding not in ("Base64Binary", "GZipBase64Binary"):
        external = encoding == "ExternalFileBinary"
        problem = "keeps its data in another file: refused" if external else "is unknown"
        raise FormatError(f"{path}: GIFTI: encoding {encoding[:40]!r} {problem}")
    try:
        data = base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as error:
        raise FormatError(f"{path}: GIFTI: damaged base64 data ({error})") from error
    if encoding == "GZipBase64Binary":
        data = inflate(data, count * dtype.itemsize, path)
    if len(data) != count * dtype.itemsize:
        raise FormatError(
            f"{path}: GIFTI: expected {count * dtype.itemsize} bytes in an array of shape {shape}, "
            f"found {len(data)}"
        )
    return np.frombuffer(data, dtype).reshape(shape, order=order).astype(dtype.newbyteorder("="))


def _narrow(numbers: npt.NDArray[Any], dtype: np.dtype[Any], path: Path) -> npt.NDArray[Any]:
    """Convert ASCII numbers to the type the array declares, which must hold them."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = numbers.astype(dtype.newbyteorder("="))
    bad = found != numbers if dtype.kind != "f" else np.isinf(found) & np.isfinite(numbers)
    if bad.any():
        raise FormatError(f"{path}: GIFTI: {int(bad.sum())} numbers do not fit {dtype.name}")
    return found


def _shape(attributes: dict[str, str], path: Path) -> tuple[int, ...]:
    dimensions = attributes.get("Dimensionality", "").strip()
    if not dimensions.isdecimal() or not 1 <= int(dimensions) <= 6:
        raise FormatError(f"{path}: GIFTI: Dimensionality: expected 1 to 6, found {dimensions[:40]!r}")
    sizes = [attributes.get(f"Dim{i}", "").strip() for i in range(int(dimensions))]
    if not all(size.isdecimal() and len(size) < 16 for size in sizes):
        raise FormatError(f"{path}: GIFTI: cannot read the dimensions {sizes}")
    return tuple(int(size) for size in sizes)
