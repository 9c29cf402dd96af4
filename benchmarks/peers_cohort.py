"""A cohort through the app, BrainPrint and LaPy on the same surfaces: wall and processor time.

Run: ``python benchmarks/peers_cohort.py --peers-python PATH [--participants 6] [--vertices 10242]
[--processors 2] [--modes 50] [--out FILE.md]``; PATH is a Python with ``brainprint`` and ``lapy``.

The participants are smooth variations of fsaverage5's hemispheres in a SUBJECTS_DIR: white and pial of
both sides, four closed surfaces each (medial wall included), as BrainPrint analyses them. All programs
compute eigenvalues and eigenvectors and write both; linear elements, consistent mass matrix. BrainPrint
and LaPy run one process per participant, as many at a time as there are processors, as their users do;
the app runs as it is. BrainPrint's own functions are called from its conversion of the surfaces on: its
command line needs FreeSurfer's programs for the subcortical structures, which are left out everywhere.
The eigenvalues of all programs are compared, so that the times are of the same work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cohort import session

SURFACES = ("lh.white", "rh.white", "lh.pial", "rh.pial")
BRAINPRINT = """
import sys
from pathlib import Path
import numpy as np
from brainprint.brainprint import compute_brainprint
from brainprint.surfaces import create_cortical_surfaces
subject, out, modes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
(out / "surfaces").mkdir(parents=True)
surfaces = create_cortical_surfaces(subject, out)
values, vectors = compute_brainprint(surfaces, keep_eigenvectors=True, num=modes)
names = {f"{side}-{kind}-2d": f"{side}.{kind}" for side in ("lh", "rh") for kind in ("white", "pial")}
np.savez(out / "eigenvalues.npz", **{names[key]: np.asarray(v)[2:] for key, v in values.items()})
np.savez_compressed(out / "eigenvectors.npz", **{names[key]: v for key, v in vectors.items()})
"""
LAPY = """
import sys
from pathlib import Path
import numpy as np
from lapy import Solver, TriaMesh
subject, out, modes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
out.mkdir(parents=True)
values, vectors = {}, {}
for name in ("lh.white", "rh.white", "lh.pial", "rh.pial"):
    mesh = TriaMesh.read_fssurf(str(subject / "surf" / name))
    values[name], vectors[name] = Solver(mesh).eigs(k=modes)
np.savez(out / "eigenvalues.npz", **values)
np.savez_compressed(out / "eigenvectors.npz", **vectors)
"""


def watched(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a program; return its wall time and the processor time of all its processes, s."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    used: dict[int, float] = {}
    while process.poll() is None:
        used.update({pid: seconds for pid, (seconds, _) in session(process.pid).items()})
        time.sleep(0.05)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {process.stderr.read().decode()}")
    return wall, sum(used.values())


def one_thread() -> dict[str, str]:
    """Return an environment in which BLAS uses one thread: the processors work on participants."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | dict.fromkeys(names, "1")


def run_script(
    script: str, python: str, subjects: list[Path], out: Path, modes: int, processors: int
) -> tuple[float, float]:
    """Run a script on each participant, `processors` at a time; return wall and processor time, s."""
    start = time.perf_counter()

    def one(subject: Path) -> float:
        command = [python, "-c", script, str(subject), str(out / subject.name), str(modes)]
        return watched(command, one_thread())[1]

    with ThreadPoolExecutor(processors) as pool:
        used = list(pool.map(one, subjects))
    return time.perf_counter() - start, sum(used)


def run_app(source: Path, out: Path, modes: int, processors: int, options: list[str]) -> tuple[float, float]:
    """Run the app; return wall and processor time, s."""
    program = Path(sys.executable).with_name("spectralbrain")
    command = [str(program), str(source), str(out), "participant", "--modes", str(modes)]
    command += ["--surfaces", "white", "pial", "--medial-wall", "closed", "--parcellation", "none"]
    command += ["--nprocs", str(processors), "--omp-nthreads", "1", "-w", f"{out}-work", *options]
    return watched(command, dict(os.environ))


def eigenvalues_of_app(out: Path, subject: str) -> dict[str, np.ndarray]:
    """Return the eigenvalues that the app wrote, by FreeSurfer's name of the surface."""
    found = {}
    for side, hemi in (("lh", "L"), ("rh", "R")):
        for surface in ("white", "pial"):
            name = f"{subject}_hemi-{hemi}_desc-{surface}_eigenpairs.json"
            sidecar = json.loads((out / subject / "anat" / name).read_text(encoding="utf-8"))
            found[f"{side}.{surface}"] = np.array(sidecar["Eigenvalues"])
    return found


def largest_difference(mine: dict[str, np.ndarray], path: Path) -> float:
    """Return the largest relative difference to the eigenvalues another program wrote, but for null modes."""
    with np.load(path) as theirs:
        pairs = [(mine[name][1:], theirs[name][1 : len(mine[name])]) for name in SURFACES]
    return max(float(np.abs(a / b - 1).max()) for a, b in pairs)


def table(rows: list[tuple[str, float, float, float]], n: int) -> str:
    """Return name, wall time, processor time and load after each run as a Markdown table."""
    lines = ["| program | wall, s | wall per participant, s | processor time per participant, s | load |"]
    lines += ["|---|---|---|---|---|"]
    lines += [f"| {r[0]} | {r[1]:.1f} | {r[1] / n:.2f} | {r[2] / n:.2f} | {r[3]:.0f} |" for r in rows]
    return "\n".join(lines)


def versions(python: str) -> dict[str, Any]:
    """Return the versions of the peers."""
    script = "import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in "
    script += "('brainprint', 'lapy', 'numpy', 'scipy')}))"
    found = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout
    return dict(json.loads(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers-python", required=True)
    parser.add_argument("--participants", type=int, default=6)
    parser.add_argument("--vertices", type=int, default=10_242, choices=(642, 2562, 10_242))
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--modes", type=int, default=50)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    from tests.datasets import subjects_dir

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = [f"sub-{i:02d}" for i in range(1, options.participants + 1)]
        source = subjects_dir(root / "subjects", names, n=options.vertices, templates=(), aseg=False)
        subjects = [source / name for name in names]
        load = os.getloadavg()[0]
        common = (options.modes, options.processors)
        peers = (options.peers_python, subjects)
        same = ["--descriptors", "shapedna", "--no-report"]
        runs: list[tuple[str, Callable[[], tuple[float, float]]]] = [
            ("LaPy", lambda: run_script(LAPY, *peers, root / "lapy", *common)),
            ("BrainPrint", lambda: run_script(BRAINPRINT, *peers, root / "bp", *common)),
            ("spectralbrain, the same work", lambda: run_app(source, root / "same", *common, same)),
            (
                "spectralbrain, defaults (HKS, WKS, maps)",
                lambda: run_app(source, root / "all", *common, ["--no-report"]),
            ),
            ("spectralbrain, defaults and reports", lambda: run_app(source, root / "html", *common, [])),
        ]
        rows = [(name, *run(), os.getloadavg()[0]) for name, run in runs]
        differences = {
            name: max(
                largest_difference(eigenvalues_of_app(root / "same", s), root / place / s / "eigenvalues.npz")
                for s in names
            )
            for name, place in (("LaPy", "lapy"), ("BrainPrint", "bp"))
        }
    lines = [
        f"{options.participants} participants, four closed surfaces of {options.vertices:,} vertices each, "
        f"{options.modes} modes, {options.processors} processors; load before the run {load:.1f}.",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; peers: "
        + ", ".join(f"{k} {v}" for k, v in versions(options.peers_python).items())
        + ".",
        "",
        table(rows, options.participants),
        "",
        "Largest relative difference of an eigenvalue to the app's: "
        + ", ".join(f"{k} {v:.1e}" for k, v in differences.items())
        + ".",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
