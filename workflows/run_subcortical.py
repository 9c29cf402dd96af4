"""Subcortical structures from a label volume (aseg.mgz): closed surfaces, spectra, left against right.

    python workflows/run_subcortical.py --aseg mri/aseg.mgz --modes 50

Without ``--aseg``, the white matter of the MNI template in the nilearn package, halved at the
midline and coarsened to 4 mm, stands in for two structures.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from examples import parse, result, run, table
from nipype.interfaces.utility import Function, IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain as sb
from spectralbrain.interfaces import AsymmetryTable, ComputeShapeDNA, Decompose, LabelSurface

STRUCTURES = {"Thalamus": (10, 49), "Caudate": (11, 50), "Putamen": (12, 51), "Hippocampus": (17, 53)}


def stand_in(folder: Path) -> tuple[Path, dict[str, tuple[int, int]]]:
    """Write the halves of the template's white matter as labels 2 and 41."""
    data = (
        resources.files("nilearn") / "datasets" / "data" / "mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz"
    )
    image = nib.load(str(data))
    step = 4
    coarse = np.asanyarray(image.dataobj)[::step, ::step, ::step]
    affine = image.affine @ np.diag([step, step, step, 1])
    x = affine[0, 0] * np.arange(coarse.shape[0]) + affine[0, 3]
    inside = coarse > coarse.max() / 2
    labels = np.where(inside, np.where(x < 0, 2, 41)[:, None, None], 0).astype(np.int16)
    path = folder / "white_matter.nii.gz"
    nib.save(nib.Nifti1Image(labels, affine), path)
    return path, {"Cerebral-White-Matter": (2, 41)}


def half(values, side):  # type: ignore[no-untyped-def] # Nipype runs the source alone, without imports
    """Return every second item: left, or right."""
    return values[side::2]


def number(cell: str) -> float | str:
    """Return a cell as a number, or as it is where there is none."""
    return cell if cell == "n/a" else float(cell)


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(__doc__, argv, aseg="label volume of FreeSurfer or FastSurfer")
    volume, structures = (options.aseg, STRUCTURES) if options.aseg else stand_in(options.output)
    pairs = list(structures.items())
    labels = [[label] for _, pair in pairs for label in pair]

    workflow = pe.Workflow("subcortical")
    source = pe.Node(IdentityInterface(["labels"]), name="source")
    source.inputs.labels = labels
    # A structure that is missing becomes a row with a reason; the others go on.
    surface = pe.MapNode(LabelSurface(on_error="record"), iterfield=["labels"], name="surface")
    surface.inputs.volume_file = str(volume.absolute())
    decompose = pe.MapNode(
        Decompose(k=options.modes, on_error="record"), iterfield=["mesh_file"], name="decompose"
    )
    shapedna = pe.MapNode(
        ComputeShapeDNA(on_error="record"), iterfield=["decomposition_file"], name="shapedna"
    )
    asymmetry = pe.Node(AsymmetryTable(), name="asymmetry")
    asymmetry.inputs.ids = [left for _, (left, _) in pairs]
    asymmetry.inputs.names = {left: name for name, (left, _) in pairs}
    workflow.connect(
        [
            (source, surface, [("labels", "labels")]),
            (surface, decompose, [("out_file", "mesh_file")]),
            (decompose, shapedna, [("out_file", "decomposition_file")]),
        ]
    )
    for index, side in enumerate(("left", "right")):
        pick = pe.Node(Function(["values", "side"], ["half"], function=half), name=side)
        pick.inputs.side = index
        workflow.connect(decompose, "out_file", pick, "values")
        workflow.connect(pick, "half", asymmetry, f"{side}_files")
    graph = run(workflow, options)

    made = result(graph, "decompose")
    rows = []
    names = [f"{side}-{name}" for name, _ in pairs for side in ("Left", "Right")]
    for name, status, reason, path in zip(names, made.status, made.reason, made.out_file, strict=True):
        if status != "ok":
            rows.append((name, "n/a", "n/a", "n/a", reason[:60]))
            continue
        facts = sb.Spectrum.load(path).metadata
        rows.append((name, facts["n_vertices"], facts["surface_area"], facts["volume"], "ok"))
    table(rows, ("structure", "vertices", "area mm^2", "volume mm^3", "status"))
    path = Path(result(graph, "asymmetry").out_file)
    print("\nLeft against right: distance of the spectra, (L - R) / (L + R) of area and volume\n")
    with path.open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream, delimiter="\t"))
    shown = ("distance", "area_index", "volume_index")
    table([(pair["region"], *(number(pair[name]) for name in shown)) for pair in found], ("region", *shown))
    print(f"table: {path}")
    return rows


if __name__ == "__main__":
    main()
