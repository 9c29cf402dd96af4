"""The geometric connectome against SciPy's distances, and its bookkeeping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import energy_distance, wasserstein_distance

from spectralbrain.errors import ArrayError
from spectralbrain.io.load import SurfaceLabels
from spectralbrain.spectral.connectome import build_geometric_connectome

RNG = np.random.default_rng(0)
VALUES = {name: RNG.normal(i, 1 + i, (20 + 7 * i, 3)) for i, name in enumerate("abc")}
AREAS = {name: RNG.uniform(0.1, 2, len(v)) for name, v in VALUES.items()}


@pytest.mark.parametrize(
    ("method", "reference"), [("wasserstein", wasserstein_distance), ("energy", energy_distance)]
)
def test_distributions_against_scipy(method, reference):
    found = build_geometric_connectome(VALUES, weights=AREAS, method=method).matrix
    for i, x in enumerate("abc"):
        for j, y in enumerate("abc"):
            expected = np.mean(
                [reference(VALUES[x][:, t], VALUES[y][:, t], AREAS[x], AREAS[y]) for t in range(3)]
            )
            assert np.isclose(found[i, j], expected, rtol=1e-10, atol=1e-7)


@pytest.mark.parametrize("method", ["euclidean", "cosine", "correlation"])
def test_means_are_area_weighted(method):
    means = {n: np.average(VALUES[n], axis=0, weights=AREAS[n]) for n in "abc"}
    a, b = means["a"], means["c"]
    expected = {
        "euclidean": np.linalg.norm(a - b),
        "cosine": 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b),
        "correlation": 1 - np.corrcoef(a, b)[0, 1],
    }[method]
    assert np.isclose(build_geometric_connectome(VALUES, weights=AREAS, method=method).matrix[0, 2], expected)


def test_unpacks_like_the_peers_and_agrees_without_weights():
    found = build_geometric_connectome(VALUES)
    matrix, labels = found
    assert found[0] is matrix
    assert found[1] is labels
    assert labels == ["a", "b", "c"]
    expected = np.mean([wasserstein_distance(VALUES["a"][:, t], VALUES["b"][:, t]) for t in range(3)])
    assert np.isclose(matrix[0, 1], expected)


@given(arrays(float, 12, elements=st.floats(-5, 5)), st.floats(-3, 3), st.floats(0.1, 9))
@settings(deadline=None)
def test_shift_and_scale(x, shift, scale):
    found = build_geometric_connectome({1: x, 2: x + shift}).matrix[0, 1]
    assert np.isclose(found, abs(shift), atol=1e-9)
    y = np.cos(x)
    base = build_geometric_connectome({1: x, 2: y}).matrix[0, 1]
    assert np.isclose(
        build_geometric_connectome({1: x * scale, 2: y * scale}).matrix[0, 1], scale * base, atol=1e-9
    )


def test_splitting_a_vertex_changes_nothing():
    """A mesh refined somewhere repeats values with shares of the area: the distribution is the same."""
    values, areas = VALUES["a"], AREAS["a"]
    fine = np.repeat(values, 3, axis=0), np.repeat(areas / 3, 3)
    one = build_geometric_connectome({1: values, 2: VALUES["b"]}, weights={1: areas, 2: AREAS["b"]})
    two = build_geometric_connectome({1: fine[0], 2: VALUES["b"]}, weights={1: fine[1], 2: AREAS["b"]})
    assert np.allclose(one.matrix, two.matrix)


def surface(n=60):
    keys = np.repeat([0, 5, 2, 9], n // 4)
    return RNG.normal(size=(n, 2)) + keys[:, None], keys, RNG.uniform(1, 2, n)


def test_surface_equals_mapping():
    values, keys, areas = surface()
    found = build_geometric_connectome(values, keys, weights=areas)
    assert found.keys == [2, 5, 9]
    parts = [{k: x[keys == k] for k in (2, 5, 9)} for x in (values, areas)]
    assert np.allclose(found.matrix, build_geometric_connectome(parts[0], weights=parts[1]).matrix)
    assert np.array_equal(found.matrix, found.matrix.T)
    assert found.coverage.tolist() == [1, 1, 1]


def test_order_of_vertices_does_not_matter():
    values, keys, areas = surface()
    shuffle = RNG.permutation(len(keys))
    one = build_geometric_connectome(values, keys, weights=areas)
    two = build_geometric_connectome(values[shuffle], keys[shuffle], weights=areas[shuffle])
    assert one.labels == two.labels
    assert np.allclose(one.matrix, two.matrix)


def test_labels_by_table_and_explicit_order():
    values, keys, areas = surface()
    labels = SurfaceLabels(keys, {0: "Unknown", 2: "insula", 5: "cuneus", 9: "lingual", 11: "absent"})
    found = build_geometric_connectome(values, labels, weights=areas)
    assert found.labels == ["insula", "cuneus", "lingual", "absent"]
    assert np.isnan(found.matrix[3]).all()
    assert np.isnan(found.matrix[:, 3]).all()
    assert found.reasons == [None, None, None, "no vertex has this label"]
    chosen = build_geometric_connectome(values, labels, weights=areas, regions=[9, 77, 2])
    assert chosen.labels == ["lingual", "77", "insula"]
    assert np.isclose(chosen.matrix[0, 2], found.matrix[0, 2])
    assert np.isnan(chosen.matrix[1]).all()


def test_coverage_and_masked_vertices():
    values, keys, areas = surface()
    values[np.flatnonzero(keys == 5)[:6]] = np.nan  # 9 of 15 left
    values[np.flatnonzero(keys == 9)[:8]] = np.nan  # 7 of 15 left
    areas[np.isnan(values[:, 0])] = 0
    found = build_geometric_connectome(values, keys, weights=areas)
    assert np.allclose(found.coverage, [1, 0.6, 7 / 15])
    assert np.isfinite(found.matrix[:2, :2]).all()
    assert np.isnan(found.matrix[2]).all()
    assert found.reasons[2] == "47 % of 15 vertices have data, less than 50 %"
    assert np.isfinite(build_geometric_connectome(values, keys, weights=areas, min_coverage=0.4).matrix).all()


def test_standardize_makes_scales_comparable():
    values, keys, areas = surface()
    stretched = values * [1.0, 1e6]
    one, two = (
        build_geometric_connectome(v, keys, weights=areas, standardize=True) for v in (values, stretched)
    )
    assert np.allclose(one.matrix, two.matrix)
    inside = np.isin(keys, one.keys)
    mean = np.average(values[inside], axis=0, weights=areas[inside])
    deviation = np.sqrt(np.average((values[inside] - mean) ** 2, axis=0, weights=areas[inside]))
    plain = build_geometric_connectome(values / deviation, keys, weights=areas)
    assert np.allclose(one.matrix, plain.matrix)
    with pytest.raises(ArrayError, match="scales that vary"):
        build_geometric_connectome({1: [1.0, 1.0], 2: [1.0]}, standardize=True)


def test_threads_do_not_matter():
    values, keys, areas = surface()
    one, two = (build_geometric_connectome(values, keys, weights=areas, n_threads=n).matrix for n in (1, 3))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    ("args", "option", "message"),
    [
        ((np.ones(4),), {}, "labels: expected the region of each vertex"),
        ((np.ones(4), [1, 1, 2, 2]), {}, r"weights: expected vertex areas, as vertex_areas\(decomposition\)"),
        ((np.ones(4), [1, 2]), {"weights": np.ones(4)}, "labels: expected 4, one per vertex, found 2"),
        ((np.ones(2), [1, 2]), {"weights": [-1.0, 1.0]}, "weights: expected areas"),
        ((np.ones(2), [0, 0]), {"weights": np.ones(2)}, "at least one region"),
        (({1: [1.0]}, [1]), {}, "labels: expected none"),
        (({1: [1.0], 2: [[1.0, 2.0]]},), {}, "equally many scales"),
        (({1: [1.0], 2: [2.0]},), {"method": "mmd"}, "method: expected one of"),
        (({1: [1.0], 2: [2.0]},), {"method": "correlation"}, "at least two scales"),
        (({1: [0.0], 2: [2.0]},), {"method": "cosine"}, "not zero throughout"),
        (({1: [1.0]},), {"min_coverage": 0}, "min_coverage: expected a number above 0"),
        (({1: [1.0]},), {"regions": [1, 1]}, "each once"),
    ],
)
def test_bad_arguments(args, option, message):
    with pytest.raises(ArrayError, match=message):
        build_geometric_connectome(*args, **option)
