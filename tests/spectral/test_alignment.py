"""Aligning modes: scrambled gauges come back, and what cannot correspond says so."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.spectral.alignment import align_modes


def scramble(d, change, seed=0, blocks=((1, 4), (7, 9))):
    rng = np.random.default_rng(seed)
    values, vectors = d.eigenvalues.copy(), d.eigenvectors * rng.choice([-1.0, 1.0], len(d.eigenvalues))
    for start, stop in blocks:
        values[start:stop] = values[start:stop].mean()
        vectors[:, start:stop] = (
            vectors[:, start:stop] @ np.linalg.qr(rng.normal(size=(stop - start,) * 2))[0]
        )
    return change(d, eigenvalues=np.sort(values), eigenvectors=vectors)


def test_scrambled_gauge_comes_back(closed, change):
    moving = scramble(closed, change)
    assert not np.allclose(moving.eigenvectors, closed.eigenvectors)
    found = align_modes(moving, closed, rtol=1e-6)
    assert np.allclose(found.eigenvectors, closed.eigenvectors)
    assert np.allclose(found.similarity, 1)
    assert found.clusters[1] == found.clusters[3] != found.clusters[4]
    assert np.allclose(found.rotation @ found.rotation.T, np.eye(40))


def test_it_is_the_best_rotation(closed, change):
    """No other orthogonal matrix in a cluster comes closer to the reference in the mass norm."""
    moving = scramble(closed, change, blocks=((1, 4),))
    noisy = change(
        moving, eigenvectors=moving.eigenvectors + 0.003 * np.sin(np.arange(162 * 40)).reshape(162, 40)
    )
    found = align_modes(noisy, closed, rtol=1e-6)
    cost = lambda x: np.einsum("nk,nk->", x, closed.mass @ x)  # noqa: E731
    best = cost(found.eigenvectors[:, 1:4] - closed.eigenvectors[:, 1:4])
    rng = np.random.default_rng(1)
    for _ in range(50):
        other = np.linalg.qr(np.eye(3) + 0.1 * rng.normal(size=(3, 3)))[0]
        turned = found.eigenvectors[:, 1:4] @ (other * np.sign(np.diag(other)))
        assert best <= cost(turned - closed.eigenvectors[:, 1:4])


def test_relabelled_surface(closed, solve):
    order = np.random.default_rng(3).permutation(162)  # new vertex i is old vertex order[i]
    where = np.argsort(order)
    moved = solve(BrainMesh(closed.mesh.vertices[order], where[closed.mesh.faces]), 40)
    found = align_modes(moved, closed, correspondence=where, k=12)
    assert np.allclose(found.eigenvectors[where], closed.eigenvectors[:, :12], atol=1e-8)


def test_orthonormal_on_its_own_surface(closed, solve):
    stretched = solve(BrainMesh(closed.mesh.vertices * [1.1, 1, 1], closed.mesh.faces), 30)
    found = align_modes(stretched, closed)
    gram = found.eigenvectors.T @ (stretched.mass @ found.eigenvectors)
    assert np.allclose(gram, np.eye(30))
    assert (found.similarity[:6] > 0.9).all()


def test_masked(masked, change):
    found = align_modes(scramble(masked, change), masked, rtol=1e-6)
    assert np.array_equal(np.isnan(found.eigenvectors[:, 0]), ~masked.domain)
    assert np.allclose(found.similarity, 1)


def test_swapped_modes_have_low_similarity(closed, change):
    vectors = closed.eigenvectors.copy()
    vectors[:, [10, 30]] = vectors[:, [30, 10]]
    found = align_modes(change(closed, eigenvectors=vectors), closed, rtol=1e-9)
    assert (np.abs(found.similarity[[10, 30]]) < 1e-9).all()
    assert np.allclose(np.delete(found.similarity, [10, 30]), 1)


def test_bad_arguments(closed, masked, two_parts, pinned, change):
    with pytest.raises(ArrayError, match="n_null_modes: expected equally many, found 1 and 2"):
        align_modes(closed, two_parts)
    with pytest.raises(ArrayError, match="k: expected at most 30"):
        align_modes(closed, masked, k=31)
    with pytest.raises(ArrayError, match=r"correspondence: expected indices in \[0, 161\]"):
        align_modes(closed, masked, correspondence=np.full(162, 162))
    with pytest.raises(ArrayError, match="rtol"):
        align_modes(closed, closed, rtol=1.5)
    outside = np.full(162, np.flatnonzero(~masked.domain)[0])
    with pytest.raises(ArrayError, match="no vertex in common"):
        align_modes(masked, masked, correspondence=outside)
    with pytest.raises(ArrayError, match="between 221 and 162 vertices"):
        align_modes(change(pinned, metadata={**pinned.metadata, "n_null_modes": 1}), closed)
