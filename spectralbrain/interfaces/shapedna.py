"""Node of :mod:`spectralbrain.spectral.shapedna`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import DECOMPOSITION, ArrayInterface, ArrayOutputSpec
from spectralbrain.interfaces.base import File, InputFile, SpectralInputSpec, out_file, traits


class ComputeShapeDNAInputSpec(SpectralInputSpec):
    """Inputs of ComputeShapeDNA."""

    decomposition_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    normalization = traits.Enum(
        "area", "volume", "none", usedefault=True, desc="lambda A, lambda V^(2/3) (closed surfaces) or lambda"
    )
    index = traits.Enum(
        "weyl", "lapy", desc="divide by the index n ('weyl') or n + 1 ('lapy'); not at all if omitted"
    )
    k = traits.Range(low=1, desc="number of values; all non-null eigenvalues if omitted")
    out_file = out_file("shapedna.h5", "name of the HDF5 cache; the table has the same name with .tsv")


class ComputeShapeDNAOutputSpec(ArrayOutputSpec):
    """Outputs of ComputeShapeDNA."""

    table_file = File(desc="the values as a table: index, value; TSV")


class ComputeShapeDNA(ArrayInterface):
    """Return the non-null eigenvalues of a surface, normalised for size."""

    input_spec = ComputeShapeDNAInputSpec
    output_spec = ComputeShapeDNAOutputSpec
    function = "spectralbrain.spectral.shapedna.compute_shapedna"
    cites = ("reuter2006",)
    methods = "ShapeDNA was derived from the eigenvalues (normalisation: {normalization})."
    array = "shapedna"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        rows = [{"index": index, "shapedna": value} for index, value in enumerate(result.tolist(), 1)]
        table = _files.write_table(self._out_file(folder).with_suffix(".tsv"), rows, ["index", "shapedna"])
        return {**super()._store(result, folder, arguments), "table_file": table}
