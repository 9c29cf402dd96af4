"""Wavelets: kernels in closed form, the transform as a sum, admissibility."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.wavelets import KERNELS, compute_wavelets, resolve_scales, wavelet_transform


def test_kernels_in_closed_form():
    x = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 4.0])
    assert np.allclose(KERNELS["abspline"](x), [0, 0.25, 1, -5 + 16.5 - 13.5 + 3.375, 1, 0.25])
    assert np.allclose(KERNELS["mexican_hat"](x), x * np.exp(-x))


@pytest.mark.parametrize("at", [1.0, 2.0])
def test_spline_is_smooth_where_its_pieces_meet(at):
    g, e = KERNELS["abspline"], 1e-6
    left, right = (g(np.array([at - e])), g(np.array([at + e])))
    slopes = [(g(np.array([at - s])) - g(np.array([at - s - e]))) / e for s in (e, -2 * e)]
    assert np.isclose(left, right, atol=1e-5)
    assert np.isclose(*slopes, atol=1e-4)


@pytest.mark.parametrize("name", list(KERNELS))
def test_admissible(name):
    """The integral of g(x)^2 / x is finite, which makes the transform invertible."""
    value = sum(
        quad(lambda x: float(KERNELS[name](np.array(x))) ** 2 / x, a, b)[0]
        for a, b in ((1e-12, 1), (1, 2), (2, 60))
    )
    assert 0.1 < value < 2


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_signature_is_the_diagonal(closed, kernel):
    scales = [1.0, 50.0]
    expected = closed.eigenvectors**2 @ KERNELS[kernel](np.outer(closed.eigenvalues, scales))
    assert np.allclose(compute_wavelets(closed, scales, kernel=kernel), expected, rtol=1e-11)


def test_transform_is_the_sum_written_out(closed):
    rng = np.random.default_rng(0)
    f = rng.normal(size=closed.mesh.n_vertices)
    found = wavelet_transform(closed, f, [3.0, 60.0])
    expected = np.zeros_like(found)
    for lam, phi in zip(closed.eigenvalues, closed.eigenvectors.T, strict=True):
        expected += np.outer(phi, [s * lam * np.exp(-s * lam) for s in (3.0, 60.0)]) * (
            phi @ (closed.mass @ f)
        )
    assert np.allclose(found, expected, atol=1e-12)


def test_transform_of_a_point_gives_the_signature(closed):
    """The wavelet centred at x is the transform of delta_x = M^-1 e_x."""
    x = 17
    delta = np.linalg.solve(closed.mass.toarray(), np.eye(closed.mesh.n_vertices)[x])
    found = wavelet_transform(closed, delta, n_scales=4)[x]
    assert np.allclose(found, compute_wavelets(closed, n_scales=4)[x])


def test_constants_have_no_wavelets(closed, two_parts):
    for d in (closed, two_parts):
        assert np.allclose(wavelet_transform(d, np.full(d.mesh.n_vertices, 3.0)), 0, atol=1e-12)


def test_scales(closed):
    grid = resolve_scales(closed, n_scales=3)
    assert np.allclose(grid[[0, -1]] / closed.surface_area, [1 / (4 * np.pi * 39), 2 / (4 * np.pi)])
    own = resolve_scales(closed, n_scales=3, scale="raw")
    assert np.allclose(own[[0, -1]], [1 / closed.eigenvalues[-1], 2 / closed.eigenvalues[1]])
    assert np.allclose(resolve_scales(closed, [0.1], scale="area"), 0.1 * closed.surface_area)


def test_scaling_and_masks(closed, masked, rescale):
    assert np.allclose(compute_wavelets(rescale(closed, 1e4)) * 1e8, compute_wavelets(closed), rtol=1e-9)
    f = np.where(masked.domain, 1.0, np.nan) * masked.mesh.vertices[:, 0]
    for found in (compute_wavelets(masked), wavelet_transform(masked, f)):
        assert np.array_equal(np.isnan(found).any(axis=1), ~masked.domain)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"kernel": "meyer"}, "kernel: expected one of"), ({"scales": [0.0]}, "scales: expected positive")],
)
def test_bad_options(closed, option, message):
    with pytest.raises(ArrayError, match=message):
        compute_wavelets(closed, **option)


def test_one_map_at_a_time(closed):
    with pytest.raises(ArrayError, match=r"values: expected shape \(N,\)"):
        wavelet_transform(closed, closed.eigenvectors[:, :2])
