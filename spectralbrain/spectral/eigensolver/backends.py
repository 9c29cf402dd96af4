"""Solvers by name."""

from __future__ import annotations

from collections.abc import Callable

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.eigensolver.arpack import ArpackSolver
from spectralbrain.spectral.eigensolver.native import NativeSolver
from spectralbrain.spectral.eigensolver.pencil import Pencil, PencilSolver
from spectralbrain.spectral.eigensolver.threads import Team

Factory = Callable[[Pencil, float, Team], PencilSolver]

_FACTORIES: dict[str, Factory] = {"native": NativeSolver, "arpack": ArpackSolver}
DEFAULT = "native"


def available_backends() -> list[str]:
    """Return the names that can be given as `backend` here.

    Examples
    --------
    >>> "auto" in available_backends()
    True
    """
    return ["auto", *_FACTORIES]


def make_solver(backend: str, pencil: Pencil, tol: float, team: Team) -> PencilSolver:
    """Return a solver for one pencil.

    Raises
    ------
    ArrayError
        If there is no backend of that name.
    """
    name = DEFAULT if backend == "auto" else backend
    if name not in _FACTORIES:
        raise ArrayError(f"backend: expected one of {', '.join(available_backends())}, found {backend!r}")
    return _FACTORIES[name](pencil, tol, team)
