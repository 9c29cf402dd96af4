"""Group tables: what they hold, what they refuse to mix, and what they say of missing rows."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.spectral.group import (
    GroupEntry,
    check_compatible,
    distance_matrix,
    find_outliers,
    longitudinal_differences,
    pair_sessions,
    participants_table,
    shapedna_deviations,
    shapedna_table,
)
from spectralbrain.spectral.spectrum import Spectrum

SETTINGS = {
    "laplacian": "cotangent",
    "mass": "consistent",
    "boundary": "closed",
    "masked": False,
    "surface": "midthickness",
    "structure": "cortex",
    "n_null_modes": 1,
    "n_vertices": 100,
    "euler_characteristic": 2,
    "boundary_length": 0.0,
}


def sphere_entry(name, radius=1.0, k=9, stretch=1.0, entities=None, **changes):
    """The exact spectrum of a sphere, l(l+1)/r^2, optionally stretched."""
    degree = np.repeat(np.arange(10), 2 * np.arange(10) + 1)[:k]
    values = stretch * degree * (degree + 1.0) / radius**2
    area, volume = 4 * np.pi * radius**2, 4 / 3 * np.pi * radius**3
    metadata = SETTINGS | {"k": k, "surface_area": area, "volume": volume} | changes
    return GroupEntry(name, Spectrum(values, metadata), entities or {})


def missing_entry(name="sub-09", reason="no midthickness"):
    return GroupEntry(name, None, {}, reason)


def test_a_row_holds_sizes_topology_and_raw_eigenvalues():
    row = participants_table([sphere_entry("sub-01", radius=2.0, k=5)], n_eigenvalues=4)[0]
    assert row["participant_id"] == "sub-01"
    assert row["surface_area"] == pytest.approx(16 * np.pi)
    assert row["volume"] == pytest.approx(32 / 3 * np.pi)
    assert [row[f"lambda_{i:04d}"] for i in range(1, 5)] == pytest.approx([0.5, 0.5, 0.5, 1.5])
    assert row["euler_characteristic"] == 2
    assert row["reason"] is None


def test_entities_become_columns():
    entry = sphere_entry("sub-01_ses-a", entities={"participant_id": "sub-01", "session_id": "ses-a"})
    row = participants_table([entry])[0]
    assert (row["participant_id"], row["session_id"]) == ("sub-01", "ses-a")


def test_a_missing_participant_is_an_empty_row_with_its_reason():
    rows = participants_table([sphere_entry("sub-01", k=5), missing_entry()])
    assert list(rows[0]) == list(rows[1])
    assert rows[1]["lambda_0001"] is None
    assert rows[1]["surface_area"] is None
    assert rows[1]["reason"] == "no midthickness"


def test_an_open_surface_says_why_it_has_no_volume():
    row = participants_table([sphere_entry("sub-01", volume=None, boundary="neumann")])[0]
    assert row["volume"] is None
    assert "not closed" in row["reason"]


def test_more_eigenvalues_than_held_is_refused():
    with pytest.raises(ArrayError, match="n_eigenvalues: expected at most 4, found 5"):
        participants_table([sphere_entry("sub-01", k=5)], n_eigenvalues=5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("laplacian", "robust"),
        ("mass", "lumped"),
        ("boundary", "dirichlet"),
        ("masked", True),
        ("surface", "white"),
        ("structure", "hipp"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [check_compatible, participants_table, shapedna_table, distance_matrix, shapedna_deviations],
)
def test_mixed_settings_are_refused_by_name(function, key, value):
    entries = [sphere_entry("sub-01"), sphere_entry("sub-02", **{key: value})]
    with pytest.raises(IncompatibleError, match=f"{key}: .*{value} in sub-02"):
        function(entries)


def test_mixed_numbers_of_modes_and_densities_are_refused():
    with pytest.raises(IncompatibleError, match="k: 8 in sub-02, 9 in sub-01"):
        check_compatible([sphere_entry("sub-01"), sphere_entry("sub-02", k=8)])
    entries = [sphere_entry("a", entities={"density": "32k"}), sphere_entry("b", entities={"density": "10k"})]
    with pytest.raises(IncompatibleError, match="density: 10k in b, 32k in a"):
        check_compatible(entries)


def test_every_difference_is_named_and_long_lists_are_cut():
    entries = [sphere_entry(f"sub-{i:02d}") for i in range(6)]
    entries.append(sphere_entry("sub-99", mass="lumped", surface="pial"))
    with pytest.raises(IncompatibleError, match=r"surface: .*and 3 more.*; mass: .*lumped in sub-99"):
        check_compatible(entries)


def test_names_are_unique():
    with pytest.raises(ArrayError, match="found sub-01 more than once"):
        check_compatible([sphere_entry("sub-01"), sphere_entry("sub-01")])


def test_a_missing_spectrum_needs_a_reason():
    with pytest.raises(ArrayError, match="why sub-01 has no spectrum"):
        GroupEntry("sub-01", None)


def test_shapedna_of_spheres_is_size_free_and_near_one_by_weyl():
    rows = shapedna_table([sphere_entry("a", radius=1.0), sphere_entry("b", radius=7.0), missing_entry()])
    a, b = ([row[f"shapedna_{i:04d}"] for i in range(1, 9)] for row in rows[:2])
    np.testing.assert_allclose(a, b, rtol=1e-13)
    # lambda A / n of the unit sphere: 8 pi / n for n = 1, 2, 3, then 24 pi / n
    np.testing.assert_allclose(a[:4], 8 * np.pi / np.array([1, 2, 3, 3 * 4 / 3]) * [1, 1, 1, 3], rtol=1e-13)
    assert rows[2]["shapedna_0001"] is None


def test_distances_are_a_metric_table_with_nan_for_the_missing():
    entries = [
        sphere_entry("a"),
        missing_entry("b"),
        sphere_entry("c", stretch=1.2),
        sphere_entry("d", radius=3),
    ]
    matrix, names = distance_matrix(entries)
    assert names == ["a", "b", "c", "d"]
    assert np.isnan(matrix[1]).all()
    assert np.isnan(matrix[:, 1]).all()
    assert matrix[0, 3] == pytest.approx(0, abs=1e-9)  # scaling alone is no difference of shape
    reference = np.array([8, 4, 8 / 3, 6, 24 / 5, 4, 24 / 7, 3]) * np.pi
    assert matrix[0, 2] == pytest.approx(0.2 * np.linalg.norm(reference))
    np.testing.assert_array_equal(matrix, matrix.T)


def test_wesd_sees_size_and_unknown_methods_are_refused():
    entries = [sphere_entry("a"), sphere_entry("d", radius=3)]
    matrix, _ = distance_matrix(entries, method="wesd")
    assert matrix[0, 1] > 1
    with pytest.raises(ArrayError, match="method: expected one of"):
        distance_matrix(entries, method="cosine")


def test_a_group_of_missing_participants_stays_a_table():
    entries = [missing_entry("a"), missing_entry("b")]
    matrix, _ = distance_matrix(entries)
    assert np.isnan(matrix).all()
    assert [row["reason"] for row in shapedna_table(entries)] == ["no midthickness"] * 2
    assert shapedna_deviations(entries) == {"a": None, "b": None}


def test_the_one_stretched_shape_deviates_from_the_median():
    entries = [sphere_entry(f"s{i}", stretch=1 + i / 1000) for i in range(5)] + [
        sphere_entry("odd", stretch=1.5)
    ]
    deviations = shapedna_deviations(entries)
    assert max(deviations, key=deviations.get) == "odd"
    assert {(d.k, d.unit) for d in deviations.values()} == {(8, "1")}
    rows = find_outliers(deviations, measure="shapedna_deviation")
    assert [row["name"] for row in rows if row["outlier"]] == ["odd"]


def test_robust_z_by_hand():
    rows = find_outliers({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 100.0}, measure="area")
    assert rows[0]["median"] == 3.0
    assert rows[0]["mad"] == 1.0
    assert rows[4]["robust_z"] == pytest.approx(0.6745 * 97)
    assert [row["outlier"] for row in rows] == [False, False, False, False, True]


def test_a_missing_value_has_no_score_and_says_so():
    rows = find_outliers({"a": 1.0, "b": None, "c": 3.0, "d": float("nan"), "e": 2.0}, measure="area")
    assert [row["outlier"] for row in rows] == [False, None, False, None, False]
    assert rows[1]["reason"] == rows[3]["reason"] == "no value"
    assert rows[3]["value"] is None


def test_without_spread_a_deviating_value_is_flagged_but_not_scored():
    rows = find_outliers({"a": 5.0, "b": 5.0, "c": 5.0, "d": 6.0}, measure="euler")
    assert [row["outlier"] for row in rows] == [False, False, False, True]
    assert all(row["robust_z"] is None and "deviation is 0" in row["reason"] for row in rows)


def test_two_values_have_no_outlier():
    rows = find_outliers({"a": 5.0, "b": 50.0}, measure="area")
    assert all(row["outlier"] is None and "only 2 values" in row["reason"] for row in rows)


def test_a_threshold_is_positive():
    with pytest.raises(ArrayError, match="threshold: expected a positive number"):
        find_outliers({}, measure="area", threshold=0)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30, unique=True),
    st.floats(0.01, 100),
    st.floats(-1e3, 1e3),
)
def test_scores_ignore_unit_and_origin(values, unit, origin):
    named = {f"s{i}": round(value, 3) for i, value in enumerate(values)}
    moved = {name: unit * value + origin for name, value in named.items()}
    first, second = (find_outliers(table, measure="x") for table in (named, moved))
    for a, b in zip(first, second, strict=True):
        if a["robust_z"] is not None and b["robust_z"] is not None and a["mad"] > 1e-3:
            assert b["robust_z"] == pytest.approx(a["robust_z"], rel=1e-4, abs=1e-3)


def test_sessions_are_paired_with_the_first():
    def session(participant, label):
        ids = {"participant_id": participant, "session_id": label}
        return sphere_entry(f"{participant}_{label}", entities=ids)

    entries = [session("sub-01", "ses-a"), session("sub-02", "ses-a"), session("sub-01", "ses-b")]
    entries += [session("sub-01", "ses-c"), sphere_entry("sub-03")]
    pairs = [(a.name, b.name) for a, b in pair_sessions(entries)]
    assert pairs == [("sub-01_ses-a", "sub-01_ses-b"), ("sub-01_ses-a", "sub-01_ses-c")]


def test_growth_is_a_change_of_size_and_not_of_shape():
    row = longitudinal_differences([(sphere_entry("a", radius=1.0), sphere_entry("b", radius=1.1))])[0]
    assert row["area_change"] == pytest.approx(0.21)
    assert row["volume_change"] == pytest.approx(0.331)
    assert row["shapedna_distance"] == pytest.approx(0, abs=1e-9)
    assert row["k"] == 8


def test_a_pair_with_a_missing_session_names_it():
    row = longitudinal_differences([(sphere_entry("a"), missing_entry("b", "recon failed"))])[0]
    assert row["shapedna_distance"] is None
    assert row["area_change"] is None
    assert row["reason"] == "b: recon failed"


def test_sessions_computed_differently_are_refused():
    with pytest.raises(IncompatibleError, match="surface: midthickness in a, pial in b"):
        longitudinal_differences([(sphere_entry("a"), sphere_entry("b", surface="pial"))])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: participants_table([], n_eigenvalues="all"), "n_eigenvalues: expected a whole number"),
        (lambda: participants_table([], n_eigenvalues=-1), "n_eigenvalues: expected a whole number >= 0"),
        (lambda: find_outliers({"a": "1.0"}, measure="area"), "values: expected numbers, found '1.0' for a"),
    ],
)
def test_wrong_kinds_are_named(call, message):
    with pytest.raises(ArrayError, match=message):
        call()
