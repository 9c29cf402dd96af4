"""One picture that says what the library does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.io._atomic import write_bytes_atomic
from spectralbrain.reports.colors import MISSING_RGB, SURFACE_RGB, diverging_scale, sequential_scale
from spectralbrain.reports.render import Image, encode_png, surface_renderer
from spectralbrain.reports.spectrum import draw_counts, weyl_law_of
from spectralbrain.reports.style import SOFT, drawing_style, new_figure, number, to_pixels, to_svg
from spectralbrain.reports.views import Hemisphere, anatomical_view
from spectralbrain.runtime import FloatArray, PathLike
from spectralbrain.spectral.decomposition import SpectralDecomposition
from spectralbrain.spectral.grids import hks_times
from spectralbrain.spectral.heat_kernel import compute_hks

_TILE, _CAPTION, _MARGIN = 300, 46, 24
_PLOT = 380


def plot_overview(
    decomposition: SpectralDecomposition,
    out_file: PathLike,
    *,
    title: str | None = None,
    n_modes: int = 3,
    times: Any = None,
    hemisphere: Hemisphere | None = None,
) -> str:
    """Draw a surface, its first modes, its heat kernel signature and its spectrum in one picture.

    Parameters
    ----------
    decomposition : SpectralDecomposition
        Of the surface.
    out_file : path
        The picture, ``.png`` or ``.svg``.
    title : str, optional
        Heading.
    n_modes : int
        How many non-constant modes are drawn.
    times : (T,) array, mm^2, optional
        Diffusion times of the heat kernel signature, one picture each; by default three,
        from short to long.
    hemisphere : {'L', 'R'}, optional
        Which side is lateral.

    Returns
    -------
    str
        Absolute path of `out_file`.

    Raises
    ------
    ArrayError
        If an argument is not as described.
    MissingDependencyError
        If the extra ``app`` is not installed.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> picture = plot_overview(ellipsoid(3).decompose(k=20), "overview.png", title="An ellipsoid")
    >>> Path(picture).name
    'overview.png'
    """
    suffix = Path(out_file).suffix.lower()
    if suffix not in (".png", ".svg"):
        raise ArrayError(f"out_file: expected a name ending in .png or .svg, found {os.fspath(out_file)!r}")
    first, k = decomposition.n_null_modes, len(decomposition.eigenvalues)
    if not 1 <= n_modes <= k - first:
        raise ArrayError(f"n_modes: expected 1 to {k - first} non-constant modes, found {n_modes}")
    grid = _three_times(decomposition) if times is None else np.atleast_1d(np.asarray(times, dtype=float))
    tiles = _tiles(decomposition, n_modes, grid, hemisphere)
    columns = 1 + max(n_modes, len(grid))
    width = _MARGIN + columns * (_TILE + _MARGIN) + _PLOT + _MARGIN
    top = 46 if title else 12
    row = _tile_height(tiles) + _CAPTION
    page = np.full((top + 2 * row + 12, width, 3), 255, dtype=np.uint8)
    with drawing_style():
        figure = new_figure(page.shape[1], page.shape[0])
        for (line, column), (picture, caption) in tiles.items():
            x = _MARGIN + column * (_TILE + _MARGIN)
            y = top + (line * row if column else row // 2)
            _paste(page, picture, x + _TILE // 2, y + (row - _CAPTION) // 2)
            _write(figure, x + _TILE / 2, y + row - _CAPTION / 2, caption)
        figure.figimage(page, zorder=-1)
        if title:
            _write(figure, width / 2, 26, title, weight="bold", fontsize=15)
        left = width - _PLOT - _MARGIN + 60
        axis = figure.add_axes(
            (left / width, 86 / page.shape[0], (_PLOT - 60) / width, (2 * row - 176) / page.shape[0])
        )
        draw_counts(axis, decomposition.eigenvalues, weyl_law_of(decomposition))
        data = to_svg(figure) if suffix == ".svg" else encode_png(to_pixels(figure))
    return str(write_bytes_atomic(out_file, data))


def _tiles(
    decomposition: SpectralDecomposition, n_modes: int, times: FloatArray, hemisphere: Hemisphere | None
) -> dict[tuple[int, int], tuple[Image, str]]:
    view = anatomical_view("lateral", hemisphere)
    vertices = decomposition.mesh.vertices
    _, width, height = view.extent(vertices)
    scale = (_TILE - 8) / max(width, height)
    plain = np.full((len(vertices), 3), SURFACE_RGB, dtype=np.uint8)
    plain[~decomposition.domain] = MISSING_RGB
    tiles = {}
    with surface_renderer(decomposition.mesh) as renderer:
        size = f"{decomposition.mesh.n_vertices:,} vertices, {decomposition.surface_area / 100:,.0f} cm²"
        tiles[0, 0] = renderer.picture(view, scale, plain), f"one surface\n{size}"
        for column in range(1, n_modes + 1):
            index = decomposition.n_null_modes + column - 1
            values = decomposition.eigenvectors[:, index]
            wavelength = 2 * np.pi / np.sqrt(decomposition.eigenvalues[index])
            picture = renderer.picture(view, scale, diverging_scale(values).rgb(values))
            tiles[0, column] = picture, f"mode {index + 1}\nwavelength {number(float(wavelength))} mm"
        signatures = compute_hks(decomposition, times)
        for column, time in enumerate(times, start=1):
            values = signatures[:, column - 1]
            picture = renderer.picture(view, scale, sequential_scale(values).rgb(values))
            tiles[1, column] = picture, f"heat kernel signature\nt = {number(float(time))} mm²"
    return tiles


def _three_times(decomposition: SpectralDecomposition) -> FloatArray:
    grid = hks_times(9, k=len(decomposition.eigenvalues), area=decomposition.surface_area)
    return np.asarray(grid[[0, 3, 6]])


def _tile_height(tiles: dict[tuple[int, int], tuple[Image, str]]) -> int:
    return max(len(picture) for picture, _ in tiles.values())


def _paste(page: Image, picture: Image, x: int, y: int) -> None:
    top, left = y - picture.shape[0] // 2, x - picture.shape[1] // 2
    page[top : top + picture.shape[0], left : left + picture.shape[1]] = picture


def _write(figure: Any, x: float, y: float, text: str, **options: Any) -> None:
    width, height = figure.get_size_inches() * figure.dpi
    style = {"color": SOFT, "fontsize": 11, "linespacing": 1.4} | options
    figure.text(x / width, 1 - y / height, text, ha="center", va="center", **style)
