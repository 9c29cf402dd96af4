"""The process that parses HDF5 files of unknown origin, and may die of them.

Links, layouts and external lists are looked at through names and creation properties before any
object is asked for its shape, because asking a virtual dataset already opens other files.
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

import h5py
import numpy as np
from h5py import h5a, h5d, h5l, h5o, h5t, h5z

from spectralbrain.io._hdf5_attributes import (
    Stored,
    _numbers_from_json,
    _numbers_to_json,
    read_attributes,
)
from spectralbrain.io._hdf5_contents import ROOT_ARRAYS

LENGTH = "<Q"
MAGIC_END = b"complete"
_ROOM = 2 * 2**30  # address space of Python, NumPy and libhdf5 themselves
_MANY = 10_000
_DEPTH = 8
_ATTRIBUTE_LIMIT = 2**26
_LZF = 32000
_FILTERS = {
    h5z.FILTER_DEFLATE,
    h5z.FILTER_SHUFFLE,
    h5z.FILTER_FLETCHER32,
    h5z.FILTER_SZIP,
    h5z.FILTER_NBIT,
    h5z.FILTER_SCALEOFFSET,
    _LZF,
}
_SLAB = 2**23


class Refusal(Exception):
    """The file is not worth, or not safe, reading on; the text says why."""


def main() -> None:
    """Parse the file behind a descriptor and send its arrays to standard output."""
    descriptor, limit, seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    _limit_resources(limit, seconds)
    output = os.fdopen(os.dup(1), "wb")
    try:
        with h5py.File(_Stream(descriptor), "r") as file:
            survey = Survey(file, limit)
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
        output.write(np.ascontiguousarray(dataset[()]).tobytes())
        return
    row = max(1, dataset.nbytes // len(dataset))
    step = max(1, _SLAB // row)
    if dataset.chunks:
        step = max(1, step // dataset.chunks[0]) * dataset.chunks[0]
    for start in range(0, len(dataset), step):
        output.write(np.ascontiguousarray(dataset[start : start + step]).data)


class Survey:
    """Everything in a file that this library would read, after all the checks."""

    def __init__(self, file: Any, limit: int) -> None:
        self.datasets: dict[str, Any] = {}
        self.groups: set[str] = set()
        self._left = limit
        self._visited = 0
        _check_attributes(file)
        self.attributes = read_attributes(file)
        self._visit(file.id, "", 0)

    def _visit(self, group: Any, prefix: str, depth: int) -> None:
        if depth > _DEPTH:
            raise Refusal(f"{prefix}: groups are nested too deeply, or in a loop")
        if group.get_num_objs() > _MANY:
            raise Refusal(f"/{prefix}: holds too many objects")
        for raw in group:
            self._visited += 1
            if self._visited > _MANY:
                raise Refusal("holds too many objects")
            name = prefix + raw.decode()
            if group.links.get_info(raw).type != h5l.TYPE_HARD:
                raise Refusal(f"{name}: a soft or external link, which is not followed")
            kind = h5o.get_info(group, raw).type
            if depth == 0 and name not in (*ROOT_ARRAYS, "descriptors", "mass"):
                continue
            if kind == h5o.TYPE_GROUP:
                self.groups.add(name)
                self._visit(h5o.open(group, raw), f"{name}/", depth + 1)
            elif kind == h5o.TYPE_DATASET:
                self._add(h5d.open(group, raw), name)
            else:
                raise Refusal(f"{name}: expected an array or a group")

    def _add(self, dataset: Any, name: str) -> None:
        creation = dataset.get_create_plist()
        if creation.get_layout() not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
            raise Refusal(f"{name}: a virtual dataset, whose data are in other files")
        if creation.get_external_count() > 0:
            raise Refusal(f"{name}: its data are in other files")
        for i in range(creation.get_nfilters()):
            if creation.get_filter(i)[0] not in _FILTERS:
                raise Refusal(f"{name}: needs the filter {creation.get_filter(i)[0]}, which is not known")
        if not _is_number(dataset.get_type()):
            raise Refusal(f"{name}: expected numbers")
        space = dataset.get_space()
        if space.get_simple_extent_type() == h5py.h5s.NULL:
            raise Refusal(f"{name}: expected an array, found a null dataspace")
        size = space.get_simple_extent_npoints() * dataset.get_type().get_size()
        if creation.get_layout() == h5d.CHUNKED:
            size = max(size, math.prod(creation.get_chunk()) * dataset.get_type().get_size())
        self._left -= size
        if self._left < 0:
            raise Refusal(f"{name}: declares {size} bytes, too many for a file of this size")
        self.datasets[name] = h5py.Dataset(dataset)


def _check_attributes(file: Any) -> None:
    if h5a.get_num_attrs(file.id) > _MANY:
        raise Refusal("holds too many attributes")
    left = _ATTRIBUTE_LIMIT
    for i in range(h5a.get_num_attrs(file.id)):
        attribute = h5a.open(file.id, index=i)
        kind = attribute.get_type()
        left -= max(1, attribute.get_space().get_simple_extent_npoints()) * kind.get_size()
        if left < 0:
            raise Refusal("the attributes declare too much data")
        if not (isinstance(kind, h5t.TypeStringID) or _is_number(kind)):
            raise Refusal(f"attribute {attribute.name!r}: expected text or numbers")


def _is_number(kind: Any) -> bool:
    if isinstance(kind, h5t.TypeEnumID):
        return bool(kind.dtype.kind == "b")
    return isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID)


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


def pack_attributes(attributes: dict[str, Stored]) -> dict[str, Any]:
    """Return attributes in a form that JSON can carry."""
    packed: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, h5py.Empty):
            packed[name] = {"empty": True}
        elif isinstance(value, str | list):
            packed[name] = {"text": value}
        else:
            packed[name] = {"numbers": _numbers_to_json(np.asarray(value))}
    return packed


def unpack_attributes(packed: dict[str, Any]) -> dict[str, Stored]:
    """Undo :func:`pack_attributes`."""
    attributes: dict[str, Stored] = {}
    for name, value in packed.items():
        if "empty" in value:
            attributes[name] = h5py.Empty("f4")
        elif "text" in value:
            attributes[name] = value["text"]
        else:
            array = _numbers_from_json(value["numbers"])
            attributes[name] = array if array.ndim else array[()]
    return attributes
