"""Template surfaces whose Laplace-Beltrami spectra are known in closed form.

Each is deterministic, oriented, outward-looking where closed, and refines with its arguments, so
that errors and convergence rates can be measured against the truth.
"""

from __future__ import annotations

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.remesh import split_triangles
from spectralbrain.runtime import Faces, Vertices


def sphere(subdivisions: int = 4, radius: float = 1.0) -> BrainMesh:
    """Return a sphere, from an icosahedron whose triangles are split into four again and again.

    Its eigenvalues are l (l + 1) / radius^2, each 2 l + 1 times.

    Parameters
    ----------
    subdivisions : int
        0 to 9; there are 10 * 4^subdivisions + 2 vertices.
    radius : float
        mm.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> sphere(2).n_vertices, sphere(2).genus
    (162, 0)
    """
    _check_count("subdivisions", subdivisions, 0, 9)
    _check_positive(radius=radius)
    vertices, faces = _icosahedron()
    for _ in range(subdivisions):
        vertices, faces = split_triangles(vertices, faces)
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return BrainMesh(vertices * radius, faces)


def ellipsoid(subdivisions: int = 4, axes: tuple[float, float, float] = (1.0, 2.0, 3.0)) -> BrainMesh:
    """Return an ellipsoid: the :func:`sphere`, stretched.

    Parameters
    ----------
    subdivisions : int
        0 to 9.
    axes : tuple of float
        Half-axes along x, y, z, mm. Its volume tends to 4/3 pi times their product.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> mesh = ellipsoid(3, axes=(10.0, 20.0, 30.0))
    >>> mesh.n_vertices, bool(np.isclose(mesh.volume, 4 / 3 * np.pi * 6000, rtol=0.02))
    (642, True)
    """
    if len(axes) != 3:
        raise ArrayError(f"axes: expected three half-axes, found {len(axes)}")
    _check_positive(**{f"axes[{i}]": axis for i, axis in enumerate(axes)})
    unit = sphere(subdivisions)
    return BrainMesh(unit.vertices * np.asarray(axes, dtype=np.float64), unit.faces)


def rectangle(nx: int = 20, ny: int = 20, a: float = 1.0, b: float = 1.0) -> BrainMesh:
    """Return a flat rectangle with one diagonal per cell, alternating like a chequerboard.

    Its eigenvalues are pi^2 (m^2 / a^2 + n^2 / b^2) with m, n >= 0 (Neumann) or >= 1 (Dirichlet).

    Parameters
    ----------
    nx, ny : int
        Cells along each side.
    a, b : float
        Side lengths, mm.

    Returns
    -------
    BrainMesh
        (nx + 1) (ny + 1) vertices in the plane z = 0.

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> rectangle(4, 2, a=3.0, b=2.0).area
    6.0
    """
    _check_count("nx", nx, 1, 10_000)
    _check_count("ny", ny, 1, 10_000)
    _check_positive(a=a, b=b)
    x, y = np.meshgrid(np.linspace(0, a, nx + 1), np.linspace(0, b, ny + 1), indexing="ij")
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    return BrainMesh(vertices, _grid_faces(nx, ny, nx + 1, ny + 1))


def disk(rings: int = 20, radius: float = 1.0) -> BrainMesh:
    """Return a flat disk: rings of 6, 12, 18, ... vertices around a centre.

    Its eigenvalues are (j / radius)^2 with j the zeros of the Bessel functions J_n (Dirichlet) or of
    their derivatives (Neumann), twice for n > 0.

    Parameters
    ----------
    rings : int
    radius : float
        mm.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> disk(10).euler_characteristic
    1
    """
    _check_count("rings", rings, 1, 2000)
    _check_positive(radius=radius)
    points, faces, first = [np.zeros((1, 2))], [], 0
    for ring in range(1, rings + 1):
        angle = np.arange(6 * ring) * (np.pi / (3 * ring))
        points.append(ring / rings * np.column_stack([np.cos(angle), np.sin(angle)]))
        inner, outer = max(6 * (ring - 1), 1), first + max(6 * (ring - 1), 1)
        step = np.arange(ring)
        for sector in range(6):
            out = outer + (sector * ring + np.arange(ring + 1)) % (6 * ring)
            into = first + (sector * (ring - 1) + step) % inner
            faces.append(np.column_stack([into, out[:-1], out[1:]]))
            faces.append(np.column_stack([into[:-1], out[1:-1], into[1:]]))
        first = outer
    flat = np.concatenate(points) * radius
    return BrainMesh(np.column_stack([flat, np.zeros(len(flat))]), np.concatenate(faces))


def annulus(rings: int = 10, inner: float = 0.5, outer: float = 1.0) -> BrainMesh:
    """Return a flat ring between two circles.

    Its eigenvalues are k^2 with k the zeros of the cross products of Bessel functions
    J_n(k inner) Y_n(k outer) - J_n(k outer) Y_n(k inner) (Dirichlet; Neumann: of their derivatives).

    Parameters
    ----------
    rings : int
        Cells between the circles; the cells around are chosen so that triangles are well shaped.
    inner, outer : float
        Radii, mm; inner < outer.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> len(annulus(4).boundary_loops)
    2
    """
    _check_count("rings", rings, 1, 2000)
    _check_positive(inner=inner, outer=outer)
    if inner >= outer:
        raise ArrayError(f"inner: expected less than outer = {outer}, found {inner}")
    around = 2 * int(np.ceil(np.pi * (inner + outer) / 2 / ((outer - inner) / rings)))
    around = max(around, 6)
    radii = np.linspace(inner, outer, rings + 1)
    angle = np.arange(around) * (2 * np.pi / around)
    x, y = np.outer(radii, np.cos(angle)), np.outer(radii, np.sin(angle))
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    return BrainMesh(vertices, _grid_faces(rings, around, rings + 1, around))


def torus(n_major: int = 60, n_minor: int = 30, major: float = 2.0, minor: float = 1.0) -> BrainMesh:
    """Return a torus of revolution, of genus 1.

    Its area is 4 pi^2 major minor, its volume 2 pi^2 major minor^2; its spectrum has no closed form.

    Parameters
    ----------
    n_major, n_minor : int
        Even numbers of cells around the axis and around the tube.
    major, minor : float
        Radii of the ring and of the tube, mm; minor < major.

    Returns
    -------
    BrainMesh

    Raises
    ------
    ArrayError
        If an argument is out of range.

    Examples
    --------
    >>> torus().genus
    1
    """
    _check_count("n_major", n_major, 4, 10_000, even=True)
    _check_count("n_minor", n_minor, 4, 10_000, even=True)
    _check_positive(major=major, minor=minor)
    if minor >= major:
        raise ArrayError(f"minor: expected less than major = {major}, found {minor}")
    u = np.repeat(np.arange(n_major) * (2 * np.pi / n_major), n_minor)
    v = np.tile(np.arange(n_minor) * (2 * np.pi / n_minor), n_major)
    from_axis = major + minor * np.cos(v)
    vertices = np.column_stack([from_axis * np.cos(u), from_axis * np.sin(u), minor * np.sin(v)])
    return BrainMesh(vertices, _grid_faces(n_major, n_minor, n_major, n_minor))


def _grid_faces(nx: int, ny: int, rows: int, columns: int) -> Faces:
    """Triangles of nx times ny cells of a grid of vertices, wrapping around where a side is as long.

    The diagonals alternate, so that no direction is preferred and symmetries of the grid survive.
    """
    i, j = (part.ravel() for part in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
    a, b = i * columns + j, (i + 1) % rows * columns + j
    c, d = (i + 1) % rows * columns + (j + 1) % columns, i * columns + (j + 1) % columns
    even = ((i + j) % 2 == 0)[:, None]
    lower = np.where(even, np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    upper = np.where(even, np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    return np.concatenate([lower, upper], axis=1).reshape(-1, 3)


def _icosahedron() -> tuple[Vertices, Faces]:
    golden = (1 + np.sqrt(5)) / 2
    short = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    points = np.array([p[i:] + p[:i] for i in range(3) for p in short], dtype=np.float64)
    # the faces are the triples at the edges' distance, 2, from each other
    near = np.isclose(np.linalg.norm(points[:, None] - points[None], axis=2), 2)
    triples = [
        (i, j, k) for i in range(12) for j in range(i + 1, 12) for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]  # fmt: skip
    faces = np.array(triples, dtype=np.int64)
    inward = np.linalg.det(points[faces]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points / np.sqrt(1 + golden**2), faces


def _check_count(name: str, value: int, low: int, high: int, *, even: bool = False) -> None:
    if isinstance(value, bool) or int(value) != value or not low <= value <= high or (even and value % 2):
        kind = "an even integer" if even else "an integer"
        raise ArrayError(f"{name}: expected {kind} in [{low}, {high}], found {value!r}")


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise ArrayError(f"{name}: expected a positive length, found {value!r}")
