"""The threads of BLAS while a node runs: one, because threads of ours share the work.

A BLAS with threads of its own would compute beside ours. OpenBLAS also lets a thread that has nothing
to do spin for about 0.1 s before it sleeps: after each product, and when threads start, as all of them
do at the first call after a fork.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

SPIN = "OPENBLAS_THREAD_TIMEOUT"  # log2 of clock ticks to spin; read when OpenBLAS is loaded
SHORTEST = "4"


def limited_pools(n_threads: int) -> Any:
    """Return a context in which BLAS uses one thread, and OpenMP at most `n_threads`."""
    with _no_spinning():
        importlib.import_module("scipy.linalg")  # brings a BLAS of its own, to be limited as well
        pools = _pools(len(sys.modules))
        _read_environment(pools)
        limits = pools.limit(limits={"blas": 1, "openmp": int(n_threads)})
    _read_environment(pools)
    return limits


@contextlib.contextmanager
def _no_spinning() -> Iterator[None]:
    """Let threads of OpenBLAS that start in this context sleep at once when they have nothing to do."""
    before = os.environ.get(SPIN)
    os.environ[SPIN] = SHORTEST
    try:
        yield
    finally:
        del os.environ[SPIN]
        if before is not None:
            os.environ[SPIN] = before


def _read_environment(pools: Any) -> None:
    """Make each OpenBLAS read its environment variables again, as far as it offers to."""
    for library in pools.lib_controllers:
        if library.internal_api == "openblas" and hasattr(library.dynlib, "openblas_read_env"):
            library.dynlib.openblas_read_env()


@functools.lru_cache(maxsize=1)
def _pools(n_modules: int) -> Any:
    """Return the thread pools of the loaded libraries; looked for again once more modules are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
