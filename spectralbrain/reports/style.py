"""The look of every figure, and its bytes: the same input gives the same file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from spectralbrain.reports.extras import drawing_module
from spectralbrain.reports.render import Image, encode_png

DPI = 100
INK, SOFT, ACCENT, WARN = "#1b1f24", "#5f6b7a", "#0b5cad", "#b3261e"

_STYLE = {
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # where a title stands is known: to search for it costs a sixth of a plot
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "grid.color": "#e3e7ec",
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "savefig.dpi": DPI,
    "svg.fonttype": "path",
    "svg.hashsalt": "spectralbrain",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Figure:
    """A finished figure.

    Attributes
    ----------
    slug : str
        Short name for files and links: lower case letters, digits, hyphens.
    title : str
        Heading.
    caption : str
        What is seen and how to read it.
    alt : str
        What is seen, for those who cannot see it.
    data : bytes
        The file.
    media_type : str
        'image/png' or 'image/svg+xml'.
    """

    slug: str
    title: str
    caption: str
    alt: str
    data: bytes
    media_type: str

    @property
    def suffix(self) -> str:
        """Suffix of the file's name."""
        return ".png" if self.media_type == "image/png" else ".svg"


@contextmanager
def drawing_style() -> Iterator[None]:
    """Draw with the style of this package, whatever the user's configuration says."""
    matplotlib = drawing_module("matplotlib")
    with matplotlib.rc_context():
        matplotlib.rcParams.update(matplotlib.rcParamsDefault)
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(width: int, height: int, **options: Any) -> Any:
    """Return an empty Matplotlib figure of `width` x `height` pixels, without global state."""
    figure: Any = drawing_module("matplotlib.figure").Figure(
        figsize=(width / DPI, height / DPI), dpi=DPI, **options
    )
    drawing_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    return figure


def to_pixels(figure: Any) -> Image:
    """Return a Matplotlib figure as picture, (H, W, 3) array of uint8."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def to_svg(figure: Any) -> bytes:
    """Return a Matplotlib figure as SVG without date or program name."""
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def svg_figure(
    draw: Callable[[Any], None],
    size: tuple[int, int],
    *,
    slug: str,
    title: str,
    caption: str,
    alt: str,
    margins: tuple[int, int, int, int] | None = None,
) -> Figure:
    """Draw a plot as SVG.

    Parameters
    ----------
    draw : callable
        Gets an empty Matplotlib figure and draws on it.
    size : (width, height)
        In pixels.
    slug, title, caption, alt : str
        See :class:`Figure`.
    margins : (left, right, bottom, top), optional
        Pixels around the plots; by default found by drawing everything once more, which costs more
        than the plot.

    Returns
    -------
    Figure
    """
    with drawing_style():
        figure = new_figure(*size, layout="constrained" if margins is None else "none")
        if margins is not None:
            (left, right, bottom, top), (width, height) = margins, size
            figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, 0.2)
        draw(figure)
        data = to_svg(figure)
    return Figure(slug, title, caption, alt, data, "image/svg+xml")


def png_figure(picture: Image, *, slug: str, title: str, caption: str, alt: str) -> Figure:
    """Return a picture as a figure."""
    return Figure(slug, title, caption, alt, encode_png(picture, light=True), "image/png")


def slugify(text: str) -> str:
    """Return a name for files and links.

    Examples
    --------
    >>> slugify("Left cortex (midthickness)")
    'left-cortex-midthickness'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "figure"


def number(value: float, digits: int = 3) -> str:
    """Return a number for people: `digits` significant ones, powers of ten written out.

    Examples
    --------
    >>> number(123456.0), number(0.000123), number(1.5), number(float("nan"))
    ('123,456', '1.23 × 10⁻⁴', '1.5', 'n/a')
    """
    if not np.isfinite(value):
        return "n/a"
    if value == 0:
        return "0"
    exponent = int(np.floor(np.log10(abs(value))))
    if exponent >= digits and exponent < 9:
        return f"{value:,.0f}"
    if -4 < exponent < 9:
        return f"{value:.{digits}g}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa} × 10{raised}"
