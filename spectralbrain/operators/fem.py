"""Linear (P1) finite elements: the cotangent stiffness matrix and the mass matrices.

Source: Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366. The stiffness matrix of a
triangle with edges e_i opposite its corners is e_i . e_j / (4 area), which is the cotangent formula of
Pinkall & Polthier (1993), Experimental Mathematics 2, 15-36.

The corners of each triangle are taken in ascending order, so that the matrices do not change, not even by
rounding, when triangles are turned over: a surface and its mirror image have the same spectrum, bit by bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import Faces, FloatArray, IntArray


def stiffness_matrix(mesh: BrainMesh, *, weight: FloatArray | None = None) -> Any:
    """Return the stiffness matrix of the surface.

    Parameters
    ----------
    mesh : BrainMesh
        Surface without degenerate triangles.
    weight : (N,) array, optional
        Positive conductivity w at the vertices; each triangle takes the mean of its corners, which
        integrates a linear w exactly because the gradients are constant.

    Returns
    -------
    (N, N) sparse CSR array, dimensionless
        A_ij = integral of w grad phi_i . grad phi_j.

    Examples
    --------
    >>> triangle = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> stiffness_matrix(triangle).toarray()
    array([[ 1. , -0.5, -0.5],
           [-0.5,  0.5,  0. ],
           [-0.5,  0. ,  0.5]])
    """
    return linear_matrices(mesh, weight=weight)[0]


def mass_matrix(mesh: BrainMesh, *, lumped: bool = False) -> Any:
    """Return the mass matrix of the surface.

    Parameters
    ----------
    mesh : BrainMesh
        Surface.
    lumped : bool
        Give each corner a third of the triangle (diagonal matrix) instead of the consistent matrix.

    Returns
    -------
    (N, N) sparse CSR array, mm^2
        B_ij = integral of phi_i phi_j; the entries sum to the area.

    Examples
    --------
    >>> triangle = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> 24 * mass_matrix(triangle).toarray()
    array([[2., 1., 1.],
           [1., 2., 1.],
           [1., 1., 2.]])
    """
    _, consistent_mass, lumped_mass = linear_matrices(mesh)
    return lumped_mass if lumped else consistent_mass


def linear_matrices(mesh: BrainMesh, *, weight: FloatArray | None = None) -> tuple[Any, Any, Any]:
    """Return the stiffness matrix and both mass matrices.

    Parameters
    ----------
    mesh : BrainMesh
        Surface without degenerate triangles.
    weight : (N,) array, optional
        See :func:`stiffness_matrix`.

    Returns
    -------
    stiffness, consistent, lumped : (N, N) sparse CSR arrays
        Symmetric to the last bit; the first two have the same pattern.

    Raises
    ------
    MeshError
        If a triangle repeats a vertex.

    Examples
    --------
    >>> triangle = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> [round(float(matrix.sum()), 12) for matrix in linear_matrices(triangle)]
    [0.0, 0.5, 0.5]
    """
    topology = mesh.topology
    if topology.collapsed_faces.any():
        raise MeshError(f"mesh: {int(topology.collapsed_faces.sum())} triangles repeat a vertex")
    n, n_edges = mesh.n_vertices, len(topology.edges)
    corners, sides, areas = triangles(mesh)
    factor = 1 / (4 * areas) if weight is None else weight[corners].mean(axis=0) / (4 * areas)

    # Edges are numbered like their vertices: those of corners a < b < c are ab < ac < bc.
    opposite = np.sort(topology.edges_of_faces, axis=1).T[::-1].ravel()
    vertex = corners.ravel()
    energies = [_dot(sides[i], sides[i]) * factor for i in range(3)]
    products = [_dot(sides[i - 2], sides[i - 1]) * factor for i in range(3)]
    third = _sums(vertex, [areas / 3] * 3, n)

    own = np.flatnonzero(third)
    place = _Places(topology.edges, own, n)
    stiffness = place.matrix(_sums(opposite, products, n_edges), _sums(vertex, energies, n)[own])
    consistent = place.matrix(_sums(opposite, [areas / 12] * 3, n_edges), third[own] / 2)
    return stiffness, consistent, sp.coo_array((third[own], (own, own)), shape=(n, n)).tocsr()


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    products: FloatArray = np.einsum("xf,xf->f", left, right)
    return products


def _sums(target: IntArray, parts: list[FloatArray], size: int) -> FloatArray:
    """Return the sums of the concatenated parts by their targets."""
    sums: FloatArray = np.bincount(target, np.concatenate(parts), size).astype(np.float64, copy=False)
    return sums


class _Places:
    """Where the values at edges and vertices go in a symmetric matrix.

    Parameters
    ----------
    edges : (E, 2) array of int
        Ascending, the lower vertex first.
    own : (m,) array of int
        Vertices with an entry on the diagonal, ascending.
    n : int
        Number of vertices.
    """

    def __init__(self, edges: IntArray, own: IntArray, n: int) -> None:
        low, high, own = (part.astype(np.int32) for part in (*edges.T, own))
        # in this order the columns of each row come ascending
        rows, columns = np.concatenate([high, own, low]), np.concatenate([low, own, high])
        numbers = np.arange(len(rows), dtype=np.int32)
        self.numbers = sp.csr_array((numbers, (rows, columns)), shape=(n, n))

    def matrix(self, at_edges: FloatArray, at_vertices: FloatArray) -> Any:
        """Return the (n, n) sparse CSR array with some values."""
        values = np.concatenate([at_edges, at_vertices, at_edges])
        numbers = self.numbers
        matrix = sp.csr_array((values[numbers.data], numbers.indices, numbers.indptr), shape=numbers.shape)
        matrix.has_canonical_format = True
        return matrix


def triangles(mesh: BrainMesh) -> tuple[Faces, tuple[FloatArray, ...], FloatArray]:
    """Return each triangle's corners in ascending order, the sides opposite to them, and its area.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    corners : (3, F) array of int
    sides : three (3, F) arrays, mm
        Side by coordinate and triangle.
    areas : (F,) array, mm^2

    Examples
    --------
    >>> corners, _, areas = triangles(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[2, 0, 1]]))
    >>> corners.T.tolist(), areas.tolist()
    ([[0, 1, 2]], [0.5])
    """
    corners = np.ascontiguousarray(np.sort(mesh.faces, axis=1).T)
    coordinates = np.ascontiguousarray(mesh.vertices.T)
    a, b, c = (coordinates[:, corner] for corner in corners)
    sides = c - b, a - c, b - a
    return corners, sides, np.linalg.norm(np.cross(sides[0], sides[1], axis=0), axis=0) / 2
