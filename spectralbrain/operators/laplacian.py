"""The choice of a discretisation of the Laplace-Beltrami operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import ArrayError, MissingDependencyError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.domain import Domain
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.runtime import FloatArray

LAPLACIANS = ("cotangent", "robust")
MASSES = ("consistent", "lumped")


@dataclass(frozen=True, eq=False)
class Discretization:
    """Stiffness and mass of a domain, in its normalised unit.

    Attributes
    ----------
    stiffness : (n, n) sparse CSR array, dimensionless
        A, symmetric positive semi-definite; constants are in its kernel.
    consistent_mass, lumped_mass : (n, n) sparse CSR array
        The two mass matrices of the surface.
    is_consistent : bool
        Which of the two is used.
    """

    stiffness: Any
    consistent_mass: Any
    lumped_mass: Any
    is_consistent: bool

    @property
    def mass(self) -> Any:
        """The mass matrix B that is used, (n, n) sparse CSR array."""
        return self.consistent_mass if self.is_consistent else self.lumped_mass


def discretize(
    domain: Domain, laplacian: str = "cotangent", mass: str = "consistent", weight: FloatArray | None = None
) -> Discretization:
    """Return the matrices of a domain.

    Parameters
    ----------
    domain : Domain
        Where.
    laplacian : {'cotangent', 'robust'}
        Linear finite elements on the mesh as it is, or on its intrinsic Delaunay tufted cover.
    mass : {'consistent', 'lumped'}
        Mass matrix; the robust Laplacian comes with a lumped one only.
    weight : (n,) array, optional
        Positive scalar field that multiplies the stiffness.

    Returns
    -------
    Discretization

    Raises
    ------
    ArrayError
        If the choices cannot be combined.
    MissingDependencyError
        If `laplacian` is 'robust' and the package robust_laplacian is not installed.
    """
    surface = domain.surface
    consistent, lumped = mass_matrix(surface), mass_matrix(surface, lumped=True)
    if laplacian == "robust":
        if mass != "lumped" or weight is not None:
            raise ArrayError("laplacian='robust': expected mass='lumped' and no weight")
        stiffness, lumped = robust_laplacian(surface)
    else:
        stiffness = stiffness_matrix(surface, weight=weight)
    return Discretization(stiffness, consistent, lumped, mass == "consistent")


def robust_laplacian(surface: BrainMesh) -> tuple[Any, Any]:
    """Return stiffness and lumped mass of the intrinsic Delaunay triangulation of the tufted cover.

    Parameters
    ----------
    surface : BrainMesh
        Any triangle mesh: slivers, edges of three triangles and flat triangles are legal.

    Returns
    -------
    stiffness, mass : (n, n) sparse CSR arrays
        The mass is diagonal; its entries sum to the area of the mollified mesh.

    Raises
    ------
    MissingDependencyError
        If the package robust_laplacian is not installed.

    Notes
    -----
    Sharp & Crane (2020), A Laplacian for nonmanifold triangle meshes, Computer Graphics Forum 39(5).
    """
    try:
        from robust_laplacian import mesh_laplacian
    except ImportError as error:
        raise MissingDependencyError(
            "laplacian='robust' needs the package robust_laplacian: pip install 'spectralbrain[robust]'"
        ) from error
    stiffness, mass = mesh_laplacian(np.asarray(surface.vertices), np.asarray(surface.faces))
    stiffness = sp.csr_array(stiffness)
    stiffness.sort_indices()
    return stiffness, sp.csr_array(mass)
