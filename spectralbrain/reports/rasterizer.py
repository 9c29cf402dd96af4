"""Pictures of surfaces in plain NumPy, for systems that have no library to render with.

A triangle mesh seen in parallel projection: each triangle is tested against the pixels of its
bounding box, the sample nearest to the camera wins, and colours are interpolated with the
barycentric weights of the sample (Pineda 1988, SIGGRAPH, "A parallel algorithm for polygon
rasterization"). What is seen from a side does not depend on the colours, so it is kept, and a
second picture from that side costs only the painting.
"""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.reports.views import View
from spectralbrain.runtime import FloatArray, IntArray

Image = npt.NDArray[np.uint8]

_SUPERSAMPLING = 2
_SAMPLES_AT_ONCE = 2_000_000
_AMBIENT, _DIFFUSE = 0.35, 0.7
_LIGHT = np.array([-0.25, 0.45, 0.85])  # in the picture's frame: right, up, towards the camera


class _Seen(NamedTuple):
    """The samples that are seen from one side: pixel, triangle, weights of its corners, brightness."""

    pixel: IntArray
    triangle: IntArray
    weights: FloatArray
    brightness: FloatArray


class Rasterizer:
    """Draws one surface from many sides and in many colours; see ``render.SurfaceRenderer``.

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
        self._seen: dict[tuple[View, tuple[int, int], float], _Seen] = {}

    def __enter__(self) -> Rasterizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seen.clear()

    def picture(self, view: View, scale: float, colors: Image | None = None) -> Image:
        """Draw the surface so that it just fits, `scale` pixels per mm."""
        _, width, height = view.extent(self._vertices)
        return self.fitted(view, (int(width * scale) + 8, int(height * scale) + 8), scale, colors)

    def fitted(self, view: View, size: tuple[int, int], scale: float, colors: Image | None = None) -> Image:
        """Draw the surface in the middle of a picture of `size` (width, height), `scale` pixels per mm."""
        if colors is not None:
            self._colors = np.array(colors)
        key = (view, size, scale)
        if key not in self._seen:
            self._seen[key] = self._look(view, size, scale)
        seen = self._seen[key]
        width, height = (n * _SUPERSAMPLING for n in size)
        fine = np.empty((height * width, 3))
        fine[:] = self._background
        corners = self._colors[self._faces[seen.triangle]].astype(float)
        painted = np.einsum("sc,scx->sx", seen.weights, corners) * seen.brightness[:, None]
        fine[seen.pixel] = np.clip(painted, 0, 255)
        blocks = fine.reshape(size[1], _SUPERSAMPLING, size[0], _SUPERSAMPLING, 3)
        picture: Image = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
        return picture

    def _look(self, view: View, size: tuple[int, int], scale: float) -> _Seen:
        frame = np.stack([view.right, np.asarray(view.up), np.asarray(view.towards)])
        centre, _, _ = view.extent(self._vertices)
        seen = (self._vertices - centre) @ frame.T
        width, height = (n * _SUPERSAMPLING for n in size)
        fine_scale = scale * _SUPERSAMPLING
        x = width / 2 + fine_scale * seen[:, 0] - 0.5  # sample i stands at the centre of pixel i
        y = height / 2 - fine_scale * seen[:, 1] - 0.5
        found = _nearest_samples(
            np.stack([x, y], axis=1)[self._faces], seen[:, 2][self._faces], width, height
        )
        pixel, triangle, weights = found
        normals = np.einsum("sc,scx->sx", weights, self._normals[self._faces[triangle]]) @ frame.T
        length = np.linalg.norm(normals, axis=1)
        light = _LIGHT / np.linalg.norm(_LIGHT)
        # The inside of an open sheet is lit like its outside: |n . l|, as a two-sided surface.
        facing = np.sign(normals[:, 2]) * (normals @ light) / np.where(length > 0, length, 1.0)
        return _Seen(pixel, triangle, weights, _AMBIENT + _DIFFUSE * np.clip(facing, 0.0, 1.0))


def _nearest_samples(
    corners: FloatArray, depth: FloatArray, width: int, height: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return, for each pixel that is covered, the triangle nearest to the camera and its weights."""
    low = np.maximum(np.ceil(corners.min(axis=1)), 0).astype(np.int64)
    high = np.minimum(np.floor(corners.max(axis=1)), [width - 1, height - 1]).astype(np.int64)
    extent = (high - low + 1).max(axis=1)
    twice_area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    drawn = (high >= low).all(axis=1) & (twice_area != 0)
    pixels, triangles, weights, depths = [], [], [], []
    box = 1
    while drawn.any():
        group = np.flatnonzero(drawn & (extent <= box))
        drawn[group] = False
        for part in np.array_split(group, max(1, -(-len(group) * box * box // _SAMPLES_AT_ONCE))):
            x, y = np.meshgrid(np.arange(box), np.arange(box))
            points = low[part, None, :] + np.stack([x.ravel(), y.ravel()], axis=1)[None]
            w = _barycentric(corners[part], twice_area[part], points)
            inside = (w >= 0).all(axis=2) & (points <= high[part, None, :]).all(axis=2)
            which, sample = np.nonzero(inside)
            chosen = w[which, sample]
            pixels.append(points[which, sample] @ np.array([1, width]))
            triangles.append(part[which])
            weights.append(chosen)
            depths.append((chosen * depth[part[which]]).sum(axis=1))
        box *= 2
    pixel, triangle = (
        np.concatenate([*pixels, np.empty(0, int)]),
        np.concatenate([*triangles, np.empty(0, int)]),
    )
    weight, deep = np.concatenate([*weights, np.empty((0, 3))]), np.concatenate([*depths, np.empty(0)])
    order = np.lexsort((triangle, deep, pixel))
    last = np.flatnonzero(np.diff(pixel[order], append=-1))
    nearest = order[last]
    return pixel[nearest], triangle[nearest], weight[nearest]


def _barycentric(corners: FloatArray, twice_area: FloatArray, points: IntArray) -> FloatArray:
    a, b, c = (corners[:, None, i, :] for i in range(3))
    first = _cross(c - b, points - b)
    second = _cross(a - c, points - c)
    third = _cross(b - a, points - a)
    weights: FloatArray = np.stack([first, second, third], axis=2) / twice_area[:, None, None]
    return weights


def _cross(u: FloatArray, v: FloatArray) -> FloatArray:
    product: FloatArray = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return product
