"""Sums over modes, vertex block by vertex block.

Nearly every descriptor is the matrix product of the squared eigenvectors with a (k, T) matrix of
weights. Squaring all eigenvectors at once would double the memory, so rows are taken in blocks;
blocks are shared among threads of ours, with BLAS at one thread each, so that the bytes of the
result do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.threads import Team

# Temporaries of one block: in the cache of one core, far below a tenth of any input that matters.
BLOCK_BYTES = 2**22
# Weights below this part of the largest vanish in a float64 sum; as denormals they
# cost five times the product.
NEGLIGIBLE = 1e-30


def drop_negligible(weights: FloatArray) -> FloatArray:
    """Set weights to zero that cannot change a sum over modes; each column is judged by its largest."""
    largest = np.abs(weights).max(axis=0, initial=0.0)
    return np.where(np.abs(weights) < NEGLIGIBLE * largest, 0.0, weights)


def map_rows(
    function: Callable[[FloatArray], FloatArray],
    rows: FloatArray,
    width: int,
    *,
    scratch: int,
    n_threads: int | None = None,
) -> FloatArray:
    """Apply a function to blocks of rows.

    Parameters
    ----------
    function : callable
        Takes (n, k) rows, returns (n, width) rows; row by row independent.
    rows : (N, k) array
    width : int
        Columns of the result.
    scratch : int
        Floats of temporary memory that one row needs.
    n_threads : int, optional
        See :func:`spectralbrain.resources.resolve_threads`.

    Returns
    -------
    (N, width) array
    """
    result = np.empty((len(rows), width))
    # Two threads' temporaries together stay below 10 % of input and output, also for small surfaces.
    budget = min(BLOCK_BYTES, (rows.nbytes + result.nbytes) // 40)
    height = max(16, budget // (8 * max(scratch, 1)))
    starts = range(0, len(rows), height)

    def work(start: int) -> None:
        result[start : start + height] = function(rows[start : start + height])

    with Team(resolve_threads(n_threads)) as team:
        team.map(work, starts)
    return result


def sum_of_squares(eigenvectors: FloatArray, weights: FloatArray, n_threads: int | None = None) -> FloatArray:
    """Return sum_i phi_i(x)^2 w_it, the (N, T) product of squared eigenvectors and (k, T) weights."""
    weights = np.ascontiguousarray(drop_negligible(weights))
    k, width = weights.shape
    return map_rows(
        lambda block: np.square(block) @ weights, eigenvectors, width, scratch=k + width, n_threads=n_threads
    )
