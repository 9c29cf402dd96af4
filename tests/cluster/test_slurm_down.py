"""Stopping our Slurm while a job runs leaves no process behind."""

from __future__ import annotations

from pathlib import Path

from daemons import running_slurm, wait_for


def processes_of(folder: Path) -> list[str]:
    """Return the names of the processes that were started with a Slurm of this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"SLURM_CONF={folder}/".encode() in (process / "environ").read_bytes():
                found.append((process / "comm").read_text().strip())
        except OSError:  # it has ended, or is not ours
            continue
    return found


def test_a_job_and_its_step_daemon_end_with_the_others():
    with running_slurm(1720) as slurm:
        job = slurm.run(
            "sbatch", "--parsable", "--mem=100", "--wrap", "trap '' TERM; sleep 300; sleep 300"
        ).strip()
        wait_for(lambda: slurm.state(job)["JobState"] == "RUNNING", 60, "the job")
        wait_for(lambda: "sleep" in processes_of(slurm.folder), 30, "its program")
        assert {"slurmctld", "slurmd", "slurmstepd"} <= set(processes_of(slurm.folder))
    assert processes_of(slurm.folder) == []
