"""Symmetric polynomials against all products written out, and where invariance starts and ends."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.heat_kernel import compute_hks
from spectralbrain.spectral.symmetric_polynomials import compute_bates_signatures


def test_equals_all_products_written_out(closed):
    d = closed.truncate(7)
    times = [2.0, 40.0]
    found = compute_bates_signatures(d, times, order=4)
    for vertex in (0, 50, 161):
        expected = []
        for t in times:
            weights = np.exp(-d.eigenvalues * t) * d.eigenvectors[vertex] ** 2
            expected += [sum(prod(c) for c in combinations(weights, p)) for p in (1, 2, 3, 4)]
        assert np.allclose(found[vertex], expected, rtol=1e-12, atol=0)


def test_order_one_is_the_heat_kernel_signature(closed):
    found = compute_bates_signatures(closed, n_times=6, order=1)
    assert np.allclose(found, compute_hks(closed, n_times=6), rtol=1e-13)


def test_digits_survive_where_one_weight_dominates(closed):
    """At late times only the null mode is left; Newton's e1^2 - sum w^2 would be rounding noise."""
    d, t = closed.truncate(3), 5000.0
    weights = [
        Fraction(float(np.exp(-lam * t))) * Fraction(float(p)) ** 2
        for lam, p in zip(d.eigenvalues, d.eigenvectors[5], strict=True)
    ]
    exact = float(weights[0] * weights[1] + weights[0] * weights[2] + weights[1] * weights[2])
    assert exact < 1e-12 * float(weights[0]) ** 2
    assert np.isclose(compute_bates_signatures(d, [t])[5, 1], exact, rtol=1e-10, atol=0)


def test_signs_and_order_do_not_matter(closed, change):
    rng = np.random.default_rng(2)
    shuffle = rng.permutation(len(closed.eigenvalues))
    same = closed.eigenvalues * 0 + closed.eigenvalues.mean()
    d = change(closed, eigenvalues=same)
    signs = rng.choice([-1.0, 1.0], len(same))
    other = change(closed, eigenvalues=same, eigenvectors=(closed.eigenvectors * signs)[:, shuffle])
    assert np.allclose(
        compute_bates_signatures(d, n_times=3, order=3),
        compute_bates_signatures(other, n_times=3, order=3),
        rtol=1e-11,
    )


def turned(d, change):
    """Three modes made degenerate, then rotated among themselves."""
    values, vectors = d.eigenvalues.copy(), d.eigenvectors.copy()
    values[2:5] = values[2:5].mean() * np.array([1, 1 + 1e-9, 1 + 2e-9])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    vectors[:, 2:5] = vectors[:, 2:5] @ turn
    return change(d, eigenvalues=values), change(d, eigenvalues=values, eigenvectors=vectors)


def test_rotations_matter_from_order_two_unless_grouped(closed, change):
    before, after = turned(closed, change)
    plain = [compute_bates_signatures(d, n_times=3) for d in (before, after)]
    assert np.allclose(plain[0][:, ::2], plain[1][:, ::2], rtol=1e-7)
    assert not np.allclose(plain[0][:, 1::2], plain[1][:, 1::2], rtol=1e-3)
    grouped = [compute_bates_signatures(d, n_times=3, order=3, group_rtol=1e-6) for d in (before, after)]
    assert np.allclose(*grouped, rtol=1e-9)


def test_grouping_nothing_changes_nothing(closed):
    plain = compute_bates_signatures(closed, n_times=3, order=3)
    assert np.allclose(
        compute_bates_signatures(closed, n_times=3, order=3, group_rtol=0.0), plain, rtol=1e-12
    )


def test_scaling(closed, rescale):
    base = compute_bates_signatures(closed, n_times=2, order=2)
    scaled = compute_bates_signatures(rescale(closed, 100.0), n_times=2, order=2)
    assert np.allclose(scaled, base * 100.0 ** -np.array([2, 4, 2, 4]), rtol=1e-9)


def test_masked_rows_are_nan(masked):
    found = compute_bates_signatures(masked, n_times=2, order=3)
    assert np.array_equal(np.isnan(found).all(axis=1), ~masked.domain)
    assert np.array_equal(np.isnan(found).any(axis=1), ~masked.domain)


def test_names_of_the_peer(closed):
    assert np.array_equal(
        compute_bates_signatures(closed, t_values=[3.0]), compute_bates_signatures(closed, [3.0])
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"order": 0}, "order: expected a whole number >= 1"),
        ({"order": 41}, "order: expected at most 40"),
        ({"group_rtol": 2.0}, "rtol"),
    ],
)
def test_bad_options(closed, option, message):
    with pytest.raises(ArrayError, match=message):
        compute_bates_signatures(closed, **option)
