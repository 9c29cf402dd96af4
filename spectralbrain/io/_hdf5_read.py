"""Read sealed HDF5 files by their index: whole, or array by array and slice by slice."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_chunks import CHUNK_BYTES, decode_chunk, scratch
from spectralbrain.io._hdf5_index import Entry, decode_index
from spectralbrain.io._hdf5_integrity import SealedFile

_SMALL = 2**20


class _Piece(NamedTuple):
    """A part of an array that is read at once."""

    start: tuple[int, ...]
    shape: tuple[int, ...]
    offset: int  # in the file
    size: int


class LazyArray:
    """An array on the disk, read when it is indexed.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its dtype.
    """

    def __init__(self, owner: SealedHDF5, name: str, entry: Entry) -> None:
        self._owner = owner
        self._name = name
        self._entry = entry
        self.shape: tuple[int, ...] = entry.shape
        self.dtype: np.dtype[Any] = entry.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in memory once read."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single value has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<LazyArray {self._name!r}, shape {self.shape}, {self.dtype}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Read everything, for :func:`numpy.asarray`."""
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, index: Any) -> Any:
        """Read the part that `index` selects; only the chunks that it touches leave the disk."""
        box, rest = _bounding_box(index, self.shape)
        return self._read_box(box)[rest]

    def _read_box(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        file = self._owner.sealed_file()
        result = np.empty([part.stop - part.start for part in box], self.dtype)
        if result.ndim == 0:
            (place,) = self._entry.places
            result[()] = np.frombuffer(file.read(*place), self.dtype)[0]
            return result
        pieces = list(self._chunks(box) if self._entry.chunks else self._slabs(box)) if result.size else []

        def fetch(piece: _Piece) -> None:
            data = file.read(piece.offset, piece.size, lambda size: scratch("read", size))
            values = self._decoded(data, piece.shape)
            source, target = [], []
            for start, length, part in zip(piece.start, piece.shape, box, strict=True):
                first, last = max(start, part.start), min(start + length, part.stop)
                source.append(slice(first - start, last - start))
                target.append(slice(first - part.start, last - part.start))
            result[tuple(target)] = values[tuple(source)]

        _for_each(fetch, pieces, n_threads=1 if result.nbytes < _SMALL else self._owner.n_threads)
        return result

    def _chunks(self, box: tuple[slice, ...]) -> Iterator[_Piece]:
        """Yield the compressed chunks that a box touches."""
        chunks = self._entry.chunks or ()
        grid = [-(-n // step) for n, step in zip(self.shape, chunks, strict=True)]
        touched = (
            range(part.start // step, -(-part.stop // step)) for part, step in zip(box, chunks, strict=True)
        )
        for position in itertools.product(*touched):
            number = 0
            for index, count in zip(position, grid, strict=True):
                number = number * count + index
            start = tuple(index * step for index, step in zip(position, chunks, strict=True))
            yield _Piece(start, chunks, *self._entry.places[number])

    def _slabs(self, box: tuple[slice, ...]) -> Iterator[_Piece]:
        """Yield some rows at a time of an array that is stored as it is."""
        ((offset, size),) = self._entry.places
        row = size // len(self)
        step = max(1, CHUNK_BYTES // row)
        for start in range(box[0].start, box[0].stop, step):
            n_rows = min(step, box[0].stop - start)
            rest = self.shape[1:]
            yield _Piece((start, *(0 for _ in rest)), (n_rows, *rest), offset + start * row, n_rows * row)

    def _decoded(self, data: memoryview, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if self._entry.chunks is None:
            return np.frombuffer(data, self.dtype).reshape(shape)
        try:
            return decode_chunk(data, self.dtype, shape, shuffled=True)
        except FormatError as error:
            raise FormatError(f"{self._owner.path}: {self._name}: {error}") from None


class SealedHDF5:
    """An open sealed file: attributes, and arrays by their path."""

    def __init__(self, file: SealedFile, n_threads: int) -> None:
        self.path: Path = file.path
        self.n_threads = n_threads
        self._file: SealedFile | None = file
        entries, self.groups, self.attributes = decode_index(
            file.index(), file.length - file.index_length, file.path
        )
        self.arrays = {name: LazyArray(self, name, entry) for name, entry in entries.items()}

    def sealed_file(self) -> SealedFile:
        """Return the file, as long as it is open."""
        if self._file is None:
            raise ValueError(f"{self.path}: the file has been closed")
        return self._file

    def close(self) -> None:
        """Close the file; arrays that were not read are out of reach."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _for_each(function: Any, pieces: list[_Piece], n_threads: int) -> None:
    if n_threads == 1:
        for piece in pieces:
            function(piece)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for _ in pool.map(function, pieces):
                pass
        finally:
            pool.shutdown(cancel_futures=True)


def _bounding_box(index: Any, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], Any]:
    """Split an index into a box of contiguous slices and the index to apply to that box."""
    items = index if isinstance(index, tuple) else (index,)
    simple = all(isinstance(item, slice) or item is Ellipsis or _is_integer(item) for item in items)
    if not simple:  # fancy indices: read all rows, let NumPy select
        return tuple(slice(0, n) for n in shape), index
    if sum(item is Ellipsis for item in items) > 1:
        raise IndexError("an index can only have a single ellipsis")
    given = [item for item in items if item is not Ellipsis]
    if len(given) > len(shape):
        raise IndexError(f"too many indices: the array has {len(shape)} axes, {len(given)} were given")
    gap = items.index(Ellipsis) if Ellipsis in items else len(items)
    filled = [*items[:gap], *[slice(None)] * (len(shape) - len(given)), *items[gap + 1 :]]
    box, rest = [], []
    for item, length in zip(filled, shape, strict=True):
        part, inner = _axis(item, length)
        box.append(part)
        rest.append(inner)
    # as in NumPy, an ellipsis makes the result an array even where no axis is left
    return tuple(box), (*rest, ...) if Ellipsis in items else tuple(rest)


def _axis(item: Any, length: int) -> tuple[slice, Any]:
    if isinstance(item, slice):
        chosen = range(length)[item]
        if not chosen:
            return slice(0, 0), slice(None)
        low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
        return slice(low, high + 1), slice(None, None, chosen.step)
    position = operator.index(item)
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of bounds for an axis of {length}")
    return slice(position % length, position % length + 1), 0


def _is_integer(item: Any) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)
