"""GIFTI maps (.func.gii, .shape.gii): one float32 array per map, as every reader stacks them."""

from __future__ import annotations

import binascii
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import deflate
import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, ArrayTypeError, FormatError
from spectralbrain.io._content import read_content
from spectralbrain.io._gifti_surface import STRUCTURE_PRIMARY
from spectralbrain.io._gifti_xml import DataArray, parse_gifti
from spectralbrain.io._in_order import in_order
from spectralbrain.io._numbers import plain_numbers
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import DescriptorMatrix, ScalarMap, as_array

NAME = "Name"
UNITS = "Units"
# One map of a matrix with one column; without the note it would come back as a vector.
COLUMNS = "SpectralBrainColumns"
INTENTS = {".shape.gii": "SHAPE", ".func.gii": "NONE"}

_SIDES = ("Cortex", "Hippocampus", "HippocampusDentate", "Thalamus", "Caudate", "Putamen", "Pallidum")
_MORE_SIDES = ("Amygdala", "Accumbens", "DiencephalonVentral", "Cerebellum", "CerebellarWhiteMatter")
_MIDDLE = ("BrainStem", "Cerebellum", "Cortex", "Other", "OtherGrayMatter", "OtherWhiteMatter", "All")
_WHITE = ("CerebralWhiteMatterLeft", "CerebralWhiteMatterRight")
STRUCTURES = frozenset(
    (*(f"{part}{side}" for part in _SIDES + _MORE_SIDES for side in ("Left", "Right")), *_MIDDLE, *_WHITE)
)

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/115/gifti.dtd">\n'
    '<GIFTI Version="1.0" NumberOfDataArrays="{count}">\n{meta}<LabelTable/>\n'
)
_ARRAY = (
    '<DataArray Intent="NIFTI_INTENT_{intent}" DataType="NIFTI_TYPE_FLOAT32" '
    'ArrayIndexingOrder="RowMajorOrder" Dimensionality="1" Dim0="{rows}" '
    'Encoding="GZipBase64Binary" Endian="LittleEndian" '
    'ExternalFileName="" ExternalFileOffset="">\n{meta}<Data>'
)
_LEVEL = 4
_SMALL = 2**20


def intent_of(path: Path) -> str:
    """Return the intent that a file name asks for.

    Raises
    ------
    ArrayError
        If the name ends neither with .func.gii nor with .shape.gii.
    """
    for suffix, intent in INTENTS.items():
        if path.name.lower().endswith(suffix):
            return intent
    raise ArrayError(
        f"path: expected a name that ends with {' or '.join(sorted(INTENTS))}, found {path.name!r}"
    )


def check_maps(scalars: ScalarMap | DescriptorMatrix) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the maps as (N, T) float32, and whether they came as a vector.

    Raises
    ------
    ArrayTypeError
        If they are masked or not real numbers.
    ArrayError
        If they are neither (N,) nor (N, T), are infinite, or hold a value that float32 cannot.
    """
    original = plain_numbers(scalars, "scalars")
    vector = original.ndim == 1
    as_array(original, ScalarMap if vector else DescriptorMatrix, name="scalars", keep_dtype=True)
    if not original.size:
        raise ArrayError(f"scalars: expected at least one value, found shape {original.shape}")
    original = original.reshape(len(original), -1)
    with np.errstate(over="ignore", under="ignore"):
        maps = original.astype(np.float32)
    lost = np.isinf(maps) | ((maps == 0) & (original != 0))
    if original.dtype.kind in "iu":
        lost |= maps.astype(np.longdouble) != original
    if lost.any():
        example = original[lost][0]
        raise ArrayError(
            f"scalars: float32 cannot hold {int(lost.sum())} of the values, the first {example!r}"
        )
    return maps, vector


def check_names(names: Sequence[str] | None, n_maps: int) -> list[str] | None:
    """Return one name per map.

    Raises
    ------
    ArrayTypeError, ArrayError
        If they are not distinct texts that XML can hold, one per map.
    """
    if names is None:
        return None
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, Iterable):
        raise ArrayTypeError(f"names: expected a sequence of text, found {type(names).__name__}")
    found = list(names)
    for i, name in enumerate(found):
        check_text(name, f"names[{i}]")
    if len(found) != n_maps:
        raise ArrayError(f"names: expected {n_maps}, one per map, found {len(found)}")
    if len(set(found)) != len(found):
        raise ArrayError("names: expected each name once")
    return found


def check_text(text: Any, where: str) -> None:
    """Check that XML returns a text as it was."""
    if not isinstance(text, str):
        raise ArrayTypeError(f"{where}: expected text, found {type(text).__name__}")
    unfit = any(unicodedata.category(char) in ("Cc", "Cs", "Cn") for char in text)
    if unfit or not text or text != text.strip():
        raise ArrayError(f"{where}: expected text without control characters or outer spaces, found {text!r}")


def check_structure(structure: str | None) -> None:
    """Check a structure against Workbench's list of names."""
    if structure is not None and structure not in STRUCTURES:
        raise ArrayError(
            f"structure: expected a Workbench name such as 'CortexLeft' or 'HippocampusRight', "
            f"found {structure!r}"
        )


def write_maps(
    stream: BinaryIO,
    maps: npt.NDArray[np.float32],
    *,
    intent: str,
    names: list[str] | None,
    structure: str | None,
    units: str | None,
    vector: bool,
) -> None:
    """Write checked maps, one data array each."""
    file_meta = {STRUCTURE_PRIMARY: structure} if structure else {}
    if maps.shape[1] <= 1 and not vector:
        file_meta[COLUMNS] = str(maps.shape[1])
    stream.write(_HEAD.format(count=maps.shape[1], meta=_metadata(file_meta)).encode())
    for i, text in enumerate(_encoded(maps)):
        meta = {NAME: names[i]} if names else {}
        if units:
            meta[UNITS] = units
        header = _ARRAY.format(intent=intent, rows=len(maps), meta=_metadata(meta))
        stream.write(header.encode())
        stream.write(text)
        stream.write(b"</Data>\n</DataArray>\n")
    stream.write(b"</GIFTI>\n")


def _encoded(maps: npt.NDArray[np.float32]) -> Iterator[bytes]:
    """Yield each map compressed, as text; several large ones on all threads."""
    alone = maps.nbytes < _SMALL or maps.shape[1] == 1
    return in_order(_encode, maps.T, 1 if alone else resolve_threads())


def _encode(values: npt.NDArray[np.float32]) -> bytes:
    compressed = deflate.zlib_compress(np.ascontiguousarray(values, "<f4").data, _LEVEL)
    return binascii.b2a_base64(compressed, newline=False)


def _metadata(items: dict[str, str]) -> str:
    lines = [f"<MD><Name>{escape(k)}</Name><Value>{escape(v)}</Value></MD>\n" for k, v in items.items()]
    return "<MetaData>\n" + "".join(lines) + "</MetaData>\n" if lines else "<MetaData/>\n"


def read_maps(path: Path) -> npt.NDArray[Any]:
    """Return the maps of a file as (N,) or (N, T), whatever their intents.

    Raises
    ------
    FormatError
        If the file is damaged or hostile, holds no maps, or maps of different lengths.
    """
    gifti = parse_gifti(read_content(path), path)
    arrays = [array for array in gifti.arrays if array.intent not in _NOT_MAPS]
    if not arrays:
        raise FormatError(f"{path}: expected maps, found none")
    maps = [_columns(array, path) for array in arrays]
    if len({len(values) for values in maps}) > 1:
        raise FormatError(f"{path}: the maps have different lengths")
    stacked = np.concatenate(maps, axis=1)
    if stacked.shape[1] == 1 and gifti.meta.get(COLUMNS) != "1":
        return stacked[:, 0]
    return stacked


_NOT_MAPS = frozenset(f"NIFTI_INTENT_{name}" for name in ("POINTSET", "TRIANGLE", "LABEL"))


def _columns(array: DataArray, path: Path) -> npt.NDArray[Any]:
    if array.data.ndim == 1:
        return array.data[:, np.newaxis]
    if array.data.ndim == 2:
        return array.data
    raise FormatError(f"{path}: expected maps of one axis, found shape {array.data.shape}")
