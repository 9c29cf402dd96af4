"""Discovery: each layout of the field, with the defects that real folders have."""

from __future__ import annotations

import gzip
import json
import shutil
import time

import pytest

from spectralbrain.bids.discovery import candidate_datasets, detect_layout, discover
from spectralbrain.bids.headers import count_vertices, stated_hemisphere
from spectralbrain.bids.inventory import TABLE_COLUMNS, format_table, table_rows
from spectralbrain.bids.query import Query, check_surfaces, read_filters
from spectralbrain.bids.structures import ASEG_STRUCTURES, choose_structures
from spectralbrain.errors import BIDSError
from tests.datasets import (
    SIDES,
    break_link,
    fmriprep,
    hippunfold,
    plain,
    raw,
    subjects_dir,
    truncate,
)


def names(inventory):
    return [s.name for s in inventory.surfaces]


# ------------------------------------------------------------------------------------------ fMRIPrep
def test_fmriprep(tmp_path):
    found = discover(fmriprep(tmp_path / "in", ["01", "02"]))
    assert found.layouts == {"input": "fmriprep"}
    assert names(found) == [f"sub-{s} {h} cortex midthickness" for s in ("01", "02") for h in "LR"]
    first = found.surfaces[0]
    assert first.mesh.name == "sub-01_hemi-L_midthickness.surf.gii"
    assert first.mask.name == "sub-01_hemi-L_desc-cortex_mask.label.gii"
    assert first.missing == ()
    assert count_vertices(first.mesh) == 642


def test_midthickness_comes_from_white_and_pial_where_it_is_absent(tmp_path):
    found = discover(fmriprep(tmp_path / "in", ["01"], midthickness=False, mask=False, legacy_order=True))
    surface = found.surfaces[0]
    assert surface.mesh is None
    assert surface.white.name == "sub-01_space-fsnative_hemi-L_white.surf.gii"
    assert surface.pial.name == "sub-01_space-fsnative_hemi-L_pial.surf.gii"
    assert surface.processable
    assert surface.missing == ("no cortex mask",)
    row = dict(zip(TABLE_COLUMNS, table_rows(found.surfaces)[0], strict=True))
    assert row["surface"] == "midthickness (from white and pial)"
    assert (row["vertices"], row["mask"]) == ("642", "n/a")


def test_sessions(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], sessions=["pre", "post"])
    assert {s.session for s in discover(root).surfaces} == {"pre", "post"}
    only = discover(root, Query(sessions=("post",)))
    assert {s.session for s in only.surfaces} == {"post"}


def test_anatomy_in_one_session_functional_in_another(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], sessions=["pre"])
    (root / "sub-01" / "ses-post" / "func").mkdir(parents=True)
    assert {s.session for s in discover(root).surfaces} == {"pre"}


def test_a_participant_without_surfaces_is_seen(tmp_path):
    root = fmriprep(tmp_path / "in", ["01", "02"])
    shutil.rmtree(root / "sub-02" / "anat")
    found = discover(root)
    lost = found.of("02")
    assert [s.hemisphere for s in lost] == ["L", "R"]
    assert not any(s.processable for s in lost)
    assert lost[0].missing == ("no midthickness surface",)


def test_a_missing_hemisphere_is_seen(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    for path in (root / "sub-01" / "anat").glob("*hemi-R*"):
        path.unlink()
    left, right = discover(root).surfaces
    assert left.processable
    assert not right.processable
    assert right.hemisphere == "R"


def test_a_parcellation_asked_for_and_absent_is_named(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    assert "no parcellation aparc" in discover(root, Query(parcellations=("aparc",))).surfaces[0].missing
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01"])
    assert discover(root, Query(parcellations=("aparc",))).surfaces[0].missing == ()


def test_a_white_surface_without_pial_says_what_lacks(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], midthickness=False)
    (root / "sub-01" / "anat" / "sub-01_hemi-L_pial.surf.gii").unlink()
    left, right = discover(root).surfaces
    assert left.missing == ("no midthickness surface, and no pial to compute it from",)
    assert right.processable
    recons = subjects_dir(tmp_path / "fs", ["sub-01"])
    (recons / "sub-01" / "surf" / "rh.white").unlink()
    assert "and no white to compute it from" in discover(recons).surfaces[1].missing[0]


def test_a_hemisphere_of_another_name_is_pointed_out(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    for path in sorted((root / "sub-01" / "anat").iterdir()):
        path.rename(path.with_name(path.name.replace("hemi-L", "hemi-left").replace("hemi-R", "hemi-right")))
    left, _ = discover(root).surfaces
    assert "hemi-left_midthickness.surf.gii: expected hemi-L or hemi-R, found hemi-left" in left.missing[-1]


def test_a_file_says_of_which_hemisphere_it_is(tmp_path):
    anat = fmriprep(tmp_path / "in", ["01"]) / "sub-01" / "anat"
    assert stated_hemisphere(anat / "sub-01_hemi-L_white.surf.gii") == "L"
    assert stated_hemisphere(anat / "sub-01_hemi-R_white.surf.gii") == "R"
    recon = subjects_dir(tmp_path / "fs", ["sub-01"]) / "sub-01"
    assert stated_hemisphere(recon / "surf" / "lh.white") == ""


def test_recons_of_the_only_session_serve_surfaces_without_session(tmp_path):
    """As fMRIPrep 25 names them: sub-01_ses-pre in the SUBJECTS_DIR, sub-01 in the derivatives."""
    root = fmriprep(tmp_path / "in", ["01"], mask=False)
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01_ses-pre"])
    left, _ = discover(root).surfaces
    assert left.mask.name == "lh.cortex.label"
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01_ses-post"])
    assert discover(root).surfaces[0].mask is None  # whose it would be is not known


def test_broken_symlinks_are_named(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    break_link(root / "sub-01" / "anat" / "sub-01_hemi-L_midthickness.surf.gii")
    break_link(root / "sub-01" / "anat" / "sub-01_hemi-R_desc-cortex_mask.label.gii")
    left, right = discover(root).surfaces
    assert "sub-01_hemi-L_midthickness.surf.gii is a broken symlink" in left.missing
    assert left.white is not None  # white and pial can still serve
    assert right.mask is None
    assert "sub-01_hemi-R_desc-cortex_mask.label.gii is a broken symlink" in right.missing


def test_symlinks_are_followed(tmp_path):
    """As datalad lays files out: each one a link to content without a suffix."""
    root = fmriprep(tmp_path / "in", ["01"])
    annex = tmp_path / "annex"
    annex.mkdir()
    for i, path in enumerate(sorted(root.rglob("*.gii"))):
        target = annex / f"MD5E-{i}"
        shutil.move(path, target)
        path.symlink_to(target)
    link = tmp_path / "link to input"
    link.symlink_to(root)
    found = discover(link)
    assert [s.missing for s in found.surfaces] == [(), ()]
    assert [count_vertices(s.mesh) for s in found.surfaces] == [642, 642]


def test_runs_and_acquisitions_stay_apart(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    for path in sorted((root / "sub-01" / "anat").iterdir()):
        for run in ("run-1", "run-2"):
            shutil.copy(path, path.with_name(path.name.replace("sub-01_", f"sub-01_{run}_")))
        path.unlink()
    found = discover(root)
    assert [(s.run, s.hemisphere) for s in found.surfaces] == [("1", "L"), ("1", "R"), ("2", "L"), ("2", "R")]
    assert all(s.mask.name.startswith(f"sub-01_run-{s.run}") for s in found.surfaces)


def test_spheres_and_registered_surfaces_are_not_taken(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    anat = root / "sub-01" / "anat"
    source = anat / "sub-01_hemi-L_midthickness.surf.gii"
    for name in ("space-fsLR_den-32k_midthickness", "desc-reg_midthickness", "space-fsLR_desc-reg_sphere"):
        shutil.copy(source, anat / f"sub-01_hemi-L_{name}.surf.gii")
    native = discover(root)
    assert [s.space for s in native.surfaces] == ["", ""]
    left, right = discover(root, Query(space="fsLR")).surfaces
    assert (left.space, left.density, left.processable) == ("fsLR", "32k", True)
    assert left.mask is None  # the native mask is of another mesh
    assert not right.processable


def test_parcellations(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    anat = root / "sub-01" / "anat"
    mask = anat / "sub-01_hemi-L_desc-cortex_mask.label.gii"
    for seg in ("seg-aparc", "atlas-Schaefer2018"):
        shutil.copy(mask, anat / f"sub-01_hemi-L_{seg}_dseg.label.gii")
    assert [n for n, _ in discover(root).surfaces[0].parcellations] == ["Schaefer2018", "aparc"]
    one = discover(root, Query(parcellations=("aparc",)))
    assert [n for n, _ in one.surfaces[0].parcellations] == ["aparc"]
    assert discover(root, Query(parcellations=None)).surfaces[0].parcellations == ()


def test_masks_and_parcels_come_from_the_recons_beside_fmriprep(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], mask=False)
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01"])
    found = discover(root)
    assert found.layouts == {"input": "fmriprep", "freesurfer": "freesurfer"}
    assert len(found.surfaces) == 2
    first = found.surfaces[0]
    assert first.dataset == "input"
    assert first.mask.name == "lh.cortex.label"
    assert [n for n, _ in first.parcellations] == ["aparc"]
    assert first.missing == ()


def test_recons_of_another_resolution_do_not_lend_their_mask(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], mask=False)
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01"], n=2562)
    assert discover(root).surfaces[0].mask is None


def test_aseg_structures_come_from_the_recons_beside_fmriprep(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    subjects_dir(root / "sourcedata" / "freesurfer", ["sub-01"])
    found = discover(root, Query(structures=choose_structures(["cortex", "Thalamus"])))
    assert [s.structure for s in found.surfaces] == ["Thalamus", "Thalamus", "cortex", "cortex"]
    assert found.surfaces[0].volume.name == "aseg.mgz"


# ---------------------------------------------------------------------------------------- HippUnfold
@pytest.mark.parametrize(("version", "density"), [(1, "0p5mm"), (2, "8k")])
def test_hippunfold(tmp_path, version, density):
    root = hippunfold(tmp_path / "in", ["01"], version=version)
    found = discover(root)
    assert found.layouts == {"input": "hippunfold"}
    assert {(s.structure, s.hemisphere) for s in found.surfaces} == {
        (s, h) for s in ("hipp", "dentate") for h in "LR"
    }
    assert {(s.space, s.density, s.surface) for s in found.surfaces} == {("T1w", density, "midthickness")}
    only = discover(root, Query(structures=choose_structures(["hippocampus"]), surfaces=("inner", "outer")))
    assert {s.surface for s in only.surfaces} == {"inner", "outer"}


def test_a_participant_without_hippocampi_is_seen(tmp_path):
    root = hippunfold(tmp_path / "in", ["01", "02"], version=1)
    shutil.rmtree(root / "hippunfold" / "sub-02" / "surf")
    lost = discover(root).of("02")
    assert [(s.structure, s.hemisphere) for s in lost] == [("hipp", "L"), ("hipp", "R")]
    assert lost[0].missing == ("no midthickness surface",)


def test_hippunfold_v1_is_found_from_its_inner_folder_too(tmp_path):
    root = hippunfold(tmp_path / "in", ["01"], version=1)
    assert len(discover(root / "hippunfold").surfaces) == len(discover(root).surfaces) == 4


def test_unfolded_sheets_are_never_taken(tmp_path):
    root = hippunfold(tmp_path / "in", ["01"])
    for path in list(root.rglob("*space-T1w*")) + list(root.rglob("*space-corobl*")):
        path.unlink()
    assert not any(surface.processable for surface in discover(root).surfaces)


def test_hippocampi_of_a_second_dataset(tmp_path):
    cortex, hippocampi = fmriprep(tmp_path / "fp", ["01"]), hippunfold(tmp_path / "hu", ["01", "02"])
    found = discover(cortex, datasets={"hippunfold": hippocampi})
    assert found.layouts == {"input": "fmriprep", "hippunfold": "hippunfold"}
    assert len(found.of("01")) == 6
    assert len(found.of("02")) == 4
    assert {s.dataset for s in found.of("01")} == {"input", "hippunfold"}


# ------------------------------------------------------------------------------ FreeSurfer, FastSurfer
def test_subjects_dir(tmp_path):
    root = subjects_dir(tmp_path / "in", ["sub-01", "sub-02_ses-pre"], templates=("fsaverage", "fsaverage5"))
    found = discover(root)
    assert found.layouts == {"input": "freesurfer"}
    assert names(found)[0] == "sub-01 L cortex midthickness"
    assert found.surfaces[2].name == "sub-02 ses-pre L cortex midthickness"
    first = found.surfaces[0]
    assert (first.white.name, first.pial.name, first.mask.name) == ("lh.white", "lh.pial", "lh.cortex.label")
    assert [n for n, _ in first.parcellations] == ["aparc"]
    assert sorted(line.partition(":")[0] for line in found.skipped) == ["fsaverage", "fsaverage5"]


def test_a_midthickness_that_is_there_is_taken(tmp_path):
    root = subjects_dir(tmp_path / "in", ["sub-01"])
    surf = root / "sub-01" / "surf"
    shutil.copy(surf / "lh.white", surf / "lh.graymid")
    left, right = discover(root).surfaces
    assert left.mesh.name == "lh.graymid"
    assert right.mesh is None


def test_fastsurfer(tmp_path):
    root = subjects_dir(tmp_path / "in", ["sub-01"], fastsurfer=True, templates=())
    assert [n for n, _ in discover(root).surfaces[0].parcellations] == ["aparc.DKTatlas"]
    for link in (root / "sub-01" / "label").glob("?h.aparc.DKTatlas.annot"):
        link.unlink()
        link.symlink_to("gone.annot")
    surface = discover(root).surfaces[0]
    assert [n for n, _ in surface.parcellations] == ["aparc.DKTatlas.mapped"]
    assert "lh.aparc.DKTatlas.annot is a broken symlink" in surface.missing


def test_fastsurfer_without_surfaces(tmp_path):
    """--seg_only: there is a segmentation, and no surf folder."""
    root = subjects_dir(tmp_path / "in", ["sub-01", "sub-02"], templates=())
    shutil.rmtree(root / "sub-02" / "surf")
    found = discover(root)
    assert [s.processable for s in found.of("02")] == [False, False]
    thalami = discover(root, Query(structures=choose_structures(["Thalamus"])))
    assert all(s.processable for s in thalami.surfaces)
    assert len(thalami.surfaces) == 4


def test_longitudinal_runs_are_preferred(tmp_path):
    ids = ["sub-01_ses-a", "sub-01_ses-b", "sub-01", "sub-01_ses-a.long.sub-01", "sub-01_ses-b.long.sub-01"]
    root = subjects_dir(tmp_path / "in", [*ids, "sub-02_ses-a"])
    found = discover(root)
    assert {(s.subject, s.session, s.reconstruction) for s in found.surfaces} == {
        ("01", "a", "long"),
        ("01", "b", "long"),
        ("02", "a", ""),
    }
    assert any("sub-01: the template of longitudinal runs" in line for line in found.skipped)
    cross = discover(root, Query(longitudinal="ignore"))
    assert {s.reconstruction for s in cross.surfaces} == {""}
    assert {(s.subject, s.session) for s in cross.surfaces} == {("01", "a"), ("01", "b"), ("02", "a")}
    only = discover(root, Query(longitudinal="only"))
    assert {s.subject for s in only.surfaces} == {"01"}


def test_foreign_ids(tmp_path):
    root = subjects_dir(tmp_path / "in", ["CON_001", "bert"])
    assert discover(root).subjects == ("CON001", "bert")
    mapped = discover(root, Query(mapping={"CON_001": ("07", "pre")}, participants=("07",)))
    assert names(mapped)[0] == "sub-07 ses-pre L cortex midthickness"
    assert mapped.subjects == ("07",)


def test_ids_that_would_become_one_participant_are_an_error(tmp_path):
    root = subjects_dir(tmp_path / "in", ["CON_01", "CON-01"])
    with pytest.raises(BIDSError, match=r"CON_01 and CON-01: both would be .* 'CON01'.*mapping file"):
        discover(root)


# ------------------------------------------------------------------------------------- raw and plain
def test_raw_dataset_needs_derivatives(tmp_path):
    root = raw(tmp_path / "raw", ["01", "02"])
    fmriprep(root / "derivatives" / "fmriprep", ["01"])
    assert detect_layout(root) == "bids"
    assert discover(root).surfaces == ()
    assert [p.name for p in candidate_datasets(root)] == ["fmriprep"]
    found = discover(root, datasets={"fmriprep": root / "derivatives" / "fmriprep"})
    assert found.subjects == ("01",)


def test_plain_folder(tmp_path):
    found = discover(plain(tmp_path / "some surfaces ü"))
    assert found.layouts == {"input": "plain"}
    assert names(found) == [f"sub-{p} {h} cortex white" for p in ("anna", "bert") for h in "LR"]


def test_plain_folder_of_any_format(tmp_path):
    (tmp_path / "a.off").write_text("OFF\n4 4 0\n")
    (tmp_path / "b.ply").write_text("ply\nformat ascii 1.0\nelement vertex 5\n")
    (tmp_path / "left.pial.obj").write_text("v 0 0 0\n")
    (tmp_path / "b_inflated.ply").write_text("ply\nelement vertex 5\n")
    (tmp_path / "notes.txt").write_text("no surface")
    found = discover(tmp_path)
    assert {(s.subject, s.hemisphere, s.surface) for s in found.surfaces} == {
        ("a", "", "surface"),
        ("b", "", "surface"),
        (tmp_path.name.replace("_", "").replace("-", ""), "L", "pial"),
    }
    assert [row[-4] for row in table_rows(found.surfaces)].count("n/a") == 1  # .obj does not announce
    assert any("b_inflated.ply: inflated" in line for line in found.skipped)


def test_plain_files_that_share_a_name_are_told_apart(tmp_path):
    for name in ("a.off", "a.ply"):
        (tmp_path / name).write_text("OFF\n4 4 0\n")
    with pytest.raises(BIDSError, match="both would be participant 'a'; rename one"):
        discover(tmp_path)


# ------------------------------------------------------------------------------- choices and messages
def test_filter_file(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], sessions=["pre", "post"])
    filters = read_filters({"surface": {"session": "pre", "run": None, "hemisphere": ["L"]}})
    found = discover(root, Query(filters=filters))
    kept = [s for s in found.surfaces if s.processable]
    assert [s.name for s in kept] == ["sub-01 ses-pre L cortex midthickness"]
    none = discover(root, Query(filters=read_filters({"surface": {"acquisition": "*"}})))
    assert not any(s.processable for s in none.surfaces)
    no_mask = discover(root, Query(filters=read_filters({"mask": {"desc": "other"}})))
    assert all(s.mask is None for s in no_mask.surfaces)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected an object, found list"),
        ({"bold": {}}, "expected surface, mask, parcellation, found 'bold'"),
        ({"surface": []}, r"\['surface'\]: expected an object"),
        ({"surface": {"colour": "red"}}, "expected an entity of BIDS, found 'colour'"),
        ({"surface": {"run": 1.5}}, r"\['run'\]: expected labels"),
    ],
)
def test_bad_filter_files_are_refused(document, message):
    with pytest.raises(BIDSError, match=message):
        read_filters(document)


def test_an_integer_run_matches_padded_labels():
    query = Query(filters=read_filters({"surface": {"run": 1}}))
    from spectralbrain.bids.entities import parse_name

    assert query.accepts(parse_name("sub-1_run-01_hemi-L_white.surf.gii"))
    assert not query.accepts(parse_name("sub-1_run-02_hemi-L_white.surf.gii"))


def test_projections_are_refused():
    with pytest.raises(BIDSError, match="found inflated, sphere, whose spectrum describes a projection"):
        check_surfaces(("white", "inflated", "sphere"))


def test_structures_by_name():
    assert len(ASEG_STRUCTURES) == 25  # as BrainPrint
    assert choose_structures(["aseg"]).volumes == ASEG_STRUCTURES
    assert choose_structures([]).surfaces == ("cortex", "hipp", "dentate")
    chosen = choose_structures(["hippocampus", "aseg:Hippocampus", "Brain-Stem"])
    assert chosen.surfaces == ("hipp",)
    assert [(v.label, v.hemisphere, v.ids) for v in chosen.volumes] == [
        ("Hippocampus", "L", (17,)),
        ("Hippocampus", "R", (53,)),
        ("BrainStem", "", (16,)),
    ]
    with pytest.raises(BIDSError, match=r"one of .*Thalamus.*, found 'Talamus'"):
        choose_structures(["Talamus"])


def test_no_folder(tmp_path):
    with pytest.raises(BIDSError, match="expected a folder, found nothing"):
        discover(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(BIDSError, match="expected a folder, found a file"):
        discover(tmp_path / "file")


def test_layout_can_be_given(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    assert discover(root, layout="plain").layouts == {"input": "plain"}
    with pytest.raises(BIDSError, match="expected one of fmriprep"):
        discover(root, layout="spm")


def test_inputs_are_only_read(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    before = sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*"))
    discover(root)
    assert sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*")) == before


def test_two_thousand_participants_take_seconds(tmp_path):
    one = fmriprep(tmp_path / "one", ["01"])
    files = sorted((one / "sub-01" / "anat").iterdir())
    root = tmp_path / "many"
    for i in range(2000):
        anat = root / f"sub-{i:04d}" / "anat"
        anat.mkdir(parents=True)
        for path in files:
            (anat / path.name.replace("sub-01", f"sub-{i:04d}")).symlink_to(path)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "many", "BIDSVersion": "1.9.0"}))
    start = time.process_time()
    found = discover(root)
    rows = table_rows(found.surfaces)
    assert time.process_time() - start < 10
    assert len(found.subjects) == 2000
    assert len(rows) == 4000
    assert {row[7] for row in rows} == {"642"}


# ------------------------------------------------------------------------------------ file headers
def test_headers(tmp_path):
    root = subjects_dir(tmp_path / "fs", ["sub-01"])
    assert count_vertices(root / "sub-01" / "surf" / "lh.white") == 642
    gii = next(fmriprep(tmp_path / "fp", ["01"]).rglob("*_pial.surf.gii"))
    assert count_vertices(gii) == 642
    zipped = tmp_path / "a.surf.gii.gz"
    zipped.write_bytes(gzip.compress(gii.read_bytes()))
    assert count_vertices(zipped) == 642
    shape = next(gii.parent.glob("*thickness.shape.gii"))
    assert count_vertices(shape) is None


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xff\xfe", b"\xff\xff\xfecreated\n\n\0", b"\x1f\x8b", b"text"]
)
def test_damaged_headers_are_no_error(tmp_path, content):
    path = tmp_path / "lh.white"
    path.write_bytes(content)
    assert count_vertices(path) is None


def test_a_truncated_file_still_announces_its_size(tmp_path):
    gii = next(fmriprep(tmp_path / "fp", ["01"]).rglob("*_pial.surf.gii"))
    truncate(gii)
    assert count_vertices(gii) == 642


# ------------------------------------------------------------------------------------------- table
def test_table_is_aligned_and_limited():
    rows = [(f"sub-{i}", "n/a", "x" * i) for i in range(1, 6)]
    text = format_table(("participant_id", "mask", "surface"), rows, limit=2)
    lines = text.splitlines()
    assert lines[0] == "participant_id  surface"
    assert lines[2] == "sub-2           xx"
    assert lines[-1] == "... and 3 more"


def test_hemispheres_have_the_names_of_the_generator():
    assert set(SIDES) == {"L", "R"}


def test_structures_agree_with_those_that_label_surface_knows():
    """The same labels stand in two layers: the command line must not load the numerics for its help."""
    import spectralbrain as sb

    assert sorted(sorted(v.ids) for v in ASEG_STRUCTURES) == sorted(sorted(i) for i in sb.STRUCTURES.values())
