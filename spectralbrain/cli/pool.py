"""Run each participant in a process of its own, so that none can take another one down."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

Task = TypeVar("Task")
_PRELOAD = ["spectralbrain.cli.preload"]


@dataclass(frozen=True)
class Died:
    """A worker ended without an answer, or raised."""

    reason: str


def run_isolated(
    function: Callable[[Task], Any], tasks: Sequence[Task], n_workers: int, initializer: Callable[[], None]
) -> Generator[tuple[Task, Any]]:
    """Run a function on each task, each in a fresh process, at most `n_workers` at a time.

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
        In the order they finish. A process that was killed or raised gives a :class:`Died`.
        Closing the generator ends the processes that still run.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    waiting = list(reversed(tasks))
    running: dict[Connection, tuple[Any, Task]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < n_workers:
                task = waiting.pop()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(sender, function, task, initializer))
                process.start()
                sender.close()
                running[receiver] = (process, task)
            for ready in wait(list(running)):
                receiver = cast(Connection, ready)
                process, task = running.pop(receiver)
                yield task, _answer(process, receiver)
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def _work(
    sender: Connection, function: Callable[[Any], Any], task: Any, initializer: Callable[[], None]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and ends us by SIGTERM
    signal.signal(signal.SIGTERM, _leave)
    try:
        initializer()
        answer = function(task)
    except Exception as error:
        detail = "".join(traceback.format_exception(error)[-3:])
        answer = Died(f"{type(error).__name__}: {error}\n{detail}")
    sender.send(answer)
    sender.close()


def _leave(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


def _answer(process: Any, receiver: Connection) -> Any:
    try:
        answer = receiver.recv()
    except EOFError:
        answer = None
    receiver.close()
    process.join()
    if answer is not None:
        return answer
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; most likely the memory ran out: raise the limit of the job, or ask for fewer --modes"
        return Died(f"the process was ended by {name}{hint if -code == signal.SIGKILL else ''}")
    return Died(f"the process ended with code {code} without a result")
