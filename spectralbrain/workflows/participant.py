"""One participant: a Nipype graph with a branch for each surface, independent of the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nipype.interfaces import utility as niu
from nipype.pipeline import engine as pe

from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import VERTEX_DESCRIPTORS, Parameters
from spectralbrain.bids.products import connectome_measure
from spectralbrain.bids.sidecars import bids_uri
from spectralbrain.interfaces import (
    BuildGeometricConnectome,
    ComputeBKS,
    ComputeGPS,
    ComputeHKS,
    ComputeRegionSpectra,
    ComputeSIHKS,
    ComputeWKS,
    Decompose,
    MeshQuality,
    Midthickness,
    SaveGiftiFunc,
    VertexAreas,
)
from spectralbrain.workflows.memory import surface_mem_gb
from spectralbrain.workflows.outputs import SinkSurface, workbench_structure
from spectralbrain.workflows.processing import workflow_name

# descriptor -> its node, and the name of its array in the node's cache
DESCRIPTOR_NODES: dict[str, tuple[Any, str]] = {
    "hks": (ComputeHKS, "hks"),
    "sihks": (ComputeSIHKS, "si_hks"),
    "wks": (ComputeWKS, "wks"),
    "gps": (ComputeGPS, "gps"),
    "bks": (ComputeBKS, "bks"),
}


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
    """Build a surface's branch: geometry, quality, decomposition, descriptors, maps, regions, sink.

    Parameters
    ----------
    surface : SurfaceInput
        With a geometry.
    parameters, output_dir, roots, omp_nthreads
        See :func:`init_participant_wf`.

    Returns
    -------
    nipype.pipeline.engine.Workflow
    """
    workflow = pe.Workflow(name=branch_name(surface))
    masked = is_masked(surface, parameters)
    mask = {"mask_file": str(surface.mask)} if masked else {}
    resources = {"n_procs": omp_nthreads, "mem_gb": surface_mem_gb(surface, parameters)}
    quality = pe.Node(MeshQuality(**mask), name="quality")
    decompose = pe.Node(
        Decompose(
            k=parameters.modes,
            laplacian=parameters.laplacian,
            mass=parameters.mass,
            boundary=parameters.boundary,
            metadata=metadata_of(surface, roots),
            on_disconnected="warn",  # a flag of the result, not a reason to have none
            **mask,
        ),
        name="decompose",
        **resources,
    )
    sink = pe.Node(
        SinkSurface(
            output_dir=str(output_dir),
            surface=surface,
            parameters=parameters,
            roots={key: str(root) for key, root in roots.items()},
            masked=masked,
        ),
        name="sink",
        run_without_submitting=True,
        overwrite=True,  # the dataset is no part of the work directory: look at it each time
    )
    for node in (quality, decompose):
        _connect_geometry(workflow, surface, node)
    workflow.connect(
        [(quality, sink, [("out_file", "quality_file")]), (decompose, sink, [("out_file", "eigenpairs")])]
    )
    modes = _maps_node("eigenmodes", "eigenvectors", surface)
    modes.inputs.columns = list(range(parameters.written_modes))
    workflow.connect(
        [(decompose, modes, [("out_file", "scalars_file")]), (modes, sink, [("out_file", "eigenmodes")])]
    )
    for name in (d for d in parameters.descriptors if d in VERTEX_DESCRIPTORS):
        _connect_descriptor(workflow, name, surface, parameters, decompose, sink, resources)
    _connect_regions(workflow, surface, parameters, decompose, sink, mask, resources)
    return workflow


def _connect_geometry(workflow: pe.Workflow, surface: SurfaceInput, node: pe.Node) -> None:
    if surface.mesh is not None:
        node.inputs.mesh_file = str(surface.mesh)
        return
    name = "boundary" if surface.volume is not None else "midthickness"
    source = workflow.get_node(name)
    if source is None and surface.volume is not None:
        from spectralbrain.interfaces import LabelSurface

        interface = LabelSurface(
            volume_file=str(surface.volume), labels=list(surface.volume_labels), out_file="boundary.ply"
        )
        source = pe.Node(interface, name=name)
    elif source is None:
        interface = Midthickness(
            white_file=str(surface.white), pial_file=str(surface.pial), out_file="midthickness.ply"
        )
        source = pe.Node(interface, name=name)
    workflow.connect(source, "out_file", node, "mesh_file")


def _maps_node(name: str, key: str, surface: SurfaceInput) -> pe.Node:
    structure = workbench_structure(surface)
    interface = SaveGiftiFunc(scalars_key=key, structure=structure, out_file=f"{name}.shape.gii")
    return pe.Node(interface, name=f"{name}_maps")


def _connect_descriptor(
    workflow: pe.Workflow,
    name: str,
    surface: SurfaceInput,
    parameters: Parameters,
    decompose: pe.Node,
    sink: pe.Node,
    resources: Mapping[str, Any],
) -> None:
    interface, key = DESCRIPTOR_NODES[name]
    options = descriptor_options(parameters).get(name, {})
    compute = pe.Node(interface(**options), name=name, **resources)
    maps = _maps_node(name, f"descriptors/{key}", surface)
    workflow.connect(
        [
            (decompose, compute, [("out_file", "decomposition_file")]),
            (compute, maps, [("out_file", "scalars_file")]),
            (maps, sink, [("out_file", name)]),
            (compute, sink, [("out_file", f"{name}_cache")]),
        ]
    )


def _connect_regions(
    workflow: pe.Workflow,
    surface: SurfaceInput,
    parameters: Parameters,
    decompose: pe.Node,
    sink: pe.Node,
    mask: Mapping[str, str],
    resources: Mapping[str, Any],
) -> None:
    """Add region spectra, and region distances by the first descriptor that serves.

    These steps record their failure instead of raising it, so that a parcellation that does not
    fit costs its own tables and not the surface's.
    """
    if not surface.parcellations:
        return
    measure = connectome_measure(parameters)
    tables, matrices = (
        pe.Node(niu.Merge(len(surface.parcellations)), name=name, run_without_submitting=True)
        for name in ("region_tables", "region_matrices")
    )
    if measure:
        areas = pe.Node(VertexAreas(on_error="record"), name="areas")
        workflow.connect(decompose, "out_file", areas, "decomposition_file")
        workflow.connect(matrices, "out", sink, "connectomes")
    workflow.connect(tables, "out", sink, "regions")
    options = {"laplacian": parameters.laplacian, "mass": parameters.mass, "boundary": parameters.boundary}
    for i, (name, path) in enumerate(surface.parcellations, 1):
        label = re.sub(r"\W", "_", name)
        spectra = pe.Node(
            ComputeRegionSpectra(
                labels_file=str(path), k=parameters.region_modes, options=options, on_error="record", **mask
            ),
            name=f"regions_{label}",
            **resources,
        )
        _connect_geometry(workflow, surface, spectra)
        workflow.connect(spectra, "table_file", tables, f"in{i}")
        if measure:
            key = f"descriptors/{DESCRIPTOR_NODES[measure][1]}"
            interface = BuildGeometricConnectome(
                labels_file=str(path),
                descriptors_key=key,
                weights_key="descriptors/vertex_areas",
                on_error="record",
            )
            connectome = pe.Node(interface, name=f"connectome_{label}")
            compute = workflow.get_node(measure)
            workflow.connect(compute, "out_file", connectome, "descriptors_file")
            workflow.connect(areas, "out_file", connectome, "weights_file")
            workflow.connect(connectome, "out_file", matrices, f"in{i}")


def descriptor_options(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Return the keyword arguments of each descriptor."""
    options: dict[str, dict[str, Any]] = {"hks": {}, "wks": {}}
    if parameters.hks_times is None:
        options["hks"]["n_times"] = parameters.scales
    else:
        options["hks"].update(times=list(parameters.hks_times), time="area")
    if parameters.wks_energies is None:
        options["wks"].update(n_energies=parameters.scales, energy="area")  # one grid for all participants
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
