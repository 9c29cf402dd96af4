"""Nodes of :mod:`spectralbrain.spectral.maps`: maps on modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces._results import (
    DECOMPOSITION,
    ArrayInterface,
    ArrayOutputSpec,
    DecompositionInputSpec,
    TableInterface,
    TableOutputSpec,
)
from spectralbrain.interfaces.base import InputFile, SpectralInputSpec, array_or_file, out_file, traits


class MapInputSpec(DecompositionInputSpec):
    """The inputs of a node on maps."""

    values, values_file, values_key = array_or_file("values", "map (N,) or maps (N, M)", mandatory=True)


class SingleMapInputSpec(DecompositionInputSpec):
    """The inputs of a node on one map."""

    values, values_file, values_key = array_or_file("values", "map (N,)", mandatory=True)


class ModeWavelengthsInputSpec(SpectralInputSpec):
    """Inputs of ModeWavelengths."""

    spectrum_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    out_file = out_file("wavelengths.tsv", "name of the table: mode, wavelength (mm)")


class ModeWavelengths(TableInterface):
    """Return the wavelength of each mode, mm; n/a for null modes, whose wavelength is infinite."""

    input_spec = ModeWavelengthsInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.maps.mode_wavelengths"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        rows = [{"mode": mode, "wavelength": float(value)} for mode, value in enumerate(result)]
        return super()._store(rows, folder, arguments)


class DecomposeMapInputSpec(MapInputSpec):
    """Inputs of DecomposeMap."""

    out_file = out_file("coefficients.h5", "name of the HDF5 cache; its item is descriptors/coefficients")


class DecomposeMap(ArrayInterface):
    """Return the coefficients of a map on the modes (k,), unit of the map times mm."""

    input_spec = DecomposeMapInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.maps.decompose_map"
    array = "coefficients"


class ReconstructMapInputSpec(DecompositionInputSpec):
    """Inputs of ReconstructMap."""

    coefficients, coefficients_file, coefficients_key = array_or_file(
        "coefficients", "coefficients (k,) or (k, M), as DecomposeMap returns them", mandatory=True
    )
    out_file = out_file("reconstruction.h5", "name of the HDF5 cache; its item is descriptors/reconstruction")


class ReconstructMap(ArrayInterface):
    """Return the map that coefficients stand for (N,), unit of the map."""

    input_spec = ReconstructMapInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.maps.reconstruct_map"
    array = "reconstruction"


class FilterMapInputSpec(MapInputSpec):
    """Inputs of FilterMap."""

    longer_than = traits.Float(units="mm", desc="keep wavelengths above this, mm")
    shorter_than = traits.Float(units="mm", desc="keep wavelengths below this, mm")
    fwhm = traits.Float(units="mm", desc="smooth by heat diffusion to this full width at half maximum, mm")
    out_file = out_file("filtered.h5", "name of the HDF5 cache; the maps are its item descriptors/filtered")


class FilterMap(ArrayInterface):
    """Keep a band of wavelengths of a map, or smooth it by heat diffusion."""

    input_spec = FilterMapInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.maps.filter_map"
    methods = "Maps were filtered by wavelength on the modes of the surface."
    array = "filtered"


class ReconstructionErrorInputSpec(SingleMapInputSpec):
    """Inputs of ReconstructionError."""

    n_modes = traits.List(
        traits.Range(low=1),
        desc="numbers of modes; every number from that of the null modes (at least 1) to k if omitted",
    )
    out_file = out_file(
        "error.tsv", "name of the table: n_modes, wavelength (mm), relative_error, correlation"
    )


class ReconstructionError(TableInterface):
    """Tell how well the first modes represent a map."""

    input_spec = ReconstructionErrorInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.maps.reconstruction_error"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        columns = {name: values.tolist() for name, values in result.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return super()._store(rows, folder, arguments)
