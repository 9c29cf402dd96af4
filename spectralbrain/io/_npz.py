"""NumPy archives: the same bytes every time, no pickles, no name that leaves the archive."""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

import deflate
import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.io._content import expansion_limit

# The archive's comment: this, and a digest of names and checksums; other archives are read as they are.
_MARK = b"spectralbrain npz 1 "
_QUOTED = "%"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DEFLATE_LIMIT = 1032  # no deflate stream expands further
_SAMPLE = 16 * 1024
_WORTH = 0.9  # np.load reads stored arrays much faster; a tenth of the size is worth less


def write_npz(stream: BinaryIO, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write validated arrays, sorted by name; those that compression cannot help are stored."""
    with zipfile.ZipFile(stream, "w", allowZip64=True) as archive:
        for name in sorted(arrays):
            array = arrays[name] if arrays[name].flags.forc else np.ascontiguousarray(arrays[name])
            entry = zipfile.ZipInfo(member_name(name), date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if _shrinks(array) else zipfile.ZIP_STORED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = _comment(archive)


def _shrinks(array: npt.NDArray[Any]) -> bool:
    """Whether compression is worth its time, by samples of the array."""
    if array.nbytes <= 4 * _SAMPLE:
        return True
    data = array.reshape(-1, order="A").view(np.uint8)
    starts = range(0, data.size - _SAMPLE, (data.size - _SAMPLE) // 3)
    return any(
        len(deflate.deflate_compress(data[start : start + _SAMPLE].data, 1)) < _WORTH * _SAMPLE
        for start in starts
    )


def _comment(archive: zipfile.ZipFile) -> bytes:
    entries = repr([(entry.filename, entry.CRC) for entry in archive.infolist()])
    return _MARK + hashlib.sha256(entries.encode()).hexdigest().encode()


def member_name(name: str) -> str:
    """Return the file name inside the archive; names that could leave it are quoted.

    Raises
    ------
    ArrayError
        If the name is longer than an archive can store.

    Examples
    --------
    >>> member_name("hks"), member_name("../hks")
    ('hks.npy', '%..%2Fhks.npy')
    """
    parts = name.split("/")
    safe = name.isprintable() and not any(part in (".", "..") for part in parts)
    safe = safe and not name.startswith(("/", _QUOTED)) and not set(name) & set("\\:")
    member = f"{name if safe else _QUOTED + quote(name, safe='', errors='surrogatepass')}.npy"
    if len(member.encode()) > 60_000:
        raise ArrayError(f"{name[:40]!r}...: expected a name that fits into an archive")
    return member


def read_npz(path: Path, descriptor: int) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an archive."""
    with open(descriptor, "rb", closefd=False) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                _check_end(archive.comment, path, descriptor)
                return _read_members(archive, path, os.fstat(descriptor).st_size)
        except FormatError:
            raise
        except MemoryError:
            raise
        except Exception as error:
            raise FormatError(f"{path}: not a readable NumPy archive ({error})") from error


def _check_end(comment: bytes, path: Path, descriptor: int) -> None:
    """Check that the archive ends with its comment as it declares: zipfile takes a shorter one as well."""
    length = os.pread(descriptor, 2, os.fstat(descriptor).st_size - len(comment) - 2)
    if int.from_bytes(length, "little") != len(comment):
        raise FormatError(f"{path}: the archive is truncated, or followed by something else")


def _read_members(archive: zipfile.ZipFile, path: Path, size: int) -> dict[str, npt.NDArray[Any]]:
    ours = archive.comment.startswith(_MARK)
    if ours and archive.comment != _comment(archive):
        raise FormatError(f"{path}: the table of contents is damaged")
    arrays: dict[str, npt.NDArray[Any]] = {}
    declared = sum(entry.file_size for entry in archive.infolist())
    if declared > (_DEFLATE_LIMIT * size if ours else expansion_limit(size)):
        raise FormatError(f"{path}: {declared} bytes are declared, too many for a file of {size}")
    for entry in archive.infolist():
        if not entry.filename.endswith(".npy"):
            raise FormatError(f"{path}: expected arrays only, found {entry.filename!r}")
        name = entry.filename.removesuffix(".npy")
        if name.startswith(_QUOTED):
            if not ours:
                raise FormatError(f"{path}: a name that begins with {_QUOTED!r} is not known to be quoted")
            name = unquote(name[1:], errors="surrogatepass")
        if name in arrays:
            raise FormatError(f"{path}: {name!r} occurs twice")
        arrays[name] = _read_array(archive, entry, f"{path}: {name!r}")
    return arrays


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> npt.NDArray[Any]:
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        if version not in _HEADERS:
            raise FormatError(f"{where}: unknown npy version {version}")
        shape, fortran, dtype = _HEADERS[version](member)
        if dtype.hasobject:
            raise FormatError(f"{where}: holds pickled objects, which are never loaded")
        n_bytes = entry.file_size - member.tell()
        # before anything is allocated: the shape may be a lie
        if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != n_bytes:
            raise FormatError(f"{where}: shape {shape} does not fit {n_bytes} bytes of data")
        flat = np.empty(n_bytes, np.uint8)
        done = 0
        while data := member.read(_PIECE):  # the read that finds the end checks the checksum
            if done + len(data) > n_bytes:
                raise FormatError(f"{where}: holds more data than it declares")
            flat[done : done + len(data)] = np.frombuffer(data, np.uint8)
            done += len(data)
    if done != n_bytes:
        raise FormatError(f"{where}: ends too early")
    values = flat.view(dtype) if n_bytes else np.empty(0, dtype)
    return values.reshape(shape, order="F" if fortran else "C")


_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_PIECE = 2**20
