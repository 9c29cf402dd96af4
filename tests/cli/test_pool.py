"""Participants in processes: one at a time in each, replaced after a failure."""

import os
import signal
import time
from dataclasses import dataclass
from functools import partial

import pytest

from spectralbrain.cli import pool
from spectralbrain.cli.pool import Died, run_isolated


@dataclass(frozen=True)
class Answer:
    pid: int
    ok: bool = True


def work(task):
    match task:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(7)
        case "raise":
            raise ValueError("no such surface")
        case "fail":
            return Answer(os.getpid(), ok=False)
        case float():
            time.sleep(task)
    return Answer(os.getpid())


def do_nothing():
    pass


run = partial(run_isolated, work, initializer=do_nothing)


def test_a_process_that_does_well_takes_the_next_task():
    answers = dict(run(["a", "b", "c"], 1))
    assert len({answer.pid for answer in answers.values()}) == 1


def test_a_process_ends_after_a_fixed_number_of_tasks(monkeypatch):
    monkeypatch.setattr(pool, "TASKS_PER_PROCESS", 2)
    answers = dict(run(["a", "b", "c", "d", "e"], 1))
    pids = [answer.pid for answer in answers.values()]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("die", "the process was ended by SIGKILL; most likely the memory ran out"),
        ("leave", "the process ended with code 7 without a result"),
        ("raise", "ValueError: no such surface"),
    ],
)
def test_who_goes_down_takes_nobody_along(task, reason):
    answers = dict(run(["a", task, "b", "c"], 1))
    assert list(answers) == ["a", task, "b", "c"]
    died = answers.pop(task)
    assert isinstance(died, Died)
    assert died.reason.startswith(reason)
    assert answers["a"].pid != answers["b"].pid == answers["c"].pid  # a fresh process goes on


def test_after_a_failure_a_fresh_process_goes_on():
    answers = dict(run(["a", "fail", "b"], 1))
    assert answers["a"].pid == answers["fail"].pid != answers["b"].pid


def test_no_more_processes_than_asked_for_and_no_idle_one():
    answers = dict(run([0.2, 0.21, 0.22, 0.23, 0.24, 0.25], 2))
    assert len({answer.pid for answer in answers.values()}) == 2


def test_leaving_early_ends_those_that_still_work():
    running = run([0.1, 60.0], 2)
    _, answer = next(running)
    start = time.monotonic()
    running.close()
    assert time.monotonic() - start < 10
    with pytest.raises(StopIteration):
        next(running)
    assert answer.ok
