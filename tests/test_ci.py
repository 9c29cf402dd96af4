"""The CI script and the shell scripts: bash accepts them, and they say what they do."""

from __future__ import annotations

import os
import subprocess

import pytest


def shell_scripts(checkout):
    return [
        checkout / ".ci" / "run",
        *checkout.glob("containers/**/*.sh"),
        *checkout.glob("containers/**/*.sbatch"),
    ]


def test_every_script_is_valid_bash(checkout):
    scripts = shell_scripts(checkout)
    assert len(scripts) > 3
    for script in scripts:
        check = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
        assert check.returncode == 0, check.stderr


def test_every_script_runs_directly_and_stops_at_errors(checkout):
    for script in shell_scripts(checkout):
        lines = script.read_text(encoding="utf-8").splitlines()
        assert lines[0] in ("#!/usr/bin/env bash", "#!/bin/bash"), script
        assert lines[1].startswith(("# ", "#SBATCH")), f"{script}: the second line says what it does"
        assert any(line.startswith("set -") and "u" in line for line in lines), script
        assert os.access(script, os.X_OK), script


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [("true", 0, "passed"), ("false; true", 1, "FAILED"), ("echo x | grep y; true", 1, "FAILED")],
)
def test_a_step_fails_at_its_first_error_and_the_run_goes_on(checkout, tmp_path, body, status, verdict):
    text = (checkout / ".ci" / "run").read_text(encoding="utf-8")
    function = text[text.index("step() {") : text.index("\n}\n", text.index("step() {")) + 3]
    script = f"set -uo pipefail\nfailed=()\nstart=$SECONDS\n{function}\nwork() {{ {body}; }}\n"
    script += "step one work\nstep two true\n[ ${#failed[@]} = 0 ]\n"
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert f"one: {verdict}" in result.stdout
    assert "two: passed" in result.stdout
