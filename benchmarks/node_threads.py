"""Processor time and running threads of each kind of node beside the threads it was given.

Run: ``python benchmarks/node_threads.py [subdivisions] [modes] [threads ...]`` (5, 100, and 1 2 3 if omitted;
5 subdivisions are 10,242 vertices). Linux only. Each node runs in a process of its own, forked from one that
has imported what nodes import and whose BLAS has four threads, as workers of MultiProc are. Every 2 ms all
its threads are looked at. Printed are the most processor time in 50 ms, in threads' worth (it cannot exceed
the machine's processors), and the share of looks that found more threads running or waiting for a processor
than the node was given.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "4"

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node_memory import in_a_child, make_cases, write_inputs
from threadpoolctl import threadpool_limits

import spectralbrain.interfaces as nodes

WINDOW = 0.05
SURFACES, REGIONS, MAPS = 100, 30, 50
Look = tuple[float, float, float, int]


def watch(call: Callable[[], Any]) -> list[Look]:
    """Call a function in a process of its own.

    Returns the clock before and after each look, the processor time so far (s) and the running threads.
    """
    child = os.fork()
    if child == 0:
        try:
            call()
        finally:
            os._exit(0)
    looks: list[Look] = []
    spent: dict[str, float] = {}
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        clock, running = time.perf_counter(), 0
        for task in Path(f"/proc/{child}/task").glob("*"):
            try:
                spent[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
                running += (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
            except (OSError, IndexError):  # it has just ended
                continue
        looks.append((clock, time.perf_counter(), sum(spent.values()), running))
        time.sleep(0.002)
    return looks


def most_threads(looks: list[Look]) -> float:
    """Return the most processor time per time in any window."""
    most, first = 0.0, 0
    for before, after, spent, _ in looks:
        while before - looks[first + 1][0] >= WINDOW:
            first += 1
        if before - looks[first][0] >= WINDOW:
            most = max(most, (spent - looks[first][2]) / (after - looks[first][0]))
    return most


def main(level: int = 5, k: int = 100, *threads: int) -> None:
    """Print the table."""
    threads = threads or (1, 2, 3)
    threadpool_limits(4)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        in_a_child(lambda: write_inputs(level, k, SURFACES, REGIONS, MAPS))
        print(f"| node | {' | '.join(f'{n} given: most, share over' for n in threads)} |")
        print("|---" * (1 + len(threads)) + "|")
        for name, inputs, _ in make_cases({"n_vertices": 10 * 4**level + 2, "k": k}, SURFACES, REGIONS, MAPS):
            cells = []
            for n in threads:
                looks = watch(getattr(nodes, name)(**inputs, num_threads=n).run)
                over = sum(running > n for *_, running in looks) / len(looks)
                cells.append(f"{most_threads(looks):.2f}, {over:.1%}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
