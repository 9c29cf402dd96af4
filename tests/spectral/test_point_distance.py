"""Distances within a surface: the sums written out, the axioms, digits between neighbours, components."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.point_distance import (
    biharmonic_distance,
    commute_time_distance,
    diffusion_distance,
)

GAINS = {
    "diffusion": (lambda d, *a: diffusion_distance(d, 5.0, *a), lambda lam: np.exp(-2 * lam * 5.0)),
    "commute": (commute_time_distance, lambda lam: 1 / lam),
    "biharmonic": (biharmonic_distance, lambda lam: 1 / lam**2),
}
both = pytest.mark.parametrize("name", list(GAINS))


def naive(d, gain, rows, columns):
    lam, phi = d.eigenvalues[d.n_null_modes :], d.eigenvectors[:, d.n_null_modes :]
    gaps = phi[rows][:, None, :] - phi[columns][None, :, :]
    return np.sqrt((gain(lam) * gaps**2).sum(axis=2))


@both
@pytest.mark.parametrize("fixture", ["closed", "pinned"])
def test_equals_the_sum_written_out(name, fixture, request):
    d = request.getfixturevalue(fixture)
    compute, gain = GAINS[name]
    rows, columns = [3, 100], np.arange(0, 150, 7)
    assert np.allclose(compute(d, rows, columns), naive(d, gain, rows, columns), rtol=1e-11)
    assert compute(d, rows).shape == (2, d.mesh.n_vertices)


@both
def test_axioms(name, closed):
    d = GAINS[name][0](closed)
    assert (np.diag(d) == 0).all()
    assert np.allclose(d, d.T, rtol=1e-12)
    assert (d[:20, :20, None] <= d[:20, None, :20] + d[None, :20, :20].swapaxes(1, 2) + 1e-9).all()


def test_digits_between_near_points(closed, change):
    """Two rows that differ in the ninth digit: the expanded square would return noise or zero."""
    vectors = closed.eigenvectors.copy()
    vectors[1] = vectors[0] * (1 + 1e-9)
    d = change(closed, eigenvectors=vectors)
    exact = naive(d, lambda lam: 1 / lam**2, [0], [1])
    assert np.isclose(biharmonic_distance(d, [0], [1]), exact, rtol=1e-6)


def test_sphere_distance_depends_on_the_angle_only(make_sphere, solve):
    ball = solve(make_sphere(3), 36)
    points = ball.mesh.vertices
    found = biharmonic_distance(ball, [0])[0]
    x = points @ points[0]
    degree = np.arange(1, 6)
    legendre = np.array([np.polynomial.legendre.Legendre.basis(n)(x) for n in degree])
    weight = (2 * degree + 1) / (4 * np.pi) / (degree * (degree + 1.0)) ** 2
    exact = np.sqrt(2 * np.maximum((weight[:, None] * (1 - legendre)).sum(axis=0), 0))
    assert np.allclose(found, exact, rtol=0.03, atol=0.01)


def test_units(closed, rescale):
    s = 1e3
    large = rescale(closed, s)
    assert np.allclose(biharmonic_distance(large, [0]), s * biharmonic_distance(closed, [0]), rtol=1e-9)
    assert np.allclose(commute_time_distance(large, [0]), commute_time_distance(closed, [0]), rtol=1e-9)
    t = 5.0
    assert np.allclose(
        diffusion_distance(large, t * s**2, [0]) * s, diffusion_distance(closed, t, [0]), rtol=1e-9
    )
    area = closed.surface_area
    assert np.array_equal(
        diffusion_distance(closed, 0.1, [0], time="area"), diffusion_distance(closed, 0.1 * area, [0])
    )


def test_commute_time_grows_with_k_and_biharmonic_settles(make_sphere, solve):
    ball = solve(make_sphere(3), 400)
    far = [ball.mesh.vertices[:, 2].argmin()]
    near = [ball.mesh.vertices[:, 2].argmax()]
    steps = [25, 100, 400]
    commute = [commute_time_distance(ball.truncate(k), near, far)[0, 0] ** 2 for k in steps]
    biharmonic = [biharmonic_distance(ball.truncate(k), near, far)[0, 0] ** 2 for k in steps]
    assert 0.7 < (commute[2] - commute[1]) / (commute[1] - commute[0]) < 1.6  # equal steps of log k
    assert biharmonic[2] - biharmonic[1] < 0.3 * (biharmonic[1] - biharmonic[0])


def test_between_components(two_parts):
    first, second = 0, two_parts.mesh.n_vertices - 1
    for compute in (commute_time_distance, biharmonic_distance):
        found = compute(two_parts, [first], [1, second])[0]
        assert np.isfinite(found[0])
        assert found[1] == np.inf
    late = diffusion_distance(two_parts, 1e5, [first], [1, second])[0]
    assert np.isclose(late[0], 0, atol=1e-9)
    assert np.isclose(late[1] ** 2, 1 / 20 + 1 / 9)  # two constants of norm 1 apart


@both
def test_masked_vertices_are_nan(name, masked):
    outside = np.flatnonzero(~masked.domain)[0]
    inside = np.flatnonzero(masked.domain)[0]
    found = GAINS[name][0](masked, [inside, outside])
    assert np.isnan(found[1]).all()
    assert np.array_equal(np.isnan(found[0]), ~masked.domain)


def test_no_square_matrix():
    rng = np.random.default_rng(0)

    class Big:
        eigenvalues = np.arange(60.0)
        eigenvectors = rng.normal(size=(30000, 60))
        n_null_modes = 1
        surface_area = 1.0
        metadata = {"n_components": 1}  # noqa: RUF012

    commute_time_distance(Big, [0])
    tracemalloc.start()
    commute_time_distance(Big, [0, 1, 2])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * Big.eigenvectors.nbytes


def test_names_of_the_peer(closed):
    assert np.array_equal(commute_time_distance(closed, indices=[4]), commute_time_distance(closed, [4]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: biharmonic_distance(d, [162]), r"sources: expected indices in \[0, 161\], found 162"),
        (lambda d: biharmonic_distance(d, [0], [-1]), "targets: expected indices"),
        (lambda d: biharmonic_distance(d, [0.5]), "sources: expected a list of vertex indices"),
        (lambda d: biharmonic_distance(d, []), "sources: expected a list"),
        (lambda d: diffusion_distance(d, -1.0, [0]), "t: expected a positive"),
    ],
)
def test_bad_arguments(closed, call, message):
    with pytest.raises(ArrayError, match=message):
        call(closed)
