"""The spectral decomposition of a surface: what it holds, and how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse.linalg as spla

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh, submesh
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.runtime import BoolArray, Eigenvalues, Eigenvectors


@dataclass(frozen=True, eq=False)
class SpectralDecomposition:
    """Laplace-Beltrami eigenpairs of a surface.

    Attributes
    ----------
    eigenvalues : (k,) array, mm^-2
        Ascending, null modes included.
    eigenvectors : (N, k) array, mm^-1
        One column per mode, orthonormal with respect to `mass`; rows of vertices outside the
        domain (medial wall) are NaN.
    mass : (N, N) sparse CSR array, mm^2
        Rows and columns of vertices outside the domain are empty.
    mesh : BrainMesh
        The whole surface, masked vertices included.
    metadata : mapping
        How it was computed and verified; see :func:`decompose`.
    """

    eigenvalues: Eigenvalues
    eigenvectors: Eigenvectors
    mass: Any
    mesh: BrainMesh
    metadata: Mapping[str, Any]

    @property
    def domain(self) -> BoolArray:
        """Which vertices belong to the domain, (N,) array of bool."""
        return ~np.isnan(self.eigenvectors[:, 0])

    @property
    def surface_area(self) -> float:
        """Area of the domain, mm^2."""
        return float(self.mass.sum())

    @property
    def n_null_modes(self) -> int:
        """Number of constant modes, counted by topology."""
        return int(self.metadata["n_null_modes"])


def decompose(
    mesh: BrainMesh, k: int = 100, *, mask: Any = None, mass: Literal["consistent", "lumped"] = "consistent"
) -> SpectralDecomposition:
    """Compute the k smallest eigenpairs of the Laplace-Beltrami operator."""
    if mask is None:
        mask = np.ones(mesh.n_vertices, dtype=bool)
    domain, index = submesh(mesh, mask)
    if not 1 <= k < domain.n_vertices:
        raise ArrayError(f"k: expected 1 <= k < {domain.n_vertices} vertices, found {k}")
    stiffness, mass_domain = stiffness_matrix(domain), mass_matrix(domain, lumped=mass == "lumped")
    shift = -0.01 / domain.area
    start = np.random.default_rng(0).standard_normal(domain.n_vertices)
    values, vectors = spla.eigsh(stiffness, k, mass_domain, sigma=shift, v0=start, tol=1e-12)
    full = np.full((mesh.n_vertices, k), np.nan)
    full[index] = vectors
    scatter = mass_domain.tocoo()
    mass_full = type(scatter)(
        (scatter.data, (index[scatter.row], index[scatter.col])), shape=(mesh.n_vertices,) * 2
    ).tocsr()
    metadata = {"k": k, "mass": mass, "n_null_modes": 1, "laplacian": "cotangent"}
    return SpectralDecomposition(values, full, mass_full, mesh, metadata)
