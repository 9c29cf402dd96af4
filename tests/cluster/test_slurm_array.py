"""The recipe in containers/slurm: a job array, a participant per task, then a group job."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from daemons import CHECKOUT, MODES, SUBJECTS, Slurm, results, wait_for

SUBMIT = CHECKOUT / "containers" / "slurm" / "submit.sh"
UNKNOWN = "99"  # a participant that the dataset does not have


@dataclass(frozen=True)
class Submission:
    """What submit.sh was given, and the ids of its jobs."""

    slurm: Slurm
    folder: Path
    array: str
    group: str

    def log(self, name: str) -> str:
        return (self.folder / "work" / "logs" / f"{name}.log").read_text()

    def state(self, task: int) -> dict[str, str]:
        return self.slurm.state(f"{self.array}_{task}")


def submit(slurm: Slurm, dataset: Path, folder: Path, labels: list[str], memory: int) -> Submission:
    listed = folder / "participants.txt"
    listed.write_text("".join(f"{label}\n" for label in labels))
    words = {"SB_SBATCH": f"--mem={memory} --time=10", "SB_WORK": folder / "work", "SB_PARTICIPANTS": listed}
    recipe = Slurm(slurm.folder, {**slurm.environment, **{key: str(word) for key, word in words.items()}})
    printed = recipe.run("bash", SUBMIT, dataset, folder / "out", *MODES, "--no-report")
    array, group = re.findall(r": (\d+)", printed)
    return Submission(slurm, folder, array, group)


@pytest.fixture(scope="module")
def submission(slurm, dataset, stage) -> Submission:
    """All participants and one that does not exist; the second is killed while it runs, and requeued.

    The third line of the list names a file of labels instead of a label.
    """
    folder = stage / "array"
    folder.mkdir()
    batch = folder / "batch.txt"
    batch.write_text(f"{SUBJECTS[2]}\n")
    sent = submit(slurm, dataset, folder, [*SUBJECTS[:2], str(batch), UNKNOWN], 900)
    wait_for(lambda: sent.state(2)["JobState"] == "RUNNING", 120, "task 2 to run")
    wait_for(lambda: (folder / "work" / "logs" / "participant-2.log").exists(), 30, "its first words")
    slurm.run("scontrol", "requeue", f"{sent.array}_2")
    wait_for(lambda: sent.state(2)["Restarts"] == "1", 60, "the requeue")
    wait_for(lambda: slurm.ended(sent.group), 300, "the group job")
    return sent


def test_array_and_group_give_the_bytes_of_the_native_run(submission, native):
    assert submission.slurm.state(submission.group)["ExitCode"] == "0:0", submission.log("group")
    assert results(submission.folder / "out") == results(native)


def test_the_killed_task_was_run_again(submission):
    log = submission.log("participant-2")
    assert "participant 02, try 1" in log
    assert "participant 02, try 2" in log
    assert submission.state(2)["ExitCode"] == "0:0"


def test_the_broken_participant_fails_alone(submission):
    assert submission.state(4)["ExitCode"] == "66:0"
    assert UNKNOWN in submission.log("participant-4")
    assert [submission.state(task)["ExitCode"] for task in (1, 2, 3)] == ["0:0"] * 3


def test_too_little_memory_ends_with_a_message(slurm, dataset, folder):
    batch = folder / "batch.txt"  # long enough for Slurm, which looks once a second
    batch.write_text("".join(f"{label}\n" for label in SUBJECTS))
    sent = submit(slurm, dataset, folder, [str(batch)], 30)
    wait_for(lambda: slurm.ended(sent.group), 120, "the group job")
    assert sent.state(1)["ExitCode"] != "0:0"
    assert re.search("memory", sent.log("participant-1"), flags=re.IGNORECASE), sent.log("participant-1")


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
