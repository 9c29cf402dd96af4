"""The workflow of one surface: quality, eigenpairs, descriptors, maps, one merged cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nipype.interfaces.utility import IdentityInterface, Merge
from nipype.pipeline import engine as pe

import spectralbrain.interfaces as interfaces
from spectralbrain.errors import ArrayError
from spectralbrain.interfaces.memory import estimate_mem_gb

# Descriptor -> its interface, and whether it is a map on the surface
DESCRIPTORS: dict[str, tuple[str, bool]] = {
    "shapedna": ("ComputeShapeDNA", False),
    "hks": ("ComputeHKS", True),
    "si_hks": ("ComputeSIHKS", True),
    "wks": ("ComputeWKS", True),
    "gps": ("ComputeGPS", True),
    "bks": ("ComputeBKS", True),
    "bates": ("ComputeBatesSignatures", True),
    "wavelets": ("ComputeWavelets", True),
}


def init_surface_wf(
    *,
    name: str = "surface_wf",
    k: int = 100,
    descriptors: Sequence[str] = ("shapedna", "hks", "wks"),
    decompose: Mapping[str, Any] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    structure: str | None = None,
    maps: bool = True,
    n_mode_maps: int = 10,
    n_vertices: int = 163_842,
    omp_nthreads: int = 1,
    on_error: str = "raise",
) -> pe.Workflow:
    """Build the workflow of one surface.

    Parameters
    ----------
    name : str
        Name of the workflow.
    k : int
        Number of modes, null modes included.
    descriptors : sequence of str
        Which descriptors: keys of :data:`DESCRIPTORS`.
    decompose : mapping, optional
        Further inputs of :class:`~spectralbrain.interfaces.decomposition.Decompose`: laplacian, mass,
        boundary, backend, tol ...
    options : mapping, optional
        Descriptor -> inputs of its node, for example ``{"hks": {"normalization": "area"}}``.
    structure : str, optional
        Anatomical structure for the GIFTI maps, in Workbench's words, for example ``CortexLeft``.
    maps : bool
        Whether to write GIFTI maps of modes and descriptors.
    n_mode_maps : int
        How many modes the map of eigenmodes holds.
    n_vertices : int
        Expected number of vertices, for the scheduler's memory.
    omp_nthreads : int
        Threads of a node.
    on_error : {'raise', 'record'}
        What the nodes do with a bad surface: fail, or hand on a status row.

    Inputs
    ------
    mesh_file
        Surface of any format that :func:`spectralbrain.load_mesh` reads.
    mask_file
        Optional: vertices to keep, for example the cortex without the medial wall.
    metadata
        Optional: facts for the cache (subject, session, hemisphere, structure, surface, source).

    Outputs
    -------
    quality_file
        Report on the surface, JSON.
    decomposition_file
        Eigenpairs, mass matrix, surface and metadata, HDF5.
    cache_file
        The same with all descriptors, HDF5.
    <descriptor>_file
        Each descriptor, HDF5.
    shapedna_table
        ShapeDNA as TSV, if asked for.
    modes_gifti, <descriptor>_gifti
        Maps, .shape.gii, if `maps`.

    Returns
    -------
    nipype.pipeline.engine.Workflow

    Raises
    ------
    ArrayError
        If a descriptor is unknown, or options are given for one that is not asked for.

    Examples
    --------
    >>> workflow = init_surface_wf(k=50, descriptors=["shapedna", "hks"], maps=False)
    >>> sorted(workflow.list_node_names())[:4]
    ['cache', 'decompose', 'files', 'hks']
    """
    chosen = _check(descriptors, options or {})
    workflow = pe.Workflow(name=name)
    inputnode = pe.Node(IdentityInterface(["mesh_file", "mask_file", "metadata"]), name="inputnode")
    outputnode = pe.Node(IdentityInterface(output_fields(chosen, maps)), name="outputnode")
    common = {"on_error": on_error}
    quality = pe.Node(
        interfaces.MeshQuality(**common), name="quality", mem_gb=estimate_mem_gb("MeshQuality", n_vertices)
    )
    solve = pe.Node(
        interfaces.Decompose(k=k, **common, **(decompose or {})),
        name="decompose",
        n_procs=omp_nthreads,
        mem_gb=estimate_mem_gb("Decompose", n_vertices, k),
    )
    files = pe.Node(Merge(len(chosen) + 1), name="files", run_without_submitting=True)
    cache = pe.Node(
        interfaces.SaveHDF5(**common),
        name="cache",
        n_procs=omp_nthreads,
        mem_gb=estimate_mem_gb("SaveHDF5", n_vertices, k),
    )
    workflow.connect(
        [
            (inputnode, quality, [("mesh_file", "mesh_file"), ("mask_file", "mask_file")]),
            (
                inputnode,
                solve,
                [("mesh_file", "mesh_file"), ("mask_file", "mask_file"), ("metadata", "metadata")],
            ),
            (solve, files, [("out_file", "in1")]),
            (files, cache, [("out", "in_files")]),
            (quality, outputnode, [("out_file", "quality_file")]),
            (solve, outputnode, [("out_file", "decomposition_file")]),
            (cache, outputnode, [("out_file", "cache_file")]),
        ]
    )
    for index, descriptor in enumerate(chosen, 2):
        kind = DESCRIPTORS[descriptor][0]
        node = pe.Node(
            getattr(interfaces, kind)(**common, **(options or {}).get(descriptor, {})),
            name=descriptor,
            n_procs=omp_nthreads if descriptor != "shapedna" else None,
            mem_gb=estimate_mem_gb(kind, n_vertices, k),
        )
        workflow.connect(
            [
                (solve, node, [("out_file", "decomposition_file")]),
                (node, files, [("out_file", f"in{index}")]),
                (node, outputnode, [("out_file", f"{descriptor}_file")]),
            ]
        )
        if descriptor == "shapedna":
            workflow.connect(node, "table_file", outputnode, "shapedna_table")
    if maps:
        _connect_maps(workflow, chosen, structure, min(n_mode_maps, k), n_vertices, on_error)
    return workflow


def output_fields(descriptors: Sequence[str], maps: bool = True) -> list[str]:
    """Return the names of the workflow's outputs."""
    fields = ["quality_file", "decomposition_file", "cache_file", *(f"{name}_file" for name in descriptors)]
    if "shapedna" in descriptors:
        fields.append("shapedna_table")
    if maps:
        fields += ["modes_gifti", *(f"{name}_gifti" for name in descriptors if DESCRIPTORS[name][1])]
    return fields


def _check(descriptors: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    unknown = [name for name in descriptors if name not in DESCRIPTORS]
    if unknown or len(set(descriptors)) != len(descriptors):
        raise ArrayError(f"descriptors: expected some of {', '.join(DESCRIPTORS)}, found {list(descriptors)}")
    idle = sorted(set(options) - set(descriptors))
    if idle:
        raise ArrayError(f"options: expected names among {list(descriptors)}, found {', '.join(idle)}")
    return list(descriptors)


def _connect_maps(
    workflow: pe.Workflow,
    descriptors: Sequence[str],
    structure: str | None,
    n_mode_maps: int,
    n_vertices: int,
    on_error: str,
) -> None:
    wanted: dict[str, tuple[str, str, list[int] | None]] = {
        "modes": ("decompose", "eigenvectors", list(range(n_mode_maps)))
    }
    wanted |= {name: (name, f"descriptors/{name}", None) for name in descriptors if DESCRIPTORS[name][1]}
    for name, (source, key, columns) in wanted.items():
        interface = interfaces.SaveGiftiFunc(scalars_key=key, out_file=f"{name}.shape.gii", on_error=on_error)
        if structure is not None:
            interface.inputs.structure = structure
        if columns is not None:
            interface.inputs.columns = columns
        node = pe.Node(interface, name=f"{name}_gifti", mem_gb=estimate_mem_gb("SaveGiftiFunc", n_vertices))
        workflow.connect(
            [
                (workflow.get_node(source), node, [("out_file", "scalars_file")]),
                (node, workflow.get_node("outputnode"), [("out_file", f"{name}_gifti")]),
            ]
        )
