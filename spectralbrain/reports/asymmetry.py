"""Left against right: sizes and spectra of paired surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.reports.inputs import SurfaceInput
from spectralbrain.reports.style import ACCENT, WARN, Figure, number, slugify, svg_figure
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.spectrum import Spectrum

_MEASURES = (
    ("surface_area", "Area", "mm²"),
    ("volume", "Enclosed volume", "mm³"),
    ("boundary_length", "Boundary length", "mm"),
)


@dataclass(frozen=True)
class AsymmetryRow:
    """One measure on both sides.

    Attributes
    ----------
    measure, left, right : str
        What, and its values with unit.
    index : float
        ``(L - R) / (L + R)``, as in the tables; positive where the left is larger.
    """

    measure: str
    left: str
    right: str
    index: float

    @property
    def words(self) -> str:
        """Return the index for people."""
        if abs(self.index) < 5e-5:
            return "0.0 %: equal"
        return f"{100 * self.index:+.1f} %: {'left' if self.index > 0 else 'right'} larger".replace("-", "−")


def hemisphere_pairs(surfaces: Sequence[SurfaceInput]) -> list[tuple[int, int]]:
    """Return the places of left and right surfaces equal in structure, surface and session."""
    left = {s.pair_key: index for index, s in enumerate(surfaces) if s.hemisphere == "L"}
    right = {s.pair_key: index for index, s in enumerate(surfaces) if s.hemisphere == "R"}
    return [(left[key], right[key]) for key in left if key in right]


def asymmetry_rows(left: Spectrum, right: Spectrum) -> list[AsymmetryRow]:
    """Compare the sizes of two surfaces."""
    rows = []
    for key, words, unit in _MEASURES:
        a, b = left.metadata.get(key), right.metadata.get(key)
        if a is None or b is None or float(a) + float(b) == 0:
            continue
        a, b = float(a), float(b)
        rows.append(
            AsymmetryRow(words, f"{number(a, 4)} {unit}", f"{number(b, 4)} {unit}", (a - b) / (a + b))
        )
    return rows


def spectral_differences(left: Spectrum, right: Spectrum) -> FloatArray:
    """Compare two spectra mode by mode, size removed.

    Parameters
    ----------
    left, right : Spectrum
        The two sides.

    Returns
    -------
    (n,) array
        ``2 (l - r) / (l + r)`` with l, r the eigenvalues times the area, constant modes left out.

    Raises
    ------
    ArrayError
        If either side has no mode but constant ones.
    """
    scaled = [d.eigenvalues[d.n_null_modes :] * d.surface_area for d in (left, right)]
    n = min(map(len, scaled))
    if n == 0:
        raise ArrayError("eigenvalues: expected modes beyond the constant ones on both sides, found none")
    a, b = scaled[0][:n], scaled[1][:n]
    return np.asarray(2 * (a - b) / (a + b))


def plot_asymmetry(left: Spectrum, right: Spectrum, *, name: str) -> Figure:
    """Plot the spectral differences of left and right."""
    difference = 100 * spectral_differences(left, right)
    modes = np.arange(1, len(difference) + 1)
    typical = float(np.sqrt(np.mean(difference**2)))

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        colors = [ACCENT if value > 0 else WARN for value in difference]
        width = min(24.0, 0.75 * 986 / len(modes))  # of 986 pixels, in points
        axis.vlines(modes, 0, difference, colors=colors, linewidth=0.72 * width)
        axis.axhline(0, color="#1b1f24", linewidth=0.8)
        reach = max(1.0, 1.2 * float(np.abs(difference).max()))
        axis.set_ylim(-reach, reach)
        axis.set_xlim(0.2, len(modes) + 0.8)
        axis.set(xlabel="mode (constant mode left out)", ylabel="difference of λ · A (%)")
        axis.text(0.99, 0.96, "left higher", color=ACCENT, ha="right", va="top", transform=axis.transAxes)
        axis.text(0.99, 0.04, "right higher", color=WARN, ha="right", va="bottom", transform=axis.transAxes)

    return svg_figure(
        draw,
        (1080, 330),
        margins=(70, 24, 54, 16),
        slug=slugify(f"asymmetry {name}"),
        title=f"{name}: left against right, mode by mode",
        caption=(
            "Difference of the normalised eigenvalues λ·A, 2(L − R)/(L + R). Size is removed, so what is "
            f"left is shape. Root mean square: {typical:.1f} %. Equal bars up and down are usual; a single "
            "large bar often means that two neighbouring modes changed places."
        ),
        alt=(
            f"{name}: bar chart of the relative difference between left and right in {len(modes)} "
            f"normalised eigenvalues; root mean square {typical:.1f} per cent, largest "
            f"{np.abs(difference).max():.1f} per cent."
        ),
    )
