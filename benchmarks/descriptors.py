"""Time and memory of the descriptors: ``python benchmarks/descriptors.py [N] [K]``, default 163842 300.

``descriptors.md`` keeps the table. Beside each figure the formula written in one NumPy line. Eigenvectors are
random numbers: time and memory do not depend on their values. CPU seconds are the figure to compare; wall
time depends on what else runs.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import spectralbrain as sb
from spectralbrain.spectral.grids import resolve_energies, resolve_times


def stand_in(n: int, k: int) -> Any:
    values = np.concatenate([[0.0], 4 * np.pi * np.arange(1, k) / 1e5])
    vectors = np.random.default_rng(0).standard_normal((n, k))
    return SimpleNamespace(
        eigenvalues=values, eigenvectors=vectors, surface_area=1e5, n_null_modes=1, metadata={}
    )


def naive_hks(d: Any) -> np.ndarray:
    return (d.eigenvectors**2) @ np.exp(-np.outer(d.eigenvalues, resolve_times(d)))


def naive_wks(d: Any) -> np.ndarray:
    energies, sigma = resolve_energies(d)
    weights = np.exp(-((energies - np.log(d.eigenvalues[1:, None])) ** 2) / (2 * sigma**2))
    return (d.eigenvectors[:, 1:] ** 2) @ (weights / weights.sum(axis=0))


def naive_bks(d: Any) -> np.ndarray:
    return (d.eigenvectors[:, 1:] ** 2 / d.eigenvalues[1:] ** 2).sum(axis=1)


CASES: dict[str, tuple[Callable[[Any], np.ndarray], Callable[[Any], np.ndarray] | None]] = {
    "compute_hks, 100 times": (sb.compute_hks, naive_hks),
    "compute_wks, 100 energies": (sb.compute_wks, naive_wks),
    "compute_bks": (sb.compute_bks, naive_bks),
    "compute_si_hks": (sb.compute_si_hks, None),
    "compute_bates_signatures, 10 times, order 2": (sb.compute_bates_signatures, None),
    "biharmonic_distance, 100 sources": (lambda d: sb.biharmonic_distance(d, np.arange(100)), None),
}


def measure(function: Callable[[Any], np.ndarray], d: Any) -> tuple[float, float, float, np.ndarray]:
    """Return CPU seconds, wall seconds, and megabytes beyond the result, each from its own run."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = function(d)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    size = result.nbytes
    tracemalloc.start()
    function(d)
    extra = (tracemalloc.get_traced_memory()[1] - size) / 1e6
    tracemalloc.stop()
    return cpu, wall, extra, result


def main(n: int, k: int) -> None:
    d = stand_in(n, k)
    size = d.eigenvectors.nbytes
    print(f"{n} vertices, {k} modes: eigenvectors {size / 1e6:.0f} MB\n")
    print("| | CPU s | wall s | beyond input and output, MB | part of both | one line: CPU s | MB | agree |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (ours, naive) in CASES.items():
        cpu, wall, extra, result = measure(ours, d)
        share = 1e8 * extra / (size + result.nbytes)
        line = f"| {name} | {cpu:.2f} | {wall:.2f} | {extra:.1f} | {share:.1f} % |"
        if naive is None:
            print(line, " | | |")
            continue
        other_cpu, _, other_extra, expected = measure(naive, d)
        error = float(np.abs(result - expected).max() / np.abs(expected).max())
        print(line, f"{other_cpu:.2f} | {other_extra:.1f} | {error:.0e} |")


if __name__ == "__main__":
    sizes = [int(a) for a in sys.argv[1:]] or [163842, 300]
    main(sizes[0], sizes[1] if len(sizes) > 1 else 300)
