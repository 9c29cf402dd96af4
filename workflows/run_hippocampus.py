"""Hippocampal surfaces from HippUnfold: open sheets, with the boundary condition that changes them.

    python workflows/run_hippocampus.py --surfaces hippunfold/sub-01/surf --modes 100

The folder is searched for ``*hipp_midthickness.surf.gii``. Without it, the cortical sheets of
fsaverage5 (nilearn package) stand in, cut open at the medial wall: surfaces with a boundary too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples import fsaverage5, parse, run, table
from nipype.interfaces.utility import IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain as sb
from spectralbrain.interfaces import ComputeShapeDNA, Decompose, MeshQuality

BOUNDARIES = ("neumann", "dirichlet")


def find(options: Any) -> tuple[list[str], list[str] | None]:
    """Return the surfaces and, for the stand-ins, their masks."""
    if options.surfaces:
        found = sorted(options.surfaces.absolute().rglob("*hipp_midthickness.surf.gii"))
        if not found:
            raise SystemExit(f"{options.surfaces}: expected *hipp_midthickness.surf.gii, found none")
        return [str(path) for path in found], None
    folder = fsaverage5(options)
    prefixes = [f"{folder}/sub-fsaverage5_hemi-{side}" for side in "LR"]
    return [f"{p}_white.surf.gii" for p in prefixes], [f"{p}_desc-cortex_mask.label.gii" for p in prefixes]


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, surfaces="folder with surfaces of HippUnfold")
    surfaces, masks = find(options)
    workflow = pe.Workflow("hippocampus")
    source = pe.Node(IdentityInterface(["boundary"]), name="source")
    source.iterables = ("boundary", list(BOUNDARIES))  # one branch of the graph for each condition
    quality = pe.MapNode(MeshQuality(), iterfield=["mesh_file"], name="quality")
    fields = ["mesh_file", *(["mask_file"] if masks else [])]
    decompose = pe.MapNode(Decompose(k=options.modes), iterfield=fields, name="decompose")
    shapedna = pe.MapNode(ComputeShapeDNA(index="weyl"), iterfield=["decomposition_file"], name="shapedna")
    quality.inputs.mesh_file = decompose.inputs.mesh_file = surfaces
    if masks:
        decompose.inputs.mask_file = masks
    workflow.connect(
        [
            (source, decompose, [("boundary", "boundary")]),
            (decompose, shapedna, [("out_file", "decomposition_file")]),
        ]
    )
    workflow.add_nodes([quality])
    graph = run(workflow, options)

    rows = []
    for node in (n for n in graph.nodes() if n.name == "decompose"):
        for surface, path in zip(surfaces, node.result.outputs.out_file, strict=True):
            found = sb.SpectralDecomposition.load(path)
            facts, first = found.metadata, float(found.eigenvalues[found.n_null_modes])
            sizes = (found.mesh.n_vertices, found.surface_area, float(facts["boundary_length"]))
            name = Path(surface).name.removesuffix(".surf.gii")
            rows.append((name, facts["boundary"], *sizes, found.n_null_modes, first))
    names = ("surface", "boundary", "vertices", "area mm^2", "edge mm", "null modes", "first lambda mm^-2")
    rows.sort(key=lambda row: row[1])  # Dirichlet, then Neumann
    table(rows, names)
    print("\nA Neumann sheet has one constant mode; a Dirichlet sheet, held at its edge, has none.")
    return rows


if __name__ == "__main__":
    main()
