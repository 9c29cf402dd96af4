"""Reference backend: SciPy's SuperLU and ARPACK, and LAPACK for small problems.

Slow and well known; the default backend is tested against it.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse.linalg as spla

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import IntArray
from spectralbrain.spectral.eigensolver.dense import dense_pairs
from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil
from spectralbrain.spectral.eigensolver.threads import Team


class ArpackSolver:
    """Shift-invert Lanczos of SciPy with a shift just below zero."""

    name = "arpack"

    def __init__(self, pencil: Pencil, tol: float, team: Team) -> None:
        self.pencil = pencil
        self.order = np.arange(pencil.n)
        self.tol = tol
        del team  # ARPACK is sequential

    def lowest(self, count: int, known: Pairs | None = None, n_rough: int = 0) -> Pairs:
        """Return the `count` smallest eigenpairs; ARPACK cannot use known ones."""
        pencil = self.pencil
        if pencil.n <= 500 or 3 * count >= pencil.n:
            return dense_pairs(pencil)
        shift = -0.1 * 4 * np.pi / pencil.area
        start = np.random.default_rng(0).standard_normal(pencil.n)
        factor = self._factor(shift)
        inverse = spla.LinearOperator(pencil.stiffness.shape, factor.solve, dtype=float)
        try:
            values, vectors = spla.eigsh(
                pencil.stiffness, count, pencil.mass, sigma=shift, v0=start, tol=self.tol / 1e3, OPinv=inverse
            )
        except spla.ArpackError as error:
            raise ConvergenceError(f"backend 'arpack': {error}") from error
        order = np.argsort(values, kind="stable")
        return Pairs(values[order], vectors[:, order])

    def refine(self, pairs: Pairs, columns: IntArray) -> Pairs:
        """Return the pairs as they are: ARPACK was already asked for more than the tolerance."""
        return pairs

    def count_below(self, shift: float) -> tuple[int, float]:
        """Return the inertia of A - shift B from the signs of an unpivoted LU, and its backward error."""
        factor = self._factor(shift)
        if not np.array_equal(factor.perm_r, factor.perm_c):
            raise ConvergenceError("backend 'arpack': SuperLU pivoted, its signs do not give the inertia")
        matrix = self.pencil.stiffness - shift * self.pencil.mass
        probe = np.random.default_rng(1).standard_normal((self.pencil.n, 4))
        residual = probe - matrix @ factor.solve(probe)
        return int((factor.U.diagonal() < 0).sum()), float(np.abs(residual).max() / np.abs(probe).max())

    def _factor(self, shift: float) -> spla.SuperLU:
        matrix = (self.pencil.stiffness - shift * self.pencil.mass).tocsc()
        options = {"SymmetricMode": True}
        return spla.splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
