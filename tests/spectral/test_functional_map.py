"""Functional maps, ZoomOut and shape differences on maps that are known."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.spectral.functional_map import compute_functional_map, shape_difference, zoomout
from spectralbrain.spectral.maps import decompose_map

WHERE = np.argsort(np.random.default_rng(3).permutation(162))


@pytest.fixture(scope="module")
def shuffled(closed, solve):
    """The same surface, vertices in another order: new vertex WHERE[i] is old vertex i."""
    mesh = closed.mesh
    return solve(BrainMesh(mesh.vertices[np.argsort(WHERE)], WHERE[mesh.faces]), 40)


def test_identity(closed):
    found = compute_functional_map(closed, closed, correspondence=np.arange(162), k=20)
    assert np.allclose(found, np.eye(20))


def test_takes_coefficients_over(closed, shuffled):
    c = compute_functional_map(shuffled, closed, correspondence=WHERE, k=30)
    f = closed.eigenvectors[:, :30] @ np.arange(30.0)
    on_source = f[np.argsort(WHERE)]
    assert np.allclose(c @ decompose_map(shuffled, on_source)[:30], np.arange(30.0))
    assert np.allclose(np.abs(c), np.eye(30), atol=1e-8)


def test_descriptors_find_an_isometry(closed, shuffled):
    c = compute_functional_map(shuffled, closed, k=8)
    truth = compute_functional_map(shuffled, closed, correspondence=WHERE, k=8)
    assert np.allclose(c, truth, atol=0.05)


def test_solves_the_published_problem(closed, shuffled):
    """The gradient of ||CA - B||^2 + w ||C L_s - L_t C||^2 vanishes at the result."""
    rng = np.random.default_rng(0)
    pair, w, k = (rng.normal(size=(162, 9)), rng.normal(size=(162, 9))), 0.3, 6
    c = compute_functional_map(shuffled, closed, descriptors=pair, k=k, commutativity=w)
    a, b = (decompose_map(d, f)[:k] for d, f in zip((shuffled, closed), pair, strict=True))
    norms = np.linalg.norm(a, axis=0)
    ls, lt = (
        np.diag(d.eigenvalues[:k]) / max(shuffled.eigenvalues[k - 1], closed.eigenvalues[k - 1])
        for d in (shuffled, closed)
    )
    commutator = c @ ls - lt @ c
    gradient = (c @ a / norms - b / norms) @ (a / norms).T + w * (commutator @ ls - lt @ commutator)
    assert np.allclose(gradient, 0, atol=1e-9)


def test_zoomout_finds_the_vertices(closed, shuffled):
    start = compute_functional_map(shuffled, closed, k=8)
    found = zoomout(shuffled, closed, start, k_final=30, step=2)
    assert (found.correspondence == WHERE).all()
    assert np.allclose(found.matrix, compute_functional_map(shuffled, closed, correspondence=WHERE, k=30))


def test_zoomout_steps_are_the_published_ones(closed, shuffled):
    start = compute_functional_map(shuffled, closed, k=5) + 0.05
    found = zoomout(shuffled, closed, start, k_final=6)
    c = start
    for size in (6, 6):
        places = shuffled.eigenvectors[:, : len(c)] @ c.T
        queries = closed.eigenvectors[:, : len(c)]
        p = np.linalg.norm(queries[:, None] - places[None], axis=2).argmin(axis=1)
        c = closed.eigenvectors[:, :size].T @ (closed.mass @ shuffled.eigenvectors[p, :size])
    assert np.array_equal(found.correspondence, p)
    assert np.allclose(found.matrix, c)


def test_zoomout_masked(masked):
    found = zoomout(masked, masked, np.eye(6), k_final=25)
    inside = masked.domain
    assert (found.correspondence[~inside] == -1).all()
    assert (found.correspondence[inside] == np.flatnonzero(inside)).all()


def test_area_difference_of_a_scaled_copy(closed, rescale):
    """Scaling by s multiplies areas by s^2, so V = s^2; the map is conformal, so R = 1."""
    large = rescale(closed, 3.0)
    c = compute_functional_map(closed, large, correspondence=np.arange(162), k=15)
    assert np.allclose(shape_difference(c, closed, large), 9 * np.eye(15))
    assert np.allclose(shape_difference(c, closed, large, kind="conformal"), np.eye(14))


def test_differences_are_inner_products(closed, solve):
    other = solve(BrainMesh(closed.mesh.vertices * [1.2, 1, 0.8], closed.mesh.faces), 161)
    c = np.vstack([compute_functional_map(closed, other, correspondence=np.arange(162), k=40)])
    full = other.eigenvectors.T @ (other.mass @ closed.eigenvectors[:, :10])  # all modes of the target
    f = closed.eigenvectors[:, :10]
    assert np.allclose(shape_difference(full, closed, other), f.T @ (other.mass @ f), rtol=1e-2, atol=2e-2)
    r = shape_difference(c, closed, other, kind="conformal")
    assert r.shape == (39, 39)
    assert (np.linalg.eigvals(r).real > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: compute_functional_map(d, d, k=41), "k: expected at most 40"),
        (
            lambda d: compute_functional_map(d, d, correspondence=np.arange(162), descriptors=(1, 2)),
            "found both",
        ),
        (
            lambda d: compute_functional_map(d, d, descriptors=(np.ones((162, 2)), np.ones((162, 3)))),
            "equal D",
        ),
        (
            lambda d: compute_functional_map(d, d, descriptors=(np.ones((162, 2)),) * 2, commutativity=0),
            "2 of them do not determine",
        ),
        (lambda d: compute_functional_map(d, d, commutativity=-1), "commutativity: expected at least 0"),
        (
            lambda d: compute_functional_map(d, d, descriptors=(np.zeros((162, 2)),) * 2),
            "not zero throughout",
        ),
        (lambda d: zoomout(d, d, np.ones((2, 3))), "initial: expected a square"),
        (lambda d: zoomout(d, d, np.eye(9), k_final=5), "k_final: expected 9 to 40, found 5"),
        (lambda d: shape_difference(np.eye(41), d, d), "matrix: expected at most shape"),
        (lambda d: shape_difference(np.eye(4), d, d, kind="shape"), "kind: expected one of"),
    ],
)
def test_bad_arguments(closed, call, message):
    with pytest.raises(ArrayError, match=message):
        call(closed)
