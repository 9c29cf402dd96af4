"""The default backend: nested dissection and block Lanczos with a shift inside the wanted interval.

A shift in the middle of the wanted eigenvalues makes them the extreme ones of the inverted operator
from both sides, which takes a third less basis than a shift below all of them; the null space needs no
special case, and the inertia of the factorisation says how many eigenvalues lie below the shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.dense import dense_pairs
from spectralbrain.spectral.eigensolver.krylov import LONGEST_DELAY, BlockLanczos, RitzPairs, run_lanczos
from spectralbrain.spectral.eigensolver.ldlt import Factorization
from spectralbrain.spectral.eigensolver.panels import Memory, Panels, RowSplit, room_for
from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil
from spectralbrain.spectral.eigensolver.slicing import Window, next_window
from spectralbrain.spectral.eigensolver.subspace import (
    orthonormalise_against,
    orthonormalise_sets,
    rayleigh_ritz,
)
from spectralbrain.spectral.eigensolver.symbolic import analyse
from spectralbrain.spectral.eigensolver.threads import Team
from spectralbrain.spectral.eigensolver.verification import examine

# Problems below this size, or asked for more than this fraction of their pairs, go to LAPACK.
DENSE_SIZE = 400
DENSE_FRACTION = 0.45
LARGEST_DENSE = 8000
# Relative error of a shift above which it is moved; by how much; and how close an eigenvalue may be.
ACCEPTED_ERROR = 1e-10
SHIFT_NUDGE = 0.37  # of the mean distance between eigenvalues
CLOSEST_EIGENVALUE = 0.03
SHIFT_ATTEMPTS = 8
# Block widths, by the largest number of pairs they are meant for.
WIDTHS = ((60, 8), (320, 12), (400, 16), (10**9, 24))
WIDEST = 128
CORRECTED_TOGETHER = 64
# Ritz vectors with (lambda - sigma)^2 above this many sigma lambda are measured, and get an inverse iteration
# if their residual exceeds what was accepted.
FAR_FROM_SHIFT = 3.0
CAPACITY = 5
# Accepted estimates of residuals: as a fraction of tol, and of pairs that only have to be near an eigenvalue,
# which is then known to the square of it.
ACCEPTED_RESIDUAL = 0.2
ROUGH_RESIDUAL = 1e-5
# Eigenvectors below a window that are kept out of its basis.
N_KNOWN = 200


@dataclass(frozen=True, eq=False)
class Room:
    """What the search for a window's pairs is given.

    Attributes
    ----------
    below : (n, d) array or None
        Eigenvectors below the window, to whose complement the search is restricted.
    out : (n, size) array or None
        Where the eigenvectors go; None for the place of the basis.
    memory : Memory or None
        That of an earlier search.
    """

    below: FloatArray | None = None
    out: FloatArray | None = None
    memory: Memory | None = None


class NativeSolver:
    """Eigenpairs of one pencil by shift-invert block Lanczos: see the module."""

    name = "native"

    def __init__(self, pencil: Pencil, tol: float, team: Team) -> None:
        self.tol = tol
        self.team = team
        self.order = self._analyse(pencil)
        self.pencil = pencil.in_order(self.order)

    def _analyse(self, pencil: Pencil) -> IntArray:
        """Return the order of elimination."""
        pattern = union_pattern(pencil.stiffness, pencil.mass)
        self.symbolic = analyse(pattern)
        self._stiffness_data = aligned_data(pencil.stiffness, pattern)
        self._mass_data = aligned_data(pencil.mass, pattern)
        return self.symbolic.order

    @cached_property
    def _operators(self) -> tuple[Panels, RowSplit, RowSplit]:
        panels = Panels(self.pencil.n, self.team)
        return panels, panels.split(self.pencil.stiffness), panels.split(self.pencil.mass)

    def factorize(self, shift: float) -> Any:
        """Return the factorisation of A - shift B."""
        return Factorization(self.symbolic, self._stiffness_data - shift * self._mass_data, self.team)

    def lowest(self, count: int, known: Pairs | None = None, n_rough: int = 0) -> Pairs:
        """Return the `count` smallest eigenpairs, given those known already; the last ones may be rough."""
        pencil = self.pencil
        wants_most = count > DENSE_FRACTION * pencil.n
        if pencil.n <= DENSE_SIZE or (wants_most and pencil.n <= LARGEST_DENSE):
            return dense_pairs(pencil)
        values = np.empty(0) if known is None else known.values
        window = self._next_window(values, count, n_rough)
        if window.size == count:
            return self._window(window, Room())
        vectors, memory = room_for(pencil.n, count), Memory()
        starts: list[int] = []
        if known is not None:
            vectors[:, : window.n_before] = known.vectors[:, : window.n_before]
        while len(values) < count:
            window = self._next_window(values, count, n_rough)
            first, stop = window.n_before, window.n_before + window.size
            below = vectors[:, max(0, first - N_KNOWN) : first] if first else None
            found = self._window(window, Room(below, vectors[:, first:stop], memory))
            values = np.concatenate([values[:first], found.values])
            starts.append(first)
        panels, _, mass = self._operators
        try:
            orthonormalise_sets(panels, mass, vectors, starts, N_KNOWN, self._scale(values))
        except ConvergenceError:  # with a large tol, more than the first order matters
            values, vectors = rayleigh_ritz(*self._operators, vectors)
        return Pairs(values, vectors)

    def _next_window(self, values: FloatArray, count: int, n_rough: int) -> Window:
        return next_window(values, count, n_rough)

    def _refining_shift(self, values: FloatArray, columns: IntArray) -> float:
        return _middle_gap(values, columns)

    def _window(self, window: Window, room: Room) -> Pairs:
        """Return the pairs of a window, with blocks as wide as it takes."""
        width = next(w for largest, w in WIDTHS if window.size <= largest)
        shift, factor = self._shift(window)
        delay = LONGEST_DELAY
        while True:
            try:
                found = self._search(window, shift, factor, width, delay, room)
                return self._checked(window, shift, factor, found)
            except ConvergenceError:
                if width >= WIDEST:
                    raise
                if delay == 1:  # reorthogonalising every block was not enough
                    width *= 2
                delay = 1

    def _search(
        self, window: Window, shift: float, factor: Any, width: int, delay: int, room: Room
    ) -> RitzPairs:
        """Run the recurrence until a window's pairs have converged."""
        panels, _, mass = self._operators
        lanczos = BlockLanczos(
            panels,
            mass,
            factor.solve,
            shift,
            width,
            min(CAPACITY * window.size + 8 * width, self.pencil.n - width),
            first_width=window.size if room.out is None else 0,
            longest_delay=delay,
            known=room.below,
            memory=room.memory,
        )
        return run_lanczos(
            lanczos,
            lambda values: window.select(values, shift, factor.n_negative),
            window.size,
            lambda values: self._accepted(values, window),
            window.least_basis(width),
            room.out,
        )

    def _checked(self, window: Window, shift: float, factor: Any, found: RitzPairs) -> Pairs:
        """Return pairs with bad ones far from the shift corrected, if as many lie below it as must."""
        values, vectors, pencil = found.values, found.vectors, self.pencil
        far = np.flatnonzero((values - shift) ** 2 > FAR_FROM_SHIFT * shift * self._scale(values, window))
        if pencil.has_null_mode and not window.n_before:
            far = far[far > 0]  # the null mode is known exactly
        seen = examine(self._operators[0], pencil, pencil.mass, values[far], vectors[:, far])
        late = seen.residuals > self._accepted(values, window)[far]
        self._correct(factor, values, vectors, far[late])
        below = window.n_before + int((values < shift).sum())
        if below != factor.n_negative:
            raise ConvergenceError(
                f"block Lanczos: found {below} pairs below the shift, inertia counts {factor.n_negative}"
            )
        return Pairs(values, vectors)

    def _correct(self, factor: Any, values: FloatArray, vectors: FloatArray, columns: IntArray) -> None:
        """Apply one inverse iteration to some columns, in place, and make them orthonormal to the others.

        It is written as a correction, x - (A - sigma B)^-1 (A x - lambda B x), so that what it adds is small
        and its rounding errors smaller still. It multiplies what is left of another eigenvector by
        (lambda - sigma) / (lambda_other - sigma).
        """
        panels, stiffness, mass = self._operators
        for start in range(0, len(columns), CORRECTED_TOGETHER):
            chosen = columns[start : start + CORRECTED_TOGETHER]
            block = np.ascontiguousarray(vectors[:, chosen])
            residual = panels.sparse(stiffness, block, np.empty_like(block))
            residual -= panels.sparse(mass, block, np.empty_like(block)) * values[chosen]
            block -= factor.solve(residual)
            orthonormalise_against(panels, mass, vectors, chosen, block)

    def _accepted(self, values: FloatArray, window: Window) -> FloatArray:
        """Return the largest residual of each pair with which the search may end."""
        scale = self._scale(values, window)
        accepted = ACCEPTED_RESIDUAL * self.tol * scale
        rough = window.is_rough(values)
        accepted[rough] = ROUGH_RESIDUAL * scale[rough]
        return accepted

    def _scale(self, values: FloatArray, window: Window | None = None) -> FloatArray:
        """Return max(lambda, lambda_1), to which residuals are relative."""
        inner = window is not None and window.n_before
        first = 0 if inner else min(int(self.pencil.has_null_mode), len(values) - 1)
        return np.maximum(values, max(values[first], np.finfo(float).tiny))

    def _shift(self, window: Window) -> tuple[float, Any]:
        """Return a shift inside a window, if possible far enough from eigenvalues for accurate solves."""
        shift = window.first_shift(self.pencil.area / (4 * np.pi))
        best: tuple[float, float, Any] | None = None
        for attempt in range(SHIFT_ATTEMPTS):
            try:
                factor = self.factorize(shift)
            except np.linalg.LinAlgError:
                shift *= 1.001
                continue
            inertia = factor.n_negative
            inside = window.n_before <= inertia <= window.n_before + window.size
            if not inside or (attempt < SHIFT_ATTEMPTS // 2 and not window.accepts(inertia)):
                shift = window.better_shift(shift, inertia)
                continue
            error, distance = self._shift_error(factor, shift)
            if best is None or error < best[0]:
                best = error, shift, factor
            spacing = (shift - max(window.floor, 0.0)) / max(inertia - window.n_before, 1)
            if error <= ACCEPTED_ERROR and distance >= CLOSEST_EIGENVALUE * spacing:
                break
            shift += SHIFT_NUDGE * spacing
        if best is None:
            raise ConvergenceError("block Lanczos: no shift inside the wanted interval was found")
        return best[1:]

    def _shift_error(self, factor: Any, shift: float) -> tuple[float, float]:
        """Return the relative error of the shift of a factorisation, and the distance of an eigenvalue.

        The computed factors belong to a matrix A - shift B + E. Inverse iteration with them turns a random
        block x towards the eigenvectors closest to the shift, where E matters most; there ||E x|| in the
        B^-1 norm, relative to ||x|| in the B norm, is the error of the shift.
        """
        x = np.random.default_rng(2).standard_normal((self.pencil.n, 4))
        stiffness, mass = self.pencil.stiffness, self.pencil.mass
        product = mass @ x
        for _ in range(2):
            right = product / np.sqrt(np.einsum("ij,ij->j", x, product))
            x = factor.solve(right)
            product = mass @ x
        lengths = np.sqrt(np.einsum("ij,ij->j", x, product))
        residual = right - (stiffness @ x - shift * product)
        squares = residual**2 / mass.diagonal()[:, None]
        norms = np.sqrt(self.pencil.mass_bound * squares.sum(axis=0))
        return float((norms / lengths).max() / shift), 1 / float(lengths.max())

    def refine(self, pairs: Pairs, columns: IntArray) -> Pairs:
        """Return the pairs after an inverse iteration on some columns and a Rayleigh-Ritz step on all.

        The shifts are near the columns' eigenvalues, so that the iteration contracts what is left of others.
        """
        vectors = pairs.vectors
        thirds = np.minimum(3 * pairs.values[columns] / pairs.values[-1], 2).astype(int)
        for third in np.unique(thirds):
            late = columns[thirds == third]
            factor = self.factorize(self._refining_shift(pairs.values, late))
            self._correct(factor, pairs.values, vectors, late)
        values, vectors = rayleigh_ritz(*self._operators, vectors)
        return Pairs(values, vectors)

    def count_below(self, shift: float) -> tuple[int, float]:
        """Return the inertia of A - shift B and the relative error of the shift for which it is exact."""
        for attempt in range(3):
            try:
                factor = self.factorize(shift * (1 + 1e-12 * attempt))
            except np.linalg.LinAlgError:
                continue
            return factor.n_negative, self._shift_error(factor, shift)[0]
        raise ConvergenceError("inertia: the shifted matrix is singular to rounding")


def _middle_gap(values: FloatArray, columns: IntArray) -> float:
    """Return a shift in the widest gap around the middle of some eigenvalues."""
    middle = int(np.median(columns))
    start, stop = max(0, middle - 5), min(len(values), middle + 6)
    i = start + int(np.argmax(np.diff(values[start:stop])))
    return float(0.4 * values[i] + 0.6 * values[i + 1])


def union_pattern(a: Any, b: Any) -> Any:
    """Return the union of two symmetric patterns and the diagonal, as a CSR array of ones."""
    n = a.shape[0]
    parts = [sp.csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape) for m in (a, b)]
    pattern = sp.csr_array(parts[0] + parts[1] + sp.eye_array(n, format="csr"))
    pattern.sort_indices()
    pattern.indices = pattern.indices.astype(np.int32)
    pattern.indptr = pattern.indptr.astype(np.int32)
    pattern.data[:] = 1.0
    return pattern


def aligned_data(matrix: Any, pattern: Any) -> FloatArray:
    """Return the entries of a matrix in the places of a pattern that contains its own."""
    n = matrix.shape[0]
    if matrix.nnz == pattern.nnz:
        data: FloatArray = matrix.data
        return data
    keys = [
        np.repeat(np.arange(n, dtype=np.int64), np.diff(m.indptr)) * n + m.indices for m in (matrix, pattern)
    ]
    aligned = np.zeros(pattern.nnz)
    aligned[np.searchsorted(keys[1], keys[0])] = matrix.data
    return aligned
