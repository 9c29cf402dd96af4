"""Pictures of surfaces in plain NumPy: the same bytes on every machine, no display, no system library.

A triangle mesh seen in parallel projection. Each triangle is cut by the rows of samples that it
meets, as a scan-line renderer does (Wylie et al. 1967, AFIPS, "Half-tone perspective drawings by
computer"), and the sample nearest to the camera wins. What a side shows is a linear map of the
vertices' colours, so that map is kept as one sparse matrix, light and antialiasing included: a
second picture from that side costs one product.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.reports.views import View
from spectralbrain.runtime import FloatArray, IntArray

Image = npt.NDArray[np.uint8]

_SUPERSAMPLING = 2
_AMBIENT, _DIFFUSE, _SPECULAR = 0.25, 0.8, 0.06
# Lights as a photographer sets them: intensity, elevation and azimuth in degrees, seen from the camera.
_LIGHTS = (
    (0.75, 50.0, 10.0),  # key
    (0.25, -75.0, 0.0),  # fill
    (0.25, 0.0, 0.0),  # head
    (0.21, 0.0, 110.0),  # back
    (0.21, 0.0, -110.0),
)


class _Side(NamedTuple):
    """What one side shows: pixels = matrix @ colours + rest."""

    matrix: Any  # (H * W, N) sparse
    rest: FloatArray  # (H * W, 3): background where the surface is not, highlights where it is


class Rasterizer:
    """Draws one surface from many sides and in many colours.

    Parameters
    ----------
    mesh : BrainMesh
        The surface, with at least one face.
    normals : (N, 3) array
        Unit normals of the vertices.
    rgb : (3,) sequence of int
        Colour of the surface where no colours are given.
    background : (3,) sequence of int
        Colour around the surface.
    """

    def __init__(
        self,
        mesh: BrainMesh,
        normals: FloatArray,
        rgb: tuple[int, int, int],
        background: tuple[int, int, int] = (255, 255, 255),
    ) -> None:
        self._vertices, self._faces, self._normals = mesh.vertices, mesh.faces, normals
        self._colors: Image = np.full((mesh.n_vertices, 3), rgb, dtype=np.uint8)
        self._background = background
        closed = mesh.is_closed and mesh.is_oriented
        self._front = float(np.sign(mesh.signed_volume)) if closed else 0.0  # 0: both faces may be seen
        self._sides: dict[tuple[View, tuple[int, int], float], _Side] = {}

    def __enter__(self) -> Rasterizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sides.clear()

    def picture(self, view: View, scale: float, colors: Image | None = None) -> Image:
        """Draw the surface so that it just fits.

        Parameters
        ----------
        view : View
            From where.
        scale : float
            Pixels per mm.
        colors : (N, 3) array of uint8, optional
            Colour of each vertex; by default those of the last picture.

        Returns
        -------
        (H, W, 3) array of uint8
        """
        _, width, height = view.extent(self._vertices)
        return self.fitted(view, (int(width * scale) + 8, int(height * scale) + 8), scale, colors)

    def fitted(self, view: View, size: tuple[int, int], scale: float, colors: Image | None = None) -> Image:
        """Draw the surface in the middle of a picture of `size` (width, height), `scale` pixels per mm."""
        if colors is not None:
            self._colors = np.array(colors)
        key = (view, size, scale)
        if key not in self._sides:
            self._sides[key] = self._look(view, size, scale)
        side = self._sides[key]
        pixels = side.matrix @ self._colors.astype(np.float32) + side.rest
        picture: Image = np.rint(pixels.clip(0, 255)).astype(np.uint8).reshape(size[1], size[0], 3)
        return picture

    def _look(self, view: View, size: tuple[int, int], scale: float) -> _Side:
        from scipy import sparse

        frame = np.stack([view.right, np.asarray(view.up), np.asarray(view.towards)])
        centre, _, _ = view.extent(self._vertices)
        seen = (self._vertices - centre) @ frame.T
        width, height = (n * _SUPERSAMPLING for n in size)
        fine = scale * _SUPERSAMPLING
        x = width / 2 + fine * seen[:, 0] - 0.5  # sample i stands at the centre of its square
        y = height / 2 - fine * seen[:, 1] - 0.5
        faces = self._faces
        if self._front:  # what turns its back is hidden by what lies before it
            faces = faces[self._front * _turn(x[faces], y[faces]) < 0]
        column, row, triangle, weights = nearest_samples(
            np.stack([x, y], axis=1)[faces], seen[:, 2][faces], width, height, _SUPERSAMPLING
        )
        corners = faces[triangle]
        starts = np.arange(0, corners.size + 1, 3)
        shape = len(corners), len(self._vertices)
        normals = sparse.csr_array((weights.ravel(), corners.ravel(), starts), shape) @ self._normals
        brightness, gloss = _lit(normals @ frame.T)
        pixel = row // _SUPERSAMPLING * size[0] + column // _SUPERSAMPLING
        share = 1 / _SUPERSAMPLING**2
        n_pixels = size[0] * size[1]
        covered = np.bincount(pixel, minlength=n_pixels)
        values = (share * brightness[:, None] * weights).astype(np.float32)
        ends = np.r_[0, np.cumsum(3 * covered)]  # samples come pixel by pixel
        matrix = sparse.csr_array((values.ravel(), corners.ravel(), ends), (n_pixels, len(self._vertices)))
        highlights = 255 * share * np.bincount(pixel, gloss, n_pixels)
        rest = (1 - share * covered)[:, None] * np.asarray(self._background, float) + highlights[:, None]
        return _Side(matrix, rest.astype(np.float32))


def _turn(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return twice the signed area of triangles, from their corners' coordinates, (F, 3) arrays."""
    area: FloatArray = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])
    return area


def _lit(normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how bright samples are and how much they gleam, from normals in the picture's frame.

    The inside of an open sheet is lit like its outside.
    """
    length = np.linalg.norm(normals, axis=1) * np.where(normals[:, 2] < 0, -1.0, 1.0)
    unit = normals / np.where(length == 0, 1.0, length)[:, None]
    brightness, gloss = np.full(len(unit), _AMBIENT), np.zeros(len(unit))
    for intensity, elevation, azimuth in _LIGHTS:
        up, around = np.deg2rad(elevation), np.deg2rad(azimuth)
        light = np.array([np.cos(up) * np.sin(around), np.sin(up), np.cos(up) * np.cos(around)])
        facing = unit @ light
        brightness += _DIFFUSE * intensity * facing.clip(0)
        mirrored = 2 * facing * unit[:, 2] - light[2]  # the reflected ray along the line of sight
        gloss += _SPECULAR * intensity * _shine(np.where(facing > 0, mirrored.clip(0), 0.0))
    return brightness, gloss


def _shine(cosine: FloatArray) -> FloatArray:
    """Return the 12th power: products are quicker than a power, and the same on every machine."""
    third = cosine * cosine * cosine
    sixth = third * third
    return sixth * sixth


def nearest_samples(
    corners: FloatArray, depth: FloatArray, width: int, height: int, block: int = 1
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Find, for each sample that is covered, the triangle nearest to the camera.

    Parameters
    ----------
    corners : (F, 3, 2) array
        Triangles in the picture; samples stand at whole numbers, rows count downwards.
    depth : (F, 3) array
        Of the corners, growing towards the camera.
    width, height : int
        Samples in a row, and rows.
    block : int
        The samples come in blocks of so many columns and rows, which must divide `width` and `height`.

    Returns
    -------
    column, row, triangle : (S,) arrays of int
        The samples covered, block by block, and by which triangle.
    weights : (S, 3) array
        Barycentric weights of the triangle's corners.
    """
    triangle, row = _rows_met(corners, height)
    first, last = _spans(corners, triangle, row, width)
    met = last >= first
    triangle, row, first, counts = triangle[met], row[met], first[met], (last - first + 1)[met]
    span = np.repeat(np.arange(len(counts)), counts)
    column = first[span] + np.arange(len(span)) - np.repeat(np.cumsum(counts) - counts, counts)
    triangle, row = triangle[span], row[span]
    second, third = _barycentric(corners, triangle, column, row)
    a, b, c = depth.T
    distance = a[triangle] + second * (b - a)[triangle] + third * (c - a)[triangle]
    sample = row * width + column
    nearest = np.full(width * height, -np.inf)
    np.maximum.at(nearest, sample, distance)
    ahead = np.flatnonzero(distance == nearest[sample])
    winner = np.full((height, width), -1)
    winner.ravel()[sample[ahead]] = ahead  # of those equally near the last one stays
    blocks = winner.reshape(height // block, block, width // block, block).swapaxes(1, 2).ravel()
    kept = blocks[blocks >= 0]
    second, third = second[kept], third[kept]
    weights = np.stack([(1 - second - third).clip(0, 1), second, third], axis=1)
    return column[kept], row[kept], triangle[kept], weights


def _rows_met(corners: FloatArray, height: int) -> tuple[IntArray, IntArray]:
    """Return each triangle with each row of samples between its lowest and highest corner."""
    y = corners[:, :, 1]
    top = np.maximum(np.ceil(y.min(axis=1)), 0).astype(np.int64)
    bottom = np.minimum(np.floor(y.max(axis=1)), height - 1).astype(np.int64)
    counts = np.maximum(bottom - top + 1, 0)
    triangle = np.repeat(np.arange(len(corners)), counts)
    row = top[triangle] + np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    return triangle, row


def _spans(corners: FloatArray, triangle: IntArray, row: IntArray, width: int) -> tuple[IntArray, IntArray]:
    """Return the first and last column of samples inside a triangle in a row; last < first: none.

    Two triangles that share an edge compute the same crossing, so that no sample falls between.
    """
    low, high = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        start, end = corners[:, a], corners[:, b]
        swap = (start[:, 1] > end[:, 1]) | ((start[:, 1] == end[:, 1]) & (start[:, 0] > end[:, 0]))
        start, end = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
        run, rise = (end - start).T
        level = rise == 0
        run_per_row = run / np.where(level, 1.0, rise)
        to = np.where(level, end[:, 0], -np.inf)[triangle]
        x, y = start[triangle, 0], start[triangle, 1]
        crosses = (y <= row) & (row <= end[triangle, 1])
        crossing = np.where(crosses, x + (row - y) * run_per_row[triangle], np.nan)
        low = np.fmin(low, crossing)
        high = np.fmax(high, np.maximum(crossing, to))
    empty = ~(high >= low)
    first = np.ceil(np.where(empty, 1.0, low)).clip(0, width).astype(np.int64)
    last = np.floor(np.where(empty, 0.0, high)).clip(-1, width - 1).astype(np.int64)
    return first, last


def _barycentric(
    corners: FloatArray, triangle: IntArray, column: IntArray, row: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the second and the third corner."""
    a, b, c = (corners[:, i] for i in range(3))
    area = _turn(corners[:, :, 0], corners[:, :, 1])[:, None]
    inverse = 1 / np.where(area == 0, np.inf, area)  # seen edge-on: its first corner stands for it
    (ux, uy), (vx, vy) = ((b - a) * inverse).T, ((c - a) * inverse).T
    x, y = column - a[triangle, 0], row - a[triangle, 1]
    second = (x * vy[triangle] - y * vx[triangle]).clip(0, 1)
    third = (y * ux[triangle] - x * uy[triangle]).clip(0, 1)
    return second, third
