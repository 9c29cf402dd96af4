"""The examples of the top-level folder run, on data that packages ship, and say what they found."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = {
    "run_single_surface": "lambda A / n",
    "run_hemispheres": "shape distance left-right",
    "run_hippocampus": "dirichlet",
    "run_subcortical": "Left-Cerebral-White-Matter",
    "run_group_shapedna": "outliers",
    "run_parcel_connectome": "octant_8",
    "run_mixed_graph": "roughness of the filtered map",
}


@pytest.fixture
def examples(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = repository / "workflows"
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in ("examples", *EXAMPLES):
        sys.modules.pop(name, None)


def run(name: str, folder: Path, *options: str) -> Any:
    pytest.importorskip("nilearn", reason="nilearn is not installed")
    return importlib.import_module(name).main(["--output", str(folder), "--modes", "12", *options])


def test_every_example_is_tested(repository: Path) -> None:
    assert {path.stem for path in (repository / "workflows").glob("run_*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_use_public_names_only(repository: Path, name: str) -> None:
    text = (repository / "workflows" / f"{name}.py").read_text()
    assert not re.search(r"from spectralbrain[\w.]*\._|import _|\b_[a-z]\w*\(", text)
    assert "python workflows/" in text


def test_single_surface(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decomposition = run("run_single_surface", tmp_path)
    text = capsys.readouterr().out
    assert EXAMPLES["run_single_surface"] in text
    assert "Reuter et al. 2006" in text
    assert decomposition.k == 12


def test_hemispheres(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run_hemispheres", tmp_path).distance > 0
    assert EXAMPLES["run_hemispheres"] in capsys.readouterr().out


def test_hippocampus_without_data(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run("run_hippocampus", tmp_path)
    assert [row[5] for row in rows] == [0, 0, 1, 1]
    assert EXAMPLES["run_hippocampus"] in capsys.readouterr().out


def test_hippocampus_of_hippunfold(examples: Path, tmp_path: Path, shared_data: Path) -> None:
    rows = run("run_hippocampus", tmp_path, "--surfaces", str(shared_data / "hippunfold-v2"))
    assert {row[2] for row in rows} == {8192}
    assert all(800 < row[3] < 1200 for row in rows)


def test_subcortical_without_data(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    rows = run("run_subcortical", tmp_path)
    assert [row[-1] for row in rows] == ["ok", "ok"]
    assert EXAMPLES["run_subcortical"] in capsys.readouterr().out


def test_group(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matrix, labels, outliers = run("run_group_shapedna", tmp_path)
    assert outliers == ["sub-05_stretch-1.3"]
    assert len(labels) == 5
    assert np.all(np.diff(matrix[0]) > 0), "the more stretched, the farther"
    assert EXAMPLES["run_group_shapedna"] in capsys.readouterr().out


def test_connectome(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matrix, names = run("run_parcel_connectome", tmp_path)
    assert names == [f"octant_{i}" for i in range(1, 9)]
    np.testing.assert_array_equal(matrix, matrix.T)
    assert EXAMPLES["run_parcel_connectome"] in capsys.readouterr().out


def test_mixed_graph(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run("run_mixed_graph", tmp_path)
    assert found["roughness of the filtered map"] < found["roughness of the map"]
    assert EXAMPLES["run_mixed_graph"] in capsys.readouterr().out
    assert len(list((tmp_path / "kept" / "maps").iterdir())) == 2
