"""How much area flat triangles lose against the curved surface they approximate."""

from __future__ import annotations

import numpy as np

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import FloatArray

# Share of K (a^2 + b^2 + c^2) by which curvature inside a triangle with straight (geodesic) sides counts.
INSIDE = 1 / 72


def lost_area(surface: BrainMesh) -> FloatArray:
    """Return the area that the triangles around each vertex lose by being flat.

    An edge of length l along which the normal turns by an angle t is the chord of an arc longer by the
    factor 1 + t^2 / 24. Longer sides enlarge a triangle by dA = 1/2 sum_i cot_i l_i dl_i (cot_i opposite side
    i), and Gaussian curvature K inside it acts like an area larger by K (a^2 + b^2 + c^2) / 72. K is the area
    of the triangle that the three normals span, over that of the triangle itself. An eigenvalue of the flat
    triangles is too large by about this area weighted with phi^2, because in two dimensions only the mass
    feels a change of scale. Both terms together give the first eigenvalues of a finely and evenly
    triangulated sphere of radius R, 2 / R^2 (1 + l^2 / 4 R^2), their excess over the error in the plane.

    Parameters
    ----------
    surface : BrainMesh
        Consistently oriented triangles; where they are not, the estimate is meaningless but finite.

    Returns
    -------
    (N,) array
        In squared units of the vertices; negative on average only where K < 0 outweighs the bending.

    Notes
    -----
    That flat triangles inscribed in a smooth surface change eigenvalues by O(l^2): Dziuk (1988), Finite
    elements for the Beltrami operator on arbitrary surfaces, Lecture Notes in Mathematics 1357, 142-155.

    Examples
    --------
    >>> square = BrainMesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]])
    >>> lost_area(square)
    array([0., 0., 0., 0.])
    """
    faces, n = surface.faces, surface.n_vertices
    areas = surface.face_areas
    safe = np.where(areas > 0, areas, 1.0)
    normals: FloatArray = np.stack(
        [np.bincount(faces.ravel(), np.repeat(column, 3), n) for column in surface.face_normals.T], axis=1
    )
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(lengths > 0, lengths, 1.0)

    corners, at_corners = surface.vertices[faces], normals[faces]
    sides = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)  # opposite each corner
    turns = np.roll(at_corners, -2, axis=1) - np.roll(at_corners, -1, axis=1)
    squares = np.einsum("fix,fix->fi", sides, sides)
    along = np.einsum("fix,fix->fi", turns, sides) ** 2 / np.where(squares > 0, squares, 1.0)
    double_cotangents = -np.einsum("fix,fix->fi", np.roll(sides, -1, axis=1), np.roll(sides, -2, axis=1))
    bending = np.einsum("fi,fi,fi->f", double_cotangents, squares, along) / (96 * safe)
    spanned = np.cross(turns[:, 0], turns[:, 1])
    inside = np.einsum("fx,fx->f", spanned, surface.face_normals) / (4 * safe) * squares.sum(axis=1) * INSIDE
    lost = np.where(areas > 0, bending + inside, 0.0)
    total: FloatArray = np.bincount(faces.ravel(), np.repeat(lost / 3, 3), n).astype(np.float64)
    return total
