"""Distances between points of one surface: diffusion, commute time, biharmonic.

All three are d(x, y)^2 = sum_i g(lambda_i) (phi_i(x) - phi_i(y))^2: Euclidean distances between rows of
the eigenvectors scaled by sqrt(g), invariant to rigid motion, the order of vertices, signs and rotations
inside an eigenspace. Only the rows asked for are formed; no N x N matrix unless all vertices are
sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral._arguments import also_accepts, check_choice, check_modes, check_positive
from spectralbrain.spectral._blocks import map_rows
from spectralbrain.spectral.distance import DistanceArray
from spectralbrain.spectral.grids import TimeUnit
from spectralbrain.spectral.spectrum import non_null_eigenvalues

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

# Below this part of the squared norms, |a|^2 + |b|^2 - 2 a.b has lost four digits: subtract first there.
CLOSE = 1e-4


@also_accepts(indices="sources")
def diffusion_distance(
    decomposition: SpectralDecomposition,
    t: float,
    sources: Any = None,
    targets: Any = None,
    *,
    time: TimeUnit = "raw",
    n_threads: int | None = None,
) -> DistanceArray:
    """Compute d(x, y)^2 = sum_i exp(-2 lambda_i t) (phi_i(x) - phi_i(y))^2.

    The L2 distance between the heat kernels k_t(x, .) and k_t(y, .).

    Parameters
    ----------
    decomposition : SpectralDecomposition
    t : float
        Diffusion time, mm^2, or a multiple of the area (see `time`).
    sources, targets : (S,), (T,) array of int, optional
        Vertex indices; all vertices by default. All against all is an N x N matrix.
    time : {'raw', 'area'}
        Unit of `t`.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (S, T) DistanceArray, mm^-1
        With `k`. NaN for vertices outside the domain.

    Raises
    ------
    ArrayError
        If an index is out of range or t is not positive.

    References
    ----------
    Coifman & Lafon (2006), Applied and Computational Harmonic Analysis 21, 5-30,
    doi:10.1016/j.acha.2006.04.006: definition of the diffusion distance.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace;
    at fixed t / A, scaling by s multiplies it by 1 / s.
    SpectralBrain 0.1.0 agrees (its `indices` is accepted for `sources`), up to the digits it loses between
    nearby points.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> diffusion_distance(sphere(2).decompose(k=9), 0.1, [0, 1], [1, 2, 3]).shape
    (2, 3)
    """
    check_modes(decomposition)
    check_choice(time, ("raw", "area"), "time")
    moment = check_positive(t, "t") * (decomposition.surface_area if time == "area" else 1.0)
    gains = np.exp(-2 * decomposition.eigenvalues[decomposition.n_null_modes :] * moment)
    found = _distances(decomposition, gains, sources, targets, 1.0, n_threads)
    return DistanceArray(found, k=len(gains), unit="mm^-1", method="diffusion")


@also_accepts(indices="sources")
def commute_time_distance(
    decomposition: SpectralDecomposition,
    sources: Any = None,
    targets: Any = None,
    *,
    n_threads: int | None = None,
) -> DistanceArray:
    """Compute d(x, y)^2 = sum_i (phi_i(x) - phi_i(y))^2 / lambda_i.

    The distance between global point signatures. On a surface the sum diverges like log k for every pair
    of points: distances for different k are not comparable, and k belongs to the result. The
    biharmonic distance converges. A random walk's commute time on a graph is d^2 times the graph's volume, a
    factor that is left out here.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    sources, targets : (S,), (T,) array of int, optional
        Vertex indices; all vertices by default. All against all is an N x N matrix.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (S, T) DistanceArray, dimensionless
        With `k`. NaN for vertices outside the domain, infinite between components without boundary condition.

    Raises
    ------
    ArrayError
        If an index is out of range.

    References
    ----------
    Qiu & Hancock (2007), IEEE Trans. Pattern Analysis and Machine Intelligence 29, 1873-1890,
    doi:10.1109/TPAMI.2007.1103: commute time from the spectrum.
    Rustamov (2007), Symposium on Geometry Processing, 225-233: the embedding.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace,
    and to scaling.
    SpectralBrain 0.1.0 agrees on a connected surface with lambda_1 > 1e-10 mm^-2 (smaller eigenvalues it
    leaves out); between components it returns a finite number, the null modes left out.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> found = commute_time_distance(sphere(2).decompose(k=9), [0], [0])
    >>> float(found[0, 0]), found.k
    (0.0, 8)
    """
    check_modes(decomposition)
    gains = 1 / non_null_eigenvalues(decomposition)
    found = _distances(decomposition, gains, sources, targets, np.inf, n_threads)
    return DistanceArray(found, k=len(gains), unit="1", method="commute_time")


@also_accepts(indices="sources")
def biharmonic_distance(
    decomposition: SpectralDecomposition,
    sources: Any = None,
    targets: Any = None,
    *,
    n_threads: int | None = None,
) -> DistanceArray:
    """Compute d(x, y)^2 = sum_i (phi_i(x) - phi_i(y))^2 / lambda_i^2.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    sources, targets : (S,), (T,) array of int, optional
        Vertex indices; all vertices by default. All against all is an N x N matrix.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (S, T) DistanceArray, mm
        With `k`. NaN for vertices outside the domain, infinite between components without boundary
        condition. Converges with k.

    Raises
    ------
    ArrayError
        If an index is out of range.

    References
    ----------
    Lipman, Rustamov & Funkhouser (2010), ACM Transactions on Graphics 29(3), 27,
    doi:10.1145/1805964.1805971: definition of the continuous biharmonic distance.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace;
    scaling by s multiplies it by s.
    SpectralBrain 0.1.0 agrees on a connected surface with lambda_1 > 1e-10 mm^-2 (smaller eigenvalues it
    leaves out); between components it returns a finite number, the null modes left out.

    Examples
    --------
    On the unit sphere, poles are sqrt(sum over odd l of (2 l + 1) / (l (l + 1))^2 / pi) apart:

    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(4)
    >>> top, bottom = ball.vertices[:, 2].argmax(), ball.vertices[:, 2].argmin()
    >>> float(biharmonic_distance(ball.decompose(k=25), [top], [bottom])[0, 0].round(2))
    0.5
    """
    check_modes(decomposition)
    gains = non_null_eigenvalues(decomposition) ** -2.0
    found = _distances(decomposition, gains, sources, targets, np.inf, n_threads)
    return DistanceArray(found, k=len(gains), unit="mm", method="biharmonic")


def _distances(
    decomposition: SpectralDecomposition,
    gains: FloatArray,
    sources: Any,
    targets: Any,
    null_gain: float,
    n_threads: int | None,
) -> FloatArray:
    """Distances of scaled eigenvector rows; null modes enter between components only, where they differ."""
    n = len(decomposition.eigenvectors)
    rows, columns = (_indices(v, n, name) for v, name in ((sources, "sources"), (targets, "targets")))
    nulls = decomposition.n_null_modes
    root = np.sqrt(gains)
    start = decomposition.eigenvectors[rows, nulls:] * root
    norms = np.einsum("sk,sk->s", start, start)
    vectors = decomposition.eigenvectors[:, nulls:]

    def to_sources(block: FloatArray) -> FloatArray:
        points = vectors[block[:, 0].astype(np.int64)] * root
        sums = np.einsum("nk,nk->n", points, points)[:, None] + norms
        squares = sums - 2 * (points @ start.T)
        close = np.argwhere(squares < CLOSE * sums)
        for part in range(0, len(close), 4096):
            i, j = close[part : part + 4096].T
            gap = points[i] - start[j]
            squares[i, j] = np.einsum("nk,nk->n", gap, gap)
        distances: FloatArray = np.sqrt(squares)
        return distances

    order = columns[:, None].astype(float)  # the row's vertex; exact in float64
    scratch = len(root) + 3 * len(rows)
    result = map_rows(to_sources, order, len(rows), scratch=scratch, n_threads=n_threads).T
    if nulls > 1 or (nulls and decomposition.metadata.get("n_components", 1) > 1):
        return _across_components(decomposition, result, rows, columns, null_gain)
    return result


def _across_components(
    decomposition: SpectralDecomposition,
    result: FloatArray,
    rows: IntArray,
    columns: IntArray,
    null_gain: float,
) -> FloatArray:
    """Add the null modes' part: (phi_0(x) - phi_0(y))^2 times the gain, where x and y are not connected."""
    labels = vertex_components(decomposition)
    nulls = decomposition.eigenvectors[:, : decomposition.n_null_modes]
    energy = np.nansum(
        np.where(np.isnan(nulls), 0.0, nulls * (decomposition.mass @ np.nan_to_num(nulls))), axis=1
    )
    floating = (
        np.bincount(labels, weights=energy) > 0.5
    )  # a component without a Dirichlet edge holds one null mode
    apart = labels[rows][:, None] != labels[columns][None, :]
    touched = apart & (floating[labels[rows]][:, None] | floating[labels[columns]][None, :])
    if np.isinf(null_gain):
        return np.where(touched & ~np.isnan(result), np.inf, result)
    gap = np.zeros(result.shape)
    for mode in range(nulls.shape[1]):
        gap += (nulls[rows, mode][:, None] - nulls[columns, mode][None, :]) ** 2
    return np.where(touched, np.sqrt(result**2 + null_gain * gap), result)


def vertex_components(decomposition: SpectralDecomposition) -> IntArray:
    """Return the number of the connected component that each vertex of the domain belongs to, (N,) array."""
    domain, faces = decomposition.domain, decomposition.mesh.faces
    if decomposition.metadata.get("point_cloud"):  # each null mode is constant on one component
        nulls = np.nan_to_num(decomposition.eigenvectors[:, : decomposition.n_null_modes])
        return np.asarray(np.abs(nulls).argmax(axis=1), dtype=np.int64)
    kept = faces[domain[faces].all(axis=1)]
    n = decomposition.mesh.n_vertices
    pairs = np.vstack([kept[:, [0, 1]], kept[:, [1, 2]]])
    graph = sp.coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    labels: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _indices(given: Any, n: int, name: str) -> IntArray:
    if given is None:
        return np.arange(n)
    index = np.atleast_1d(np.asarray(given))
    if index.ndim != 1 or index.dtype.kind not in "iu" or not len(index):
        raise ArrayError(
            f"{name}: expected a list of vertex indices, found {index.dtype} of shape {index.shape}"
        )
    if index.min() < 0 or index.max() >= n:
        raise ArrayError(f"{name}: expected indices in [0, {n - 1}], found {index.min()} to {index.max()}")
    return index.astype(np.int64)
