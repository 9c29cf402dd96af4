"""From where a surface is looked at.

Coordinates are RAS, in mm: x grows to the subject's right, y to the front, z upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray

ViewName: TypeAlias = Literal["lateral", "medial", "dorsal", "ventral", "anterior", "posterior"]
Hemisphere: TypeAlias = Literal["L", "R"]
REPORT_VIEWS: tuple[ViewName, ...] = ("lateral", "medial", "dorsal", "ventral")

_LEFT, _RIGHT = (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0)
_UP, _FRONT = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
_AXIS_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))


@dataclass(frozen=True)
class View:
    """A direction of sight.

    Attributes
    ----------
    title : str
        What a reader calls it.
    towards : tuple of float
        Unit vector from the surface to the camera.
    up : tuple of float
        Unit vector that points up in the picture.
    """

    title: str
    towards: tuple[float, float, float]
    up: tuple[float, float, float]

    @property
    def right(self) -> FloatArray:
        """Unit vector that points to the right in the picture, (3,) array."""
        return np.cross(self.up, self.towards)

    def edge_letters(self) -> tuple[str, str, str, str]:
        """Return the anatomical letters at the left, right, top and bottom edge of the picture.

        Examples
        --------
        >>> anatomical_view("lateral", "L").edge_letters()
        ('A', 'P', 'S', 'I')
        """
        right, up = self.right, np.asarray(self.up)
        return _letter(-right), _letter(right), _letter(up), _letter(-up)

    def extent(self, vertices: FloatArray) -> tuple[FloatArray, float, float]:
        """Return the centre (3,), width and height in mm of what the picture must hold."""
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        size = high - low
        return (low + high) / 2, float(abs(self.right) @ size), float(np.abs(self.up) @ size)


def anatomical_view(name: ViewName, hemisphere: Hemisphere | None = None) -> View:
    """Return a view by its anatomical name.

    Parameters
    ----------
    name : {'lateral', 'medial', 'dorsal', 'ventral', 'anterior', 'posterior'}
        The side the viewer sees.
    hemisphere : {'L', 'R'}, optional
        Side of the surface. Without it, 'lateral' is the left and 'medial' the right side, and
        the titles say so.

    Returns
    -------
    View

    Raises
    ------
    ArrayError
        If `name` or `hemisphere` is none of the above.

    Examples
    --------
    >>> anatomical_view("medial", "L").towards
    (1.0, 0.0, 0.0)
    >>> anatomical_view("medial").title
    'right side'
    """
    if name not in get_args(ViewName):
        raise ArrayError(f"view: expected one of {', '.join(get_args(ViewName))}, found {name!r}")
    if hemisphere not in ("L", "R", None):
        raise ArrayError(f"hemisphere: expected 'L', 'R' or None, found {hemisphere!r}")
    outwards, inwards = (_RIGHT, _LEFT) if hemisphere == "R" else (_LEFT, _RIGHT)
    sides = {
        "lateral": View("lateral" if hemisphere else "left side", outwards, _UP),
        "medial": View("medial" if hemisphere else "right side", inwards, _UP),
        "dorsal": View("dorsal", _UP, _FRONT),
        "ventral": View("ventral", (0.0, 0.0, -1.0), _FRONT),
        "anterior": View("anterior", _FRONT, _UP),
        "posterior": View("posterior", (0.0, -1.0, 0.0), _UP),
    }
    return sides[name]


def _letter(direction: FloatArray) -> str:
    axis = int(np.abs(direction).argmax())
    return _AXIS_LETTERS[axis][0 if direction[axis] > 0 else 1]
