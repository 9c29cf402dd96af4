"""Plots of a spectrum: against Weyl's law, and how well the mesh resolves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.reports.style import ACCENT, INK, SOFT, WARN, Figure, number, svg_figure
from spectralbrain.reports.words import GOOD_ERROR
from spectralbrain.runtime import Eigenvalues, FloatArray
from spectralbrain.spectral.decomposition import SpectralDecomposition

_BOUNDARY_SIGN = {"closed": 0, "neumann": 1, "dirichlet": -1}
_SIZE = (1080, 400)
POOR_ERROR = 0.05
GOOD_EDGES = 6.0


@dataclass(frozen=True)
class WeylLaw:
    """The number of eigenvalues up to λ that Weyl's law foretells.

    With area A and boundary length L it is ``A λ / 4π + s L √λ / 4π``, s = 1 for free (Neumann),
    -1 for fixed (Dirichlet) boundaries, 0 for closed surfaces (Ivrii, Funct. Anal. Appl. 14, 98-106,
    1980).

    Attributes
    ----------
    area : float
        mm^2.
    boundary_length : float
        mm.
    boundary : {'closed', 'neumann', 'dirichlet'}
        What holds on the boundary.

    Examples
    --------
    >>> law = WeylLaw(area=4 * np.pi, boundary_length=0.0, boundary="closed")
    >>> law.count(np.array([100.0]))
    array([100.])
    """

    area: float
    boundary_length: float
    boundary: str

    def __post_init__(self) -> None:
        if self.boundary not in _BOUNDARY_SIGN:
            raise ArrayError(
                f"boundary: expected one of {', '.join(_BOUNDARY_SIGN)}, found {self.boundary!r}"
            )

    def leading(self, eigenvalue: FloatArray) -> FloatArray:
        """Return the area term alone."""
        return np.asarray(self.area * eigenvalue / (4 * np.pi))

    def count(self, eigenvalue: FloatArray) -> FloatArray:
        """Return area and boundary term."""
        edge = _BOUNDARY_SIGN[self.boundary] * self.boundary_length * np.sqrt(eigenvalue) / (4 * np.pi)
        return np.asarray(self.leading(eigenvalue) + edge)


def weyl_law_of(decomposition: SpectralDecomposition) -> WeylLaw:
    """Return the law of a surface, from what its metadata say of the boundary."""
    metadata = decomposition.metadata
    boundary = str(metadata.get("boundary", "closed"))
    length = float(metadata.get("boundary_length", 0.0) or 0.0)
    return WeylLaw(decomposition.surface_area, length, boundary)


def plot_spectrum(eigenvalues: Eigenvalues, law: WeylLaw, *, name: str = "") -> Figure:
    """Plot the counting function of a spectrum against Weyl's law.

    Parameters
    ----------
    eigenvalues : (k,) array, mm^-2
        Ascending, null modes included.
    law : WeylLaw
        Of the surface.
    name : str
        The surface, for the text.

    Returns
    -------
    Figure

    Raises
    ------
    ArrayError
        If fewer than two eigenvalues are given.
    """
    values = np.clip(np.asarray(eigenvalues, dtype=float), 0, None)
    if values.size < 2 or values[-1] <= 0:
        raise ArrayError(f"eigenvalues: expected at least one above zero, found {values.size} in all")
    counts = np.arange(1, values.size + 1)
    excess = counts - 0.5 - law.count(values)
    has_edge = law.boundary != "closed" and law.boundary_length > 0

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        draw_counts(left, values, law)
        right.axhline(0, color=ACCENT, label="Weyl's law")
        right.plot(counts, excess, ".-", color=INK, markersize=4, linewidth=0.9)
        right.set(xlabel="mode", ylabel="modes counted − foretold", title="Difference to the law")
        reach = max(2.5, 1.15 * float(np.abs(excess).max()))
        right.set_ylim(-reach, reach)

    mean = float(np.mean(excess[values > 0])) if (values > 0).any() else 0.0
    edge_words = (
        f", boundary length L = {number(law.boundary_length, 4)} mm ({law.boundary})"
        if has_edge
        else ", closed: no boundary term"
    )
    return svg_figure(
        draw,
        _SIZE,
        margins=(70, 24, 54, 76),
        slug="spectrum",
        title="Spectrum and Weyl's law",
        caption=(
            "Weyl's law says how many modes a surface of this size must have up to an eigenvalue, "
            "whatever its shape; shape shows in the small deviations on the right. A black line that "
            "drifts steadily away from the blue one would point to missed eigenvalues, a wrong area or a "
            f"coarse mesh. This is a plot to look at, not a test. Area A = {number(law.area, 4)} "
            f"mm²{edge_words}."
        ),
        alt=(
            f"{name}: counting function of {values.size} eigenvalues up to {number(values[-1])} per square "
            f"millimetre against Weyl's law; mean difference {mean:+.2f} modes, largest "
            f"{np.abs(excess).max():.1f}."
        ),
    )


def draw_counts(axis: Any, eigenvalues: Eigenvalues, law: WeylLaw) -> None:
    """Draw the counting function of a spectrum and Weyl's law on a Matplotlib axis."""
    values = np.clip(np.asarray(eigenvalues, dtype=float), 0, None)
    grid = np.linspace(0, values[-1] * 1.02, 400)
    steps = np.arange(len(values) + 1)
    axis.step(np.r_[0, values], steps, where="post", color=INK, label="this surface")
    if law.boundary != "closed" and law.boundary_length > 0:
        sign = "+" if _BOUNDARY_SIGN[law.boundary] > 0 else "−"
        axis.plot(grid, law.leading(grid), "--", color=SOFT, label="Weyl: area alone, Aλ/4π")
        axis.plot(grid, law.count(grid), color=ACCENT, label=f"Weyl: Aλ/4π {sign} L√λ/4π")
    else:
        axis.plot(grid, law.leading(grid), color=ACCENT, label="Weyl: Aλ/4π (no boundary)")
    axis.set(xlabel="eigenvalue λ (mm⁻²)", ylabel="number of modes up to λ")
    axis.set_title("Modes counted", y=1.15)  # above the wavelengths
    axis.set_xlim(0, grid[-1])
    axis.set_ylim(0, None)
    axis.legend(loc="lower right")
    axis.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
    _add_wavelengths(axis, values)


def plot_resolution(decomposition: SpectralDecomposition, *, name: str = "") -> Figure:
    """Plot the discretisation error of each eigenvalue and the mesh edges per wavelength.

    Parameters
    ----------
    decomposition : SpectralDecomposition
        With ``discretization_error`` or ``edges_per_wavelength`` in its metadata.
    name : str
        The surface, for the text.

    Returns
    -------
    Figure

    Raises
    ------
    ArrayError
        If the metadata hold neither.
    """
    k = len(decomposition.eigenvalues)
    error = _per_mode(decomposition, "discretization_error", k)
    edges = _per_mode(decomposition, "edges_per_wavelength", k)
    if error is None and edges is None:
        raise ArrayError(
            "metadata: expected discretization_error or edges_per_wavelength, found neither; "
            "the file was not written by spectralbrain.decompose"
        )
    modes = np.arange(1, k + 1)
    panels = [panel for panel in (error, edges) if panel is not None]

    def draw(figure: Any) -> None:
        axes = iter(np.atleast_1d(figure.subplots(1, len(panels))))
        if error is not None:
            axis = next(axes)
            shown = np.isfinite(error) & (error > 0) & (modes > decomposition.n_null_modes)
            axis.semilogy(modes[shown], 100 * error[shown], color=INK)
            lowest, highest = error[shown].min(initial=GOOD_ERROR), error[shown].max(initial=0.08)
            axis.set_ylim(70 * lowest, 150 * highest)
            axis.axhline(100 * GOOD_ERROR, color=ACCENT, linestyle="--")
            axis.axhline(100 * POOR_ERROR, color=WARN, linestyle="--")
            axis.text(1, 100 * GOOD_ERROR, "1 %: flagged above", color=ACCENT, va="bottom")
            axis.text(1, 100 * POOR_ERROR, "5 %: read with care above", color=WARN, va="bottom")
            axis.set(
                xlabel="mode", ylabel="estimated error of λ (%)", title="Error from the mesh's resolution"
            )
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.minorticks_off()
        if edges is not None:
            axis = next(axes)
            shown = np.isfinite(edges) & (modes > decomposition.n_null_modes)
            axis.semilogy(modes[shown], edges[shown], color=INK)
            axis.axhline(GOOD_EDGES, color=WARN, linestyle="--")
            axis.text(1, GOOD_EDGES, "6: too coarse below", color=WARN, va="bottom")
            axis.set(
                xlabel="mode", ylabel="mesh edges per wavelength", title="How finely the mesh samples a mode"
            )
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.minorticks_off()

    return svg_figure(
        draw,
        _SIZE,
        margins=(70, 24, 54, 40),
        slug="resolution",
        title="Is the mesh fine enough?",
        caption=(
            "A mode is trustworthy while its wavelength is long against the triangles' edges. Left: "
            "estimated relative error of each eigenvalue that comes from the mesh alone (not from the "
            "solver). Right: edges per wavelength. Modes beyond the red line describe the mesh as much as "
            "the brain."
        ),
        alt=f"{name}: " + _resolution_words(error, edges),
    )


def _resolution_words(error: FloatArray | None, edges: FloatArray | None) -> str:
    words = []
    if error is not None and np.isfinite(error).any():
        words.append(f"estimated discretisation error at most {100 * np.nanmax(error):.2g} per cent")
    if edges is not None and np.isfinite(edges).any():
        words.append(f"at least {np.nanmin(edges[np.isfinite(edges)]):.1f} mesh edges per wavelength")
    return "; ".join(words) + "."


def _per_mode(decomposition: SpectralDecomposition, key: str, k: int) -> FloatArray | None:
    value = decomposition.metadata.get(key)
    if value is None:
        return None
    array = np.asarray(value, dtype=float).ravel()
    if array.size != k:
        raise ArrayError(f"{key}: expected one value for each of {k} modes, found {array.size}")
    return array if np.isfinite(array).any() else None


def _add_wavelengths(axis: Any, values: FloatArray) -> None:
    top = axis.twiny()
    top.grid(False)
    top.spines["top"].set_visible(True)
    top.set_xlim(axis.get_xlim())
    shortest = 2 * np.pi / np.sqrt(values[-1])
    nice = [step * 10.0**power for power in range(-3, 5) for step in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    chosen: list[float] = []
    for wavelength in nice:  # from the right edge of the axis leftwards, keeping the labels apart
        position = (2 * np.pi / wavelength) ** 2
        if wavelength < shortest:
            continue
        if chosen and (2 * np.pi / chosen[-1]) ** 2 - position < 0.12 * values[-1]:
            continue
        chosen.append(wavelength)
    top.set_xticks([(2 * np.pi / w) ** 2 for w in chosen], labels=[f"{w:g}" for w in chosen])
    top.set_xlabel("wavelength 2π/√λ (mm)", color=SOFT, fontsize=10)
