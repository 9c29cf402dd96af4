"""What this process may use: threads, as the caller, the batch system or the machine grants them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

from spectralbrain.errors import ArrayError

SLURM_CPUS = "SLURM_CPUS_PER_TASK"
_granted: ContextVar[int | None] = ContextVar("spectralbrain_granted_threads", default=None)


@contextlib.contextmanager
def granted_threads(n_threads: int) -> Iterator[None]:
    """Within this context, no call that leaves its threads open uses more than `n_threads`.

    A workflow node runs its function inside, so that a function without a thread argument, or one
    called by another function, keeps to what the node was given.

    Parameters
    ----------
    n_threads : int
        At least 1.

    Examples
    --------
    >>> with granted_threads(1):
    ...     resolve_threads()
    1
    """
    token = _granted.set(resolve_threads(n_threads))
    try:
        yield
    finally:
        _granted.reset(token)


def resolve_threads(n_threads: int | None = None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_threads : int, optional
        What the caller grants. If omitted: what :func:`granted_threads` grants, else
        ``SLURM_CPUS_PER_TASK`` where a Slurm job sets it, else the processors this process is
        allowed to run on.

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
    limit = _granted.get()
    if limit is not None:
        return limit
    granted = os.environ.get(SLURM_CPUS, "")
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
