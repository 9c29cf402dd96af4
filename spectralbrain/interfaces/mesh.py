"""Nodes of :mod:`spectralbrain.geometry.mesh`: masking, and the surface between white and pial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import MeshInterface
from spectralbrain.interfaces.base import File, InputFile, SpectralInputSpec, array_or_file, out_file, traits
from spectralbrain.interfaces.load import MESH_NAME, MeshOutputSpec


class MaskMeshInputSpec(SpectralInputSpec):
    """Inputs of MaskMesh."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    mask, mask_file, mask_key = array_or_file(
        "mask", "vertices to keep (N,), for example without the medial wall", holds="mask", mandatory=True
    )
    out_file = out_file("masked.surf.gii", MESH_NAME)


class MaskMeshOutputSpec(MeshOutputSpec):
    """Outputs of MaskMesh."""

    index_file = File(desc="HDF5: descriptors/index, the kept vertices' numbers in the whole surface (n,)")
    n_kept = traits.Int(desc="number of vertices kept")


class MaskMesh(MeshInterface):
    """Cut a surface to a vertex set. Decompose masks by itself; this is for other tools."""

    input_spec = MaskMeshInputSpec
    output_spec = MaskMeshOutputSpec
    function = "spectralbrain.geometry.mesh.submesh"
    methods = "Vertices outside a mask were cut off the surface."

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        return {**found, "mask": _files.as_mask(found["mask"])}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        part, index = result
        facts = {"n_vertices": len(arguments["mask"])}
        path = _files.write_arrays(folder / "index.h5", {"index": index}, facts)
        outputs = super()._store(part, folder, arguments)
        return {**outputs, "index_file": path, "n_kept": len(index)}


class MidthicknessInputSpec(SpectralInputSpec):
    """Inputs of Midthickness."""

    white_file = InputFile("mesh", mandatory=True, units="mm", desc="white surface, mm")
    pial_file = InputFile("mesh", mandatory=True, units="mm", desc="pial surface with the same triangles, mm")
    out_file = out_file("midthickness.surf.gii", MESH_NAME)


class Midthickness(MeshInterface):
    """Make the surface half-way between white and pial."""

    input_spec = MidthicknessInputSpec
    output_spec = MeshOutputSpec
    function = "spectralbrain.geometry.mesh.midthickness"
    methods = "The surface halfway between white and pial surface was used."
