"""Arithmetic on tall, narrow matrices, cut into panels of rows that fit the cache.

Sums over rows are taken panel by panel and added in the order of the panels, in a fixed number of
chunks: the result does not depend on the number of threads.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.threads import Team

# Panels of a small problem, and runs of panels whose sums are added in the end.
N_PANELS = 16
N_CHUNKS = 40
LARGEST_PANEL = 2048
SMALLEST_PANEL = 1024
# Columns of a basis that are multiplied together, and unused ones that keep its rows out of one cache set.
SLAB = 192
SLAB_PADDING = 8
# Rows whose combination of a whole basis stays in the cache.
STRIP = 512


def room_for(n_rows: int, n_columns: int) -> FloatArray:
    """Return an uninitialised matrix on pages of the size that the system gives without being asked.

    NumPy asks for huge pages. On a virtual machine whose host takes free memory back, each of them has to be
    fetched again, at several times the price of small pages, of which enough are at hand; products with a
    large matrix are as fast on small ones.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, max(8 * n_rows * n_columns, 1), flags=flags)
    return np.frombuffer(pages, dtype=float, count=n_rows * n_columns).reshape(n_rows, n_columns)


class Panels:
    """A partition of n rows, and products that respect it.

    Parameters
    ----------
    n : int
        Number of rows.
    team : Team
        Threads.
    """

    def __init__(self, n: int, team: Team) -> None:
        self.n = n
        self.team = team
        height = min(LARGEST_PANEL, max(SMALLEST_PANEL, -(-n // N_PANELS)))
        self.rows = [slice(start, min(start + height, n)) for start in range(0, n, height)]
        self.height = height
        bounds = np.linspace(0, len(self.rows), min(N_CHUNKS, len(self.rows)) + 1).astype(int)
        self.chunks = [range(a, b) for a, b in pairwise(bounds.tolist())]

    def each(self, function: Callable[[slice], None]) -> None:
        """Call a function for each panel."""
        self.team.map(function, self.rows)

    def total(self, function: Callable[[slice], Any]) -> Any:
        """Return the sum over panels of a function's value."""

        def run(chunk: range) -> Any:
            return reduce(add, (function(self.rows[p]) for p in chunk))

        return reduce(add, self.team.map(run, self.chunks))

    def copy(self, columns: FloatArray, room: FloatArray) -> FloatArray:
        """Return a contiguous copy of columns in room for at least as many."""
        copied = room.reshape(-1)[: columns.size].reshape(columns.shape)

        def write(rows: slice) -> None:
            copied[rows] = columns[rows]

        self.each(write)
        return copied

    def gram(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return left' right."""
        product: FloatArray = self.total(lambda rows: left[rows].T @ right[rows])
        return product

    def sparse_symmetric_gram(self, matrix: RowSplit, dense: FloatArray) -> FloatArray:
        """Return dense' matrix dense for a symmetric matrix, at little more than half the price."""
        m = dense.shape[1]
        half = m // 2

        def blocks(rows: slice) -> FloatArray:
            left, right = dense[rows], matrix.pieces[rows.start] @ dense
            out = np.empty((m, m))
            np.dot(left[:, :half].T, right, out=out[:half])
            out[half:, half:] = left[:, half:].T @ right[:, half:]
            out[half:, :half] = 0.0
            return out

        product: FloatArray = self.total(blocks)
        product[half:, :half] = product[:half, half:].T
        return (product + product.T) / 2

    def multiply_right(self, blocks: list[FloatArray], factor: FloatArray) -> None:
        """Replace each block by block @ factor."""

        def update(rows: slice) -> None:
            for block in blocks:
                block[rows] = block[rows] @ factor

        self.each(update)

    def sparse(self, matrix: RowSplit, dense: FloatArray, out: FloatArray) -> FloatArray:
        """Return matrix @ dense in `out`."""
        dense = np.ascontiguousarray(dense)

        def product(rows: slice) -> None:
            out[rows] = matrix.pieces[rows.start] @ dense

        self.each(product)
        return out

    def sparse_products(
        self, matrix: RowSplit, dense: FloatArray, out: FloatArray, left: list[FloatArray]
    ) -> FloatArray:
        """Return left' matrix dense for stacked left factors, and matrix @ dense in `out`, in one pass."""
        dense = np.ascontiguousarray(dense)

        def product(rows: slice) -> FloatArray:
            mine = matrix.pieces[rows.start] @ dense
            out[rows] = mine
            return np.concatenate([block[rows].T @ mine for block in left])

        total: FloatArray = self.total(product)
        return total

    def split(self, matrix: Any) -> RowSplit:
        """Return a sparse matrix cut into the panels."""
        return RowSplit({rows.start: matrix[rows] for rows in self.rows})


class RowSplit:
    """A sparse matrix cut into panels, by their first row."""

    def __init__(self, pieces: dict[int, Any]) -> None:
        self.pieces = pieces


class Memory:
    """Arrays that are used again: memory that a process touches for the first time has a price."""

    def __init__(self) -> None:
        self._arrays: dict[str, FloatArray] = {}

    def take(self, name: str, n_rows: int, n_columns: int) -> FloatArray:
        """Return room for a matrix, which belongs to whoever takes the name next."""
        room = self._arrays.get(name)
        if room is None or room.shape != (n_rows, n_columns):
            room = self._arrays[name] = room_for(n_rows, n_columns)
        return room


class Basis:
    """A growing set of columns, stored so that products with it are few and wide.

    Parameters
    ----------
    panels : Panels
        Partition of the rows.
    memory : Memory
        Where the columns are.
    first_width : int
        Columns that are stored side by side at the beginning.
    known : (n, d) array, optional
        The first columns, which are not changed.

    Attributes
    ----------
    size : int
        Number of columns.
    """

    def __init__(
        self, panels: Panels, memory: Memory, first_width: int = SLAB, known: FloatArray | None = None
    ) -> None:
        self.panels, self.memory = panels, memory
        self._first_width = max(SLAB, first_width)
        self._slabs = [] if known is None else [known]
        self._used = [slab.shape[1] for slab in self._slabs]
        self._n_known, self.size = len(self._slabs), sum(self._used)

    def extend(self, columns: int) -> FloatArray:
        """Return room for some more columns."""
        if not self._slabs or self._used[-1] + columns > self._slabs[-1].shape[1]:
            width = SLAB if len(self._slabs) > self._n_known else self._first_width
            name = f"slab {len(self._slabs) - self._n_known}"
            self._slabs.append(self.memory.take(name, self.panels.n, width + SLAB_PADDING)[:, :width])
            self._used.append(0)
        used = self._used[-1]
        self._used[-1] += columns
        self.size += columns
        return self._slabs[-1][:, used : used + columns]

    def project(self, block: FloatArray) -> FloatArray:
        """Return Q' block, (m, width) array."""
        slabs = self._filled()

        def product(rows: slice) -> FloatArray:
            mine = block[rows].T  # as the left factor it is packed once for all of a slab
            return np.concatenate([mine @ slab[rows] for slab in slabs], axis=1)

        coefficients: FloatArray = self.panels.total(product).T
        return coefficients

    def subtract(self, coefficients: FloatArray, blocks: list[FloatArray], factor: FloatArray) -> None:
        """Replace blocks by (blocks - Q coefficients) @ factor, with the leading columns of Q.

        The coefficients are small, so that the product takes single precision.
        """
        parts = self._parts(coefficients.astype(np.float32))
        bounds = np.cumsum([0, *(block.shape[1] for block in blocks)])

        def update(rows: slice) -> None:
            rest = np.concatenate([block[rows] for block in blocks], axis=1)
            for slab, part in parts:
                rest -= slab[rows].astype(np.float32) @ part
            rest = rest @ factor
            for block, (a, b) in zip(blocks, pairwise(bounds), strict=True):
                block[rows] = rest[:, a:b]

        self.panels.each(update)

    def combine(self, coefficients: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return Q coefficients."""
        (first, part_of_first), *others = self._parts(coefficients)
        room = np.empty((self.panels.n, coefficients.shape[1])) if out is None else out

        def product(rows: slice) -> None:
            for start in range(rows.start, rows.stop, STRIP):
                strip = slice(start, min(start + STRIP, rows.stop))
                total = first[strip] @ part_of_first
                for slab, part in others:
                    total += slab[strip] @ part
                room[strip] = total

        self.panels.each(product)
        return room

    def finish(self, coefficients: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return Q coefficients in `out` or the place of the first own columns of Q, which ends the basis."""
        first = self._slabs[self._n_known]
        vectors = self.combine(coefficients, first[:, : coefficients.shape[1]] if out is None else out)
        self._slabs, self._used, self.size = [], [], 0
        return vectors

    def last(self, coefficients: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Pair the last columns of Q, slab by slab, with their coefficients."""
        parts, left = [], len(coefficients)
        for slab in reversed(self._filled()):
            taken = min(left, slab.shape[1])
            if taken:
                parts.append((slab[:, -taken:], coefficients[left - taken : left]))
            left -= taken
        return parts

    def _filled(self) -> list[FloatArray]:
        """Return the columns in use of every slab."""
        return [slab[:, :used] for slab, used in zip(self._slabs, self._used, strict=True)]

    def _parts(self, coefficients: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Pair the leading columns of Q, slab by slab, with their coefficients."""
        parts, start = [], 0
        for slab in self._filled():
            mine = coefficients[start : start + slab.shape[1]]
            if len(mine):
                parts.append((slab[:, : len(mine)], mine))
            start += slab.shape[1]
        return parts
