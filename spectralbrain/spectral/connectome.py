"""The geometric connectome: how differently a descriptor is distributed in every two regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import ConnectomeMatrix, DescriptorMatrix, FloatArray, ScalarMap, as_array
from spectralbrain.spectral._arguments import check_choice
from spectralbrain.spectral.eigensolver.threads import Team
from spectralbrain.spectral.regions import region_keys

Method: TypeAlias = Literal["wasserstein", "energy", "euclidean", "cosine", "correlation"]
METHODS = ("wasserstein", "energy", "euclidean", "cosine", "correlation")


@dataclass(frozen=True, eq=False)
class GeometricConnectome:
    """A region by region matrix of distances, with what it covers.

    Unpacks and is indexed as the pair ``(matrix, labels)``.

    Attributes
    ----------
    matrix : (R, R) array
        Symmetric, zero on the diagonal; NaN in rows and columns of regions without enough data.
    labels : list of str
        Names of the regions, in order.
    keys : list
        Their ids.
    coverage : (R,) array
        Part of each region's vertices that has data, 0 to 1.
    reasons : list of str or None
        Why a region's row is missing.
    method : str
    """

    matrix: ConnectomeMatrix
    labels: list[str]
    keys: list[Any]
    coverage: FloatArray
    reasons: list[str | None]
    method: str

    def __iter__(self) -> Iterator[Any]:
        return iter((self.matrix, self.labels))

    def __getitem__(self, item: int) -> Any:
        return (self.matrix, self.labels)[item]


@dataclass(frozen=True, eq=False)
class _Sample:
    """A region's descriptor values, sorted per scale, with the weights in the same order."""

    values: FloatArray  # (T, n)
    weights: FloatArray  # (T, n), sum 1 per scale
    mean: FloatArray  # (T,)
    area: float


def build_geometric_connectome(
    descriptors: Any,
    labels: Any = None,
    *,
    weights: Any = None,
    names: Mapping[Any, str] | None = None,
    exclude: Iterable[int | str] | None = None,
    regions: Sequence[Any] | None = None,
    method: Method = "wasserstein",
    standardize: bool = False,
    min_coverage: float = 0.5,
    n_threads: int | None = None,
) -> GeometricConnectome:
    """Compare the distributions of a descriptor in every two regions.

    Parameters
    ----------
    descriptors : (N,) or (N, T) array, or mapping of region to (n,) or (n, T) array
        Descriptor of a surface with NaN where there is none, or each region's values.
    labels : SurfaceLabels or (N,) array of int
        Region of each vertex; needed with an array, see
        :func:`~spectralbrain.spectral.regions.region_keys`.
    weights : (N,) array, or mapping of region to (n,) array, mm^2
        Vertex areas (:func:`~spectralbrain.vertex_areas`), needed with an array so that distributions
        follow the surface and not the mesh. Without it a mapping's values count equally.
    names : mapping of id to name, optional
    exclude : iterable of ids or names, optional
        Labels that are no regions.
    regions : sequence of ids, optional
        Rows of the matrix, in this order, also for regions that are absent here; by default all regions
        of the labels' table by ascending id.
    method : {'wasserstein', 'energy', 'euclidean', 'cosine', 'correlation'}
        'wasserstein': W = integral of ``|F - G|``, the distance of Monge and Kantorovich, with F and G the
        area-weighted distribution functions. 'energy': D = sqrt(2 integral of (F - G)^2). Both per scale,
        averaged over the T scales. The others compare area-weighted means over the T scales: their
        Euclidean distance, 1 - cosine, 1 - Pearson's r (T at least 2).
    standardize : bool
        Divide each scale by its area-weighted standard deviation over all regions first, so that scales
        with large values do not drown the others.
    min_coverage : float
        A region with a smaller part of its vertices having data is a row of NaN with a reason.
    n_threads : int, optional
        Threads; the result does not depend on them.

    Returns
    -------
    GeometricConnectome
        In the descriptor's unit ('wasserstein', 'euclidean'), its square root ('energy'), or 1.

    Raises
    ------
    ArrayError
        If shapes do not fit, weights are missing or negative, or no region is left.

    References
    ----------
    Peyré & Cuturi (2019), Foundations and Trends in Machine Learning 11, 355-607, doi:10.1561/2200000073:
    transport on the line, W = integral of ``|F - G|``.
    Székely & Rizzo (2013), Journal of Statistical Planning and Inference 143, 1249-1272,
    doi:10.1016/j.jspi.2013.03.018: energy distance, D^2 = 2 integral of (F - G)^2.

    Notes
    -----
    Invariant to the order of vertices and to all that the descriptor is invariant to; with `standardize` and
    for 'cosine' and 'correlation' also to the descriptor's unit. Another order of the regions permutes rows
    and columns.
    SpectralBrain 0.1.0 takes the mapping only, weighs all vertices equally and has no coverage; numbers
    agree for a mapping without weights. Its 'mmd', whose bandwidth depends on a sample of the pair, is not
    offered.

    Examples
    --------
    >>> connectome = build_geometric_connectome({"a": [0.0, 0.0], "b": [1.0, 3.0]})
    >>> connectome.labels, connectome.matrix[0, 1]
    (['a', 'b'], np.float64(2.0))
    """
    check_choice(method, METHODS, "method")
    if not 0 < min_coverage <= 1:
        raise ArrayError(f"min_coverage: expected a number above 0 up to 1, found {min_coverage!r}")
    if isinstance(descriptors, Mapping):
        if labels is not None:
            raise ArrayError("labels: expected none with a mapping of regions")
        parts, titles = _parts_of_mapping(descriptors, weights, names)
    else:
        parts, titles = _parts_of_surface(descriptors, labels, weights, names, exclude)
    keys = list(titles) if regions is None else list(regions)
    titles |= {key: str((names or {}).get(key, key)) for key in keys if key not in titles}
    if not keys or len(set(keys)) < len(keys):
        raise ArrayError("regions: expected at least one region, each once")
    coverage, reasons, samples = _cover([parts.get(key) for key in keys], min_coverage)
    if standardize:
        samples = _standardized(samples)
    matrix = _matrix(samples, method, n_threads)
    return GeometricConnectome(matrix, [titles[key] for key in keys], keys, coverage, reasons, method)


def _parts_of_surface(
    descriptors: Any, labels: Any, weights: Any, names: Any, exclude: Any
) -> tuple[dict[Any, tuple[FloatArray, FloatArray]], dict[Any, str]]:
    values = _columns(descriptors, "descriptors")
    if labels is None:
        raise ArrayError("labels: expected the region of each vertex, found none")
    keys, titles = region_keys(labels, names, exclude)
    if len(keys) != len(values):
        raise ArrayError(f"labels: expected {len(values)}, one per vertex, found {len(keys)}")
    if weights is None:
        raise ArrayError(
            "weights: expected vertex areas, as vertex_areas(decomposition) returns them; found none"
        )
    areas = _weights(weights, len(values), "weights")
    return {key: (values[keys == key], areas[keys == key]) for key in titles}, dict(titles)


def _parts_of_mapping(
    descriptors: Mapping[Any, Any], weights: Any, names: Any
) -> tuple[dict[Any, tuple[FloatArray, FloatArray]], dict[Any, str]]:
    alike = {isinstance(key, str) for key in descriptors}
    order = sorted(descriptors, key=None if len(alike) == 1 else str)
    parts = {}
    for key in order:
        values = _columns(descriptors[key], f"descriptors[{key!r}]")
        given = np.ones(len(values)) if weights is None else weights[key]
        parts[key] = values, _weights(given, len(values), f"weights[{key!r}]")
    widths = {values.shape[1] for values, _ in parts.values()}
    if len(widths) > 1:
        raise ArrayError(f"descriptors: expected equally many scales in each region, found {sorted(widths)}")
    return parts, {key: str((names or {}).get(key, key)) for key in order}


def _columns(values: Any, name: str) -> FloatArray:
    array = as_array(values, ScalarMap if np.ndim(values) == 1 else DescriptorMatrix, name=name)
    return array.reshape(len(array), -1)


def _weights(values: Any, n: int, name: str) -> FloatArray:
    array = as_array(values, ScalarMap, name=name, sizes={"N": n})
    if not np.isfinite(array).all() or (array < 0).any():
        raise ArrayError(f"{name}: expected areas that are finite and not negative")
    return array


def _cover(
    parts: list[tuple[FloatArray, FloatArray] | None], least: float
) -> tuple[FloatArray, list[str | None], list[_Sample | None]]:
    coverage, reasons, samples = [], [], []
    for part in parts:
        values, areas = part if part is not None else (np.empty((0, 1)), np.empty(0))
        there = np.isfinite(values).all(axis=1) & (areas > 0)
        share = float(there.mean()) if len(there) else 0.0
        reason = None
        if not len(there):
            reason = "no vertex has this label"
        elif share < least:
            reason = f"{100 * share:.0f} % of {len(there)} vertices have data, less than {100 * least:.0f} %"
        coverage.append(share)
        reasons.append(reason)
        samples.append(None if reason else _sample(values[there].T, areas[there]))
    return np.array(coverage), reasons, samples


def _sample(values: FloatArray, areas: FloatArray) -> _Sample:
    order = np.argsort(values, axis=1, kind="stable")
    share = areas / areas.sum()
    return _Sample(
        np.take_along_axis(values, order, axis=1), share[order], values @ share, float(areas.sum())
    )


def _standardized(samples: list[_Sample | None]) -> list[_Sample | None]:
    """Scale each column to unit deviation over all regions together, weighted by area."""
    there = [s for s in samples if s is not None]
    if not there:
        return samples
    areas = [s.area for s in there]
    mean = np.average([s.mean for s in there], axis=0, weights=areas)
    spread = [(s.weights * (s.values - mean[:, None]) ** 2).sum(axis=1) for s in there]
    second = np.average(spread, axis=0, weights=areas)
    if not (second > 0).all():
        raise ArrayError("standardize: expected scales that vary, found a constant one")
    unit = np.sqrt(second)
    return [
        None if s is None else _Sample(s.values / unit[:, None], s.weights, s.mean / unit, s.area)
        for s in samples
    ]


def _matrix(samples: list[_Sample | None], method: str, n_threads: int | None) -> FloatArray:
    compare = _COMPARE[method]
    matrix = np.full((len(samples), len(samples)), np.nan)
    there = [i for i, s in enumerate(samples) if s is not None]
    matrix[there, there] = 0.0
    pairs = list(combinations(there, 2))
    with Team(resolve_threads(n_threads)) as team:
        values = team.map(lambda pair: compare(samples[pair[0]], samples[pair[1]]), pairs)
    for (i, j), value in zip(pairs, values, strict=True):
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _between(a: _Sample, b: _Sample) -> tuple[FloatArray, FloatArray]:
    """F - G on the merged values of two regions, and the width of each step, both (T, n - 1)."""
    merged = np.concatenate([a.values, b.values], axis=1)
    order = np.argsort(merged, axis=1, kind="stable")  # two sorted runs: a merge
    signed = np.concatenate([a.weights, -b.weights], axis=1)
    gap = np.cumsum(np.take_along_axis(signed, order, axis=1), axis=1)[:, :-1]
    return gap, np.diff(np.take_along_axis(merged, order, axis=1), axis=1)


def _wasserstein(a: _Sample, b: _Sample) -> float:
    gap, step = _between(a, b)
    return float((np.abs(gap) * step).sum(axis=1).mean())


def _energy(a: _Sample, b: _Sample) -> float:
    gap, step = _between(a, b)
    return float(np.sqrt(2 * (gap**2 * step).sum(axis=1)).mean())


def _euclidean(a: _Sample, b: _Sample) -> float:
    return float(np.linalg.norm(a.mean - b.mean))


def _cosine(a: _Sample, b: _Sample) -> float:
    norms = float(np.linalg.norm(a.mean) * np.linalg.norm(b.mean))
    if not norms > 0:
        raise ArrayError("method: 'cosine' needs means that are not zero throughout")
    return float(np.clip(1 - a.mean @ b.mean / norms, 0, 2))


def _correlation(a: _Sample, b: _Sample) -> float:
    if len(a.mean) < 2:
        raise ArrayError("method: 'correlation' needs at least two scales")
    one, other = a.mean - a.mean.mean(), b.mean - b.mean.mean()
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    if not norms > 0:
        raise ArrayError("method: 'correlation' needs means that vary over scales")
    return float(np.clip(1 - one @ other / norms, 0, 2))


_COMPARE: dict[str, Callable[[Any, Any], float]] = {
    "wasserstein": _wasserstein,
    "energy": _energy,
    "euclidean": _euclidean,
    "cosine": _cosine,
    "correlation": _correlation,
}
