"""Read per-vertex labels: FreeSurfer .annot and .label, GIFTI, CIFTI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.io._content import identify, parse_numbers
from spectralbrain.io._gifti_xml import GiftiFile, parse_gifti
from spectralbrain.runtime import BoolArray, IntArray, VertexLabels, as_array

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class SurfaceLabels:
    """Which region each vertex belongs to.

    Attributes
    ----------
    keys : (N,) array of int
        The key of each vertex; -1 for a vertex that no entry of the table covers.
    table : mapping of int to str
        Names of the keys. It may hold keys that no vertex has.

    Examples
    --------
    >>> labels = SurfaceLabels([0, 2, 2], {0: "unknown", 2: "insula"})
    >>> labels.mask("insula").tolist()
    [False, True, True]
    """

    keys: VertexLabels
    table: Mapping[int, str]

    def __post_init__(self) -> None:
        keys = np.array(as_array(self.keys, VertexLabels, name="keys"))
        keys.setflags(write=False)
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "table", {int(key): str(name) for key, name in self.table.items()})

    @property
    def n_vertices(self) -> int:
        """Number of vertices N."""
        return len(self.keys)

    def mask(self, region: int | str) -> BoolArray:
        """Return which vertices belong to a region, given by key or by name, (N,) array of bool.

        Raises
        ------
        ArrayError
            If no entry of the table has that key or name.
        """
        if isinstance(region, str):
            keys = [key for key, name in self.table.items() if name == region]
        else:
            keys = [key for key in self.table if key == region]
        if not keys:
            known = ", ".join(list(self.table.values())[:10])
            raise ArrayError(f"region: expected one of {known} ..., found {region!r}")
        found: BoolArray = np.isin(self.keys, keys)
        return found


def parse_labels(
    content: bytes,
    path: Path,
    *,
    name: str | None = None,
    structure: str | None = None,
    n_vertices: int | None = None,
) -> SurfaceLabels:
    """Return the labels of a file; see :func:`spectralbrain.load_labels`."""
    match identify(content):
        case "annot":
            return _parse_annotation(content, path)
        case "label":
            if n_vertices is None:
                raise ArrayError(f"n_vertices: {path} lists some vertices only; say how many the surface has")
            keys = np.zeros(n_vertices, dtype=np.int64)
            keys[parse_vertex_list(content, path, n_vertices)] = 1
            return SurfaceLabels(keys, {0: "unlabelled", 1: re.sub(r"\.label$", "", path.name)})
        case "gifti":
            return _gifti_labels(parse_gifti(content, path), path, name)
        case "cifti":
            from spectralbrain.io._cifti import cifti_labels

            return SurfaceLabels(*cifti_labels(content, path, structure, name))
        case kind:
            raise FormatError(f"{path}: expected surface labels, found a file of kind {kind or 'unknown'!r}")


def parse_vertex_list(content: bytes, path: Path, n_vertices: int) -> IntArray:
    """Return the vertex indices that a FreeSurfer .label file lists.

    Raises
    ------
    FormatError
        If the file is damaged or lists vertices that the surface does not have.
    """
    head, _, body = content.partition(b"\n")
    count_line, _, rows = body.partition(b"\n")
    if not head.startswith(b"#!ascii label") or not re.fullmatch(rb"\s*\d{1,18}\s*", count_line):
        raise FormatError(f"{path}: expected a FreeSurfer label, found something else")
    count = int(count_line)
    numbers = parse_numbers(rows, np.float64, path, what="FreeSurfer label", count=5 * count)
    listed = numbers.reshape(-1, 5)[:, 0]
    if count and not ((listed == np.floor(listed)) & (listed >= 0) & (listed < n_vertices)).all():
        raise FormatError(
            f"{path}: expected vertex numbers in [0, {n_vertices - 1}], "
            f"found {listed.min():g} to {listed.max():g}: the label belongs to another surface"
        )
    index: IntArray = listed.astype(np.int64)
    return index


def _gifti_labels(gifti: GiftiFile, path: Path, name: str | None) -> SurfaceLabels:
    maps = gifti.with_intent("LABEL")
    if not maps:
        held = sorted({array.intent for array in gifti.arrays})
        raise FormatError(
            f"{path}: expected a GIFTI array of intent LABEL, found {', '.join(held) or 'none'} "
            "(for a mask saved under this suffix use load_mask)"
        )
    if name is not None:
        maps = [array for array in maps if array.name == name]
    if len(maps) != 1:
        names = [array.name for array in gifti.with_intent("LABEL")]
        raise FormatError(
            f"{path}: expected one label map named {name!r}, found maps {names}: choose by name"
        )
    keys = maps[0].data
    if keys.ndim == 2 and keys.shape[1] == 1:
        keys = keys[:, 0]
    if keys.ndim != 1 or keys.dtype.kind not in "iu":
        raise FormatError(
            f"{path}: GIFTI labels: expected integers of shape (N,), found {keys.dtype}{keys.shape}"
        )
    return SurfaceLabels(keys, gifti.labels)


class _Annotation:
    """A position in a FreeSurfer annotation file."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content, self.path, self.position = content, path, 0

    def integers(self, count: int) -> Any:
        if count < 0 or count > (len(self.content) - self.position) // 4:
            raise FormatError(f"{self.path}: the FreeSurfer annotation is truncated or damaged")
        values = np.frombuffer(self.content, ">i4", count, self.position) if count else np.empty(0, ">i4")
        self.position += 4 * count
        return values.astype(np.int64)

    def integer(self) -> int:
        return int(self.integers(1)[0])

    def text(self) -> str:
        length = self.integer()
        if not 0 <= length <= len(self.content) - self.position:
            raise FormatError(f"{self.path}: the FreeSurfer annotation is truncated or damaged")
        text = self.content[self.position : self.position + length]
        self.position += length
        return text.rstrip(b"\0").decode("utf-8", "replace")


def _parse_annotation(content: bytes, path: Path) -> SurfaceLabels:
    """Read an annotation: colours per vertex, and a table of colours (both of its versions)."""
    reader = _Annotation(content, path)
    count = reader.integer()
    pairs = reader.integers(2 * count).reshape(-1, 2)
    vertices, colours = pairs[:, 0], pairs[:, 1]
    if not np.array_equal(np.sort(vertices), np.arange(count)):
        raise FormatError(f"{path}: the FreeSurfer annotation does not give each vertex one colour")
    by_vertex = np.empty(count, dtype=np.int64)
    by_vertex[vertices] = colours
    if reader.position == len(content) or not reader.integer():
        raise FormatError(f"{path}: the FreeSurfer annotation has no colour table: its regions have no names")
    table, colour_of = _colour_table(reader)
    known = np.array(sorted(colour_of), dtype=np.int64)
    keys = np.full(count, UNLABELLED, dtype=np.int64)
    if len(known):
        place = np.minimum(np.searchsorted(known, by_vertex), len(known) - 1)
        hit = known[place] == by_vertex
        keys[hit] = np.array([colour_of[int(colour)] for colour in known])[place[hit]]
    return SurfaceLabels(keys, table)


def _colour_table(reader: _Annotation) -> tuple[dict[int, str], dict[int, int]]:
    size = reader.integer()
    versioned = size < 0
    if versioned and size != -2:
        raise FormatError(f"{reader.path}: colour table version {-size} is not supported")
    if versioned:
        reader.integer()  # the largest index
    reader.text()  # the file it came from
    n_entries = reader.integer() if versioned else size
    table: dict[int, str] = {}
    colour_of: dict[int, int] = {}
    for number in range(n_entries):
        key = reader.integer() if versioned else number
        table[key] = reader.text()
        red, green, blue, _ = (int(n) for n in reader.integers(4))
        colour_of.setdefault(red + (green << 8) + (blue << 16), key)
    return table, colour_of
