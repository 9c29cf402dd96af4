"""One connected eigenproblem, and what a solver of it must be able to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Panels


@dataclass(frozen=True, eq=False)
class Pencil:
    """A x = lambda B x on one connected component, in normalised units.

    Attributes
    ----------
    stiffness : (n, n) sparse CSR array
        A, symmetric positive semi-definite.
    mass : (n, n) sparse CSR array
        B, symmetric positive definite.
    has_null_mode : bool
        Whether constants span the kernel of A: true without a Dirichlet edge.
    mass_bound : float
        r' B^-1 r is at most this times r' diag(B)^-1 r. On a triangle with linear elements, the consistent
        mass matrix relative to its own diagonal has the eigenvalues 1/2, 1/2 and 2.
    """

    stiffness: Any
    mass: Any
    has_null_mode: bool
    mass_bound: float = 2.0

    @property
    def n(self) -> int:
        """Number of unknowns."""
        return int(self.stiffness.shape[0])

    @property
    def area(self) -> float:
        """Sum of the entries of B."""
        return float(self.mass.sum())

    def in_order(self, order: IntArray) -> Pencil:
        """Return the pencil with its unknowns in another order."""
        return replace(self, stiffness=self.stiffness[order][:, order], mass=self.mass[order][:, order])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Ascending eigenpairs of a pencil with none left out below the last.

    Attributes
    ----------
    values : (m,) array
    vectors : (n, m) array
        B-orthonormal columns.
    """

    values: FloatArray
    vectors: FloatArray


class PencilSolver(Protocol):
    """What a backend offers for one pencil.

    Attributes
    ----------
    name : str
    order : (n,) array of int
        The order in which it keeps the unknowns of the pencil that it was made for.
    pencil : Pencil
        That pencil in this order, which is also the order of the rows of all pairs.
    """

    name: str
    order: IntArray
    pencil: Pencil

    def lowest(self, count: int, known: Pairs | None = None, n_rough: int = 0) -> Pairs:
        """Return at least the `count` smallest eigenpairs, given those known already.

        The last `n_rough` need only show where eigenvalues are.
        """

    def refine(self, pairs: Pairs, columns: IntArray) -> Pairs:
        """Return the pairs with smaller residuals, those of `columns` above all; may overwrite them."""

    def count_below(self, shift: float) -> tuple[int, float]:
        """Return the number of eigenvalues below `shift`, by inertia, and that count's backward error."""


def insert_null_mode(panels: Panels, pencil: Pencil, pairs: Pairs) -> Pairs:
    """Replace the computed null mode, in place, by the exact one; the others stay orthogonal to it."""
    if not pencil.has_null_mode:
        return pairs
    values, vectors = pairs.values, pairs.vectors
    constant = 1 / np.sqrt(pencil.area)
    weights = np.asarray(pencil.mass.sum(axis=0)).ravel()
    means = panels.total(lambda rows: weights[rows] @ vectors[rows]) / pencil.area

    def center(rows: slice) -> None:
        vectors[rows] -= means
        vectors[rows, 0] = constant

    panels.each(center)
    values[0] = 0.0
    return pairs
