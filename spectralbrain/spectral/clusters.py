"""Clusters of nearly equal eigenvalues: inside one, the choice of eigenvectors is arbitrary."""

from __future__ import annotations

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral._arguments import check_number
from spectralbrain.spectral.spectrum import SpectrumLike


def eigenvalue_clusters(spectrum: SpectrumLike, rtol: float) -> IntArray:
    """Number the clusters of eigenvalues.

    Two neighbours belong together if they differ by at most `rtol` times the larger; clusters are
    chains of such neighbours. Null modes are one cluster.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
    rtol : float
        Relative gap, at least 0 and less than 1.

    Returns
    -------
    (k,) array of int
        Ascending cluster numbers from 0.

    Raises
    ------
    ArrayError
        If `rtol` is out of range.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> eigenvalue_clusters(Spectrum([0, 2, 2.001, 6], {"n_null_modes": 1, "surface_area": 1}), 0.01)
    array([0, 1, 1, 2])
    """
    if not 0 <= check_number(rtol, "rtol") < 1:
        raise ArrayError(f"rtol: expected a number from 0 to below 1, found {rtol!r}")
    values = np.asarray(spectrum.eigenvalues, dtype=float)
    apart = np.diff(values) > rtol * np.abs(values[1:])
    nulls = spectrum.n_null_modes
    apart[: max(nulls - 1, 0)] = False
    if 0 < nulls < len(values):
        apart[nulls - 1] = True
    return np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)


def cluster_means(values: FloatArray, clusters: IntArray) -> FloatArray:
    """Return the mean eigenvalue of each cluster, (c,) array, mm^-2."""
    means: FloatArray = np.bincount(clusters, weights=values) / np.bincount(clusters)
    return means
