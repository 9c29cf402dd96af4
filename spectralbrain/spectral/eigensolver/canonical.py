"""One answer out of many: the sign of an eigenvector, the basis inside a multiple eigenvalue."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Panels

# |integral of phi^3| below this fraction of integral of |phi|^3 counts as zero: an antisymmetric mode.
SYMMETRIC_SKEWNESS = 1e-4
# Vertices within this fraction of the largest value are peers; the first of them decides.
PEER_FRACTION = 0.9


def clusters(values: FloatArray, rtol: float) -> list[slice]:
    """Return runs of eigenvalues whose neighbours differ by at most `rtol`, relative to the later one.

    Examples
    --------
    >>> clusters(np.array([0.0, 2.0, 2.0, 5.0]), 1e-9)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 4, None)]
    """
    if len(values) == 0:
        return []
    breaks = np.flatnonzero(np.diff(values) > rtol * np.abs(values[1:])) + 1
    edges = [0, *breaks.tolist(), len(values)]
    return [slice(a, b) for a, b in pairwise(edges)]


def fix_basis(
    panels: Panels,
    values: FloatArray,
    vectors: FloatArray,
    weights: FloatArray,
    numbers: IntArray,
    rtol: float,
) -> bool:
    """Turn eigenvectors, in place, into a basis that does not depend on how they were computed.

    Inside a cluster the diagonal of the eigenspace's projector is independent of the basis. The vertex
    where it is largest is the first pivot; its row decides the first vector, which alone is non-zero
    there; the rest of the space is treated in the same way (a Cholesky factorisation of the projector
    with diagonal pivoting). Then every vector takes the sign that makes the integral of phi^3 positive;
    where that integral vanishes by symmetry, the first vertex with a large value is positive.

    Parameters
    ----------
    panels : Panels
        Row partition.
    values : (m,) array
        Ascending eigenvalues.
    vectors : (n, m) array
        B-orthonormal eigenvectors.
    weights : (n,) array
        Area of each vertex (row sums of B), for the integrals.
    numbers : (n,) array of int
        Number of each row's unknown: the first of several is the one with the lowest.
    rtol : float
        Neighbouring eigenvalues closer than this, relatively, belong to one multiple eigenvalue.

    Returns
    -------
    bool
        Whether there was a multiple eigenvalue.
    """
    multiple = [run for run in clusters(values, rtol) if run.stop - run.start > 1]
    for run in multiple:
        vectors[:, run] = pivoted_basis(vectors[:, run], numbers)

    def integrals(rows: slice) -> FloatArray:
        mine = vectors[rows, : len(values)]
        cubes = mine * mine * mine
        odd = weights[rows] @ cubes
        np.abs(cubes, out=cubes)
        return np.stack([odd, weights[rows] @ cubes])

    skewness, scale = panels.total(integrals)
    signs = np.where(skewness < 0, -1.0, 1.0)
    for i in np.flatnonzero(np.abs(skewness) <= SYMMETRIC_SKEWNESS * scale):
        size = np.abs(vectors[:, i])
        signs[i] = np.sign(vectors[_first_peer(size, numbers), i])

    def flip(rows: slice) -> None:
        vectors[rows, : len(values)] *= signs

    panels.each(flip)
    return bool(multiple)


def _first_peer(sizes: FloatArray, numbers: IntArray) -> int:
    """Return the row with the lowest number of those whose size is close to the largest."""
    peers = np.flatnonzero(sizes >= PEER_FRACTION * sizes.max())
    return int(peers[np.argmin(numbers[peers])])


def pivoted_basis(basis: FloatArray, numbers: IntArray) -> FloatArray:
    """Rotate orthonormal columns so that each next one vanishes at the pivot vertices before it."""
    m = basis.shape[1]
    remaining = (basis**2).sum(axis=1)
    pivots: list[int] = []
    for j in range(m):
        pivots.append(_first_peer(remaining, numbers))
        q = np.linalg.qr(basis[pivots].T)[0]
        remaining = remaining - (basis @ q[:, j]) ** 2
    q, r = np.linalg.qr(basis[pivots].T)
    rotated: FloatArray = basis @ (q * np.where(np.diag(r) < 0, -1.0, 1.0))
    return rotated
