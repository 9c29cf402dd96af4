"""Nodes of :mod:`spectralbrain.spectral.asymmetry`: left against right."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from spectralbrain.errors import ArrayError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import DECOMPOSITION, TableInterface, TableOutputSpec
from spectralbrain.interfaces.base import (
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    is_status_file,
    out_file,
    traits,
)


class SpectralAsymmetryInputSpec(SpectralInputSpec):
    """Inputs of SpectralAsymmetry."""

    left_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    right_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    metric = traits.Enum("euclidean", "cosine", usedefault=True, desc="metric between the normalised spectra")
    k = traits.Range(
        low=1, desc="number of non-null eigenvalues; all if omitted, then equal numbers are needed"
    )
    out_file = out_file("asymmetry.tsv", "name of the table: distance, area_index, volume_index, k, metric")


class SpectralAsymmetryOutputSpec(TableOutputSpec):
    """Outputs of SpectralAsymmetry."""

    distance = traits.Float(desc="shape distance of left and right, dimensionless")
    area_index = traits.Float(desc="(A_left - A_right) / (A_left + A_right)")
    volume_index = traits.Float(desc="the same of the enclosed volumes; undefined unless both are closed")
    k = traits.Int(desc="number of eigenvalues compared")


class SpectralAsymmetry(TableInterface):
    """Compare a left surface with its right counterpart: shape and size apart."""

    input_spec = SpectralAsymmetryInputSpec
    output_spec = SpectralAsymmetryOutputSpec
    function = "spectralbrain.spectral.asymmetry.spectral_asymmetry"
    cites = ("wachinger2015",)
    methods = "Left and right were compared by the {metric} distance of their normalised spectra."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        row = dataclasses.asdict(result)
        known = {name: value for name, value in row.items() if value is not None and name != "metric"}
        return {**super()._store([row], folder, arguments), **known}


class AsymmetryTableInputSpec(SpectralInputSpec):
    """Inputs of AsymmetryTable."""

    left_files = InputMultiObject(
        InputFile("spectrum"), mandatory=True, desc="eigenpairs of the left structures"
    )
    right_files = InputMultiObject(
        InputFile("spectrum"), mandatory=True, desc="eigenpairs of the right structures"
    )
    ids = traits.List(traits.Int, mandatory=True, desc="label id of each pair, in the order of the files")
    names = traits.Dict(key_trait=traits.Int, value_trait=traits.Str, desc="name of each label id")
    metric = traits.Enum("euclidean", "cosine", usedefault=True, desc="metric between the normalised spectra")
    k = traits.Range(low=1, desc="number of non-null eigenvalues; all if omitted")
    out_file = out_file("asymmetry.tsv", "name of the table, one row per pair")


class AsymmetryTable(TableInterface):
    """Compare many structures, paired by their label id; recorded failures are rows with a reason."""

    input_spec = AsymmetryTableInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.asymmetry.asymmetry_table"
    cites = ("wachinger2015",)
    methods = "Left and right were compared by the {metric} distance of their normalised spectra."
    accepts_failures = True
    extras = {"ids": "the keys of the mappings left and right"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        return {**found, "left": self._side("left"), "right": self._side("right")}

    def _side(self, name: str) -> dict[int, Any]:
        files, ids = getattr(self.inputs, f"{name}_files"), self.inputs.ids
        if len(files) != len(ids):
            raise ArrayError(f"{name}_files: expected {len(ids)}, one per id, found {len(files)}")
        return {
            i: None if is_status_file(f) else _files.read_spectrum(f) for i, f in zip(ids, files, strict=True)
        }
