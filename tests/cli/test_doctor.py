"""The doctor: complete, fast, postable, and it notices what is wrong."""

from __future__ import annotations

import getpass
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from spectralbrain.cli import doctor
from spectralbrain.spectral import decomposition as decomposition_module


@pytest.fixture(scope="module")
def report() -> dict:
    return doctor.diagnose()


def test_a_complete_installation_is_healthy(report):
    assert doctor.healthy(report)
    assert report["self-check"]["passed"]
    assert report["self-check"]["seconds"] < 60
    assert "auto" in report["backends"]


def test_the_sphere_is_near_but_not_exact(report):
    assert 1e-6 < report["self-check"]["max_relative_error"] < 0.03


def test_text_holds_versions_and_verdict(report):
    import numpy

    text = doctor.as_text(report)
    assert numpy.__version__ in text
    assert "passed: largest relative error" in text
    assert text.endswith("Healthy.")


def test_text_can_be_posted(report):
    text = doctor.as_text(report)
    assert str(Path.home()) not in text.split()
    assert sys.prefix not in text
    assert getpass.getuser() == "root" or getpass.getuser() not in text


def test_json_is_the_same_report(capsys):
    assert doctor.main(["--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == set(doctor.diagnose())


def test_a_wrong_spectrum_is_noticed(monkeypatch, capsys):
    right = decomposition_module.decompose

    def wrong(mesh, k):
        answer = right(mesh, k)
        return replace(answer, eigenvalues=answer.eigenvalues * 1.1)

    monkeypatch.setattr(decomposition_module, "decompose", wrong)
    assert doctor.main([]) == 1
    assert "FAILED: largest relative error 1" in capsys.readouterr().out


def test_an_error_of_the_solver_is_reported(monkeypatch, capsys):
    def broken(mesh, k):
        raise RuntimeError("no solver here")

    monkeypatch.setattr(decomposition_module, "decompose", broken)
    assert doctor.main([]) == 1
    printed = capsys.readouterr().out
    assert "FAILED: RuntimeError: no solver here" in printed
    assert "NOT healthy" in printed


def test_a_missing_package_is_reported(monkeypatch):
    monkeypatch.setitem(doctor.PACKAGES, "core", ("numpy", "no-such-package-here"))
    report = doctor.diagnose()
    assert report["packages"]["core"]["no-such-package-here"] == "not installed"
    assert not doctor.healthy(report)


def test_a_missing_extra_is_no_illness(monkeypatch):
    monkeypatch.setitem(doctor.PACKAGES, "app", ("no-such-package-here",))
    assert doctor.healthy(doctor.diagnose())


def test_python_dash_m_without_arguments_is_the_doctor(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "spectralbrain"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("SpectralBrain ")


def test_it_knows_every_dependency(checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {"core": project["dependencies"], "app": project["optional-dependencies"]["app"]}
    for extra, lines in declared.items():
        assert {re.match(r"[\w-]+", line)[0].lower() for line in lines} == {
            name.lower() for name in doctor.PACKAGES[extra]
        }
