"""Nodes of :mod:`spectralbrain.io.load`: files in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import MapsInterface, MapsOutputSpec, MeshInterface
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    out_file,
    traits,
)


class MeshOutputSpec(SpectralOutputSpec):
    """Outputs of every node that makes a surface."""

    out_file = File(desc="the surface")
    n_vertices = traits.Int(desc="number of vertices")
    n_faces = traits.Int(desc="number of triangles")
    area = traits.Float(desc="surface area, mm^2", units="mm^2")


MESH_NAME = "name of the surface file; .surf.gii stores float32 coordinates, .ply and .vtp float64"


class LoadMeshInputSpec(SpectralInputSpec):
    """Inputs of LoadMesh."""

    in_file = InputFile(
        "mesh", mandatory=True, units="mm", desc="surface, mm, of any known format, told by content"
    )
    out_file = out_file("mesh.surf.gii", MESH_NAME)


class LoadMesh(MeshInterface):
    """Read a surface of any known format and write it in the format of `out_file`.

    Examples
    --------
    >>> node = LoadMesh(in_file="lh.white", out_file="left.ply")
    >>> node.inputs.out_file
    'left.ply'
    """

    input_spec = LoadMeshInputSpec
    output_spec = MeshOutputSpec
    function = "spectralbrain.io.load.load_mesh"
    arguments = {"path": "in_file"}


class LoadFreeSurferSurfaceInputSpec(SpectralInputSpec):
    """Inputs of LoadFreeSurferSurface."""

    in_file = InputFile(
        "mesh", mandatory=True, units="mm", desc="FreeSurfer triangle geometry under any name, mm"
    )
    space = traits.Enum(
        "tkras",
        "scanner",
        usedefault=True,
        desc="coordinates as stored ('tkras'), or moved to scanner space by the file's volume geometry",
    )
    out_file = out_file("mesh.surf.gii", MESH_NAME)


class LoadFreeSurferSurface(MeshInterface):
    """Read FreeSurfer triangle geometry (lh.white, rh.pial, ...)."""

    input_spec = LoadFreeSurferSurfaceInputSpec
    output_spec = MeshOutputSpec
    function = "spectralbrain.io.load.load_freesurfer_surface"
    arguments = {"path": "in_file"}


class LoadGiftiSurfaceInputSpec(SpectralInputSpec):
    """Inputs of LoadGiftiSurface."""

    in_file = InputFile(
        "mesh", mandatory=True, units="mm", desc="GIFTI surface, mm: .surf.gii, .gii or .gii.gz"
    )
    out_file = out_file("mesh.surf.gii", MESH_NAME)


class LoadGiftiSurface(MeshInterface):
    """Read a GIFTI surface by the intents of its arrays."""

    input_spec = LoadGiftiSurfaceInputSpec
    output_spec = MeshOutputSpec
    function = "spectralbrain.io.load.load_gifti_surface"
    arguments = {"path": "in_file"}


N_VERTICES = "number of vertices of the surface; another length is an error"
STRUCTURE = "which surface of a CIFTI file, for example CortexLeft"


class LoadScalarsInputSpec(SpectralInputSpec):
    """Inputs of LoadScalars."""

    in_file = InputFile(
        "array", mandatory=True, desc="numbers per vertex: morphometry, GIFTI, .mgh, .npy, text"
    )
    n_vertices = traits.Range(low=1, desc=N_VERTICES)
    structure = traits.Str(desc=STRUCTURE)
    out_file = out_file("scalars.h5", "name of the HDF5 file; the numbers are its item descriptors/scalars")


class LoadScalars(MapsInterface):
    """Read per-vertex numbers of any known format."""

    input_spec = LoadScalarsInputSpec
    output_spec = MapsOutputSpec
    function = "spectralbrain.io.load.load_scalars"
    arguments = {"path": "in_file"}
    array = "scalars"


class LoadLabelsInputSpec(SpectralInputSpec):
    """Inputs of LoadLabels."""

    in_file = InputFile(
        "labels", mandatory=True, desc="labels per vertex: .annot, .label, .label.gii, .dlabel.nii"
    )
    n_vertices = traits.Range(low=1, desc=f"{N_VERTICES}; a FreeSurfer .label needs it")
    name = traits.Str(desc="which map, where the file holds several")
    structure = traits.Str(desc=STRUCTURE)
    out_file = out_file("labels.tsv", "name of the table of regions: key, name, n_vertices")


class LoadLabelsOutputSpec(SpectralOutputSpec):
    """Outputs of LoadLabels."""

    out_file = File(desc="table of regions: key, name, n_vertices")
    names = traits.List(traits.Str, desc="names of the regions that have vertices, in order of their keys")
    n_vertices = traits.Int(desc="number of vertices")


class LoadLabels(SpectralInterface):
    """Read per-vertex labels and list the regions; later nodes take the label file itself."""

    input_spec = LoadLabelsInputSpec
    output_spec = LoadLabelsOutputSpec
    function = "spectralbrain.io.load.load_labels"
    arguments = {"path": "in_file"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        keys, counts = np.unique(result.keys, return_counts=True)
        sizes = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        every = sorted({*result.table, *sizes})
        rows = [{"key": k, "name": result.table.get(k), "n_vertices": sizes.get(k, 0)} for k in every]
        path = _files.write_table(self._out_file(folder), rows, ["key", "name", "n_vertices"])
        names = [str(result.table.get(key, key)) for key in every if sizes.get(key)]
        return {"out_file": path, "names": names, "n_vertices": result.n_vertices}


class LoadMaskInputSpec(SpectralInputSpec):
    """Inputs of LoadMask."""

    in_file = InputFile("mask", mandatory=True, desc="vertices to keep: a label, labels, or numbers above 0")
    n_vertices = traits.Range(low=1, mandatory=True, desc="number of vertices of the surface")
    structure = traits.Str(desc=STRUCTURE)
    out_file = out_file("mask.shape.gii", "name of the mask: 1 = keep, 0 = drop")


class LoadMaskOutputSpec(SpectralOutputSpec):
    """Outputs of LoadMask."""

    out_file = File(desc="the mask, 1 = keep")
    n_kept = traits.Int(desc="number of vertices kept")


class LoadMask(SpectralInterface):
    """Read which vertices to keep, for example the cortex without the medial wall."""

    input_spec = LoadMaskInputSpec
    output_spec = LoadMaskOutputSpec
    function = "spectralbrain.io.load.load_mask"
    arguments = {"path": "in_file"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        from spectralbrain.io.export import save_gifti_func

        path = save_gifti_func(self._out_file(folder), result.astype(np.float32), names=["mask"])
        return {"out_file": os.fspath(path), "n_kept": int(result.sum())}


class LoadInputSpec(SpectralInputSpec):
    """Inputs of Load."""

    in_file = InputFile("any", mandatory=True, handed_on=True, desc="a file of any kind this library knows")
    n_vertices = traits.Range(low=1, desc=N_VERTICES)


class LoadOutputSpec(SpectralOutputSpec):
    """Outputs of Load."""

    out_file = File(desc="the file itself")
    kind = traits.Enum("mesh", "labels", "scalars", "cache", desc="what the file holds")
    n_vertices = traits.Int(desc="number of vertices, 0 where the file has none")


class Load(SpectralInterface):
    """Read a file of any known kind, check it, and say what it is: a gate in front of other nodes."""

    input_spec = LoadInputSpec
    output_spec = LoadOutputSpec
    function = "spectralbrain.io.load.load"
    arguments = {"path": "in_file"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        if isinstance(result, dict):
            vectors = result.get("eigenvectors")
            found = result.get("vertices") if vectors is None else vectors
            kind, n_vertices = "cache", 0 if found is None else len(found)
        elif isinstance(result, np.ndarray):
            kind, n_vertices = "scalars", len(result)
        else:
            kind, n_vertices = ("labels" if hasattr(result, "keys") else "mesh"), result.n_vertices
        return {
            "out_file": os.fspath(Path(self.inputs.in_file).absolute()),
            "kind": kind,
            "n_vertices": n_vertices,
        }
