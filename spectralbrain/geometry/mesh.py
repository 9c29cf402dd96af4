"""The surface mesh: its arrays, measures and topology."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.runtime import BoolArray, Faces, FloatArray, IntArray, VertexMask, Vertices, as_array

if TYPE_CHECKING:
    from spectralbrain.geometry.topology import Topology
    from spectralbrain.spectral.decomposition import SpectralDecomposition

# A triangle is degenerate if twice its area is below this part of its longest edge squared: its
# cotangents would then be larger than float64 can combine with those of its neighbours.
DEGENERATE_RATIO = 1e-12


@dataclass(frozen=True, eq=False)
class BrainMesh:
    """A triangle mesh of a brain surface, frozen once built.

    Any set of triangles with indices in range is accepted, also a broken one, so that it can be
    examined: see :func:`mesh_quality` and :func:`require_usable`. Nothing is repaired here.

    Parameters
    ----------
    vertices : (N, 3) array, mm
        Vertex coordinates.
    faces : (F, 3) array of int
        Vertex indices of each triangle.

    Raises
    ------
    ArrayError
        If the arrays have wrong shapes, non-finite coordinates or indices out of range.

    Examples
    --------
    >>> mesh = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> mesh.n_vertices, mesh.area
    (3, 0.5)
    """

    vertices: Vertices
    faces: Faces

    def __post_init__(self) -> None:
        vertices = np.array(as_array(self.vertices, Vertices, name="vertices"), order="C")
        faces = np.array(as_array(_without_rows(self.faces), Faces, name="faces"), order="C")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ArrayError(
                f"faces: expected indices in [0, {len(vertices) - 1}], "
                f"found {int(faces.min())} to {int(faces.max())}"
            )
        vertices.setflags(write=False)
        faces.setflags(write=False)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    def __repr__(self) -> str:
        return f"BrainMesh({self.n_vertices} vertices, {self.n_faces} faces)"

    @property
    def n_vertices(self) -> int:
        """Number of vertices N."""
        return len(self.vertices)

    @property
    def n_faces(self) -> int:
        """Number of triangles F."""
        return len(self.faces)

    @cached_property
    def topology(self) -> Topology:
        """The combinatorial structure, computed once."""
        from spectralbrain.geometry.topology import Topology

        return Topology(self.faces, self.n_vertices)

    # ---- measures

    @cached_property
    def face_normals(self) -> FloatArray:
        """Normal of each triangle by the right-hand rule, as long as twice its area, (F, 3) array, mm^2."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        normals: FloatArray = np.cross(b - a, c - a)
        return normals

    @cached_property
    def face_areas(self) -> FloatArray:
        """Area of each triangle, (F,) array, mm^2."""
        areas: FloatArray = np.linalg.norm(self.face_normals, axis=1) / 2
        return areas

    @property
    def area(self) -> float:
        """Surface area, mm^2."""
        return float(self.face_areas.sum())

    @cached_property
    def vertex_areas(self) -> FloatArray:
        """A third of the area of the triangles around each vertex, (N,) array, mm^2; sums to the area."""
        shares = np.repeat(self.face_areas / 3, 3)
        areas: FloatArray = np.zeros(self.n_vertices)
        np.add.at(areas, self.faces.ravel(), shares)
        return areas

    @property
    def edges(self) -> IntArray:
        """Distinct edges, (E, 2) array of vertex indices, the lower one first."""
        return self.topology.edges

    @cached_property
    def edge_lengths(self) -> FloatArray:
        """Length of each distinct edge, (E,) array, mm."""
        start, end = self.edges.T
        lengths: FloatArray = np.linalg.norm(self.vertices[end] - self.vertices[start], axis=1)
        return lengths

    @cached_property
    def signed_volume(self) -> float:
        """Enclosed volume by the divergence theorem, mm^3; negative if the faces look inwards.

        Raises
        ------
        MeshError
            If the surface is not closed or its faces do not agree in orientation.
        """
        if not self.is_closed:
            raise MeshError(
                f"volume: expected a closed surface, found {self.topology.n_boundary_edges} boundary edges"
            )
        if not self.is_oriented:
            raise MeshError(
                f"volume: expected one orientation, found {len(self.topology.inconsistent_edges)} edges "
                "whose faces disagree; see orient_faces"
            )
        # relative to a point nearby: far from the origin the terms would cancel
        centred = self.vertices[self.faces[:, 0]] - self.vertices.mean(axis=0)
        return float(np.einsum("fi,fi->", centred, self.face_normals) / 6)

    @property
    def volume(self) -> float:
        """Enclosed volume of a closed, oriented surface, mm^3, whichever way its faces look.

        Raises
        ------
        MeshError
            If the surface is not closed or its faces do not agree in orientation.
        """
        return abs(self.signed_volume)

    @property
    def centroid(self) -> FloatArray:
        """Centre of mass of the surface, (3,) array, mm; NaN if its area is 0."""
        centres = self.vertices[self.faces].mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre: FloatArray = self.face_areas @ centres / self.face_areas.sum()
        return centre

    # ---- topology

    @property
    def euler_characteristic(self) -> int:
        """Vertices in use - edges + faces: 2 for a sphere, 1 for a disk, 0 for a torus."""
        return self.topology.euler_characteristic

    @property
    def genus(self) -> int | None:
        """Number of handles over all components; None if not an orientable manifold."""
        return self.topology.genus

    @property
    def n_components(self) -> int:
        """Number of connected components; vertices without a face are not counted."""
        return self.topology.n_components

    @property
    def components(self) -> IntArray:
        """Component of each vertex, 0 for the largest, -1 for vertices without a face, (N,) array."""
        return self.topology.vertex_components

    @property
    def boundary_loops(self) -> tuple[IntArray, ...]:
        """Vertices of each boundary in order, the boundary of most vertices first."""
        return self.topology.boundary_loops

    @cached_property
    def boundary_length(self) -> float:
        """Length of all boundaries, mm; 0 for a closed surface."""
        return float(self.edge_lengths[self.topology.faces_per_edge == 1].sum())

    @property
    def is_closed(self) -> bool:
        """Whether the surface has faces and no boundary."""
        return self.topology.is_closed

    @property
    def is_oriented(self) -> bool:
        """Whether all neighbouring faces agree in orientation."""
        return self.topology.is_oriented

    @property
    def is_manifold(self) -> bool:
        """Whether no edge has more than two faces and no vertex joins separate fans of faces."""
        return self.topology.is_manifold

    @property
    def unreferenced_vertices(self) -> IntArray:
        """Vertices that no face uses, (n,) array."""
        used = np.zeros(self.n_vertices, dtype=bool)
        used[self.faces] = True
        return np.flatnonzero(~used)

    @cached_property
    def degenerate_faces(self) -> IntArray:
        """Faces without an area: a vertex named twice, or corners on one line, (n,) array."""
        corners = self.vertices[self.faces]
        sides = corners - np.roll(corners, -1, axis=1)
        longest = np.einsum("fix,fix->fi", sides, sides).max(axis=1, initial=0)
        return np.flatnonzero(2 * self.face_areas <= DEGENERATE_RATIO * longest)

    @cached_property
    def duplicate_faces(self) -> IntArray:
        """Faces on the same three vertices as an earlier one, whatever their orientation, (n,) array."""
        low, middle, high = np.sort(self.faces, axis=1).T
        order = np.lexsort((high, middle, low))
        rows = np.sort(self.faces, axis=1)[order]
        repeats = order[1:][(rows[1:] == rows[:-1]).all(axis=1)]
        return np.sort(repeats)

    def decompose(self, k: int | None = None, **options: Any) -> SpectralDecomposition:
        """Compute the k smallest Laplace-Beltrami eigenpairs: see :func:`spectralbrain.decompose`."""
        from spectralbrain.spectral.decomposition import decompose

        return decompose(self, k, **options)


def submesh(mesh: BrainMesh, mask: Any) -> tuple[BrainMesh, IntArray]:
    """Return the part of a mesh on a vertex set, and the kept vertices' indices.

    A triangle is kept if all three of its vertices are. A kept vertex may lose all its triangles;
    it stays, unreferenced, so that the indices are exactly those of the mask.

    Parameters
    ----------
    mesh : BrainMesh
    mask : (N,) array of bool
        True = keep.

    Returns
    -------
    part : BrainMesh
    index : (n,) array of int
        ``part.vertices == mesh.vertices[index]``; see :func:`full_length` for the way back.

    Raises
    ------
    ArrayError
        If the mask is not boolean or not of the mesh's length.

    Examples
    --------
    >>> square = BrainMesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]])
    >>> part, index = submesh(square, [True, True, True, False])
    >>> part.n_faces, index.tolist()
    (1, [0, 1, 2])
    """
    keep: BoolArray = as_array(mask, VertexMask, name="mask", sizes={"N": mesh.n_vertices})
    index = np.flatnonzero(keep)
    renumber = np.cumsum(keep) - 1
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    return BrainMesh(mesh.vertices[index], renumber[faces]), index


def full_length(values: Any, index: Any, n_vertices: int) -> FloatArray:
    """Put per-vertex values of a part back to the length of the whole mesh, NaN elsewhere.

    Parameters
    ----------
    values : (n,) or (n, T) array
        One row per vertex of the part.
    index : (n,) array of int
        The part's vertices in the whole, as :func:`submesh` returns them.
    n_vertices : int
        Vertices of the whole mesh, N.

    Returns
    -------
    (N,) or (N, T) array of float64

    Raises
    ------
    ArrayError
        If the lengths do not fit.

    Examples
    --------
    >>> full_length([5.0, 6.0], [0, 2], 3)
    array([ 5., nan,  6.])
    """
    rows, places = np.asarray(values), np.asarray(index)
    if rows.ndim not in (1, 2) or len(rows) != len(places):
        raise ArrayError(f"values: expected {len(places)} rows, one per index, found shape {rows.shape}")
    if len(places) and not 0 <= places.min() <= places.max() < n_vertices:
        raise ArrayError(f"index: expected vertices in [0, {n_vertices - 1}], found {places.max()}")
    full = np.full((n_vertices, *rows.shape[1:]), np.nan)
    full[places] = rows
    return full


def midthickness(white: BrainMesh, pial: BrainMesh) -> BrainMesh:
    """Return the surface half-way between white and pial: the mean of corresponding vertices.

    This is what FreeSurfer's and fMRIPrep's midthickness approximate; they place it by expansion
    at half the thickness, which differs by less than a voxel in the sulci.

    Parameters
    ----------
    white, pial : BrainMesh
        Surfaces with the same faces, in the same space.

    Returns
    -------
    BrainMesh

    Raises
    ------
    MeshError
        If the faces differ.

    Examples
    --------
    >>> white = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    >>> pial = BrainMesh(white.vertices + [0, 0, 2], white.faces)
    >>> midthickness(white, pial).vertices[0].tolist()
    [0.0, 0.0, 1.0]
    """
    if white.n_vertices != pial.n_vertices or not np.array_equal(white.faces, pial.faces):
        raise MeshError(
            f"white, pial: expected the same faces, found {white.n_vertices} vertices and {white.n_faces} "
            f"faces against {pial.n_vertices} and {pial.n_faces}, or another numbering"
        )
    return BrainMesh((white.vertices + pial.vertices) / 2, white.faces)


def _without_rows(faces: Any) -> Any:
    """Let an empty list stand for no faces."""
    array = np.asarray(faces) if not isinstance(faces, np.ma.MaskedArray) else faces
    return np.empty((0, 3), dtype=np.int64) if array.shape == (0,) else faces
