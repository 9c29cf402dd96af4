"""The canonical array types of the library, and the one function that checks them.

An alias such as :data:`Vertices` says dtype, shape, unit and which values are legal; the same
alias types a signature and drives :func:`as_array` at the public boundary, so that the
documentation and the check cannot disagree. Letters in a shape are sizes: N vertices, F faces,
k modes, T scales, R regions, S subjects.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, ArrayTypeError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
PathLike: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True)
class ArraySpec:
    """What an array must be.

    Attributes
    ----------
    dtype : str
        NumPy name of the canonical dtype.
    shape : tuple
        One entry per axis: an int for a fixed size, a letter for a free one.
    unit : str
        Unit of the values; '' where there is none.
    missing : {'never', 'rows', 'any'}
        Where NaN is legal: nowhere, as whole rows (masked vertices), or anywhere. Infinity is
        legal nowhere.
    """

    dtype: str
    shape: tuple[str | int, ...]
    unit: str = ""
    missing: Literal["never", "rows", "any"] = "never"


Vertices: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("N", 3), "mm")]
Faces: TypeAlias = Annotated[IntArray, ArraySpec("int64", ("F", 3))]
Eigenvalues: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("k",), "mm^-2")]
Eigenvectors: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("N", "k"), "mm^-1", "rows")]
ScalarMap: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("N",), "", "any")]
DescriptorMatrix: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("N", "T"), "", "any")]
GlobalDescriptor: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("T",), "", "any")]
DistanceMatrix: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("S", "S"), "", "any")]
ConnectomeMatrix: TypeAlias = Annotated[FloatArray, ArraySpec("float64", ("R", "R"), "", "any")]
VertexMask: TypeAlias = Annotated[BoolArray, ArraySpec("bool", ("N",))]
VertexLabels: TypeAlias = Annotated[IntArray, ArraySpec("int64", ("N",))]


def spec_of(kind: Any) -> ArraySpec:
    """Return the :class:`ArraySpec` carried by an alias of this module.

    Parameters
    ----------
    kind : alias
        For example :data:`Vertices`.

    Returns
    -------
    ArraySpec

    Raises
    ------
    TypeError
        If `kind` is not one of the aliases.

    Examples
    --------
    >>> spec_of(Eigenvalues).unit
    'mm^-2'
    """
    for entry in get_args(kind):
        if isinstance(entry, ArraySpec):
            return entry
    raise TypeError(f"kind: expected an array alias of spectralbrain.runtime, found {kind!r}")


def as_array(
    value: Any, kind: Any, *, name: str, keep_dtype: bool = False, sizes: dict[str, int] | None = None
) -> npt.NDArray[Any]:
    """Check an argument against its alias and return it as a NumPy array.

    Nothing is repaired. A view is returned where no conversion is needed.

    Parameters
    ----------
    value : array_like
        The argument.
    kind : alias
        What it must be, for example :data:`Vertices`.
    name : str
        The argument's name, for the message.
    keep_dtype : bool
        Keep any dtype of the right kind (float32 for float64, int32 for int64) instead of
        converting to the canonical one.
    sizes : dict, optional
        Sizes already known for letters of the shape, for example ``{"N": 642}``.

    Returns
    -------
    ndarray

    Raises
    ------
    ArrayTypeError
        If the array is masked, or of a dtype that cannot be converted without loss of meaning.
    ArrayError
        If the shape does not fit, NaN or infinity stand where they are not legal, or an integer is
        too large for the canonical dtype.

    Examples
    --------
    >>> as_array([[0, 0, 0], [1, 0, 0]], Vertices, name="vertices").dtype
    dtype('float64')
    >>> as_array([[0, 0], [1, 0]], Vertices, name="vertices")
    Traceback (most recent call last):
        ...
    spectralbrain.errors.ArrayError: vertices: expected shape (N, 3), found (2, 2)
    """
    spec = spec_of(kind)
    array = _plain(value, name)
    _check_kind(array, spec, name)
    _check_shape(array, spec, name, sizes or {})
    if array.dtype.kind == "f":
        _check_finite(array, spec, name)
    if keep_dtype and array.dtype.kind == np.dtype(spec.dtype).kind:
        return array
    if not keep_dtype:
        _check_exact(array, spec, name)
    return array.astype(spec.dtype, copy=False)


def _plain(value: Any, name: str) -> npt.NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise ArrayTypeError(f"{name}: expected a plain array, found a masked array; fill it first")
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ArrayTypeError(f"{name}: expected an array, found {type(value).__name__} ({error})") from error


def _check_kind(array: npt.NDArray[Any], spec: ArraySpec, name: str) -> None:
    legal = {"f": "fiu", "i": "iu", "b": "b"}[np.dtype(spec.dtype).kind]
    if array.dtype.kind not in legal:
        raise ArrayTypeError(f"{name}: expected {spec.dtype} values, found dtype {array.dtype}")


def _check_exact(array: npt.NDArray[Any], spec: ArraySpec, name: str) -> None:
    """Refuse integers of 64 bits that the canonical dtype would round or wrap."""
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or not array.size:
        return
    limit = 2**53 if spec.dtype == "float64" else 2**63 - 1
    if int(array.max()) > limit or int(array.min()) < -limit - 1:
        raise ArrayError(f"{name}: expected {spec.dtype} values, found integers that it cannot hold")


def _check_shape(array: npt.NDArray[Any], spec: ArraySpec, name: str, sizes: dict[str, int]) -> None:
    fits = array.ndim == len(spec.shape)
    found: dict[str, int] = dict(sizes)
    if fits:
        for want, have in zip(spec.shape, array.shape, strict=True):
            expected = want if isinstance(want, int) else found.setdefault(want, have)
            fits = fits and have == expected
    if not fits:
        want_text = ", ".join(
            f"{s}={sizes[s]}" if isinstance(s, str) and s in sizes else str(s) for s in spec.shape
        )
        comma = "," if len(spec.shape) == 1 else ""
        raise ArrayError(f"{name}: expected shape ({want_text}{comma}), found {array.shape}")


def _check_finite(array: npt.NDArray[Any], spec: ArraySpec, name: str) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    if np.isinf(array).any():
        raise ArrayError(f"{name}: expected finite values, found {int(np.isinf(array).sum())} infinite")
    missing = ~finite
    if spec.missing == "never":
        raise ArrayError(f"{name}: expected finite values, found {int(missing.sum())} NaN")
    if spec.missing == "rows":
        rows = missing.reshape(len(array), -1)
        partial = int((rows.any(axis=1) & ~rows.all(axis=1)).sum())
        if partial:
            raise ArrayError(
                f"{name}: expected NaN only as whole rows (masked vertices), found {partial} partial"
            )
