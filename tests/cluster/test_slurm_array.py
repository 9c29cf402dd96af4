"""The recipe in containers/slurm: a job array, a participant per task, then a group job."""

from __future__ import annotations

import re
import subprocess

import pytest
from daemons import CHECKOUT, MODES, SUBJECTS, results, wait_for

SUBMIT = CHECKOUT / "containers" / "slurm" / "submit.sh"


def submit(slurm, dataset, folder, *options, **environment):
    """Submit with the recipe; return the ids of the array and of the group job."""
    slurm.environment.update(
        {"SB_SBATCH": "--mem=900 --time=10", "SB_WORK": str(folder / "work"), **environment}
    )
    printed = slurm.run("bash", SUBMIT, dataset, folder / "out", *MODES, "--no-report", *options)
    for name in environment:
        slurm.environment.pop(name)
    return re.findall(r": (\d+)", printed)


def test_array_and_group_give_the_bytes_of_the_native_run(slurm, dataset, native, folder):
    _, group = submit(slurm, dataset, folder)
    wait_for(lambda: slurm.ended(group), 240, "the group job")
    logs = folder / "work" / "logs"
    text = "\n".join(path.read_text() for path in sorted(logs.glob("*.log")))
    assert slurm.state(group)["ExitCode"] == "0:0", text[-3000:]
    assert len(list(logs.glob("participant-*.log"))) == len(SUBJECTS)
    assert results(folder / "out") == results(native)


def test_a_killed_and_requeued_task_ends_the_same(slurm, dataset, native, folder):
    array, group = submit(slurm, dataset, folder)
    task = f"{array}_2"
    wait_for(lambda: slurm.state(task)["JobState"] == "RUNNING", 120, "task 2 to run")
    slurm.run("scontrol", "requeue", task)
    wait_for(lambda: slurm.state(task)["Restarts"] == "1", 60, "the requeue")
    wait_for(lambda: slurm.ended(group), 300, "the group job")
    log = (folder / "work" / "logs" / "participant-2.log").read_text()
    assert "participant 02, try 1" in log
    assert "participant 02, try 2" in log
    assert results(folder / "out") == results(native)


def test_one_broken_participant_fails_alone(slurm, dataset, native, folder):
    listed = folder / "participants.txt"
    listed.write_text("01\n99\n03\n")
    array, group = submit(slurm, dataset, folder, SB_PARTICIPANTS=str(listed))
    wait_for(lambda: slurm.ended(group), 240, "the group job")
    assert slurm.state(f"{array}_1")["ExitCode"] == "0:0"
    assert slurm.state(f"{array}_2")["ExitCode"] != "0:0"
    assert slurm.state(f"{array}_3")["ExitCode"] == "0:0"
    expected = results(native)
    found = results(folder / "out")
    for name in (name for name in expected if name.startswith(("sub-01", "sub-03"))):
        assert found[name] == expected[name]
    assert not any(name.startswith("sub-02") for name in found)


@pytest.mark.parametrize(("arguments", "status"), [((), 64), (("{empty}", "{out}"), 66)])
def test_submit_explains_what_is_missing(slurm, folder, arguments, status):
    (folder / "empty").mkdir()
    words = [word.format(empty=folder / "empty", out=folder / "out") for word in arguments]
    result = subprocess.run(
        ["bash", str(SUBMIT), *words], capture_output=True, text=True, check=False, env=slurm.environment
    )
    assert result.returncode == status
    assert "participants" in result.stderr
    assert not any((folder / "empty").iterdir())
