"""Print the jobs of the Slurm recipe for another scheduler: ``python containers/schedulers.py sge``.

One template for all: an array with a participant per task, then a group job that waits for it. Slurm's
own scripts, ``containers/slurm``, are tested on real daemons. Those for SGE, PBS and LSF are not: they
differ from the template only in the words below. Fill in the paths at the top of what is printed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

TEMPLATE = """\
# ---- {name}: save as participant.sh, submit with: {submit_array}
#!/bin/bash
{directives_array}
set -euo pipefail
input=/data/fmriprep output=/data/spectralbrain work=/scratch/work list=/data/participants.txt
label=$(sed -n "${{{task}}}p" "$list")
exec spectralbrain "$input" "$output" participant --participant-label "$label" \\
  --nprocs {cores} --mem {memory}GB --work-dir "$work/$label"

# ---- save as group.sh, submit when the array has ended: {submit_group}
#!/bin/bash
{directives_group}
set -euo pipefail
input=/data/fmriprep output=/data/spectralbrain work=/scratch/work
exec spectralbrain "$input" "$output" group --nprocs {cores} --work-dir "$work/group"
"""


@dataclass(frozen=True)
class Scheduler:
    """The words of one scheduler.

    Attributes
    ----------
    name : str
    task : str
        Environment variable that holds the number of the task, from 1.
    array, both : tuple of str
        Directives of the array alone, and of both jobs.
    submit_array, submit_group : str
        How the two are submitted.
    """

    name: str
    task: str
    array: tuple[str, ...]
    both: tuple[str, ...]
    submit_array: str
    submit_group: str


SCHEDULERS = {
    "slurm": Scheduler(
        "Slurm",
        "SLURM_ARRAY_TASK_ID",
        ("#SBATCH --array=1-{count}", "#SBATCH --requeue", "#SBATCH --open-mode=append"),
        ("#SBATCH --cpus-per-task={cores}", "#SBATCH --mem={memory}G", "#SBATCH --time={hours}:00:00"),
        "sbatch participant.sh",
        "sbatch --dependency=afterany:ARRAY_ID group.sh",
    ),
    "sge": Scheduler(
        "Sun/Univa/Altair Grid Engine",
        "SGE_TASK_ID",
        ("#$ -t 1-{count}", "#$ -r y", "#$ -N sb_participant"),
        (
            "#$ -S /bin/bash",
            "#$ -V",
            "#$ -cwd",
            "#$ -pe smp {cores}",
            "#$ -l h_vmem={memory}G,h_rt={hours}:00:00",
        ),
        "qsub participant.sh",
        "qsub -hold_jid sb_participant group.sh",
    ),
    "pbs": Scheduler(
        "PBS Pro / OpenPBS",
        "PBS_ARRAY_INDEX",
        ("#PBS -J 1-{count}", "#PBS -r y"),
        ("#PBS -V", "#PBS -l select=1:ncpus={cores}:mem={memory}gb", "#PBS -l walltime={hours}:00:00"),
        "qsub participant.sh",
        "qsub -W depend=afterany:ARRAY_ID group.sh",
    ),
    "lsf": Scheduler(
        "IBM Spectrum LSF",
        "LSB_JOBINDEX",
        ('#BSUB -J "sb_participant[1-{count}]"', "#BSUB -r"),
        ("#BSUB -n {cores}", '#BSUB -R "span[hosts=1]"', "#BSUB -M {memory}GB", "#BSUB -W {hours}:00"),
        "bsub < participant.sh",
        "bsub -w 'ended(sb_participant)' < group.sh",
    ),
}


def job_scripts(scheduler: str, *, count: int, cores: int = 1, memory: int = 4, hours: int = 1) -> str:
    """Return the two scripts.

    Parameters
    ----------
    scheduler : {'slurm', 'sge', 'pbs', 'lsf'}
    count : int
        Number of participants.
    cores, memory, hours : int
        What one task gets: processors, GB, time.
    """
    words = SCHEDULERS[scheduler]
    values = {"count": count, "cores": cores, "memory": memory, "hours": hours}
    both = [line.format(**values) for line in words.both]
    array = [line.format(**values) for line in words.array]
    return TEMPLATE.format(
        name=words.name,
        task=words.task,
        submit_array=words.submit_array,
        submit_group=words.submit_group,
        directives_array="\n".join([*array, *both]),
        directives_group="\n".join(both),
        **values,
    )


def main() -> None:
    """Print the scripts that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("scheduler", choices=SCHEDULERS)
    parser.add_argument("--count", type=int, default=100, help="number of participants (%(default)s)")
    parser.add_argument("--cores", type=int, default=1, help="processors of one task (%(default)s)")
    parser.add_argument("--memory", type=int, default=4, help="GB of one task (%(default)s)")
    parser.add_argument("--hours", type=int, default=1, help="time of one task (%(default)s)")
    options = parser.parse_args()
    print(job_scripts(**vars(options)), end="")


if __name__ == "__main__":
    main()
