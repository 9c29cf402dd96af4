"""Pictures of surfaces, drawn without a display."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.io._atomic import write_bytes_atomic
from spectralbrain.io.load import load_mesh
from spectralbrain.reports.colors import (
    SURFACE_RGB,
    ColorScale,
    diverging_scale,
    fitting_scale,
    sequential_scale,
)
from spectralbrain.reports.extras import drawing_module
from spectralbrain.reports.rasterizer import Rasterizer
from spectralbrain.reports.views import Hemisphere, ViewName, anatomical_view
from spectralbrain.runtime import PathLike, ScalarMap, as_array

Image = npt.NDArray[np.uint8]

# PNG, ISO/IEC 15948
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUECOLOUR, _FILTER_UP = 2, 2
_LEVEL = 6


def surface_renderer(mesh: BrainMesh, background: str = "white") -> Rasterizer:
    """Return what draws a surface.

    Parameters
    ----------
    mesh : BrainMesh
        The surface.
    background : str
        A colour name.

    Returns
    -------
    Rasterizer

    Raises
    ------
    MissingDependencyError
        If the extra ``app`` is not installed.
    ArrayError
        If the mesh has no faces.
    """
    if mesh.n_faces == 0:
        raise ArrayError("mesh: expected at least one face to draw, found none")
    red, green, blue = drawing_module("PIL.ImageColor").getrgb(background)[:3]
    return Rasterizer(mesh, _vertex_normals(mesh), SURFACE_RGB, (red, green, blue))


def render_surface(
    mesh: BrainMesh | PathLike,
    scalars: Any = None,
    *,
    out_file: PathLike | None = None,
    view: ViewName = "lateral",
    hemisphere: Hemisphere | None = None,
    cmap: str | None = None,
    limits: tuple[float, float] | None = None,
    symmetric: bool | None = None,
    size: tuple[int, int] = (800, 600),
    background: str = "white",
) -> Image | str:
    """Draw a surface from one side.

    Parameters
    ----------
    mesh : BrainMesh or path
        The surface, in RAS coordinates.
    scalars : (N,) array, optional
        Value of each vertex; NaN is drawn grey.
    out_file : path, optional
        Where to write the picture, as PNG.
    view : {'lateral', 'medial', 'dorsal', 'ventral', 'anterior', 'posterior'}
        The side to look at.
    hemisphere : {'L', 'R'}, optional
        Which side of the brain the surface is of; without it lateral is left, medial right.
    cmap : str, optional
        A Matplotlib colour map; by default a diverging one for symmetric limits, else a sequential one.
    limits : (low, high), optional
        Values at the ends of the colour map; by default fitted to all but 2 per cent at either end.
    symmetric : bool, optional
        Whether fitted limits are symmetric about zero; by default if the values change sign.
    size : (width, height)
        In pixels.
    background : str
        A colour name, or #rrggbb.

    Returns
    -------
    str or (H, W, 3) array of uint8
        Absolute path of `out_file`, or the picture if there is none.

    Raises
    ------
    ArrayError
        If an argument is not as described.
    MissingDependencyError
        If the extra ``app`` is not installed.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> mesh = sphere(2)
    >>> render_surface(mesh, mesh.vertices[:, 2], size=(60, 40)).shape
    (40, 60, 3)
    """
    surface = mesh if isinstance(mesh, BrainMesh) else load_mesh(mesh)
    if min(size) < 16 or max(size) > 10_000:
        raise ArrayError(f"size: expected 16 to 10000 pixels a side, found {size}")
    colors = None
    if scalars is not None:
        values = as_array(scalars, ScalarMap, name="scalars", sizes={"N": surface.n_vertices})
        colors = _scale_for(values, cmap, limits, symmetric).rgb(values)
    seen = anatomical_view(view, hemisphere)
    _, width, height = seen.extent(surface.vertices)
    scale = 0.94 * min(size[0] / (width or 1.0), size[1] / (height or 1.0))
    with surface_renderer(surface, background) as renderer:
        picture = renderer.fitted(seen, size, scale, colors)
    if out_file is None:
        return picture
    if Path(out_file).suffix.lower() != ".png":
        raise ArrayError(f"out_file: expected a name ending in .png, found {os.fspath(out_file)!r}")
    return str(write_bytes_atomic(out_file, encode_png(picture)))


def encode_png(picture: Image, *, light: bool = False) -> bytes:
    """Return a picture as PNG, without metadata.

    Parameters
    ----------
    picture : (H, W, 3) array of uint8
        The picture.
    light : bool
        Round colours to steps of 4, which no eye sees: two thirds of the size. White stays white.

    Returns
    -------
    bytes
        The PNG specification's filter "up" (each row less the one above), deflated.

    Examples
    --------
    >>> encode_png(np.zeros((2, 3, 3), dtype=np.uint8))[1:4]
    b'PNG'
    """
    import deflate

    if light:
        picture = np.minimum((picture.astype(np.uint16) + 2) // 4 * 4, 255).astype(np.uint8)
    height, width, _ = picture.shape
    rows = picture.reshape(height, 3 * width)
    filtered = np.empty((height, 3 * width + 1), dtype=np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]  # modulo 256, as the format wants it
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUECOLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", deflate.zlib_compress(filtered.data, _LEVEL)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", deflate.crc32(kind + data))
        for kind, data in chunks
    )


def _scale_for(
    values: ScalarMap, cmap: str | None, limits: tuple[float, float] | None, symmetric: bool | None
) -> ColorScale:
    if symmetric is None:
        fitted = fitting_scale(values)
    else:
        fitted = diverging_scale(values) if symmetric else sequential_scale(values)
    if limits is None:
        return ColorScale(cmap or fitted.cmap, fitted.low, fitted.high, fitted.clipped)
    low, high = (float(limit) for limit in limits)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ArrayError(f"limits: expected two finite values, low < high, found {limits}")
    return ColorScale(cmap or (diverging_scale if low == -high else sequential_scale)(values).cmap, low, high)


def _vertex_normals(mesh: BrainMesh) -> npt.NDArray[np.float64]:
    corners = mesh.vertices[mesh.faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(mesh.vertices)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(mesh.faces[:, corner], face_normals[:, axis], mesh.n_vertices)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.where(length > 0, length, 1.0)
    return normals
