"""WKS against the sum written out, its normalisation, and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.wave_kernel import compute_wks


def naive_wks(d, energies, sigma):
    lam, phi = d.eigenvalues[d.n_null_modes :], d.eigenvectors[:, d.n_null_modes :]
    columns = []
    for e in energies:
        weight = np.exp(-((e - np.log(lam)) ** 2) / (2 * sigma**2))
        columns.append((phi**2 * weight).sum(axis=1) / weight.sum())
    return np.column_stack(columns)


def published_grid(d, m):
    lam = d.eigenvalues[d.n_null_modes :]
    delta = np.log(lam[-1] / lam[0]) / (m + 27)
    return np.linspace(np.log(lam[0]) + 14 * delta, np.log(lam[-1]) - 14 * delta, m), 7 * delta


@pytest.mark.parametrize("fixture", ["closed", "pinned", "two_parts"])
@pytest.mark.parametrize("m", [1, 2, 28, 100])
def test_equals_the_published_sum(fixture, m, request):
    d = request.getfixturevalue(fixture)
    assert np.allclose(compute_wks(d, n_energies=m), naive_wks(d, *published_grid(d, m)), rtol=1e-11)


def test_each_energy_integrates_to_one(make_bumpy, make_grid, solve):
    for d in (
        solve(make_bumpy(), 30, lumped=True),
        solve(make_grid(9, 8), 20, lumped=True, boundary="dirichlet"),
    ):
        assert np.allclose((d.mass @ compute_wks(d)).sum(axis=0), 1, rtol=1e-12)


def test_with_consistent_mass_the_integral_converges_to_one(make_bumpy, solve):
    coarse, fine = (solve(make_bumpy(level), 12) for level in (2, 3))
    errors = [abs((d.mass @ compute_wks(d)).sum(axis=0) - 1).max() for d in (coarse, fine)]
    assert errors[1] < min(errors[0] / 3, 0.05)


def test_sphere_is_uniform(make_sphere, solve):
    ball = solve(make_sphere(3), 16)
    assert np.allclose(compute_wks(ball, n_energies=5), 1 / (4 * np.pi), rtol=0.03)


def test_energies_far_outside_the_spectrum_pick_the_nearest_mode(pinned):
    wks = compute_wks(pinned, [-1000.0, 1000.0], sigma=0.1)
    assert np.allclose(wks, pinned.eigenvectors[:, [0, -1]] ** 2)


def test_normalizations(closed):
    raw = compute_wks(closed, n_energies=6)
    assert np.allclose(compute_wks(closed, n_energies=6, normalization="area"), raw * closed.surface_area)
    unit = compute_wks(closed, n_energies=6, normalize=True)
    assert np.allclose(np.einsum("nt,nt->t", unit, closed.mass @ unit), 1)


@given(st.floats(1e-5, 1e5))
@settings(max_examples=20, deadline=None)
def test_scaling(closed, rescale, s):
    scaled = rescale(closed, s)
    for option in ({}, {"energy": "area"}):
        given_, base = (
            compute_wks(d, n_energies=5, normalization="area", **option) for d in (scaled, closed)
        )
        assert np.allclose(given_, base, rtol=1e-8)


def test_signs_do_not_matter(closed, change):
    signs = np.random.default_rng(1).choice([-1.0, 1.0], len(closed.eigenvalues))
    flipped = change(closed, eigenvectors=closed.eigenvectors * signs)
    assert np.array_equal(compute_wks(closed), compute_wks(flipped))


def test_masked_vertices_are_nan(masked):
    assert np.array_equal(np.isnan(compute_wks(masked, n_energies=3)).any(axis=1), ~masked.domain)


def test_names_of_the_peer(closed):
    wks = compute_wks(closed, e_values=[-3.0, -2.0], sigma=0.5, normalize=False)
    assert np.allclose(wks, naive_wks(closed, [-3.0, -2.0], 0.5))


def test_unknown_normalization(closed):
    with pytest.raises(ArrayError, match="normalization: expected one of 'none', 'area', 'l2'"):
        compute_wks(closed, normalization="trace")
