"""Change a surface on purpose: finer triangles, or a smoother surface, with what it costs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import Faces, FloatArray, Vertices

# Taubin (1995), Proc. SIGGRAPH, 351-358: a shrinking step and a slightly larger growing one. trimesh wants
# 0 < 1 / _SHRINK - 1 / _GROW < 0.1; here it is 0.077.
_SHRINK, _GROW = 0.5, 0.52


class SmoothedSurface(NamedTuple):
    """A smoothed surface and what smoothing did to it.

    Attributes
    ----------
    mesh : BrainMesh
        With the same faces.
    report : dict
        ``iterations``, ``area_change`` and ``volume_change`` (relative; the latter None for an open
        surface), ``mean_displacement`` and ``max_displacement`` (mm).
    """

    mesh: BrainMesh
    report: dict[str, Any]


def smooth_surface(mesh: BrainMesh, iterations: int = 10) -> SmoothedSurface:
    """Smooth a surface with little shrinking, by trimesh's Taubin filter.

    Vertices keep their numbers, so maps stay valid. Boundaries are smoothed along.

    Parameters
    ----------
    mesh : BrainMesh
        Every vertex belongs to a face.
    iterations : int
        Steps, shrinking and growing in turn; an even number.

    Returns
    -------
    SmoothedSurface

    Raises
    ------
    ArrayError
        If `iterations` is not an even number in [2, 1000].
    MeshError
        If some vertex belongs to no face.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> smoothed, report = smooth_surface(sphere(3))
    >>> abs(report["volume_change"]) < 0.01
    True
    """
    if isinstance(iterations, bool) or int(iterations) != iterations or not 2 <= iterations <= 1000:
        raise ArrayError(f"iterations: expected an even integer in [2, 1000], found {iterations!r}")
    if iterations % 2:
        raise ArrayError(f"iterations: expected an even integer in [2, 1000], found {iterations!r}")
    if len(mesh.unreferenced_vertices) or not mesh.n_faces:
        raise MeshError(
            f"mesh: {len(mesh.unreferenced_vertices)} vertices belong to no face; "
            "remove_unreferenced_vertices first"
        )
    import trimesh

    surface = trimesh.Trimesh(mesh.vertices.copy(), mesh.faces.copy(), process=False)
    trimesh.smoothing.filter_taubin(surface, lamb=_SHRINK, nu=_GROW, iterations=int(iterations))
    smoothed = BrainMesh(np.asarray(surface.vertices), mesh.faces)
    moved = np.linalg.norm(smoothed.vertices - mesh.vertices, axis=1)
    measurable = mesh.is_closed and mesh.is_oriented
    return SmoothedSurface(
        smoothed,
        {
            "iterations": int(iterations),
            "area_change": smoothed.area / mesh.area - 1,
            "volume_change": smoothed.volume / mesh.volume - 1 if measurable else None,
            "mean_displacement": float(moved.mean()),
            "max_displacement": float(moved.max()),
        },
    )


def refine_surface(mesh: BrainMesh, times: int = 1) -> BrainMesh:
    """Split each triangle into four at the middles of its edges: the same surface, half the edges.

    The old vertices come first and keep their numbers.

    Parameters
    ----------
    mesh : BrainMesh
    times : int
        How often, 0 to 6; each makes four times as many triangles.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If `times` is out of range.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import rectangle
    >>> refine_surface(rectangle(2, 2)).n_faces
    32
    """
    if isinstance(times, bool) or int(times) != times or not 0 <= times <= 6:
        raise ArrayError(f"times: expected an integer in [0, 6], found {times!r}")
    vertices, faces = mesh.vertices, mesh.faces
    for _ in range(int(times)):
        vertices, faces = split_triangles(vertices, faces)
    return BrainMesh(vertices, faces)


def split_triangles(vertices: FloatArray, faces: Faces) -> tuple[Vertices, Faces]:
    """Return the arrays of a mesh whose triangles are split into four; old vertices come first."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    key = np.minimum(start, end) * np.int64(len(vertices)) + np.maximum(start, end)
    distinct, middle = np.unique(key, return_inverse=True)
    low, high = np.divmod(distinct, max(len(vertices), 1))
    middle = middle.reshape(-1, 3) + len(vertices)  # of the edges 01, 12, 20
    a, b, c = faces.T
    ab, bc, ca = middle.T
    quarters = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return np.concatenate([vertices, (vertices[low] + vertices[high]) / 2]), quarters
