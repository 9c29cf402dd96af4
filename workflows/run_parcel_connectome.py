"""A parcellated surface: which regions are alike in shape, and each region's own spectrum.

    python workflows/run_parcel_connectome.py --surface lh.white --labels lh.aparc.annot --modes 200

Without them, fsaverage5 from the nilearn package, divided into octants.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples import fsaverage5, parse, result, run, table
from nipype.pipeline import engine as pe

import spectralbrain as sb
from spectralbrain.interfaces import Decompose
from spectralbrain.workflows import init_connectome_wf


def main(argv: Sequence[str] | None = None) -> Any:
    options = parse(
        __doc__, argv, surface="surface of any known format", labels=".annot, .label.gii, .dlabel.nii"
    )
    if bool(options.surface) != bool(options.labels):
        raise SystemExit("--surface and --labels belong together")
    surface, labels = options.surface, options.labels
    if surface is None:
        prefix = fsaverage5(options) / "sub-fsaverage5_hemi-L"
        surface = Path(f"{prefix}_white.surf.gii")
        labels = Path(f"{prefix}_seg-octants_dseg.label.gii")

    workflow = pe.Workflow("parcel_connectome")
    decompose = pe.Node(Decompose(mesh_file=str(surface.absolute()), k=options.modes), name="decompose")
    regions = init_connectome_wf(spectra=True, k=20, options={"n_times": 30, "normalization": "area"})
    regions.inputs.inputnode.labels_file = str(labels.absolute())
    regions.inputs.inputnode.mesh_file = str(surface.absolute())
    workflow.connect(decompose, "out_file", regions, "inputnode.decomposition_file")
    graph = run(workflow, options)

    found = result(graph, "connectome")
    matrix, names = sb.load_connectome(found.out_file)
    print("Wasserstein distances of the heat kernel signature's distributions, region by region:\n")
    shown = min(len(names), 12)
    rows = [(names[i][:20], *(float(v) for v in matrix[i, :shown])) for i in range(shown)]
    table(rows, ("", *(name[:9] for name in names[:shown])))
    print(f"\nconnectome: {found.out_file}\ncoverage:   {found.coverage_file}")
    print(f"spectra:    {result(graph, 'regions').table_file}")
    return matrix, names


if __name__ == "__main__":
    main()
