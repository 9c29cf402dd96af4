"""Every distance says how many modes it compares; numbers made from it say nothing they cannot know."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.spectral.distance import DistanceArray


@pytest.mark.parametrize(
    ("compute", "k", "unit"),
    [
        (lambda d: sb.shapedna_distance(d, d, k=7), 7, "1"),
        (lambda d: sb.wesd(d, d), 39, "mm^2"),
        (lambda d: sb.wesd_matrix([d, d], k=7), 7, "mm^2"),
        (lambda d: sb.shapedna_distance_matrix([d, d]), 39, "1"),
        (lambda d: sb.shapedna_distance_matrix([d, d], normalization="none", index=None), 39, "mm^-2"),
        (lambda d: sb.shapedna_distance_matrix([d, d], metric="cosine", normalization="none"), 39, "1"),
        (lambda d: sb.shapedna_distance_matrix(np.eye(3)), 3, "as given"),
        (lambda d: sb.diffusion_distance(d, 1.0, [0], [1]), 39, "mm^-1"),
        (lambda d: sb.commute_time_distance(d.truncate(9), [0], [1]), 8, "1"),
        (lambda d: sb.biharmonic_distance(d, [0], [1]), 39, "mm"),
        (lambda d: sb.distance_matrix([sb.GroupEntry("a", sb.Spectrum.of(d))], k=5)[0], 5, "1"),
        (lambda d: sb.distance_matrix([sb.GroupEntry("a", None, reason="gone")])[0], 0, ""),
    ],
)
def test_k_and_unit_are_part_of_every_distance(closed, compute, k, unit):
    found = compute(closed)
    assert (found.k, found.unit) == (k, unit)
    assert found.method in ("shapedna", "wesd", "diffusion", "commute_time", "biharmonic")


def test_slices_and_pickles_remember_computations_are_plain():
    d = DistanceArray([[0.0, 2.0], [2.0, 0.0]], k=3, unit="mm^2", method="wesd")
    for same in (d[0], d[:1, 1:], d.copy(), d.T, pickle.loads(pickle.dumps(d))):
        assert (same.k, same.unit, same.method) == (3, "mm^2", "wesd")
    assert repr(d).endswith("k=3, unit='mm^2', method='wesd')")
    for plain in (d + 1, d**2, np.sqrt(d), d == d.T, np.asarray(d)):
        assert type(plain) is np.ndarray
    assert type(d[0, 1]) is np.float64
    assert type(d.sum()) is np.float64
    assert np.array_equal(d, [[0, 2], [2, 0]])
