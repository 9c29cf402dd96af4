"""The workflow of two hemispheres: each surface alone, then left against right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nipype.interfaces.utility import IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain.interfaces as interfaces
from spectralbrain.workflows.surface import init_surface_wf, output_fields

SIDES = ("left", "right")


def init_hemispheres_wf(
    *,
    name: str = "hemispheres_wf",
    k: int = 100,
    descriptors: Sequence[str] = ("shapedna", "hks", "wks"),
    structures: tuple[str | None, str | None] = ("CortexLeft", "CortexRight"),
    metric: str = "euclidean",
    maps: bool = True,
    on_error: str = "raise",
    **surface: Any,
) -> pe.Workflow:
    """Build the workflow of two hemispheres, with the medial wall masked where masks are given.

    Parameters
    ----------
    name : str
        Name of the workflow.
    k, descriptors, maps, on_error, **surface
        See :func:`~spectralbrain.workflows.surface.init_surface_wf`.
    structures : pair of str
        Anatomical structure of each side, for the GIFTI maps.
    metric : {'euclidean', 'cosine'}
        Metric of the asymmetry.

    Inputs
    ------
    left_mesh_file, right_mesh_file
        Surfaces.
    left_mask_file, right_mask_file
        Optional: vertices to keep.
    left_metadata, right_metadata
        Optional: facts for the caches.

    Outputs
    -------
    left_*, right_*
        The outputs of each surface's workflow.
    asymmetry_file
        Distance of the normalised spectra, and signed differences of area and volume; TSV.

    Returns
    -------
    nipype.pipeline.engine.Workflow

    Examples
    --------
    >>> workflow = init_hemispheres_wf(k=50, descriptors=["shapedna"], maps=False)
    >>> workflow.get_node("asymmetry").inputs.metric
    'euclidean'
    """
    workflow = pe.Workflow(name=name)
    fields = ("mesh_file", "mask_file", "metadata")
    inputnode = pe.Node(
        IdentityInterface([f"{side}_{f}" for side in SIDES for f in fields]), name="inputnode"
    )
    outputs = output_fields(list(descriptors), maps)
    outputnode = pe.Node(
        IdentityInterface([*(f"{side}_{f}" for side in SIDES for f in outputs), "asymmetry_file"]),
        name="outputnode",
    )
    asymmetry = pe.Node(interfaces.SpectralAsymmetry(metric=metric, on_error=on_error), name="asymmetry")
    for side, structure in zip(SIDES, structures, strict=True):
        one = init_surface_wf(
            name=f"{side}_wf",
            k=k,
            descriptors=descriptors,
            structure=structure,
            maps=maps,
            on_error=on_error,
            **surface,
        )
        workflow.connect(
            [
                (inputnode, one, [(f"{side}_{field}", f"inputnode.{field}") for field in fields]),
                (one, asymmetry, [("outputnode.decomposition_file", f"{side}_file")]),
                (one, outputnode, [(f"outputnode.{field}", f"{side}_{field}") for field in outputs]),
            ]
        )
    workflow.connect(asymmetry, "out_file", outputnode, "asymmetry_file")
    return workflow
