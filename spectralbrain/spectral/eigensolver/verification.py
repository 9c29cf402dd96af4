"""Numbers that say how far a computed spectrum can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.pencil import Pencil

BLOCK = 32


def residual_norms(pencil: Pencil, values: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return an upper bound of ||A phi - lambda B phi|| in the B^-1 norm, for each pair.

    On one triangle the consistent mass matrix is at least half its own diagonal (relative to that
    diagonal its eigenvalues are 1/2, 1/2 and 2), hence r' B^-1 r <= 2 r' diag(B)^-1 r; the lumped
    matrix is its diagonal.

    Parameters
    ----------
    pencil : Pencil
        The eigenproblem.
    values : (m,) array
        Eigenvalues.
    vectors : (n, m) array
        Eigenvectors.

    Returns
    -------
    (m,) array
    """
    diagonal = pencil.mass.diagonal()
    factor = 1.0 if pencil.mass.nnz == pencil.n else 2.0
    norms = np.empty(len(values))
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        phi = np.ascontiguousarray(vectors[:, block])
        residual = pencil.stiffness @ phi - (pencil.mass @ phi) * values[block]
        norms[block] = np.sqrt(factor * (residual**2 / diagonal[:, None]).sum(axis=0))
    return norms


def orthonormality_error(mass: Any, vectors: FloatArray) -> float:
    """Return the largest entry of |Phi' B Phi - I|."""
    worst = 0.0
    for start in range(0, vectors.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        gram = (mass @ np.ascontiguousarray(vectors[:, block])).T @ vectors
        rows = np.arange(gram.shape[0])
        gram[rows, start + rows] -= 1
        worst = max(worst, float(np.abs(gram).max()))
    return worst


def discretization_errors(masses: Any, vectors: FloatArray, *, consistent: bool) -> FloatArray:
    """Return the estimated relative discretisation error of each eigenvalue.

    The consistent mass matrix overestimates an eigenvalue by about as much as the lumped one
    underestimates it (on a line with spacing h: 1 + lambda h^2 / 12 against 1 - lambda h^2 / 12; Strang &
    Fix 1973, section 6.3), so half the relative difference of the two Rayleigh quotients of phi
    estimates the error of either.

    Parameters
    ----------
    masses : pair of (n, n) sparse arrays
        The consistent and the lumped mass matrix.
    vectors : (n, m) array
        Eigenvectors.
    consistent : bool
        Whether the eigenvalues belong to the consistent matrix.

    Returns
    -------
    (m,) array
        Positive where the eigenvalue is too large.
    """
    quotients = np.empty((2, vectors.shape[1]))
    for row, mass in zip(quotients, masses, strict=True):
        for start in range(0, vectors.shape[1], BLOCK):
            block = np.ascontiguousarray(vectors[:, start : start + BLOCK])
            row[start : start + BLOCK] = np.einsum("ij,ij->j", block, mass @ block)
    errors: FloatArray = (quotients[1] - quotients[0]) / quotients.sum(axis=0)
    return errors if consistent else -errors
