"""The light half of a decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry.solids import ellipsoid
from spectralbrain.io.export import save_hdf5
from spectralbrain.spectral.spectrum import Spectrum, non_null_eigenvalues

FACTS = {"n_null_modes": 1, "surface_area": 4.0}


def test_spectrum_is_frozen_and_copies():
    values = np.array([0.0, 1.0, 2.0])
    spectrum = Spectrum(values, FACTS)
    values[1] = 9
    assert spectrum.eigenvalues[1] == 1
    with pytest.raises(ValueError, match="read-only"):
        spectrum.eigenvalues[0] = 3


def test_light_half_of_a_decomposition(closed):
    light = Spectrum.of(closed)
    assert np.array_equal(light.eigenvalues, closed.eigenvalues)
    assert light.surface_area == closed.surface_area
    assert light.metadata["boundary"] == "closed"
    assert Spectrum.of(light) is light


def test_null_modes_are_counted_not_thresholded(closed, pinned, two_parts, rescale):
    assert len(non_null_eigenvalues(closed)) == 39
    assert len(non_null_eigenvalues(two_parts)) == 18
    assert len(non_null_eigenvalues(pinned)) == 20
    huge = rescale(closed, 1e9)  # lambda_1 about 1e-21: below anybody's threshold
    assert huge.eigenvalues[1] < 1e-19
    assert len(non_null_eigenvalues(huge)) == 39


def test_load_reads_the_light_half(tmp_path):
    decomposition = ellipsoid(2).decompose(k=8)
    path = decomposition.save(tmp_path / "modes.h5")
    light = Spectrum.load(path)
    assert np.array_equal(light.eigenvalues, decomposition.eigenvalues)
    assert light.surface_area == decomposition.surface_area
    assert light.metadata["boundary"] == "closed"
    assert not hasattr(light, "eigenvectors")


def test_load_refuses_a_file_without_spectrum(tmp_path):
    path = save_hdf5(tmp_path / "hks.h5", descriptors={"hks": np.ones((3, 2))})
    with pytest.raises(FormatError, match=r"hks\.h5: expected the dataset 'eigenvalues'"):
        Spectrum.load(path)


@pytest.mark.parametrize(
    ("values", "facts", "message"),
    [
        ([2.0, 1.0], FACTS, "ascending"),
        ([], FACTS, "at least one"),
        ([0.0, np.nan], FACTS, "finite"),
        ([0.0, 1.0], {"surface_area": 1.0}, "'n_null_modes'"),
        ([0.0, 1.0], {"n_null_modes": 1}, "'surface_area'"),
        ([0.0, 1.0], {"n_null_modes": 1, "surface_area": 0.0}, "surface_area > 0"),
        ([0.0, 1.0], {"n_null_modes": -1, "surface_area": 1.0}, "n_null_modes >= 0"),
    ],
)
def test_bad_spectra(values, facts, message):
    with pytest.raises(ArrayError, match=message):
        Spectrum(values, facts)


@pytest.mark.parametrize(
    ("values", "k", "message"),
    [
        ([0.0, 1.0], 2, "at most 1 non-null"),
        ([0.0, 1.0], 0, "whole number >= 1"),
        ([0.0], None, "found none"),
        ([0.0, 0.0, 1.0], None, "number of null modes in the metadata is wrong"),
    ],
)
def test_bad_requests(values, k, message):
    with pytest.raises(ArrayError, match=message):
        non_null_eigenvalues(Spectrum(values, FACTS), k)
