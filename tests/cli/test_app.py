"""The app as an analyst meets it.

Most runs happen in this process (the participants have processes of their own anyway), so that its
imports are paid once; what is about the process itself starts a new one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spectralbrain.bids.tables import parse_tsv
from spectralbrain.cli.main import run
from tests.datasets import (
    fmriprep,
    hippunfold,
    plain,
    poison,
    raw,
    subjects_dir,
    tear,
    truncate,
)

QUICK = ["--modes", "20", "--scales", "4", "--written-modes", "3", "--no-report"]


def app(*arguments) -> subprocess.CompletedProcess[str]:
    """Run the app here and return what a process would have."""
    words = [str(argument) for argument in arguments]
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = run(words)
        except SystemExit as leaving:
            code = leaving.code
    return subprocess.CompletedProcess(words, code, output.getvalue(), errors.getvalue())


def command_of(source, output, *more) -> list[str]:
    words = (sys.executable, "-m", "spectralbrain.cli.main", source, output, "participant")
    return [str(word) for word in (*words, "-w", f"{output}-work", *QUICK, *more)]


def participant(source, output, *more):
    return app(source, output, "participant", "-w", f"{output}-work", *QUICK, *more)


def same_but_links(mine: Path, theirs: Path) -> bool:
    """Whether two outputs agree; the links to the inputs are relative, so they may differ."""
    a, b = content(mine), content(theirs)
    del a["dataset_description.json"], b["dataset_description.json"]
    return a == b


def content(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def rows(path: Path) -> list[dict[str, str | None]]:
    return parse_tsv(path.read_text(encoding="utf-8"))


def surface_file(root: Path, subject: str, hemi: str, suffix: str = "midthickness") -> Path:
    return root / f"sub-{subject}" / "anat" / f"sub-{subject}_hemi-{hemi}_{suffix}.surf.gii"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return fmriprep(tmp_path_factory.mktemp("data") / "fmriprep", ["01", "02", "03"])


@pytest.fixture(scope="module")
def done(dataset, tmp_path_factory):
    """An undisturbed run, serial."""
    output = tmp_path_factory.mktemp("results") / "serial"
    result = participant(dataset, output, "--nprocs", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    return output, result


# --------------------------------------------------------------------------------------- a good run
def test_a_good_run_says_so(done):
    output, result = done
    lines = result.stdout.splitlines()
    assert lines[-1] == "spectralbrain finished: 3 participants, no failure"
    assert "6 surfaces of 3 participants found" in result.stdout
    assert lines.index("participant_id  hemisphere  structure  surface       vertices  mask") < next(
        i for i, line in enumerate(lines) if line.startswith("[1/3]")
    )
    assert result.stderr == ""
    assert (output / "sub-01" / "anat").is_dir()


def test_no_litter(done):
    output, _ = done
    hidden = [p.name for p in output.rglob(".*") if p.name != ".bidsignore"]
    assert hidden == []
    assert not list(output.rglob("*.tmp"))


def test_parallel_and_rerun_give_the_same_bytes(dataset, done, tmp_path):
    output, _ = done
    parallel = participant(dataset, tmp_path / "parallel", "--nprocs", "2")
    assert parallel.returncode == 0, parallel.stdout + parallel.stderr
    assert same_but_links(tmp_path / "parallel", output)
    again = participant(dataset, tmp_path / "parallel", "--nprocs", "1")
    assert "0 surfaces computed, 6 kept from before" in again.stdout


def test_steps_of_one_participant_in_parallel_give_the_same_bytes(dataset, done, tmp_path):
    output, _ = done
    result = participant(dataset, tmp_path / "one", "--nprocs", "2", "--participant-label", "02")
    assert result.returncode == 0, result.stdout + result.stderr
    assert content(tmp_path / "one" / "sub-02") == content(output / "sub-02")


def test_participants_one_by_one_give_what_all_at_once_give(dataset, done, tmp_path):
    """As an array of jobs does; the links differ with the place of the output only."""
    output, _ = done
    for label in ("sub-03", "01", "02"):
        assert participant(dataset, tmp_path / "out", "--participant-label", label).returncode == 0
    assert same_but_links(tmp_path / "out", output)


def test_a_rerun_writes_nothing_new_even_without_the_work_directory(dataset, done):
    output, _ = done
    before = content(output)
    shutil.rmtree(f"{output}-work")
    result = participant(dataset, output)
    assert result.returncode == 0
    assert "0 surfaces computed, 6 kept" in result.stdout
    assert content(output) == before


def test_a_lost_or_damaged_result_is_made_again(dataset, done):
    output, _ = done
    before = content(output)
    lost = next(output.glob("sub-01/anat/*hemi-L*_hks.shape.gii"))
    damaged = next(output.glob("sub-02/anat/*hemi-R*_eigenpairs.h5"))
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:1000])
    result = participant(dataset, output)
    assert "2 surfaces computed, 4 kept" in result.stdout
    assert content(output) == before


# -------------------------------------------------------------------------------------- isolation
def test_a_broken_participant_does_not_stop_the_cohort(tmp_path):
    root = fmriprep(tmp_path / "in", ["01", "02", "03", "04"])
    truncate(surface_file(root, "02", "L"))
    poison(surface_file(root, "03", "R"))
    for path in (root / "sub-04" / "anat").iterdir():
        path.unlink()
    result = participant(root, tmp_path / "out")
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    end = "3 of 4 participants (sub-02, sub-03, sub-04), 2 of them in part"
    assert lines[-1] == f"spectralbrain finished with failures: {end}"
    failed = [line for line in lines if line.startswith("FAILED")]
    assert len(failed) == 4
    assert "sub-02 L cortex midthickness" in failed[0]
    assert "sub-02_hemi-L_midthickness.surf.gii" in failed[0]  # the file at fault
    assert "sub-03 R cortex midthickness" in failed[1]
    assert "1 of 642 vertices are not finite" in failed[1]
    assert str(tmp_path) not in failed[1]
    assert "sub-04 L cortex midthickness: no midthickness surface" in failed[2]
    table = rows(tmp_path / "out" / "sub-02" / "anat" / "sub-02_desc-shapedna_morph.tsv")
    assert [row["status"] for row in table] == ["failed", "flagged"]
    assert table[1]["reason"].startswith("mesh too coarse for the highest modes")
    assert table[0]["surface_area"] is None
    assert table[0]["reason"]
    assert float(table[1]["surface_area"]) > 10_000
    empty = rows(tmp_path / "out" / "sub-04" / "anat" / "sub-04_desc-shapedna_morph.tsv")
    assert [row["reason"] for row in empty] == ["no midthickness surface"] * 2


def test_a_hemisphere_that_is_absent_is_a_failure_in_part(tmp_path):
    root = fmriprep(tmp_path / "in", ["01", "02"])
    for path in (root / "sub-02" / "anat").glob("*hemi-R*"):
        path.unlink()
    result = participant(root, tmp_path / "out")
    assert result.returncode == 1
    shown = next(line for line in result.stdout.splitlines() if re.match(r"sub-02 +R ", line))
    assert "no midthickness surface" in shown  # before anything ran
    assert "FAILED sub-02: sub-02 R cortex midthickness: no midthickness surface" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("1 of 2 participants (sub-02), 1 of them in part")
    table = rows(tmp_path / "out" / "sub-02" / "anat" / "sub-02_desc-shapedna_morph.tsv")
    assert [(row["status"], row["surface_area"] is None) for row in table] == [
        ("flagged", False),
        ("failed", True),
    ]


def test_a_surface_that_is_no_manifold_is_named(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    tear(surface_file(root, "01", "L"))
    result = participant(root, tmp_path / "out", "--medial-wall", "closed")
    assert result.returncode == 1
    assert "1 edges belong to three or more triangles" in result.stdout
    assert "1 of 1 participant (sub-01)" in result.stdout


def test_a_mended_input_is_run_again_and_its_failure_forgotten(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    good = fmriprep(tmp_path / "good", ["01"])
    truncate(surface_file(root, "01", "L"))
    assert participant(root, tmp_path / "out").returncode == 1
    shutil.copy(surface_file(good, "01", "L"), surface_file(root, "01", "L"))
    result = participant(root, tmp_path / "out")
    assert result.returncode == 0, result.stdout
    assert "1 surface computed, 1 kept" in result.stdout
    table = rows(tmp_path / "out" / "sub-01" / "anat" / "sub-01_desc-shapedna_morph.tsv")
    assert [row["status"] for row in table] == ["flagged", "flagged"]  # 642 vertices are few


def test_a_result_whose_input_broke_is_removed(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    assert participant(root, tmp_path / "out").returncode == 0
    truncate(surface_file(root, "01", "L"))
    assert participant(root, tmp_path / "out").returncode == 1
    assert not list((tmp_path / "out").rglob("*hemi-L*eigenpairs*"))
    assert list((tmp_path / "out").rglob("*hemi-R*eigenpairs.h5"))


def test_a_parcellation_that_does_not_fit_costs_only_its_own_tables(tmp_path):
    root = subjects_dir(tmp_path / "in", ["sub-01"])
    other = subjects_dir(tmp_path / "other", ["sub-01"], n=2562)
    shutil.copy(other / "sub-01" / "label" / "lh.aparc.annot", root / "sub-01" / "label" / "lh.aparc.annot")
    result = participant(root, tmp_path / "out")
    assert result.returncode == 1
    assert "regions of aparc" in result.stdout
    anat = tmp_path / "out" / "sub-01" / "anat"
    assert len(list(anat.glob("*_eigenpairs.h5"))) == 2
    assert len(list(anat.glob("*_seg-aparc_*_relmat.tsv"))) == 1
    table = rows(anat / "sub-01_desc-shapedna_morph.tsv")
    assert ["regions of aparc" in row["reason"] for row in table] == [True, False]
    assert participant(root, tmp_path / "out").returncode == 1  # and says so again


def test_stop_on_first_crash(tmp_path):
    root = fmriprep(tmp_path / "in", ["01", "02", "03"])
    truncate(surface_file(root, "01", "L"))
    result = participant(root, tmp_path / "out", "--nprocs", "1", "--stop-on-first-crash")
    assert result.returncode == 1
    assert "stopped at the first failure, 2 not run" in result.stdout.splitlines()[-1]
    assert not (tmp_path / "out" / "sub-03").exists()


def test_participants_asked_for_and_absent_are_failures(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--participant-label", "01", "77")
    assert result.returncode == 1
    assert "FAILED sub-77: input: not found in the inputs" in result.stdout
    assert (tmp_path / "out" / "sub-01").is_dir()
    assert participant(dataset, tmp_path / "out2", "--participant-label", "77").returncode == 66


# --------------------------------------------------------------------------- kill, terminate, compete
def test_kill_and_resume_gives_the_bytes_of_an_undisturbed_run(dataset, done, tmp_path):
    output, _ = done
    command = command_of(dataset, tmp_path / "out", "--nprocs", "2")
    reached = []
    for n_files in (1, 20, 60):  # kill it as soon as so many files are there
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None and len(list((tmp_path / "out").rglob("*"))) < n_files:
            time.sleep(0.02)
        reached.append(process.poll() is None)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert any(reached)  # at least one run was killed in its middle
    result = participant(dataset, tmp_path / "out", "--nprocs", "2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert same_but_links(tmp_path / "out", output)


def test_termination_is_clean(dataset, tmp_path):
    command = command_of(dataset, tmp_path / "out", "--nprocs", "1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(tmp_path.glob("out-work/*/sub_*")):
        time.sleep(0.02)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Traceback" not in errors
    assert "stopped by SIGTERM; run the same command again to go on" in errors


def test_two_jobs_on_one_folder_do_no_harm(dataset, done, tmp_path):
    output, _ = done
    command = command_of(dataset, tmp_path / "out")
    jobs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    printed = [job.communicate(timeout=300)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], printed
    assert same_but_links(tmp_path / "out", output)


# ----------------------------------------------------------------------------------------- parameters
def test_other_parameters_are_refused_by_name(dataset, done, tmp_path):
    output, _ = done
    before = content(output)
    result = participant(dataset, output, "--boundary", "dirichlet", "--modes", "21")
    assert result.returncode == 64
    assert "boundary: 'dirichlet' here, 'neumann' there" in result.stderr
    assert "modes: 21 here, 20 there" in result.stderr
    assert content(output) == before


def test_other_parameters_replace_when_asked(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    assert participant(root, tmp_path / "out").returncode == 0
    result = participant(root, tmp_path / "out", "--descriptors", "bks", "--replace")
    assert result.returncode == 0, result.stderr
    assert list((tmp_path / "out").rglob("*_bks.shape.gii"))
    assert not list((tmp_path / "out").rglob("*_hks.*"))
    fresh = participant(root, tmp_path / "fresh", "--descriptors", "bks")
    assert fresh.returncode == 0
    assert content(tmp_path / "fresh") == content(tmp_path / "out")


# --------------------------------------------------------------------------------------- exit codes
def test_no_input(tmp_path):
    assert app(tmp_path / "nowhere", tmp_path / "out", "participant").returncode == 66
    (tmp_path / "empty").mkdir()
    result = app(tmp_path / "empty", tmp_path / "out", "participant")
    assert result.returncode == 66
    assert "no surface to analyse" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_raw_dataset_asks_for_derivatives(tmp_path):
    root = raw(tmp_path / "raw", ["01"])
    fmriprep(root / "derivatives" / "fmriprep", ["01"])
    result = participant(root, tmp_path / "out")
    assert result.returncode == 66
    hint = f"-d fmriprep={root / 'derivatives' / 'fmriprep'}"
    assert hint in result.stderr
    again = participant(root, tmp_path / "out", *hint.split())
    assert again.returncode == 0, again.stderr
    sidecar = json.loads(next((tmp_path / "out").rglob("*hemi-L*_eigenpairs.json")).read_text())
    assert sidecar["Sources"][0].startswith("bids:fmriprep:sub-01/anat/")


def test_bad_data_and_usage(tmp_path):
    root = subjects_dir(tmp_path / "in", ["CON_01", "CON-01"])
    result = participant(root, tmp_path / "out")
    assert result.returncode == 65
    assert "mapping file" in result.stderr
    assert participant(root, tmp_path / "out", "--surfaces", "inflated").returncode == 64


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_a_fault_of_ours_is_70_and_traced_when_asked(monkeypatch, dataset, tmp_path, verbose):
    def fault(*arguments, **options):
        raise AssertionError("provoked")

    monkeypatch.setattr("spectralbrain.cli.run.write_dataset", fault)
    result = participant(dataset, tmp_path / "out", *verbose)
    assert result.returncode == 70
    assert result.stderr.splitlines()[-1].startswith(
        "spectralbrain: error: internal error: AssertionError: provoked"
    )
    assert ("Traceback" in result.stderr) == bool(verbose)


def test_dry_run_writes_nothing(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--dry-run")
    assert result.returncode == 0
    assert "6 surfaces of 3 participants" in result.stdout
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------- layouts
def test_hippunfold(tmp_path):
    root = hippunfold(tmp_path / "in", ["01"], version=2)
    result = participant(root, tmp_path / "out")
    assert result.returncode == 0, result.stdout
    anat = tmp_path / "out" / "sub-01" / "anat"
    stem = "sub-01_hemi-L_space-T1w_den-8k_label-hipp_desc-midthickness"
    sidecar = json.loads((anat / f"{stem}_eigenpairs.json").read_text())
    assert sidecar["BoundaryCondition"] == "Neumann"
    assert sidecar["Density"]
    assert sidecar["SpatialReference"]
    import nibabel as nib

    image = nib.load(anat / f"{stem}_hks.shape.gii")
    assert image.meta["AnatomicalStructurePrimary"] == "HippocampusLeft"


def test_subjects_dir_with_sessions_and_structures(tmp_path):
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    root = subjects_dir(tmp_path / "in", ["sub-01_ses-a", "sub-01_ses-b"])
    result = participant(root, tmp_path / "out", "--structures", "cortex", "Thalamus", "Brain-Stem")
    assert result.returncode == 0, result.stdout
    anat = tmp_path / "out" / "sub-01" / "ses-a" / "anat"
    table = rows(anat / "sub-01_ses-a_desc-shapedna_morph.tsv")
    assert {row["structure"] for row in table} == {"cortex", "Thalamus", "BrainStem"}
    thalamus = next(row for row in table if row["name"] == "Thalamus L boundary")
    assert thalamus["euler_characteristic"] == "2"
    assert float(thalamus["volume"]) == pytest.approx(4 / 3 * 3.14159 * 6 * 8 * 7, rel=0.05)
    assert (anat / "sub-01_ses-a_label-BrainStem_desc-boundary_eigenpairs.h5").exists()


def test_a_plain_folder_with_spaces_and_unicode(tmp_path):
    root = plain(tmp_path / "Flächen und Räume")
    result = participant(root, tmp_path / "Ergebnis ü")
    assert result.returncode == 0, result.stdout + result.stderr
    names = {p.name for p in (tmp_path / "Ergebnis ü").rglob("*_eigenpairs.h5")}
    assert "sub-anna_hemi-L_desc-white_eigenpairs.h5" in names  # no mask, hence closed: no label


def test_closed_and_masked_differ_in_name_and_sidecar(dataset, tmp_path):
    one = ["--participant-label", "01"]
    assert participant(dataset, tmp_path / "out", *one, "--medial-wall", "closed").returncode == 0
    anat = tmp_path / "out" / "sub-01" / "anat"
    sidecar = json.loads((anat / "sub-01_hemi-L_desc-midthickness_eigenpairs.json").read_text())
    assert sidecar["MedialWall"] == "closed"
    assert sidecar["BoundaryCondition"] == "None (closed surface)"
    assert not list(anat.glob("*_mask*"))


def test_a_masked_run_without_a_mask_fails(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"], mask=False)
    result = participant(root, tmp_path / "out", "--medial-wall", "masked")
    assert result.returncode == 1
    assert "no cortex mask, and --medial-wall masked needs one" in result.stdout


def test_midthickness_is_half_way(tmp_path):
    """From white and pial it gives the spectrum of the midthickness file."""
    with_file, without = tmp_path / "with", tmp_path / "without"
    fmriprep(with_file, ["01"])
    fmriprep(without, ["01"], midthickness=False)
    areas = []
    for root in (with_file, without):
        assert participant(root, tmp_path / f"out-{root.name}").returncode == 0
        table = rows(tmp_path / f"out-{root.name}" / "sub-01" / "anat" / "sub-01_desc-shapedna_morph.tsv")
        areas.append(float(table[0]["surface_area"]))
    assert areas[0] == pytest.approx(areas[1], rel=1e-5)


# ---------------------------------------------------------------------------------------- surroundings
def test_read_only_home_and_no_names(dataset, tmp_path):
    """As in a container: HOME cannot be written, the user has no name."""
    environment = {k: v for k, v in os.environ.items() if k not in ("LOGNAME", "USER", "XDG_CACHE_HOME")}
    environment["HOME"] = "/nonexistent"
    command = command_of(dataset, tmp_path / "out", "--participant-label", "01")
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("writable", [True, False])
def test_fonts_are_listed_in_the_work_directory_where_home_is_read_only(monkeypatch, tmp_path, writable):
    from spectralbrain.cli.run import keep_fonts

    monkeypatch.setenv("MPLCONFIGDIR", "")  # so that it is put back afterwards
    monkeypatch.delenv("MPLCONFIGDIR")
    monkeypatch.setattr(os, "access", lambda path, mode: writable)
    keep_fonts(tmp_path)
    expected = None if writable else str(tmp_path / "matplotlib")
    assert os.environ.get("MPLCONFIGDIR") == expected


@pytest.mark.parametrize("level", ["participant", "group"])
def test_both_levels_keep_their_fonts_there(monkeypatch, dataset, done, tmp_path, level):
    monkeypatch.setenv("MPLCONFIGDIR", "")
    monkeypatch.delenv("MPLCONFIGDIR")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert app(dataset, done[0], level, "-w", tmp_path, "--dry-run").returncode == 0
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "matplotlib")


def test_boilerplate_only(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--boilerplate-only")
    assert result.returncode == 0
    text = (tmp_path / "out" / "logs" / "CITATION.md").read_text()
    assert "The 20 smallest eigenvalues" in text
    assert "Reuter" in text
    assert "@article{sun2009" in (tmp_path / "out" / "logs" / "CITATION.bib").read_text()
    assert not (tmp_path / "out" / "sub-01").exists()


def test_reports_only_names_who_has_no_results(dataset, tmp_path):
    from spectralbrain.bids.discovery import discover
    from spectralbrain.bids.parameters import Parameters
    from spectralbrain.workflows.processing import ParticipantTask, process_participant

    surfaces = discover(dataset).of("01")
    task = ParticipantTask(
        *("01", surfaces, Parameters(), tmp_path / "out", tmp_path / "work", {"input": dataset}),
        reports_only=True,
    )
    outcome = process_participant(task)
    assert [f.reason for f in outcome.failures] == ["no results; run without --reports-only first"] * 2
    assert outcome.kept == 0
    assert not list((tmp_path / "out").rglob("*.json"))


def test_write_graph(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--participant-label", "01", "--write-graph")
    assert result.returncode == 0, result.stdout
    graph = next((tmp_path / "out" / "logs" / "graphs").glob("sub-01*.dot")).read_text()
    assert "decompose" in graph


def test_clean_workdir(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--participant-label", "01", "--clean-workdir")
    assert result.returncode == 0
    assert not Path(f"{tmp_path / 'out'}-work").exists()


def test_config_file_of_an_earlier_run_repeats_it(dataset, done, tmp_path):
    output, _ = done
    result = app(
        *(dataset, tmp_path / "out", "participant", "-w", tmp_path / "work", "--no-report"),
        *("--config-file", output / "logs" / "config.toml"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert same_but_links(tmp_path / "out", output)


def test_a_cohort_grid_enters_as_a_file(dataset, tmp_path):
    times = tmp_path / "times.txt"
    times.write_text("0.01\n0.1\n1\n")
    one = ["--participant-label", "01", "--hks-times", times]
    result = participant(dataset, tmp_path / "out", *one)
    assert result.returncode == 0, result.stdout
    sidecar = json.loads(next((tmp_path / "out").rglob("*hemi-L*_hks.json")).read_text())
    table = rows(tmp_path / "out" / "sub-01" / "anat" / "sub-01_desc-shapedna_morph.tsv")
    area = float(table[0]["surface_area"])
    assert sidecar["DiffusionTimes"] == pytest.approx([0.01 * area, 0.1 * area, area])


def test_written_meshes(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--participant-label", "01", "--write-meshes")
    assert result.returncode == 0, result.stdout
    import nibabel as nib

    path = tmp_path / "out" / "sub-01" / "anat" / "sub-01_hemi-L_midthickness.surf.gii"
    image = nib.load(path)
    assert len(image.darrays) == 2
    assert image.darrays[0].data.shape == (642, 3)
    assert image.darrays[0].meta["AnatomicalStructurePrimary"] == "CortexLeft"


def test_less_memory_than_needed_is_said_and_does_not_hang(dataset, tmp_path):
    result = participant(dataset, tmp_path / "out", "--participant-label", "01", "--mem", "10MB")
    assert result.returncode == 0, result.stdout
    assert "one participant needs about" in result.stderr


def test_an_output_that_cannot_be_written_is_named(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    result = participant(dataset, tmp_path / "file" / "out")
    assert result.returncode == 74
    assert f"{tmp_path / 'file'}" in result.stderr
    assert f"as user {os.geteuid()}" in result.stderr
    assert "internal error" not in result.stderr
