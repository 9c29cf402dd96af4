"""Symmetric polynomials of the heat weights: signatures free of signs and of the order of modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import also_accepts, check_count, check_modes
from spectralbrain.spectral._blocks import drop_negligible, map_rows
from spectralbrain.spectral.clusters import cluster_means, eigenvalue_clusters
from spectralbrain.spectral.grids import TimeUnit, resolve_times

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


@also_accepts(t_values="times")
def compute_bates_signatures(
    decomposition: SpectralDecomposition,
    times: Any = None,
    *,
    n_times: int = 10,
    time: TimeUnit | None = None,
    order: int = 2,
    group_rtol: float | None = None,
    n_threads: int | None = None,
) -> FloatArray:
    """Compute elementary symmetric polynomials of w_j(x, t) = exp(-lambda_j t) phi_j(x)^2.

    e_1 = sum_j w_j is the heat kernel signature; e_2 = sum_(i < j) w_i w_j, and in general
    e_p = sum_(j_1 < ... < j_p) w_(j_1) ... w_(j_p), the sum over all products of p different weights.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    times, n_times, time
        As in :func:`~spectralbrain.compute_hks`.
    order : int
        Highest order p, from 1 to the number of modes (or of clusters).
    group_rtol : float, optional
        Orders above 1 do not change with signs and order of the modes, but do with a rotation inside
        an eigenspace. With `group_rtol`, phi^2 is first summed inside clusters of eigenvalues
        whose relative gaps are at most `group_rtol`, each with its mean eigenvalue, which rotations do
        not change. Membership jumps when a gap crosses `group_rtol`, and the signature jumps with it: near a
        degeneracy it is not continuous in the shape.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N, T * order) array, mm^(-2 p) for order p
        Columns e_1(t_1), ..., e_order(t_1), e_1(t_2), ...; NaN outside the domain. Scaling by s, at fixed t
        / A, multiplies order p by s^(-2 p).

    Raises
    ------
    ArrayError
        If an argument is out of range.

    References
    ----------
    Bates, Pafundi, Kanel, Liu & Mio (2011), IEEE International Symposium on Biomedical Imaging, 1851-1854.
    The paper could not be read; the definition is the one by which SpectralBrain 0.1.0 cites it.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, and to signs and order of the modes; to rotations
    inside an eigenspace only order 1 is, and with `group_rtol` every order.
    Sums run over positive products (partial sums over modes), not over Newton's identities, whose
    differences lose all digits where one weight dominates. SpectralBrain 0.1.0 uses the latter and has no
    grouping; it agrees for given times where those differences are harmless.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> from spectralbrain.spectral.heat_kernel import compute_hks
    >>> decomposition = sphere(2).decompose(k=9)
    >>> signatures = compute_bates_signatures(decomposition, [0.1, 1.0], order=2)
    >>> bool(np.allclose(signatures[:, [0, 2]], compute_hks(decomposition, [0.1, 1.0])))
    True
    """
    check_modes(decomposition)
    grid = resolve_times(decomposition, times, n_times=n_times, time=time)
    top = check_count(order, "order")
    values = decomposition.eigenvalues
    starts = np.arange(len(values))
    if group_rtol is not None:
        clusters = eigenvalue_clusters(decomposition, group_rtol)
        values = cluster_means(values, clusters)
        starts = np.flatnonzero(np.diff(clusters, prepend=-1))
    if top > len(values):
        raise ArrayError(
            f"order: expected at most {len(values)}, the number of modes or clusters, found {order}"
        )
    heat = drop_negligible(np.exp(-np.outer(values, grid)))

    def polynomials(block: FloatArray) -> FloatArray:
        squares = np.square(block)
        if len(starts) < squares.shape[1]:
            squares = np.add.reduceat(squares, starts, axis=1)
        result = np.empty((len(block), len(grid) * top))
        for column in range(len(grid)):
            weights = squares * heat[:, column]
            terms = weights
            for p in range(top):
                result[:, column * top + p] = terms.sum(axis=1)
                if p + 1 < top:  # e_(p+1) = sum_j w_j e_p(modes before j)
                    terms = weights * _shift(np.cumsum(terms, axis=1))
        return result

    width = len(grid) * top
    scratch = 5 * len(starts) + decomposition.eigenvectors.shape[1] + width
    return map_rows(polynomials, decomposition.eigenvectors, width, scratch=scratch, n_threads=n_threads)


def _shift(sums: FloatArray) -> FloatArray:
    """Partial sums over the modes strictly before each, in place."""
    sums[:, 1:] = sums[:, :-1].copy()
    sums[:, 0] *= 0  # keeps NaN rows NaN
    return sums
