"""Nodes of :mod:`spectralbrain.io.export`: the exports.

Each export takes files from earlier nodes (an HDF5 cache and the name of what to export), or arrays
from a script; never both for the same argument.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import FileOutputSpec
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    SpectralInterface,
    array_or_file,
    out_file,
    traits,
)


class SaveHDF5InputSpec(SpectralInputSpec):
    """Inputs of SaveHDF5."""

    in_files = InputMultiObject(
        InputFile("cache"), desc="HDF5 caches to merge: what several nodes computed on one surface"
    )
    eigenvalues, eigenvalues_file, eigenvalues_key = array_or_file(
        "eigenvalues", "eigenvalues (k,), mm^-2", units="mm^-2"
    )
    eigenvectors, eigenvectors_file, eigenvectors_key = array_or_file(
        "eigenvectors", "eigenvectors (N, k), mm^-1, NaN rows outside the domain", units="mm^-1"
    )
    vertices, vertices_file, vertices_key = array_or_file("vertices", "vertices (N, 3), mm", units="mm")
    faces, faces_file, faces_key = array_or_file("faces", "triangles (F, 3), vertex indices")
    descriptors = traits.Dict(key_trait=traits.Str, desc="descriptor arrays by name; those of in_files stay")
    metadata = traits.Dict(
        key_trait=traits.Str, desc="facts stored as attributes; they win over those of in_files"
    )
    mass_file = InputFile(
        "mass", units="mm^2", desc="decomposition whose mass matrix (N, N), mm^2, is stored"
    )
    compression = traits.Enum("gzip", "lzf", None, usedefault=True, desc="compression filter")
    compression_opts = traits.Range(low=0, high=9, value=4, usedefault=True, desc="gzip level")
    out_file = out_file("cache.h5", "name of the HDF5 file")


class SaveHDF5(SpectralInterface):
    """Save a decomposition or descriptors as one HDF5 cache, merging several where given.

    Examples
    --------
    >>> node = SaveHDF5(eigenvalues=[0.0, 2.0], metadata={"subject": "01"}, out_file="sub-01.h5")
    >>> node.inputs.eigenvalues
    array([0., 2.])
    """

    input_spec = SaveHDF5InputSpec
    output_spec = FileOutputSpec
    function = "spectralbrain.io.export.save_hdf5"
    extras = {"in_files": "several caches are merged into one"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        own = super()._collect(folder)
        merged = merge_caches(self.inputs.in_files) if self._has("in_files") else {}
        for name in ("descriptors", "metadata"):
            joined = {**merged.pop(name, {}), **own.pop(name, {})}
            if joined:
                own[name] = joined
        twice = sorted(set(merged) & set(own))
        if twice:
            raise ArrayError(
                f"{', '.join(twice)}: expected once, found in in_files and as an input of its own"
            )
        return {**merged, **own}


def merge_caches(paths: list[str]) -> dict[str, Any]:
    """Return the content of several caches of one surface as one.

    Raises
    ------
    IncompatibleError
        If two caches hold different arrays, or different facts, under one name.
    """
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for path in paths:
        content = {name: item for name, item in _files.read_cache(path).items() if item is not None}
        _merge(merged, content, path, origin, "")
    return merged


def _merge(
    merged: dict[str, Any], content: Mapping[str, Any], path: str, origin: dict[str, str], prefix: str
) -> None:
    for name, value in content.items():
        full = f"{prefix}{name}"
        if name in ("descriptors", "metadata") and not prefix:
            _merge(merged.setdefault(name, {}), value, path, origin, f"{name}/")
        elif name not in merged:
            merged[name], origin[full] = value, path
        elif not _equal(merged[name], value):
            raise IncompatibleError(
                f"{full}: expected the same in every cache, found a difference between "
                f"{origin[full]} and {path}"
            )


def _equal(one: Any, other: Any) -> bool:
    if hasattr(one, "tocsr") and hasattr(other, "tocsr"):
        return one.shape == other.shape and (one != other).nnz == 0
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
    return bool(one == other or (one != one and other != other))


class SaveMeshInputSpec(SpectralInputSpec):
    """Inputs of SaveMesh."""

    mesh_file = InputFile(
        "mesh", units="mm", desc="surface file or HDF5 cache that holds vertices and faces, mm"
    )
    vertices, vertices_file, vertices_key = array_or_file("vertices", "vertices (N, 3), mm", units="mm")
    faces, faces_file, faces_key = array_or_file("faces", "triangles (F, 3), vertex indices")
    structure = traits.Str(desc="for GIFTI: structure in Workbench's words, for example CortexLeft")
    vtk_dataset = traits.Enum(
        "polydata", "unstructured_grid", desc="for .vtk: the kind of dataset; meshio reads the second only"
    )
    out_file = out_file("mesh.ply", "name of the surface file; its suffix says the format")


class SaveMesh(SpectralInterface):
    """Save a surface; the suffix of `out_file` says the format."""

    input_spec = SaveMeshInputSpec
    output_spec = FileOutputSpec
    function = "spectralbrain.io.export.save_mesh"
    extras = {"mesh_file": "one file that holds vertices and faces"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        if self._has("mesh_file"):
            mesh = _files.read_mesh(self.inputs.mesh_file)
            if {"vertices", "faces"} & set(found):
                raise ArrayError("mesh_file: expected alone, found with vertices or faces")
            found |= {"vertices": mesh.vertices, "faces": mesh.faces}
        missing = [name for name in ("vertices", "faces") if name not in found]
        if missing:
            raise ArrayError(
                f"{', '.join(missing)}: expected an array or a file, found neither; or set mesh_file"
            )
        return found


class SaveGiftiFuncInputSpec(SpectralInputSpec):
    """Inputs of SaveGiftiFunc."""

    scalars, scalars_file, scalars_key = array_or_file("scalars", "maps (N,) or (N, T)", mandatory=True)
    columns = traits.List(traits.Int, desc="which maps of the array, counted from 0; all if omitted")
    names = traits.List(
        traits.Str, desc="name of each map; for scalars of an HDF5 cache, made from its scales if omitted"
    )
    structure = traits.Str(desc="anatomical structure in Workbench's words, for example CortexLeft")
    units = traits.Str(desc="unit of the values, stored in the file")
    out_file = out_file("maps.shape.gii", "name of the file: .shape.gii or .func.gii")


class SaveGiftiFunc(SpectralInterface):
    """Save per-vertex maps as GIFTI.

    Examples
    --------
    >>> node = SaveGiftiFunc(scalars_key="descriptors/hks", structure="CortexLeft")
    >>> node.inputs.out_file
    'maps.shape.gii'
    """

    input_spec = SaveGiftiFuncInputSpec
    output_spec = FileOutputSpec
    function = "spectralbrain.io.export.save_gifti_func"
    extras = {"columns": "which maps of a file's array"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        scalars = np.asarray(found["scalars"])
        columns = list(self.inputs.columns) if self._has("columns") else None
        if columns is not None:
            if scalars.ndim != 2 or not all(-scalars.shape[1] <= c < scalars.shape[1] for c in columns):
                raise ArrayError(
                    f"columns: expected columns of an array of shape {scalars.shape}, found {columns}"
                )
            found["scalars"] = scalars[:, columns]
        if "names" not in found and self._has("scalars_file") and self._names:
            found["names"] = self._names if columns is None else [self._names[c] for c in columns]
        return found

    def _read(self, trait: str, found: Mapping[str, Any]) -> Any:
        key = self.inputs.scalars_key if self._has("scalars_key") else None
        scalars, self._names = _files.read_maps(self.inputs.scalars_file, key)
        return scalars


class SaveNpzInputSpec(SpectralInputSpec):
    """Inputs of SaveNpz."""

    arrays = traits.Dict(key_trait=traits.Str, xor=["arrays", "arrays_file"], desc="arrays by name")
    arrays_file = InputFile("cache", xor=["arrays", "arrays_file"], desc="HDF5 cache that holds the arrays")
    arrays_keys = traits.List(
        traits.Str,
        requires=["arrays_file"],
        desc="which items of the cache, named by their last part; all if omitted",
    )
    out_file = out_file("arrays.npz", "name of the archive")


class SaveNpz(SpectralInterface):
    """Save named arrays as a NumPy archive."""

    input_spec = SaveNpzInputSpec
    output_spec = FileOutputSpec
    function = "spectralbrain.io.export.save_npz"
    extras = {"arrays_keys": "which items of arrays_file"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        return {"arrays": self._arrays(), "path": self._out_file(folder)}

    def _call(self, **arguments: Any) -> Any:
        from spectralbrain.io.export import save_npz

        return save_npz(arguments["path"], **arguments["arrays"])

    def _arrays(self) -> dict[str, Any]:
        if self._has("arrays"):
            return dict(self.inputs.arrays)
        if not self._has("arrays_file"):
            raise ArrayError("arrays: expected arrays or arrays_file, found neither")
        path = self.inputs.arrays_file
        items = _files.cache_items(_files.read_cache(path))
        keys = list(self.inputs.arrays_keys) if self._has("arrays_keys") else list(items)
        return {key.rpartition("/")[2]: _files.read_array(path, key) for key in keys}


class SaveConnectomeInputSpec(SpectralInputSpec):
    """Inputs of SaveConnectome."""

    matrix, matrix_file, matrix_key = array_or_file("matrix", "square matrix (R, R)", mandatory=True)
    labels = traits.List(traits.Str, desc="name of each region, in the order of the rows")
    sidecar = traits.Dict(key_trait=traits.Str, desc="content of the JSON file written beside the table")
    out_file = out_file("connectome.tsv", "name of the table")


class SaveConnectomeOutputSpec(FileOutputSpec):
    """Outputs of SaveConnectome."""

    sidecar_file = File(desc="the JSON file, if a sidecar was given")


class SaveConnectome(SpectralInterface):
    """Save a square matrix as a labelled table."""

    input_spec = SaveConnectomeInputSpec
    output_spec = SaveConnectomeOutputSpec
    function = "spectralbrain.io.export.save_connectome"

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        if "labels" not in found and self._has("matrix_file") and self.inputs.matrix_file.endswith(".tsv"):
            from spectralbrain.io.export import load_connectome

            found["labels"] = load_connectome(self.inputs.matrix_file)[1]
        return found

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        outputs = super()._store(result, folder, arguments)
        if "sidecar" in arguments:
            outputs["sidecar_file"] = os.fspath(Path(result).with_suffix(".json"))
        return outputs
