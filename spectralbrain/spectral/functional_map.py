"""Functional maps: how functions on one surface become functions on another, as small matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import DescriptorMatrix, FloatArray, IntArray, as_array
from spectralbrain.spectral._arguments import (
    check_choice,
    check_count,
    check_modes,
    check_number,
    check_spectrum,
)
from spectralbrain.spectral._blocks import map_rows
from spectralbrain.spectral.alignment import carry_over
from spectralbrain.spectral.grids import wks_energies
from spectralbrain.spectral.maps import decompose_map
from spectralbrain.spectral.spectrum import SpectrumLike
from spectralbrain.spectral.wave_kernel import compute_wks

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

N_DESCRIPTORS = 100


@dataclass(frozen=True, eq=False)
class ZoomOut:
    """A refined functional map and the point map it goes with.

    Attributes
    ----------
    matrix : (k, k) array
        Coefficients on the source to coefficients on the target.
    correspondence : (N_target,) array of int
        For each target vertex a vertex of the source; -1 outside the target's domain.
    """

    matrix: FloatArray
    correspondence: IntArray


def compute_functional_map(
    source: SpectralDecomposition,
    target: SpectralDecomposition,
    *,
    correspondence: Any = None,
    descriptors: tuple[Any, Any] | None = None,
    k: int = 30,
    commutativity: float = 0.1,
) -> FloatArray:
    """Find the matrix C that takes a function's coefficients on the source to those on the target.

    With a point map p from target to source, C = Phi_t' M_t (Phi_s o p). Without one, C minimises
    || C A - B ||^2 + w || C L_s - L_t C ||^2 over descriptors' coefficients A and B, with eigenvalues L
    relative to the largest: functions correspond if their descriptors do, and C nearly commutes with the
    Laplacians.

    Parameters
    ----------
    source, target : SpectralDecomposition
    correspondence : (N_target,) array of int, optional
        For each target vertex its vertex on the source.
    descriptors : pair of (N_source, D) and (N_target, D) arrays, optional
        Functions that correspond; by default the wave kernel signatures at 100 energies in log(lambda A),
        times A. They cannot tell mirror images on a symmetric surface apart.
    k : int
        Size of the map.
    commutativity : float
        Weight w, at least 0.

    Returns
    -------
    (k, k) array, dimensionless
        Rows belong to modes of the target.

    Raises
    ------
    ArrayError
        If both correspondence and descriptors are given, a shape does not fit, there are fewer than k modes,
        or the descriptors do not determine the map.

    References
    ----------
    Ovsjanikov, Ben-Chen, Solomon, Butscher & Guibas (2012), ACM Transactions on Graphics 31(4), 30,
    doi:10.1145/2185520.2185526: functional maps, their estimation from descriptors, and commutativity.
    With a point map: Melzi, Ren, Rodola, Sharma, Wonka & Ovsjanikov (2019), ACM Transactions on Graphics
    38(6), 155, doi:10.1145/3355089.3356524, equation 1.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices and to scaling both surfaces by one factor. It follows
    the choice of modes: with modes Phi_s Q_s and Phi_t Q_t the map is Q_t' C Q_s.
    The SpectralBrain 0.1.0 function of this name solves a problem of the same form with other default
    descriptors (signatures on grids from the two spectra) and a ridge term; maps differ accordingly.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> decomposition = ellipsoid(3).decompose(k=12)
    >>> identity = np.arange(decomposition.mesh.n_vertices)
    >>> found = compute_functional_map(decomposition, decomposition, correspondence=identity, k=6)
    >>> bool(np.allclose(found, np.eye(6)))
    True
    """
    _check_size(source, target, k)
    if correspondence is not None:
        if descriptors is not None:
            raise ArrayError("descriptors: expected only one of correspondence and descriptors, found both")
        pulled, inside = carry_over(source, target, correspondence, k)
        basis = np.where(inside[:, None], target.eigenvectors[:, :k], 0.0)
        direct: FloatArray = basis.T @ (target.mass @ pulled)
        return direct
    if not check_number(commutativity, "commutativity") >= 0:
        raise ArrayError(f"commutativity: expected at least 0, found {commutativity!r}")
    a, b = _coefficients(source, target, descriptors, k)
    scale = max(source.eigenvalues[k - 1], target.eigenvalues[k - 1])
    gaps = (source.eigenvalues[None, :k] - target.eigenvalues[:k, None]) / scale
    gram, right = a @ a.T, b @ a.T
    result = np.empty((k, k))
    for row in range(k):  # the problem decouples into the rows of C
        system = gram + commutativity * np.diag(gaps[row] ** 2)
        if np.linalg.matrix_rank(system, hermitian=True) < k:
            raise ArrayError(f"descriptors: {a.shape[1]} of them do not determine a map of size {k}")
        result[row] = np.linalg.solve(system, right[row])
    return result


def zoomout(
    source: SpectralDecomposition,
    target: SpectralDecomposition,
    initial: Any,
    *,
    k_final: int | None = None,
    step: int = 1,
    n_threads: int | None = None,
) -> ZoomOut:
    """Refine a functional map by turning it into a point map and back, with more modes each time.

    From a map C of size k: p(y) = argmin_x || C Phi_s(x)' - Phi_t(y)' ||, then C = Phi_t' M_t (Phi_s o p) of
    size k + step.

    Parameters
    ----------
    source, target : SpectralDecomposition
    initial : (k, k) array
        A small map, for example of :func:`compute_functional_map` with k around 10.
    k_final : int, optional
        Size of the last map; all modes that both have by default.
    step : int
        Modes added per iteration.
    n_threads : int, optional
        Threads; the result does not depend on them.

    Returns
    -------
    ZoomOut
        The last matrix, dimensionless, and the point map that belongs to it.

    Raises
    ------
    ArrayError
        If sizes do not fit.

    References
    ----------
    Melzi, Ren, Rodola, Sharma, Wonka & Ovsjanikov (2019), ACM Transactions on Graphics 38(6), 155,
    doi:10.1145/3355089.3356524, section 4: equation 2 (points from a map) and equation 1 (a map from points).

    Notes
    -----
    Invariant to rigid motion, to the order of vertices and to scaling both surfaces by one factor. With modes
    Phi_s Q_s and Phi_t Q_t, and Q_t' `initial` Q_s, the points are the same, as long as no size between the
    first and the last cuts through an eigenspace.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> decomposition = ellipsoid(2).decompose(k=12)
    >>> refined = zoomout(decomposition, decomposition, np.eye(4))
    >>> bool((refined.correspondence == np.arange(decomposition.mesh.n_vertices)).all())
    True
    """
    check_modes(source, "source")
    check_modes(target, "target")
    matrix = as_array(initial, DescriptorMatrix, name="initial")
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ArrayError(f"initial: expected a square matrix without NaN, found shape {matrix.shape}")
    most = min(len(source.eigenvalues), len(target.eigenvalues))
    last = most if k_final is None else check_count(k_final, "k_final")
    if not len(matrix) <= last <= most:
        raise ArrayError(f"k_final: expected {len(matrix)} to {most}, found {last}")
    stride = check_count(step, "step")
    size = len(matrix)
    while True:
        points = _point_map(source, target, matrix, n_threads)
        size = min(size + stride, last) if len(matrix) < last else last
        known = np.where(points < 0, 0, points)
        pulled, inside = carry_over(source, target, known, size)
        basis = np.where(inside[:, None], target.eigenvectors[:, :size], 0.0)
        done = len(matrix) == last
        matrix = basis.T @ (target.mass @ pulled)
        if done:
            return ZoomOut(matrix, points)


def shape_difference(
    matrix: Any,
    source: SpectrumLike,
    target: SpectrumLike,
    *,
    kind: Literal["area", "conformal"] = "area",
) -> FloatArray:
    """Return the operator on the source that says how inner products change under a map.

    'area': V = C' C, because <f, V g> on the source is <C f, C g> on the target; the identity if and only
    if the map preserves area (within the modes). 'conformal': R = L_s^-1 C' L_t C, the same for the
    Dirichlet inner product, whose matrix is the eigenvalues; the identity for a conformal map.

    Parameters
    ----------
    matrix : (k, k) array
        Functional map from source to target.
    source, target : SpectralDecomposition or Spectrum
    kind : {'area', 'conformal'}

    Returns
    -------
    (k, k) array, dimensionless
        Without null modes for 'conformal'.

    Raises
    ------
    ArrayError
        If shapes do not fit or the kind is unknown.

    References
    ----------
    Rustamov, Ovsjanikov, Azencot, Ben-Chen, Chazal & Guibas (2013), ACM Transactions on Graphics 32(4), 72,
    doi:10.1145/2461912.2461959: definition of the two operators and their form in the eigenbasis.

    Notes
    -----
    Invariant to rigid motion, to the order of vertices and to the choice of modes on the target; with modes
    Phi_s Q_s on the source the operator is Q_s' V Q_s, and its eigenvalues do not change.
    SpectralBrain 0.1.0 (`shape_difference_operator`) agrees for 'area'; for 'conformal' it returns the
    transpose, C' L_t C L_s^-1, with a row and a column more for each null mode, which only add a zero to the
    eigenvalues.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> shape = Spectrum([0.0, 1.0, 2.0], {"n_null_modes": 1, "surface_area": 1.0})
    >>> shape_difference(np.eye(3), shape, shape, kind="conformal")
    array([[1., 0.],
           [0., 1.]])
    """
    check_spectrum(source, "source")
    check_spectrum(target, "target")
    check_choice(kind, ("area", "conformal"), "kind")
    c = as_array(matrix, DescriptorMatrix, name="matrix")
    if not np.isfinite(c).all():
        raise ArrayError("matrix: expected finite values")
    if c.shape[0] > len(target.eigenvalues) or c.shape[1] > len(source.eigenvalues):
        raise ArrayError(
            f"matrix: expected at most shape ({len(target.eigenvalues)}, {len(source.eigenvalues)}), "
            f"found {c.shape}"
        )
    if kind == "area":
        area: FloatArray = c.T @ c
        return area
    first, second = source.n_null_modes, target.n_null_modes
    inner = c[second:, first:]
    stiff: FloatArray = np.asarray(target.eigenvalues)[second : c.shape[0]]
    result: FloatArray = (inner.T * stiff) @ inner / np.asarray(source.eigenvalues)[first : c.shape[1], None]
    return result


def _check_size(source: SpectralDecomposition, target: SpectralDecomposition, k: int) -> None:
    check_modes(source, "source")
    check_modes(target, "target")
    most = min(len(source.eigenvalues), len(target.eigenvalues))
    if check_count(k, "k") > most:
        raise ArrayError(f"k: expected at most {most} modes, found {k}")


def _coefficients(
    source: SpectralDecomposition, target: SpectralDecomposition, descriptors: Any, k: int
) -> tuple[FloatArray, FloatArray]:
    if descriptors is None:
        energies, sigma = wks_energies(N_DESCRIPTORS, k=max(k, 3))
        descriptors = [
            compute_wks(d, energies, sigma=sigma, energy="area", normalization="area")
            for d in (source, target)
        ]
    a, b = (decompose_map(d, f)[:k] for d, f in zip((source, target), descriptors, strict=True))
    if a.shape != b.shape or a.ndim != 2:
        raise ArrayError(
            f"descriptors: expected two (N, D) arrays with equal D, found {a.shape} and {b.shape}"
        )
    # Areas may differ: coefficients of corresponding functions scale like sqrt(A).
    a, b = a / np.sqrt(source.surface_area), b / np.sqrt(target.surface_area)
    norms = np.linalg.norm(a, axis=0)
    if not (norms > 0).all():
        raise ArrayError("descriptors: expected functions that are not zero throughout")
    return a / norms, b / norms


def _point_map(
    source: SpectralDecomposition, target: SpectralDecomposition, matrix: FloatArray, n_threads: int | None
) -> IntArray:
    """Nearest source vertex of each target vertex, in the space of coefficients."""
    candidates = np.flatnonzero(source.domain)
    places = source.eigenvectors[candidates, : matrix.shape[1]] @ matrix.T
    half = np.einsum("nk,nk->n", places, places) / 2
    queries = np.ascontiguousarray(target.eigenvectors[:, : matrix.shape[0]])

    def nearest(block: FloatArray) -> FloatArray:
        scores = np.nan_to_num(block) @ places.T - half
        best: FloatArray = scores.argmax(axis=1)[:, None].astype(np.float64)
        return best

    found = map_rows(nearest, queries, 1, scratch=2 * len(candidates), n_threads=n_threads)[:, 0]
    points: IntArray = np.where(target.domain, candidates[found.astype(np.int64)], -1)
    return points
