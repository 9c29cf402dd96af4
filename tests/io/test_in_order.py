"""Values computed on several threads and handed out in order."""

from __future__ import annotations

import threading
import time

import pytest

from spectralbrain.io._in_order import in_order


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_values_come_in_order_from_no_more_threads_than_given(n_threads: int) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02 if number % 3 else 0.001)
        with lock:
            running -= 1
        return number**2

    assert list(in_order(slow, range(20), n_threads)) == [number**2 for number in range(20)]
    assert most == n_threads


def test_the_caller_works_while_another_thread_is_busy() -> None:
    threads = set()

    def note(number: int) -> int:
        threads.add(threading.get_ident())
        time.sleep(0.02)
        return number

    assert list(in_order(note, range(12), 2)) == list(range(12))
    assert threading.get_ident() in threads
    assert len(threads) == 2


def test_nothing_is_computed_far_ahead() -> None:
    begun: list[int] = []
    values = in_order(lambda number: begun.append(number) or number, iter(range(10**9)), 2)
    assert [next(values) for _ in range(5)] == [0, 1, 2, 3, 4]
    values.close()
    assert len(begun) < 20


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_reaches_the_caller(n_threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda number: 1 / (3 - number), range(9), n_threads))
