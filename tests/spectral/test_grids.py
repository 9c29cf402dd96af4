"""Grids of times and energies: the published formulas, and independence from the cohort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.grids import (
    aubry_energies,
    hks_times,
    resolve_energies,
    resolve_times,
    shared_hks_times,
    shared_wks_energies,
    wks_energies,
)
from spectralbrain.spectral.spectrum import Spectrum

FOUR_LN_10 = 9.210340371976184


def spectrum(values, area=10.0, nulls=1):
    return Spectrum([0.0] * nulls + list(values), {"n_null_modes": nulls, "surface_area": area})


def test_default_times_span_weyls_spectrum():
    grid = hks_times(50, k=301)
    assert np.isclose(grid[0] * 4 * np.pi * 300, FOUR_LN_10)
    assert np.isclose(grid[-1] * 4 * np.pi, FOUR_LN_10)
    assert np.allclose(np.diff(np.log(grid)), np.log(300) / 49)
    assert np.allclose(hks_times(50, k=301, area=7.0), 7 * grid)


def test_default_grid_is_the_same_for_everybody():
    first, second = spectrum([1, 2, 3], area=10.0), spectrum([4, 5, 90], area=321.0)
    assert np.allclose(resolve_times(first) / 10.0, resolve_times(second) / 321.0)
    one, other = (resolve_energies(s, energy="area") for s in (first, second))
    assert np.allclose(one[0] + np.log(10), other[0] + np.log(321))
    assert one[1] == other[1]


def test_shared_times_are_suns_range_over_the_cohort():
    cohort = [spectrum([2, 5, 20]), spectrum([1, 7, 10], nulls=2)]
    grid = shared_hks_times(cohort, 5)
    assert np.allclose(grid[[0, -1]], [FOUR_LN_10 / 20, FOUR_LN_10 / 1])
    scaled = shared_hks_times([spectrum([2, 20], area=3.0), spectrum([1, 10], area=30.0)], 5, time="area")
    assert np.allclose(scaled[[0, -1]], [FOUR_LN_10 / 300, FOUR_LN_10 / 6])


def test_times_given_are_square_millimetres_unless_said_otherwise():
    s = spectrum([1, 2, 3], area=10.0)
    assert np.array_equal(resolve_times(s, [1.0, 2.0]), [1, 2])
    assert np.array_equal(resolve_times(s, [1.0, 2.0], time="area"), [10, 20])
    assert np.array_equal(resolve_times(s, 3), [3])
    assert np.allclose(resolve_times(s, n_times=2, time="raw"), [FOUR_LN_10 / 3, FOUR_LN_10])


@given(st.integers(1, 400), st.floats(1e-6, 1e3), st.floats(1.0001, 1e6))
def test_energies_obey_both_conditions_of_the_paper(count, first, ratio):
    energies, sigma = aubry_energies(first, first * ratio, count)
    assert len(energies) == count
    assert np.isclose(energies[0], np.log(first) + 2 * sigma, atol=1e-9)
    assert np.isclose(energies[-1], np.log(first * ratio) - 2 * sigma, atol=1e-9)
    if count > 1:
        assert np.allclose(np.diff(energies) * 7, sigma, rtol=1e-6, atol=1e-12)


def test_no_jump_in_the_number_of_energies():
    sigmas = np.array([aubry_energies(1.0, 100.0, m)[1] for m in range(1, 60)])
    assert np.allclose(sigmas, 7 * np.log(100) / (np.arange(1, 60) + 27))


def test_area_energies_are_weyls():
    energies, sigma = wks_energies(20, k=201)
    assert np.isclose(energies[0] - 2 * sigma, np.log(4 * np.pi))
    assert np.isclose(energies[-1] + 2 * sigma, np.log(4 * np.pi * 200))
    assert np.allclose(wks_energies(20, k=201, area=5.0)[0], energies - np.log(5))


def test_shared_energies():
    energies, sigma = shared_wks_energies([spectrum([2, 20]), spectrum([3, 40])], 9)
    assert np.isclose(energies[0] - 2 * sigma, np.log(2))
    assert np.isclose(energies[-1] + 2 * sigma, np.log(40))


def test_given_energies_and_bandwidth():
    s = spectrum([1, 2, 3], area=10.0)
    assert resolve_energies(s, [0.0, 0.5, 1.0])[1] == 3.5
    grid, sigma = resolve_energies(s, [0.0, 1.0], sigma=0.2, energy="area")
    assert np.allclose(grid, np.array([0, 1]) - np.log(10))
    assert sigma == 0.2
    grid, _ = resolve_energies(s, n_energies=3, sigma=0.1)
    assert np.allclose(grid[[0, -1]], [0.2, np.log(3) - 0.2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: hks_times(0), "n_times: expected a whole number >= 1"),
        (lambda s: hks_times(k=2), "k: expected a whole number >= 3"),
        (lambda s: hks_times(area=-1), "area: expected a positive"),
        (lambda s: resolve_times(s, [1, -1]), "times: expected positive"),
        (lambda s: resolve_times(s, [1, np.nan]), "times: expected at least one value, all finite"),
        (lambda s: resolve_times(s, []), "times: expected at least one value"),
        (lambda s: resolve_times(s, time="mm"), "time: expected one of None, 'raw', 'area', found 'mm'"),
        (lambda s: resolve_energies(s, [1.0]), "sigma: expected a bandwidth"),
        (lambda s: resolve_energies(s, sigma=9.0), "sigma: expected at most a quarter"),
        (lambda s: resolve_energies(s, sigma=0), "sigma: expected a positive"),
        (lambda s: shared_hks_times([]), "spectra: expected at least one"),
        (lambda s: shared_wks_energies(spectrum([2, 2])), "two different non-null"),
    ],
)
def test_bad_grids(call, message):
    with pytest.raises(ArrayError, match=message):
        call(spectrum([1, 2, 3]))
