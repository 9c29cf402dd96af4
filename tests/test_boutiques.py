"""The Boutiques descriptor is what the parser makes of it, is valid, and runs the app."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import pytest


@pytest.fixture(scope="module")
def boutiques(checkout):
    spec = importlib.util.spec_from_file_location(
        "boutiques_writer", checkout / "containers" / "boutiques.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bosh() -> str:
    found = shutil.which("bosh")
    if found is None:
        pytest.skip("bosh is not installed")
    return found


def test_the_committed_descriptor_is_the_parsers(boutiques):
    committed = boutiques.DESCRIPTOR.read_text(encoding="utf-8")
    assert committed == boutiques.render(), "run: python containers/boutiques.py"


def test_every_option_of_the_app_is_described(boutiques):
    from spectralbrain.cli.parser import build_parser

    described = {entry.get("command-line-flag") for entry in boutiques.descriptor(build_parser())["inputs"]}
    for action in build_parser()._actions:
        if action.option_strings and action.dest not in boutiques.LEFT_OUT:
            assert described & set(action.option_strings), action.dest


def test_bosh_finds_it_valid(boutiques, bosh):
    result = subprocess.run(
        [bosh, "validate", str(boutiques.DESCRIPTOR)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_bosh_runs_the_app(boutiques, bosh, tmp_path):
    datasets.fmriprep(tmp_path / "in", ["01"])
    invocation = tmp_path / "invocation.json"
    invocation.write_text(
        json.dumps(
            {
                "input_dir": str(tmp_path / "in"),
                "output_dir": str(tmp_path / "out"),
                "analysis_level": "participant",
                "participant_label": ["01"],
                "modes": "8",
                "work_dir": str(tmp_path / "work"),
                "no_report": True,
            }
        )
    )
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    result = subprocess.run(
        [
            bosh,
            "exec",
            "launch",
            "--no-container",
            "--skip-data-collection",
            str(boutiques.DESCRIPTOR),
            str(invocation),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "out" / "dataset_description.json").is_file()
    assert list((tmp_path / "out").rglob("*.h5"))
