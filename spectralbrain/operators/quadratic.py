"""Quadratic (P2) finite elements on flat triangles: unknowns at the vertices and the edges' midpoints.

With barycentric coordinates L_i of a triangle the basis is L_i (2 L_i - 1) at corner i and 4 L_j L_k in the
middle of the edge opposite to it (Strang & Fix 1973, An analysis of the finite element method, chapter 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.operators.domain import Domain
from spectralbrain.operators.fem import triangles
from spectralbrain.runtime import FloatArray, IntArray

# Exact for cubic polynomials: two gradients, linear each, and a linear weight.
_POINTS = np.array([[1 / 3, 1 / 3, 1 / 3], [0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6]])
_SHARES = np.array([-27, 25, 25, 25]) / 48

# Integrals of products of the six basis functions on a triangle of unit area, times 180.
_MASS = np.array(
    [
        [6, -1, -1, -4, 0, 0],
        [-1, 6, -1, 0, -4, 0],
        [-1, -1, 6, 0, 0, -4],
        [-4, 0, 0, 32, 16, 16],
        [0, -4, 0, 16, 32, 16],
        [0, 0, -4, 16, 16, 32],
    ]
)

#: r' B^-1 r <= MASS_BOUND r' diag(B)^-1 r: relative to its own diagonal, the mass matrix of a triangle has
#: no eigenvalue below 0.3923.
MASS_BOUND = 2.55


def quadratic_nodes(domain: Domain) -> IntArray:
    """Return each triangle's unknowns: corners, ascending, then the middles of the edges opposite to them.

    Parameters
    ----------
    domain : Domain

    Returns
    -------
    (F, 6) array of int
        Vertices are numbered as in the domain, the middle of ``domain.edges[e]`` is n + e.

    Examples
    --------
    >>> from spectralbrain.geometry.mesh import BrainMesh
    >>> from spectralbrain.operators.domain import build_domain
    >>> quadratic_nodes(build_domain(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])))
    array([[0, 1, 2, 5, 4, 3]])
    """
    n, faces = domain.surface.n_vertices, triangles(domain.surface)[0].T
    start, end = np.roll(faces, -1, axis=1), np.roll(faces, -2, axis=1)
    keys = np.minimum(start, end) * n + np.maximum(start, end)
    known = domain.edges[:, 0] * n + domain.edges[:, 1]  # ascending
    nodes: IntArray = np.hstack([faces, n + np.searchsorted(known, keys)])
    return nodes


def quadratic_matrices(domain: Domain, *, weight: FloatArray | None = None) -> tuple[Any, Any]:
    """Return stiffness and mass matrix of quadratic elements.

    Parameters
    ----------
    domain : Domain
        n vertices, E edges.
    weight : (n,) array, optional
        Positive conductivity at the vertices, linear in between.

    Returns
    -------
    stiffness, mass : (n + E, n + E) sparse CSR arrays
        In the domain's unit; the mass matrix is the consistent one and sums to the area. There is no lumped
        one: the integrals of the vertices' basis functions vanish.

    Examples
    --------
    >>> from spectralbrain.geometry.mesh import BrainMesh
    >>> from spectralbrain.operators.domain import build_domain
    >>> domain = build_domain(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))
    >>> stiffness, mass = quadratic_matrices(domain)
    >>> round(float(mass.sum()) * domain.unit**2, 12)
    0.5
    """
    surface = domain.surface
    corners, sides, areas = triangles(surface)
    gradients = np.einsum("axf,bxf->fab", sides, sides) / (4 * areas[:, None, None])
    slopes = _slopes(_POINTS)
    shares = np.broadcast_to(_SHARES, (surface.n_faces, len(_SHARES)))
    if weight is not None:
        shares = shares * (weight[corners.T] @ _POINTS.T)
    forms = np.einsum("qma,qnb->qmnab", slopes, slopes).reshape(len(_POINTS), 36, 9)
    local = np.einsum("fq,qpg,fg->fp", shares, forms, gradients.reshape(-1, 9), optimize=True)
    local = local.reshape(-1, 6, 6)
    local = (local + local.transpose(0, 2, 1)) / 2  # symmetric to the last bit
    nodes = quadratic_nodes(domain)
    size = surface.n_vertices + len(domain.edges)
    stiffness = _assemble(size, nodes, local)
    mass = _assemble(size, nodes, areas[:, None, None] * (_MASS / 180))
    return stiffness, mass


def _slopes(points: FloatArray) -> FloatArray:
    """Derivatives of the six basis functions by the three barycentric coordinates, (Q, 6, 3) array."""
    slopes = np.zeros((len(points), 6, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        slopes[:, i, i] = 4 * points[:, i] - 1
        slopes[:, 3 + i, j] = 4 * points[:, k]
        slopes[:, 3 + i, k] = 4 * points[:, j]
    return slopes


def _assemble(n: int, elements: Any, local: FloatArray) -> Any:
    """Sum element matrices into an (n, n) sparse CSR array with sorted indices.

    Parameters
    ----------
    n : int
        Number of unknowns.
    elements : (F, m) array of int
        Unknowns of each element.
    local : (F, m, m) array
        Element matrices.

    Returns
    -------
    (n, n) sparse CSR array
        Exactly symmetric, because both triangles' halves are summed in the same order.
    """
    m = elements.shape[1]
    elements = elements.astype(np.int32)  # what the matrix will have
    rows = np.repeat(elements, m, axis=1).ravel()
    columns = np.tile(elements, (1, m)).ravel()
    matrix = sp.coo_array((local.ravel(), (rows, columns)), shape=(n, n)).tocsr()
    matrix.sort_indices()
    return matrix
