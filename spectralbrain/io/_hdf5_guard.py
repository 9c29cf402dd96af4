"""The process that parses HDF5 files of unknown origin, and may die of them.

What it reads is what :class:`~spectralbrain.io._hdf5_survey.Survey` lets pass.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import struct
import sys
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.io._hdf5_attributes import pack_attributes
from spectralbrain.io._hdf5_stream import open_stream
from spectralbrain.io._hdf5_survey import Refusal, Survey

LENGTH = "<Q"
MAGIC_END = b"complete"
_ROOM = 2 * 2**30  # address space of Python, NumPy and libhdf5 themselves
_SLAB = 2**23


def main() -> None:
    """Parse the file behind a descriptor and send its arrays to standard output."""
    descriptor, seconds = int(sys.argv[2]), float(sys.argv[3])
    limit, many, attribute_limit = map(int, sys.argv[4:])
    _limit_resources(limit, seconds)
    output = os.fdopen(os.dup(1), "wb")
    try:
        with open_stream(_Stream(descriptor)) as file:
            survey = Survey(file, limit, many, attribute_limit)
            header: dict[str, Any] = {
                "attributes": pack_attributes(survey.attributes),
                "groups": sorted(survey.groups),
                "arrays": [(name, ds.dtype.str, ds.shape) for name, ds in survey.datasets.items()],
            }
            _send(output, header)
            for dataset in survey.datasets.values():
                _send_values(output, dataset)
            output.write(MAGIC_END)
    except Refusal as refusal:
        _send(output, {"error": str(refusal)})
    except Exception as error:
        # what was sent so far makes no sense without its end, so the other side raises
        _send(output, {"error": f"cannot be read as an HDF5 file ({error})"})
    output.flush()
    os._exit(0)  # libhdf5's own clean-up may not survive the file either


def _limit_resources(limit: int, seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    cpu = math.ceil(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    memory = _ROOM + 2 * limit
    if sys.platform == "linux":  # macOS refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _send(output: BinaryIO, header: dict[str, Any]) -> None:
    text = json.dumps(header).encode()
    output.write(struct.pack(LENGTH, len(text)) + text)


def _send_values(output: BinaryIO, dataset: Any) -> None:
    if dataset.size == 0:
        return
    if dataset.ndim == 0:
        output.write(np.asarray(dataset[()], dataset.dtype).tobytes())  # h5py makes single values native
        return
    row = max(1, dataset.nbytes // len(dataset))
    step = max(1, _SLAB // row)
    if dataset.chunks:
        step = max(1, step // dataset.chunks[0]) * dataset.chunks[0]
    for start in range(0, len(dataset), step):
        output.write(np.ascontiguousarray(dataset[start : start + step]).data)


class _Stream(io.RawIOBase):
    """A file behind a descriptor, read without locks and without moving its shared position."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count
