"""Maps on modes: least squares with the mass matrix, exact bands, honest errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.maps import (
    decompose_map,
    filter_map,
    mode_wavelengths,
    reconstruct_map,
    reconstruction_error,
)
from spectralbrain.spectral.measures import area_histogram, area_mean, area_norm, vertex_areas


@pytest.mark.parametrize("fixture", ["closed", "masked", "pinned", "two_parts"])
def test_combination_of_modes_comes_back(fixture, request):
    d = request.getfixturevalue(fixture)
    c = np.random.default_rng(0).normal(size=(len(d.eigenvalues), 3))
    f = reconstruct_map(d, c)
    assert np.array_equal(np.isnan(f).any(axis=1), ~d.domain)
    assert np.allclose(decompose_map(d, f), c)
    assert np.allclose(decompose_map(d, f[:, 1]), c[:, 1])


def test_reconstruction_is_the_best_in_the_area_weighted_sense(closed):
    f = closed.mesh.vertices[:, 0] ** 3
    best = reconstruct_map(closed, decompose_map(closed, f))
    rng = np.random.default_rng(1)
    for _ in range(10):
        other = reconstruct_map(closed, decompose_map(closed, f) + rng.normal(size=40))
        assert area_norm(closed, f - best) < area_norm(closed, f - other)
    assert np.allclose(closed.eigenvectors.T @ (closed.mass @ (f - best)), 0, atol=1e-8 * abs(f).max())


def test_fewer_coefficients(closed):
    c = np.arange(1.0, 6)
    assert np.allclose(reconstruct_map(closed, c), closed.eigenvectors[:, :5] @ c)


def test_values_outside_the_domain_are_not_read(masked):
    f = masked.mesh.vertices[:, 1].copy()
    g = np.where(masked.domain, f, np.nan)
    assert np.array_equal(decompose_map(masked, f), decompose_map(masked, g))


def test_wavelengths(closed, pinned, two_parts):
    lengths = mode_wavelengths(closed)
    assert lengths[0] == np.inf
    assert np.allclose(lengths[1:] ** 2 * closed.eigenvalues[1:], 4 * np.pi**2)
    assert np.isfinite(mode_wavelengths(pinned)).all()
    assert np.isinf(mode_wavelengths(two_parts)).sum() == 2


def test_a_plane_wave_has_its_wavelength(make_grid, solve):
    strip = solve(make_grid(40, 4, 10.0, 1.0), 6)  # first mode cos(pi x / 10): wavelength 20
    assert np.isclose(mode_wavelengths(strip)[1], 20, rtol=0.01)


def test_bands_split_a_map(closed):
    f = reconstruct_map(closed, np.random.default_rng(0).normal(size=40))
    edge = float(np.mean(mode_wavelengths(closed)[[10, 11]]))
    coarse, fine = filter_map(closed, f, longer_than=edge), filter_map(closed, f, shorter_than=edge)
    assert np.allclose(coarse + fine, f)
    assert np.allclose(decompose_map(closed, coarse)[11:], 0, atol=1e-12)
    assert np.allclose(decompose_map(closed, fine)[:11], 0, atol=1e-12)


def test_filter_keeps_the_mean_and_shape(closed):
    f = np.column_stack([closed.mesh.vertices[:, 0] + 5, np.ones(162)])
    smooth = filter_map(closed, f, fwhm=8.0)
    assert smooth.shape == f.shape
    assert np.allclose(area_mean(closed, smooth), area_mean(closed, f))
    assert np.allclose(smooth[:, 1], 1)


def test_fwhm_is_a_gaussians(make_grid, solve):
    """A plane wave of wavelength w is damped by exp(-2 pi^2 sigma^2 / w^2), as by a Gaussian."""
    strip = solve(make_grid(40, 4, 10.0, 1.0), 6)
    f, fwhm = strip.eigenvectors[:, 1], 6.0
    sigma = fwhm / np.sqrt(8 * np.log(2))
    assert np.allclose(
        filter_map(strip, f, fwhm=fwhm), f * np.exp(-2 * np.pi**2 * sigma**2 / 20**2), rtol=1e-3
    )


@given(st.floats(0.1, 100))
@settings(max_examples=20, deadline=None)
def test_smoothing_never_adds_variation(closed, fwhm):
    f = closed.eigenvectors @ np.ones(40)
    energy = lambda g: closed.eigenvalues @ decompose_map(closed, g) ** 2  # noqa: E731
    assert energy(filter_map(closed, f, fwhm=fwhm)) <= energy(f)


def test_reconstruction_error_written_out(closed):
    f = closed.mesh.vertices[:, 0] ** 2 + closed.mesh.vertices[:, 1]
    found = reconstruction_error(closed, f, [1, 5, 20])
    weights = vertex_areas(closed)
    mean = weights @ f / weights.sum()
    for n, error, correlation in zip(
        found["n_modes"], found["relative_error"], found["correlation"], strict=True
    ):
        g = reconstruct_map(closed, decompose_map(closed, f)[:n])
        assert np.isclose(error, area_norm(closed, f - g) / area_norm(closed, f - mean), rtol=1e-9)
        if n > 1:
            a, b = f - mean, g - weights @ g / weights.sum()
            expected = a @ (closed.mass @ b) / area_norm(closed, a) / area_norm(closed, b)
            assert np.isclose(correlation, expected, rtol=1e-9)
    assert found["relative_error"][0] == pytest.approx(1)
    assert np.isnan(found["correlation"][0])
    assert np.allclose(found["wavelength"], mode_wavelengths(closed)[[0, 4, 19]])


def test_error_never_grows(closed, masked):
    for d in (closed, masked):
        found = reconstruction_error(d, d.mesh.vertices[:, 0] ** 3)
        assert (np.diff(found["relative_error"]) <= 1e-12).all()
        assert found["n_modes"].tolist() == list(range(1, len(d.eigenvalues) + 1))


def test_area_weights_do_not_follow_the_mesh(make_grid, solve):
    """A rectangle with nine tenths of its vertices in one half: the mean of x is still the middle."""
    mesh = make_grid(20, 4, 1.0, 0.2)
    from spectralbrain.geometry.mesh import BrainMesh

    x = mesh.vertices.copy()
    x[:, 0] = x[:, 0] ** 3
    d = solve(BrainMesh(x, mesh.faces), 3)
    assert np.isclose(area_mean(d, x[:, 0]), 0.5)
    assert x[:, 0].mean() < 0.3
    fraction, edges = area_histogram(d, x[:, 0], bins=2)
    assert np.allclose(edges, [0, 0.5, 1])
    assert np.allclose(fraction, 0.5, atol=0.08)
    assert np.isclose(fraction.sum(), 1)


def test_area_mean_ignores_what_is_outside(masked):
    f = np.where(masked.domain, 2.0, 1e9)
    assert np.isclose(area_mean(masked, f), 2)
    assert np.isclose(vertex_areas(masked).sum(), masked.surface_area)
    assert (vertex_areas(masked)[~masked.domain] == 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: decompose_map(d, np.ones(5)), "values: expected shape"),
        (lambda d: decompose_map(d, np.r_[np.nan, np.ones(161)]), "inside the domain, found 1 NaN"),
        (lambda d: decompose_map(d, np.ma.ones(162)), "masked array"),
        (lambda d: reconstruct_map(d, np.ones(41)), "expected 1 to 40 modes, found 41"),
        (lambda d: reconstruct_map(d, [1.0, np.nan]), "coefficients: expected finite"),
        (lambda d: filter_map(d, np.ones(162)), "found none"),
        (lambda d: filter_map(d, np.ones(162), fwhm=-1), "fwhm: expected a positive"),
        (lambda d: filter_map(d, np.ones(162), shorter_than=1e-6), "no mode lies in the band"),
        (lambda d: reconstruction_error(d, np.ones(162)), "found a constant"),
        (lambda d: reconstruction_error(d, np.arange(162.0), [41]), "n_modes: expected whole numbers"),
        (lambda d: reconstruction_error(d, np.ones((162, 2))), r"expected shape \(N,\)"),
        (lambda d: area_histogram(d, np.ones((162, 2))), r"expected shape \(N,\)"),
    ],
)
def test_bad_arguments(closed, call, message):
    with pytest.raises(ArrayError, match=message):
        call(closed)
