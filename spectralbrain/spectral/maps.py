"""Maps on modes: a scalar map as a sum of eigenmodes, filtered and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import DescriptorMatrix, FloatArray, GlobalDescriptor, IntArray, as_array
from spectralbrain.spectral._arguments import check_modes, check_positive, check_spectrum
from spectralbrain.spectral.measures import area_norm, check_map
from spectralbrain.spectral.spectrum import SpectrumLike

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))


def mode_wavelengths(spectrum: SpectrumLike) -> FloatArray:
    """Return the wavelength w = 2 pi / sqrt(lambda) of each mode.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum

    Returns
    -------
    (k,) array, mm
        Infinite for null modes.

    Raises
    ------
    ArrayError
        If what is given is no spectrum.

    Notes
    -----
    Invariant to rigid motion, the order of vertices and the choice of eigenvectors; scaling by s multiplies
    it by s.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> mode_wavelengths(Spectrum([0.0, 1.0], {"n_null_modes": 1, "surface_area": 1.0})).round(3)
    array([  inf, 6.283])
    """
    check_spectrum(spectrum, "spectrum")
    lengths = np.full(len(spectrum.eigenvalues), np.inf)
    nulls = spectrum.n_null_modes
    lengths[nulls:] = 2 * np.pi / np.sqrt(spectrum.eigenvalues[nulls:])
    return lengths


def decompose_map(decomposition: SpectralDecomposition, values: Any) -> FloatArray:
    """Return the coefficients c = Phi' M f of a map on the modes.

    With them, sum_i c_i phi_i is the map's best approximation in the area-weighted least-squares sense.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    values : (N,) or (N, M) array
        One map or several; values outside the domain are ignored.

    Returns
    -------
    (k,) or (k, M) array, unit of the map times mm

    Raises
    ------
    ArrayError
        If the shape does not fit, or a value inside the domain is missing.

    Notes
    -----
    The modes are orthonormal with respect to the mass matrix, not the identity: a plain dot product with
    the map would be wrong wherever vertices are spaced unevenly.
    Invariant to rigid motion and to the order of vertices; with modes Phi Q the coefficients are Q' c.
    Scaling by s multiplies them by s.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=9)
    >>> decompose_map(decomposition, 3 * decomposition.eigenvectors[:, 4]).round(9) + 0.0
    array([0., 0., 0., 0., 3., 0., 0., 0., 0.])
    """
    array = check_map(decomposition, values)
    inside = np.where(decomposition.domain.reshape(-1, *[1] * (array.ndim - 1)), array, 0.0)
    weighted = decomposition.mass @ inside
    domain = decomposition.domain
    if domain.all():
        coefficients: FloatArray = decomposition.eigenvectors.T @ weighted
    else:
        coefficients = decomposition.eigenvectors[domain].T @ weighted[domain]
    return coefficients


def reconstruct_map(decomposition: SpectralDecomposition, coefficients: Any) -> FloatArray:
    """Return the map f(x) = sum_i c_i phi_i(x).

    Parameters
    ----------
    decomposition : SpectralDecomposition
    coefficients : (q,) or (q, M) array, unit of the map times mm
        Of the first q modes, q at most k.

    Returns
    -------
    (N,) or (N, M) array, unit of the map
        NaN outside the domain.

    Raises
    ------
    ArrayError
        If there are more coefficients than modes, or one is missing.

    Notes
    -----
    Invariant to signs of the modes and to rotations inside an eigenspace, as long as the coefficients belong
    to the modes (:func:`decompose_map`).

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=9)
    >>> values = decomposition.eigenvectors @ np.arange(9.0)
    >>> bool(np.allclose(reconstruct_map(decomposition, decompose_map(decomposition, values)), values))
    True
    """
    check_modes(decomposition)
    kind = GlobalDescriptor if np.ndim(coefficients) == 1 else DescriptorMatrix
    array = as_array(coefficients, kind, name="coefficients")
    k = decomposition.eigenvectors.shape[1]
    if not 1 <= len(array) <= k:
        raise ArrayError(f"coefficients: expected 1 to {k} modes, found {len(array)}")
    if not np.isfinite(array).all():
        raise ArrayError(f"coefficients: expected finite values, found {int(np.isnan(array).sum())} NaN")
    result: FloatArray = decomposition.eigenvectors[:, : len(array)] @ array
    return result


def filter_map(
    decomposition: SpectralDecomposition,
    values: Any,
    *,
    longer_than: float | None = None,
    shorter_than: float | None = None,
    fwhm: float | None = None,
) -> FloatArray:
    """Keep a band of wavelengths of a map, or smooth it by heat diffusion.

    f(x) becomes sum_i g(lambda_i) c_i phi_i(x), with g = 1 inside and 0 outside the band, times the heat
    kernel's exp(-lambda sigma^2 / 2).

    Parameters
    ----------
    decomposition : SpectralDecomposition
        Only what its modes can represent is in the result: nothing shorter than 2 pi / sqrt(lambda_k).
    values : (N,) or (N, M) array
    longer_than, shorter_than : float, optional, mm
        Keep modes of wavelength 2 pi / sqrt(lambda) at least / at most this. Null modes (the mean of each
        component) have infinite wavelength.
    fwhm : float, optional, mm
        Multiply each mode by exp(-lambda sigma^2 / 2), sigma = fwhm / sqrt(8 ln 2): the heat kernel that,
        on a plane, is a Gaussian of this full width at half maximum.

    Returns
    -------
    array of the shape of `values`, unit of the map
        NaN outside the domain.

    Raises
    ------
    ArrayError
        If no filter is given, a bound is not positive, or no mode is left.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace; to
    scaling if bounds and width are scaled alike.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=9)
    >>> filtered = filter_map(decomposition, decomposition.eigenvectors[:, 1], shorter_than=3.0)
    >>> bool(np.allclose(filtered, 0))
    True
    """
    check_modes(decomposition)
    gain = np.ones(decomposition.eigenvectors.shape[1])
    lengths = mode_wavelengths(decomposition)
    if longer_than is None and shorter_than is None and fwhm is None:
        raise ArrayError("filter_map: expected longer_than, shorter_than or fwhm, found none")
    if longer_than is not None:
        gain[lengths < check_positive(longer_than, "longer_than")] = 0
    if shorter_than is not None:
        gain[lengths > check_positive(shorter_than, "shorter_than")] = 0
    if not gain.any():
        raise ArrayError(
            f"filter_map: no mode lies in the band; the modes span {lengths[-1]:.3g} mm and longer"
        )
    if fwhm is not None:
        gain *= np.exp(-decomposition.eigenvalues * (check_positive(fwhm, "fwhm") * FWHM_TO_SIGMA) ** 2 / 2)
    coefficients = decompose_map(decomposition, values)
    return reconstruct_map(decomposition, (coefficients.T * gain).T)


def reconstruction_error(
    decomposition: SpectralDecomposition, values: Any, n_modes: Any = None
) -> dict[str, FloatArray | IntArray]:
    """Return how well the first modes represent a map, for growing numbers of modes.

    error(q) = ||f - f_q|| / ||f - mean f|| with f_q = sum_(i <= q) c_i phi_i and area-weighted norms.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    values : (N,) array
    n_modes : (Q,) array of int, optional
        Numbers of modes; every number from the null modes (at least 1) to k by default.

    Returns
    -------
    dict of (Q,) arrays
        ``n_modes``; ``wavelength``, of the last mode, mm; ``relative_error``, so that 1 is as good as the
        mean; ``correlation``, area-weighted; the last two are dimensionless.
        The relative error never grows with the number of modes.

    Raises
    ------
    ArrayError
        If a number of modes is out of range, or the map is constant.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to scaling, to the unit of the map, to signs, and to
    rotations inside an eigenspace that is whole in the numbers of modes.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=9)
    >>> found = reconstruction_error(decomposition, decomposition.eigenvectors[:, 4], [4, 5])
    >>> found["relative_error"].round(6) + 0.0
    array([1., 0.])
    """
    array = check_map(decomposition, values)
    if array.ndim != 1:
        raise ArrayError(f"values: expected shape (N,), found {array.shape}")
    k = decomposition.eigenvectors.shape[1]
    default = np.arange(max(1, decomposition.n_null_modes), k + 1)
    counts = np.atleast_1d(default if n_modes is None else np.asarray(n_modes))
    if counts.dtype.kind not in "iu" or counts.min() < 1 or counts.max() > k:
        raise ArrayError(f"n_modes: expected whole numbers from 1 to {k}, found {n_modes!r}")
    ones = np.ones_like(array)
    weights = decomposition.mass @ ones
    centred = array - np.nansum(np.where(decomposition.domain, array, 0.0) * weights) / weights.sum()
    total = float(area_norm(decomposition, centred))
    if not total > 1e-14 * float(area_norm(decomposition, array)):
        raise ArrayError("values: expected a map that varies, found a constant")
    coefficients, shape = decompose_map(decomposition, centred), decompose_map(decomposition, ones)
    energy = np.cumsum(coefficients**2)[counts - 1]
    means = np.cumsum(coefficients * shape)[counts - 1] / weights.sum()  # mean of each approximation
    error = np.sqrt(np.maximum(total**2 - energy, 0.0)) / total
    spread = np.sqrt(np.maximum(energy - weights.sum() * means**2, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(spread > 1e-12 * total, energy / (total * spread), np.nan)
    return {
        "n_modes": counts.astype(np.int64),
        "wavelength": mode_wavelengths(decomposition)[counts - 1],
        "relative_error": error,
        "correlation": np.clip(correlation, -1, 1),
    }
