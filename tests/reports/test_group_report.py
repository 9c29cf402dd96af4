"""The report of a cohort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spectralbrain import build_group_report
from spectralbrain.errors import FormatError
from spectralbrain.reports.cohort import (
    cohort_spectra,
    found_outliers,
    given_outliers,
    plot_cohort_spectra,
    spectrum_deviations,
)

LABELS = [f"sub-{i:02d}" for i in range(1, 10)]


@pytest.fixture
def values() -> np.ndarray:
    rng = np.random.default_rng(7)
    found = np.linspace(1.6, 1.1, 20) * (1 + 0.02 * rng.normal(size=(9, 20)))
    found[4] *= 1.3
    return found


@pytest.fixture
def table(tmp_path, values) -> Path:
    header = ["participant_id", *(f"shapedna_{i:04d}" for i in range(1, 21)), "reason"]
    rows = [[label, *map(str, row), "n/a"] for label, row in zip(LABELS, values, strict=True)]
    rows[7] = [LABELS[7], *["n/a"] * 20, "the mesh has no faces"]
    path = tmp_path / "desc-shapedna_morph.tsv"
    path.write_text("\n".join("\t".join(row) for row in [header, *rows]) + "\n")
    return path


@pytest.fixture
def distance(values):
    matrix = np.linalg.norm(values[:, None] - values, axis=2)
    matrix[7] = matrix[:, 7] = np.nan
    return {"values": matrix, "labels": LABELS, "title": "ShapeDNA distance"}


def test_the_page_shows_all_and_names_who_stands_out(tmp_path, table, distance, read_page):
    result = build_group_report(
        tmp_path / "group.html",
        [{"name": "Left cortex", "shapedna": table, "distance": distance}],
        participants=[{"participant_id": label, "n_surfaces": 2} for label in LABELS],
        failures=[{"participant_id": "sub-08", "what": "Left cortex", "reason": "the mesh has no faces"}],
        missing=[{"participant_id": "sub-03", "what": "session 2", "reason": "not acquired"}],
        figures_dir=tmp_path / "figures",
    )
    page = read_page(result.out_file)
    assert result.ok
    assert [Path(file).name for file in result.files] == [
        "group.html",
        "group_left-cortex-shapedna.svg",
        "group_left-cortex-distances.svg",
        "group_left-cortex-map.svg",
    ]
    for words in (
        "Failed: sub-08.",
        "Something is missing from sub-03.",
        "Outliers: sub-05.",
        "beyond ±3.5",
        "sub-05 distance from the median spectrum",
        "not acquired",
        "Left out, distances missing: sub-08.",
        "1 without a spectrum are not drawn",
        "average linkage",
    ):
        assert words in page.words, words
    assert len(page.images) == 3
    assert "Outliers: sub-05." in page.images[0]["alt"]
    assert all(address.startswith(("data:", "#")) for address in page.addresses)


def test_the_same_input_gives_the_same_bytes(tmp_path, table, distance):
    group = {"name": "Left cortex", "shapedna": table, "distance": distance}
    first, second = (Path(build_group_report(tmp_path / n, [group]).out_file) for n in ("a.html", "b.html"))
    assert first.read_bytes() == second.read_bytes()


def test_outliers_given_are_taken_as_they_are(tmp_path, table, read_page):
    outliers = [
        {"name": "sub-02", "measure": "surface_area", "value": 5.0, "robust_z": 9.9, "outlier": True},
        {"name": "sub-03", "measure": "surface_area", "value": 1.0, "robust_z": 0.1, "outlier": False},
    ]
    group = {"name": "Left cortex", "shapedna": table, "outliers": outliers, "threshold": 5}
    words = read_page(build_group_report(tmp_path / "g.html", [group]).out_file).words
    assert "Outliers: sub-02." in words
    assert "±5.0" in words
    assert "surface area" in words


def test_outliers_are_found_in_measures_too():
    measures = [{"participant_id": label, "surface_area": str(1000.0 + i)} for i, label in enumerate(LABELS)]
    measures[3]["surface_area"] = "9000"
    (found,) = found_outliers(None, measures, 3.5)
    assert (found.label, found.measure) == ("sub-04", "surface_area")
    assert float(found.robust_z) > 3.5


def test_a_threshold_decides():
    measures = [{"participant_id": label, "surface_area": str(1000.0 + i)} for i, label in enumerate(LABELS)]
    assert found_outliers(None, measures, 3.5) == []
    assert {o.label for o in found_outliers(None, measures, 0.5)} == {
        "sub-01",
        "sub-02",
        "sub-03",
        "sub-07",
        "sub-08",
        "sub-09",
    }


def test_few_participants_are_shown_without_clustering(tmp_path, read_page):
    pair = {"values": np.array([[0.0, 2.0], [2.0, 0.0]]), "labels": ["sub-01", "sub-02"], "title": "Distance"}
    result = build_group_report(tmp_path / "g.html", [{"name": "Pair", "distance": pair}])
    assert result.ok
    assert len(read_page(result.out_file).images) == 1


def test_a_matrix_that_is_no_distance_is_shown_with_the_reason(tmp_path, read_page):
    odd = {"values": np.arange(16.0).reshape(4, 4), "labels": list("abcd"), "title": "Odd"}
    result = build_group_report(tmp_path / "g.html", [{"name": "Odd", "distance": odd}])
    assert "symmetric" in result.failures[0].message
    page = read_page(result.out_file)
    assert "could not be drawn" in page.words
    assert len(page.images) == 1


def test_an_unreadable_table_is_said_and_costs_nothing_else(tmp_path, distance, read_page):
    group = {"name": "Left cortex", "shapedna": tmp_path / "gone.tsv", "distance": distance}
    result = build_group_report(tmp_path / "g.html", [group], missing=tmp_path / "gone2.tsv")
    assert sorted(failure.what for failure in result.failures) == [
        "the ShapeDNA table",
        "the table of missing",
    ]
    assert len(read_page(result.out_file).images) == 2


def test_nothing_to_compare_is_said(tmp_path, read_page):
    assert (
        "There is nothing to compare."
        in read_page(build_group_report(tmp_path / "g.html", []).out_file).words
    )


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"shapedna": "x"}, r"groups\[0\]: expected a name, found none"),
        ({"name": "x", "matrix": 1}, r"groups\[0\]: unknown matrix; expected name, shapedna"),
        ({"name": "x", "threshold": -1}, "threshold: expected a positive number, found -1"),
    ],
)
def test_bad_groups_are_refused(tmp_path, group, message):
    with pytest.raises(FormatError, match=message):
        build_group_report(tmp_path / "g.html", [group])
    assert list(tmp_path.iterdir()) == []


def test_sessions_are_part_of_the_label(tmp_path):
    rows = [{"participant_id": "sub-01", "session_id": s, "shapedna_0001": 1.0} for s in ("ses-a", "ses-b")]
    assert cohort_spectra(rows, "t").labels == ("sub-01 ses-a", "sub-01 ses-b")


def test_tables_without_spectra_are_refused():
    with pytest.raises(
        FormatError, match="expected columns such as shapedna_0001, found participant_id, area"
    ):
        cohort_spectra([{"participant_id": "sub-01", "area": 1.0}], "t")
    with pytest.raises(FormatError, match="expected a column participant_id or name"):
        cohort_spectra([{"who": "sub-01", "shapedna_0001": 1.0}], "t")
    with pytest.raises(FormatError, match="expected 1 rows of values"):
        cohort_spectra({"labels": ["a"], "values": np.ones((2, 3))}, "t")


def test_deviations_leave_missing_rows_missing(values):
    spectra = cohort_spectra({"labels": LABELS, "values": values}, "t")
    deviations = spectrum_deviations(spectra)
    assert deviations.argmax() == 4
    values[0, 3] = np.nan
    assert np.isnan(spectrum_deviations(cohort_spectra({"labels": LABELS, "values": values}, "t"))[0])


def test_a_cohort_without_spectra_cannot_be_plotted():
    empty = cohort_spectra({"labels": ["a"], "values": np.full((1, 3), np.nan)}, "t")
    with pytest.raises(FormatError, match="Cortex: expected at least one complete spectrum"):
        plot_cohort_spectra(empty, name="Cortex")


def test_rows_that_are_no_outliers_are_passed_over():
    rows = [
        {"name": "a", "measure": "area", "outlier": None},
        {"name": "b", "measure": "area", "outlier": "true"},
    ]
    assert [outlier.label for outlier in given_outliers(rows, "t")] == ["b"]


def test_the_table_of_participants_is_for_reading(tmp_path, table, read_page):
    lines = table.read_text().splitlines()
    sizes = ["index\tsurface_area\tspace", *(f"{i}\t{1234.56789 + i}\tn/a" for i in range(1, 10))]
    table.write_text("\n".join(f"{a}\t{b}" for a, b in zip(lines, sizes, strict=True)) + "\n")
    result = build_group_report(tmp_path / "g.html", [], participants=table)
    words = read_page(result.out_file).words
    assert "participant id surface area reason" in " ".join(words.split())
    assert "1235.57" in words
    assert "shapedna 0001" not in words
    assert "the mesh has no faces" in words
