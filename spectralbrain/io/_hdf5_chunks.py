"""Chunks of an HDF5 dataset: their shape, and their bytes as the shuffle and deflate filters make them.

Ready-made chunks are written past libhdf5's own filters, which use one thread and zlib. The bytes
are an ordinary zlib stream (RFC 1950), so any HDF5 library reads them. What makes them fast: after
the shuffle, byte k of all numbers stands together, and the low bytes of measured numbers are
noise, which deflate cannot shrink; these runs are told by a sample and stored as they are
(RFC 1951, 3.2.4), and only the rest is compressed.
"""

from __future__ import annotations

import math
import struct
import threading
import zlib
from itertools import groupby
from typing import Any

import deflate
import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError

CHUNK_BYTES = 2 * 2**20
# Narrow chunks let a reader of the first modes leave the others on the disk.
MODES_PER_CHUNK = 25
_SAMPLE = 16 * 1024
_STORED_MAX = 65535
_WORTH = 0.98  # a run that shrinks by less than two per cent is stored
# Exponents and leading digits of noise: the levels up to 4 differ by one per cent of their size
# there, and by half of the time.
_NOISY = 0.3
_NO_GAIN = 4


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the chunk shape for an array: about 2 MiB, axes cut evenly so that padding stays small.

    Examples
    --------
    >>> chunk_shape((163842, 300), 8)
    (10241, 25)
    >>> chunk_shape((7,), 8)
    (7,)
    """
    budget = max(1, CHUNK_BYTES // itemsize)
    tail = list(shape[1:])
    if len(tail) == 1:
        tail[0] = _cut_evenly(tail[0], max(1, round(tail[0] / MODES_PER_CHUNK)))
    while math.prod(tail) > budget:
        widest = int(np.argmax(tail))
        tail[widest] = _cut_evenly(tail[widest], 2)
    rows = max(1, budget // math.prod(tail))
    return (_cut_evenly(shape[0], math.ceil(shape[0] / rows)), *tail)


def _cut_evenly(length: int, pieces: int) -> int:
    return math.ceil(length / pieces)


_buffers = threading.local()


def scratch(use: str, size: int) -> npt.NDArray[np.uint8]:
    """Return `size` bytes that this thread may use until it asks again for the same `use`.

    Memory that is new to the process costs more than the work done in it.
    """
    buffer: npt.NDArray[np.uint8] | None = getattr(_buffers, use, None)
    if buffer is None or buffer.size < size:
        buffer = np.empty(max(size, CHUNK_BYTES), np.uint8)
        if size <= 2 * CHUNK_BYTES:
            setattr(_buffers, use, buffer)
    return buffer[:size]


def encode_chunk(chunk: npt.NDArray[Any], level: int) -> bytes:
    """Shuffle and deflate one whole chunk (C order) into a zlib stream."""
    planes = _shuffle(chunk)
    parts = _compress_planes(planes, level) if level else [_stored(planes.reshape(-1).data, last=True)]
    # 0x78: deflate with a window of 32 KiB; the second byte makes the pair a multiple of 31
    checksum = struct.pack(">I", deflate.adler32(planes.data))
    return b"".join((b"\x78\x01", *parts, checksum))


def decode_chunk(
    data: bytes | memoryview, dtype: np.dtype[Any], shape: tuple[int, ...], *, shuffled: bool
) -> npt.NDArray[Any]:
    """Undo :func:`encode_chunk`, or libhdf5's own filters.

    The result may live in :func:`scratch` memory: copy it before the next call.

    Raises
    ------
    FormatError
        If the stream is damaged or does not hold exactly one chunk.
    """
    size = math.prod(shape) * dtype.itemsize
    try:
        raw = deflate.zlib_decompress(data, size)
    except (deflate.DeflateError, ValueError) as error:
        raise FormatError(f"a compressed chunk is damaged ({error})") from error
    if len(raw) != size:
        raise FormatError(f"a compressed chunk holds {len(raw)} bytes, expected {size}")
    if not shuffled or dtype.itemsize == 1:
        return np.frombuffer(raw, dtype).reshape(shape)
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    unshuffled = scratch("unshuffled", size).reshape(planes.shape[::-1])
    for i, plane in enumerate(planes):
        unshuffled[:, i] = plane
    return unshuffled.reshape(-1).view(dtype).reshape(shape)


def _shuffle(chunk: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return (itemsize, n) bytes: byte i of every number in row i, as HDF5's shuffle filter."""
    rows = chunk.reshape(-1).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    planes = scratch("shuffled", rows.size).reshape(rows.shape[::-1])
    for i, plane in enumerate(planes):
        plane[:] = rows[:, i]
    return planes


def _compress_planes(planes: npt.NDArray[np.uint8], level: int) -> list[bytes]:
    """Return the deflate blocks of all planes, runs of noise stored and the others compressed."""
    ratios = [_sampled_ratio(plane) for plane in planes]
    runs = [list(run) for _, run in groupby(range(len(planes)), lambda i: ratios[i] < _WORTH)]
    parts = []
    for run in runs:
        last = run[-1] == len(planes) - 1
        data = planes[run[0] : run[-1] + 1].reshape(-1).data
        if ratios[run[0]] >= _WORTH:
            parts.append(_stored(data, last=last))
        elif last:
            noisy = sum(ratios[i] for i in run) > _NOISY * len(run)
            parts.append(deflate.deflate_compress(data, 1 if noisy and level <= _NO_GAIN else level))
        else:
            # libdeflate always marks the end of the stream; zlib can go on
            stream = zlib.compressobj(level, zlib.DEFLATED, -15)
            parts += [stream.compress(data), stream.flush(zlib.Z_FULL_FLUSH)]
    return parts


def _sampled_ratio(plane: npt.NDArray[np.uint8]) -> float:
    """Estimate compressed over plain size, by repeats within a sample and by uneven byte counts."""
    if plane.size <= _SAMPLE:
        return 0.0
    start = (plane.size - _SAMPLE) // 2
    ratio = len(deflate.deflate_compress(plane[start : start + _SAMPLE].data, 1)) / _SAMPLE
    if ratio < _WORTH:
        return ratio
    sample = plane[:: plane.size // _SAMPLE]
    counts = np.bincount(sample, minlength=256)
    share = counts[counts > 0] / sample.size
    return float(-(share * np.log2(share)).sum() / 8)


def _stored(data: memoryview, *, last: bool) -> bytes:
    """Return `data` as stored deflate blocks; never empty, so that `last` has a block to mark."""
    parts: list[bytes | memoryview] = []
    starts = range(0, max(1, len(data)), _STORED_MAX)
    for start in starts:
        piece = data[start : start + _STORED_MAX]
        final = last and start == starts[-1]
        parts += [struct.pack("<BHH", final, len(piece), len(piece) ^ 0xFFFF), piece]
    return b"".join(parts)
