"""Peak memory and processor time of the app on one surface, by number of vertices and of modes.

Run: ``python benchmarks/memory.py [largest]``, on Linux; ``largest`` is 0 (10242 vertices), 1 or 2 (163842,
the default). Each row is a run of the app as users start it: a participant with one surface, the default
descriptors, the report, one processor. The surface is nilearn's fsaverage5 white matter, each triangle
divided in four once or twice. Memory is the sum of the peaks of all processes of the run, so that a job
that gets it has enough. A whole table goes to where ``--help-resources`` and the manual have it; then
come two hemispheres of the largest size in two workers and in one (``memory.py pair``: these alone).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cohort import session

CHECKOUT = Path(__file__).resolve().parents[1]
MANUAL = CHECKOUT / "docs" / "clusters.md"
TABLE = CHECKOUT / "spectralbrain" / "data" / "resources.tsv"
MODES = (50, 100, 300)
HEADER = "| vertices | modes | peak memory, GiB | processor time, s |\n|---|---|---|---|\n"

Row = tuple[int, int, float, float]


def write_pair(dataset: Path, folder: Path) -> None:
    """Write a participant who has a dataset's surface, and its mirror image on the right."""
    import spectralbrain as sb

    folder.mkdir()
    (surface,) = dataset.glob("*.surf.gii")
    left = sb.load_mesh(surface)
    sb.save_mesh(folder / "sub-01_hemi-L_white.surf.gii", left.vertices, left.faces)
    sb.save_mesh(folder / "sub-01_hemi-R_white.surf.gii", left.vertices * [-1, 1, 1], left.faces[:, ::-1])


def write_datasets(folder: Path, largest: int) -> list[tuple[int, Path]]:
    """Write a dataset of one surface for each size; return (number of vertices, path)."""
    import numpy as np
    from nilearn import datasets, surface
    from trimesh.remesh import subdivide

    import spectralbrain as sb

    mesh = surface.load_surf_mesh(datasets.fetch_surf_fsaverage("fsaverage5")["white_left"])
    vertices, faces = np.asarray(mesh.coordinates, float), np.asarray(mesh.faces)
    written = []
    for level in range(largest + 1):
        if level:
            vertices, faces = subdivide(vertices, faces)
        dataset = folder / f"level{level}"
        dataset.mkdir()
        sb.save_mesh(dataset / "sub-01_hemi-L_white.surf.gii", vertices, faces)
        written.append((len(vertices), dataset))
    return written


def peak_gib(process: int) -> float:
    """Return the largest resident memory that a process has had so far, 0 if it is gone."""
    try:
        status = Path("/proc", str(process), "status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    peak = status.partition("VmHWM:")[2].split(maxsplit=1)
    return int(peak[0]) / 2**20 if peak else 0.0


def measure(dataset: Path, k: int, workers: int = 1) -> tuple[float, float, float]:
    """Return peak memory in GiB, processor time and wall time in seconds of the app on a dataset."""
    peaks: dict[int, float] = {}
    used: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("spectralbrain")
        command = [program, dataset, f"{folder}/out", "participant", "--modes", str(k)]
        command += ["--nprocs", str(workers), "-w", f"{folder}/work"]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None:
            for each, (seconds, _) in session(process.pid).items():
                used[each] = seconds
                peaks[each] = max(peak_gib(each), peaks.get(each, 0.0))
            time.sleep(0.05)
        wall = time.monotonic() - start
    if process.returncode != 0:
        raise SystemExit(f"the app ended with {process.returncode} for {dataset}, {k} modes")
    return sum(peaks.values()), sum(used.values()), wall


def write_table(rows: list[Row]) -> None:
    """Put the figures where the app and the manual have them."""
    TABLE.write_text(
        "vertices\tmodes\tpeak_memory_gib\tprocessor_time_s\n"
        + "".join(f"{n}\t{k}\t{peak:.2f}\t{seconds:.1f}\n" for n, k, peak, seconds in rows),
        encoding="utf-8",
    )
    before, header, rest = MANUAL.read_text(encoding="utf-8").partition(HEADER)
    after = rest.partition("\n\n")[2]
    lines = "".join(line(row) for row in rows)
    MANUAL.write_text(f"{before}{header}{lines}\n{after}", encoding="utf-8")


def line(row: Row) -> str:
    """Return a row of the manual's table."""
    n_vertices, k, peak, seconds = row
    return f"| {n_vertices:,} | {k} | {peak:.2f} | {seconds:.1f} |\n"


def measure_pair(dataset: Path, folder: Path) -> None:
    """Print what two hemispheres with 100 modes each take in two workers and in one."""
    write_pair(dataset, folder)
    for workers in (2, 1):
        peak, _, wall = measure(folder, 100, workers)
        print(
            f"two hemispheres, 100 modes each, --nprocs {workers}: {wall:.0f} s, {peak:.1f} GiB", flush=True
        )


def main(largest: int, *, table: bool = True) -> None:
    """Measure, print, and keep a whole table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        surfaces = write_datasets(Path(folder), largest)
        if table:
            print(HEADER, end="")
            for n_vertices, dataset in surfaces:
                for k in MODES:
                    rows.append((n_vertices, k, *measure(dataset, k)[:2]))
                    print(line(rows[-1]), end="", flush=True)
            if largest == 2:
                write_table(rows)
        if largest == 2:
            measure_pair(surfaces[-1][1], Path(folder) / "pair")


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "2"
    main(2, table=False) if asked == "pair" else main(int(asked))
