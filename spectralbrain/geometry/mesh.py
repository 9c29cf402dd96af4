"""The surface mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import Faces, FloatArray, IntArray, Vertices, as_array

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


@dataclass(frozen=True, eq=False)
class BrainMesh:
    """A triangle mesh of a brain surface, frozen once built.

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
        faces = np.array(as_array(self.faces, Faces, name="faces"), order="C")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ArrayError(
                f"faces: expected indices in [0, {len(vertices) - 1}], "
                f"found {int(faces.min())} to {int(faces.max())}"
            )
        vertices.setflags(write=False)
        faces.setflags(write=False)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    @property
    def n_vertices(self) -> int:
        """Number of vertices N."""
        return len(self.vertices)

    @property
    def n_faces(self) -> int:
        """Number of triangles F."""
        return len(self.faces)

    @cached_property
    def face_areas(self) -> FloatArray:
        """Area of each triangle, (F,) array, mm^2."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        areas: FloatArray = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        return areas

    @property
    def area(self) -> float:
        """Surface area, mm^2."""
        return float(self.face_areas.sum())

    def decompose(self, k: int = 100, **options: Any) -> SpectralDecomposition:
        """Compute the k smallest Laplace-Beltrami eigenpairs: see :func:`spectralbrain.decompose`."""
        from spectralbrain.spectral.decomposition import decompose

        return decompose(self, k, **options)


def submesh(mesh: BrainMesh, mask: Any) -> tuple[BrainMesh, IntArray]:
    """Return the part of a mesh on a vertex set, and the kept vertices' indices.

    A triangle is kept if all three of its vertices are.
    """
    keep = np.asarray(mask, dtype=bool)
    index = np.flatnonzero(keep)
    renumber = np.cumsum(keep) - 1
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    return BrainMesh(mesh.vertices[index], renumber[faces]), index
