"""Words for flags and measures; checking and reading what a report is made from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spectralbrain import mesh_quality, save_gifti_func
from spectralbrain.errors import FormatError
from spectralbrain.geometry.solids import sphere
from spectralbrain.reports.inputs import (
    load_descriptor,
    load_matrix,
    load_table,
    pretty_units,
    scale_names,
    surface_input,
)
from spectralbrain.reports.methods import default_methods
from spectralbrain.reports.style import number, slugify
from spectralbrain.reports.words import (
    facts,
    flag_from,
    listed,
    metadata_flags,
    quality_flags,
    verification_facts,
)


def test_a_good_mesh_raises_no_flag():
    assert quality_flags(mesh_quality(sphere(2))) == []


@pytest.mark.parametrize(
    ("key", "value", "severity", "part"),
    [
        ("n_non_manifold_edges", 3, "error", "3 edges are shared"),
        ("n_degenerate_faces", 1, "error", "1 triangles have no area"),
        ("n_inconsistent_edges", 7, "warning", "At 7 edges"),
        ("is_orientable", False, "error", "only one side"),
        ("faces_look_inwards", True, "info", "changes no result"),
    ],
)
def test_each_defect_has_a_sentence(key, value, severity, part):
    (flag,) = quality_flags({**mesh_quality(sphere(1)), key: value})
    assert (flag.code, flag.severity) == (key, severity)
    assert part in flag.message


def test_every_measure_named_in_a_flag_is_one_that_is_measured():
    from spectralbrain.reports.words import _QUALITY

    assert set(_QUALITY) - {"n_self_intersections"} <= set(mesh_quality(sphere(1)))


def test_an_unverified_solution_is_an_error_in_words():
    (flag,) = metadata_flags({"verified": False, "verification": "not verified: residual 1e-3"})
    assert flag.severity == "error"
    assert "residual 1e-3" in flag.message


def test_a_file_without_verification_counts_as_unverified():
    assert [flag.code for flag in metadata_flags({})] == ["unverified"]


def test_coarse_meshes_are_flagged_from_the_first_bad_mode():
    metadata = {"verified": True, "discretization_error": np.array([np.nan, 0.001, 0.06, 0.2])}
    (flag,) = metadata_flags(metadata)
    assert flag.code == "discretization_error"
    assert "From mode 3 on" in flag.message
    assert "(2 of 4 modes)" in flag.message


def test_flags_of_the_solver_are_shown_once():
    metadata = {
        "verified": True,
        "discretization_error": np.array([0.02]),
        "quality_flags": ["pinched_vertices", "discretization_error", "new_kind_of_flag"],
    }
    codes = [flag.code for flag in metadata_flags(metadata)]
    assert codes == ["discretization_error", "pinched_vertices", "new_kind_of_flag"]


def test_a_good_solution_raises_no_flag(hemisphere):
    assert [f.code for f in metadata_flags(hemisphere.metadata) if f.severity == "error"] == []


def test_facts_of_a_real_solution(hemisphere):
    known = dict(facts(hemisphere.metadata))
    assert known["Modes"] == "14"
    assert known["Medial wall cut out"] == "yes"
    assert known["Area"].endswith(" mm²")
    checks = {row[0] for row in verification_facts(hemisphere.metadata)}
    assert checks == {"Largest residual", "Orthonormality error", "Eigenvalues counted"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "flags: expected codes or mappings"),
        ({"message": "x"}, "flags: expected codes or mappings"),
        ({"code": "x", "severity": "fatal"}, "expected severity info, warning, error, found 'fatal'"),
    ],
)
def test_bad_flags_are_refused(value, message):
    with pytest.raises(FormatError, match=message):
        flag_from(value)


def test_an_unknown_code_is_still_shown():
    assert flag_from("odd_shape").message == "odd shape"


def test_quality_is_listed_with_its_distributions():
    rows = dict(listed(mesh_quality(sphere(1))))
    assert rows["number of faces"] == "80"
    assert rows["is closed"] == "yes"
    assert "edge length, median" in rows
    assert not any("problems" in key for key in rows)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (
            {"hemisphere": "R", "structure": "hipp", "surface": "inner", "session": "pre"},
            "Right hippocampus (inner), session pre",
        ),
        ({"structure": "Brain-Stem"}, "Brain-Stem"),
        ({"name": "Mine", "structure": "cortex"}, "Mine"),
    ],
)
def test_a_surface_has_a_name_for_people(given, name):
    assert surface_input(given, "surfaces[0]").name == name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"surfaces\[2\]: expected a name or a structure"),
        ({"name": "x", "hemi": "L"}, r"surfaces\[2\]: unknown hemi; expected name, hemisphere"),
        ({"name": "x", "hemisphere": "left"}, "expected hemisphere 'L', 'R' or None, found 'left'"),
        ({"name": "x", "status": "bad"}, "expected status ok, flagged, failed, found 'bad'"),
    ],
)
def test_bad_surfaces_are_refused(given, message):
    with pytest.raises(FormatError, match=message):
        surface_input(given, "surfaces[2]")


def test_a_cache_gives_values_units_and_times(hks_cache, hemisphere):
    maps = load_descriptor("hks", hks_cache)
    assert maps.values.shape == (hemisphere.mesh.n_vertices, 5)
    assert maps.units == "mm⁻²"
    assert maps.scales[0].startswith("t = ")
    assert "spread √(2t)" in maps.scales[0]


def test_options_win_over_the_file(hks_cache):
    maps = load_descriptor("hks", {"file": hks_cache, "title": "Heat", "units": "1", "scales": list("abcde")})
    assert (maps.title, maps.units, maps.scales) == ("Heat", "", ("a", "b", "c", "d", "e"))


def test_a_gifti_file_is_named_by_its_sidecar(tmp_path):
    path = tmp_path / "sub-01_hemi-L_wks.shape.gii"
    save_gifti_func(path, np.ones((4, 2)))
    (tmp_path / "sub-01_hemi-L_wks.json").write_text(json.dumps({"Energies": [-4.0, 0.0], "Units": "mm^-2"}))
    maps = load_descriptor("wks", path)
    assert maps.scales == ("log energy −4.00\nwavelength 46.4 mm", "log energy 0.00\nwavelength 6.28 mm")
    assert maps.units == "mm⁻²"


def test_a_gifti_file_without_sidecar_is_named_by_its_maps(tmp_path):
    path = tmp_path / "x.shape.gii"
    save_gifti_func(path, np.ones((4, 2)), names=["early", "late"], units="mm")
    maps = load_descriptor("mine", path)
    assert (maps.scales, maps.units, maps.title) == (("early", "late"), "mm", "mine")


def test_a_nameless_file_is_numbered(tmp_path):
    path = tmp_path / "x.shape.gii"
    save_gifti_func(path, np.ones((4, 3)))
    assert load_descriptor("sihks", path).scales == (
        "frequency 1 of 3",
        "frequency 2 of 3",
        "frequency 3 of 3",
    )


def test_what_a_file_does_not_hold_is_named(hks_cache, cache):
    with pytest.raises(FormatError, match="expected descriptor 'wks', found hks"):
        load_descriptor("wks", hks_cache)
    with pytest.raises(FormatError, match="expected 5 names of scales, found 1"):
        load_descriptor("hks", {"file": hks_cache, "scales": ["a"]})
    with pytest.raises(FormatError, match="unknown unit; expected file, title, units, scales"):
        load_descriptor("hks", {"file": hks_cache, "unit": "mm"})


def test_scales_of_a_single_map_carry_the_title():
    assert scale_names("bks", 1, {}) == ["Biharmonic kernel signature (BKS)"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1], "expected a mapping with file or values, found list"),
        ({"title": "x"}, "expected file or values, found neither"),
        (
            {"values": np.eye(2), "kind": "odd"},
            "expected kind distance, similarity or correlation, found 'odd'",
        ),
        ({"values": np.eye(2), "unit": "mm"}, "unknown unit"),
    ],
)
def test_bad_matrices_are_refused(given, message):
    with pytest.raises(FormatError, match=message):
        load_matrix(given, "matrices[0]")


def test_tables_are_read_and_ragged_ones_refused(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('participant_id\tarea\nsub-01\t"5\nsub-02\tn/a\n')
    assert load_table(path, "measures") == [
        {"participant_id": "sub-01", "area": '"5'},
        {"participant_id": "sub-02", "area": "n/a"},
    ]
    path.write_text("participant_id\tarea\nsub-01\n")
    with pytest.raises(FormatError, match=r"measures: .*table.tsv, line 2: expected 2 cells, found 1"):
        load_table(path, "measures")
    path.write_text("participant_id\tarea\nsub-01\t12")
    with pytest.raises(FormatError, match=r"measures: .*table.tsv: expected a line feed after the last line"):
        load_table(path, "measures")
    path.write_text("")
    with pytest.raises(FormatError, match="expected a header, found an empty file"):
        load_table(path, "measures")


def test_rows_with_missing_values_become_text():
    assert load_table([{"a": None, "b": float("nan"), "c": 2}], "t") == [{"a": "n/a", "b": "n/a", "c": "2"}]


def test_units_and_numbers_are_written_for_people():
    assert pretty_units("mm^-1") == "mm⁻¹"
    assert number(-0.00000123) == "-1.23 × 10⁻⁶"
    assert number(0.1) == "0.1"
    assert number(float("inf")) == "n/a"
    assert slugify("…") == "figure"


def test_methods_say_what_the_files_say(hemisphere):
    text = default_methods([hemisphere.metadata])
    assert "cotangent stiffness matrix" in text
    assert "consistent mass matrix" in text
    assert "free (Neumann) conditions" in text
    assert "medial wall was cut out" in text
    assert "The 14 smallest" in text
    assert "was verified by its residual" in text


def test_methods_do_not_claim_what_was_not_done(hemisphere):
    unverified = {**hemisphere.metadata, "verified": False, "masked": False}
    text = default_methods([hemisphere.metadata, unverified])
    assert "did not pass verification" in text
    assert "cut out of some surfaces" in text
