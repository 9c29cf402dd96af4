"""One participant: a Nipype graph with a branch for each surface, and what is made of all of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nipype.interfaces import utility as niu
from nipype.pipeline import engine as pe

from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import VERTEX_DESCRIPTORS, Parameters
from spectralbrain.bids.sidecars import bids_uri
from spectralbrain.interfaces import LabelSurface, Midthickness
from spectralbrain.workflows.outputs import SinkSurface, workbench_structure
from spectralbrain.workflows.processing import workflow_name
from spectralbrain.workflows.surface import init_surface_wf

LOG = logging.getLogger("spectralbrain.app")


def is_masked(surface: SurfaceInput, parameters: Parameters) -> bool:
    """Tell whether the medial wall of a surface is left out."""
    return parameters.medial_wall != "closed" and surface.mask is not None


def branch_name(surface: SurfaceInput) -> str:
    """Return the name of a surface's branch in the graph: letters, digits and underscores."""
    entities = (f"{k}_{v}" for k, v in surface.entities.items() if k != "sub")
    return re.sub(r"\W", "_", "_".join([*entities, surface.structure, surface.surface]))


def init_participant_wf(
    surfaces: tuple[SurfaceInput, ...],
    parameters: Parameters,
    *,
    subject: str,
    output_dir: Path,
    roots: Mapping[str, Path],
    omp_nthreads: int = 1,
) -> pe.Workflow:
    """Build the graph of one participant: a branch for each surface, independent of the others.

    Parameters
    ----------
    surfaces : tuple of SurfaceInput
        What to analyse; all with a geometry.
    parameters : Parameters
        How.
    subject : str
        Label, for the workflow's name.
    output_dir : Path
        The derivative dataset.
    roots : mapping
        Input datasets by key, for the sidecars' sources.
    omp_nthreads : int
        Threads of one node.

    Returns
    -------
    nipype.pipeline.engine.Workflow
        Named ``sub_<subject>_wf``.
    """
    workflow = pe.Workflow(name=workflow_name(subject))
    for surface in surfaces:
        workflow.add_nodes(
            [
                init_branch_wf(
                    surface, parameters, output_dir=output_dir, roots=roots, omp_nthreads=omp_nthreads
                )
            ]
        )
    return workflow


def init_branch_wf(
    surface: SurfaceInput,
    parameters: Parameters,
    *,
    output_dir: Path,
    roots: Mapping[str, Path],
    omp_nthreads: int = 1,
) -> pe.Workflow:
    """Build a surface's branch: geometry, decomposition, descriptors, regions, sink."""
    masked = is_masked(surface, parameters)
    workflow = pe.Workflow(name=branch_name(surface))
    core = init_surface_wf(
        name="surface_wf",
        k=parameters.modes,
        descriptors=parameters.descriptors,
        laplacian=parameters.laplacian,
        mass=parameters.mass,
        boundary=parameters.boundary,
        normalization=parameters.normalization,
        masked=masked,
        n_maps=parameters.written_modes,
        structure=workbench_structure(surface),
        omp_nthreads=omp_nthreads,
        options=descriptor_options(parameters),
    )
    core.inputs.inputnode.metadata = metadata_of(surface, roots)
    if masked:
        core.inputs.inputnode.mask_file = str(surface.mask)
    _connect_geometry(workflow, surface, core)
    products = ["eigenpairs", "eigenmodes", *(d for d in parameters.descriptors if d in VERTEX_DESCRIPTORS)]
    if parameters.write_meshes:
        products.append("surface")
    merge = pe.Node(niu.Merge(len(products)), name="products", run_without_submitting=True)
    sink = pe.Node(
        SinkSurface(
            output_dir=str(output_dir),
            surface=surface,
            parameters=parameters,
            roots={key: str(root) for key, root in roots.items()},
            masked=masked,
            products=products,
        ),
        name="sink",
        run_without_submitting=True,
        overwrite=True,  # the dataset is no part of the work directory: look at it each time
    )
    sources = {"eigenpairs": "decomposition_file", "eigenmodes": "modes_gifti", "surface": "mesh_file"}
    for i, product in enumerate(products, 1):
        workflow.connect(core, f"outputnode.{sources.get(product, f'{product}_gifti')}", merge, f"in{i}")
    workflow.connect(
        [
            (merge, sink, [("out", "files")]),
            (core, sink, [("outputnode.quality_file", "quality_file")]),
            (core, sink, [("outputnode.descriptor_files", "descriptor_files")]),
        ]
    )
    return workflow


def _connect_geometry(workflow: pe.Workflow, surface: SurfaceInput, core: pe.Workflow) -> None:
    if surface.mesh is not None:
        core.inputs.inputnode.mesh_file = str(surface.mesh)
        return
    if surface.volume is not None:
        node = pe.Node(
            LabelSurface(label_file=str(surface.volume), labels=list(surface.volume_labels)), name="boundary"
        )
    else:
        node = pe.Node(
            Midthickness(white_file=str(surface.white), pial_file=str(surface.pial)), name="midthickness"
        )
    workflow.connect(node, "out_file", core, "inputnode.mesh_file")


def descriptor_options(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Return the keyword arguments of each descriptor."""
    options: dict[str, dict[str, Any]] = {"hks": {}, "wks": {}}
    if parameters.hks_times is None:
        options["hks"]["n_times"] = parameters.scales
    else:
        options["hks"].update(times=list(parameters.hks_times), time="area")
    if parameters.wks_energies is None:
        options["wks"]["n_energies"] = parameters.scales
    else:
        options["wks"].update(energies=list(parameters.wks_energies), energy="area")
    return {name: value for name, value in options.items() if name in parameters.descriptors}


def metadata_of(surface: SurfaceInput, roots: Mapping[str, Path]) -> dict[str, str]:
    """Return the facts that go into the decomposition's metadata."""
    facts = {
        "subject": surface.subject,
        "session": surface.session,
        "hemisphere": surface.hemisphere,
        "structure": surface.structure,
        "surface": surface.surface,
        "space": surface.space,
        "density": surface.density,
        "source": " ".join(bids_uri(path, roots) for path in surface.files[:2]),
    }
    return {key: value for key, value in facts.items() if value}
