"""Every descriptor says what it wants instead: arrays, paths and None are no decomposition."""

from __future__ import annotations

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.errors import ArrayError, ArrayTypeError
from spectralbrain.spectral.clusters import eigenvalue_clusters
from spectralbrain.spectral.heat_kernel import si_hks_taus
from spectralbrain.spectral.measures import area_histogram, area_mean

ON_SPECTRA = [
    sb.compute_shapedna,
    sb.heat_trace,
    sb.wave_trace,
    sb.mode_wavelengths,
    sb.shared_hks_times,
    sb.shared_wks_energies,
    lambda s: sb.spectral_asymmetry(s, s),
    lambda s: sb.shape_difference(np.eye(2), s, s),
]
ON_MODES = [
    sb.compute_hks,
    sb.compute_si_hks,
    sb.compute_wks,
    sb.compute_gps,
    sb.compute_bks,
    sb.compute_bates_signatures,
    sb.compute_wavelets,
    sb.vertex_areas,
    lambda d: sb.diffusion_distance(d, 1.0, [0]),
    lambda d: sb.commute_time_distance(d, [0]),
    lambda d: sb.biharmonic_distance(d, [0]),
    lambda d: sb.decompose_map(d, [1.0, 2.0]),
    lambda d: sb.reconstruct_map(d, [1.0]),
    lambda d: sb.filter_map(d, [1.0, 2.0], fwhm=1.0),
    lambda d: sb.reconstruction_error(d, [1.0, 2.0]),
    lambda d: sb.wavelet_transform(d, [1.0, 2.0]),
    lambda d: sb.eigenstrap(d, [1.0, 2.0]),
    lambda d: area_mean(d, [1.0, 2.0]),
    lambda d: area_histogram(d, [1.0, 2.0]),
    lambda d: sb.align_modes(d, d),
    lambda d: sb.compute_functional_map(d, d, k=1),
    lambda d: sb.zoomout(d, d, np.eye(2)),
]
NOT_SPECTRA = [None, 5, "modes.h5", np.array([2.0, 6.0]), [2.0, 6.0]]


@pytest.mark.parametrize("function", ON_SPECTRA)
@pytest.mark.parametrize("value", NOT_SPECTRA)
def test_what_is_no_spectrum_is_named(function, value):
    with pytest.raises(ArrayTypeError, match=r"expected a SpectralDecomposition or a Spectrum, found \w+"):
        function(value)


@pytest.mark.parametrize("function", ON_MODES)
@pytest.mark.parametrize(
    "value", [*NOT_SPECTRA, sb.Spectrum([0.0, 2.0, 6.0], {"n_null_modes": 1, "surface_area": 1.0})]
)
def test_what_has_no_modes_is_named(function, value):
    with pytest.raises(ArrayTypeError, match=r"\w+: expected a SpectralDecomposition, found \w+"):
        function(value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: sb.compute_shapedna(d, k="9"), "k: expected a whole number"),
        (lambda d: sb.compute_gps(d, k=1.5), "k: expected a whole number"),
        (lambda d: sb.diffusion_distance(d, "1", [0]), "t: expected a number, found '1'"),
        (lambda d: sb.diffusion_distance(d, [1.0, 2.0], [0]), "t: expected a number"),
        (lambda d: sb.compute_wks(d, sigma="1"), "sigma: expected a number"),
        (lambda d: sb.compute_si_hks(d, tau_max=np.inf), "tau_max: expected a finite number"),
        (lambda d: sb.compute_si_hks(d, tau_max=5000.0), r"tau_max: expected times alpha\^tau below"),
        (lambda d: sb.compute_si_hks(d, tau_min=-5000.0), r"tau_max: expected times alpha\^tau below"),
        (lambda d: si_hks_taus(np.nan), "tau_min: expected a finite number"),
        (lambda d: sb.compute_bates_signatures(d, group_rtol="x"), "rtol: expected a number"),
        (lambda d: eigenvalue_clusters(d, np.nan), "rtol: expected a finite number"),
        (lambda d: sb.eigenstrap(d, d.eigenvectors[:, 1], seed="x"), "seed: expected a whole number >= 0"),
        (lambda d: sb.eigenstrap(d, d.eigenvectors[:, 1], seed=-1), "seed: expected a whole number >= 0"),
        (lambda d: sb.hks_times(10, area="large"), "area: expected a number"),
        (lambda d: sb.wesd(d, d, p="2"), "p: expected a number"),
    ],
)
def test_numbers_of_the_wrong_kind_are_named(closed, call, message):
    with pytest.raises(ArrayError, match=message):
        call(closed)
