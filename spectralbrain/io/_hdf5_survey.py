"""Look through an HDF5 file before anything in it is used.

Links, layouts and external lists are looked at through names and creation properties before any
object is asked for its shape, because asking a virtual dataset already opens other files.
"""

from __future__ import annotations

import math
from typing import Any

import h5py
from h5py import h5a, h5d, h5l, h5o, h5t, h5z

from spectralbrain.io._hdf5_attributes import Stored, read_attribute
from spectralbrain.io._hdf5_contents import ROOT_ARRAYS

_GROUPS = ("descriptors", "mass")
_DEPTH = 8
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


class Refusal(Exception):
    """The file is not worth, or not safe, reading on; the text says why."""


class Survey:
    """Everything in a file that this library would read, after all the checks."""

    def __init__(self, file: Any, limit: int, many: int, attribute_limit: int) -> None:
        self.datasets: dict[str, Any] = {}
        self.groups: set[str] = set()
        self._left = limit
        self._many = many
        self._visited = 0
        self.attributes = self._read_attributes(file, attribute_limit)
        self._visit(file.id, "", 0)

    def _visit(self, group: Any, prefix: str, depth: int) -> None:
        if depth > _DEPTH:
            raise Refusal(f"{prefix}: groups are nested too deeply, or in a loop")
        if group.get_num_objs() > self._many:
            raise Refusal(f"/{prefix}: holds too many objects")
        for raw in group:
            self._visited += 1
            if self._visited > self._many:
                raise Refusal("holds too many objects")
            name = prefix + raw.decode()
            if group.links.get_info(raw).type != h5l.TYPE_HARD:
                raise Refusal(f"{name}: a soft or external link, which is not followed")
            kind = h5o.get_info(group, raw).type
            if depth == 0 and name not in (*ROOT_ARRAYS, *_GROUPS):
                continue
            if depth == 0 and (kind == h5o.TYPE_GROUP) != (name in _GROUPS):
                raise Refusal(f"{name}: expected {'a group' if name in _GROUPS else 'an array'}")
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

    def _read_attributes(self, file: Any, limit: int) -> dict[str, Stored]:
        if h5a.get_num_attrs(file.id) > self._many:
            raise Refusal("holds too many attributes")
        names: list[bytes] = []
        h5a.iterate(file.id, names.append)  # opening by number would list them all for each
        attributes: dict[str, Stored] = {}
        for name in names:
            attribute = h5a.open(file.id, name)
            kind = attribute.get_type()
            size = max(1, attribute.get_space().get_simple_extent_npoints()) * kind.get_size()
            self._left -= size
            limit -= size
            if self._left < 0 or limit < 0:
                raise Refusal("the attributes declare too much data")
            if not (isinstance(kind, h5t.TypeStringID) or _is_number(kind)):
                raise Refusal(f"attribute {attribute.name!r}: expected text or numbers")
            attributes[name.decode("utf-8", "surrogateescape")] = read_attribute(attribute)
        return attributes


def _is_number(kind: Any) -> bool:
    if isinstance(kind, h5t.TypeEnumID):
        return bool(kind.dtype.kind == "b")
    return isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID)
