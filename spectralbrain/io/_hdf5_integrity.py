"""The seal of a file: digests of all its blocks, appended where HDF5 does not look.

An HDF5 file states its own length, and libraries ignore what follows. There stand the digests of
every 64 KiB block (SHA-256, first 16 bytes) and a footer with the digest of the digests. A reader
checks the footer once, and each block before any other code sees its bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import stat
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from spectralbrain.errors import FormatError

BLOCK = 2**16
DIGEST = 16
# magic, version of the seal, block size, length of the HDF5 part, zeros, digest of all that precedes
_HEAD = struct.Struct("<8sIIQ8s")
MAGIC = b"SBsealed"
_SEAL_VERSION = 1
_ZEROS = bytes(8)
FOOTER = _HEAD.size + hashlib.sha256().digest_size
_BATCH = 32 * BLOCK


def seal(descriptor: int, n_threads: int) -> None:
    """Append the digests of a finished HDF5 file, and flush the file to the disk meanwhile."""
    length = os.fstat(descriptor).st_size
    starts = range(0, length, _BATCH)
    with ThreadPoolExecutor(n_threads + 1) as pool:
        flushed = pool.submit(os.fsync, descriptor)
        digests = b"".join(
            pool.map(lambda start: _digests(_pread(descriptor, start, min(_BATCH, length - start))), starts)
        )
        flushed.result()
    head = _HEAD.pack(MAGIC, _SEAL_VERSION, BLOCK, length, _ZEROS)
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

    def __init__(self, descriptor: int, path: Path, length: int, digests: bytes | bytearray) -> None:
        self.descriptor = descriptor
        self.path = path
        self.length = length
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
        _, version, block, length, _ = _HEAD.unpack(head)
        n_bytes = DIGEST * math.ceil(length / BLOCK)
        if version != _SEAL_VERSION or block != BLOCK or length + n_bytes + FOOTER != size:
            raise FormatError(f"{path}: the seal at its end is damaged, or the file was cut or extended")
        digests = _pread(descriptor, length, n_bytes)
        if _root(digests, head) != root:
            raise FormatError(f"{path}: the seal at its end is damaged")
        return cls(descriptor, path, length, digests)

    def read(self, offset: int, size: int, allocate: Callable[[int], Any] = bytearray) -> memoryview:
        """Return checked bytes of the HDF5 part, in memory that `allocate` provides."""
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

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


class SealedStream(io.RawIOBase):
    """What libhdf5 reads a sealed file through: it is given checked bytes only."""

    _KEEP = 64  # blocks, 4 MiB: libhdf5 comes back to the same structures

    def __init__(self, file: SealedFile) -> None:
        self.file = file
        self.error: FormatError | OSError | None = None
        self._position = 0
        self._blocks: OrderedDict[int, memoryview] = OrderedDict()

    def readable(self) -> bool:
        """Say that the stream can be read."""
        return True

    def seekable(self) -> bool:
        """Say that the stream can be positioned."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.file.length}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """Return the current offset."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, up to the end of the HDF5 part."""
        target = memoryview(buffer).cast("B")
        size = max(0, min(len(target), self.file.length - self._position))
        try:
            done = 0
            while done < size:
                piece = self._rest_of_block(self._position + done)[: size - done]
                target[done : done + len(piece)] = piece
                done += len(piece)
        except (FormatError, OSError) as error:
            # An error that crosses libhdf5, or whose traceback outlives `buffer`, ends in a crash at
            # exit. So libhdf5 gets zeros, and `reporting` raises the error when it is done with them.
            self.error = self.error or error.with_traceback(None)
            target[:size] = bytes(size)
        self._position += size
        return size

    def _rest_of_block(self, offset: int) -> memoryview:
        index, within = divmod(offset, BLOCK)
        if index not in self._blocks:
            start = index * BLOCK
            self._blocks[index] = self.file.read(start, min(BLOCK, self.file.length - start))
            while len(self._blocks) > self._KEEP:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(index)
        return self._blocks[index][within:]


@contextlib.contextmanager
def reporting(stream: SealedStream, path: Path) -> Iterator[None]:
    """Raise what the stream met while libhdf5 read it, and a FormatError where h5py gives up."""
    try:
        yield
    except (FormatError, MemoryError):
        if stream.error is None:
            raise
    except Exception as error:
        if stream.error is None:
            raise FormatError(f"{path}: cannot be read as an HDF5 file of this library ({error})") from error
    if stream.error is not None:
        raise stream.error


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
