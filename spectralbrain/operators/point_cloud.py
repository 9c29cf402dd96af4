"""Surfaces known only by points: a Laplacian without triangles.

Where the local triangulations of neighbouring points disagree, as they do on random points, the tufted
Laplacian lets functions bend around what does not fit: the Dirichlet energy of every smooth function comes
out too small, on random points by 4 % at every density, while the area stays right. How much is
known from the points themselves: on any surface, curved or open, the three coordinates together have
the energy 2 A, because their gradients add up to the projection onto the tangent plane. The stiffness is
therefore multiplied by 2 A / sum_x x' L x (1.000 on evenly spread points, about 1.04 on random ones);
triangle meshes have this energy exactly.

What stays (``tests/operators/test_point_cloud.py``): within 1 % on evenly spread points, about 1 to 2 % too
small on thousands of random ones. Noise off the surface adds area, and folds closer than the points are dense
join: the cortex at 4,000 points has 20 % too much area, and eigenvalues as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.domain import Domain
from spectralbrain.operators.laplacian import Discretization, import_robust
from spectralbrain.runtime import IntArray, VertexMask, as_array

NEIGHBOURS = 30  # of each point, for its local triangulation; what robust_laplacian takes by default


@dataclass(frozen=True, eq=False)
class PointDomain(Domain):
    """A domain of points; its edges are the couplings of the Laplacian, and where it ends is unknown.

    Attributes
    ----------
    couplings : (E, 2) array of int
        Pairs of points with a non-zero entry in the stiffness matrix.
    stiffness_factor : float
        What the stiffness was multiplied by, so that the coordinates' Dirichlet energy is twice the area.
    """

    couplings: IntArray
    stiffness_factor: float

    @property
    def _edges(self) -> tuple[IntArray, IntArray]:
        return self.couplings, np.full(len(self.couplings), 2)

    @property
    def is_closed(self) -> bool:
        """Points do not say whether the surface has a boundary; the natural condition holds if it has."""
        return False


def discretize_points(
    mesh: BrainMesh, mask: Any = None, *, laplacian: str, mass: str, boundary: str, weight: Any = None
) -> tuple[PointDomain, Discretization]:
    """Return domain and matrices of a point cloud.

    Parameters
    ----------
    mesh : BrainMesh
        Without triangles: points on a surface.
    mask : (N,) array of bool, optional
        Points to keep.
    laplacian, mass, boundary, weight
        As for a mesh; a cloud takes 'robust', 'lumped', 'neumann' and no weight.

    Returns
    -------
    domain : PointDomain
    discretization : Discretization
        With a lumped mass matrix, whose sum is the estimated area, and a stiffness matrix that gives the
        coordinates twice that area as their Dirichlet energy.

    Raises
    ------
    ArrayError
        If the options do not fit a point cloud, or the mask does not fit.
    MeshError
        If there are too few points, or two of them coincide.
    MissingDependencyError
        If the package robust_laplacian is not installed.

    Notes
    -----
    Sharp & Crane (2020), A Laplacian for nonmanifold triangle meshes, Computer Graphics Forum 39(5), on point
    clouds: triangulations of each point's 30 nearest neighbours, together a nonmanifold mesh. Their program
    divides both matrices by 3, the times a triangle is found; here the stiffness is scaled once more, because
    triangles are not found three times throughout.
    """
    if laplacian != "robust":
        raise MeshError(f"mesh: no triangles, and laplacian={laplacian!r}; a point cloud needs 'robust'")
    if mass != "lumped" or boundary != "neumann" or weight is not None:
        raise ArrayError(
            "mass, boundary, weight: expected 'lumped', 'neumann' and no weight for a point cloud, "
            f"found {mass!r}, {boundary!r} and {'none' if weight is None else 'a weight'}"
        )
    keep = np.ones(mesh.n_vertices, dtype=bool)
    if mask is not None:
        keep = as_array(mask, VertexMask, name="mask", sizes={"N": mesh.n_vertices})
    index = np.flatnonzero(keep)
    points = mesh.vertices[index]
    if len(points) <= NEIGHBOURS:
        raise MeshError(f"mesh: expected more than {NEIGHBOURS} points, found {len(points)}")
    if len(np.unique(points, axis=0)) < len(points):
        raise MeshError("mesh: two points coincide; remove the duplicates")
    exponent = round(np.log2(np.ptp(points, axis=0).max()))
    scaled = np.ldexp(points, -exponent)
    stiffness, lumped = (sp.csr_array(m) for m in import_robust().point_cloud_laplacian(scaled))
    factor = 2 * float(lumped.sum()) / float(np.einsum("nx,nx->", scaled, stiffness @ scaled))
    stiffness = stiffness * factor
    stiffness.sort_indices()
    upper = sp.triu(stiffness, 1).tocoo()
    couplings = np.column_stack([upper.row, upper.col]).astype(np.int64)
    surface = BrainMesh(scaled, np.empty((0, 3), dtype=np.int64))
    domain = PointDomain(surface, index, exponent, 0, couplings, factor)
    return domain, Discretization(stiffness, None, lumped, False)
