"""Pictures of a surface's modes and descriptors: a row for each map, a column for each view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectralbrain.reports.canvas import Canvas
from spectralbrain.reports.colors import (
    SURFACE_RGB,
    ColorScale,
    diverging_scale,
    fitting_scale,
    sequential_scale,
)
from spectralbrain.reports.rasterizer import Rasterizer
from spectralbrain.reports.render import Image
from spectralbrain.reports.style import SOFT, Figure, number, png_figure
from spectralbrain.reports.views import REPORT_VIEWS, Hemisphere, anatomical_view
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.decomposition import SpectralDecomposition

_WIDTH, _LABEL, _BAR, _HEAD, _FOOT, _GAP = 1180, 190, 138, 34, 34, 14
_TALLEST = 300


@dataclass(frozen=True)
class SurfaceMap:
    """One map on a surface, and how to show it.

    Attributes
    ----------
    label : str
        Name; a second and third line tell more.
    values : (N,) array
        Value of each vertex; NaN outside the domain.
    scale : ColorScale
        Its colours.
    units : str
        Unit of the values, for the colour bar.
    """

    label: str
    values: FloatArray
    scale: ColorScale
    units: str = ""


@dataclass(frozen=True)
class DescriptorMaps:
    """A per-vertex descriptor at all its scales.

    Attributes
    ----------
    key, title, units : str
        Short name, name in words, unit.
    values : (N, T) array
        NaN outside the domain.
    scales : tuple of str
        What each of the T columns is.
    """

    key: str
    title: str
    units: str
    values: FloatArray
    scales: tuple[str, ...]


def mode_maps(decomposition: SpectralDecomposition, n_modes: int) -> list[SurfaceMap]:
    """Return the first non-constant modes, each with its eigenvalue and wavelength."""
    maps = []
    first = decomposition.n_null_modes
    for index in range(first, min(first + n_modes, len(decomposition.eigenvalues))):
        eigenvalue = float(decomposition.eigenvalues[index])
        wavelength = 2 * np.pi / np.sqrt(eigenvalue)
        label = f"Mode {index + 1}\nλ = {number(eigenvalue)} mm⁻²\nwavelength {number(wavelength)} mm"
        values = decomposition.eigenvectors[:, index]
        maps.append(SurfaceMap(label, values, diverging_scale(values), "mm⁻¹"))
    return maps


def descriptor_maps(descriptor: DescriptorMaps, n_scales: int) -> list[SurfaceMap]:
    """Return a descriptor at scales spread from the first to the last."""
    total = descriptor.values.shape[1]
    chosen = np.unique(np.linspace(0, total - 1, min(n_scales, total)).round().astype(int))
    maps = []
    for index in chosen:
        values = descriptor.values[:, index]
        known = values[np.isfinite(values)]
        signed = bool(known.size and known.min() < 0 < known.max())
        scale = fitting_scale(values) if signed else sequential_scale(values)
        maps.append(SurfaceMap(descriptor.scales[index], values, scale, descriptor.units))
    return maps


def modes_figure(
    renderer: Rasterizer,
    decomposition: SpectralDecomposition,
    *,
    name: str,
    hemisphere: Hemisphere | None,
    n_modes: int = 4,
) -> Figure:
    """Draw the first non-constant modes of a surface from four sides."""
    maps = mode_maps(decomposition, n_modes)
    masked = not decomposition.domain.all()
    views = _view_words(hemisphere)
    return png_figure(
        montage(renderer, decomposition.mesh.vertices, maps, hemisphere),
        slug="modes",
        title="First modes of vibration (eigenmodes)",
        caption=(
            "Each row is one eigenmode of the Laplace-Beltrami operator: a standing wave of the surface, "
            "from the slowest in space on. Red and blue lie on opposite sides of zero (white, the nodal "
            "line); the sign is arbitrary but fixed. λ is the eigenvalue, 2π/√λ the mode's wavelength. "
            + _bar_words(masked, "largest magnitude")
        ),
        alt=(
            f"{name}: {len(maps)} eigenmodes, seen from {views}. "
            + "; ".join(m.label.replace("\n", ", ") for m in maps)
            + "."
        ),
    )


def descriptor_figure(
    renderer: Rasterizer,
    vertices: FloatArray,
    descriptor: DescriptorMaps,
    *,
    name: str,
    hemisphere: Hemisphere | None,
    n_scales: int = 3,
    explanation: str = "",
) -> Figure:
    """Draw a descriptor at several scales from four sides."""
    maps = descriptor_maps(descriptor, n_scales)
    masked = bool(np.isnan(descriptor.values).any())
    return png_figure(
        montage(renderer, vertices, maps, hemisphere),
        slug=descriptor.key,
        title=descriptor.title,
        caption=(
            f"{explanation} Each row is one scale ({len(maps)} of {len(descriptor.scales)} shown) "
            f"with a colour bar of its own. {_bar_words(masked, 'range')}"
        ).strip(),
        alt=(
            f"{name}: {descriptor.title}, seen from {_view_words(hemisphere)}, at "
            + "; ".join(m.label.replace("\n", ", ") for m in maps)
            + "."
        ),
    )


def plain_figure(
    renderer: Rasterizer, vertices: FloatArray, *, name: str, hemisphere: Hemisphere | None
) -> Figure:
    """Draw a surface without any map, from four sides."""
    surface = SurfaceMap("", np.zeros(len(vertices)), ColorScale("gray", 0.0, 1.0))
    return png_figure(
        montage(renderer, vertices, [surface], hemisphere, plain=True),
        slug="surface",
        title="The surface",
        caption="The surface as read; nothing could be computed on it.",
        alt=f"{name}: the surface without overlay, seen from {_view_words(hemisphere)}.",
    )


def montage(
    renderer: Rasterizer,
    vertices: FloatArray,
    maps: Sequence[SurfaceMap],
    hemisphere: Hemisphere | None,
    *,
    plain: bool = False,
) -> Image:
    """Draw maps as rows and views as columns, all at one scale, with labels, colour bars and a ruler.

    Parameters
    ----------
    renderer : Rasterizer
        Of the surface.
    vertices : (N, 3) array, mm
        Its vertices.
    maps : sequence of SurfaceMap
        The rows.
    hemisphere : {'L', 'R'} or None
        Decides which side is lateral.
    plain : bool
        Draw the surface alone.

    Returns
    -------
    (H, W, 3) array of uint8
    """
    views = [anatomical_view(view, hemisphere) for view in REPORT_VIEWS]
    extents = [view.extent(vertices)[1:] for view in views]
    room = _WIDTH - _LABEL - _BAR - _GAP * (len(views) + 1) - 8 * len(views)
    scale = room / max(sum(width for width, _ in extents), 1e-9)
    scale = min(scale, _TALLEST / max(max(height for _, height in extents), 1e-9))
    widths = [int(width * scale) + 8 for width, _ in extents]
    row_height = max(int(height * scale) + 8 for _, height in extents) + _GAP
    left_edges = np.cumsum([_LABEL + _GAP, *(width + _GAP for width in widths[:-1])])
    page = np.full((_HEAD + row_height * len(maps) + _FOOT, _WIDTH, 3), 255, dtype=np.uint8)
    plain_colors = np.full((len(vertices), 3), SURFACE_RGB, dtype=np.uint8)
    colors = [plain_colors if plain else shown.scale.rgb(shown.values) for shown in maps]
    for view, left in zip(views, left_edges, strict=True):
        for row, painted in enumerate(colors):
            tile = renderer.picture(view, scale, painted)
            top = _HEAD + row * row_height + (row_height - tile.shape[0]) // 2
            page[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    canvas = Canvas(page)
    for view, left, width in zip(views, left_edges, widths, strict=True):
        letters = view.edge_letters()
        canvas.write((left + width / 2, _HEAD / 2), view.title, align="center", bold=True)
        canvas.write((left, _HEAD / 2), letters[0], color=SOFT)
        canvas.write((left + width, _HEAD / 2), letters[1], align="right", color=SOFT)
    for row, shown in enumerate([] if plain else maps):
        middle = _HEAD + row * row_height + row_height / 2
        canvas.write((10, middle), shown.label)
        _draw_bar(canvas, shown, middle, min(0.66 * row_height, 150))
    _draw_ruler(canvas, int(left_edges[0]), page.shape[0] - _FOOT / 2, scale, widths[0])
    return canvas.picture()


def _draw_bar(canvas: Canvas, shown: SurfaceMap, middle: float, length: float) -> None:
    low, high = shown.scale.low, shown.scale.high
    ticks = [low, 0.0 if low == -high else (low + high) / 2, high]
    box = (_WIDTH - _BAR + 22, round(middle - length / 2), 14, round(length))
    canvas.color_bar(box, shown.scale, list(zip(ticks, _tick_labels(ticks), strict=True)), shown.units)


def _tick_labels(ticks: Sequence[float]) -> list[str]:
    """Return labels with the digits it takes to tell the ticks apart."""
    for digits in range(2, 8):
        labels = [number(tick, digits) for tick in ticks]
        if len(set(labels)) == len(labels):
            break
    return [label.replace("-", "−") for label in labels]


def _draw_ruler(canvas: Canvas, left: int, y: float, scale: float, room: int) -> None:
    longest = 0.45 * room / scale
    power = 10.0 ** np.floor(np.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    canvas.ruler(left, y, length * scale, f"{number(length)} mm")


def _view_words(hemisphere: Hemisphere | None) -> str:
    titles = [anatomical_view(view, hemisphere).title for view in REPORT_VIEWS]
    return f"{', '.join(titles[:-1])} and {titles[-1]}"


def _bar_words(masked: bool, what: str) -> str:
    grey = " Grey: outside the domain (medial wall), not computed." if masked else ""
    return (
        f"The colour bar holds the {what} of all but the most extreme 2 per cent of vertices; an arrow at "
        "its "
        "end says that values go beyond. Letters: A anterior, P posterior, L left, R right." + grey
    )
