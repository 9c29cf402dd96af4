"""The template of job scripts: valid bash for each scheduler, the same commands in all."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def schedulers(checkout):
    spec = importlib.util.spec_from_file_location("schedulers", checkout / "containers" / "schedulers.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["schedulers"] = module  # dataclasses looks the module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["schedulers"]


def scripts(schedulers, name):
    text = schedulers.job_scripts(name, count=7, cores=2, memory=6, hours=3)
    return [part[part.index("#!/bin/bash") :] for part in text.split("# ---- ")[1:]]


@pytest.mark.parametrize("name", ["slurm", "sge", "pbs", "lsf"])
def test_both_scripts_are_valid_bash(schedulers, name):
    pair = scripts(schedulers, name)
    assert len(pair) == 2
    for script in pair:
        result = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["slurm", "sge", "pbs", "lsf"])
def test_the_numbers_arrive(schedulers, name):
    participant, group = scripts(schedulers, name)
    assert "1-7" in participant
    assert "1-7" not in group
    for script in (participant, group):
        directives = [line for line in script.splitlines()[1:] if line.startswith("#")]
        assert any("6" in line for line in directives), "memory"
        assert any("2" in line for line in directives), "cores"


def test_the_commands_are_the_same_for_all(schedulers):
    def body(script, task):
        lines = [line for line in script.splitlines() if not line.startswith("#")]
        return "\n".join(lines).replace(task, "TASK")

    bodies = {
        tuple(body(s, schedulers.SCHEDULERS[name].task) for s in scripts(schedulers, name))
        for name in schedulers.SCHEDULERS
    }
    assert len(bodies) == 1


@pytest.mark.parametrize("name", ["slurm", "sge"])
def test_a_task_runs_its_participant(schedulers, name, tmp_path):
    """Run the participant's script with a stand-in for the app that prints what it was given."""
    program = tmp_path / "bin" / "spectralbrain"
    program.parent.mkdir()
    program.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    listed = tmp_path / "list.txt"
    listed.write_text("01\n02\n03\n")
    script = scripts(schedulers, name)[0].replace("/data/participants.txt", str(listed))
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin", schedulers.SCHEDULERS[name].task: "2"}
    result = subprocess.run(
        ["bash"], input=script, capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.splitlines() == [
        *("/data/fmriprep", "/data/spectralbrain", "participant", "--participant-label", "02"),
        *("--nprocs", "2", "--mem", "6GB", "--work-dir", "/scratch/work/02"),
    ]
