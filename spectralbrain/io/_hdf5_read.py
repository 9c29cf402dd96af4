"""Read sealed HDF5 files: whole, or array by array and slice by slice."""

from __future__ import annotations

import itertools
import math
import operator
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_attributes import Stored
from spectralbrain.io._hdf5_chunks import decode_chunk, scratch
from spectralbrain.io._hdf5_integrity import SealedFile, SealedStream, reporting
from spectralbrain.io._hdf5_stream import open_stream
from spectralbrain.io._hdf5_survey import Survey
from spectralbrain.io._numbers import NUMERIC

_DEFLATE, _SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE
_SMALL = 2**20
# A sealed file is believed up to what deflate can hold
_FREE_BYTES = 2**26
_DEFLATE_LIMIT = 1032


class LazyArray:
    """An array on the disk, read when it is indexed.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its dtype.
    """

    def __init__(self, owner: SealedHDF5, name: str, dataset: Any) -> None:
        self._owner = owner
        self._name = name
        self._id = dataset.id
        self.shape: tuple[int, ...] = dataset.shape
        self.dtype: np.dtype[Any] = np.dtype(dataset.dtype.str)  # '=' where h5py spells '<'
        if self.dtype.kind not in NUMERIC:
            raise FormatError(f"{owner.path}: {name}: expected numbers, found dtype {self.dtype}")

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
        owner = self._owner
        file = owner.sealed_file()
        with reporting(owner.stream, owner.path):
            creation = self._id.get_create_plist()
            filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
            chunked = creation.get_layout() == h5py.h5d.CHUNKED
            if not chunked or self.size == 0 or filters not in ([_SHUFFLE, _DEFLATE], [_DEFLATE]):
                return self._through_hdf5(box)
            chunks = creation.get_chunk()
            result = np.empty([part.stop - part.start for part in box], self.dtype)
            offsets = list(
                itertools.product(
                    *(range(p.start // c * c, p.stop, c) for p, c in zip(box, chunks, strict=True))
                )
            )
            places = [self._id.get_chunk_info_by_coord(offset) for offset in offsets]

        def fetch(offset: tuple[int, ...], place: Any) -> None:
            if place.byte_offset is None or place.filter_mask:
                raise FormatError(f"{owner.path}: {self._name}: the chunk at {offset} is missing")
            data = file.read(place.byte_offset, place.size, lambda size: scratch("read", size))
            try:
                chunk = decode_chunk(data, self.dtype, chunks, shuffled=_SHUFFLE in filters)
            except FormatError as error:
                raise FormatError(f"{owner.path}: {self._name}: {error}") from None
            source, target = [], []
            for start, step, part in zip(offset, chunks, box, strict=True):
                first, last = max(start, part.start), min(start + step, part.stop)
                source.append(slice(first - start, last - start))
                target.append(slice(first - part.start, last - part.start))
            result[tuple(target)] = chunk[tuple(source)]

        _for_each(fetch, offsets, places, n_threads=1 if result.nbytes < _SMALL else owner.n_threads)
        return result

    def _through_hdf5(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        result = np.empty([part.stop - part.start for part in box], self.dtype)
        if result.size:
            h5py.Dataset(self._id).read_direct(result, source_sel=box or ())
        return result


class SealedHDF5:
    """An open sealed file: attributes, and arrays by their path."""

    def __init__(self, file: SealedFile, n_threads: int) -> None:
        self.path: Path = file.path
        self.n_threads = n_threads
        self._file: SealedFile | None = file
        self.stream = SealedStream(file)
        with reporting(self.stream, self.path):
            self._hdf5 = open_stream(self.stream)
            try:
                survey = Survey(self._hdf5, _FREE_BYTES + _DEFLATE_LIMIT * file.length, sys.maxsize)
            except BaseException:
                self._hdf5.close()
                raise
        self.attributes: dict[str, Stored] = survey.attributes
        self.groups = survey.groups
        self.arrays = {name: LazyArray(self, name, found) for name, found in survey.datasets.items()}

    def sealed_file(self) -> SealedFile:
        """Return the file, as long as it is open."""
        if self._file is None:
            raise ValueError(f"{self.path}: the file has been closed")
        return self._file

    def close(self) -> None:
        """Close the file; arrays that were not read are out of reach."""
        if self._file is not None:
            self._hdf5.close()
            self._file.close()
            self._file = None


def _for_each(function: Any, *arguments: Any, n_threads: int) -> None:
    if n_threads == 1:
        for items in zip(*arguments, strict=True):
            function(*items)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for _ in pool.map(function, *arguments):
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
