"""HKS and SI-HKS against the sums written out, closed forms and invariances."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.grids import hks_times
from spectralbrain.spectral.heat_kernel import compute_hks, compute_si_hks, si_hks_taus


def naive_hks(d, times):
    return np.array(
        [
            [sum(np.exp(-lam * t) * p**2 for lam, p in zip(d.eigenvalues, row, strict=True)) for t in times]
            for row in d.eigenvectors
        ]
    )


def test_equals_the_sum_written_out(closed):
    times = [0.3, 7.0, 200.0]
    assert np.allclose(compute_hks(closed, times)[::9], naive_hks(closed, times)[::9], rtol=1e-13)


def test_unit_sphere_at_every_vertex(make_sphere, solve):
    ball = solve(make_sphere(3), 25)
    degree = np.arange(5)
    for t in (0.2, 1.0):
        exact = ((2 * degree + 1) * np.exp(-degree * (degree + 1) * t)).sum() / (4 * np.pi)
        assert np.allclose(compute_hks(ball, [t]), exact, rtol=0.02)


def test_late_heat_is_spread_over_the_component(two_parts):
    late = compute_hks(two_parts, [1e6])[:, 0]
    assert np.allclose(late[: 11 * 9], 1 / 20)
    assert np.allclose(late[11 * 9 :], 1 / 9)


def test_normalizations(closed):
    times = hks_times(7, k=40, area=closed.surface_area)
    raw = compute_hks(closed, times)
    assert np.allclose(compute_hks(closed, times, normalization="area"), raw * closed.surface_area)
    trace = np.exp(-np.outer(closed.eigenvalues, times)).sum(axis=0)
    assert np.allclose(compute_hks(closed, times, normalization="trace"), raw / trace)
    unit = compute_hks(closed, times, normalization="l2")
    assert np.allclose(np.einsum("nt,nt->t", unit, closed.mass @ unit), 1)
    assert np.allclose(unit / unit[0], raw / raw[0])


def test_integral_over_the_surface_is_the_trace(make_bumpy, solve):
    """Exactly so with lumped mass, where the vertex areas are the quadrature that makes modes orthonormal."""
    times = [1.0, 30.0]
    errors = []
    for lumped, subdivisions in ((True, 2), (False, 2), (False, 3)):
        d = solve(make_bumpy(subdivisions), 20, lumped=lumped)
        integral = (d.mass @ compute_hks(d, times)).sum(axis=0)
        errors.append(abs(integral / np.exp(-np.outer(d.eigenvalues, times)).sum(axis=0) - 1).max())
    assert errors[0] < 1e-12
    assert errors[2] < min(errors[1] / 3, 0.05)  # consistent mass: the quadrature converges like h^2


def test_default_grid(closed):
    assert np.array_equal(
        compute_hks(closed, n_times=9), compute_hks(closed, hks_times(9, k=40, area=closed.surface_area))
    )
    same = compute_hks(closed, hks_times(9, k=40), time="area")
    assert np.allclose(compute_hks(closed, n_times=9), same, rtol=1e-13)


@given(st.floats(1e-5, 1e5))
@settings(max_examples=20, deadline=None)
def test_scaling(closed, rescale, s):
    scaled = rescale(closed, s)
    default = {"n_times": 5, "normalization": "area"}
    assert np.allclose(compute_hks(scaled, **default), compute_hks(closed, **default), rtol=1e-9)
    assert np.allclose(compute_hks(scaled, [3 * s**2]) * s**2, compute_hks(closed, [3.0]), rtol=1e-9)


def rotate_eigenspaces(d, change, rng, rtol=2e-2):
    """Flip signs and rotate inside clusters whose eigenvalues are first made equal."""
    values, vectors = d.eigenvalues.copy(), d.eigenvectors.copy()
    start = 0
    for stop in range(1, len(values) + 1):
        if stop == len(values) or values[stop] > values[stop - 1] * (1 + rtol) + 1e-300:
            values[start:stop] = values[start:stop].mean()
            turn = np.linalg.qr(rng.normal(size=(stop - start, stop - start)))[0]
            vectors[:, start:stop] = vectors[:, start:stop] @ turn
            start = stop
    return change(d, eigenvalues=values), change(d, eigenvalues=values, eigenvectors=vectors)


@pytest.mark.parametrize("compute", [lambda d: compute_hks(d, n_times=4), lambda d: compute_si_hks(d)])
def test_choice_of_eigenvectors_does_not_matter(make_sphere, solve, change, compute):
    before, after = rotate_eigenspaces(solve(make_sphere(2), 16), change, np.random.default_rng(0))
    assert not np.allclose(before.eigenvectors, after.eigenvectors)
    assert np.allclose(compute(before), compute(after), rtol=1e-10, atol=1e-13)


def test_masked_vertices_are_nan(masked):
    for result in (compute_hks(masked, n_times=3), compute_si_hks(masked)):
        assert np.array_equal(np.isnan(result).all(axis=1), ~masked.domain)
        assert np.array_equal(np.isnan(result).any(axis=1), ~masked.domain)


def test_dirichlet_hks_vanishes_on_the_boundary(pinned):
    hks = compute_hks(pinned, [0.01, 1.0])
    x, y = pinned.mesh.vertices[:, 0], pinned.mesh.vertices[:, 1]
    rim = (x == 0) | (x == 4) | (y == 0) | (y == 3)
    assert (hks[rim] == 0).all()
    assert (hks[~rim] > 0).all()


def test_threads_do_not_change_a_byte(closed):
    one, two = (compute_hks(closed, n_times=20, n_threads=n) for n in (1, 2))
    assert one.tobytes() == two.tobytes()
    one, two = (compute_si_hks(closed, n_threads=n) for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_underflow_is_exact_zero_not_noise(closed):
    hks = compute_hks(closed, [1e300])
    assert np.allclose(hks, 1 / closed.surface_area)


def test_memory_stays_below_a_tenth_above_the_result(make_sphere, change):
    mesh = make_sphere(0)
    rng = np.random.default_rng(0)
    n, k, t = 20000, 120, 50

    class Big:
        eigenvalues = np.arange(k, dtype=float)
        eigenvectors = rng.normal(size=(n, k))
        surface_area = 1.0
        n_null_modes = 1

    assert mesh.n_vertices == 12
    compute_hks(Big, n_times=2)
    tracemalloc.start()
    compute_hks(Big, n_times=t)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - n * t * 8 < 0.1 * (n * k * 8 + n * t * 8)


def test_names_of_the_peer(closed):
    assert np.array_equal(compute_hks(closed, t_values=[1.0], normalize=False), compute_hks(closed, [1.0]))


def naive_si_hks(d, unit):
    """Differences instead of the analytic derivative, on a far finer grid."""
    step = 1e-5
    up, down = (np.log(compute_hks(d, unit * 2.0 ** (si_hks_taus() + e))) for e in (step, -step))
    return np.abs(np.fft.fft((up - down) / (2 * step), axis=1))[:, :6]


def test_si_hks_is_the_published_construction(closed):
    assert np.allclose(compute_si_hks(closed, time="raw"), naive_si_hks(closed, 1.0), rtol=1e-5, atol=1e-6)
    unit = closed.surface_area / 1e5
    assert np.allclose(compute_si_hks(closed), naive_si_hks(closed, unit), rtol=1e-5, atol=1e-6)


def test_si_hks_published_grid():
    taus = si_hks_taus()
    assert (taus[0], taus[1], taus[-1], len(taus)) == (1.0, 1.0625, 25.0, 385)


def test_zeroth_frequency_is_the_total_fall(closed):
    """Summed d log h / d tau over the grid is, to the grid's step, log h(end) - log h(start)."""
    dc = compute_si_hks(closed)[:, 0] / 16
    unit = closed.surface_area / 1e5
    ends = np.log(compute_hks(closed, [2 * unit, 2**25 * unit]))
    # the trapezoidal sum differs from the plain sum by half of both end values
    assert np.allclose(dc, ends[:, 0] - ends[:, 1], rtol=0.02)


@given(st.floats(-5, 5))
@settings(max_examples=15, deadline=None)
def test_si_hks_is_scale_free_over_ten_orders(closed, rescale, exponent):
    assert np.allclose(
        compute_si_hks(rescale(closed, 10.0**exponent)), compute_si_hks(closed), rtol=1e-7, atol=1e-9
    )


def test_raw_si_hks_drifts_as_documented(closed, rescale):
    base = compute_si_hks(closed, time="raw")
    drift = [
        np.linalg.norm(compute_si_hks(rescale(closed, s), time="raw") - base) / np.linalg.norm(base)
        for s in (10.0, 100.0)
    ]
    assert np.allclose(drift, 0.072, rtol=0.05)  # a surface of a hippocampus' size leaves the window at once


def test_si_hks_agrees_with_raw_at_the_reference_area(closed, rescale):
    unit = rescale(closed, np.sqrt(1e5 / closed.surface_area))
    assert np.allclose(compute_si_hks(unit, time="raw"), compute_si_hks(unit), rtol=1e-10)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"time": "mm"}, "time: expected one of"),
        ({"alpha": 1.0}, "alpha: expected more than 1"),
        ({"tau_max": 1.0}, "tau_max: expected at least"),
        ({"n_frequencies": 500}, "n_frequencies: expected at most 193"),
        ({"tau_step": -1}, "tau_step: expected a positive"),
    ],
)
def test_bad_si_hks_options(closed, option, message):
    with pytest.raises(ArrayError, match=message):
        compute_si_hks(closed, **option)


def test_si_hks_refuses_a_dirichlet_spectrum(pinned):
    with pytest.raises(ArrayError, match="found a Dirichlet spectrum"):
        compute_si_hks(pinned)


@pytest.mark.parametrize(
    ("args", "option", "message"),
    [
        (([-1.0],), {}, "times: expected positive"),
        ((), {"normalization": "max"}, "normalization: expected one of"),
        ((), {"n_threads": 0}, "n_threads"),
    ],
)
def test_bad_hks_options(closed, args, option, message):
    with pytest.raises(ArrayError, match=message):
        compute_hks(closed, *args, **option)
