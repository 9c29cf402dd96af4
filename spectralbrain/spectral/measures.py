"""Averages, histograms and norms over a surface, weighted by area.

Meshes sample a surface unevenly; an average over vertices would follow the mesh, an average
over area follows the surface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import DescriptorMatrix, FloatArray, ScalarMap, as_array
from spectralbrain.spectral._arguments import check_modes

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


def vertex_areas(decomposition: SpectralDecomposition) -> FloatArray:
    """Return the area that each vertex stands for: the row sums a_i = sum_j M_ij of the mass matrix.

    Parameters
    ----------
    decomposition : SpectralDecomposition

    Returns
    -------
    (N,) array, mm^2
        Zero outside the domain; the sum is the surface area.

    Raises
    ------
    ArrayError
        If what is given is no decomposition.

    Notes
    -----
    Invariant to rigid motion; scaling by s multiplies it by s^2. It follows the order of vertices.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(3).decompose(k=4)
    >>> bool(np.isclose(vertex_areas(decomposition).sum(), decomposition.surface_area))
    True
    """
    check_modes(decomposition)
    areas: FloatArray = np.asarray(decomposition.mass.sum(axis=1), dtype=float).ravel()
    return areas


def check_map(decomposition: SpectralDecomposition, values: Any, *, name: str = "values") -> FloatArray:
    """Return a map (N,) or several (N, M) that is finite wherever the domain is.

    Outside the domain anything is legal and nothing is read.
    """
    check_modes(decomposition)
    array = np.asarray(values) if np.ma.isMaskedArray(values) is False else values
    kind = ScalarMap if np.ndim(array) == 1 else DescriptorMatrix
    checked = as_array(array, kind, name=name, sizes={"N": len(decomposition.eigenvectors)})
    missing = int((~np.isfinite(checked[decomposition.domain])).sum())
    if missing:
        raise ArrayError(f"{name}: expected finite values inside the domain, found {missing} NaN")
    return checked


def area_mean(decomposition: SpectralDecomposition, values: Any) -> FloatArray:
    """Return the mean of a map over the surface, each vertex weighted by its area.

    mean = sum_i a_i f_i / sum_i a_i with :func:`vertex_areas` a_i.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    values : (N,) or (N, M) array
        Values outside the domain are ignored.

    Returns
    -------
    () or (M,) array, unit of the values

    Raises
    ------
    ArrayError
        If a value inside the domain is missing.

    Notes
    -----
    Invariant to rigid motion, scaling, the order of vertices and (to the mesh's accuracy) to the mesh.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(3).decompose(k=4)
    >>> float(area_mean(decomposition, np.full(decomposition.mesh.n_vertices, 2.5)).round(12))
    2.5
    """
    array = check_map(decomposition, values)
    domain = decomposition.domain
    weights = vertex_areas(decomposition)[domain]
    mean: FloatArray = weights @ array[domain] / weights.sum()
    return mean


def area_histogram(
    decomposition: SpectralDecomposition, values: Any, bins: Any = 50
) -> tuple[FloatArray, FloatArray]:
    """Return how much of the surface has which values.

    fraction = sum_i a_i / A over the vertices i whose value lies in the bin, with :func:`vertex_areas` a_i.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    values : (N,) array
    bins : int or (B + 1,) array
        As in :func:`numpy.histogram`.

    Returns
    -------
    fraction : (B,) array, dimensionless
        Fraction of the area in each bin.
    edges : (B + 1,) array, unit of the values

    Raises
    ------
    ArrayError
        If a value inside the domain is missing, or `values` is not one map.

    Notes
    -----
    Invariant to rigid motion, scaling, the order of vertices and (to the mesh's accuracy) to the mesh.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(3)
    >>> fraction, edges = area_histogram(ball.decompose(k=4), ball.vertices[:, 2], [-1.0, 0.0, 1.0])
    >>> fraction.round(1)  # half of the area in either half
    array([0.5, 0.5])
    """
    array = check_map(decomposition, values)
    if array.ndim != 1:
        raise ArrayError(f"values: expected shape (N,), found {array.shape}")
    domain = decomposition.domain
    weights = vertex_areas(decomposition)[domain]
    counts, edges = np.histogram(array[domain], bins=bins, weights=weights)
    return counts / weights.sum(), edges


def area_norm(decomposition: SpectralDecomposition, values: FloatArray) -> FloatArray:
    """Return the L2 norm of maps over the surface, sqrt(f' M f), ignoring what lies outside the domain."""
    inside = np.where(decomposition.domain.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)
    norm: FloatArray = np.sqrt(np.einsum("n...,n...->...", inside, decomposition.mass @ inside))
    return norm
