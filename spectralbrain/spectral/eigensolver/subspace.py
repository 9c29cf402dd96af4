"""Small dense steps on a tall subspace: orthonormality in the inner product of B, and Ritz pairs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Panels, RowSplit, room_for

# Overlap of eigenvectors whose square does not matter.
SMALL_OVERLAP = 1e-7


def rayleigh_ritz(
    panels: Panels, stiffness: RowSplit, mass: RowSplit, vectors: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the Ritz pairs of a subspace: ascending values and B-orthonormal vectors.

    Parameters
    ----------
    panels : Panels
    stiffness, mass : RowSplit
        A and B.
    vectors : (n, m) array
        Basis of the subspace, overwritten.
    """
    vectors = np.ascontiguousarray(vectors)
    gram = panels.sparse_symmetric_gram(mass, vectors)
    energy = panels.sparse_symmetric_gram(stiffness, vectors)
    inverse = inverse_of(cholesky(gram))
    values, rotation = np.linalg.eigh(inverse @ energy @ inverse.T)
    panels.multiply_right([vectors], inverse.T @ rotation)
    return values, vectors


def orthonormalise_sets(
    panels: Panels, mass: RowSplit, vectors: FloatArray, starts: list[int], n_near: int, errors: FloatArray
) -> None:
    """Make sets of eigenvectors orthonormal to each other, in place.

    Each set is B-orthonormal, and orthogonal to the vectors just before it. Converged vectors of other sets
    have small products E, which X - X C removes to first order if C + C' = E. Each of two vectors gives as
    much as it is wrong: C_ij = E_ij e_j / (e_i + e_j). The correction is so small that it takes single
    precision.

    Parameters
    ----------
    panels : Panels
    mass : RowSplit
        B.
    vectors : (n, m) array
        All sets, one after the other.
    starts : list of int
        First column of each set.
    n_near : int
        How many vectors just before it each set is orthogonal to.
    errors : (m,) array
        In proportion to the accepted residual of each vector.

    Raises
    ------
    ConvergenceError
        If vectors are not orthogonal to half the digits.
    """
    m = vectors.shape[1]
    for start, stop in pairwise([*starts, m]):
        far = max(0, start - n_near)
        if not far:
            continue
        _separate(panels, mass, vectors, far, slice(start, stop), errors)


def _separate(
    panels: Panels, mass: RowSplit, vectors: FloatArray, far: int, mine: slice, errors: FloatArray
) -> None:
    """Make some columns orthogonal to the first `far` ones: see :func:`orthonormalise_sets`."""
    late = panels.copy(vectors[:, mine], room_for(panels.n, mine.stop - mine.start))

    def multiply(rows: slice) -> FloatArray:
        product: FloatArray = vectors[rows, :far].T @ (mass.pieces[rows.start] @ late)
        return product

    overlaps = panels.total(multiply)
    largest = float(np.abs(overlaps).max())
    if not largest < SMALL_OVERLAP:
        raise ConvergenceError(f"windows: eigenvectors overlap by {largest:.0e}")
    share = errors[mine] / (errors[:far, None] + errors[mine])
    from_late = (overlaps * share).astype(np.float32)
    from_early = (overlaps * (1 - share)).T.astype(np.float32)

    def correct(rows: slice) -> None:
        first, second = (vectors[rows, part].astype(np.float32) for part in (slice(far), mine))
        vectors[rows, mine] -= first @ from_late
        vectors[rows, :far] -= second @ from_early

    panels.each(correct)


def orthonormalise_against(
    panels: Panels, mass: RowSplit, vectors: FloatArray, columns: IntArray, block: FloatArray
) -> None:
    """Put a block in the place of some columns of B-orthonormal vectors that it nearly equals.

    Its components along the other columns are removed, and Lowdin's symmetric orthonormalisation
    G^-1/2 changes it least.

    Parameters
    ----------
    panels : Panels
    mass : RowSplit
        B.
    vectors : (n, m) array
        Changed in place.
    columns : (c,) array of int
        Which columns.
    block : (n, c) array
        What replaces them, overwritten.
    """
    product = np.empty_like(block)
    overlaps = panels.gram(vectors, panels.sparse(mass, block, product))
    overlaps[columns] = 0.0

    def subtract(rows: slice) -> None:
        block[rows] -= vectors[rows] @ overlaps

    panels.each(subtract)
    values, rotation = np.linalg.eigh(panels.gram(block, panels.sparse(mass, block, product)))
    root = (rotation / np.sqrt(values)) @ rotation.T

    def replace(rows: slice) -> None:
        vectors[rows, columns] = block[rows] @ root

    panels.each(replace)


def cholesky(gram: FloatArray) -> Any:
    """Return the lower Cholesky factor of a Gram matrix of independent columns."""
    try:
        return np.linalg.cholesky((gram + gram.T) / 2)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError("block Lanczos: a block lost its rank") from error


def inverse_of(lower: FloatArray) -> Any:
    """Return the inverse of a small triangular matrix."""
    return np.linalg.inv(lower)
