"""Nodes of :mod:`spectralbrain.spectral.functional_map`: correspondence between surfaces by modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import DECOMPOSITION, ArrayInterface, ArrayOutputSpec
from spectralbrain.interfaces.base import (
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    SpectralInterface,
    array_or_file,
    out_file,
    traits,
)


class ComputeFunctionalMapInputSpec(SpectralInputSpec):
    """Inputs of ComputeFunctionalMap."""

    source_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    target_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    correspondence, correspondence_file, correspondence_key = array_or_file(
        "correspondence",
        "for each vertex of the target, its vertex on the source (N_target,); descriptors decide if omitted",
    )
    descriptors_files = InputMultiObject(
        InputFile("array"),
        desc="instead of a correspondence: a descriptor of the source and that of the target, two files; "
        "wave kernel signatures if both are omitted",
    )
    descriptors_key = traits.Str(
        requires=["descriptors_files"], desc="which item of each of descriptors_files"
    )
    k = traits.Range(low=1, value=30, usedefault=True, desc="number of modes of each surface")
    commutativity = traits.Float(0.1, usedefault=True, desc="weight of commutation with the Laplacians")
    out_file = out_file(
        "functional_map.h5", "name of the HDF5 cache; the matrix is its item descriptors/matrix"
    )


class ComputeFunctionalMap(ArrayInterface):
    """Compute the matrix that carries coefficients on the source's modes to the target's, (k, k)."""

    input_spec = ComputeFunctionalMapInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.functional_map.compute_functional_map"
    cites = ("ovsjanikov2012",)
    methods = "Functional maps between surfaces were computed ({k} modes)."
    array = "matrix"

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        if self._has("descriptors_files"):
            files = list(self.inputs.descriptors_files)
            if len(files) != 2:
                raise ArrayError(f"descriptors_files: expected two, of source and target, found {len(files)}")
            key = self.inputs.descriptors_key if self._has("descriptors_key") else None
            found["descriptors"] = tuple(_files.read_array(path, key) for path in files)
        return found


class ZoomOutInputSpec(SpectralInputSpec):
    """Inputs of ZoomOut."""

    source_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    target_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    initial, initial_file, initial_key = array_or_file(
        "initial", "functional map to begin with (k, k)", mandatory=True
    )
    k_final = traits.Range(low=1, desc="number of modes at the end; all that both have if omitted")
    step = traits.Range(low=1, value=1, usedefault=True, desc="modes added at a time")
    out_file = out_file("zoomout.h5", "name of the HDF5 cache of matrix and correspondence")


class ZoomOut(SpectralInterface):
    """Refine a functional map, mode by mode, and return the correspondence of vertices too."""

    input_spec = ZoomOutInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.functional_map.zoomout"
    cites = ("melzi2019",)
    methods = "Functional maps were refined mode by mode (ZoomOut)."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        arrays = {"matrix": np.asarray(result.matrix), "correspondence": np.asarray(result.correspondence)}
        path = _files.write_arrays(self._out_file(folder), arrays)
        return {"out_file": path, "key": "descriptors/matrix"}


class ShapeDifferenceInputSpec(SpectralInputSpec):
    """Inputs of ShapeDifference."""

    matrix, matrix_file, matrix_key = array_or_file("matrix", "functional map (k, k)", mandatory=True)
    source_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    target_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    kind = traits.Enum("area", "conformal", usedefault=True, desc="which distortion the operator shows")
    out_file = out_file(
        "difference.h5", "name of the HDF5 cache; the operator is its item descriptors/difference"
    )


class ShapeDifference(ArrayInterface):
    """Compute the shape difference operator of a functional map, (k, k)."""

    input_spec = ShapeDifferenceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.functional_map.shape_difference"
    cites = ("rustamov2013",)
    methods = "Shape difference operators ({kind}) were computed."
    array = "difference"
