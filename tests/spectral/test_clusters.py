"""Clusters of eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.clusters import cluster_means, eigenvalue_clusters
from spectralbrain.spectral.spectrum import Spectrum


def spectrum(values, nulls=1):
    return Spectrum(values, {"n_null_modes": nulls, "surface_area": 1.0})


@pytest.mark.parametrize(
    ("values", "nulls", "expected"),
    [
        ([0, 1, 1.005, 1.011, 2], 1, [0, 1, 1, 1, 2]),  # a chain: the ends differ by more than rtol
        ([0, 1e-13, 1, 2], 2, [0, 0, 1, 2]),
        ([-1e-16, 1e-300, 1e-300], 1, [0, 1, 1]),
        ([1, 1, 3], 0, [0, 0, 1]),
        ([0], 1, [0]),
        ([0, 0], 2, [0, 0]),
    ],
)
def test_clusters(values, nulls, expected):
    clusters = eigenvalue_clusters(spectrum(np.array(values, float), nulls), 0.01)
    assert clusters.tolist() == expected


def test_scale_does_not_matter():
    values = np.sort(np.random.default_rng(0).uniform(1, 5, 60))
    found = [eigenvalue_clusters(spectrum([0, *(values * s)]), 0.02).tolist() for s in (1, 1e-12, 1e12)]
    assert found[0] == found[1] == found[2]


def test_exactly_equal_eigenvalues_meet_at_rtol_zero():
    assert eigenvalue_clusters(spectrum([0, 2, 2, 3]), 0.0).tolist() == [0, 1, 1, 2]


def test_means():
    assert cluster_means(np.array([0.0, 1.0, 3.0]), np.array([0, 1, 1])).tolist() == [0.0, 2.0]


@pytest.mark.parametrize("rtol", [-0.1, 1.0])
def test_bad_rtol(rtol):
    with pytest.raises(ArrayError, match="rtol: expected a number from 0"):
        eigenvalue_clusters(spectrum([0, 1]), rtol)
