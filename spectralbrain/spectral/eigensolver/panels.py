"""Arithmetic on tall, narrow matrices, cut into panels of rows that fit the cache.

Sums over rows are taken panel by panel and added in the order of the panels, in a fixed number of
chunks: the result does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.threads import Team

N_CHUNKS = 16
LARGEST_PANEL = 2048
SMALLEST_PANEL = 1024
# Columns of a basis that are multiplied together, and unused ones that keep its rows out of one cache set.
SLAB = 192
SLAB_PADDING = 8
# Rows whose combination of a whole basis stays in the cache.
STRIP = 512


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
        height = min(LARGEST_PANEL, max(SMALLEST_PANEL, -(-n // N_CHUNKS)))
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

    def symmetric_gram(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return left' right, known to be symmetric, at little more than half the price."""
        m = left.shape[1]
        half = m // 2

        def blocks(rows: slice) -> FloatArray:
            out = np.empty((m, m))
            np.dot(left[rows, :half].T, right[rows], out=out[:half])
            out[half:, half:] = left[rows, half:].T @ right[rows, half:]
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

    def sparse_gram(self, matrix: RowSplit, dense: FloatArray, out: FloatArray) -> FloatArray:
        """Return dense' matrix dense, and matrix @ dense in `out`, in one pass."""
        dense = np.ascontiguousarray(dense)

        def product(rows: slice) -> FloatArray:
            mine = matrix.pieces[rows.start] @ dense
            out[rows] = mine
            gram: FloatArray = dense[rows].T @ mine
            return gram

        total: FloatArray = self.total(product)
        return total

    def split(self, matrix: Any) -> RowSplit:
        """Return a sparse matrix cut into the panels."""
        return RowSplit({rows.start: matrix[rows] for rows in self.rows})


class RowSplit:
    """A sparse matrix cut into panels, by their first row."""

    def __init__(self, pieces: dict[int, Any]) -> None:
        self.pieces = pieces


class Basis:
    """A growing set of columns, stored so that products with it are few and wide.

    Parameters
    ----------
    panels : Panels
        Partition of the rows.
    n_combined : int
        How many columns :meth:`combine` will be asked for at most.

    Attributes
    ----------
    size : int
        Number of columns.
    """

    def __init__(self, panels: Panels, n_combined: int) -> None:
        self.panels = panels
        self.size = 0
        self._first_width = max(SLAB, n_combined)
        self._slabs: list[FloatArray] = []
        self._used: list[int] = []

    def append(self, block: FloatArray, factor: FloatArray) -> None:
        """Replace a block by block @ factor, and add a copy of its columns."""
        columns = block.shape[1]
        if not self._slabs or self._used[-1] + columns > self._slabs[-1].shape[1]:
            width = SLAB if self._slabs else self._first_width
            self._slabs.append(np.empty((self.panels.n, width + SLAB_PADDING))[:, :width])
            self._used.append(0)
        used = self._used[-1]
        target = self._slabs[-1][:, used : used + columns]

        def multiply(rows: slice) -> None:
            block[rows] = np.matmul(block[rows], factor, out=target[rows])

        self.panels.each(multiply)
        self._used[-1] += columns
        self.size += columns

    def project(self, block: FloatArray) -> FloatArray:
        """Return Q' block, (m, width) array."""
        slabs = self._filled()

        def product(rows: slice) -> FloatArray:
            mine = block[rows].T  # as the left factor it is packed once for all of a slab
            return np.concatenate([mine @ slab[rows] for slab in slabs], axis=1)

        coefficients: FloatArray = self.panels.total(product).T
        return coefficients

    def subtract(self, coefficients: FloatArray, block: FloatArray) -> None:
        """Replace block by block - Q coefficients."""
        parts = self._parts(coefficients)

        def update(rows: slice) -> None:
            for slab, part in parts:
                block[rows] -= slab[rows] @ part

        self.panels.each(update)

    def combine(self, coefficients: FloatArray) -> FloatArray:
        """Return Q coefficients, in the place of the first columns of Q, which ends the basis."""
        (first, part_of_first), *others = self._parts(coefficients)
        out = self._slabs[0][:, : coefficients.shape[1]]

        def product(rows: slice) -> None:
            for start in range(rows.start, rows.stop, STRIP):
                strip = slice(start, min(start + STRIP, rows.stop))
                total = first[strip] @ part_of_first
                for slab, part in others:
                    total += slab[strip] @ part
                out[strip] = total

        self.panels.each(product)
        self._slabs, self._used, self.size = [], [], 0
        return out

    def _filled(self) -> list[FloatArray]:
        """Return the columns in use of every slab."""
        return [slab[:, :used] for slab, used in zip(self._slabs, self._used, strict=True)]

    def _parts(self, coefficients: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Pair the columns in use of every slab with their coefficients."""
        slabs = self._filled()
        starts = np.cumsum([0, *(slab.shape[1] for slab in slabs)])
        return [(slab, coefficients[a:b]) for slab, (a, b) in zip(slabs, pairwise(starts), strict=True)]
