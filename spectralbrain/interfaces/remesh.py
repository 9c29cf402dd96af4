"""Nodes of :mod:`spectralbrain.geometry.remesh`: a finer or a smoother surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import MeshInterface
from spectralbrain.interfaces.base import File, InputFile, SpectralInputSpec, out_file, traits
from spectralbrain.interfaces.load import MESH_NAME, MeshOutputSpec


class SmoothSurfaceInputSpec(SpectralInputSpec):
    """Inputs of SmoothSurface."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    iterations = traits.Int(
        10, usedefault=True, desc="steps, shrinking and growing in turn; an even number, 2 to 1000"
    )
    out_file = out_file("smoothed.surf.gii", MESH_NAME)


class SmoothSurfaceOutputSpec(MeshOutputSpec):
    """Outputs of SmoothSurface."""

    report_file = File(desc="relative change of area and volume, displacements in mm; JSON")


class SmoothSurface(MeshInterface):
    """Smooth a surface with little shrinking, and report what that changed."""

    input_spec = SmoothSurfaceInputSpec
    output_spec = SmoothSurfaceOutputSpec
    function = "spectralbrain.geometry.remesh.smooth_surface"
    methods = "Surfaces were smoothed by {iterations} steps of Taubin's filter."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        report = _files.write_json(folder / "smoothing_report.json", result.report)
        return {**super()._store(result.mesh, folder, arguments), "report_file": report}


class RefineSurfaceInputSpec(SpectralInputSpec):
    """Inputs of RefineSurface."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    times = traits.Int(1, usedefault=True, desc="how often each triangle is split into four, 0 to 6")
    out_file = out_file("refined.surf.gii", MESH_NAME)


class RefineSurface(MeshInterface):
    """Split each triangle into four: the same surface with half the edge length."""

    input_spec = RefineSurfaceInputSpec
    output_spec = MeshOutputSpec
    function = "spectralbrain.geometry.remesh.refine_surface"
    methods = "Surfaces were refined by midpoint subdivision."
