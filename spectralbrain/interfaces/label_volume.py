"""Nodes of :mod:`spectralbrain.io.label_volume`: surfaces of structures in label volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import MeshInterface
from spectralbrain.interfaces.base import (
    Array,
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    array_or_file,
    out_file,
    traits,
)
from spectralbrain.interfaces.load import MESH_NAME, MeshOutputSpec


class LabelSurfaceInputSpec(SpectralInputSpec):
    """Inputs of LabelSurface."""

    volume = Array(mandatory=True, xor=["volume", "volume_file"], desc="labels (X, Y, Z); needs affine")
    volume_file = InputFile(
        "path",
        mandatory=True,
        xor=["volume", "volume_file"],
        desc="label volume, MGH or NIfTI, such as aseg.mgz",
    )
    labels = traits.Union(
        traits.Str,
        traits.List(traits.Int),
        mandatory=True,
        desc="name of a structure of aseg or of a hippocampal subfield, or the labels that make it up",
    )
    affine, affine_file, affine_key = array_or_file(
        "affine", "for an array: voxel indices to mm, (4, 4)", units="mm"
    )
    space = traits.Enum(
        "scanner", "tkras", usedefault=True, desc="scanner coordinates, or FreeSurfer's surface space"
    )
    smoothing = traits.Range(
        low=0.0, value=0.7, usedefault=True, units="voxels", desc="Gaussian on the mask, voxels; 0 for none"
    )
    keep_volume = traits.Bool(
        True, usedefault=True, desc="choose the level that keeps the volume of the voxels"
    )
    keep = traits.Enum("largest", "all", usedefault=True, desc="the largest connected set of voxels, or all")
    out_file = out_file("structure.ply", MESH_NAME)


class LabelSurfaceOutputSpec(MeshOutputSpec):
    """Outputs of LabelSurface."""

    report_file = File(desc="what was dropped and filled, volumes, level and topology; JSON")
    volume_change = traits.Float(desc="relative change of volume against the voxels")


class LabelSurface(MeshInterface):
    """Make the closed surface of a structure in a label volume, with a report of what that changed."""

    input_spec = LabelSurfaceInputSpec
    output_spec = LabelSurfaceOutputSpec
    function = "spectralbrain.io.label_volume.label_surface"
    methods = (
        "Surfaces of subcortical structures were made from label volumes by marching cubes "
        "(smoothing of {smoothing} voxels) and checked to be closed manifolds."
    )

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        report = _files.write_json(folder / "surface_report.json", result.report)
        outputs = super()._store(result.mesh, folder, arguments)
        return {**outputs, "report_file": report, "volume_change": float(result.report["volume_change"])}


class LoadLabelVolumeInputSpec(SpectralInputSpec):
    """Inputs of LoadLabelVolume."""

    in_file = InputFile("path", mandatory=True, desc="label volume, MGH or NIfTI, such as aseg.mgz")
    out_file = out_file("labels.tsv", "name of the table: label, n_voxels")


class LoadLabelVolumeOutputSpec(SpectralOutputSpec):
    """Outputs of LoadLabelVolume."""

    out_file = File(desc="table: label, n_voxels; TSV")
    labels = traits.List(traits.Int, desc="the labels in the volume, 0 left out")


class LoadLabelVolume(SpectralInterface):
    """Read a label volume and list its labels; LabelSurface takes the volume itself."""

    input_spec = LoadLabelVolumeInputSpec
    output_spec = LoadLabelVolumeOutputSpec
    function = "spectralbrain.io.label_volume.load_label_volume"
    arguments = {"path": "in_file"}
    extras = {"out_file": "the table"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        labels, counts = np.unique(result.labels, return_counts=True)
        pairs = [(int(label), int(count)) for label, count in zip(labels, counts, strict=True) if label]
        rows = [{"label": label, "n_voxels": count} for label, count in pairs]
        path = _files.write_table(self._out_file(folder), rows, ["label", "n_voxels"])
        return {"out_file": path, "labels": [label for label, _ in pairs]}
