"""A group: ShapeDNA of every surface, distances between them, and who is an outlier.

    python workflows/run_group_shapedna.py --surfaces folder/of/surfaces --modes 100

The folder's ``*.surf.gii`` are the participants, named by their file names. Without it, fsaverage5
(nilearn package) and copies of it, stretched by known amounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from examples import fsaverage5, parse, result, run, table
from nipype.interfaces.utility import IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain as sb
from spectralbrain.interfaces import Decompose
from spectralbrain.workflows import init_group_wf

STRETCHES = (1.0, 1.01, 1.02, 1.03, 1.3)


def stretched(options: Any) -> list[Path]:
    """Write surfaces whose third axis is stretched, the last one far more than the others."""
    mesh = sb.load_mesh(fsaverage5(options) / "sub-fsaverage5_hemi-L_white.surf.gii")
    folder = options.output / "group"
    folder.mkdir(exist_ok=True)
    return [
        sb.save_mesh(folder / f"sub-{i:02d}_stretch-{s:g}.surf.gii", mesh.vertices * [1, 1, s], mesh.faces)
        for i, s in enumerate(STRETCHES, 1)
    ]


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, surfaces="folder of surfaces, *.surf.gii")
    files = sorted(options.surfaces.absolute().glob("*.surf.gii")) if options.surfaces else stretched(options)
    names = [path.name.removesuffix(".surf.gii") for path in files]

    workflow = pe.Workflow("group_shapedna")
    source = pe.Node(IdentityInterface(["mesh_file"]), name="source")
    source.iterables = ("mesh_file", [str(path) for path in files])  # one branch for each participant
    decompose = pe.Node(Decompose(k=options.modes, on_error="record"), name="decompose")
    gather = pe.JoinNode(
        IdentityInterface(["in_files"]), joinsource="source", joinfield="in_files", name="gather"
    )
    group = init_group_wf(k=options.modes - 1)
    group.inputs.inputnode.names = names
    workflow.connect(
        [
            (source, decompose, [("mesh_file", "mesh_file")]),
            (decompose, gather, [("out_file", "in_files")]),
            (gather, group, [("in_files", "inputnode.in_files")]),
        ]
    )
    graph = run(workflow, options)

    matrix, labels = sb.load_connectome(result(graph, "distances").out_file)
    print("Distances of lambda A / n. Size alone changes nothing; shape does.\n")
    rows = [(label, *(float(v) for v in row)) for label, row in zip(labels, matrix, strict=True)]
    table(rows, ("", *(f"{i}" for i in range(1, len(labels) + 1))))
    outliers = result(graph, "outliers")
    print(f"\noutliers (robust z above 3.5): {', '.join(outliers.outliers) or 'none'}")
    closest = np.where(np.eye(len(matrix), dtype=bool), np.inf, matrix).argmin(axis=1)
    table(list(zip(labels, (labels[i] for i in closest), strict=True)), ("surface", "closest to"))
    for node in ("participants", "shapedna", "distances", "outliers"):
        print(result(graph, node).out_file)
    return matrix, labels, outliers.outliers


if __name__ == "__main__":
    main()
