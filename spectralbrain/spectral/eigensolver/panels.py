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
LARGEST_PANEL = 4096
SMALLEST_PANEL = 512
# Rows whose combination of the whole basis stays in the cache.
COMBINED_ROWS = 512


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

        def run(chunk: range) -> None:
            for p in chunk:
                function(self.rows[p])

        self.team.map(run, self.chunks)

    def total(self, function: Callable[[slice], Any]) -> Any:
        """Return the sum over panels of a function's value."""

        def run(chunk: range) -> Any:
            return reduce(add, (function(self.rows[p]) for p in chunk))

        return reduce(add, self.team.map(run, self.chunks))

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

        def product(piece: tuple[slice, Any]) -> None:
            rows, part = piece
            out[rows] = part @ dense

        self.team.map(product, matrix.pieces)
        return out

    def split(self, matrix: Any) -> RowSplit:
        """Return a sparse matrix as the row ranges of the chunks."""
        spans = [slice(self.rows[c[0]].start, self.rows[c[-1]].stop) for c in self.chunks]
        return RowSplit([(span, matrix[span]) for span in spans])


class RowSplit:
    """A sparse matrix cut into ranges of rows."""

    def __init__(self, pieces: list[tuple[slice, Any]]) -> None:
        self.pieces = pieces


class Basis:
    """A growing set of columns, kept as the slabs they were computed in.

    Parameters
    ----------
    panels : Panels
        Partition of the rows.
    """

    def __init__(self, panels: Panels) -> None:
        self.panels = panels
        self.slabs: list[FloatArray] = []

    @property
    def size(self) -> int:
        """Number of columns."""
        return sum(slab.shape[1] for slab in self.slabs)

    def append(self, slab: FloatArray) -> None:
        """Add the columns of a slab, without copying."""
        self.slabs.append(slab)

    def project(self, block: FloatArray) -> FloatArray:
        """Return Q' block, (m, width) array."""

        def product(rows: slice) -> FloatArray:
            mine = block[rows]
            return np.concatenate([slab[rows].T @ mine for slab in self.slabs])

        coefficients: FloatArray = self.panels.total(product)
        return coefficients

    def subtract(self, coefficients: FloatArray, block: FloatArray) -> None:
        """Replace block by block - Q coefficients."""
        parts = self._parts(coefficients)

        def update(rows: slice) -> None:
            mine = block[rows]
            for slab, part in parts:
                mine -= slab[rows] @ part

        self.panels.each(update)

    def combine(self, coefficients: FloatArray) -> FloatArray:
        """Return Q coefficients."""
        parts = self._parts(coefficients)
        out = np.empty((self.panels.n, coefficients.shape[1]))

        def product(rows: slice) -> None:
            for start in range(rows.start, rows.stop, COMBINED_ROWS):
                few = slice(start, min(start + COMBINED_ROWS, rows.stop))
                mine = parts[0][0][few] @ parts[0][1]
                for slab, part in parts[1:]:
                    mine += slab[few] @ part
                out[few] = mine

        self.panels.each(product)
        return out

    def _parts(self, coefficients: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        stops = np.cumsum([slab.shape[1] for slab in self.slabs])
        return list(zip(self.slabs, np.split(coefficients, stops[:-1]), strict=True))
