"""Checks of arrays that several formats share."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, ArrayTypeError

NUMERIC = "biuf"  # kinds of dtype: booleans, integers, unsigned integers, real numbers
_DTYPE = re.compile(rf"[<>|][{NUMERIC}]\d{{1,2}}")


def numeric_dtype(text: Any) -> np.dtype[Any]:
    """Return the dtype that a file names; NumPy alone would believe any text.

    Raises
    ------
    ValueError
        If it is not one of booleans, integers or real numbers.
    """
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise ValueError(f"unexpected dtype {str(text)[:80]!r}")
    try:
        return np.dtype(text)
    except TypeError as error:
        raise ValueError(f"unexpected dtype {text!r}") from error


def plain_numbers(value: Any, name: str, kinds: str = NUMERIC) -> npt.NDArray[Any]:
    """Return an array of any shape and numeric dtype, unchanged.

    Raises
    ------
    ArrayTypeError
        If it is masked, or holds anything but booleans, integers or real numbers.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ArrayTypeError(f"{name}: expected a plain array, found a masked array; fill it first")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ArrayTypeError(f"{name}: expected an array, found {type(value).__name__} ({error})") from error
    if array.dtype.kind not in kinds:
        raise ArrayTypeError(f"{name}: expected real numbers or booleans, found dtype {array.dtype}")
    return array


def without_padding(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array whose unused bytes are zero, so that equal numbers are equal bytes.

    Only the extended precision of x86 has such bytes: 10 of 16 count.
    """
    if array.dtype.kind != "f" or array.dtype.itemsize != 16 or np.finfo(np.longdouble).nmant != 63:
        return array
    clean = np.array(array, order="A")
    padding = slice(10, 16) if array.dtype.isnative else slice(0, 6)
    clean.reshape(-1, order="A").view(np.uint8).reshape(-1, 16)[:, padding] = 0
    return clean


def check_face_range(faces: npt.NDArray[Any], n_vertices: int | None) -> None:
    """Check that faces name existing vertices.

    Raises
    ------
    ArrayError
        If an index is negative, or not below `n_vertices`.
    """
    if not faces.size:
        return
    low, high = int(faces.min()), int(faces.max())
    if low < 0 or (n_vertices is not None and high >= n_vertices):
        limit = "0 or more" if n_vertices is None else f"in [0, {n_vertices - 1}]"
        raise ArrayError(f"faces: expected indices {limit}, found {low} to {high}")
