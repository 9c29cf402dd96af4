"""One surface: eigenpairs, ShapeDNA, HKS and WKS, maps for Workbench, and the methods text.

    python workflows/run_single_surface.py --surface lh.white --modes 200

Without ``--surface``, the left white surface of fsaverage5, which the nilearn package ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from examples import fsaverage5, parse, result, run, table

import spectralbrain as sb
from spectralbrain.workflows import collect_methods, init_surface_wf


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, surface="surface of any known format", mask="vertices to keep")
    surface = options.surface or fsaverage5(options) / "sub-fsaverage5_hemi-L_white.surf.gii"
    workflow = init_surface_wf(name="single_surface", k=options.modes, omp_nthreads=options.nprocs)
    workflow.inputs.inputnode.mesh_file = str(surface.absolute())
    if options.mask:
        workflow.inputs.inputnode.mask_file = str(options.mask.absolute())
    graph = run(workflow, options)

    decomposition = sb.SpectralDecomposition.load(result(graph, "decompose").out_file)
    area = decomposition.surface_area
    null = decomposition.n_null_modes
    print(f"{surface.name}: {decomposition.mesh.n_vertices} vertices, {area / 100:.1f} cm^2\n")
    print("The first modes. By Weyl's law lambda A / n approaches 4 pi = 12.57.")
    rows = []
    for n, value in enumerate(decomposition.eigenvalues[null : null + 10], 1):
        rows.append((n, float(value), float(2 * np.pi / np.sqrt(value)), float(value * area / n)))
    table(rows, ("n", "lambda mm^-2", "wavelength mm", "lambda A / n"))
    print("\nWhat was written:")
    for node in ("quality", "decompose", "shapedna", "hks", "wks", "hks_gifti", "modes_gifti", "cache"):
        print(f"  {node:12} {result(graph, node).out_file}")
    print(f"\nFor the methods section:\n\n{collect_methods(graph).text}")
    return decomposition


if __name__ == "__main__":
    main()
