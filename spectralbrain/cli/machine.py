"""What the machine, the cgroup or the batch job grants, and how it is shared out."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),  # version 2
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
)
_GB = 1024.0**3
OWN_GB = 0.3  # the app itself and the server that forks the workers, measured


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


def worker_count(nprocs: int, omp_nthreads: int, memory_gb: float, need_gb: float) -> int:
    """Return how many processes may work at a time.

    Parameters
    ----------
    nprocs, omp_nthreads : int
        Processors in all, threads of one process.
    memory_gb, need_gb : float
        Memory in all (the app itself takes :data:`OWN_GB` of it), and what one surface's largest step needs.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> worker_count(8, 1, 64, 1), worker_count(8, 1, 4, 1), worker_count(8, 4, 64, 1)
    (8, 3, 2)
    """
    by_memory = int((memory_gb - OWN_GB) / max(need_gb, 1e-3))
    return max(1, min(nprocs // omp_nthreads, by_memory))
