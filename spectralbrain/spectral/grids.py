"""Grids of diffusion times and wave energies.

Two people's descriptors are comparable only on one grid. The default grids are therefore fixed in
t / A and lambda A, by the number of modes alone: they do not depend on who else is in the study.
Weyl's law, lambda_n A -> 4 pi n on any surface (Weyl 1911), stands in for the spectrum. A grid made
from a cohort (``shared_...``) is a file that enters each participant's run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_choice, check_count, check_grid, check_positive
from spectralbrain.spectral.spectrum import SpectrumLike, non_null_eigenvalues

TimeUnit = Literal["raw", "area"]

SUN_RANGE = 4 * np.log(
    10
)  # Sun et al. (2009), sampling of t: exp(-lambda t) falls to 1e-4 at t = 4 ln 10 / lambda
SIGMA_STEPS = 7  # Aubry et al. (2011): sigma is seven steps of the energy grid


def weyl_eigenvalue(n: int) -> float:
    """Return Weyl's estimate of lambda_n A, the n-th non-null eigenvalue times the area: 4 pi n."""
    return 4 * np.pi * n


def hks_times(n_times: int = 100, *, k: int = 100, area: float | None = None) -> FloatArray:
    """Return the default diffusion times: a fixed logarithmic grid in t / A.

    Sun et al. (2009) sample from 4 ln 10 / lambda_k to 4 ln 10 / lambda_1 of one shape. Here the two
    eigenvalues are Weyl's, lambda_k = 4 pi (k - 1) / A and lambda_1 = 4 pi / A, so that all surfaces share
    the grid t_j = t_1 (t_T / t_1)^((j - 1) / (T - 1)).

    Parameters
    ----------
    n_times : int
        Number of times T.
    k : int
        Number of modes, null mode included, that the descriptor will sum; at least 3.
    area : float, optional, mm^2
        Return diffusion times of a surface of this area instead of t / A.

    Returns
    -------
    (T,) array, t / A (dimensionless), or mm^2 if `area` is given
        Ascending.

    Raises
    ------
    ArrayError
        If an argument is out of range.

    References
    ----------
    Sun, Ovsjanikov & Guibas (2009), Computer Graphics Forum 28(5), 1383-1392,
    doi:10.1111/j.1467-8659.2009.01515.x.

    Notes
    -----
    Invariant to surface and cohort: in t / A nothing but `n_times` and `k` enters.

    Examples
    --------
    >>> hks_times(3, k=101).round(5)
    array([0.00733, 0.07329, 0.73294])
    """
    modes = check_count(k, "k", least=3) - 1
    low, high = SUN_RANGE / weyl_eigenvalue(modes), SUN_RANGE / weyl_eigenvalue(1)
    grid = np.geomspace(low, high, check_count(n_times, "n_times"))
    return grid if area is None else grid * check_positive(area, "area")


def shared_hks_times(
    spectra: SpectrumLike | Sequence[SpectrumLike], n_times: int = 100, *, time: TimeUnit = "raw"
) -> FloatArray:
    """Return the diffusion times that a cohort spans: Sun's range over all its spectra.

    From t_1 = 4 ln 10 / max lambda_k to t_T = 4 ln 10 / min lambda_1, in logarithmic steps.

    Parameters
    ----------
    spectra : spectrum or sequence of them
    n_times : int
        Number of times T.
    time : {'raw', 'area'}
        'raw': range of 4 ln 10 / lambda in mm^2; 'area': range of the same in t / A.

    Returns
    -------
    (T,) array, mm^2 or dimensionless

    Raises
    ------
    ArrayError
        If there is no spectrum, or one without a non-null eigenvalue.

    References
    ----------
    Sun, Ovsjanikov & Guibas (2009), Computer Graphics Forum 28(5), 1383-1392,
    doi:10.1111/j.1467-8659.2009.01515.x.

    Notes
    -----
    Invariant to the order of the spectra; with 'area' also to the scale of each surface.
    SpectralBrain 0.1.0 agrees for times between 1e-6 and 1e6 mm^2, to which it cuts the range.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> facts = {"n_null_modes": 1, "surface_area": 12.6}
    >>> spectra = [Spectrum([0.0, 1.0, 4.0], facts), Spectrum([0.0, 2.0, 8.0], facts)]
    >>> (shared_hks_times(spectra, 2) / (4 * np.log(10))).round(6)  # 1 / largest, 1 / smallest
    array([0.125, 1.   ])
    """
    check_choice(time, ("raw", "area"), "time")
    first, last = _range(spectra, scaled=time == "area")
    return np.geomspace(SUN_RANGE / last, SUN_RANGE / first, check_count(n_times, "n_times"))


def resolve_times(
    spectrum: SpectrumLike, times: Any = None, *, n_times: int = 100, time: TimeUnit | None = None
) -> FloatArray:
    """Return the diffusion times, in mm^2, that a descriptor of this spectrum is evaluated at.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    times : (T,) array, optional
        In mm^2 (`time` 'raw', the default for given times) or multiples of the area ('area').
        If omitted: :func:`hks_times` in t / A; with ``time='raw'``, Sun's range of this spectrum.
    n_times : int
        Length of the default grid.
    time : {'raw', 'area'}, optional

    Returns
    -------
    (T,) array, mm^2

    Raises
    ------
    ArrayError
        If times are not positive and finite.
    """
    check_choice(time, (None, "raw", "area"), "time")
    if times is None:
        if time == "raw":
            return shared_hks_times(spectrum, n_times)
        return hks_times(n_times, k=len(spectrum.eigenvalues), area=spectrum.surface_area)
    grid = check_grid(times, "times", positive=True)
    return grid * spectrum.surface_area if time == "area" else grid


def wks_energies(
    n_energies: int = 100, *, k: int = 100, area: float | None = None
) -> tuple[FloatArray, float]:
    """Return energies and bandwidth fixed in log(lambda A), by the number of modes alone.

    The construction of Aubry et al. (2011) on Weyl's eigenvalues lambda_1 A = 4 pi and
    lambda_k A = 4 pi (k - 1): e_j = log(lambda_1 A) + 2 sigma + (j - 1) delta, sigma = 7 delta,
    delta = log(lambda_k / lambda_1) / (M + 27).

    Parameters
    ----------
    n_energies : int
        Number of energies M.
    k : int
        Number of modes, null mode included; at least 3.
    area : float, optional, mm^2
        Return energies log lambda of a surface of this area instead of log(lambda A).

    Returns
    -------
    energies : (M,) array
        log(lambda A), or log(lambda / mm^-2) if `area` is given.
    sigma : float
        Bandwidth, in the same logarithmic unit.

    Raises
    ------
    ArrayError
        If an argument is out of range.

    References
    ----------
    Aubry, Schlickewei & Cremers (2011), ICCV Workshops, 1626-1633, doi:10.1109/ICCVW.2011.6130444.

    Notes
    -----
    Invariant to surface and cohort: in log(lambda A) nothing but `n_energies` and `k` enters.

    Examples
    --------
    >>> energies, sigma = wks_energies(100, k=300)
    >>> bool(np.isclose(sigma, 7 * (energies[1] - energies[0])))
    True
    """
    modes = check_count(k, "k", least=3) - 1
    energies, sigma = aubry_energies(weyl_eigenvalue(1), weyl_eigenvalue(modes), n_energies)
    return (energies if area is None else energies - np.log(check_positive(area, "area"))), sigma


def shared_wks_energies(
    spectra: SpectrumLike | Sequence[SpectrumLike], n_energies: int = 100, *, energy: TimeUnit = "raw"
) -> tuple[FloatArray, float]:
    """Return the energies and the bandwidth that a cohort spans.

    e_j = log lambda_1 + 2 sigma + (j - 1) delta with sigma = 7 delta and
    delta = log(lambda_k / lambda_1) / (M + 27), where lambda_1 is the cohort's smallest first and lambda_k
    its largest last non-null eigenvalue.

    Parameters
    ----------
    spectra : spectrum or sequence of them
    n_energies : int
        Number of energies M.
    energy : {'raw', 'area'}
        'raw': log lambda; 'area': log(lambda A).

    Returns
    -------
    energies : (M,) array, log(lambda / mm^-2) or log(lambda A)
    sigma : float
        In the same logarithmic unit.

    Raises
    ------
    ArrayError
        If there is no spectrum, or no two different non-null eigenvalues.

    References
    ----------
    Aubry, Schlickewei & Cremers (2011), ICCV Workshops, 1626-1633, doi:10.1109/ICCVW.2011.6130444.

    Notes
    -----
    Invariant to the order of the spectra; with 'area' also to the scale of each surface.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> facts = {"n_null_modes": 1, "surface_area": 12.6}
    >>> spectra = [Spectrum([0.0, 1.0, 4.0], facts), Spectrum([0.0, 2.0, 8.0], facts)]
    >>> energies, sigma = shared_wks_energies(spectra, 3)
    >>> energies.shape
    (3,)
    """
    check_choice(energy, ("raw", "area"), "energy")
    return aubry_energies(*_range(spectra, scaled=energy == "area"), n_energies)


def aubry_energies(first: float, last: float, n_energies: int) -> tuple[FloatArray, float]:
    """Return M energies from log(first) + 2 sigma to log(last) - 2 sigma, with sigma = 7 steps.

    The two conditions give the step log(last / first) / (M + 27): the grid has no special case for
    small M (sigma = 7 log(last / first) / M, as often coded, turns the interval around below M = 28).

    References
    ----------
    Aubry, Schlickewei & Cremers (2011), ICCV Workshops, 1626-1633, doi:10.1109/ICCVW.2011.6130444.
    """
    count = check_count(n_energies, "n_energies")
    if not last > first:
        raise ArrayError("eigenvalues: expected two different non-null eigenvalues for an energy grid")
    step = np.log(last / first) / (count - 1 + 4 * SIGMA_STEPS)
    sigma = SIGMA_STEPS * step
    return np.log(first) + 2 * sigma + step * np.arange(count), float(sigma)


def resolve_energies(
    spectrum: SpectrumLike,
    energies: Any = None,
    *,
    n_energies: int = 100,
    sigma: float | None = None,
    energy: TimeUnit | None = None,
) -> tuple[FloatArray, float]:
    """Return the energies log(lambda / mm^-2) and the bandwidth that a WKS is evaluated with.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    energies : (M,) array, optional
        log lambda (`energy` 'raw', the default) or log(lambda A) ('area'). If omitted, the
        published grid on this spectrum ('raw', default), or :func:`wks_energies` ('area').
    n_energies : int
        Length of the default grid.
    sigma : float, optional
        Bandwidth. If omitted, seven steps of the grid.
    energy : {'raw', 'area'}, optional

    Returns
    -------
    energies : (M,) array
    sigma : float

    Raises
    ------
    ArrayError
        If energies are not finite, sigma is not positive, or the grid is empty.
    """
    check_choice(energy, (None, "raw", "area"), "energy")
    given = None if sigma is None else check_positive(sigma, "sigma")
    if energies is not None:
        grid = check_grid(energies, "energies", positive=False)
        if given is None:
            if len(grid) < 2 or grid[-1] == grid[0]:
                raise ArrayError("sigma: expected a bandwidth, because the energies define no step")
            given = float(SIGMA_STEPS * abs(grid[-1] - grid[0]) / (len(grid) - 1))
        return (grid - np.log(spectrum.surface_area) if energy == "area" else grid), given
    if energy == "area":
        grid, auto = wks_energies(n_energies, k=len(spectrum.eigenvalues), area=spectrum.surface_area)
        return grid, given or auto
    first, last = _range(spectrum, scaled=False)
    if given is None:
        return aubry_energies(first, last, n_energies)
    low, high = np.log(first) + 2 * given, np.log(last) - 2 * given
    if high < low:
        raise ArrayError(
            f"sigma: expected at most a quarter of log(lambda_k / lambda_1) = {np.log(last / first):.4g}, "
            f"found {given:.4g}"
        )
    return np.linspace(low, high, check_count(n_energies, "n_energies")), given


def _range(spectra: SpectrumLike | Sequence[SpectrumLike], *, scaled: bool) -> tuple[float, float]:
    """Smallest first and largest last non-null eigenvalue, times the area if `scaled`."""
    members = list(spectra) if isinstance(spectra, Sequence) else [spectra]
    if not members:
        raise ArrayError("spectra: expected at least one, found none")
    ends = np.array([non_null_eigenvalues(s)[[0, -1]] * (s.surface_area if scaled else 1) for s in members])
    return float(ends[:, 0].min()), float(ends[:, 1].max())
