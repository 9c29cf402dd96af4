"""What the app writes, opened by others: the BIDS validator, nibabel, pandas; and the group level."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spectralbrain.bids.entities import ENTITY_ORDER, parse_name
from tests.cli.test_app import app, content, participant, rows, surface_file
from tests.datasets import fmriprep, subjects_dir, truncate

EXTENSIONS = {".h5", ".json", ".tsv", ".shape.gii", ".label.gii", ".surf.gii"}


def group(source, output, *more):
    return app(source, output, "group", "-w", f"{output}-work", "--no-report", *more)


def validate(folder: Path) -> subprocess.CompletedProcess[str]:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    validator = shutil.which("bids-validator-deno", path=places)
    if validator is None:
        pytest.skip("bids-validator-deno is not installed")
    return subprocess.run([validator, folder], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Two sessions of three participants with parcellations, one of them broken; both levels run."""
    folder = tmp_path_factory.mktemp("outputs")
    names = [f"sub-{s}_ses-{t}" for s in ("01", "02", "03") for t in ("a", "b")]
    root = subjects_dir(folder / "freesurfer", names)
    truncate(root / "sub-03_ses-b" / "surf" / "rh.white")
    everything = ["--descriptors", "shapedna", "hks", "sihks", "wks", "gps", "bks", "--write-meshes"]
    ran = participant(root, folder / "spectralbrain", *everything)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 of 3 participants (sub-03)" in ran.stdout
    compared = group(root, folder / "spectralbrain")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    return folder / "spectralbrain"


def files(output: Path, *suffixes: str) -> list[Path]:
    return sorted(p for p in output.rglob("*") if p.is_file() and p.name.endswith(suffixes))


# ----------------------------------------------------------------------------------------- validator
def test_the_validator_accepts_it(output):
    result = validate(output)
    assert result.returncode == 0, result.stdout
    assert "ERROR" not in result.stdout


def test_the_validator_finds_what_is_wrong(output, tmp_path):
    """It does look: without .bidsignore it reports our own suffixes."""
    shutil.copytree(output, tmp_path / "copy")
    (tmp_path / "copy" / ".bidsignore").unlink()
    assert validate(tmp_path / "copy").returncode == 16


# ----------------------------------------------------------- what the validator does not look at
def test_dataset_description(output):
    description = json.loads((output / "dataset_description.json").read_text())
    ours, *others = description["GeneratedBy"]
    assert ours["Name"] == "spectralbrain"
    assert re.fullmatch(r"[0-9a-f]{12}", ours["ConfigurationHash"])
    assert others == [{"Name": "FreeSurfer", "Version": "unknown"}]
    assert description["DatasetType"] == "derivative"
    assert description["DatasetLinks"] == {"input": "../freesurfer"}
    assert (output / description["DatasetLinks"]["input"]).is_dir()


def test_chain_license_and_sources_of_the_input(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    assert participant(root, tmp_path / "out", "--boilerplate-only").returncode == 0
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert [g["Name"] for g in description["GeneratedBy"]] == ["spectralbrain", "fMRIPrep"]
    assert description["License"] == "CC0"
    assert description["SourceDatasets"] == [{"DOI": "doi:10.18112/openneuro.ds000000.v1"}]


def test_names_follow_the_schema(output):
    for path in files(output, *EXTENSIONS):
        if "logs" in path.parts or path.name in ("dataset_description.json", "descriptions.json"):
            continue
        if path.name == "descriptions.tsv":
            continue
        name = parse_name(path.name)
        assert name.extension in EXTENSIONS, path
        order = [ENTITY_ORDER.index(key) for key in name.entities]
        assert order == sorted(order), path
        assert all(re.fullmatch(r"[0-9A-Za-z+]+", label) for label in name.entities.values())
        if "sub" in name.entities:
            assert path.parts[-4:-1] == (
                f"sub-{name.entities['sub']}",
                f"ses-{name.entities['ses']}",
                "anat",
            )


def test_the_table_of_outputs_is_what_is_written(output):
    """README.md of the dataset (the manual's page of outputs): each file has its row, each row its file."""
    cells = [line.split("|")[1] for line in (output / "README.md").read_text().splitlines() if "| `" in line]
    patterns = []
    for cell in cells:
        named = re.findall(r"`([^`]+)`", cell)
        folder = named[0].rpartition("/")[0]
        patterns += [name if "/" in name or not folder else f"{folder}/{name}" for name in named]
    written = [p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()]
    bare = [re.sub(r"(?<=/)ses-[^/]+/", "", name) for name in written]
    tables = [re.sub(r"(\.shape|\.label|\.surf)?\.(gii|tsv|h5)$", ".json", pattern) for pattern in patterns]

    def fits(name, pattern):
        deep = name.count("/") == pattern.count("/")
        return name.startswith(pattern) if pattern.endswith("/") else deep and fnmatchcase(name, pattern)

    assert [n for n in bare if not any(fits(n, p) for p in (*patterns, *tables))] == []
    unused = [p for p in patterns if not any(fits(n, p) for n in bare)]
    assert unused == ["sub-*.html", "group.html"]  # --no-report


def test_every_label_is_described(output):
    described = {row["desc_id"].removeprefix("desc-") for row in rows(output / "descriptions.tsv")}
    used = {parse_name(p.name).entities.get("desc") for p in files(output, *EXTENSIONS)} - {None}
    assert used <= described


def test_tables(output):
    tables = files(output, ".tsv")
    assert len(tables) > 15
    for path in tables:
        text = path.read_bytes().decode("utf-8")
        assert "\r" not in text
        assert text.endswith("\n")
        lines = text[:-1].split("\n")
        header = lines[0].split("\t")
        assert all(column.strip() for column in header), path
        assert len(set(header)) == len(header), path
        for line in lines[1:]:
            cells = line.split("\t")
            assert len(cells) == len(header), path
            assert all(cell not in ("", "nan", "NaN", "None", "inf", "-inf") for cell in cells), path
        sidecar = json.loads(path.with_suffix(".json").read_text())
        if path.name.endswith("_dseg.tsv"):
            assert header == ["index", "name", "color"]  # as BIDS defines them
        elif not path.name.endswith("_relmat.tsv"):
            assert set(header) <= set(sidecar), path
        else:
            assert header[0] == "node"
            assert [line.split("\t")[0] for line in lines[1:]] == header[1:]


def test_every_file_has_a_sidecar_whose_sources_exist(output):
    links = json.loads((output / "dataset_description.json").read_text())["DatasetLinks"]
    for path in files(output, ".h5", ".gii", "_morph.tsv", "_relmat.tsv"):
        sidecar = json.loads(path.with_name(f"{path.name.partition('.')[0]}.json").read_text())
        assert sidecar["Description"]
        assert sidecar["Sources"], path
        for uri in sidecar["Sources"]:
            scheme, dataset, place = uri.split(":", 2)
            assert scheme == "bids"
            root = output / links[dataset] if dataset else output
            assert (root / place).exists(), uri
        if "hemi" in parse_name(path.name).entities and "sub" in parse_name(path.name).entities:
            assert sidecar["SpatialReference"]


def test_no_json_holds_nan(output):
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    for path in files(output, ".json"):
        json.loads(path.read_text(), parse_constant=refuse)


def test_maps_open_in_nibabel(output):
    maps = files(output, ".shape.gii")
    assert len(maps) == 6 * 11  # eigenmodes and five descriptors, on eleven surfaces
    for path in maps:
        image = nib.load(path)
        side = {"L": "CortexLeft", "R": "CortexRight"}[parse_name(path.name).entities["hemi"]]
        assert image.meta["AnatomicalStructurePrimary"] == side
        names = [array.meta["Name"] for array in image.darrays]
        assert len(set(names)) == len(names)
        for array in image.darrays:
            assert array.data.shape == (642,)
            assert array.data.dtype == np.float32
            assert array.intent == nib.nifti1.intent_codes["NIFTI_INTENT_SHAPE"]
        mask = nib.load(path.with_name(re.sub(r"_label-cortex.*", "_desc-cortex_mask.label.gii", path.name)))
        inside = mask.darrays[0].data == 1
        assert mask.darrays[0].intent == nib.nifti1.intent_codes["NIFTI_INTENT_LABEL"]
        assert np.isfinite(image.darrays[0].data[inside]).all()
        assert np.isnan(image.darrays[0].data[~inside]).all()


def test_parcellations_open_in_nibabel_with_names_and_colours(output):
    paths = files(output, "_dseg.label.gii")
    assert len(paths) == 11
    for path in paths:
        image = nib.load(path)
        assert image.meta["AnatomicalStructurePrimary"].startswith("Cortex")
        assert image.darrays[0].data.shape == (642,)
        table = rows(path.with_name(path.name.replace(".label.gii", ".tsv")))
        assert {int(r["index"]): r["name"] for r in table} == image.labeltable.get_labels_as_dict()
        assert set(np.unique(image.darrays[0].data)) <= {int(r["index"]) for r in table}
        assert all(re.fullmatch("#[0-9a-f]{6}", r["color"]) for r in table)
        source = json.loads(path.with_name(path.name.replace(".label.gii", ".json")).read_text())
        assert source["Sources"][0].endswith(".aparc.annot")


def test_left_against_right_of_each_participant(output):
    own = {p.name.partition("_desc")[0]: rows(p) for p in files(output, "_desc-asymmetry_morph.tsv")}
    assert len(own) == 6
    for row in rows(output / "desc-asymmetry_morph.tsv"):
        (mine,) = own[row["name"]]
        assert (mine["distance"], mine["area_index"]) == (row["distance"], row["area_index"])
    (lost,) = own["sub-03_ses-b"]  # its right side failed
    assert lost["distance"] is None
    assert "rh.white" in lost["reason"]


def test_written_surfaces_state_their_structure(output):
    paths = files(output, ".surf.gii")
    assert len(paths) == 11
    for path in paths:
        side = {"L": "CortexLeft", "R": "CortexRight"}[parse_name(path.name).entities["hemi"]]
        meta = nib.load(path).get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0].meta
        assert meta["AnatomicalStructurePrimary"] == side
        assert meta["GeometricType"] == "Anatomical"


def test_eigenmodes_and_sidecar_agree_with_the_cache(output):
    import spectralbrain as sb

    path = files(output, "sub-01_ses-a_hemi-L_label-cortex_desc-midthickness_eigenpairs.h5")[0]
    found = sb.SpectralDecomposition.load(path)
    sidecar = json.loads(path.with_suffix(".json").read_text())
    np.testing.assert_array_equal(sidecar["Eigenvalues"], found.eigenvalues)
    assert found.metadata["subject"] == "01"
    assert found.metadata["session"] == "a"
    modes = nib.load(path.with_name(path.name.replace("_eigenpairs.h5", "_eigenmodes.shape.gii")))
    for i, array in enumerate(modes.darrays):
        np.testing.assert_allclose(array.data, found.eigenvectors[:, i].astype(np.float32))
    table = rows(path.parent / "sub-01_ses-a_desc-shapedna_morph.tsv")
    left = next(row for row in table if row["hemisphere"] == "L")
    shape = sb.compute_shapedna(found, normalization="area")
    written = [float(left[f"shapedna_{i:04d}"]) for i in range(1, len(shape) + 1)]
    np.testing.assert_array_equal(written, shape)
    np.testing.assert_allclose(float(left["surface_area"]), found.surface_area)


def test_tables_open_in_pandas(output):
    import pandas as pd

    frame = pd.read_csv(output / "desc-shapedna_morph.tsv", sep="\t", na_values="n/a")
    assert frame["shapedna_0001"].dtype == float
    assert set(frame["participant_id"]) == {"sub-01", "sub-02", "sub-03"}
    matrix = pd.read_csv(
        output / "hemi-L_label-cortex_meas-shapednadistance_desc-midthickness_relmat.tsv",
        sep="\t",
        index_col="node",
        na_values="n/a",
    )
    assert list(matrix.index) == list(matrix.columns)
    np.testing.assert_allclose(matrix, matrix.T)
    assert (np.diag(matrix) == 0).all()


def test_a_surface_that_says_it_is_of_the_other_side_is_flagged(tmp_path):
    from spectralbrain.bids.discovery import discover
    from spectralbrain.spectral.spectrum import Spectrum
    from spectralbrain.workflows.outputs import other_hemisphere
    from spectralbrain.workflows.summary import flags_of

    root = fmriprep(tmp_path / "in", ["01"])
    shutil.copy(surface_file(root, "01", "L"), surface_file(root, "01", "R"))
    left, right = discover(root).surfaces
    assert (other_hemisphere(left), other_hemisphere(right)) == (None, "L")
    flags = flags_of(
        Spectrum(np.zeros(1), {"surface_area": 1.0, "n_null_modes": 1}), {"StatedHemisphere": "L"}
    )
    assert flags["other_hemisphere"] == "the file says that it is of the hemisphere L"


def test_grids_are_the_same_for_all_participants(output):
    for suffix, field in (("hks", "DiffusionTimesOverArea"), ("wks", "EnergiesOfLambdaTimesArea")):
        grids = [json.loads(p.read_text())[field] for p in files(output, f"_{suffix}.json")]
        assert len(grids) == 11
        assert all(grid == pytest.approx(grids[0], rel=1e-9) for grid in grids)
    sidecar = json.loads(files(output, "_wks.json")[0].read_text())
    assert sidecar["Sigma"] > 0


# ------------------------------------------------------------------------------------------- group
def test_missing_values_have_a_reason(output):
    table = rows(output / "desc-shapedna_morph.tsv")
    assert len(table) == 12
    lost = [row for row in table if row["n_vertices"] is None]
    assert [(row["name"], row["hemisphere"]) for row in lost] == [("sub-03_ses-b", "R")]
    assert "rh.white" in lost[0]["reason"]
    matrix = rows(output / "hemi-R_label-cortex_meas-wesd_desc-midthickness_relmat.tsv")
    assert all(value is None for key, value in matrix[-1].items() if key != "node")
    asymmetry = rows(output / "desc-asymmetry_morph.tsv")
    assert [row["distance"] is None for row in asymmetry] == [False] * 5 + [True]
    assert asymmetry[-1]["reason"]
    pairs = rows(output / "desc-longitudinal_morph.tsv")
    assert len(pairs) == 6
    assert [row["shapedna_distance"] is None for row in pairs].count(True) == 1
    regions = rows(output / "seg-aparc_desc-regions_morph.tsv")
    assert len(regions) == 11 * 4
    assert {row["name"] for row in regions} == {"backlower", "backupper", "frontlower", "frontupper"}


def test_group_results_do_not_depend_on_when_they_are_made(output):
    before = content(output)
    assert group(output.parent / "freesurfer", output).returncode == 0
    assert content(output) == before


def test_group_of_some_participants(output, tmp_path):
    shutil.copytree(output, tmp_path / "copy")
    result = group(
        output.parent / "freesurfer", tmp_path / "copy", "--participant-label", "01", "--session-label", "a"
    )
    assert result.returncode == 0, result.stderr
    table = rows(tmp_path / "copy" / "desc-shapedna_morph.tsv")
    assert {row["name"] for row in table} == {"sub-01_ses-a"}
    assert not (tmp_path / "copy" / "desc-longitudinal_morph.tsv").exists()  # nothing out of date is left
    absent = group(output.parent / "freesurfer", tmp_path / "copy", "--participant-label", "01", "99")
    assert absent.returncode == 1
    assert "sub-99: no results of the participant level" in absent.stdout


def test_outliers_are_named_with_the_threshold(tmp_path):
    root = fmriprep(tmp_path / "in", [f"{i:02d}" for i in range(1, 8)])
    for hemi in "LR":
        path = surface_file(root, "05", hemi)
        image = nib.load(path)
        image.darrays[0].data[:] = image.darrays[0].data * 2
        nib.save(image, path)
    assert participant(root, tmp_path / "out").returncode == 0
    result = group(root, tmp_path / "out", "--outlier-threshold", "12")
    assert "beyond a robust z of 12" in result.stdout
    named = [line for line in result.stdout.splitlines() if line.startswith("outlier:")]
    assert {"sub-05"} <= {line.split()[1].strip(",") for line in named}
    assert any("surface_area" in line for line in named)
    table = rows(tmp_path / "out" / "desc-outliers_morph.tsv")
    area = [r for r in table if r["measure"] == "surface_area" and r["outlier"] == "true"]
    assert {r["name"] for r in area} == {"sub-05"}
    assert all(r["threshold"] == "12.0" for r in area)
    distance = [r for r in table if r["measure"] == "shapedna_deviation" and r["name"] == "sub-05"]
    assert all(r["outlier"] == "false" for r in distance)  # twice as large is the same shape


def test_incompatible_results_are_refused_by_name(tmp_path):
    """Results of other parameters get into one folder only by --replace; group must notice."""
    root = fmriprep(tmp_path / "in", ["01", "02"])
    assert participant(root, tmp_path / "out", "--participant-label", "01").returncode == 0
    other = ["--participant-label", "02", "--medial-wall", "closed", "--replace"]
    assert participant(root, tmp_path / "out", *other).returncode == 0
    result = group(root, tmp_path / "out")
    assert result.returncode == 65
    assert "left cortex (midthickness): cannot compare" in result.stderr
    assert "masked: False in sub-02, True in sub-01" in result.stderr
    assert "boundary: closed in sub-02, neumann in sub-01" in result.stderr
    assert result.stderr.rstrip().endswith("leave some out (--participant-label) or process all alike")


def test_group_without_participants(tmp_path):
    (tmp_path / "in").mkdir()
    result = group(tmp_path / "in", tmp_path / "out")
    assert result.returncode == 66
    assert "no results of the participant level" in result.stderr


@pytest.fixture
def small(tmp_path):
    """Two participants, two surfaces each, ShapeDNA without normalisation."""
    root = fmriprep(tmp_path / "in", ["01", "02"])
    options = ["--surfaces", "white", "pial", "--descriptors", "shapedna", "--written-modes", "12"]
    ran = participant(root, tmp_path / "out", "--normalization", "none", *options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return root, tmp_path / "out"


def test_the_group_level_ignores_no_parameter(small, tmp_path):
    asked = {
        "normalization": ["area"],
        "modes": ["13"],
        "descriptors": ["hks"],
        "scales": ["21"],
        "laplacian": ["robust"],
        "mass": ["lumped"],
        "boundary": ["dirichlet"],
        "region-modes": ["31"],
        "written-modes": ["5"],
        "write-meshes": [],
    }
    same = {"normalization": "none", "written-modes": "12"}
    config = tmp_path / "default.toml"
    config.write_text('normalization = "area"\n')
    for name, values in asked.items():
        run = group(*small, f"--{name}", *values)
        assert run.returncode == 64, name
        assert f"{name.replace('-', '_')}: " in run.stderr
    run = group(*small, "--config-file", config)
    assert run.returncode == 64
    assert "normalization: 'area' here, 'none' there" in run.stderr
    agreed = [word for name, value in same.items() for word in (f"--{name}", value)]
    run = group(*small, *agreed, "--config-file", small[1] / "logs" / "config.toml")
    assert run.returncode == 0, run.stderr
    assert "without effect" not in run.stdout


def test_the_group_level_chooses_among_results(small):
    root, output = small
    assert group(root, output).returncode == 0
    assert list(output.glob("*desc-white_relmat.tsv"))
    run = group(root, output, "--surfaces", "pial", "--replace", "--write-graph")
    assert run.returncode == 0, run.stderr
    assert (
        "without effect at the group level, which reads OUTPUT alone: --replace, --write-graph" in run.stdout
    )
    assert {row["surface"] for row in rows(output / "desc-shapedna_morph.tsv")} == {"pial"}
    assert not list(output.glob("*desc-white_relmat.tsv"))
    run = group(root, output, "--surfaces", "pial", "midthickness", "--structures", "cortex", "Thalamus")
    assert run.returncode == 66
    assert "results of structure Thalamus, surface midthickness" in run.stderr


def test_regions_of_the_sessions_asked_for(output, tmp_path):
    copy = tmp_path / "out"
    shutil.copytree(output, copy)
    assert group(copy, tmp_path / "out", "--session-label", "b").returncode == 64  # OUTPUT is not INPUT
    source = tmp_path / "anything"
    source.mkdir()
    run = group(source, copy, "--session-label", "b")
    assert run.returncode == 0, run.stderr
    assert {row["scan"][-5:] for row in rows(copy / "seg-aparc_desc-regions_morph.tsv")} == {"ses-b"}
    assert group(source, copy, "--parcellation", "none").returncode == 0
    assert not (copy / "seg-aparc_desc-regions_morph.tsv").exists()


def test_boilerplate_of_the_group_level(small):
    root, output = small
    citation = output / "logs" / "CITATION.md"
    text = citation.read_text(encoding="utf-8")
    citation.unlink()
    run = group(root, output, "--boilerplate-only")
    assert run.returncode == 0
    assert citation.read_text(encoding="utf-8") == text
    assert not (output / "desc-shapedna_morph.tsv").exists()
