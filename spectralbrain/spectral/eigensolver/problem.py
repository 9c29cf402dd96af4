"""The discrete eigenproblem of a surface: boundary condition, and one pencil per connected piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from spectralbrain.errors import MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.domain import Domain
from spectralbrain.operators.laplacian import Discretization
from spectralbrain.operators.quadratic import MASS_BOUND
from spectralbrain.runtime import IntArray
from spectralbrain.spectral.eigensolver.pencil import Pencil, PencilSolver


@dataclass(frozen=True, eq=False)
class Problem:
    """A discretised domain with its boundary condition.

    Attributes
    ----------
    domain : Domain
    discretization : Discretization
    pieces : list of (n_i,) arrays of int
        Unknowns (vertices of the domain, and middles of its edges behind them) of each connected piece;
        those with a Dirichlet condition are in none.
    pencils : list of Pencil
        The eigenproblem of each piece, with its unknowns in that order.
    """

    domain: Domain
    discretization: Discretization
    pieces: list[IntArray]
    pencils: list[Pencil]

    @property
    def n_unknowns(self) -> int:
        """Number of unknowns of all pieces."""
        return sum(len(piece) for piece in self.pieces)

    @property
    def n_null_modes(self) -> int:
        """Number of pieces without a Dirichlet condition."""
        return sum(pencil.has_null_mode for pencil in self.pencils)


def in_order(problem: Problem, solvers: list[PencilSolver]) -> Problem:
    """Return a problem with the unknowns of each piece in the order in which its solver keeps them."""
    pieces = [piece[solver.order] for piece, solver in zip(problem.pieces, solvers, strict=True)]
    return replace(problem, pieces=pieces, pencils=[solver.pencil for solver in solvers])


def build_problem(domain: Domain, discretization: Discretization, boundary: str) -> Problem:
    """Impose the boundary condition and split into connected pieces.

    Parameters
    ----------
    domain : Domain
    discretization : Discretization
    boundary : {'neumann', 'dirichlet'}
        With 'dirichlet', functions vanish on boundary edges.

    Returns
    -------
    Problem

    Raises
    ------
    MeshError
        If a Dirichlet condition leaves no unknown, or none at the vertices of a component.
    """
    components, edge = domain.components, domain.boundary_vertices
    if discretization.is_quadratic:
        components = np.concatenate([components, components[domain.edges[:, 0]]])
        edge = np.concatenate([edge, domain.boundary_edges])
    fixed = edge if boundary == "dirichlet" else np.zeros(len(components), dtype=bool)
    free = np.flatnonzero(~fixed)
    if not len(free):
        raise MeshError("boundary='dirichlet': every vertex lies on the boundary, no unknown is left")
    touches_boundary = np.zeros(domain.n_components, dtype=bool)
    touches_boundary[components[fixed]] = True
    labels = connected_components(discretization.pattern[free][:, free], directed=False)[1]
    first = np.sort(np.unique(labels, return_index=True)[1])
    pieces = [free[labels == labels[start]] for start in first]
    if any(piece[0] >= domain.surface.n_vertices for piece in pieces):
        raise MeshError("boundary='dirichlet': every vertex of a component lies on the boundary")
    pencils = [
        Pencil(
            restrict(discretization.stiffness, piece),
            restrict(discretization.mass, piece),
            has_null_mode=not touches_boundary[components[piece[0]]],
            **({"mass_bound": MASS_BOUND} if discretization.is_quadratic else {}),
        )
        for piece in pieces
    ]
    return Problem(domain, discretization, pieces, pencils)


def linear_pattern(mesh: BrainMesh) -> Any:
    """Return the pattern of the matrices of linear elements, known before their entries are.

    Parameters
    ----------
    mesh : BrainMesh
        With n vertices.

    Returns
    -------
    (n, n) sparse CSR array
        Ones on the diagonal and where two vertices are neighbours.
    """
    n, faces = mesh.n_vertices, mesh.faces.astype(np.int32)
    start, end, every = faces.ravel(), np.roll(faces, -1, axis=1).ravel(), np.arange(n, dtype=np.int32)
    rows, columns = np.concatenate([start, end, every]), np.concatenate([end, start, every])
    pattern = sp.csr_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    return pattern.astype(np.float64)


def restrict(matrix: Any, piece: IntArray) -> Any:
    """Return the rows and columns of a piece, in its order, with sorted 32-bit indices."""
    is_whole = np.array_equal(piece, np.arange(matrix.shape[0]))
    part = sp.csr_array(matrix if is_whole else matrix[piece][:, piece])
    part.sort_indices()
    part.indices = part.indices.astype(np.int32)
    part.indptr = part.indptr.astype(np.int32)
    return part
