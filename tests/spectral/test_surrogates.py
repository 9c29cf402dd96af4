"""Surrogates: what stays, what does not, and that chance is uniform and seeded."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.maps import decompose_map
from spectralbrain.spectral.surrogates import eigenstrap, mode_groups, random_rotation


@pytest.fixture(scope="module")
def bump(closed):
    rng = np.random.default_rng(5)
    return closed.eigenvectors @ rng.normal(size=40) + rng.normal(size=162) * 0.001


def energies(d, values):
    c = decompose_map(d, values)
    return [(d.eigenvalues[g] @ c[g] ** 2) for g in mode_groups(d)]


def test_groups_have_odd_sizes_after_the_null_modes(closed, two_parts):
    sizes = [g.stop - g.start for g in mode_groups(closed)]
    assert sizes == [3, 5, 7, 9, 11, 4]
    assert mode_groups(two_parts)[0] == slice(2, 5)


def test_energy_of_each_group_is_preserved(closed, bump):
    base = energies(closed, bump)
    for column in eigenstrap(closed, bump, n_surrogates=5).T:
        assert np.allclose(energies(closed, column), base, rtol=1e-9)
        assert abs(np.corrcoef(column, bump)[0, 1]) < 0.999


def test_it_is_not_a_plain_rotation(closed, bump):
    """Rotating c itself would preserve sum c^2 instead; they differ where eigenvalues differ."""
    c, turned = decompose_map(closed, bump), decompose_map(closed, eigenstrap(closed, bump)[:, 0])
    powers = [((c[g] ** 2).sum(), (turned[g] ** 2).sum()) for g in mode_groups(closed)]
    assert any(abs(a / b - 1) > 1e-3 for a, b in powers)


def test_mean_is_unchanged(closed, two_parts, bump):
    mean = lambda d, f: np.ones(len(f)) @ (d.mass @ f)  # noqa: E731
    assert np.isclose(mean(closed, eigenstrap(closed, bump)[:, 0]), mean(closed, bump))
    f = two_parts.eigenvectors @ np.arange(20.0)
    assert np.allclose(decompose_map(two_parts, eigenstrap(two_parts, f)[:, 0])[:2], [0, 1])


def test_seeded(closed, bump):
    first, again, other = (eigenstrap(closed, bump, n_surrogates=2, seed=s) for s in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert not np.allclose(first, other)
    assert not np.allclose(first[:, 0], first[:, 1])


def test_residual(closed, bump):
    kinds = ("drop", "keep", "permute")
    bare, kept, permuted = (eigenstrap(closed, bump, seed=1, residual=r)[:, 0] for r in kinds)
    rest = bump - closed.eigenvectors @ decompose_map(closed, bump)
    assert np.allclose(kept - bare, rest)
    assert np.allclose(np.sort(permuted - bare), np.sort(rest))
    assert not np.allclose(permuted, kept)


def test_resampling_keeps_the_values_and_breaks_the_energy(closed, bump):
    plain, resampled = (eigenstrap(closed, bump, seed=1, resample=r)[:, 0] for r in (False, True))
    assert np.array_equal(np.sort(resampled), np.sort(bump))
    assert np.array_equal(np.argsort(resampled), np.argsort(plain))
    assert not np.allclose(energies(closed, resampled), energies(closed, bump), rtol=1e-3)


def test_fewer_modes(closed, bump):
    found = eigenstrap(closed, bump, n_modes=16)[:, 0]
    c = decompose_map(closed, found)
    assert np.allclose(c[16:], 0, atol=1e-10)
    assert np.allclose(energies(closed, found)[:3], energies(closed, bump)[:3])


def test_masked(masked):
    f = np.where(masked.domain, masked.mesh.vertices[:, 0], np.nan)
    found = eigenstrap(masked, f, n_surrogates=2, resample=True, residual="permute")
    assert np.array_equal(np.isnan(found).any(axis=1), ~masked.domain)


def test_rotations_are_rotations_and_uniform():
    rng = np.random.default_rng(0)
    many = np.array([random_rotation(3, rng) for _ in range(4000)])
    assert np.allclose(many @ many.transpose(0, 2, 1), np.eye(3))
    assert np.allclose(np.linalg.det(many), 1)
    assert np.abs(many.mean(axis=0)).max() < 0.05
    assert np.allclose((many**2).mean(axis=0), 1 / 3, atol=0.03)
    assert np.isclose(np.trace(many, axis1=1, axis2=2).var(), 1, atol=0.1)  # Haar: 1
    assert random_rotation(1, rng).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"residual": "add"}, "residual: expected one of"),
        ({"n_modes": 41}, "n_modes: expected at most 40"),
        ({"n_modes": 1}, "n_modes: expected a whole number >= 2"),
        ({"n_surrogates": 0}, "n_surrogates"),
    ],
)
def test_bad_options(closed, bump, option, message):
    with pytest.raises(ArrayError, match=message):
        eigenstrap(closed, bump, **option)


def test_dirichlet_is_refused(pinned):
    with pytest.raises(ArrayError, match="found a Dirichlet spectrum"):
        eigenstrap(pinned, np.ones(pinned.mesh.n_vertices))
