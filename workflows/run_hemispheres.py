"""Both hemispheres with the medial wall masked, and left compared with right.

    python workflows/run_hemispheres.py --fmriprep-anat derivatives/sub-01/anat --modes 200

The folder holds ``*_hemi-{L,R}_white.surf.gii`` and ``*_hemi-{L,R}_desc-cortex_mask.label.gii``, as
fMRIPrep writes them; without it, fsaverage5 from the nilearn package in the same layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples import fsaverage5, parse, result, run, table

import spectralbrain as sb
from spectralbrain.workflows import init_hemispheres_wf


def only(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{folder}: expected one {pattern}, found {len(found)}")
    return str(found[0].absolute())


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, fmriprep_anat="an anat folder of fMRIPrep")
    folder = options.fmriprep_anat or fsaverage5(options)
    workflow = init_hemispheres_wf(name="hemispheres", k=options.modes, descriptors=("shapedna", "hks"))
    for side, letter in (("left", "L"), ("right", "R")):
        inputs = {
            f"{side}_mesh_file": only(folder, f"*_hemi-{letter}_white.surf.gii"),
            f"{side}_mask_file": only(folder, f"*_hemi-{letter}_desc-cortex_mask.label.gii"),
            f"{side}_metadata": {"hemisphere": letter, "structure": "cortex", "surface": "white"},
        }
        workflow.inputs.inputnode.trait_set(**inputs)
    graph = run(workflow, options)

    rows = []
    for side in ("left", "right"):
        found = sb.SpectralDecomposition.load(result(graph, f"{side}_wf.decompose").out_file)
        shapedna = sb.compute_shapedna(found)
        wall = int((~found.domain).sum())
        boundary = found.metadata["boundary_length"]
        rows.append((side, wall, found.surface_area, boundary, float(shapedna[0]), float(shapedna[9])))
    table(rows, ("side", "masked vertices", "area mm^2", "boundary mm", "lambda_1 A", "lambda_10 A"))
    asymmetry = result(graph, "asymmetry")
    print(f"\nshape distance left-right: {asymmetry.distance:.4f} (0 for mirror images)")
    print(f"(A_left - A_right) / (A_left + A_right): {asymmetry.area_index:+.4f}")
    print(f"table: {asymmetry.out_file}")
    return asymmetry


if __name__ == "__main__":
    main()
