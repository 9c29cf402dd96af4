"""Distances between surfaces by their spectra: ShapeDNA distances and WESD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.runtime import FloatArray, GlobalDescriptor, as_array
from spectralbrain.spectral._arguments import also_accepts, check_choice, check_count, check_positive
from spectralbrain.spectral._metrics import cosine_distance, pairwise, weighted_distance, whitening
from spectralbrain.spectral._wesd_bound import DIMENSION, dirichlet_bound
from spectralbrain.spectral.distance import Distance, DistanceArray
from spectralbrain.spectral.shapedna import Index, Normalization, compute_shapedna
from spectralbrain.spectral.spectrum import SpectrumLike, non_null_eigenvalues

Metric: TypeAlias = Literal["euclidean", "cosine", "mahalanobis"]
ShapeLike: TypeAlias = "SpectrumLike | GlobalDescriptor | Sequence[float]"

__all__ = ["Distance", "Metric", "shapedna_distance", "shapedna_distance_matrix", "wesd", "wesd_matrix"]

METRICS = ("euclidean", "cosine", "mahalanobis")


def shapedna_distance(
    a: ShapeLike,
    b: ShapeLike,
    *,
    metric: Metric = "euclidean",
    normalization: Normalization = "area",
    index: Index | None = "weyl",
    k: int | None = None,
    covariance: Any = None,
    cov_inv: Any = None,
) -> Distance:
    """Compare two surfaces by their ShapeDNA, by default a_n = lambda_n A / n.

    Parameters
    ----------
    a, b : SpectralDecomposition, Spectrum, or (T,) array
        An array is taken as ShapeDNA that is already normalised; it cannot be normalised again.
    metric : {'euclidean', 'cosine', 'mahalanobis'}
        'euclidean': ||a - b||. 'cosine': 1 - a.b / (||a|| ||b||), from 0 to 2. 'mahalanobis':
        sqrt((a - b)' C^-1 (a - b)).
    normalization, index
        As in :func:`~spectralbrain.compute_shapedna`.
    k : int, optional
        Number of non-null eigenvalues to compare. Without it both must have equally many.
    covariance : (k, k) array, optional
        Covariance C of the descriptors, symmetric positive definite, for 'mahalanobis'.
    cov_inv : (k, k) array, optional
        Its inverse, instead of `covariance`.

    Returns
    -------
    Distance, dimensionless, or mm^-2 for raw eigenvalues
        A float, with `k` and `unit`; 'cosine' and 'mahalanobis' have no unit.

    Raises
    ------
    ArrayError
        If the numbers of eigenvalues differ and `k` is not given, if arrays are to be normalised, or if
        the covariance does not fit or is not positive definite.
    IncompatibleError
        If one spectrum is Dirichlet and the other is not.

    References
    ----------
    Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366, doi:10.1016/j.cad.2005.10.011:
    distances of fingerprints.
    Wachinger, Golland, Kremen, Fischl & Reuter (2015), NeuroImage 109, 232-248,
    doi:10.1016/j.neuroimage.2015.01.032: the weighting by 1 / n.

    Notes
    -----
    Invariant to rigid motion, reflection, order of vertices and choice of eigenvectors of either surface;
    with 'area' and 'volume' also to the scale of each.
    SpectralBrain 0.1.0 takes arrays only and agrees on them, except that it truncates the longer one
    silently where this is an error, and calls two vectors of zeros at cosine distance 1.

    Examples
    --------
    >>> shapedna_distance([1.0, 2.0], [1.0, 5.0])
    Distance(3.0, k=2, unit='as given', method='shapedna')
    """
    first, second, unit = _descriptors(a, b, normalization, index, k)
    check_choice(metric, METRICS, "metric")
    if metric != "mahalanobis" and (covariance is not None or cov_inv is not None):
        raise ArrayError(f"covariance: expected only with metric 'mahalanobis', found metric {metric!r}")
    if metric == "euclidean":
        value = float(np.linalg.norm(first - second))
    elif metric == "cosine":
        value, unit = cosine_distance(first, second), "1"
    else:
        whiten = whitening(covariance, cov_inv, len(first))
        value, unit = float(np.linalg.norm(whiten @ (first - second))), "1"
    return Distance(value, k=len(first), unit=unit, method="shapedna")


@also_accepts(normalize="score")
def wesd(
    a: ShapeLike, b: ShapeLike, *, p: float = 2.0, k: int | None = None, score: bool = False
) -> Distance:
    """Compare two surfaces by the weighted spectral distance.

    ``rho = [sum_n (|lambda_n - xi_n| / (lambda_n xi_n))^p]^(1/p) = || 1 / lambda - 1 / xi ||_p``. The weights
    let the sum converge for p > d / 2 = 1, so that high eigenvalues, the least accurate, count least.

    Parameters
    ----------
    a, b : SpectralDecomposition, Spectrum, or (T,) array, mm^-2
        Raw eigenvalues are compared, null modes left out; an array must hold non-null eigenvalues.
    p : float
        Exponent, more than 1.
    k : int, optional
        Number of non-null eigenvalues. Without it both must have equally many.
    score : bool
        Divide by the bound that Konukoglu et al. prove, for a score in [0, 1). The bound rests on
        inequalities for flat domains with Dirichlet boundary; a closed or Neumann surface is refused, because
        its score could exceed 1, and so is any spectrum that violates the inequalities.

    Returns
    -------
    Distance, mm^2, or dimensionless with `score`
        A float, with `k` and `unit`.

    Raises
    ------
    ArrayError
        If p is not more than 1, the numbers of eigenvalues differ and `k` is not given, an eigenvalue is not
        positive, or the score is asked for where its bound does not hold.
    IncompatibleError
        If one spectrum is Dirichlet and the other is not.

    References
    ----------
    Konukoglu, Glocker, Criminisi & Pohl (2013), IEEE Trans. Pattern Analysis and Machine Intelligence 35(9),
    2284-2297, doi:10.1109/TPAMI.2012.275: the distance, and the theorem on its bound.
    The inequalities: Li & Yau (1983), Comm. Math. Phys. 88, 309-318; Cheng & Yang (2007), Math. Ann. 337,
    159-175.

    Notes
    -----
    Invariant to rigid motion, reflection, order of vertices and choice of eigenvectors of either surface.
    Scaling both by s multiplies rho by s^2: size is part of this distance. The authors' own program takes
    p = d / 2 + 1 = 2 as well and has the bound of `score`, but by default first takes size out
    (lambda V^(2/d), here lambda A). SpectralBrain 0.1.0 agrees with ``normalize=False``; its
    default maps rho to rho / (1 + rho), which is not the published score and depends on the unit of length.
    It also truncates the longer spectrum silently.

    Examples
    --------
    >>> wesd([1.0, 2.0], [2.0, 2.0])
    Distance(0.5, k=2, unit='mm^2', method='wesd')
    """
    exponent = _exponent(p)
    first, second = _raw_pair(a, b, k)
    rho = float(weighted_distance(first, second, exponent))
    if not score:
        return Distance(rho, k=len(first), unit="mm^2", method="wesd")
    area = max(_dirichlet_area(a, "a"), _dirichlet_area(b, "b"))
    bound = dirichlet_bound(first, second, area, exponent)
    return Distance(rho / bound, k=len(first), unit="1", method="wesd")


def wesd_matrix(
    spectra: Sequence[Any] | FloatArray, *, p: float = 2.0, k: int | None = None
) -> DistanceArray:
    """Return the weighted spectral distance between every two surfaces.

    D_ij = || 1 / lambda_i - 1 / lambda_j ||_p for the spectra lambda_i and lambda_j.

    Parameters
    ----------
    spectra : sequence of spectra, or (P, T) array, mm^-2
        As in :func:`wesd`.
    p : float
        Exponent, more than 1.
    k : int, optional
        Number of non-null eigenvalues. Without it all must have equally many.

    Returns
    -------
    (P, P) DistanceArray, mm^2
        Symmetric, zero on the diagonal; with `k`, `unit` and `method`.

    Raises
    ------
    ArrayError, IncompatibleError
        As :func:`wesd`, naming the first spectrum that does not fit.

    References
    ----------
    Konukoglu, Glocker, Criminisi & Pohl (2013), IEEE Trans. Pattern Analysis and Machine Intelligence 35(9),
    2284-2297, doi:10.1109/TPAMI.2012.275.

    Notes
    -----
    Invariant to rigid motion, reflection, order of vertices and choice of eigenvectors; scaling all by s
    multiplies it by s^2.
    SpectralBrain 0.1.0 agrees with ``normalize=False``, not with its default rho / (1 + rho), see
    :func:`wesd`.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> spectra = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.5, 2.0)]
    >>> wesd_matrix(spectra).unit
    'mm^2'
    """
    exponent = _exponent(p)
    values = [_raw(s, k, f"spectra[{i}]") for i, s in enumerate(spectra)]
    _check_alike(list(spectra))
    rows = _stack(values)
    matrix = pairwise(rows, lambda one, others: weighted_distance(one, others, exponent))
    return DistanceArray(matrix, k=rows.shape[1], unit="mm^2", method="wesd")


def shapedna_distance_matrix(
    spectra: Sequence[Any] | FloatArray,
    *,
    metric: Metric = "euclidean",
    normalization: Normalization = "area",
    index: Index | None = "weyl",
    k: int | None = None,
    covariance: Any = None,
) -> DistanceArray:
    """Return the ShapeDNA distance between every two surfaces.

    D_ij = || a_i - a_j || for their ShapeDNA a_i and a_j, or another `metric`.

    Parameters
    ----------
    spectra : sequence of spectra, or (P, T) array
        As in :func:`shapedna_distance`.
    metric, normalization, index, k, covariance
        As in :func:`shapedna_distance`.

    Returns
    -------
    (P, P) DistanceArray, dimensionless, or mm^-2 for raw eigenvalues
        Symmetric, zero on the diagonal; with `k`, `unit` and `method`.

    Raises
    ------
    ArrayError, IncompatibleError
        As :func:`shapedna_distance`.

    References
    ----------
    Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366, doi:10.1016/j.cad.2005.10.011.
    Wachinger, Golland, Kremen, Fischl & Reuter (2015), NeuroImage 109, 232-248,
    doi:10.1016/j.neuroimage.2015.01.032.

    Notes
    -----
    Invariant to rigid motion, reflection, order of vertices and choice of eigenvectors of either surface;
    with 'area' and 'volume' also to the scale of each.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> spectra = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.5, 2.0)]
    >>> distances = shapedna_distance_matrix(spectra)
    >>> bool(distances[0, 1] < distances[0, 2]), distances.k
    (True, 8)
    """
    check_choice(metric, METRICS, "metric")
    members = list(spectra)
    _check_alike(members)
    rows = _stack([_descriptor(s, normalization, index, k, f"spectra[{i}]") for i, s in enumerate(members)])
    if metric == "mahalanobis":
        rows = rows @ whitening(covariance, None, rows.shape[1]).T
    elif covariance is not None:
        raise ArrayError(f"covariance: expected only with metric 'mahalanobis', found metric {metric!r}")
    if metric == "cosine":
        matrix = pairwise(rows, lambda one, others: np.array([cosine_distance(one, b) for b in others]))
    else:
        matrix = pairwise(rows, lambda one, others: np.linalg.norm(one - others, axis=-1))
    unit = "1" if metric != "euclidean" else _unit(members[0], normalization)
    return DistanceArray(matrix, k=rows.shape[1], unit=unit, method="shapedna")


def _stack(values: Sequence[FloatArray]) -> FloatArray:
    if not values:
        raise ArrayError("spectra: expected at least one, found none")
    for i, value in enumerate(values):
        if len(value) != len(values[0]):
            raise ArrayError(
                f"k: expected equally many eigenvalues, found {len(values[0])} in spectra[0] and "
                f"{len(value)} in spectra[{i}]; choose k"
            )
    return np.array(values)


def _is_array(value: Any) -> bool:
    return not hasattr(value, "eigenvalues")


def _check_alike(spectra: Sequence[Any]) -> None:
    """Refuse to compare Dirichlet with Neumann or closed spectra: their modes do not correspond."""
    kinds = {s.metadata.get("boundary") == "dirichlet" for s in spectra if not _is_array(s)}
    if len(kinds) > 1:
        raise IncompatibleError("boundary: expected spectra of one kind, found Dirichlet and others")


def _descriptor(
    value: Any, normalization: Normalization, index: Index | None, k: int | None, name: str
) -> FloatArray:
    if not _is_array(value):
        return compute_shapedna(value, normalization=normalization, index=index, k=k)
    if (normalization, index) != ("area", "weyl"):
        raise ArrayError(
            f"{name}: an array is taken as it is; pass the decomposition to choose normalization and index"
        )
    return _cut(as_array(value, GlobalDescriptor, name=name), k, name)


def _descriptors(
    a: Any, b: Any, normalization: Normalization, index: Index | None, k: int | None
) -> tuple[FloatArray, FloatArray, str]:
    if _is_array(a) != _is_array(b):
        raise ArrayError("a, b: expected two spectra or two arrays, found one of each")
    _check_alike([a, b])
    first, second = _stack([_descriptor(v, normalization, index, k, n) for v, n in ((a, "a"), (b, "b"))])
    return first, second, _unit(a, normalization)


def _unit(value: Any, normalization: Normalization) -> str:
    return "as given" if _is_array(value) else ("mm^-2" if normalization == "none" else "1")


def _raw(value: Any, k: int | None, name: str) -> FloatArray:
    if not _is_array(value):
        return non_null_eigenvalues(value, k)
    array = _cut(as_array(value, GlobalDescriptor, name=name), k, name)
    if not (array > 0).all():
        raise ArrayError(
            f"{name}: expected positive eigenvalues (null modes left out), found {array.min():.3g}"
        )
    return array


def _raw_pair(a: Any, b: Any, k: int | None) -> tuple[FloatArray, FloatArray]:
    _check_alike([a, b])
    first, second = _stack([_raw(a, k, "a"), _raw(b, k, "b")])
    return first, second


def _cut(array: FloatArray, k: int | None, name: str) -> FloatArray:
    if not np.isfinite(array).all() or not len(array):
        raise ArrayError(
            f"{name}: expected finite values, found {int(np.isnan(array).sum())} NaN of {len(array)}"
        )
    if k is None:
        return array
    if check_count(k, "k") > len(array):
        raise ArrayError(f"k: expected at most {len(array)} values in {name}, found {k}")
    return array[:k]


def _exponent(p: float) -> float:
    if not check_positive(p, "p") > DIMENSION / 2:
        raise ArrayError(
            f"p: expected more than d / 2 = 1 for the sum over all modes to converge, found {p!r}"
        )
    return float(p)


def _dirichlet_area(shape: Any, name: str) -> float:
    if _is_array(shape):
        raise ArrayError(f"score: needs areas and boundary; pass decompositions, found an array for {name}")
    boundary = shape.metadata.get("boundary")
    if boundary != "dirichlet":
        raise ArrayError(
            f"score: the published bound holds for Dirichlet boundary only, found {boundary!r} for {name}; "
            "use score=False"
        )
    return float(shape.surface_area)
