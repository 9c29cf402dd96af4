"""What this process may use: threads, as the caller, the batch system or the machine grants them."""

from __future__ import annotations

import os

from spectralbrain.errors import ArrayError

SLURM_CPUS = "SLURM_CPUS_PER_TASK"


def resolve_threads(n_threads: int | None = None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_threads : int, optional
        What the caller grants. If omitted: ``SLURM_CPUS_PER_TASK`` where a Slurm job sets it,
        else the processors this process is allowed to run on.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ArrayError
        If `n_threads` is not a positive integer.

    Examples
    --------
    >>> resolve_threads(2)
    2
    """
    if n_threads is not None:
        if isinstance(n_threads, bool) or int(n_threads) != n_threads or n_threads < 1:
            raise ArrayError(f"n_threads: expected a positive integer, found {n_threads!r}")
        return int(n_threads)
    granted = os.environ.get(SLURM_CPUS, "")
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
