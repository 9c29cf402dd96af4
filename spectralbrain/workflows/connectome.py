"""The workflow of a parcellation: region by region distances of a descriptor, and regions' spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nipype.interfaces.utility import IdentityInterface
from nipype.pipeline import engine as pe

import spectralbrain.interfaces as interfaces
from spectralbrain.interfaces.memory import estimate_mem_gb
from spectralbrain.workflows.surface import DESCRIPTORS


def init_connectome_wf(
    *,
    name: str = "connectome_wf",
    descriptor: str = "hks",
    method: str = "wasserstein",
    options: Mapping[str, Any] | None = None,
    standardize: bool = True,
    spectra: bool = False,
    k: int = 30,
    n_vertices: int = 163_842,
    n_modes: int = 100,
    n_regions: int = 70,
    omp_nthreads: int = 1,
) -> pe.Workflow:
    """Build the workflow of one parcellated surface.

    Parameters
    ----------
    name : str
        Name of the workflow.
    descriptor : str
        Per-vertex descriptor whose distributions are compared.
    method : str
        Distance of distributions; see :func:`spectralbrain.build_geometric_connectome`.
    options : mapping, optional
        Inputs of the descriptor's node.
    standardize : bool
        Divide each scale by its standard deviation first.
    spectra : bool
        Whether to decompose each region on its own sub-surface too.
    k : int
        Modes per region, if `spectra`.
    n_vertices, n_modes : int
        Expected size of the decomposition, for the scheduler's memory.
    n_regions : int
        Expected number of regions, for the same.
    omp_nthreads : int
        Threads of a node.

    Inputs
    ------
    decomposition_file
        Eigenpairs of the surface.
    labels_file
        Region of each vertex: .annot, .label.gii, .dlabel.nii ...
    mesh_file
        The surface, if `spectra`.

    Outputs
    -------
    connectome_file
        Region x region distances, TSV.
    coverage_file
        How much of each region has data, TSV.
    descriptor_file
        The descriptor, HDF5.
    regions_table, region_distances
        Spectra of the regions and their distances, TSV, if `spectra`.

    Returns
    -------
    nipype.pipeline.engine.Workflow

    Examples
    --------
    >>> workflow = init_connectome_wf(descriptor="wks", method="energy")
    >>> workflow.get_node("connectome").inputs.method
    'energy'
    """
    workflow = pe.Workflow(name=name)
    inputnode = pe.Node(
        IdentityInterface(["decomposition_file", "labels_file", "mesh_file"]), name="inputnode"
    )
    fields = ["connectome_file", "coverage_file", "descriptor_file"]
    fields += ["regions_table", "region_distances"] if spectra else []
    outputnode = pe.Node(IdentityInterface(fields), name="outputnode")
    kind = DESCRIPTORS[descriptor][0]
    mem_gb = estimate_mem_gb(kind, n_vertices, n_modes)
    signature = pe.Node(
        getattr(interfaces, kind)(**(options or {})), name="descriptor", n_procs=omp_nthreads, mem_gb=mem_gb
    )
    areas = pe.Node(
        interfaces.VertexAreas(), name="areas", mem_gb=estimate_mem_gb("VertexAreas", n_vertices, n_modes)
    )
    connectome = pe.Node(
        interfaces.BuildGeometricConnectome(method=method, standardize=standardize),
        name="connectome",
        n_procs=omp_nthreads,
        mem_gb=estimate_mem_gb("BuildGeometricConnectome", n_vertices, n_rows=n_regions),
    )
    workflow.connect(
        [
            (inputnode, signature, [("decomposition_file", "decomposition_file")]),
            (inputnode, areas, [("decomposition_file", "decomposition_file")]),
            (inputnode, connectome, [("labels_file", "labels_file")]),
            (signature, connectome, [("out_file", "descriptors_file"), ("key", "descriptors_key")]),
            (areas, connectome, [("out_file", "weights_file")]),
            (connectome, outputnode, [("out_file", "connectome_file"), ("coverage_file", "coverage_file")]),
            (signature, outputnode, [("out_file", "descriptor_file")]),
        ]
    )
    if spectra:
        _connect_spectra(workflow, {"n_vertices": n_vertices, "k": k, "n_rows": n_regions}, omp_nthreads)
    return workflow


def _connect_spectra(workflow: pe.Workflow, sizes: dict[str, int], omp_nthreads: int) -> None:
    inputnode, outputnode = workflow.get_node("inputnode"), workflow.get_node("outputnode")
    regions = pe.Node(
        interfaces.ComputeRegionSpectra(k=sizes["k"]),
        name="regions",
        n_procs=omp_nthreads,
        mem_gb=estimate_mem_gb("ComputeRegionSpectra", **sizes),
    )
    distances = pe.Node(
        interfaces.RegionDistanceMatrix(),
        name="region_distances",
        mem_gb=estimate_mem_gb("RegionDistanceMatrix", **sizes),
    )
    workflow.connect(
        [
            (inputnode, regions, [("mesh_file", "mesh_file"), ("labels_file", "labels_file")]),
            (regions, distances, [("out_file", "spectra_file")]),
            (regions, outputnode, [("table_file", "regions_table")]),
            (distances, outputnode, [("out_file", "region_distances")]),
        ]
    )
