"""Every writer and reader against the obvious peer, on the same arrays in one run.

    python benchmarks/exports.py [--quick] [--folder DIR]

Prints ratios (peer's time over ours: more is better), by the clock and in CPU seconds of all threads, sizes
(ours over peer's: less is better) and the memory that saving and loading took beside the array. Peers that
are not installed are left out. Times are the best of three runs, fsync included on our side only: no
peer does it. On a machine with other work, CPU seconds are the steadier measure.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import trimesh

import spectralbrain as sb

MODES = 300
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def smooth_modes(vertices: np.ndarray, n_modes: int) -> np.ndarray:
    """Return functions as smooth as eigenvectors, with mantissas as noisy, in no time."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((3, n_modes)) * np.linspace(1, 12, n_modes)
    unit = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    return 0.003 * np.sin(unit @ directions + rng.random(n_modes) * 6)


def best(function: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the best time of some runs, by the clock and in CPU seconds of all threads."""
    times, spent = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        function()
        times.append(time.perf_counter() - start)
        spent.append(time.process_time() - busy)
    return min(times), min(spent)


class Table:
    """Rows of the report."""

    def __init__(self, repeats: int) -> None:
        self.repeats = repeats
        self.rows: list[tuple[str, str, float, float, float | None]] = []

    def compare(
        self,
        what: str,
        peer: str,
        ours: Callable[[], Any],
        theirs: Callable[[], Any],
        files: tuple[Path, Path] | None = None,
        peer_repeats: int | None = None,
    ) -> None:
        """Time both, note the ratio, and the ratio of the files' sizes."""
        their_time, their_cpu = best(theirs, peer_repeats or self.repeats)
        our_time, our_cpu = best(ours, self.repeats)
        size = files[0].stat().st_size / files[1].stat().st_size if files else None
        self.rows.append((what, peer, their_time / our_time, their_cpu / our_cpu, size))
        print(
            f"{what}: {their_time:.3f} s / {our_time:.3f} s, CPU {their_cpu:.3f} s / {our_cpu:.3f} s",
            file=sys.stderr,
        )

    def markdown(self) -> str:
        """Return the table."""
        lines = ["| what | peer | times faster | times less CPU | size |", "|---|---|---|---|---|"]
        for what, peer, ratio, cpu, size in self.rows:
            shown = "" if size is None else f"{size:.2f}"
            lines.append(f"| {what} | {peer} | {ratio:.1f} | {cpu:.1f} | {shown} |")
        return "\n".join(lines)


def hdf5(table: Table, folder: Path, modes: np.ndarray) -> None:
    ours, plain = folder / "ours.h5", folder / "plain.h5"

    def save_plain() -> None:
        with h5py.File(plain, "w") as file:
            file.create_dataset("eigenvectors", data=modes, compression="gzip", compression_opts=4)

    def load_plain() -> np.ndarray:
        with h5py.File(plain) as file:
            return file["eigenvectors"][...]

    def load_ours_plainly() -> np.ndarray:
        with h5py.File(ours) as file:
            return file["eigenvectors"][...]

    def first_modes() -> np.ndarray:
        with sb.open_hdf5(ours) as handle:
            return handle["eigenvectors"][:, :50]

    def save_ours() -> Path:
        return sb.save_hdf5(ours, eigenvectors=modes)

    table.compare("save_hdf5", "h5py, gzip 4", save_ours, save_plain, peer_repeats=1)
    *row, _ = table.rows.pop()
    table.rows.append((*row, ours.stat().st_size / plain.stat().st_size))
    table.compare("load_hdf5", "h5py", lambda: sb.load_hdf5(ours), load_plain)
    table.compare("plain h5py on our file", "h5py on its own", load_ours_plainly, load_plain)
    table.compare(
        "open_hdf5, first 50 modes", "load_hdf5, all modes", first_modes, lambda: sb.load_hdf5(ours)
    )
    table.compare(
        "open_hdf5, nothing read", "load_hdf5, all modes", lambda: sb.open_hdf5(ours).close(), load_plain
    )


def archives(table: Table, folder: Path, modes: np.ndarray) -> None:
    ours, theirs = folder / "ours.npz", folder / "theirs.npz"
    part = modes[:, :50]
    sb.save_npz(ours, x=part)
    np.savez_compressed(theirs, x=part)
    table.compare(
        "save_npz",
        "numpy.savez_compressed",
        lambda: sb.save_npz(ours, x=part),
        lambda: np.savez_compressed(theirs, x=part),
        (ours, theirs),
    )
    table.compare("load_npz", "numpy.load", lambda: sb.load_npz(ours), lambda: np.load(theirs)["x"])


def maps(table: Table, folder: Path, modes: np.ndarray) -> None:
    ours, theirs = folder / "ours.func.gii", folder / "theirs.func.gii"
    part = np.ascontiguousarray(modes[:, :10])

    def save_theirs() -> None:
        arrays = [
            nibabel.gifti.GiftiDataArray(column.astype("f4"), "NIFTI_INTENT_NONE", "NIFTI_TYPE_FLOAT32")
            for column in part.T
        ]
        nibabel.save(nibabel.GiftiImage(darrays=arrays), theirs)

    sb.save_gifti_func(ours, part)
    save_theirs()
    table.compare(
        "save_gifti_func", "nibabel", lambda: sb.save_gifti_func(ours, part), save_theirs, (ours, theirs)
    )
    table.compare(
        "load_gifti_func",
        "nibabel",
        lambda: sb.load_gifti_func(ours),
        lambda: np.stack(nibabel.load(theirs).agg_data(), axis=1),
    )


def tables(table: Table, folder: Path) -> None:
    import pandas

    ours, theirs = folder / "ours.tsv", folder / "theirs.tsv"
    matrix = np.random.default_rng(0).standard_normal((1000, 1000))
    labels = [f"region-{i}" for i in range(1000)]
    frame = pandas.DataFrame(matrix, index=labels, columns=labels)

    def save_theirs() -> None:
        frame.to_csv(theirs, sep="\t", index_label="node", na_rep="n/a")

    sb.save_connectome(ours, matrix, labels=labels)
    save_theirs()
    table.compare(
        "save_connectome",
        "pandas",
        lambda: sb.save_connectome(ours, matrix, labels=labels),
        save_theirs,
        (ours, theirs),
    )
    table.compare(
        "load_connectome",
        "pandas",
        lambda: sb.load_connectome(ours),
        lambda: pandas.read_csv(theirs, sep="\t", index_col=0),
    )


def meshes(table: Table, folder: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    ours, theirs = folder / "ours.ply", folder / "theirs.ply"
    mesh = trimesh.Trimesh(vertices, faces, process=False)

    def save_trimesh() -> None:
        mesh.export(theirs)

    sb.save_mesh(ours, vertices, faces)
    save_trimesh()
    table.compare(
        "save_mesh .ply", "trimesh", lambda: sb.save_mesh(ours, vertices, faces), save_trimesh, (ours, theirs)
    )
    try:
        import pyvista
    except ImportError:
        return
    poly = pyvista.PolyData.from_regular_faces(vertices, faces)
    for suffix in (".ply", ".stl", ".vtk", ".vtp"):
        ours, theirs = folder / f"ours{suffix}", folder / f"vtk{suffix}"
        sb.save_mesh(ours, vertices, faces)
        poly.save(theirs)
        table.compare(
            f"save_mesh {suffix}",
            "VTK",
            lambda path=ours: sb.save_mesh(path, vertices, faces),
            lambda path=theirs: poly.save(path),
            (ours, theirs),
        )


MEMORY = """
import sys
from pathlib import Path
import numpy as np
import spectralbrain as sb
def peak():  # not ru_maxrss, which a process inherits from the one that starts it
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
array = np.load(sys.argv[1])
sb.save_hdf5(sys.argv[2], eigenvalues=np.arange(3.0))
sb.load_hdf5(sys.argv[2])
base = peak()
sb.save_hdf5(sys.argv[2], eigenvectors=array)
saved = peak()
found = sb.load_hdf5(sys.argv[2])
loaded = peak()
print(saved - base, loaded - base)
"""


def memory(folder: Path, modes: np.ndarray) -> str:
    """Return what saving and loading take beside the array, measured in a process of its own."""
    np.save(folder / "modes.npy", modes)
    command = [sys.executable, "-c", MEMORY, folder / "modes.npy", folder / "memory.h5"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    saved, loaded = (int(text) * 1024 / 1e6 for text in done.stdout.split())
    return (
        f"Memory beside the array of {modes.nbytes / 1e6:.0f} MB: {saved:.0f} MB to save it, "
        f"{loaded - modes.nbytes / 1e6:.0f} MB to load it."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a mesh of 10,242 vertices")
    parser.add_argument("--folder", type=Path, help="where to write, default: a temporary folder")
    options = parser.parse_args()
    mesh = sb.sphere(5 if options.quick else 7)
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    modes = smooth_modes(vertices, MODES)
    table = Table(repeats=3)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        hdf5(table, folder, modes)
        archives(table, folder, modes)
        maps(table, folder, modes)
        tables(table, folder)
        meshes(table, folder, vertices, faces)
        spent = memory(folder, modes) if Path("/proc/self/status").exists() else ""
    print(table.markdown())
    print()
    print(spent)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    print(f"Peak of the whole benchmark: {peak:.0f} MB.")


if __name__ == "__main__":
    main()
