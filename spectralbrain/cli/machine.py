"""What the machine, the cgroup or the batch job grants, and how it is shared out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),  # version 2
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
)
_GB = 1024.0**3


@dataclass(frozen=True)
class Share:
    """How many participants run at a time, and how many steps of each."""

    workers: int
    steps: int


def granted_memory_gb() -> float:
    """Return the memory this process may use, GB: Slurm's, the cgroup's or the machine's."""
    amounts = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB]
    for path in _CGROUP_LIMITS:
        try:
            amounts.append(int(path.read_text()) / _GB)
        except (OSError, ValueError):  # absent, or the word 'max'
            continue
    slurm = os.environ.get("SLURM_MEM_PER_NODE", "")
    if slurm.isdigit() and int(slurm) > 0:
        amounts.append(int(slurm) / 1024)
    return min(amounts)


def share_out(n_participants: int, nprocs: int, omp_nthreads: int, memory_gb: float, need_gb: float) -> Share:
    """Divide processors and memory among participants.

    Parameters
    ----------
    n_participants : int
        How many there are.
    nprocs, omp_nthreads : int
        Processors in all, threads of one step.
    memory_gb, need_gb : float
        Memory in all, and what one participant's largest step needs.

    Returns
    -------
    Share

    Examples
    --------
    >>> share_out(100, 8, 1, 64, 1)
    Share(workers=8, steps=1)
    >>> share_out(100, 8, 1, 4, 1)
    Share(workers=4, steps=2)
    >>> share_out(1, 8, 2, 64, 1)
    Share(workers=1, steps=8)
    """
    by_memory = max(1, int(memory_gb / max(need_gb, 1e-3)))
    workers = max(1, min(n_participants, nprocs // omp_nthreads, by_memory))
    return Share(workers, max(1, nprocs // workers) if nprocs // workers >= 2 * omp_nthreads else 1)
