"""(a) Surfaces whose spectrum is known in closed form, and rates under refinement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from page import Page, figure, mark
from scipy.optimize import brentq
from scipy.special import jn_zeros, jnp_zeros, jv, jvp, yv, yvp

import spectralbrain as sb
from spectralbrain.geometry import solids

MODES = 20
ORDERS = 25  # angular orders of the disk and annulus; enough for the first 20 modes


def sphere_spectrum() -> np.ndarray:
    degree = np.repeat(np.arange(9), 2 * np.arange(9) + 1)
    return degree * (degree + 1.0)


def rectangle_spectrum(a: float, b: float, boundary: str) -> np.ndarray:
    start = 1 if boundary == "dirichlet" else 0
    m, n = np.meshgrid(np.arange(start, 40), np.arange(start, 40))
    return np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())


def disk_spectrum(boundary: str) -> np.ndarray:
    zeros = jn_zeros if boundary == "dirichlet" else jnp_zeros
    roots = [np.repeat(zeros(m, 8), 1 if m == 0 else 2) for m in range(ORDERS)]
    null = [] if boundary == "dirichlet" else [0.0]
    return np.sort(np.concatenate([null, *roots])) ** 2


def annulus_spectrum(inner: float, outer: float, boundary: str) -> np.ndarray:
    """Roots of J_m(inner x) Y_m(outer x) - J_m(outer x) Y_m(inner x), or of the same in derivatives."""
    j, y = (jv, yv) if boundary == "dirichlet" else (jvp, yvp)
    roots = [] if boundary == "dirichlet" else [0.0]
    grid = np.linspace(0.05, 25, 1500)
    for m in range(ORDERS):

        def cross(x: Any, m: int = m) -> Any:
            return j(m, inner * x) * y(m, outer * x) - j(m, outer * x) * y(m, inner * x)

        values = cross(grid)
        for i in np.flatnonzero(values[:-1] * values[1:] < 0):
            roots += [brentq(cross, grid[i], grid[i + 1], xtol=1e-14)] * (1 if m == 0 else 2)
    return np.sort(roots) ** 2


def cases() -> dict[str, tuple[Callable[[int], sb.BrainMesh], np.ndarray, str]]:
    shapes: dict[str, tuple[Callable[[int], sb.BrainMesh], np.ndarray, str]] = {
        "sphere": (lambda level: solids.sphere(level + 2), sphere_spectrum(), "neumann")
    }
    for boundary in ("neumann", "dirichlet"):
        shapes[f"rectangle, {boundary}"] = (
            lambda level: solids.rectangle(15 * 2**level, 10 * 2**level, 1.5, 1.0),
            rectangle_spectrum(1.5, 1.0, boundary),
            boundary,
        )
        shapes[f"disk, {boundary}"] = (
            lambda level: solids.disk(10 * 2**level),
            disk_spectrum(boundary),
            boundary,
        )
        shapes[f"annulus, {boundary}"] = (
            lambda level: solids.annulus(6 * 2**level, 0.5, 1.0),
            annulus_spectrum(0.5, 1.0, boundary),
            boundary,
        )
    return shapes


def convergence(page: Page) -> None:
    page.section(
        "(a) Known spectra",
        f"""Largest relative error among the first {MODES} non-null eigenvalues while the edge length halves.
Rate: the exponent of the edge length between the two finest meshes. Linear elements converge with rate 2,
quadratic ones with rate 4 on rectangles; flat triangles cap curved domains at 2.""",
    )
    kinds = [("cotangent", "consistent"), ("cotangent", "lumped"), ("quadratic", "consistent")]
    canvas, axes = figure(len(kinds))
    rows = []
    shapes = cases()
    for (laplacian, mass), axis in zip(kinds, axes, strict=True):
        for name, (make, exact, boundary) in shapes.items():
            errors, edges = [], []
            for level in range(3):
                mesh = make(level)
                found = mesh.decompose(k=MODES + 1, boundary=boundary, laplacian=laplacian, mass=mass)
                values = found.eigenvalues[found.n_null_modes :][:MODES]
                truth = exact[found.n_null_modes :][: len(values)]
                errors.append(float(np.abs(values / truth - 1).max()))
                edges.append(float(mesh.edge_lengths.mean()))
            rate = np.log(errors[1] / errors[2]) / np.log(edges[1] / edges[2])
            rows.append([name, f"{laplacian}, {mass}", *(f"{100 * e:.2g} %" for e in errors), f"{rate:.2f}"])
            axis.loglog(edges, errors, "o-", ms=3, lw=1, label=name)
        axis.set(
            xlabel="mean edge length", ylabel="largest relative error", title=f"{laplacian}, {mass} mass"
        )
        mark(axis.xaxis, (0.03, 0.1, 0.3))
    axes[0].legend(fontsize=6, frameon=False)
    page.table(["surface", "elements", "coarse", "medium", "fine", "rate"], rows)
    page.plot("convergence", "Error of the first 20 eigenvalues against the edge length", canvas)
