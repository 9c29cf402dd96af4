"""Text, rulers and colour bars on a picture, without the cost of a plot."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.reports.colors import ColorScale, color_table
from spectralbrain.reports.extras import drawing_module
from spectralbrain.reports.render import Image
from spectralbrain.reports.style import INK, SOFT

_ARROW = 10  # height of a colour bar's arrow, pixels


@functools.cache
def _font(size: float, bold: bool) -> Any:
    folder = Path(drawing_module("matplotlib").get_data_path(), "fonts", "ttf")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    layout = drawing_module("PIL.ImageFont")
    return layout.truetype(str(folder / name), size, layout_engine=layout.Layout.BASIC)


class Canvas:
    """A picture to write on; y grows downwards, in pixels.

    Parameters
    ----------
    picture : (H, W, 3) array of uint8
        What is on it already.
    """

    def __init__(self, picture: Image) -> None:
        self._image = drawing_module("PIL.Image").fromarray(np.ascontiguousarray(picture))
        self._draw = drawing_module("PIL.ImageDraw").Draw(self._image)

    def picture(self) -> Image:
        """Return what is on the canvas, (H, W, 3) array of uint8."""
        return np.array(self._image)

    def write(
        self,
        place: tuple[float, float],
        text: str,
        *,
        align: str = "left",
        size: float = 14.0,
        bold: bool = False,
        color: str = INK,
    ) -> None:
        """Write lines of text, centred in height on `place`.

        Parameters
        ----------
        place : (x, y)
            In pixels.
        text : str
            Lines are separated by a newline.
        align : {'left', 'center', 'right'}
            Which part of the text stands at x.
        size : float
            In pixels.
        bold : bool
            Whether the strokes are heavy.
        color : str
            As Pillow names it.
        """
        lines = text.split("\n")
        pitch = 1.45 * size
        anchor = {"left": "lm", "center": "mm", "right": "rm"}[align]
        for i, line in enumerate(lines):
            y = place[1] + (i - (len(lines) - 1) / 2) * pitch
            self._draw.text((place[0], y), line, fill=color, font=_font(size, bold), anchor=anchor)

    def ruler(self, x: float, y: float, length: float, text: str) -> None:
        """Draw a line of `length` pixels from `x` to the right, with what it stands for beside it."""
        self._draw.line([(x, y), (x + length, y)], fill=SOFT, width=3)
        self.write((x + length + 9, y), text, color=SOFT)

    def color_bar(
        self,
        box: tuple[int, int, int, int],
        scale: ColorScale,
        ticks: Sequence[tuple[float, str]],
        title: str = "",
    ) -> None:
        """Draw a colour map, highest value on top; an arrow at an end says that values go beyond.

        Parameters
        ----------
        box : (left, top, width, height)
            Of the bar without arrows.
        scale : ColorScale
            The map and the values at its ends.
        ticks : sequence of (value, label)
            What stands beside the bar.
        title : str
            Above the bar, for example the unit.
        """
        left, top, width, height = box
        table = color_table(scale.cmap)
        shades = table[np.linspace(255, 0, height).round().astype(int)]
        bar = np.repeat(shades[:, None], width, axis=1)
        self._image.paste(drawing_module("PIL.Image").fromarray(bar), (left, top))
        right, bottom = left + width - 1, top + height - 1
        outline = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
        self._draw.line(outline, fill=SOFT, width=1)
        middle = (left + right) / 2
        for beyond, edge, tip, color in (
            (scale.clipped[0], bottom, bottom + _ARROW, table[0]),
            (scale.clipped[1], top, top - _ARROW, table[255]),
        ):
            if beyond:
                corners = [(left, edge), (right, edge), (middle, tip)]
                self._draw.polygon(corners, fill=tuple(color.tolist()), outline=SOFT)
        for value, label in ticks:
            y = bottom - (value - scale.low) / (scale.high - scale.low) * (height - 1)
            self._draw.line([(right, y), (right + 4, y)], fill=SOFT, width=1)
            self.write((right + 8, y), label, size=12.5)
        if title:
            self.write((left, top - _ARROW - 11), title)
