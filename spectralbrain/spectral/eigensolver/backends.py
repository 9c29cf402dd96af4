"""Solvers by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.eigensolver.arpack import ArpackSolver
from spectralbrain.spectral.eigensolver.foreign import PACKAGES, CholespySolver, PardisoSolver
from spectralbrain.spectral.eigensolver.native import NativeSolver
from spectralbrain.spectral.eigensolver.pencil import Pencil, PencilSolver
from spectralbrain.spectral.eigensolver.threads import Team

Factory = Callable[[Pencil, float, Team], PencilSolver]

_FACTORIES: dict[str, Factory] = {
    "native": NativeSolver,
    "arpack": ArpackSolver,
    "pardiso": PardisoSolver,
    "cholespy": CholespySolver,
}
DEFAULT = "native"


def available_backends() -> list[str]:
    """Return the names that can be given as `backend` here: 'auto' and what is installed.

    'auto' is 'native', our own; 'arpack' needs nothing beyond SciPy. 'pardiso' (package pypardiso: Intel MKL,
    x86_64 only) and 'cholespy' (CHOLMOD) are taken only when named.

    Examples
    --------
    >>> "auto" in available_backends()
    True
    """
    return ["auto", *(name for name in _FACTORIES if _is_installed(name))]


def _is_installed(name: str) -> bool:
    return name not in PACKAGES or importlib.util.find_spec(PACKAGES[name]) is not None


def make_solver(backend: str, pencil: Pencil, tol: float, team: Team) -> PencilSolver:
    """Return a solver for one pencil.

    Raises
    ------
    ArrayError
        If there is no backend of that name.
    MissingDependencyError
        If the package it needs is not installed.
    """
    name = DEFAULT if backend == "auto" else backend
    if name not in _FACTORIES:
        raise ArrayError(f"backend: expected one of {', '.join(['auto', *_FACTORIES])}, found {backend!r}")
    return _FACTORIES[name](pencil, tol, team)
