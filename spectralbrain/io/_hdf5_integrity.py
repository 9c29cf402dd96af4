"""The seal of a file: digests of all its blocks, appended where HDF5 does not look.

An HDF5 file states its own length, and libraries ignore what follows. There stand an index of what
the file holds (:mod:`spectralbrain.io._hdf5_index`), the digests of every 64 KiB block (SHA-256,
first 16 bytes) and a footer with the digest of the digests. A reader checks the footer once, and
each block before any other code sees its bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from spectralbrain.errors import FormatError

BLOCK = 2**16
DIGEST = 16
# magic, version of the seal, block size, length of the HDF5 part and the index, length of the index
_HEAD = struct.Struct("<8sIIQQ")
MAGIC = b"SBsealed"
_SEAL_VERSION = 1
FOOTER = _HEAD.size + hashlib.sha256().digest_size
_BATCH = 32 * BLOCK


def seal(descriptor: int, n_threads: int, index: bytes = b"") -> None:
    """Append index and digests to a finished HDF5 file, and flush the file to the disk meanwhile."""
    write_all(descriptor, index, os.fstat(descriptor).st_size)
    length = os.fstat(descriptor).st_size
    starts = range(0, length, _BATCH)
    with ThreadPoolExecutor(n_threads) as pool:
        parts = pool.map(
            lambda start: _digests(_pread(descriptor, start, min(_BATCH, length - start))), starts
        )
        os.fsync(descriptor)  # the caller waits for the disk, the others compute
        digests = b"".join(parts)
    head = _HEAD.pack(MAGIC, _SEAL_VERSION, BLOCK, length, len(index))
    write_all(descriptor, digests + head + _root(digests, head), length)


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write every byte at an offset, however few the system takes at a time."""
    rest = memoryview(data).cast("B")
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def open_regular(path: Path) -> int:
    """Open a file for reading without locks; refuse what is not a file before it can block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(21, "Is a directory", str(path))
    raise FormatError(f"{path}: expected a regular file, found a device, pipe or socket")


class SealedFile:
    """A file with a good seal; every byte that it hands out has been checked.

    Safe for use by several threads at once.
    """

    def __init__(
        self, descriptor: int, path: Path, length: int, index_length: int, digests: bytes | bytearray
    ) -> None:
        self.descriptor = descriptor
        self.path = path
        self.length = length
        self.index_length = index_length
        self._digests = digests

    @classmethod
    def find(cls, descriptor: int, path: Path) -> SealedFile | None:
        """Return the sealed file behind a descriptor, None if it bears no seal.

        Raises
        ------
        FormatError
            If there is a seal, but a broken one.
        """
        size = os.fstat(descriptor).st_size
        footer = os.pread(descriptor, FOOTER, max(0, size - FOOTER))
        if len(footer) < FOOTER or not footer.startswith(MAGIC):
            return None
        head, root = footer[: _HEAD.size], footer[_HEAD.size :]
        _, version, block, length, index_length = _HEAD.unpack(head)
        n_bytes = DIGEST * -(-length // BLOCK)
        known = version == _SEAL_VERSION and block == BLOCK and index_length <= length
        if not known or length + n_bytes + FOOTER != size:
            raise FormatError(f"{path}: the seal at its end is damaged, or the file was cut or extended")
        digests = _pread(descriptor, length, n_bytes)
        if _root(digests, head) != root:
            raise FormatError(f"{path}: the seal at its end is damaged")
        return cls(descriptor, path, length, index_length, digests)

    def read(self, offset: int, size: int, allocate: Callable[[int], Any] = bytearray) -> memoryview:
        """Return checked bytes of the HDF5 part or the index, in memory that `allocate` provides."""
        if offset < 0 or size < 0 or offset + size > self.length:
            raise FormatError(f"{self.path}: expected {size} bytes at {offset}, found the end of the file")
        start = offset // BLOCK * BLOCK
        end = min(-(-(offset + size) // BLOCK) * BLOCK, self.length)
        data = memoryview(allocate(end - start))
        _pread_into(self.descriptor, start, data)
        found = _digests(data)
        first = start // BLOCK * DIGEST
        if found != self._digests[first : first + len(found)]:
            raise FormatError(f"{self.path}: bytes {start} to {end} are damaged: their digest does not match")
        return data[offset - start : offset - start + size]

    def index(self) -> bytes:
        """Return the index; empty if there is none."""
        return bytes(self.read(self.length - self.index_length, self.index_length))

    def check(self) -> None:
        """Check every byte."""
        for start in range(0, self.length, _BATCH):
            self.read(start, min(_BATCH, self.length - start))

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def _digests(data: bytes | bytearray | memoryview) -> bytes:
    view = memoryview(data)
    return b"".join(
        hashlib.sha256(view[start : start + BLOCK]).digest()[:DIGEST] for start in range(0, len(view), BLOCK)
    )


def _root(digests: bytes | bytearray, head: bytes) -> bytes:
    return hashlib.sha256(digests + head).digest()


def _pread(descriptor: int, offset: int, size: int) -> bytearray:
    data = bytearray(size)
    _pread_into(descriptor, offset, memoryview(data))
    return data


def _pread_into(descriptor: int, offset: int, target: memoryview) -> None:
    """Fill `target`; where the file has shrunk meanwhile, its digests will not match."""
    done = 0
    while done < len(target):
        count = os.preadv(descriptor, [target[done:]], offset + done)
        if count == 0:
            return
        done += count
