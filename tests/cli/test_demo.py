"""The demo: real surfaces through the app itself, reports included; and the app's report options."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

from spectralbrain.bids.discovery import discover
from spectralbrain.cli import demo
from tests.cli.test_app import QUICK, app, content
from tests.cli.test_outputs import validate
from tests.datasets import fmriprep, plain

pytest.importorskip("nilearn", reason="nilearn is not installed")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return demo.write_dataset(tmp_path_factory.mktemp("demo") / "fmriprep")


def test_the_dataset_is_what_it_says(dataset):
    found = discover(dataset)
    assert found.layouts == {"input": "fmriprep"}
    assert found.subjects == ("deformed", "fsaverage5")
    assert [s.missing for s in found.surfaces] == [()] * 4
    description = json.loads((dataset / "dataset_description.json").read_text())
    assert description["GeneratedBy"][0]["Name"] == "spectralbrain-demo"
    assert not [p for p in dataset.rglob("*.gii") if b"/home/" in p.read_bytes()]


def test_the_dataset_is_the_same_every_time(dataset, tmp_path):
    demo.write_dataset(tmp_path / "again")
    assert content(tmp_path / "again") == content(dataset)


def test_the_mask_is_one_disc(dataset):
    """One component, one border: a hemisphere without its medial wall has Euler characteristic 1."""
    from spectralbrain.geometry.mesh import BrainMesh, submesh
    from spectralbrain.io.load import load_mask, load_mesh

    for hemi in "LR":
        stem = dataset / "sub-fsaverage5" / "anat" / f"sub-fsaverage5_hemi-{hemi}"
        mesh = load_mesh(f"{stem}_white.surf.gii")
        mask = load_mask(f"{stem}_desc-cortex_mask.label.gii", mesh.n_vertices)
        cortex = submesh(mesh, mask)[0]
        assert isinstance(cortex, BrainMesh)
        assert (cortex.n_components, cortex.euler_characteristic) == (1, 1)
        assert 0.9 < mask.mean() < 0.97


def test_holes_are_filled_and_islands_dropped():
    """On a strip: a thin spot inside the cortex is a hole, a thick spot inside the wall an island."""
    n = 30
    low, high = np.arange(n), np.arange(n) + n
    faces = np.concatenate(
        [np.stack([low[:-1], low[1:], high[:-1]], 1), np.stack([low[1:], high[1:], high[:-1]], 1)]
    )
    thickness = np.where(np.arange(n) < 20, 2.5, 0.0)
    thickness = np.concatenate([thickness, thickness])
    thickness[5] = 0.2
    thickness[27] = 2.0
    kept = demo.cortex_from_thickness(thickness, faces)
    assert kept[5]
    assert not kept[27]
    assert kept.sum() == 40


def run_demo(*arguments):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = demo.run_demo([str(a) for a in arguments])
    return code, printed.getvalue()


def test_demo_without_reports(tmp_path):
    code, printed = run_demo(tmp_path / "demo", "--no-report", "--modes", "30")
    assert code == 0, printed
    assert "$ spectralbrain" in printed
    assert "left cortex (midthickness): 2 participants compared" in printed
    guide = printed[printed.index("written to") :]
    assert "sub-*/anat/*_eigenpairs.h5            4" in guide
    assert "sub-*.html" not in guide
    derivatives = tmp_path / "demo" / "spectralbrain"
    assert validate(derivatives).returncode == 0
    assert list(derivatives.glob("sub-fsaverage5/anat/*_seg-octants_*_relmat.tsv"))


@pytest.mark.slow
def test_reports_are_kept_rewritten_and_optional(tmp_path):
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    root = plain(tmp_path / "in")
    for path in {*root.glob("bert*"), *root.glob("*rh*")}:
        path.unlink()
    arguments = [root, tmp_path / "out", "participant", "-w", tmp_path / "work", *QUICK[:-1]]
    assert app(*arguments).returncode == 0
    assert validate(tmp_path / "out").returncode == 0
    page = tmp_path / "out" / "sub-anna.html"
    before, stamp = content(tmp_path / "out"), page.stat().st_mtime_ns
    assert app(*arguments).returncode == 0
    assert page.stat().st_mtime_ns == stamp  # nothing changed: not drawn again
    assert app(*arguments, "--no-report").returncode == 0
    assert page.exists()
    page.unlink()
    again = app(*arguments, "--reports-only")
    assert again.returncode == 0, again.stdout + again.stderr
    assert content(tmp_path / "out") == before


def test_reports_only_without_results_fails(tmp_path):
    root = fmriprep(tmp_path / "in", ["01"])
    result = app(root, tmp_path / "out", "participant", "-w", tmp_path / "work", "--reports-only")
    assert result.returncode == 66
    assert "no results to report on" in result.stderr


def test_an_app_without_its_extra_still_computes(tmp_path, monkeypatch):
    """Reports need the extra `app`; the numbers do not."""
    from spectralbrain.workflows import processing
    from spectralbrain.workflows.summary import write_participant_report

    monkeypatch.setitem(__import__("sys").modules, "spectralbrain.reports", None)
    root = fmriprep(tmp_path / "in", ["01"])
    found = discover(root)
    from spectralbrain.bids.parameters import Parameters

    task = processing.ParticipantTask(
        "01", found.surfaces, Parameters(modes=10), tmp_path / "out", tmp_path / "work", found.roots
    )
    outcome = processing.process_participant(task)
    assert outcome.ok
    assert len(outcome.notes) == 1
    assert outcome.notes[0].startswith("no report: ")
    assert callable(write_participant_report)
    assert list((tmp_path / "out").rglob("*_eigenpairs.h5"))
