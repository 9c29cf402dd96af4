"""From numbers to colours: one rule for pictures and viewer alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.reports.extras import drawing_module
from spectralbrain.runtime import FloatArray

DIVERGING, SEQUENTIAL = "RdBu_r", "viridis"
MISSING_RGB = (186, 186, 186)
SURFACE_RGB = (222, 214, 203)
_TAIL = 2.0  # per cent of the vertices beyond each end of a colour bar


@dataclass(frozen=True)
class ColorScale:
    """A colour map and the values at its ends.

    Attributes
    ----------
    cmap : str
        Matplotlib's name of the map.
    low, high : float
        Values of the first and the last colour; `low` < `high`.
    clipped : tuple of bool
        Whether values lie below `low`, above `high` (they get the end's colour).
    """

    cmap: str
    low: float
    high: float
    clipped: tuple[bool, bool] = (False, False)

    @property
    def extend(self) -> str:
        """Which ends of a colour bar carry an arrow, in Matplotlib's words."""
        return {(False, False): "neither", (True, False): "min", (False, True): "max"}.get(
            self.clipped, "both"
        )

    def rgb(self, values: FloatArray) -> npt.NDArray[np.uint8]:
        """Return the colour of each value, (N, 3) array; NaN is grey."""
        table = color_table(self.cmap)
        values = np.asarray(values, dtype=float)
        known = np.isfinite(values)
        position = (np.clip(values[known], self.low, self.high) - self.low) / (self.high - self.low)
        colors = np.empty((*values.shape, 3), dtype=np.uint8)
        colors[~known] = MISSING_RGB
        colors[known] = table[np.rint(position * 255).astype(int)]
        return colors


def color_table(cmap: str) -> npt.NDArray[np.uint8]:
    """Return a colour map as 256 colours, (256, 3) array."""
    colormap: Any = drawing_module("matplotlib").colormaps[cmap]
    rgba: FloatArray = colormap(np.arange(256))
    return np.rint(rgba[:, :3] * 255).astype(np.uint8)


def diverging_scale(values: FloatArray, *, cmap: str = DIVERGING) -> ColorScale:
    """Return a scale symmetric about zero, its ends at the largest magnitude but for outlying vertices.

    Examples
    --------
    >>> diverging_scale(np.array([-1.0, 0.0, 0.5, np.nan]))
    ColorScale(cmap='RdBu_r', low=-1.0, high=1.0, clipped=(False, False))
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return ColorScale(cmap, -1.0, 1.0)
    largest = float(np.abs(known).max())
    limit = float(np.percentile(np.abs(known), 100 - _TAIL)) if known.size > 100 else largest
    if limit <= 0:
        limit = largest if largest > 0 else 1.0
    return ColorScale(cmap, -limit, limit, (bool(known.min() < -limit), bool(known.max() > limit)))


def sequential_scale(values: FloatArray, *, cmap: str = SEQUENTIAL) -> ColorScale:
    """Return a scale from the lowest to the highest value but for outlying vertices.

    Examples
    --------
    >>> sequential_scale(np.array([2.0, 2.0]))
    ColorScale(cmap='viridis', low=1.0, high=3.0, clipped=(False, False))
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return ColorScale(cmap, 0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    if known.size > 100:
        inner = np.percentile(known, [_TAIL, 100 - _TAIL])
        if inner[1] > inner[0]:
            low, high = float(inner[0]), float(inner[1])
    if high - low <= 1e-12 * max(
        abs(low), abs(high)
    ):  # constant but for rounding: one colour, the middle one
        middle, half = (low + high) / 2, (abs(low + high) / 4 or 1.0)
        return ColorScale(cmap, middle - half, middle + half)
    return ColorScale(cmap, low, high, (bool(known.min() < low), bool(known.max() > high)))


def fitting_scale(values: FloatArray) -> ColorScale:
    """Return a diverging scale if the values lie on both sides of zero, else a sequential one."""
    known = values[np.isfinite(values)]
    if known.size and known.min() < 0 < known.max():
        return diverging_scale(values)
    return sequential_scale(values)
