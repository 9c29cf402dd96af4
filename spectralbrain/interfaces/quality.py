"""Nodes of :mod:`spectralbrain.geometry.quality` and :mod:`spectralbrain.geometry.repair`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    array_or_file,
    out_file,
    resolve,
    traits,
)


class MeshQualityInputSpec(SpectralInputSpec):
    """Inputs of MeshQuality."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm, broken ones too")
    mask, mask_file, mask_key = array_or_file(
        "mask", "vertices to keep (N,): the report is on that part of the surface", holds="mask"
    )
    out_file = out_file("quality.json", "name of the report")


class MeshQualityOutputSpec(SpectralOutputSpec):
    """Outputs of MeshQuality."""

    out_file = File(desc="the report, JSON")
    quality = traits.Dict(desc="the report")
    problems = traits.List(
        traits.Str, desc="what makes the surface unusable, each with a remedy; empty if nothing"
    )


class MeshQuality(SpectralInterface):
    """Describe a surface in numbers, and say what makes it unusable."""

    input_spec = MeshQualityInputSpec
    output_spec = MeshQualityOutputSpec
    function = "spectralbrain.geometry.quality.mesh_quality"
    extras = {f"mask{end}": "report on a part" for end in ("", "_file", "_key")}

    def _collect(self, folder: Path) -> dict[str, Any]:
        from spectralbrain.geometry.mesh import submesh

        mesh = super()._collect(folder)["mesh"]
        if self._has("mask"):
            mesh = submesh(mesh, _files.as_mask(self.inputs.mask))[0]
        elif self._has("mask_file"):
            mesh = submesh(mesh, _files.as_mask(self._read("mask", {"mesh": mesh})))[0]
        return {"mesh": mesh}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        from spectralbrain.geometry.quality import find_problems

        problems = find_problems(arguments["mesh"])
        path = _files.write_json(self._out_file(folder), {**result, "problems": problems})
        return {"out_file": path, "quality": _files.jsonable(result), "problems": problems}


REPAIRS = (
    "drop_degenerate_faces",
    "drop_duplicate_faces",
    "remove_unreferenced_vertices",
    "keep_largest_component",
    "orient_faces",
)


class RepairMeshInputSpec(SpectralInputSpec):
    """Inputs of RepairMesh."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    steps = traits.List(
        traits.Enum(*REPAIRS),
        mandatory=True,
        minlen=1,
        desc="repairs, in this order; nothing else is changed",
    )
    out_file = out_file("repaired.ply", "name of the surface file; its suffix says the format")


class RepairMeshOutputSpec(SpectralOutputSpec):
    """Outputs of RepairMesh."""

    out_file = File(desc="the repaired surface")
    report_file = File(desc="how many vertices or faces each step removed or changed, JSON")
    index_file = File(desc="HDF5: descriptors/index, the old numbers of the vertices (n,)")
    counts = traits.Dict(desc="how many vertices or faces each step removed or changed")


class RepairMesh(SpectralInterface):
    """Apply named repairs to a surface, and report what each of them changed."""

    input_spec = RepairMeshInputSpec
    output_spec = RepairMeshOutputSpec
    function = "spectralbrain.geometry.repair.drop_degenerate_faces"
    extras = {"steps": "several functions of the module, in order"}

    def _call(self, **arguments: Any) -> Any:
        mesh, index, counts = arguments["mesh"], None, {}
        for step in self.inputs.steps:
            repair = resolve(f"spectralbrain.geometry.repair.{step}")(mesh)
            mesh, counts[step] = repair.mesh, repair.n_changed
            index = repair.kept if index is None else index[repair.kept]
        return mesh, counts, index

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        mesh, counts, index = result
        return {
            "out_file": _files.write_mesh(self._out_file(folder), mesh),
            "report_file": _files.write_json(folder / "repairs.json", counts),
            "index_file": _files.write_arrays(folder / "index.h5", {"index": index}),
            "counts": counts,
        }
