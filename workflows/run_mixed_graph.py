"""Our nodes among the nodes of other packages: FreeSurfer-style files in, nilearn in the middle.

    python workflows/run_mixed_graph.py --surface lh.white --map lh.thickness

Nipype's own SelectFiles finds the files, our nodes smooth a cortical map on the surface's modes and
make surrogates of it, a plain Function node computes statistics with nilearn and NumPy, Nipype's
DataSink collects what is to be kept. Without options: thickness of fsaverage5 (nilearn package).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples import fsaverage5, parse, result, run, table
from nipype.interfaces.io import DataSink, SelectFiles
from nipype.interfaces.utility import Function
from nipype.pipeline import engine as pe

from spectralbrain.interfaces import Decompose, Eigenstrap, FilterMap, SaveGiftiFunc


def compare(mesh_file: str, map_file: str, filtered_file: str, surrogate_file: str) -> dict[str, float]:
    """Return statistics of a map before and after, read with nilearn and not with our readers."""
    import numpy as np
    from nilearn import surface

    original, filtered, surrogates = (
        np.asarray(surface.load_surf_data(path), dtype=float)
        for path in (map_file, filtered_file, surrogate_file)
    )
    faces = np.asarray(surface.load_surf_mesh(mesh_file).faces)
    edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])

    def roughness(values: np.ndarray) -> float:
        steps = values[edges[:, 0]] - values[edges[:, 1]]
        return float(np.sqrt(np.nanmean(steps**2)) / np.nanstd(values))

    correlations = [np.corrcoef(filtered, column)[0, 1] for column in np.atleast_2d(surrogates.T)]
    return {
        "correlation of map and filtered map": float(np.corrcoef(original, filtered)[0, 1]),
        "roughness of the map": roughness(original),
        "roughness of the filtered map": roughness(filtered),
        "mean roughness of the surrogates": float(
            np.mean([roughness(c) for c in np.atleast_2d(surrogates.T)])
        ),
        "largest |correlation| of a surrogate with the map": float(np.max(np.abs(correlations))),
    }


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, surface="surface of any known format", map="numbers per vertex")
    if bool(options.surface) != bool(options.map):
        raise SystemExit("--surface and --map belong together")
    prefix = None if options.surface else fsaverage5(options) / "sub-fsaverage5_hemi-L"
    surface = options.surface or Path(f"{prefix}_white.surf.gii")
    values = options.map or Path(f"{prefix}_thickness.shape.gii")

    workflow = pe.Workflow("mixed_graph")
    templates = {"mesh_file": str(surface.absolute()), "map_file": str(values.absolute())}
    grab = pe.Node(SelectFiles(templates), name="grab")
    decompose = pe.Node(Decompose(k=options.modes), name="decompose")
    smooth = pe.Node(FilterMap(longer_than=40.0), name="smooth")
    surrogates = pe.Node(Eigenstrap(n_surrogates=20, seed=1), name="surrogates")
    gifti = {
        name: pe.Node(
            SaveGiftiFunc(out_file=f"{name}.func.gii", structure="CortexLeft"), name=f"{name}_gifti"
        )
        for name in ("filtered", "surrogates")
    }
    statistics = pe.Node(
        Function(
            ["mesh_file", "map_file", "filtered_file", "surrogate_file"], ["statistics"], function=compare
        ),
        name="statistics",
    )
    sink = pe.Node(DataSink(base_directory=str(options.output), container="kept"), name="sink")
    workflow.connect(
        [
            (grab, decompose, [("mesh_file", "mesh_file")]),
            (grab, smooth, [("map_file", "values_file")]),
            (decompose, smooth, [("out_file", "decomposition_file")]),
            (decompose, surrogates, [("out_file", "decomposition_file")]),
            (smooth, surrogates, [("out_file", "values_file"), ("key", "values_key")]),
            (smooth, gifti["filtered"], [("out_file", "scalars_file")]),
            (surrogates, gifti["surrogates"], [("out_file", "scalars_file")]),
            (grab, statistics, [("mesh_file", "mesh_file"), ("map_file", "map_file")]),
            (gifti["filtered"], statistics, [("out_file", "filtered_file")]),
            (gifti["surrogates"], statistics, [("out_file", "surrogate_file")]),
            (gifti["filtered"], sink, [("out_file", "maps")]),
            (gifti["surrogates"], sink, [("out_file", "maps.@surrogates")]),
        ]
    )
    graph = run(workflow, options)

    found = result(graph, "statistics").statistics
    table([(value, name) for name, value in found.items()], ("value", "statistic"))
    print(f"\nkept: {', '.join(sorted(path.name for path in (options.output / 'kept' / 'maps').iterdir()))}")
    return found


if __name__ == "__main__":
    main()
