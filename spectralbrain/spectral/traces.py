"""Heat and wave traces: the whole spectrum as one curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_choice, check_count, check_grid, check_spectrum
from spectralbrain.spectral.grids import TimeUnit, resolve_times
from spectralbrain.spectral.spectrum import SpectrumLike

WAVE_SPAN = 4.0  # times sqrt(A); the equator of a sphere, its shortest closed geodesic, is 1.77 sqrt(A) long


def heat_trace(
    spectrum: SpectrumLike, times: Any = None, *, n_times: int = 100, time: TimeUnit | None = None
) -> FloatArray:
    """Compute Z(t) = sum_i exp(-lambda_i t), null modes included.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    times, n_times, time
        As in :func:`~spectralbrain.compute_hks`.

    Returns
    -------
    (T,) array, dimensionless
        For t well above 1 / lambda_k, and small against the surface's features, near
        A / (4 pi t) +- L / (8 sqrt(pi t)) + chi / 6 with boundary length L (+ Neumann, - Dirichlet) and Euler
        characteristic chi.

    Raises
    ------
    ArrayError
        If the times are not positive.

    References
    ----------
    McKean & Singer (1967), Journal of Differential Geometry 1, 43-69, doi:10.4310/jdg/1214427880, for the
    expansion.
    Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366, doi:10.1016/j.cad.2005.10.011, for
    area, boundary length and Euler characteristic from it.

    Notes
    -----
    Invariant to rigid motion, the order of vertices and the choice of eigenvectors; at fixed t / A to
    scaling.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> heat_trace(Spectrum([0.0, 1.0], {"n_null_modes": 1, "surface_area": 1.0}), [1.0]).round(4)
    array([1.3679])
    """
    check_spectrum(spectrum, "spectrum")
    grid = resolve_times(spectrum, times, n_times=n_times, time=time)
    trace: FloatArray = np.exp(-np.outer(grid, spectrum.eigenvalues)).sum(axis=1)
    return trace


def wave_trace(
    spectrum: SpectrumLike, times: Any = None, *, n_times: int = 100, time: TimeUnit | None = None
) -> FloatArray:
    """Compute w(t) = sum_i cos(sqrt(lambda_i) t), null modes included.

    The trace of the wave equation's cosine propagator at unit speed, so that t is a length; with more
    modes it concentrates at the lengths of closed geodesics.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    times : (T,) array, optional
        Lengths in mm ('raw', the default for given times) or in units of sqrt(A) ('area'). If omitted, from 0
        to 4 sqrt(A).
    n_times : int
        Length of the default grid.
    time : {'raw', 'area'}, optional

    Returns
    -------
    (T,) array, dimensionless

    Raises
    ------
    ArrayError
        If the times are not finite.

    References
    ----------
    Duistermaat & Guillemin (1975), Inventiones Mathematicae 29, 39-79, doi:10.1007/BF01405172.

    Notes
    -----
    Invariant to rigid motion, the order of vertices and the choice of eigenvectors; at fixed t / sqrt(A) to
    scaling.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> wave_trace(Spectrum([0.0, 1.0], {"n_null_modes": 1, "surface_area": 1.0}), [0.0, np.pi])
    array([2., 0.])
    """
    check_spectrum(spectrum, "spectrum")
    check_choice(time, (None, "raw", "area"), "time")
    unit = np.sqrt(spectrum.surface_area)
    if times is None:
        grid = np.linspace(0, WAVE_SPAN, check_count(n_times, "n_times")) * unit
    else:
        grid = check_grid(times, "times", positive=False) * (unit if time == "area" else 1.0)
    frequencies = np.sqrt(np.maximum(spectrum.eigenvalues, 0.0))  # a null mode is 0 up to rounding
    trace: FloatArray = np.cos(np.outer(grid, frequencies)).sum(axis=1)
    return trace
