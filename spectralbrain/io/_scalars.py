"""Read per-vertex numbers: FreeSurfer morphometry, MGH, GIFTI, CIFTI, NumPy and text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._content import identify, parse_numbers
from spectralbrain.io._gifti_xml import GiftiFile, parse_gifti

# Intents that are not maps of numbers on vertices.
_OTHER_INTENTS = (
    "POINTSET",
    "TRIANGLE",
    "LABEL",
    "NODE_INDEX",
    "GENMATRIX",
    "VECTOR",
    "RGB_VECTOR",
    "RGBA_VECTOR",
)
_MGH_TYPES = {0: "u1", 1: "i4", 3: "f4", 4: "i2", 10: "u2"}
_MGH_HEADER_SIZE = 284


def parse_scalars(content: bytes, path: Path, structure: str | None = None) -> npt.NDArray[Any]:
    """Return the maps of a file, (N,) if it holds one and (N, T) if more, in the file's dtype.

    Raises
    ------
    FormatError
        If the file is damaged, of no known kind, or does not hold maps of numbers.
    """
    match identify(content):
        case "morph":
            return np.frombuffer(content, ">f4", offset=15)
        case "old-morph":
            return np.frombuffer(content, ">i2", offset=6) / 100.0
        case "mgh":
            return _parse_mgh(content, path)
        case "gifti":
            return gifti_maps(parse_gifti(content, path), path)
        case "cifti":
            from spectralbrain.io._cifti import cifti_maps

            return cifti_maps(content, path, structure)
        case "npy":
            return _parse_npy(content, path)
        case "" if not content.strip(b"0123456789+-.eEnaNAifIF \t\r\n,"):
            return _parse_text(content, path)
        case "freesurfer-quad":
            raise FormatError(f"{path}: FreeSurfer morphometry is truncated, or this is a quadrangle surface")
        case kind:
            raise FormatError(
                f"{path}: expected per-vertex numbers, found a file of kind {kind or 'unknown'!r}"
            )


def gifti_maps(gifti: GiftiFile, path: Path) -> npt.NDArray[Any]:
    """Return the numeric maps of a GIFTI file: every array whose intent is not geometry or labels.

    Raises
    ------
    FormatError
        If there is no such array, or they differ in length.
    """
    others = {f"NIFTI_INTENT_{intent}" for intent in _OTHER_INTENTS}
    maps = [array.data for array in gifti.arrays if array.intent not in others]
    if not maps:
        held = sorted({array.intent for array in gifti.arrays})
        raise FormatError(f"{path}: expected maps of numbers, found intents {', '.join(held) or 'none'}")
    if any(a.intent == "NIFTI_INTENT_NODE_INDEX" for a in gifti.arrays):
        raise FormatError(f"{path}: GIFTI: maps on a subset of the nodes (NODE_INDEX) are not supported")
    if any(m.ndim > 2 for m in maps) or len({len(m) for m in maps}) > 1:
        raise FormatError(
            f"{path}: GIFTI: maps have shapes {[m.shape for m in maps][:5]}: they do not fit together"
        )
    return _narrowest(np.column_stack(maps))


def _narrowest(maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return maps[:, 0] if maps.shape[1] == 1 else maps


def _parse_mgh(content: bytes, path: Path) -> npt.NDArray[Any]:
    """Read a map stored as an MGH image of shape (N, 1, 1, T)."""
    width, height, depth, frames, kind = (int(n) for n in np.frombuffer(content, ">i4", 5, 4))
    sizes = [width, height, depth]
    if min(*sizes, frames) < 1 or kind not in _MGH_TYPES:
        raise FormatError(f"{path}: MGH: cannot read a header of shape {(*sizes, frames)} and type {kind}")
    if sum(size > 1 for size in sizes) > 1:
        raise FormatError(f"{path}: expected per-vertex numbers, found an MGH volume of shape {tuple(sizes)}")
    dtype, count = np.dtype(">" + _MGH_TYPES[kind]), max(sizes)
    if len(content) < _MGH_HEADER_SIZE + count * frames * dtype.itemsize:
        raise FormatError(f"{path}: MGH: {frames} maps of {count} do not fit: the file is truncated")
    values = np.frombuffer(content, dtype, count * frames, _MGH_HEADER_SIZE)
    return _narrowest(values.reshape(frames, count).T)


def _parse_npy(content: bytes, path: Path) -> npt.NDArray[Any]:
    try:
        version = np.lib.format.read_magic(io.BytesIO(content))
        array = np.lib.format.read_array(_Sized(content), allow_pickle=False)
    except Exception as error:  # NumPy hands damaged headers to ast and tokenize, which raise anything
        raise FormatError(f"{path}: cannot read the NumPy array ({error})") from error
    if version > (3, 0) or array.ndim not in (1, 2) or array.dtype.kind not in "biuf":
        raise FormatError(
            f"{path}: expected numbers of shape (N,) or (N, T), found {array.dtype} of shape {array.shape}"
        )
    return array


class _Sized(io.BytesIO):
    """Bytes that refuse a read of more than they hold, before anything that size is allocated."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = len(self.getbuffer()) - self.tell()
        if size is not None and size > left:
            raise EOFError(f"{size} bytes are declared, {left} are left")
        return super().read(size)


def _parse_text(content: bytes, path: Path) -> npt.NDArray[Any]:
    rows = [line for line in map(bytes.strip, content.replace(b",", b" ").splitlines()) if line]
    numbers = parse_numbers(b"\n".join(rows), np.float64, path, what="text")
    if not len(numbers) or len(numbers) % len(rows):
        raise FormatError(f"{path}: expected lines of equally many numbers")
    if any(len(row.split()) * len(rows) != len(numbers) for row in rows):
        raise FormatError(f"{path}: expected lines of equally many numbers")
    return _narrowest(numbers.reshape(len(rows), -1))
