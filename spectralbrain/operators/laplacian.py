"""The choice of a discretisation of the Laplace-Beltrami operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import ArrayError, MissingDependencyError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.domain import Domain
from spectralbrain.operators.fem import linear_matrices
from spectralbrain.operators.quadratic import quadratic_matrices
from spectralbrain.runtime import FloatArray

LAPLACIANS = ("cotangent", "robust", "quadratic")
MASSES = ("consistent", "lumped")


@dataclass(frozen=True, eq=False)
class Discretization:
    """Stiffness and mass of a domain, in its normalised unit.

    Attributes
    ----------
    stiffness : (m, m) sparse CSR array, dimensionless
        A, symmetric positive semi-definite; constants are in its kernel. One unknown per vertex, m = n, and
        with quadratic elements one per edge behind them.
    consistent_mass, lumped_mass : (n, n) sparse CSR array
        The two mass matrices of linear elements; a point cloud has the lumped one only.
    is_consistent : bool
        Which of the two is used.
    quadratic_mass : (m, m) sparse CSR array, optional
        The mass matrix of quadratic elements, used instead.
    """

    stiffness: Any
    consistent_mass: Any
    lumped_mass: Any
    is_consistent: bool
    quadratic_mass: Any = None

    @property
    def is_quadratic(self) -> bool:
        """Whether there are unknowns on the edges."""
        return self.quadratic_mass is not None

    @property
    def vertex_mass(self) -> Any:
        """The mass matrix for values at the vertices, (n, n) sparse CSR array."""
        return self.consistent_mass if self.is_consistent else self.lumped_mass

    @property
    def mass(self) -> Any:
        """The mass matrix B of the eigenproblem, (m, m) sparse CSR array."""
        return self.quadratic_mass if self.is_quadratic else self.vertex_mass

    @property
    def pattern(self) -> Any:
        """A matrix that is positive where two unknowns share a triangle, (m, m) sparse CSR array."""
        coupling = self.mass if self.is_quadratic or self.consistent_mass is None else self.consistent_mass
        return abs(coupling) + abs(self.stiffness)


def default_mass(laplacian: str) -> str:
    """Return the mass matrix that goes with a Laplacian where none is named.

    Examples
    --------
    >>> default_mass("cotangent"), default_mass("robust")
    ('consistent', 'lumped')
    """
    return "lumped" if laplacian == "robust" else "consistent"


def discretize(
    domain: Domain, laplacian: str = "cotangent", mass: str = "consistent", weight: FloatArray | None = None
) -> Discretization:
    """Return the matrices of a domain.

    Parameters
    ----------
    domain : Domain
        Where.
    laplacian : {'cotangent', 'robust', 'quadratic'}
        Linear finite elements on the mesh as it is, or on its intrinsic Delaunay tufted cover, or quadratic
        ones on the mesh as it is.
    mass : {'consistent', 'lumped'}
        Mass matrix; the robust Laplacian comes with a lumped one only, quadratic elements with a consistent
        one.
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
    if laplacian == "robust":
        if mass != "lumped" or weight is not None:
            raise ArrayError("laplacian='robust': expected mass='lumped' and no weight")
        with np.errstate(divide="ignore", invalid="ignore"):  # flat triangles have a mass, if no cotangents
            _, consistent, _ = linear_matrices(surface)
        stiffness, lumped = robust_laplacian(surface)
        return Discretization(stiffness, consistent, lumped, False)
    stiffness, consistent, lumped = linear_matrices(surface, weight=weight)
    if laplacian == "quadratic":
        if mass != "consistent":
            raise ArrayError(f"laplacian='quadratic': expected mass='consistent', found {mass!r}")
        stiffness, quadratic = quadratic_matrices(domain, weight=weight)
        return Discretization(stiffness, consistent, lumped, True, quadratic)
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
    stiffness, mass = import_robust().mesh_laplacian(np.asarray(surface.vertices), np.asarray(surface.faces))
    stiffness = sp.csr_array(stiffness)
    stiffness.sort_indices()
    return stiffness, sp.csr_array(mass)


def import_robust() -> Any:
    """Return the module robust_laplacian.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import robust_laplacian
    except ImportError as error:
        raise MissingDependencyError(
            "laplacian='robust' needs the package robust_laplacian: pip install 'spectralbrain[robust]'"
        ) from error
    return robust_laplacian
