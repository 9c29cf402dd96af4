"""Small dense steps on a tall subspace: orthonormality in the inner product of B, and Ritz pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Panels, RowSplit


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
    product = np.empty_like(vectors)
    gram = panels.symmetric_gram(vectors, panels.sparse(mass, vectors, product))
    energy = panels.symmetric_gram(vectors, panels.sparse(stiffness, vectors, product))
    del product
    inverse = inverse_of(cholesky(gram))
    values, rotation = np.linalg.eigh(inverse @ energy @ inverse.T)
    panels.multiply_right([vectors], inverse.T @ rotation)
    return values, vectors


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
