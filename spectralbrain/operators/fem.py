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

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import Faces, FloatArray

# Consistent mass matrix of a triangle of area one.
_CONSISTENT = (np.ones((3, 3)) + np.eye(3)) / 12


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
    faces, edges, areas = triangles(mesh)
    return assemble(mesh.n_vertices, faces, _local_stiffness(faces, edges, areas, weight))


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
    faces, _, areas = triangles(mesh)
    if lumped:
        return _lumped(mesh.n_vertices, faces, areas)
    return assemble(mesh.n_vertices, faces, areas[:, None, None] * _CONSISTENT)


def linear_matrices(mesh: BrainMesh, *, weight: FloatArray | None = None) -> tuple[Any, Any, Any]:
    """Return the stiffness matrix and both mass matrices, in less time than one by one.

    Parameters
    ----------
    mesh : BrainMesh
        Surface without degenerate triangles.
    weight : (N,) array, optional
        See :func:`stiffness_matrix`.

    Returns
    -------
    stiffness, consistent, lumped : (N, N) sparse CSR arrays
        The same, bit by bit, as :func:`stiffness_matrix` and :func:`mass_matrix` return.

    Examples
    --------
    >>> triangle = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> [round(float(matrix.sum()), 12) for matrix in linear_matrices(triangle)]
    [0.0, 0.5, 0.5]
    """
    n = mesh.n_vertices
    faces, edges, areas = triangles(mesh)
    both = np.empty((len(faces), 3, 3), dtype=complex)  # two matrices of one pattern are summed at once
    both.real = _local_stiffness(faces, edges, areas, weight)
    np.multiply(areas[:, None, None], _CONSISTENT, out=both.imag)
    matrix = assemble(n, faces, both)
    stiffness, consistent = (
        sp.csr_array((np.ascontiguousarray(part), matrix.indices, matrix.indptr), shape=(n, n))
        for part in (matrix.data.real, matrix.data.imag)
    )
    return stiffness, consistent, _lumped(n, faces, areas)


def _local_stiffness(
    faces: Faces, edges: FloatArray, areas: FloatArray, weight: FloatArray | None
) -> FloatArray:
    """Return e_i . e_j / (4 area) of each triangle, (F, 3, 3) array."""
    local = np.empty((len(faces), 3, 3))
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        local[:, i, j] = local[:, j, i] = np.einsum("fx,fx->f", edges[:, i], edges[:, j])
    local /= (4 * areas)[:, None, None]
    if weight is not None:
        local *= weight[faces].mean(axis=1)[:, None, None]
    return local


def _lumped(n: int, faces: Faces, areas: FloatArray) -> Any:
    """Return the diagonal matrix that gives each corner a third of its triangles."""
    third = np.bincount(faces.ravel(), np.repeat(areas * (1 / 3), 3), n)
    own = np.flatnonzero(third)
    return sp.coo_array((third[own], (own, own)), shape=(n, n)).tocsr()


def triangles(mesh: BrainMesh) -> tuple[Faces, FloatArray, FloatArray]:
    """Return each triangle's corners in ascending order, the edges opposite to them, and its area.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    faces : (F, 3) array of int
    edges : (F, 3, 3) array, mm
        Edge by corner by coordinate.
    areas : (F,) array, mm^2

    Examples
    --------
    >>> faces, _, areas = triangles(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[2, 0, 1]]))
    >>> faces.tolist(), areas.tolist()
    ([[0, 1, 2]], [0.5])
    """
    faces = np.sort(mesh.faces, axis=1)
    a, b, c = (mesh.vertices[faces[:, i]] for i in range(3))
    edges = np.stack([c - b, a - c, b - a], axis=1)
    return faces, edges, np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2


def assemble(n: int, elements: Any, local: FloatArray) -> Any:
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
