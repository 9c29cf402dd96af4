"""How much area flat triangles lose against the curved surface they approximate."""

from __future__ import annotations

import numpy as np

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import Faces, FloatArray

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

    sides, turns = (_opposite(values, faces) for values in (surface.vertices, normals))
    bending = np.zeros(len(faces))
    squares: FloatArray = np.zeros(len(faces))
    for i in range(3):
        square = _dot(sides[i], sides[i])
        along = _dot(turns[i], sides[i]) ** 2 / np.where(square > 0, square, 1.0)
        double_cotangent = -_dot(sides[(i + 1) % 3], sides[(i + 2) % 3])
        bending += double_cotangent * square * along
        squares += square
    bending /= 96 * safe
    inside = _dot(np.cross(turns[0], turns[1]), surface.face_normals) / (4 * safe) * squares * INSIDE
    lost = np.where(areas > 0, bending + inside, 0.0)
    total: FloatArray = np.bincount(faces.ravel(), np.repeat(lost / 3, 3), n).astype(np.float64)
    return total


def _opposite(values: FloatArray, faces: Faces) -> list[FloatArray]:
    """Return the difference of a vertex map along the side opposite to each corner, (F, 3) arrays."""
    a, b, c = (values[faces[:, i]] for i in range(3))
    return [c - b, a - c, b - a]


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    products: FloatArray = np.einsum("fx,fx->f", left, right)
    return products
