"""Peak memory and processor time of one surface, by number of vertices and of modes.

Run: ``python benchmarks/memory.py [largest]``; ``largest`` is 0 (10242 vertices), 1 or 2 (163842, the
default). Each row is a fresh process that loads a surface file, decomposes it, writes the cache and
computes ShapeDNA, HKS and WKS: what the app does for a surface. The surface is nilearn's fsaverage5
white matter, each triangle divided in four once or twice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

MODES = (50, 100, 300)
WORKER = """
import json, resource, sys, time
import spectralbrain as sb
start = time.process_time()
decomposition = sb.load_mesh(sys.argv[1]).decompose(k=int(sys.argv[2]))
decomposition.save(sys.argv[1] + ".h5")
sb.compute_shapedna(decomposition)
sb.compute_hks(decomposition)
sb.compute_wks(decomposition)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([peak / (2**20 if sys.platform == "linux" else 2**30), time.process_time() - start]))
"""


def write_surfaces(folder: Path, largest: int) -> list[tuple[int, Path]]:
    """Write the surfaces; return (number of vertices, path)."""
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
        path = folder / f"level{level}.surf.gii"
        sb.save_mesh(path, vertices, faces)
        written.append((len(vertices), path))
    return written


def measure(path: Path, k: int) -> tuple[float, float]:
    """Return peak memory in GiB and processor time in seconds of one surface."""
    result = subprocess.run(
        [sys.executable, "-c", WORKER, str(path), str(k)], check=True, capture_output=True, text=True
    )
    peak, seconds = json.loads(result.stdout)
    return float(peak), float(seconds)


def main(largest: int) -> None:
    """Print the table."""
    print("| vertices | modes | peak memory, GiB | processor time, s |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for n_vertices, path in write_surfaces(Path(folder), largest):
            for k in MODES:
                peak, seconds = measure(path, k)
                print(f"| {n_vertices:,} | {k} | {peak:.2f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
