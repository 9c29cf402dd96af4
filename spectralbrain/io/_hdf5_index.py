"""The index of a sealed file: where each array lies and what the attributes are.

It repeats, as JSON text behind the HDF5 part, what libhdf5 would find by parsing. libhdf5 trusts the
structures that it parses, so that a forged file could make it hang or crash. A reader of ours takes
the index instead: plain numbers, of which each is held against the length of the file.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_attributes import Stored, pack_attributes, unpack_attributes
from spectralbrain.io._hdf5_contents import is_name_of_array
from spectralbrain.io._numbers import numeric_dtype

DEFLATE_LIMIT = 1032  # times that deflate can expand
_AXES = 32  # of HDF5
_BYTES = 2**63  # of an array in memory


@dataclass(frozen=True)
class Entry:
    """One array: stored as it is in one place, or as compressed chunks in the order of their offsets."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    chunks: tuple[int, ...] | None
    places: list[tuple[int, int]]  # offset and size of each piece


def describe(dataset: Any) -> dict[str, Any]:
    """Return the index's entry for an HDF5 dataset, all of whose data have been written."""
    shape, chunks = dataset.shape, dataset.chunks
    if chunks is None:
        offset = dataset.id.get_offset()  # None if there are no data
        places = [] if offset is None else [[offset, dataset.nbytes]]
    else:
        corners = itertools.product(*(range(0, n, step) for n, step in zip(shape, chunks, strict=True)))
        stored = map(dataset.id.get_chunk_info_by_coord, corners)
        places = [[chunk.byte_offset, chunk.size] for chunk in stored]
    return {"dtype": np.dtype(dataset.dtype.str).str, "shape": shape, "chunks": chunks, "places": places}


def encode_index(
    arrays: Mapping[str, Mapping[str, Any]], groups: tuple[str, ...], attributes: Mapping[str, Stored]
) -> bytes:
    """Return the index as JSON text."""
    index = {"arrays": arrays, "attributes": pack_attributes(attributes), "groups": sorted(groups)}
    return json.dumps(index, sort_keys=True, separators=(",", ":")).encode()


def decode_index(
    content: bytes, length: int, path: Path
) -> tuple[dict[str, Entry], set[str], dict[str, Stored]]:
    """Return arrays by path, groups and root attributes; `length` bytes lie before the index.

    Raises
    ------
    FormatError
        If it is not an index, or describes what such a file cannot hold.
    """
    try:
        index = json.loads(content)
        attributes = unpack_attributes(index["attributes"])
        groups = {str(group) for group in index["groups"]}
        entries = {name: _entry(name, fields, length) for name, fields in index["arrays"].items()}
        if sum(size for entry in entries.values() for _, size in entry.places) > length:
            raise ValueError("arrays lie on top of each other")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise FormatError(f"{path}: its index cannot be used ({error})") from error
    return entries, groups, attributes


def _entry(name: str, fields: Mapping[str, Any], length: int) -> Entry:
    if not is_name_of_array(name):
        raise ValueError(f"{name[:80]!r} is no array of this library")
    dtype, shape = numeric_dtype(fields["dtype"]), _sizes(fields["shape"])
    places = [(offset, size) for offset, size in map(_sizes, fields["places"])]
    if len(shape) > _AXES or dtype.itemsize * math.prod(max(n, 1) for n in shape) >= _BYTES:
        raise ValueError(f"{name}: no array is so large")
    if any(offset + size > length for offset, size in places):
        raise ValueError(f"{name}: beyond the end of the file")
    n_bytes = dtype.itemsize * math.prod(shape)
    if fields["chunks"] is None:
        if sum(size for _, size in places) != n_bytes or len(places) != bool(n_bytes):
            raise ValueError(f"{name}: expected {n_bytes} bytes")
        return Entry(dtype, shape, None, places)
    chunks = _sizes(fields["chunks"])
    if len(chunks) != len(shape) or not all(0 < c <= n for c, n in zip(chunks, shape, strict=True)):
        raise ValueError(f"{name}: chunks {chunks} do not fit the shape {shape}")
    if len(places) != math.prod(-(-n // c) for c, n in zip(chunks, shape, strict=True)):
        raise ValueError(f"{name}: chunks are missing")
    if any(dtype.itemsize * math.prod(chunks) > DEFLATE_LIMIT * size for _, size in places):
        raise ValueError(f"{name}: declares more than its bytes can expand to")
    return Entry(dtype, shape, chunks, places)


def _sizes(numbers: Any) -> tuple[int, ...]:
    if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError("expected sizes, found something else")
    return tuple(numbers)
