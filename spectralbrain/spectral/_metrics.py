"""Distances between vectors: of every two rows, weighted, cosine, Mahalanobis."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import DistanceMatrix, FloatArray, as_array


def weighted_distance(first: FloatArray, second: FloatArray, p: float) -> Any:
    """Return [sum (|a - b| / (a b))^p]^(1/p) over the last axis."""
    terms = np.abs(first - second) / (first * second)
    largest = terms.max(axis=-1, keepdims=True)
    safe = np.where(largest > 0, largest, 1.0)  # scaled by the largest, no power can overflow or vanish
    return largest[..., 0] * np.sum((terms / safe) ** p, axis=-1) ** (1 / p)


def cosine_distance(first: FloatArray, second: FloatArray) -> float:
    """Return 1 - a.b / (||a|| ||b||), from 0 to 2."""
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    if not norms > 0:
        raise ArrayError("cosine: expected descriptors that are not zero throughout")
    return float(np.clip(1 - first @ second / norms, 0, 2))


def whitening(covariance: Any, cov_inv: Any, size: int) -> FloatArray:
    """Return a matrix W with W'W = C^-1."""
    if (covariance is None) == (cov_inv is None):
        raise ArrayError("covariance: expected exactly one of covariance and cov_inv for 'mahalanobis'")
    name = "covariance" if cov_inv is None else "cov_inv"
    given = as_array(covariance if cov_inv is None else cov_inv, DistanceMatrix, name=name, sizes={"S": size})
    if not np.allclose(given, given.T, rtol=1e-8, atol=0):
        raise ArrayError(f"{name}: expected a symmetric matrix")
    try:
        lower = np.linalg.cholesky(given)
    except np.linalg.LinAlgError as error:
        raise ArrayError(
            f"{name}: expected a positive definite matrix; with fewer participants than eigenvalues, "
            "shrink it first"
        ) from error
    if cov_inv is not None:
        return lower.T
    inverse: FloatArray = scipy.linalg.solve_triangular(lower, np.eye(size), lower=True)
    return inverse


def pairwise(rows: FloatArray, distance: Any) -> FloatArray:
    """Return the symmetric matrix of distances between rows; `distance` compares one row with many."""
    matrix = np.zeros((len(rows), len(rows)))
    for i in range(len(rows) - 1):
        matrix[i, i + 1 :] = distance(rows[i], rows[i + 1 :])
    return matrix + matrix.T
