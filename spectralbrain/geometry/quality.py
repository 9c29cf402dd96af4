"""Whether a mesh can be trusted: a report as plain numbers, and a check that raises."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectralbrain.errors import MeshError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import FloatArray

LISTED = 10  # how many offenders a report or a message names


def triangle_quality(mesh: BrainMesh) -> FloatArray:
    """Return 4 sqrt(3) area / (sum of squared edge lengths) of each triangle.

    1 for equilateral triangles, 0 for degenerate ones. Source: Bhatia & Lawrence (1990), Finite
    Elements in Analysis and Design 6, 171-178, their measure alpha for triangles.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    (F,) array, dimensionless

    Examples
    --------
    >>> triangle_quality(BrainMesh([[0, 0, 0], [2, 0, 0], [1, 3**0.5, 0]], [[0, 1, 2]])).round(12)
    array([1.])
    """
    corners = mesh.vertices[mesh.faces]
    sides = corners - np.roll(corners, -1, axis=1)
    squares = np.einsum("fix,fix->f", sides, sides)
    quality: FloatArray = np.divide(
        4 * np.sqrt(3) * mesh.face_areas, squares, out=np.zeros(mesh.n_faces), where=squares > 0
    )
    return quality


def smallest_angles(mesh: BrainMesh) -> FloatArray:
    """Return the smallest angle of each triangle.

    Parameters
    ----------
    mesh : BrainMesh

    Returns
    -------
    (F,) array, degrees
        0 for degenerate triangles.

    Examples
    --------
    >>> smallest_angles(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])).round(6)
    array([45.])
    """
    corners = mesh.vertices[mesh.faces]
    sides = np.roll(corners, -1, axis=1) - corners
    lengths = np.sort(np.linalg.norm(sides, axis=2), axis=1)
    # the smallest angle faces the shortest side: sin = 2 area / (product of the other two)
    product = lengths[:, 1] * lengths[:, 2]
    sine = np.divide(2 * mesh.face_areas, product, out=np.zeros(mesh.n_faces), where=product > 0)
    angles: FloatArray = np.degrees(np.arcsin(np.minimum(sine, 1)))
    return angles


def mesh_quality(mesh: BrainMesh) -> dict[str, Any]:
    """Describe a mesh in plain numbers, ready for JSON.

    Parameters
    ----------
    mesh : BrainMesh
        Any mesh, also a broken one.

    Returns
    -------
    dict
        Counts (``n_vertices``, ``n_faces``, ``n_edges``, ``n_components``, ``n_boundary_loops``,
        ``n_boundary_edges``, ``n_unreferenced_vertices``, ``n_degenerate_faces``,
        ``n_duplicate_faces``, ``n_non_manifold_edges``, ``n_non_manifold_vertices``,
        ``n_inconsistent_edges``), facts (``is_closed``, ``is_oriented``, ``is_orientable``,
        ``is_manifold``, ``euler_characteristic``, ``genus``), measures (``area`` mm^2, ``volume``
        mm^3 or None, ``faces_look_inwards`` or None, ``boundary_length`` mm), distributions
        (``edge_length`` mm, ``triangle_quality``, ``smallest_angle`` degrees: min, median, mean,
        max), ``component_sizes`` in vertices, and ``problems``: a sentence for each thing
        :func:`require_usable` would object to.

    Examples
    --------
    >>> report = mesh_quality(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))
    >>> report["n_boundary_loops"], report["problems"]
    (1, [])
    """
    topology = mesh.topology
    measurable = mesh.is_closed and mesh.is_oriented
    sizes = np.bincount(mesh.components[mesh.components >= 0]).tolist() if mesh.n_faces else []
    return {
        "n_vertices": mesh.n_vertices,
        "n_faces": mesh.n_faces,
        "n_edges": len(mesh.edges),
        "n_components": mesh.n_components,
        "component_sizes": sizes[:LISTED],
        "euler_characteristic": mesh.euler_characteristic,
        "genus": mesh.genus,
        "is_closed": mesh.is_closed,
        "is_oriented": mesh.is_oriented,
        "is_orientable": topology.is_orientable,
        "is_manifold": mesh.is_manifold,
        "n_boundary_loops": len(mesh.boundary_loops),
        "n_boundary_edges": topology.n_boundary_edges,
        "n_unreferenced_vertices": len(mesh.unreferenced_vertices),
        "n_degenerate_faces": len(mesh.degenerate_faces),
        "n_duplicate_faces": len(mesh.duplicate_faces),
        "n_non_manifold_edges": len(topology.non_manifold_edges),
        "n_non_manifold_vertices": len(topology.non_manifold_vertices),
        "n_inconsistent_edges": len(topology.inconsistent_edges),
        "area": mesh.area,
        "volume": mesh.volume if measurable else None,
        "faces_look_inwards": bool(mesh.signed_volume < 0) if measurable else None,
        "boundary_length": mesh.boundary_length,
        "edge_length": _distribution(mesh.edge_lengths),
        "triangle_quality": _distribution(triangle_quality(mesh)),
        "smallest_angle": _distribution(smallest_angles(mesh)),
        "problems": find_problems(mesh),
    }


def find_problems(
    mesh: BrainMesh,
    *,
    manifold: bool = True,
    oriented: bool = True,
    connected: bool = False,
    closed: bool = False,
) -> list[str]:
    """Return what makes a mesh unusable, each with its count, the first offenders and a remedy.

    Parameters
    ----------
    mesh : BrainMesh
    manifold, oriented, connected, closed : bool
        What is asked of the mesh beyond having faces, no unreferenced vertices, and no degenerate
        or duplicate faces.

    Returns
    -------
    list of str
        Empty if the mesh is usable.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import disk
    >>> find_problems(disk(3)), len(find_problems(disk(3), closed=True))
    ([], 1)
    """
    topology = mesh.topology
    if not mesh.n_faces:
        return ["it has no faces"]
    found: list[str] = []

    def check(offenders: Any, what: str, remedy: str) -> None:
        if len(offenders):
            found.append(f"{len(offenders)} {what} ({_name(offenders)}): {remedy}")

    check(
        mesh.unreferenced_vertices,
        "vertices that no face uses",
        "drop them with remove_unreferenced_vertices, or mask them",
    )
    check(mesh.degenerate_faces, "degenerate faces", "drop them with drop_degenerate_faces, or remesh")
    check(mesh.duplicate_faces, "duplicate faces", "drop them with drop_duplicate_faces")
    if manifold:
        check(
            topology.non_manifold_edges,
            "edges that more than two faces share",
            "repair the surface, or use laplacian='robust'",
        )
        check(
            topology.non_manifold_vertices,
            "vertices where the surface pinches",
            "repair the surface, or use laplacian='robust'",
        )
    if oriented:
        check(
            topology.inconsistent_edges,
            "edges whose faces disagree in orientation",
            "make them agree with orient_faces",
        )
    if connected and mesh.n_components > 1:
        found.append(
            f"{mesh.n_components} components instead of 1: keep the largest with keep_largest_component, "
            "or analyse them one by one"
        )
    if closed and not mesh.is_closed:
        found.append(
            f"{topology.n_boundary_edges} boundary edges in {len(mesh.boundary_loops)} loops on a surface "
            "that must be closed: fill the holes"
        )
    return found


def require_usable(
    mesh: BrainMesh,
    *,
    manifold: bool = True,
    oriented: bool = True,
    connected: bool = False,
    closed: bool = False,
    name: str = "mesh",
) -> BrainMesh:
    """Return the mesh itself if it is usable, else say what is wrong with it and what to do.

    Parameters
    ----------
    mesh : BrainMesh
    manifold, oriented, connected, closed : bool
        As for :func:`find_problems`.
    name : str
        The argument's or the file's name, for the message.

    Returns
    -------
    BrainMesh

    Raises
    ------
    MeshError
        Naming every problem with its count, its first offenders and a remedy.

    Examples
    --------
    >>> require_usable(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]], [[0, 1, 2]]))
    Traceback (most recent call last):
        ...
    spectralbrain.errors.MeshError: mesh: 1 vertices that no face uses (3): drop them with ...
    """
    problems = find_problems(mesh, manifold=manifold, oriented=oriented, connected=connected, closed=closed)
    if problems:
        raise MeshError(f"{name}: " + "; ".join(problems))
    return mesh


def _distribution(values: FloatArray) -> dict[str, float | None]:
    if not len(values):
        return dict.fromkeys(("min", "median", "mean", "max"))
    return {
        "min": float(values.min()),
        "median": float(np.median(values)),
        "mean": float(values.mean()),
        "max": float(values.max()),
    }


def _name(offenders: Any) -> str:
    listed = [
        "-".join(map(str, row)) if isinstance(row, list) else str(row) for row in offenders[:LISTED].tolist()
    ]
    return ", ".join(listed) + (", ..." if len(offenders) > LISTED else "")
