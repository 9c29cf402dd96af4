"""NumPy archives: the same bytes every time, no pickles, no name that leaves the archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.io._content import expansion_limit

# Marks archives whose unsafe names we quoted; others are read as they are.
_COMMENT = b"spectralbrain npz 1"
_QUOTED = "%"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_npz(stream: BinaryIO, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write validated arrays, sorted by name."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.comment = _COMMENT
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(member_name(name), date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, arrays[name], allow_pickle=False)


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
                return _read_members(archive, path)
        except FormatError:
            raise
        except MemoryError:
            raise
        except Exception as error:
            raise FormatError(f"{path}: not a readable NumPy archive ({error})") from error


def _read_members(archive: zipfile.ZipFile, path: Path) -> dict[str, npt.NDArray[Any]]:
    ours = archive.comment == _COMMENT
    arrays: dict[str, npt.NDArray[Any]] = {}
    declared = sum(entry.file_size for entry in archive.infolist())
    size = path.stat().st_size
    if declared > expansion_limit(size):
        raise FormatError(f"{path}: {declared} bytes are declared, too many for a file of {size}")
    for entry in archive.infolist():
        if not entry.filename.endswith(".npy"):
            raise FormatError(f"{path}: expected arrays only, found {entry.filename!r}")
        name = entry.filename.removesuffix(".npy")
        if ours and name.startswith(_QUOTED):
            name = unquote(name[1:], errors="surrogatepass")
        if name in arrays:
            raise FormatError(f"{path}: {name!r} occurs twice")
        arrays[name] = _read_array(archive.read(entry), f"{path}: {name!r}")
    return arrays


def _read_array(content: bytes, where: str) -> npt.NDArray[Any]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if header is None:
        raise FormatError(f"{where}: unknown npy version {version}")
    shape, fortran, dtype = header(stream)
    if dtype.hasobject:
        raise FormatError(f"{where}: holds pickled objects, which are never loaded")
    start = stream.tell()
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length
    if any(length < 0 for length in shape) or len(content) - start != n_bytes:
        raise FormatError(f"{where}: shape {shape} does not fit {len(content) - start} bytes of data")
    flat = np.frombuffer(content, dtype, offset=start) if n_bytes else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if fortran else "C").copy(order="K")
