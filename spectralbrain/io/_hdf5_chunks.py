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
    unshuffled = np.empty(planes.shape[::-1], np.uint8)
    for i, plane in enumerate(planes):
        unshuffled[:, i] = plane
    return unshuffled.reshape(-1).view(dtype).reshape(shape)


def _shuffle(chunk: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return (itemsize, n) bytes: byte i of every number in row i, as HDF5's shuffle filter."""
    rows = chunk.reshape(-1).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    planes = np.empty(rows.shape[::-1], np.uint8)
    for i, plane in enumerate(planes):
        plane[:] = rows[:, i]
    return planes


def _compress_planes(planes: npt.NDArray[np.uint8], level: int) -> list[bytes]:
    """Return the deflate blocks of all planes, runs of noise stored and the others compressed."""
    runs = [(shrinks, list(run)) for shrinks, run in groupby(planes, _shrinks)]
    parts = []
    for i, (shrinks, run) in enumerate(runs):
        last = i == len(runs) - 1
        data = run[0].data if len(run) == 1 else np.concatenate(run).data
        if not shrinks:
            parts.append(_stored(data, last=last))
        elif last:
            parts.append(deflate.deflate_compress(data, level))
        else:
            # libdeflate always marks the end of the stream; zlib can go on
            stream = zlib.compressobj(level, zlib.DEFLATED, -15)
            parts += [stream.compress(data), stream.flush(zlib.Z_FULL_FLUSH)]
    return parts


def _shrinks(plane: npt.NDArray[np.uint8]) -> bool:
    """Whether compression is worth its time, by a sample: repeats within it, or uneven byte counts."""
    if plane.size <= _SAMPLE:
        return True
    start = (plane.size - _SAMPLE) // 2
    if len(deflate.deflate_compress(plane[start : start + _SAMPLE].data, 1)) < _WORTH * _SAMPLE:
        return True
    sample = plane[:: plane.size // _SAMPLE]
    counts = np.bincount(sample, minlength=256)
    share = counts[counts > 0] / sample.size
    return bool(-(share * np.log2(share)).sum() < 8 * _WORTH)


def _stored(data: memoryview, *, last: bool) -> bytes:
    """Return `data` as stored deflate blocks; never empty, so that `last` has a block to mark."""
    parts: list[bytes | memoryview] = []
    starts = range(0, max(1, len(data)), _STORED_MAX)
    for start in starts:
        piece = data[start : start + _STORED_MAX]
        final = last and start == starts[-1]
        parts += [struct.pack("<BHH", final, len(piece), len(piece) ^ 0xFFFF), piece]
    return b"".join(parts)
