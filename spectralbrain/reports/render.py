"""Pictures of surfaces, rendered off screen."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, MissingDependencyError
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
from spectralbrain.reports.views import Hemisphere, View, ViewName, anatomical_view
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import PathLike, ScalarMap, as_array

Image = npt.NDArray[np.uint8]

_LOGGER = logging.getLogger(__name__)
_SUPERSAMPLING = 2
_WINDOW = "VTK_DEFAULT_OPENGL_WINDOW"
# In order of preference: the software renderer gives the same picture whatever the graphics card.
_BACKENDS = (
    ("vtkOSOpenGLRenderWindow", ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")),
    ("vtkEGLRenderWindow", ("libEGL.so.1", "libEGL.so")),
)


class NoRenderingLibraryError(MissingDependencyError):
    """The system has no library that VTK could render with."""


class SurfaceRenderer:
    """Draws one surface from many sides and in many colours.

    Parameters
    ----------
    mesh : BrainMesh
        The surface.
    background : str
        A colour name.

    Raises
    ------
    MissingDependencyError
        If pyvista is not installed.
    NoRenderingLibraryError
        If the system has no library to render with.
    ArrayError
        If the mesh has no faces.
    """

    def __init__(self, mesh: BrainMesh, background: str = "white") -> None:
        if mesh.n_faces == 0:
            raise ArrayError("mesh: expected at least one face to draw, found none")
        choose_backend()
        pyvista = drawing_module("pyvista")
        self._vertices = mesh.vertices
        self._poly = pyvista.PolyData.from_regular_faces(mesh.vertices.astype(np.float32), mesh.faces)
        self._poly.point_data["normals"] = _vertex_normals(mesh).astype(np.float32)
        self._poly.point_data.active_normals_name = "normals"
        self._poly.point_data["rgb"] = np.full((mesh.n_vertices, 3), SURFACE_RGB, dtype=np.uint8)
        self._plotter: Any = pyvista.Plotter(off_screen=True, lighting=None)
        self._plotter.render_window.SetMultiSamples(0)  # pictures are drawn larger and averaged instead
        self._plotter.set_background(background)
        self._lights = _white_lights(self._plotter.renderer)
        actor = self._plotter.add_mesh(
            self._poly,
            scalars="rgb",
            rgb=True,
            ambient=0.25,
            diffuse=0.8,
            specular=0.05,
            show_scalar_bar=False,
        )
        actor.prop.interpolation = "Phong"
        self._plotter.enable_parallel_projection()

    def __enter__(self) -> SurfaceRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._plotter.close()

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
        """Draw the surface in the middle of a picture of `size` (width, height) pixels."""
        if colors is not None:
            self._poly.point_data["rgb"][:] = colors
            self._poly.GetPointData().GetArray("rgb").Modified()
        centre, _, _ = view.extent(self._vertices)
        reach = float(np.linalg.norm(np.ptp(self._vertices, axis=0))) or 1.0
        window, camera = self._plotter.render_window, self._plotter.renderer.GetActiveCamera()
        width, height = (n * _SUPERSAMPLING for n in size)
        camera.SetFocalPoint(*centre)
        camera.SetPosition(*(centre + np.asarray(view.towards) * 2 * reach))
        camera.SetViewUp(*view.up)
        camera.SetParallelScale(size[1] / scale / 2)
        camera.SetClippingRange(0.5 * reach, 3.5 * reach)
        window.SetSize(width, height)
        window.Render()
        pixels = drawing_module("vtkmodules.vtkCommonCore").vtkUnsignedCharArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        numpy_support: Any = drawing_module("vtkmodules.util.numpy_support")
        fine = numpy_support.vtk_to_numpy(pixels).reshape(height, width, -1)[::-1, :, :3]
        blocks = fine.reshape(size[1], _SUPERSAMPLING, size[0], _SUPERSAMPLING, 3)
        picture: Image = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
        return picture


def surface_renderer(mesh: BrainMesh, background: str = "white") -> SurfaceRenderer | Rasterizer:
    """Return what draws a surface: VTK, or our own rasterizer where the system has no library for it.

    Parameters
    ----------
    mesh : BrainMesh
        The surface.
    background : str
        A colour name.

    Returns
    -------
    SurfaceRenderer or Rasterizer

    Raises
    ------
    MissingDependencyError
        If the extra ``app`` is not installed.
    ArrayError
        If the mesh has no faces.
    """
    try:
        return SurfaceRenderer(mesh, background)
    except NoRenderingLibraryError as error:
        _LOGGER.info("%s; drawing without it, which is slower", error)
        red, green, blue = drawing_module("matplotlib.colors").to_rgb(background)
        return Rasterizer(
            mesh,
            _vertex_normals(mesh),
            SURFACE_RGB,
            (round(255 * red), round(255 * green), round(255 * blue)),
        )


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
        A colour name.

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
    """
    pillow = drawing_module("PIL.Image")
    if light:
        picture = np.minimum((picture.astype(np.uint16) + 2) // 4 * 4, 255).astype(np.uint8)
    stream = BytesIO()
    pillow.fromarray(np.ascontiguousarray(picture)).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def choose_backend() -> None:
    """Make VTK render in memory, without display, where the system can.

    Raises
    ------
    NoRenderingLibraryError
        If this Linux system has no library to render with. VTK itself would end the process.
    """
    os.environ.setdefault("LP_NUM_THREADS", str(min(resolve_threads(), 16)))  # Mesa's software renderer
    if not sys.platform.startswith("linux") or _WINDOW in os.environ:
        return
    for window, libraries in _BACKENDS:
        if any(_loads(library) for library in libraries):
            os.environ[_WINDOW] = window
            return
    if not (os.environ.get("DISPLAY") and _loads("libGL.so.1")):
        raise NoRenderingLibraryError(
            "Rendering with VTK needs the system library OSMesa or EGL, and neither was found; "
            "on Debian and Ubuntu run: apt-get install libosmesa6 (or libegl1 libgl1-mesa-dri)"
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


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


def _white_lights(renderer: Any) -> Any:
    """Light the scene from around the camera, without the tints of VTK's default kit: colours mean values."""
    kit: Any = drawing_module("vtkmodules.vtkRenderingCore").vtkLightKit()
    kit.SetKeyLightWarmth(0.5)
    kit.SetFillLightWarmth(0.5)
    kit.SetHeadLightWarmth(0.5)
    kit.SetBackLightWarmth(0.5)
    kit.AddLightsToRenderer(renderer)
    return kit


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
