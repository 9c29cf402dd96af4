"""Values computed on several threads and handed out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], n_threads: int) -> Iterator[R]:
    """Yield a function's value for each item, in order; a few are computed ahead of the consumer.

    Parameters
    ----------
    function : callable
        Safe to call on several threads at once.
    items : iterable
        Its arguments.
    n_threads : int
        How many threads compute, the caller's among them: it works where it would wait.

    Examples
    --------
    >>> list(in_order(abs, [-1, 2, -3], n_threads=2))
    [1, 2, 3]
    """
    if n_threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(n_threads - 1) as pool:
        waiting: deque[_Task[T, R]] = deque()
        try:
            for item in items:
                waiting.append(_Task(function, item, pool.submit(function, item)))
                if len(waiting) > 2 * n_threads:
                    yield _first_value(waiting)
            while waiting:
                yield _first_value(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


class _Task(Generic[T, R]):
    """A call that a thread of the pool or the caller makes, whoever comes first."""

    def __init__(self, function: Callable[[T], R], item: T, future: Future[R]) -> None:
        self._function, self._item, self.future = function, item, future

    def run_here(self) -> bool:
        """Make the call on this thread, unless another has begun it."""
        if not self.future.cancel():
            return False
        self.future = Future()
        self.future.set_result(self._function(self._item))
        return True


def _first_value(waiting: deque[_Task[T, R]]) -> R:
    """Return the value of the first task; while another thread is at it, the caller makes other calls."""
    first = waiting.popleft()
    if not first.run_here():
        for task in waiting:
            if first.future.done():
                break
            task.run_here()
    return first.future.result()
