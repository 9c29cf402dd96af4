"""Write arrays and attributes into an HDF5 file: sealed, the same bytes every time, on all threads."""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spectralbrain.io._atomic import absolute_path, atomic_write
from spectralbrain.io._hdf5_attributes import Stored, write_attribute
from spectralbrain.io._hdf5_chunks import chunk_shape, encode_chunk, scratch
from spectralbrain.io._hdf5_index import describe, encode_index
from spectralbrain.io._hdf5_integrity import seal, write_all
from spectralbrain.io._hdf5_stream import open_stream
from spectralbrain.io._in_order import in_order
from spectralbrain.runtime import PathLike

_SMALL = 2**20


def write_hdf5(
    path: PathLike,
    *,
    arrays: Mapping[str, npt.NDArray[Any]],
    groups: tuple[str, ...],
    attributes: Mapping[str, Stored],
    compression: str | None,
    level: int,
    n_threads: int,
) -> Path:
    """Write validated arrays; names with slashes go into groups.

    Parameters
    ----------
    path : str or path-like
        The file.
    arrays : mapping
        Numeric arrays by their path inside the file.
    groups : tuple of str
        Groups that exist even if they are empty.
    attributes : mapping
        Attributes of the root group.
    compression : {'gzip', 'lzf', None}
        The filter.
    level : int
        Of gzip.
    n_threads : int
        Threads that compress.

    Returns
    -------
    Path
        The absolute path.
    """
    with atomic_write(path, buffering=0) as raw:
        stream, index = _RecordingStream(raw.fileno()), b""
        try:
            with open_stream(stream, write=True) as file:
                for name in sorted(attributes):
                    write_attribute(file, name, attributes[name])
                for group in groups:
                    file.require_group(group)
                for name, array in arrays.items():
                    _write_array(file, name, array, compression, level, n_threads, stream)
                # LZF takes libhdf5 to undo, so such a file is read as libhdf5 finds it
                if compression != "lzf" and stream.error is None:
                    found = {name: describe(file[name]) for name in arrays}
                    index = encode_index(found, groups, attributes)
        except Exception:
            if stream.error is None:
                raise
        if stream.error is not None:
            raise stream.error
        seal(raw.fileno(), n_threads, index)
    return absolute_path(path)


class _RecordingStream(io.RawIOBase):
    """What libhdf5 writes through. It is never told of a failure, because it does not survive one.

    The first error is kept for the caller, and later writes are accepted and dropped.
    """

    def __init__(self, descriptor: int) -> None:
        self.error: BaseException | None = None
        self._descriptor = descriptor
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        elif whence == os.SEEK_CUR:
            offset += self._position
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self.error is None:
            try:
                write_all(self._descriptor, data, self._position)
            except BaseException as error:
                self.error = error.with_traceback(None)  # a traceback would keep libhdf5's memory
        self._position += size
        return size

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        data = b""
        if self.error is None:
            try:
                data = os.pread(self._descriptor, len(target), self._position)
            except BaseException as error:
                self.error = error.with_traceback(None)  # a traceback would keep libhdf5's memory
        target[: len(data)] = data
        target[len(data) :] = bytes(len(target) - len(data))
        self._position += len(target)
        return len(target)

    def truncate(self, size: int | None = None) -> int:
        length = self._position if size is None else size
        if self.error is None:
            try:
                os.ftruncate(self._descriptor, length)
            except BaseException as error:
                self.error = error.with_traceback(None)  # a traceback would keep libhdf5's memory
        return length

    def flush(self) -> None:
        """Nothing is kept back."""


def _write_array(
    file: Any,
    name: str,
    array: npt.NDArray[Any],
    compression: str | None,
    level: int,
    n_threads: int,
    stream: _RecordingStream,
) -> None:
    if compression is None or array.size == 0 or array.ndim == 0:
        file.create_dataset(name, data=array)
        return
    chunks = chunk_shape(array.shape, array.dtype.itemsize)
    options = {"compression": compression, "shuffle": True}
    if compression != "gzip":
        file.create_dataset(name, data=array, chunks=chunks, **options)
        return
    dataset = file.create_dataset(
        name, array.shape, array.dtype, chunks=chunks, compression_opts=level, fillvalue=None, **options
    )
    for offset, data in _encoded(array, chunks, level, n_threads):
        if stream.error is not None:
            return
        dataset.id.write_direct_chunk(offset, data)


def _encoded(
    array: npt.NDArray[Any], chunks: tuple[int, ...], level: int, n_threads: int
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield offset and bytes of every chunk in order."""
    starts = (range(0, n, step) for n, step in zip(array.shape, chunks, strict=True))
    offsets = list(itertools.product(*starts))
    chunk_bytes = in_order(
        lambda offset: encode_chunk(_cut(array, offset, chunks), level),
        offsets,
        1 if array.nbytes <= _SMALL else n_threads,
    )
    return zip(offsets, chunk_bytes, strict=True)


def _cut(array: npt.NDArray[Any], offset: tuple[int, ...], chunks: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return one chunk in C order and scratch memory, padded with zeros where the array ends inside it."""
    part = array[tuple(slice(start, start + step) for start, step in zip(offset, chunks, strict=True))]
    chunk = scratch("chunk", math.prod(chunks) * array.dtype.itemsize).view(array.dtype).reshape(chunks)
    if part.shape != chunks:
        chunk[...] = 0
    chunk[tuple(slice(n) for n in part.shape)] = part
    return chunk
