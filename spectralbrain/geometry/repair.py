"""Explicit repairs. Each says how much it changed; nothing else in the library repairs a mesh."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spectralbrain.errors import MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import BoolArray, IntArray


class Repair(NamedTuple):
    """A repaired mesh and what became of it.

    Attributes
    ----------
    mesh : BrainMesh
    n_changed : int
        How many vertices or faces were removed or changed; 0 if there was nothing to repair.
    kept : (n,) array of int
        The vertices of the old mesh that the new one consists of, in order: carry maps over with
        ``values[kept]``.
    """

    mesh: BrainMesh
    n_changed: int
    kept: IntArray


def remove_unreferenced_vertices(mesh: BrainMesh) -> Repair:
    """Remove the vertices that no face uses.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    Repair
        `n_changed` vertices were removed.

    Examples
    --------
    >>> mesh = BrainMesh([[9, 9, 9], [0, 0, 0], [1, 0, 0], [0, 1, 0]], [[1, 2, 3]])
    >>> repaired, n_changed, kept = remove_unreferenced_vertices(mesh)
    >>> n_changed, kept.tolist(), repaired.faces.tolist()
    (1, [1, 2, 3], [[0, 1, 2]])
    """
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[mesh.faces] = True
    return _keep_vertices(mesh, used, int((~used).sum()))


def drop_degenerate_faces(mesh: BrainMesh) -> Repair:
    """Drop the faces without an area; where a sliver joined its neighbours a slit opens.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    Repair
        `n_changed` faces were dropped.

    Examples
    --------
    >>> mesh = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2], [0, 1, 1]])
    >>> drop_degenerate_faces(mesh).n_changed
    1
    """
    return _without_faces(mesh, mesh.degenerate_faces)


def drop_duplicate_faces(mesh: BrainMesh) -> Repair:
    """Drop the faces on the same three vertices as an earlier face.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    Repair
        `n_changed` faces were dropped.

    Examples
    --------
    >>> mesh = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2], [1, 2, 0]])
    >>> drop_duplicate_faces(mesh).n_changed
    1
    """
    return _without_faces(mesh, mesh.duplicate_faces)


def orient_faces(mesh: BrainMesh) -> Repair:
    """Flip faces until all neighbours agree; closed components then look outwards.

    In an open component the smaller side is flipped. Vertices and the order of the faces stay.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    Repair
        `n_changed` faces were flipped.

    Raises
    ------
    MeshError
        If the surface cannot be oriented (a Moebius strip), or a face names a vertex twice.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(1)
    >>> faces = ball.faces.copy()
    >>> faces[5] = faces[5][::-1]
    >>> orient_faces(BrainMesh(ball.vertices, faces)).n_changed
    1
    """
    topology = mesh.topology
    if topology.collapsed_faces.any():
        raise MeshError(
            f"mesh: {int(topology.collapsed_faces.sum())} faces name a vertex twice; "
            "drop_degenerate_faces first"
        )
    flips = topology.orientation_flips
    if flips is None:
        raise MeshError("mesh: the surface has one side only, no orientation of its faces agrees")
    faces = np.where(flips[:, None], mesh.faces[:, ::-1], mesh.faces)
    inwards = _inward_faces(BrainMesh(mesh.vertices, faces))
    faces = np.where(inwards[:, None], faces[:, ::-1], faces)
    changed = flips ^ inwards
    # keep the corner each face begins with
    faces[changed] = np.roll(faces[changed], 1, axis=1)
    return Repair(BrainMesh(mesh.vertices, faces), int(changed.sum()), np.arange(mesh.n_vertices))


def keep_largest_component(mesh: BrainMesh) -> Repair:
    """Keep the component of the largest area, and remove the vertices of all others.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    Repair
        `n_changed` vertices were removed.

    Raises
    ------
    MeshError
        If the mesh has no faces.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(1)
    >>> both = BrainMesh([*ball.vertices, [9, 0, 0], [9, 1, 0], [9, 0, 1]], [*ball.faces, [42, 43, 44]])
    >>> keep_largest_component(both).n_changed
    3
    """
    if not mesh.n_components:
        raise MeshError("mesh: expected faces, found none")
    of_face = mesh.components[mesh.faces[:, 0]]
    area = np.bincount(np.maximum(of_face, 0), weights=mesh.face_areas)
    kept = mesh.components == int(area.argmax())
    return _keep_vertices(mesh, kept, int((~kept).sum()))


def _inward_faces(mesh: BrainMesh) -> BoolArray:
    """Return the faces of closed components whose signed volume is negative."""
    topology = mesh.topology
    label = topology.vertex_components[mesh.faces[:, 0]]
    closed = np.ones(mesh.n_components, dtype=bool)
    closed[topology.vertex_components[topology.edges[topology.faces_per_edge != 2]]] = False
    # each component relative to a vertex of its own: far from the origin the terms would cancel
    first = np.zeros(mesh.n_components, dtype=np.int64)
    first[label[::-1]] = mesh.faces[::-1, 0]
    relative = mesh.vertices[mesh.faces[:, 0]] - mesh.vertices[first[label]]
    six_volumes = np.einsum("fi,fi->f", relative, mesh.face_normals)
    volumes = np.bincount(label, weights=six_volumes, minlength=mesh.n_components)
    inward: BoolArray = (closed & (volumes < 0))[label]
    return inward


def _keep_vertices(mesh: BrainMesh, keep: BoolArray, n_changed: int) -> Repair:
    renumber = np.cumsum(keep) - 1
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    return Repair(BrainMesh(mesh.vertices[keep], renumber[faces]), n_changed, np.flatnonzero(keep))


def _without_faces(mesh: BrainMesh, faces: IntArray) -> Repair:
    kept = np.delete(mesh.faces, faces, axis=0)
    return Repair(BrainMesh(mesh.vertices, kept), len(faces), np.arange(mesh.n_vertices))
