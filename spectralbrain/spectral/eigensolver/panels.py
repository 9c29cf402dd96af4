"""Arithmetic on tall, narrow matrices, cut into panels of rows that fit the cache.

Sums over rows are taken panel by panel and added in the order of the panels, in a fixed number of
chunks: the result does not depend on the number of threads.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
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
LARGEST_PANEL = 2000
SMALLEST_PANEL = 1000
# Columns of a basis that are multiplied together.
SLAB = 192
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


class Columns:
    """Some columns of a matrix that is stored panel by panel, each column of a panel in one piece.

    Indexed by the rows of a panel, they are a (rows, columns) view. Columns that are written together lie
    together in memory, which those of a matrix that is stored row by row do not.

    Parameters
    ----------
    room : (n, m) array
        Where the matrix is stored; its rows are not the matrix's.
    columns : slice
    """

    def __init__(self, room: FloatArray, columns: slice) -> None:
        self.room, self.columns = room, columns

    def __getitem__(self, rows: slice) -> FloatArray:
        piece = self.room[rows]
        view: FloatArray = piece.reshape(piece.shape[::-1])[self.columns].T
        return view

    def __setitem__(self, rows: slice, values: FloatArray) -> None:
        self[rows][:] = values


Tall = FloatArray | Columns


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

    def gram(self, left: Tall, right: FloatArray) -> FloatArray:
        """Return left' right."""
        product: FloatArray = self.total(lambda rows: np.dot(left[rows].T, right[rows]))
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

    def multiply_right(self, blocks: Sequence[Tall], factor: FloatArray) -> None:
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
            return np.concatenate([np.dot(block[rows].T, mine) for block in left])

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
        Columns that are stored together at the beginning.
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
        self.panels, self.memory, self.known = panels, memory, known
        self._first_width = max(SLAB, first_width)
        self._slabs: list[FloatArray] = []
        self._used: list[int] = []
        self.size = 0 if known is None else known.shape[1]

    def extend(self, columns: int) -> Columns:
        """Return room for some more columns."""
        if not self._slabs or self._used[-1] + columns > self._slabs[-1].shape[1]:
            width = SLAB if self._slabs else self._first_width
            self._slabs.append(self.memory.take(f"slab {len(self._slabs)}", self.panels.n, width))
            self._used.append(0)
        used = self._used[-1]
        self._used[-1] += columns
        self.size += columns
        return Columns(self._slabs[-1], slice(used, used + columns))

    def project(self, blocks: list[FloatArray]) -> FloatArray:
        """Return Q' blocks, (m, width) array."""
        slabs = [slab for slab, _ in self._leading(self.size)]

        def product(rows: slice) -> FloatArray:
            # as the left factor it is packed once for all of a slab
            mine = np.concatenate([block[rows] for block in blocks], axis=1).T
            return np.concatenate([mine @ slab[rows] for slab in slabs], axis=1)

        coefficients: FloatArray = self.panels.total(product).T
        return coefficients

    def subtract(self, coefficients: FloatArray, blocks: list[Columns], factor: FloatArray) -> None:
        """Replace blocks by (blocks - Q coefficients) @ factor, with the leading columns of Q.

        The coefficients are small, so that the product takes single precision.
        """
        single = coefficients.astype(np.float32)
        parts = [(slab, single[place]) for slab, place in self._leading(len(single))]
        width = len(factor) // len(blocks)

        def update(rows: slice) -> None:
            rest = np.concatenate([block[rows] for block in blocks], axis=1)
            for slab, part in parts:
                rest -= slab[rows].astype(np.float32) @ part
            rest = rest @ factor
            for i, block in enumerate(blocks):
                block[rows] = rest[:, i * width : (i + 1) * width]

        self.panels.each(update)

    def combine(self, coefficients: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return Q coefficients, in `out` if given, which may be the place of some columns of Q."""
        parts = [(slab, coefficients[place]) for slab, place in self._leading(len(coefficients))]
        room = np.empty((self.panels.n, coefficients.shape[1])) if out is None else out

        def product(rows: slice) -> None:
            (first, part_of_first), *others = ((slab[rows], part) for slab, part in parts)
            total = np.empty((rows.stop - rows.start, coefficients.shape[1]))
            for start in range(0, len(total), STRIP):
                strip = slice(start, start + STRIP)
                np.matmul(first[strip], part_of_first, out=total[strip])
                for slab, part in others:
                    total[strip] += slab[strip] @ part
            room[rows] = total

        self.panels.each(product)
        return room

    def finish(self, coefficients: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return Q coefficients in `out` or the place of the first own columns of Q, which ends the basis."""
        if out is None:
            out = self._slabs[0][:, : coefficients.shape[1]]
        return self.combine(coefficients, out)

    def last(self, coefficients: FloatArray) -> list[tuple[Columns, FloatArray]]:
        """Pair the last own columns of Q, slab by slab, with their coefficients."""
        parts, left = [], len(coefficients)
        for slab, used in zip(reversed(self._slabs), reversed(self._used), strict=True):
            taken = min(left, used)
            if taken:
                parts.append((Columns(slab, slice(used - taken, used)), coefficients[left - taken : left]))
            left -= taken
        return parts

    def _leading(self, size: int) -> list[tuple[Tall, slice]]:
        """Return the leading columns of Q, slab by slab, and their places among all."""
        parts: list[tuple[Tall, slice]] = []
        start = 0 if self.known is None else self.known.shape[1]
        if self.known is not None:
            parts.append((self.known, slice(0, start)))
        for slab, used in zip(self._slabs, self._used, strict=True):
            stop = min(start + used, size)
            if stop > start:
                parts.append((Columns(slab, slice(0, stop - start)), slice(start, stop)))
            start += used
        return parts
