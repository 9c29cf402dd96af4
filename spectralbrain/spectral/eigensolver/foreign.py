"""Factorisations of other packages in the place of our own, for whoever asks for them by name.

Everything around the factorisation is the default backend's: the shift, block Lanczos, verification.
MKL PARDISO tells the inertia; CHOLMOD, as cholespy wraps it, factorises positive definite matrices only, so
its shift lies below all eigenvalues, slicing is impossible, and the inertia comes from SciPy's SuperLU.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import MissingDependencyError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.arpack import ArpackSolver
from spectralbrain.spectral.eigensolver.native import NativeSolver
from spectralbrain.spectral.eigensolver.pencil import Pencil
from spectralbrain.spectral.eigensolver.slicing import Window
from spectralbrain.spectral.eigensolver.threads import Team

# Package on the index that provides a backend, and the module to import.
PACKAGES = {"pardiso": "pypardiso", "cholespy": "cholespy"}
# Shift of the positive definite matrix, in mean distances between eigenvalues.
BELOW_ALL = -0.5
SYMMETRIC_INDEFINITE = -2
N_NEGATIVE, N_PERTURBED = 23, 14  # places in PARDISO's iparm, counted from 1


def import_backend(name: str) -> Any:
    """Return the module behind a backend.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    package = PACKAGES[name]
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"backend {name!r} needs the package {package}: pip install {package}"
        ) from error


class PardisoFactorization:
    """L D L^T by MKL PARDISO."""

    def __init__(self, module: Any, matrix: Any, threads: int) -> None:
        solver = module.PyPardisoSolver(mtype=SYMMETRIC_INDEFINITE)
        solver.libmkl.MKL_Set_Num_Threads(threads)
        self._solver, self._upper = solver, sp.csr_array(sp.triu(matrix, format="csr"))
        solver.factorize(self._upper)
        if solver.get_iparm(N_PERTURBED):
            raise np.linalg.LinAlgError("PARDISO perturbed a pivot: its inertia would be wrong")
        self.n_negative = int(solver.get_iparm(N_NEGATIVE))

    def __del__(self) -> None:
        if hasattr(self, "_solver"):
            self._solver.free_memory(everything=True)

    def solve(self, right: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the solution for an (n, m) block of right-hand sides, in `out` if given."""
        found: FloatArray = self._solver.solve(self._upper, np.ascontiguousarray(right))
        if out is None:
            return found
        out[:] = found
        return out


class CholespyFactorization:
    """L L^T of a positive definite matrix by CHOLMOD."""

    n_negative = 0

    def __init__(self, module: Any, matrix: Any) -> None:
        entries = matrix.tocoo()
        rows, columns = entries.row.astype(np.int32), entries.col.astype(np.int32)
        kind = module.MatrixType.COO
        self._solver = module.CholeskySolverD(matrix.shape[0], rows, columns, entries.data, kind)

    def solve(self, right: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the solution for an (n, m) block of right-hand sides, in `out` if given."""
        right = np.array(right, order="C") if right is out else np.ascontiguousarray(right)
        found = np.empty_like(right) if out is None else out
        self._solver.solve(right, found)
        return found


class PardisoSolver(NativeSolver):
    """The default backend on top of MKL PARDISO."""

    name = "pardiso"

    def __init__(self, pencil: Pencil, tol: float, team: Team) -> None:
        self._module = import_backend(self.name)
        super().__init__(pencil, tol, team)

    def _analyse(self, pencil: Pencil) -> IntArray:
        return np.arange(pencil.n)

    def factorize(self, shift: float) -> PardisoFactorization:
        """Return the factorisation of A - shift B."""
        matrix = self.pencil.stiffness - shift * self.pencil.mass
        return PardisoFactorization(self._module, matrix, self.team.size)


class CholespySolver(NativeSolver):
    """The default backend on top of CHOLMOD, with a shift below all eigenvalues."""

    name = "cholespy"

    def __init__(self, pencil: Pencil, tol: float, team: Team) -> None:
        self._module = import_backend(self.name)
        super().__init__(pencil, tol, team)
        self._counter = ArpackSolver(pencil, tol, team)

    def _analyse(self, pencil: Pencil) -> IntArray:
        return np.arange(pencil.n)

    def _next_window(self, values: FloatArray, count: int, n_rough: int) -> Window:
        return Window(0, -np.inf, count, n_rough)

    def _shift(self, window: Window) -> tuple[float, CholespyFactorization]:
        shift = BELOW_ALL * 4 * np.pi / self.pencil.area
        return shift, self.factorize(shift)

    def _refining_shift(self, values: FloatArray, columns: IntArray) -> float:
        return BELOW_ALL * 4 * np.pi / self.pencil.area

    def factorize(self, shift: float) -> CholespyFactorization:
        """Return the factorisation of A - shift B, which must be positive definite."""
        return CholespyFactorization(self._module, self.pencil.stiffness - shift * self.pencil.mass)

    def count_below(self, shift: float) -> tuple[int, float]:
        """Return the inertia of A - shift B from SuperLU, and its backward error."""
        return self._counter.count_below(shift)
