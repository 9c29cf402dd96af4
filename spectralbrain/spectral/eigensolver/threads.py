"""A team of threads for independent pieces of dense arithmetic.

NumPy releases the interpreter lock inside BLAS and LAPACK; every thread of the team calls them with one
BLAS thread, so that the result of a piece does not depend on the size of the team.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")


class Team:
    """Threads that live as long as a ``with`` block; BLAS has one thread meanwhile.

    Parameters
    ----------
    size : int
        Number of threads.

    Examples
    --------
    >>> with Team(2) as team:
    ...     team.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._limits: threadpool_limits | None = None
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Team:
        self._limits = threadpool_limits(limits=1, user_api="blas")
        if self.size > 1:
            self._pool = ThreadPoolExecutor(self.size - 1, thread_name_prefix="spectralbrain")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._limits is not None:
            self._limits.restore_original_limits()
            self._limits = None

    def start(self, function: Callable[[], object]) -> None:
        """Call a function on another thread, if there is one, for what it leaves in a memo.

        Its error is dropped: whoever needs the result meets it again.
        """
        if self._pool is not None:
            self._pool.submit(function)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return the function's values in the order of the items; the calling thread works, too."""
        items = list(items)
        if self._pool is None or len(items) < 2:
            return [function(item) for item in items]
        values: dict[int, R] = {}
        numbers = itertools.count()

        def work() -> None:
            while (i := next(numbers)) < len(items):
                values[i] = function(items[i])

        helpers = [self._pool.submit(work) for _ in range(min(self.size, len(items)) - 1)]
        try:
            work()
        finally:
            # A thread that is busy elsewhere has not begun, and need not.
            helpers = [helper for helper in helpers if not helper.cancel()]
            wait(helpers)
        for helper in helpers:
            helper.result()
        return [values[i] for i in range(len(items))]
