"""Read HDF5 files without an index: those of SpectralBrain 0.1.0, LZF, and whatever else comes along.

libhdf5 trusts what it parses, so a process of its own parses such files
(:mod:`spectralbrain.io._hdf5_guard`), under limits of time and memory; this side receives plain
arrays through a pipe and believes nothing that does not add up.
"""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._content import expansion_limit
from spectralbrain.io._hdf5_attributes import VERSION, Stored, unpack_attributes
from spectralbrain.io._hdf5_contents import PACKAGE_VERSION, ROOT_ARRAYS
from spectralbrain.io._hdf5_guard import LENGTH, MAGIC_END
from spectralbrain.io._hdf5_integrity import SealedFile
from spectralbrain.io._numbers import numeric_dtype

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEADER_LIMIT = 2**28
_SECONDS = 10.0  # of the processor, its start included
_BYTES_PER_SECOND = 10e6
_BUSY = 10  # how many times longer it may take by the clock, on a machine that has other work
_MANY = 10_000
_ATTRIBUTES = 2**24  # bytes: facts, not data
# What a good seal vouches for was written by one of us, or by somebody who took pains
_LZF_LIMIT = 88  # times that LZF can expand
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main()".format(
    module="spectralbrain.io._hdf5_guard"
)

Contents = tuple[dict[str, npt.NDArray[Any]], set[str], dict[str, Stored]]


def read_foreign(descriptor: int, path: Path, sealed: SealedFile | None = None) -> Contents:
    """Return arrays by path, groups and root attributes of a file without an index.

    Raises
    ------
    FormatError
        If a seal does not fit its bytes, or the file is not HDF5, refers to other files, declares more
        than it can hold, does not parse within the limits, or holds nothing this library knows.
    """
    size = os.fstat(descriptor).st_size
    if not _has_signature(descriptor, size):
        what = "an empty file" if size == 0 else "something else"
        raise FormatError(f"{path}: expected an HDF5 file, found {what}")
    if _is_truncated(descriptor, size):
        raise FormatError(f"{path}: the file is truncated")
    if sealed is not None:
        sealed.check()
    arrays, groups, attributes = _parse_elsewhere(descriptor, path, size, sealed is not None)
    if sealed is None and VERSION in attributes and attributes[VERSION] != 1:
        raise FormatError(f"{path}: its seal is missing: it was cut, damaged or changed after it was written")
    known = set(arrays) & set(ROOT_ARRAYS) or groups or {VERSION, PACKAGE_VERSION} & set(attributes)
    if not known:
        raise FormatError(f"{path}: expected a file of SpectralBrain, found another HDF5 file")
    return arrays, groups, attributes


def _has_signature(descriptor: int, size: int) -> bool:
    """Whether the HDF5 signature stands where the format allows it: at 0, 512, 1024, 2048 ..."""
    offset = 0
    while offset < size:
        if os.pread(descriptor, len(_SIGNATURE), offset) == _SIGNATURE:
            return True
        offset = max(512, 2 * offset)
    return False


def _is_truncated(descriptor: int, size: int) -> bool:
    """Whether the superblock of a newer format (versions 2 and 3) states a length beyond the end."""
    head = os.pread(descriptor, 36, 0)
    if len(head) < 36 or not head.startswith(_SIGNATURE) or head[8] not in (2, 3) or head[9] != 8:
        return False
    (end,) = struct.unpack_from("<Q", head, 28)
    return bool(end > size)


def _parse_elsewhere(descriptor: int, path: Path, size: int, sealed: bool) -> Contents:
    limit = expansion_limit(size)
    bounds = [limit, _MANY, _ATTRIBUTES]
    if sealed:  # what save_hdf5 wrote with LZF must come back
        limit += _LZF_LIMIT * size
        bounds = [limit, size, limit]
    seconds = _SECONDS + size / _BYTES_PER_SECOND
    command = [
        sys.executable,
        "-c",
        _START,
        json.dumps(sys.path),
        str(descriptor),
        str(seconds),
        *map(str, bounds),
    ]
    # Plugins are code named by the file; one thread keeps the address space small enough to limit.
    environment = os.environ | {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        env=environment,
    ) as process:
        watchdog = threading.Timer(_BUSY * seconds, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            assert process.stdout is not None
            return _receive(process.stdout, path, limit)
        finally:
            watchdog.cancel()
            process.kill()


def _receive(pipe: IO[bytes], path: Path, limit: int) -> Contents:
    (length,) = struct.unpack(LENGTH, _exactly(pipe, struct.calcsize(LENGTH), path))
    if length > _HEADER_LIMIT:
        raise FormatError(f"{path}: declares too much metadata")
    header = json.loads(_exactly(pipe, length, path))
    if "error" in header:
        raise FormatError(f"{path}: {header['error']}")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, dtype_text, shape in header["arrays"]:
        dtype = numeric_dtype(dtype_text)
        limit -= math.prod(shape) * dtype.itemsize
        if limit < 0:
            raise FormatError(f"{path}: {name}: declares too much data")
        arrays[name] = np.empty(shape, dtype)
        if arrays[name].size:
            _fill(pipe, arrays[name].reshape(-1).view(np.uint8).data, path)
    if _exactly(pipe, len(MAGIC_END), path) != MAGIC_END:
        raise FormatError(f"{path}: cannot be read as an HDF5 file")
    return arrays, set(header["groups"]), unpack_attributes(header["attributes"])


def _exactly(pipe: IO[bytes], size: int, path: Path) -> bytearray:
    data = bytearray(size)
    _fill(pipe, memoryview(data), path)
    return data


def _fill(pipe: IO[bytes], target: memoryview, path: Path) -> None:
    done = 0
    while done < len(target):
        count = pipe.readinto(target[done:])  # type: ignore[attr-defined]
        if not count:
            raise FormatError(f"{path}: cannot be read: damaged, or too costly to parse")
        done += count
