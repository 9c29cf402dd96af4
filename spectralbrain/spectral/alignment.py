"""Bringing the modes of one surface into the gauge of another, before any map is compared mode by mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray, IntArray, VertexLabels, as_array
from spectralbrain.spectral._arguments import check_count, check_modes
from spectralbrain.spectral.clusters import eigenvalue_clusters
from spectralbrain.spectral.spectrum import Spectrum

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


@dataclass(frozen=True, eq=False)
class ModeAlignment:
    """Modes of a surface in the gauge of a reference.

    Attributes
    ----------
    eigenvectors : (N, k) array, mm^-1
        On the moving surface, still orthonormal with respect to its mass matrix.
    rotation : (k, k) array
        Block-diagonal orthogonal Q: `eigenvectors` are the moving surface's times Q.
    clusters : (k,) array of int
        Modes with the same number were rotated among themselves; a cluster of one has its sign set.
    similarity : (k,) array
        Cosine between each reference mode and the aligned mode carried over to the reference; near 1 where
        the modes correspond, low where their order differs between the surfaces.
    """

    eigenvectors: FloatArray
    rotation: FloatArray
    clusters: IntArray
    similarity: FloatArray


def align_modes(
    moving: SpectralDecomposition,
    reference: SpectralDecomposition,
    *,
    correspondence: Any = None,
    rtol: float = 0.05,
    k: int | None = None,
) -> ModeAlignment:
    """Rotate a surface's modes, inside clusters of eigenvalues, onto those of a reference.

    Signs of modes, and bases inside (nearly) multiple eigenspaces, are arbitrary on every surface. Per
    cluster, the orthogonal Q that minimises || Phi_ref - (Phi_mov Q) o p ||_M over the reference surface,
    with vertex correspondence p, is Q = U V' with (Phi_mov o p)' M Phi_ref = U S V', the singular value
    decomposition (orthogonal Procrustes problem in the inner product M).

    Parameters
    ----------
    moving, reference : SpectralDecomposition
    correspondence : (N_ref,) array of int, optional
        For each reference vertex its vertex on the moving surface. Without it both surfaces must have
        the same vertices in the same order, as surfaces of one template do.
    rtol : float
        Neighbouring modes are one cluster if their eigenvalues differ by at most this, relatively, on
        either surface.
    k : int, optional
        Number of modes; all that both have by default. The last cluster may go on beyond it.

    Returns
    -------
    ModeAlignment
        Eigenvectors in mm^-1; rotation and similarity are dimensionless.

    Raises
    ------
    ArrayError
        If the surfaces have different numbers of vertices and no correspondence is given, an index is out
        of range, the null modes differ in number, or the domains have no vertex in common.

    References
    ----------
    Schönemann (1966), Psychometrika 31, 1-10, doi:10.1007/BF02289451: min || A Q - B || over orthogonal Q.

    Notes
    -----
    Invariant to signs of the moving surface's modes and to rotations inside the clusters, which is its
    purpose; to rigid motion of either surface, to the scale of the reference, and to the order of vertices if
    the correspondence follows it. Scaling the moving surface by s divides its aligned modes by s.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=9)
    >>> aligned = align_modes(decomposition, decomposition)
    >>> bool(np.allclose(aligned.eigenvectors, decomposition.eigenvectors))
    True
    """
    count = _shared_modes(moving, reference, k)
    pulled, inside = carry_over(moving, reference, correspondence, count)
    target = np.where(inside[:, None], reference.eigenvectors[:, :count], 0.0)
    overlap = pulled.T @ (reference.mass @ target)
    clusters = _joint_clusters(moving, reference, count, rtol)
    rotation = np.zeros((count, count))
    for number in np.unique(clusters):
        block = np.ix_(*[np.flatnonzero(clusters == number)] * 2)
        left, _, right = np.linalg.svd(overlap[block])
        rotation[block] = left @ right
    aligned = pulled @ rotation
    weighted = reference.mass @ aligned
    norms = np.sqrt((aligned * weighted).sum(axis=0) * (target * (reference.mass @ target)).sum(axis=0))
    similarity = (target * weighted).sum(axis=0) / norms
    return ModeAlignment(moving.eigenvectors[:, :count] @ rotation, rotation, clusters, similarity)


def carry_over(
    moving: SpectralDecomposition, reference: SpectralDecomposition, correspondence: Any, k: int
) -> tuple[FloatArray, Any]:
    """Return the moving modes at the reference's vertices, zero without data, and where there is data."""
    n_moving, n_reference = len(moving.eigenvectors), len(reference.eigenvectors)
    if correspondence is None:
        if n_moving != n_reference:
            raise ArrayError(
                f"correspondence: expected one between {n_moving} and {n_reference} vertices, found none"
            )
        index = np.arange(n_reference)
    else:
        index = as_array(correspondence, VertexLabels, name="correspondence", sizes={"N": n_reference})
        if index.min() < 0 or index.max() >= n_moving:
            raise ArrayError(
                f"correspondence: expected indices in [0, {n_moving - 1}], found {index.min()} to "
                f"{index.max()}"
            )
    inside = reference.domain & moving.domain[index]
    if not inside.any():
        raise ArrayError("correspondence: the two domains have no vertex in common")
    return np.where(inside[:, None], moving.eigenvectors[index, :k], 0.0), inside


def _shared_modes(a: SpectralDecomposition, b: SpectralDecomposition, k: int | None) -> int:
    check_modes(a, "moving")
    check_modes(b, "reference")
    if a.n_null_modes != b.n_null_modes:
        raise ArrayError(f"n_null_modes: expected equally many, found {a.n_null_modes} and {b.n_null_modes}")
    most = min(len(a.eigenvalues), len(b.eigenvalues))
    if k is None:
        return most
    if check_count(k, "k") > most:
        raise ArrayError(f"k: expected at most {most} modes, found {k}")
    return k


def _joint_clusters(a: SpectralDecomposition, b: SpectralDecomposition, k: int, rtol: float) -> IntArray:
    apart = np.ones(max(k - 1, 0), dtype=bool)
    for decomposition in (a, b):
        apart &= np.diff(eigenvalue_clusters(Spectrum.of(decomposition), rtol)[:k]) > 0
    return np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)
