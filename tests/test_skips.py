"""The rule about skips: a skip with an unlisted reason fails the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from daemons import cannot_start

SUITE = """
import pytest

def test_runs():
    assert True

def test_skips():
    pytest.skip({reason!r})
"""


def run_suite(folder: Path, checkout: Path, reason: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text((checkout / "tests" / "conftest.py").read_text())
    (folder / "allowed_skips.txt").write_text("# comment\n\nno network on this machine*\n")
    (folder / "test_one.py").write_text(SUITE.format(reason=reason))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_listed_reason_passes(tmp_path, checkout):
    result = run_suite(tmp_path, checkout, "no network on this machine: example.org")
    assert result.returncode == 0, result.stdout
    assert "1 passed, 1 skipped" in result.stdout


@pytest.mark.parametrize("reason", ["too slow", "no network", "# comment"])
def test_unlisted_reason_fails_and_is_named(tmp_path, checkout, reason):
    result = run_suite(tmp_path, checkout, reason)
    assert result.returncode == 1
    assert f"test_skips: {reason!r}" in result.stdout


@pytest.mark.parametrize("what", ["Slurm", "a Docker engine"])
def test_daemons_that_do_not_start_fail_for_root_and_are_excused_otherwise(monkeypatch, checkout, what):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(pytest.fail.Exception, match=f"{what} cannot be started: no munge"):
        cannot_start(what, "no munge")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(pytest.skip.Exception) as excused:
        cannot_start(what, "no munge")
    allowed = (checkout / "tests" / "allowed_skips.txt").read_text(encoding="utf-8")
    assert str(excused.value) in allowed.splitlines()
