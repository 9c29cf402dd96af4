"""Spectral graph wavelets: band-pass filters g(s lambda) on the surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_choice, check_count, check_grid, check_modes
from spectralbrain.spectral._blocks import sum_of_squares
from spectralbrain.spectral.grids import TimeUnit, weyl_eigenvalue
from spectralbrain.spectral.maps import decompose_map, reconstruct_map
from spectralbrain.spectral.spectrum import SpectrumLike, non_null_eigenvalues

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

Kernel = Literal["mexican_hat", "abspline"]


def _mexican_hat(x: FloatArray) -> FloatArray:
    """x exp(-x), with its maximum at x = 1."""
    return x * np.exp(-x)


def _abspline(x: FloatArray) -> FloatArray:
    """x^2 up to 1, 4 / x^2 from 2, and the cubic between that makes value and slope continuous."""
    safe = np.maximum(x, 1.0)
    return np.where(x < 1, x**2, np.where(x > 2, 4 / safe**2, -5 + 11 * x - 6 * x**2 + x**3))


KERNELS: dict[str, Callable[[FloatArray], FloatArray]] = {"mexican_hat": _mexican_hat, "abspline": _abspline}


def resolve_scales(
    spectrum: SpectrumLike, scales: Any = None, *, n_scales: int = 5, scale: TimeUnit | None = None
) -> FloatArray:
    """Return the wavelet scales, in mm^2; see :func:`~spectralbrain.spectral.grids.resolve_times`.

    The default is logarithmic from 1 / lambda_k to 2 / lambda_1, with Weyl's eigenvalues ('area', fixed in
    s / A) or this spectrum's own ('raw').

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    scales : (T,) array, optional
        In mm^2 ('raw', the default for given scales) or multiples of the area ('area').
    n_scales : int
        Length of the default grid.
    scale : {'raw', 'area'}, optional

    Returns
    -------
    (T,) array, mm^2

    Raises
    ------
    ArrayError
        If scales are not positive and finite.
    """
    check_choice(scale, (None, "raw", "area"), "scale")
    if scales is not None:
        grid = check_grid(scales, "scales", positive=True)
        return grid * spectrum.surface_area if scale == "area" else grid
    if scale == "raw":
        first, last = non_null_eigenvalues(spectrum)[[0, -1]]
    else:
        modes = check_count(len(spectrum.eigenvalues), "k", least=3) - 1
        first, last = (weyl_eigenvalue(n) / spectrum.surface_area for n in (1, modes))
    return np.geomspace(1 / last, 2 / first, check_count(n_scales, "n_scales"))


def compute_wavelets(
    decomposition: SpectralDecomposition,
    scales: Any = None,
    *,
    n_scales: int = 5,
    kernel: Kernel = "mexican_hat",
    scale: TimeUnit | None = None,
    n_threads: int | None = None,
) -> FloatArray:
    """Compute the wavelet signature psi_(s,x)(x) = sum_i g(s lambda_i) phi_i(x)^2.

    The wavelet of scale s centred at x, evaluated at x: what the heat kernel signature is to the
    heat kernel, with a band-pass g instead of a low-pass.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    scales : (T,) array, optional
        See :func:`resolve_scales`.
    n_scales : int
        Length of the default grid.
    kernel : {'mexican_hat', 'abspline'}
        'mexican_hat': g(x) = x exp(-x). 'abspline': x^2 up to 1, 4 / x^2 from 2, between them the cubic
        -5 + 11 x - 6 x^2 + x^3.
    scale : {'raw', 'area'}, optional
        Unit of `scales`: mm^2 (default for given scales) or multiples of the area (default grid).
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N, T) array, mm^-2
        NaN outside the domain. Null modes do not contribute, g(0) = 0.

    Raises
    ------
    ArrayError
        If an argument is out of range.

    References
    ----------
    Hammond, Vandergheynst & Gribonval (2011), Applied and Computational Harmonic Analysis 30, 129-150,
    doi:10.1016/j.acha.2010.04.005: the operator g(s L), and wavelets as what it makes of one point. Both
    kernels, their constants and the range of scales are those of Hammond's own program (SGWT toolbox), whose
    scaling function, a low-pass that completes the frame, is left out here.
    Li & Ben Hamza (2013), The Visual Computer 29, 513-524, call the diagonal a spectral graph wavelet
    signature; their program also has the scaling function, and joins the signatures of 1, 2, ... scales.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace; at
    fixed s / A, scaling by r multiplies it by r^-2.
    Exact for the modes at hand, which hold all bands whose g(s lambda) vanishes beyond lambda_k; no Chebyshev
    approximation. SpectralBrain 0.1.0 (`sgw_descriptor`) returns the square by default, and its
    scales are those of each shape (ours: ``scale='raw'``).

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> compute_wavelets(sphere(2).decompose(k=9)).shape
    (162, 5)
    """
    weights = _responses(decomposition, scales, n_scales, kernel, scale)
    return sum_of_squares(decomposition.eigenvectors, weights, n_threads)


def wavelet_transform(
    decomposition: SpectralDecomposition,
    values: Any,
    scales: Any = None,
    *,
    n_scales: int = 5,
    kernel: Kernel = "mexican_hat",
    scale: TimeUnit | None = None,
) -> FloatArray:
    """Compute the wavelet coefficients W_f(s, x) = sum_i g(s lambda_i) <phi_i, f> phi_i(x) of a map.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    values : (N,) array
        The map f; values outside the domain are ignored.
    scales, n_scales, kernel, scale
        As in :func:`compute_wavelets`.

    Returns
    -------
    (N, T) array, unit of the map
        NaN outside the domain.

    Raises
    ------
    ArrayError
        If an argument is out of range, or a value inside the domain is missing.

    References
    ----------
    Hammond, Vandergheynst & Gribonval (2011), Applied and Computational Harmonic Analysis 30, 129-150,
    doi:10.1016/j.acha.2010.04.005: the operator g(s L).

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace; at
    fixed s / A also to scaling.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=16)
    >>> wavelet_transform(decomposition, decomposition.mesh.vertices[:, 2], n_scales=4).shape
    (162, 4)
    """
    weights = _responses(decomposition, scales, n_scales, kernel, scale)
    if np.ndim(values) != 1:
        raise ArrayError(f"values: expected shape (N,), found {np.shape(values)}")
    coefficients = decompose_map(decomposition, values)
    return reconstruct_map(decomposition, weights * coefficients[:, None])


def _responses(
    decomposition: SpectralDecomposition, scales: Any, n_scales: int, kernel: Kernel, scale: TimeUnit | None
) -> FloatArray:
    check_modes(decomposition)
    check_choice(kernel, tuple(KERNELS), "kernel")
    grid = resolve_scales(decomposition, scales, n_scales=n_scales, scale=scale)
    responses = KERNELS[kernel](np.outer(decomposition.eigenvalues, grid))
    responses[: decomposition.n_null_modes] = 0.0
    return responses
