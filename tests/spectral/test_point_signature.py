"""GPS and the biharmonic diagonal."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.point_distance import commute_time_distance
from spectralbrain.spectral.point_signature import compute_bks, compute_gps


def test_gps_is_the_published_vector(closed):
    gps = compute_gps(closed)
    assert gps.shape == (closed.mesh.n_vertices, 39)
    assert np.allclose(gps[:, 4], closed.eigenvectors[:, 5] / np.sqrt(closed.eigenvalues[5]))
    assert np.array_equal(compute_gps(closed, k=7), gps[:, :7])


def test_gps_keeps_every_mode_of_a_dirichlet_spectrum(pinned, two_parts):
    assert compute_gps(pinned).shape[1] == 20
    assert compute_gps(two_parts).shape[1] == 18


def test_gps_distances_are_free_of_signs_and_rotations(closed, change):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    values, vectors = closed.eigenvalues.copy(), closed.eigenvectors * -1.0
    values[4:7] = values[4:7].mean()
    vectors[:, 4:7] = vectors[:, 4:7] @ turn
    before, after = (
        change(closed, eigenvalues=values),
        change(closed, eigenvalues=values, eigenvectors=vectors),
    )
    assert not np.allclose(compute_gps(before), compute_gps(after))
    pairs = [compute_gps(d)[:9, None] - compute_gps(d)[None, 20:30] for d in (before, after)]
    distances = [np.linalg.norm(p, axis=2) for p in pairs]
    assert np.allclose(*distances)
    assert np.allclose(distances[0], commute_time_distance(before, np.arange(9), np.arange(20, 30)))


def test_gps_is_free_of_size(closed, rescale):
    assert np.allclose(compute_gps(rescale(closed, 1e6)), compute_gps(closed), rtol=1e-12)


def test_bks_is_the_sum_written_out(closed, pinned):
    for d in (closed, pinned):
        lam, phi = d.eigenvalues[d.n_null_modes :], d.eigenvectors[:, d.n_null_modes :]
        assert np.allclose(compute_bks(d), (phi**2 / lam**2).sum(axis=1), rtol=1e-13)


def test_bks_of_the_unit_sphere(make_sphere, solve):
    ball = solve(make_sphere(3), 25)
    degree = np.arange(1.0, 5)
    exact = ((2 * degree + 1) / (degree * (degree + 1)) ** 2).sum() / (4 * np.pi)
    assert np.allclose(compute_bks(ball), exact, rtol=0.02)


@pytest.mark.parametrize("s", [1e-6, 1e6])
def test_bks_scales_like_an_area(closed, rescale, s):
    assert np.allclose(compute_bks(rescale(closed, s)), s**2 * compute_bks(closed), rtol=1e-12)


def test_masked(masked):
    assert np.array_equal(np.isnan(compute_bks(masked)), ~masked.domain)
    assert np.array_equal(np.isnan(compute_gps(masked)).all(axis=1), ~masked.domain)


def test_too_many_modes(closed):
    with pytest.raises(ArrayError, match="k: expected at most 39"):
        compute_gps(closed, k=40)
