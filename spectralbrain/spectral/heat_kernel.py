"""Heat kernel signatures: how much heat stays where it was put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import (
    also_accepts,
    check_choice,
    check_count,
    check_modes,
    check_number,
    check_positive,
)
from spectralbrain.spectral._blocks import drop_negligible, map_rows, sum_of_squares
from spectralbrain.spectral.grids import TimeUnit, resolve_times
from spectralbrain.spectral.measures import area_norm

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

MAX_LOG2 = 500  # of the times of the SI-HKS: far beyond it float64 overflows
SI_HKS_REFERENCE_AREA = 1e5  # mm^2, about one human hemisphere: there 'area' and 'raw' coincide


@also_accepts(t_values="times", normalize="normalization")
def compute_hks(
    decomposition: SpectralDecomposition,
    times: Any = None,
    *,
    n_times: int = 100,
    time: TimeUnit | None = None,
    normalization: Literal["none", "area", "trace", "l2"] = "none",
    n_threads: int | None = None,
) -> FloatArray:
    """Compute the heat kernel signature h(x, t) = sum_i exp(-lambda_i t) phi_i(x)^2.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    times : (T,) array, optional
        Diffusion times, in mm^2 (see `time`). If omitted, :func:`~spectralbrain.hks_times`: a
        logarithmic grid fixed in t / A.
    n_times : int
        Length of the default grid.
    time : {'raw', 'area'}, optional
        Unit of `times`: 'raw' is mm^2 (the default for given times), 'area' multiples of the surface
        area. Without `times`, 'area' is the default grid and 'raw' Sun's range of this very spectrum,
        4 ln 10 / lambda_k to 4 ln 10 / lambda_1.
    normalization : {'none', 'area', 'trace', 'l2'}
        'none': as published. 'area': times A; at fixed t / A the result does not change with size.
        'trace': divided by the heat trace sum_i exp(-lambda_i t), so that each scale integrates to 1
        (Sun's weighting of scales). 'l2': each scale has unit L2 norm over the surface.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N, T) array, mm^-2 ('none', 'trace'), 1 ('area') or mm^-1 ('l2')
        NaN outside the domain. Memory: the result and a few megabytes.

    Raises
    ------
    ArrayError
        If the times are not positive, or an option is unknown.

    References
    ----------
    Sun, Ovsjanikov & Guibas (2009), Computer Graphics Forum 28(5), 1383-1392,
    doi:10.1111/j.1467-8659.2009.01515.x: the
    signature h(x, t) = k_t(x, x), the diagonal of the heat kernel
    k_t(x, y) = sum_i exp(-lambda_i t) phi_i(x) phi_i(y); sampling and weighting of scales.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs of eigenvectors and to rotations inside
    an eigenspace. Scaling by s multiplies h(x, s^2 t) by s^-2. All modes are summed, null modes included.
    Programs that leave the constant mode out, as Sun's does, give values lower by 1 / A; its scaled variant
    is (h - 1 / A) / (Z - 1) with the heat trace Z, where 'trace' is h / Z. Its range of times is that of
    ``time='raw'``, in 101 values.
    SpectralBrain 0.1.0 agrees for given times (its name `t_values` is accepted). Its default grid comes
    from each shape's own spectrum (ours: ``time='raw'``), and its ``normalize=True`` divides by a
    norm over vertices, which depends on the mesh; 'l2' is the norm over the surface.

    Examples
    --------
    Summed with the vertex areas, the signature gives the heat trace (exactly with lumped mass, to the
    accuracy of the mesh with consistent mass):

    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(3).decompose(k=16, mass="lumped")
    >>> hks = compute_hks(decomposition, [0.5])
    >>> trace = np.exp(-0.5 * decomposition.eigenvalues).sum()
    >>> bool(np.isclose((decomposition.mass @ hks).sum(), trace))
    True
    """
    check_modes(decomposition)
    scheme = ("l2" if normalization else "none") if isinstance(normalization, bool) else normalization
    check_choice(scheme, ("none", "area", "trace", "l2"), "normalization")
    grid = resolve_times(decomposition, times, n_times=n_times, time=time)
    weights = np.exp(-np.outer(decomposition.eigenvalues, grid))
    if scheme == "area":
        weights *= decomposition.surface_area
    elif scheme == "trace":
        weights /= weights.sum(axis=0)
    hks = sum_of_squares(decomposition.eigenvectors, weights, n_threads)
    if scheme == "l2":
        for column in range(hks.shape[1]):  # one at a time: no second copy of the result
            hks[:, column] /= area_norm(decomposition, hks[:, column])
    return hks


def compute_si_hks(
    decomposition: SpectralDecomposition,
    *,
    time: TimeUnit = "area",
    n_frequencies: int = 6,
    alpha: float = 2.0,
    tau_min: float = 1.0,
    tau_max: float = 25.0,
    tau_step: float = 1 / 16,
    n_threads: int | None = None,
) -> FloatArray:
    """Compute the scale-invariant heat kernel signature.

    At t = alpha^tau, scaling a shape shifts log h along tau and adds a constant. The derivative
    d log h / d tau removes the constant, the modulus of the Fourier transform over tau removes the shift.
    The derivative is analytic:
    d log h / d tau = -t ln(alpha) sum_i lambda_i exp(-lambda_i t) phi_i^2 / sum_i exp(-lambda_i t) phi_i^2.
    With its T samples s_j, the result is ``|sum_j s_j exp(-2 pi i f j / T)|`` for f = 0, 1, ...

    Parameters
    ----------
    decomposition : SpectralDecomposition
        Closed or Neumann: without a null mode h vanishes exponentially and its logarithm has no limit.
    time : {'area', 'raw'}
        'raw': t in mm^2, as published. The window of tau is finite, so a shift moves part of the signal
        out of it, and the descriptor drifts with scale: fsaverage5 with 100 modes by 0.4 % at ten times
        the size and 17 % at a hundred times, a hippocampal sheet by 25 % at ten times. 'area': the same
        with t measured in units of A / (100,000 mm^2), exactly scale-free; both agree for a surface of
        100,000 mm^2, about one human hemisphere.
    n_frequencies : int
        Lowest frequencies kept, the zeroth included.
    alpha, tau_min, tau_max, tau_step : float
        The published grid: alpha = 2, tau from 1 to 25 by 1/16, both ends included.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N, n_frequencies) array, dimensionless
        NaN outside the domain.

    Raises
    ------
    ArrayError
        If the spectrum has no null mode (Dirichlet boundary), or an option is out of range.

    References
    ----------
    Bronstein & Kokkinos (2010), CVPR, 1704-1711, doi:10.1109/CVPR.2010.5539838: the chain of logarithm,
    derivative in tau and modulus of the Fourier transform; grid and number of frequencies as in its
    experiments. Bronstein's own program, sihks, has the same closed form of the derivative, leading minus
    included. The demonstration that comes with it takes another grid (tau from 1 to 20 by 0.2, frequencies 1
    to 19, without the zeroth); give `tau_max`, `tau_step` and `n_frequencies` to compare.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs of eigenvectors and to rotations inside an
    eigenspace; with 'area' also to scaling.
    SpectralBrain 0.1.0 differs: it samples 256 times between bounds taken from each shape's spectrum,
    differences log h along them numerically, and skips the zeroth frequency.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> small, large = (compute_si_hks(sphere(3, radius=r).decompose(k=9)) for r in (1.0, 1000.0))
    >>> bool(np.allclose(small, large))
    True
    """
    check_modes(decomposition)
    check_choice(time, ("area", "raw"), "time")
    if not decomposition.n_null_modes:
        raise ArrayError(
            "decomposition: SI-HKS needs the null modes of a closed or Neumann surface, "
            "found a Dirichlet spectrum"
        )
    taus = si_hks_taus(tau_min, tau_max, tau_step)
    if check_positive(alpha, "alpha") <= 1:
        raise ArrayError(f"alpha: expected more than 1, found {alpha!r}")
    width = check_count(n_frequencies, "n_frequencies")
    if width > len(taus) // 2 + 1:
        raise ArrayError(f"n_frequencies: expected at most {len(taus) // 2 + 1}, found {width}")
    unit = decomposition.surface_area / SI_HKS_REFERENCE_AREA if time == "area" else 1.0
    if max(abs(taus[0]), taus[-1]) * np.log2(alpha) > MAX_LOG2:
        raise ArrayError(
            f"tau_max: expected times alpha^tau below 2^{MAX_LOG2}, found {alpha} ^ {taus[-1]:g}"
        )
    exponents = np.outer(decomposition.eigenvalues, unit * float(alpha) ** taus)
    heat = drop_negligible(np.exp(-exponents))
    loss = np.log(alpha) * exponents * heat

    def signature(block: FloatArray) -> FloatArray:
        squares = np.square(block)
        slopes = -(squares @ loss) / (squares @ heat)
        return np.abs(np.fft.rfft(slopes, axis=1)[:, :width])

    scratch = heat.shape[0] + 4 * len(taus)
    return map_rows(signature, decomposition.eigenvectors, width, scratch=scratch, n_threads=n_threads)


def si_hks_taus(tau_min: float = 1.0, tau_max: float = 25.0, tau_step: float = 1 / 16) -> FloatArray:
    """Return the logarithmic times of the SI-HKS, both ends included.

    Parameters
    ----------
    tau_min, tau_max, tau_step : float

    Returns
    -------
    (T,) array, dimensionless
        tau; the diffusion times are alpha^tau.

    Raises
    ------
    ArrayError
        If the step is not positive, or there are fewer than two times.

    Examples
    --------
    >>> len(si_hks_taus())
    385
    """
    step = check_positive(tau_step, "tau_step")
    span = check_number(tau_max, "tau_max") - check_number(tau_min, "tau_min")
    count = np.floor(span / step * (1 + 1e-12)) + 1
    if not count >= 2:
        raise ArrayError(f"tau_max: expected at least tau_min + tau_step, found {tau_max!r}")
    taus: FloatArray = np.float64(tau_min) + step * np.arange(int(count), dtype=np.float64)
    return taus
