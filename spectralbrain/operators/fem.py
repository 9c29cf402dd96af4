"""Linear (P1) finite elements: the cotangent stiffness matrix and the mass matrices.

Source: Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366. The stiffness matrix of a
triangle with edges e_i opposite its corners is e_i . e_j / (4 area), which is the cotangent formula of
Pinkall & Polthier (1993), Experimental Mathematics 2, 15-36.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import FloatArray


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
    corners = mesh.vertices[mesh.faces]
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # edge opposite each corner
    local = np.einsum("fix,fjx->fij", edges, edges) / (4 * mesh.face_areas[:, None, None])
    if weight is not None:
        local *= weight[mesh.faces].mean(axis=1)[:, None, None]
    return assemble(mesh.n_vertices, mesh.faces, local)


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
    local = np.eye(3) / 3 if lumped else (np.ones((3, 3)) + np.eye(3)) / 12
    matrix = assemble(mesh.n_vertices, mesh.faces, mesh.face_areas[:, None, None] * local)
    if lumped:
        matrix.eliminate_zeros()
    return matrix


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
    rows = np.repeat(elements, m, axis=1).ravel()
    columns = np.tile(elements, (1, m)).ravel()
    matrix = sp.coo_array((local.ravel(), (rows, columns)), shape=(n, n)).tocsr()
    matrix.sort_indices()
    return matrix
