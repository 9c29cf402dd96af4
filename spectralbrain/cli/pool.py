"""Run each participant in a process where nothing else runs, so that none can take another one down.

A process that has done well takes the next participant, which spares the start of another one. After a
failure, and after a fixed number of participants, it ends and a fresh one takes over.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

Task = TypeVar("Task")
_PRELOAD = ["spectralbrain.cli.preload"]
TASKS_PER_PROCESS = 16  # whatever a library keeps in memory is given back after so many


@dataclass(frozen=True)
class Died:
    """A worker ended without an answer, or raised."""

    reason: str


@dataclass
class _Worker:
    """A process that waits for tasks, and the task it has."""

    process: Any
    task: Any = None
    n_tasks: int = 0


def run_isolated(
    function: Callable[[Task], Any], tasks: Sequence[Task], n_workers: int, initializer: Callable[[], None]
) -> Generator[tuple[Task, Any]]:
    """Run a function on each task, in at most `n_workers` processes, each with one task at a time.

    Parameters
    ----------
    function : callable
        Of a module, so that it can be pickled.
    tasks : sequence
        In the order to start them.
    n_workers : int
        At least 1.
    initializer : callable
        Called first in each process.

    Yields
    ------
    task, result
        In the order they finish. A process that was killed or raised gives a :class:`Died` and is
        replaced, as is one whose result has a false attribute `ok`. Closing the generator ends the processes
        that still run.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    waiting = list(reversed(tasks))
    workers: dict[Connection, _Worker] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < n_workers:
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, function, initializer))
                process.start()
                theirs.close()
                workers[ours] = _Worker(process)
                _give(ours, workers[ours], waiting.pop())
            for ready in wait(list(workers)):
                connection = cast(Connection, ready)
                worker = workers[connection]
                task, answer = worker.task, _answer(worker.process, connection)
                well = not isinstance(answer, Died) and getattr(answer, "ok", True)
                if waiting and well and worker.n_tasks < TASKS_PER_PROCESS:
                    _give(connection, worker, waiting.pop())
                else:
                    connection.close()  # the process takes this for its end
                    del workers[connection]
                yield task, answer
    finally:
        for worker in workers.values():
            worker.process.terminate()
        for worker in workers.values():
            worker.process.join(10)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _give(connection: Connection, worker: _Worker, task: Any) -> None:
    worker.task = task
    worker.n_tasks += 1
    with contextlib.suppress(ConnectionError):  # it has just died: waiting for its answer will tell
        connection.send(task)


def _work(connection: Connection, function: Callable[[Any], Any], initializer: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and ends us by SIGTERM
    signal.signal(signal.SIGTERM, _leave)
    initializer()
    while True:
        try:
            task = connection.recv()
        except EOFError:  # nothing more to do, or the parent is gone
            return
        try:
            answer = function(task)
        except Exception as error:
            detail = "".join(traceback.format_exception(error)[-3:])
            answer = Died(f"{type(error).__name__}: {error}\n{detail}")
        try:
            connection.send(answer)
        except ConnectionError:  # the parent was killed
            return


def _leave(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


def _answer(process: Any, connection: Connection) -> Any:
    try:
        return connection.recv()
    except (EOFError, ConnectionError):
        process.join()
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; most likely the memory ran out: raise the limit of the job, or ask for fewer --modes"
        return Died(f"the process was ended by {name}{hint if -code == signal.SIGKILL else ''}")
    return Died(f"the process ended with code {code} without a result")
