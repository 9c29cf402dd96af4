"""The part of a surface on which an eigenproblem is posed.

Masking, the checks that make a discretisation trustworthy, connected components, boundary edges
and a power-of-two normalisation of lengths are settled here once; everything after works with the
normalised domain, so that no later step needs an absolute threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from spectralbrain.errors import MeshError
from spectralbrain.geometry.mesh import BrainMesh, submesh
from spectralbrain.runtime import BoolArray, FloatArray, IntArray, VertexMask, as_array

# A triangle whose height is below this fraction of its longest edge has a cotangent that rounding decides.
FLATTEST_TRIANGLE = 1e-12


@dataclass(frozen=True, eq=False)
class Domain:
    """A checked, normalised domain.

    Attributes
    ----------
    surface : BrainMesh
        The kept triangles, lengths multiplied by ``2**-exponent``.
    index : (n,) array of int
        Vertex of the whole mesh for each vertex of `surface`.
    exponent : int
        Binary exponent of the length unit: the root of the area lies in [0.5, 2) after
        normalisation. Powers of two keep every digit, so that a rescaled surface gives the same bits.
    n_stray_vertices : int
        Vertices that the mask kept although every triangle around them was cut: outside the domain.
    """

    surface: BrainMesh
    index: IntArray
    exponent: int
    n_stray_vertices: int

    @property
    def unit(self) -> float:
        """The length unit of `surface`, mm."""
        return 2.0**self.exponent

    @property
    def _edges(self) -> tuple[IntArray, IntArray]:
        topology = self.surface.topology
        return topology.edges, topology.faces_per_edge

    @property
    def _directed_edges(self) -> tuple[IntArray, IntArray]:
        faces = self.surface.faces
        return faces.T.ravel(), np.roll(faces, -1, axis=1).T.ravel()

    @property
    def edges(self) -> IntArray:
        """Undirected edges, (E, 2) array of int."""
        return self._edges[0]

    @cached_property
    def edge_lengths(self) -> FloatArray:
        """Length of each edge in units of `unit`, (E,) array."""
        ends = self.surface.vertices[self.edges]
        lengths: FloatArray = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        return lengths

    @property
    def boundary_edges(self) -> BoolArray:
        """Which edges belong to one triangle only, (E,) array of bool."""
        on_boundary: BoolArray = self._edges[1] == 1
        return on_boundary

    @property
    def nonmanifold_edges(self) -> BoolArray:
        """Which edges belong to three or more triangles, (E,) array of bool."""
        branching: BoolArray = self._edges[1] > 2
        return branching

    @cached_property
    def boundary_vertices(self) -> BoolArray:
        """Which vertices lie on a boundary edge, (n,) array of bool."""
        marked = np.zeros(self.surface.n_vertices, dtype=bool)
        marked[self.edges[self.boundary_edges]] = True
        return marked

    @property
    def is_closed(self) -> bool:
        """Whether there is no boundary edge."""
        return not self.boundary_edges.any()

    @property
    def boundary_length(self) -> float:
        """Length of the boundary, mm."""
        return float(self.edge_lengths[self.boundary_edges].sum()) * self.unit

    @property
    def euler_characteristic(self) -> int:
        """Vertices minus edges plus triangles."""
        return self.surface.n_vertices - len(self.edges) + self.surface.n_faces

    @cached_property
    def components(self) -> IntArray:
        """Label 0, 1, ... of the connected component of each vertex, by first vertex, (n,) array of int."""
        n = self.surface.n_vertices
        graph = sp.coo_matrix((np.ones(len(self.edges), np.int8), self.edges.T), shape=(n, n))
        labels = connected_components(graph, directed=False)[1]
        _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        renamed: IntArray = rank[inverse]
        return renamed

    @property
    def n_components(self) -> int:
        """Number of connected components."""
        return int(self.components.max()) + 1

    @cached_property
    def volume(self) -> float | None:
        """Enclosed volume, mm^3, where the domain is closed and consistently oriented, else None."""
        start, end = self._directed_edges
        keys = np.sort(start * self.surface.n_vertices + end)
        if not self.is_closed or (keys[1:] == keys[:-1]).any():
            return None
        faces = self.surface.faces
        corners = (self.surface.vertices - self.surface.vertices.mean(axis=0))[faces]
        six_volumes = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
        return abs(float(six_volumes.sum())) / 6 * self.unit**3

    @property
    def area(self) -> float:
        """Area, mm^2."""
        return self.surface.area * self.unit**2


def build_domain(mesh: BrainMesh, mask: Any = None, *, allow_nonmanifold: bool = False) -> Domain:
    """Check a surface and return the domain on which the eigenproblem is posed.

    Parameters
    ----------
    mesh : BrainMesh
        The whole surface.
    mask : (N,) array of bool, optional
        True where a vertex is kept. A triangle is kept if all three of its vertices are.
    allow_nonmanifold : bool
        Accept edges that three or more triangles share, and triangles without area.

    Returns
    -------
    Domain

    Raises
    ------
    ArrayError
        If the mask has the wrong shape or dtype.
    MeshError
        If nothing is left, if a triangle repeats a vertex or has no area, if an edge belongs to three or
        more triangles, or (without a mask) if a vertex belongs to no triangle.

    Examples
    --------
    >>> square = BrainMesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]])
    >>> domain = build_domain(square)
    >>> domain.n_components, domain.is_closed, domain.boundary_length
    (1, False, 4.0)
    """
    keep, kept_faces = np.ones(mesh.n_vertices, dtype=bool), mesh.faces
    if mask is not None:
        keep &= as_array(mask, VertexMask, name="mask", sizes={"N": mesh.n_vertices})
        kept_faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    if not len(kept_faces):
        raise MeshError(f"mesh: no triangle left of {mesh.n_faces} on the {int(keep.sum())} kept vertices")
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[kept_faces] = True
    stray = int((keep & ~used).sum())
    if mask is None and stray:
        raise MeshError(
            f"mesh: {stray} of {mesh.n_vertices} vertices belong to no triangle; remove them or mask them out"
        )
    part, index = (mesh, np.arange(mesh.n_vertices)) if used.all() else submesh(mesh, used)
    _check_triangles(part, allow_nonmanifold)
    exponent = round(0.5 * np.log2(part.area))
    domain = Domain(BrainMesh(np.ldexp(part.vertices, -exponent), part.faces), index, exponent, stray)
    if not allow_nonmanifold and domain.nonmanifold_edges.any():
        raise MeshError(
            f"mesh: {int(domain.nonmanifold_edges.sum())} edges belong to three or more triangles, "
            "so this is no surface; repair it or use laplacian='robust'"
        )
    return domain


def _check_triangles(mesh: BrainMesh, allow_flat: bool) -> None:
    a, b, c = mesh.faces.T
    repeated = (a == b) | (b == c) | (c == a)
    if repeated.any():
        raise MeshError(f"mesh: {int(repeated.sum())} triangles repeat a vertex")
    corners = [mesh.vertices[column] for column in (a, b, c)]
    sides = (corners[i] - corners[i - 1] for i in range(3))
    longest = np.max([np.einsum("ij,ij->i", side, side) for side in sides], axis=0)  # squared
    flat = ~(2 * mesh.face_areas > FLATTEST_TRIANGLE * longest)
    if flat.any() and not allow_flat:
        raise MeshError(
            f"mesh: {int(flat.sum())} triangles have no area (first: {int(np.flatnonzero(flat)[0])}); "
            "repair them or use laplacian='robust'"
        )
    if not mesh.area > 0:
        raise MeshError("mesh: the surface has no area")
