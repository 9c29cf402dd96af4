"""Linear (P1) finite elements: the cotangent stiffness matrix and the mass matrices.

Source: Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.geometry.mesh import BrainMesh


def stiffness_matrix(mesh: BrainMesh) -> Any:
    """Return A with A_ij = integral of grad phi_i . grad phi_j, (N, N) sparse CSR, dimensionless."""
    corners = mesh.vertices[mesh.faces]
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # edge opposite each corner
    dots = np.einsum("fix,fjx->fij", edges, edges)
    return _scatter(mesh, dots / (4 * mesh.face_areas[:, None, None]))


def mass_matrix(mesh: BrainMesh, *, lumped: bool = False) -> Any:
    """Return B with B_ij = integral of phi_i phi_j, (N, N) sparse CSR, mm^2."""
    local = np.eye(3) / 3 if lumped else (np.ones((3, 3)) + np.eye(3)) / 12
    return _scatter(mesh, mesh.face_areas[:, None, None] * local)


def _scatter(mesh: BrainMesh, local: Any) -> Any:
    rows = np.repeat(mesh.faces, 3, axis=1).ravel()
    columns = np.tile(mesh.faces, (1, 3)).ravel()
    shape = (mesh.n_vertices, mesh.n_vertices)
    matrix = sp.coo_matrix((local.ravel(), (rows, columns)), shape=shape).tocsr()
    matrix.eliminate_zeros()
    return matrix
