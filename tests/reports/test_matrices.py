"""Heat maps, clustering and embedding of distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from spectralbrain.errors import ArrayError
from spectralbrain.reports.matrices import (
    LabelledMatrix,
    cluster_distances,
    complete_rows,
    embed_distances,
    plot_clustered,
    plot_embedding,
    plot_matrix,
)

POINTS = st.integers(3, 12).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.floats(-50, 50).map(lambda x: round(x, 3)))
)


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points, axis=2)


@pytest.fixture
def cohort() -> LabelledMatrix:
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(0, 1, (5, 3)), rng.normal(20, 1, (4, 3))])
    labels = tuple(f"sub-{i:02d}" for i in range(9))
    return LabelledMatrix(distances(points), labels, "ShapeDNA distance")


@given(POINTS)
def test_points_in_a_plane_come_back_up_to_a_motion(points):
    coordinates, explained = embed_distances(distances(points))
    assert np.allclose(distances(coordinates), distances(points), atol=1e-4)
    if np.ptp(points) > 1e-3:
        assert explained.sum() == pytest.approx(1)


def test_embedding_is_deterministic_in_sign(cohort):
    coordinates, _ = embed_distances(cohort.values)
    assert (coordinates[np.abs(coordinates).argmax(axis=0), [0, 1]] > 0).all()


def test_equal_shapes_lie_on_one_point():
    coordinates, explained = embed_distances(np.zeros((4, 4)))
    assert (coordinates == 0).all()
    assert (explained == 0).all()


def test_clusters_stand_together(cohort):
    order = cluster_distances(cohort.values).order
    assert sorted(order) == list(range(9))
    first_group = [int(i) < 5 for i in order]
    assert first_group in ([True] * 5 + [False] * 4, [False] * 4 + [True] * 5)


def test_rows_with_missing_distances_are_left_out_and_no_more(cohort):
    values = cohort.values.copy()
    values[4] = values[:, 4] = np.nan
    clustering = cluster_distances(values)
    assert clustering.used.tolist() == [True] * 4 + [False] + [True] * 4
    assert 4 not in clustering.order


def test_the_emptiest_row_goes_first():
    values = np.zeros((4, 4))
    values[0, 1:] = values[1:, 0] = np.nan
    assert complete_rows(values).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v + np.triu(np.ones_like(v)), "expected a symmetric matrix with zero diagonal"),
        (lambda v: -v, "expected none below zero"),
        (lambda v: v * np.nan, "expected at least two complete rows, found 0"),
    ],
)
def test_what_is_no_distance_matrix_is_refused(cohort, change, message):
    with pytest.raises(ArrayError, match=message):
        cluster_distances(change(cohort.values))


def test_labels_must_fit():
    with pytest.raises(ArrayError, match="Region distance: expected 2 labels, found 1"):
        LabelledMatrix(np.zeros((2, 2)), ("a",), "Region distance")
    with pytest.raises(ArrayError, match="expected at least one row"):
        LabelledMatrix(np.zeros((0, 0)), ())


def test_heat_map_says_what_is_missing():
    values = np.array([[0.0, 1.0, np.nan], [1.0, 0.0, 2.0], [np.nan, 2.0, 0.0]])
    figure = plot_matrix(LabelledMatrix(values, ("a", "b", "c"), "Distances", "mm", "Of regions."))
    assert "Grey: 2 of 9 entries are missing" in figure.caption
    assert figure.caption.startswith("Of regions. 3 × 3; each square is the distance")
    assert "from 1 to 2 mm, median 1.5" in figure.alt


def test_heat_map_of_nothing_known_still_draws():
    figure = plot_matrix(LabelledMatrix(np.full((2, 2), np.nan), ("a", "b")))
    assert "No entry off the diagonal is known" in figure.alt


def test_correlations_are_drawn_about_zero():
    values = np.array([[1.0, 0.2], [0.2, 1.0]])
    as_distance = plot_matrix(LabelledMatrix(values, ("a", "b")))
    as_correlation = plot_matrix(LabelledMatrix(values, ("a", "b"), kind="correlation"))
    assert as_distance.data != as_correlation.data
    assert "correlation of its row and its column" in as_correlation.caption


def test_clustered_heat_map_names_the_order_and_who_is_left_out(cohort):
    values = cohort.values.copy()
    values[2] = values[:, 2] = np.nan
    matrix = LabelledMatrix(values, cohort.labels, cohort.title)
    figure = plot_clustered(matrix, cluster_distances(values), outliers=("sub-08",))
    assert "Left out, distances missing: sub-02." in figure.caption
    assert "8 participants, in the order sub-" in figure.alt
    assert plot_clustered(matrix, cluster_distances(values), outliers=("sub-08",)).data == figure.data


def test_map_of_participants_names_outliers(cohort):
    figure = plot_embedding(cohort, np.ones(9, bool), outliers=("sub-07", "nobody"))
    assert "outliers: sub-07." in figure.alt
    assert "no outlier" in plot_embedding(cohort, np.ones(9, bool)).alt


def test_a_large_cohort_is_drawn_without_a_forest_of_names():
    points = np.random.default_rng(0).normal(size=(150, 3))
    labels = tuple(f"sub-{i:03d}" for i in range(150))
    figure = plot_matrix(LabelledMatrix(distances(points), labels, "Distances"))
    assert len(figure.data) < 300_000
