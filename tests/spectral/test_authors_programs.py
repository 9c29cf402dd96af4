"""What the docstrings say of the authors' own programs: their formulas, written anew, beside our options."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import zeta

from spectralbrain.spectral.functional_map import shape_difference
from spectralbrain.spectral.heat_kernel import compute_hks, compute_si_hks
from spectralbrain.spectral.maps import decompose_map
from spectralbrain.spectral.point_distance import biharmonic_distance
from spectralbrain.spectral.shape_distance import wesd
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.spectral.surrogates import eigenstrap, random_rotation
from spectralbrain.spectral.wave_kernel import compute_wks
from spectralbrain.spectral.wavelets import KERNELS, resolve_scales


@pytest.fixture(scope="module")
def modes(closed):
    """Eigenvalues and eigenvectors, the constant mode first."""
    return closed.eigenvalues, closed.eigenvectors


def test_sun_leaves_the_constant_mode_out(closed, modes):
    lam, phi = modes
    first, last = 4 * np.log(10) / lam[-1], 4 * np.log(10) / lam[1]
    times = np.exp(np.log(first) + np.log(last / first) / 100 * np.arange(101))
    plain = phi[:, 1:] ** 2 @ np.exp(-np.outer(lam[1:], times))
    scaled = phi[:, 1:] ** 2 @ np.exp(np.outer(lam[1] - lam[1:], times))
    scaled /= np.exp(np.outer(lam[1] - lam[1:], times)).sum(axis=0)
    ours = compute_hks(closed, n_times=101, time="raw")
    constant = 1 / closed.surface_area
    assert np.allclose(ours - constant, plain, rtol=1e-9, atol=1e-12 * constant)
    trace = np.exp(-np.outer(lam, times)).sum(axis=0)
    early = slice(0, 80)  # later h - 1 / A is the difference of nearly equal numbers
    expected = ((ours - constant) / (trace - 1))[:, early]
    assert np.allclose(scaled[:, early], expected, rtol=1e-6, atol=1e-6 * constant)
    assert np.allclose(compute_hks(closed, n_times=101, time="raw", normalization="trace"), ours / trace)


def test_bronstein_demonstration(closed, modes):
    lam, phi = modes
    slopes = []
    for tau in np.linspace(1, 20, 96):
        heat = np.exp(-(2.0**tau) * lam)
        slopes.append(-np.log(2) * (phi**2 @ (2.0**tau * lam * heat)) / (phi**2 @ heat))
    theirs = np.abs(np.fft.fft(np.array(slopes), axis=0)).T[:, 1:20]
    ours = compute_si_hks(closed, time="raw", tau_max=20, tau_step=0.2, n_frequencies=20)
    assert np.allclose(ours[:, 1:], theirs, rtol=1e-8, atol=1e-12)


def test_aubry_program_on_a_surface_of_area_one(closed, modes):
    area = closed.surface_area
    lam, phi = modes[0] * area, modes[1] * np.sqrt(area)
    logs = np.log(np.maximum(np.abs(lam), 1e-6))
    energies = np.linspace(logs[1], logs.max() / 1.02, 100)
    sigma = 6 * (energies[1] - energies[0])
    weights = np.exp(-((energies - logs[:, None]) ** 2) / (2 * sigma**2))
    theirs = phi**2 @ weights / weights.sum(axis=0)
    ours = compute_wks(closed, energies, energy="area", sigma=sigma, normalization="area")
    assert np.allclose(ours, theirs, rtol=1e-9)


def test_aubry_energies_without_area_one_depend_on_the_unit_of_length(closed, rescale):
    ends = []
    for d in (closed, rescale(closed, 1000.0)):
        logs = np.log(d.eigenvalues[1:])
        ends.append(logs[-1] / 1.02 - logs[0])
    assert abs(ends[0] - ends[1]) > 0.1


def test_sgwt_toolbox_kernel_and_scales(closed, modes):
    lam, x = modes[0], np.linspace(0, 5, 501)
    conditions = [[1, 1, 1, 1], [1, 2, 4, 8], [0, 1, 2, 3], [0, 1, 4, 12]]
    spline = np.linalg.solve(conditions, [1, 1, 2, -1])  # value 1 at both ends, slopes of x^2 and 4 / x^2
    middle = spline @ x ** np.arange(4)[:, None]
    theirs = np.where(x < 1, x**2, np.where(x >= 2, 4 / np.maximum(x, 1) ** 2, middle))
    assert np.allclose(KERNELS["abspline"](x), theirs)
    scales = np.exp(np.linspace(np.log(1 / lam[-1]), np.log(2 / lam[1]), 6))
    assert np.allclose(resolve_scales(closed, n_scales=6, scale="raw"), scales)


def test_eigenstrapping_rotates_modes_divided_by_sqrt_lambda(closed, modes):
    lam, phi = modes
    values = closed.mesh.vertices[:, 0] + closed.mesh.vertices[:, 1] ** 2
    c = decompose_map(closed, values)[:16]
    rng, turned = np.random.default_rng(11), phi[:, :16].copy()
    for group in (slice(1, 4), slice(4, 9), slice(9, 16)):
        rotation = random_rotation(group.stop - group.start, rng)
        turned[:, group] = phi[:, group] / np.sqrt(lam[group]) @ rotation * np.sqrt(lam[group])
    assert np.allclose(eigenstrap(closed, values, seed=11, n_modes=16)[:, 0], turned @ c)


def test_lapy_and_brainprint_count_the_null_mode_as_the_first(closed, modes):
    theirs = modes[0] * closed.surface_area / (np.arange(len(modes[0])) + 1.0)
    assert np.allclose(compute_shapedna(closed, index="lapy"), theirs[1:])


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_wesd_program(pinned, make_grid, solve, p):
    other = solve(make_grid(10, 9, 1.3, 0.8), len(pinned.eigenvalues), boundary="dirichlet")
    xi, zi = pinned.eigenvalues, other.eigenvalues
    rho = (np.abs(xi - zi) / xi / zi) ** p
    volume, mu = max(pinned.surface_area, other.surface_area), max(xi[0], zi[0])
    weyl = [0.5 * 4 * np.pi**2 * n / (np.pi * volume) for n in (1, 2)]
    c = (1 / weyl[0] - 1 / mu) ** p + (1 / weyl[1] - 1 / (3 * mu)) ** p
    k = (1 / weyl[0] - 1 / (2.32 * mu)) ** p
    z = (c + k * (zeta(p) - 1 - 0.5**p)) ** (1 / p)
    assert np.isclose(wesd(pinned, other, p=p), rho.sum() ** (1 / p))
    assert np.isclose(wesd(pinned, other, p=p, score=True), rho.sum() ** (1 / p) / z)


def test_biharmonic_embedding_divides_by_lambda(closed, modes):
    lam, phi = modes
    rows = phi[:, 1:] / lam[1:]
    theirs = np.linalg.norm(rows[[3]] - rows[[50, 90]], axis=1)
    assert np.allclose(biharmonic_distance(closed, [3], [50, 90])[0], theirs)


def test_conformal_difference_is_the_pseudo_inverse_of_fmaplib():
    rng = np.random.default_rng(2)
    c = rng.normal(size=(6, 6))
    lam, mu = (np.r_[0, np.sort(rng.uniform(1, 9, 5))] for _ in range(2))
    source, target = (Spectrum(v, {"n_null_modes": 1, "surface_area": 1.0}) for v in (lam, mu))
    theirs = np.linalg.pinv(np.diag(lam)) @ (c.T @ np.diag(mu) @ c)
    assert np.allclose(shape_difference(c, source, target, kind="conformal"), theirs[1:, 1:])
