"""How long mesh files take to write and to read, against the obvious peer for each format.

    python benchmarks/meshes.py [subdivisions]

Prints CPU seconds, the peer's time as a multiple of ours (above 1: ours is faster), and sizes. The
peers write float32 where a format lets them choose (PyVista's PLY and STL); ours keeps float64.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pyvista as pv
import trimesh

import spectralbrain as sb


def cpu(function: Callable[[], object], repeats: int = 3) -> float:
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return float(best)


def peers(mesh: sb.BrainMesh) -> dict[str, tuple[str, Callable[[Path], object], Callable[[Path], object]]]:
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    polydata = pv.PolyData.from_regular_faces(mesh.vertices, mesh.faces)

    def write_gifti(path: Path) -> None:
        arrays = (
            (mesh.vertices.astype(np.float32), "POINTSET"),
            (mesh.faces.astype(np.int32), "TRIANGLE"),
        )
        darrays = [nib.gifti.GiftiDataArray(data, intent=f"NIFTI_INTENT_{name}") for data, name in arrays]
        nib.save(nib.gifti.GiftiImage(darrays=darrays), path)

    return {
        ".ply": ("pyvista", polydata.save, pv.read),
        ".vtp": ("pyvista", polydata.save, pv.read),
        ".vtk": ("pyvista, ASCII", lambda path: polydata.save(path, binary=False), pv.read),
        ".stl": ("pyvista", polydata.save, pv.read),
        ".obj": ("trimesh", surface.export, lambda path: trimesh.load(path, process=False)),
        ".off": ("trimesh", surface.export, lambda path: trimesh.load(path, process=False)),
        ".surf.gii": ("nibabel", write_gifti, lambda path: nib.load(path).agg_data()),
        ".white": (
            "nibabel",
            lambda path: nib.freesurfer.write_geometry(path, mesh.vertices, mesh.faces),
            nib.freesurfer.read_geometry,
        ),
    }


def main(subdivisions: int = 7) -> None:
    mesh = sb.sphere(subdivisions, radius=80.0)
    print(f"{mesh.n_vertices} vertices, {mesh.n_faces} faces")
    print(f"{'format':10} {'write s':>8} {'peer':>6} {'read s':>8} {'peer':>6} {'MB':>6} {'peer':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for suffix, (name, write, read) in peers(mesh).items():
            ours, theirs = Path(folder, f"ours{suffix}"), Path(folder, f"theirs{suffix}")
            times = [
                cpu(lambda ours=ours: sb.save_mesh(ours, mesh.vertices, mesh.faces)),
                cpu(lambda theirs=theirs, write=write: write(theirs)),
                cpu(lambda ours=ours: sb.load_mesh(ours)),
                cpu(lambda theirs=theirs, read=read: read(theirs)),
            ]
            sizes = [path.stat().st_size / 1e6 for path in (ours, theirs)]
            print(
                f"{suffix:10} {times[0]:8.3f} {times[1] / times[0]:5.1f}x {times[2]:8.3f} "
                f"{times[3] / times[2]:5.1f}x {sizes[0]:6.1f} {sizes[1]:6.1f}  {name}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
