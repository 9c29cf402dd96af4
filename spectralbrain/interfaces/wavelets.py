"""Nodes of :mod:`spectralbrain.spectral.wavelets`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectralbrain.interfaces._results import ArrayInterface, ArrayOutputSpec, DecompositionInputSpec
from spectralbrain.interfaces.base import array_or_file, out_file, traits


class ScalesInputSpec(DecompositionInputSpec):
    """The inputs of both nodes."""

    scales, scales_file, scales_key = array_or_file(
        "scales", "wavelet scales (T,), mm^2 or s/A, see scale", units="mm^2 or s/A"
    )
    n_scales = traits.Range(low=1, value=5, usedefault=True, desc="length of the default grid of scales")
    kernel = traits.Enum("mexican_hat", "abspline", usedefault=True, desc="shape of the band")
    scale = traits.Enum("raw", "area", desc="unit of the scales: 'raw' is mm^2, 'area' multiples of the area")


class WaveletInterface(ArrayInterface):
    """A node over wavelet scales; the file's metadata hold the scales in mm^2."""

    def _grid(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        from spectralbrain.spectral.wavelets import resolve_scales

        given = {name: arguments[name] for name in ("scales", "n_scales", "scale") if name in arguments}
        return {f"{self.array}_scales": resolve_scales(arguments["decomposition"], **given)}


class ComputeWaveletsInputSpec(ScalesInputSpec):
    """Inputs of ComputeWavelets."""

    out_file = out_file(
        "wavelets.h5", "name of the HDF5 cache; the signature is its item descriptors/wavelets"
    )


class ComputeWavelets(WaveletInterface):
    """Compute the wavelet signature (N, T), mm^-2."""

    input_spec = ComputeWaveletsInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.wavelets.compute_wavelets"
    cites = ("hammond2011",)
    methods = "A spectral wavelet signature ({kernel} kernel) was evaluated at each vertex."
    array = "wavelets"


class WaveletTransformInputSpec(ScalesInputSpec):
    """Inputs of WaveletTransform."""

    values, values_file, values_key = array_or_file("values", "map (N,)", mandatory=True)
    out_file = out_file("coefficients.h5", "name of the HDF5 cache; its item is descriptors/coefficients")


class WaveletTransform(WaveletInterface):
    """Compute the wavelet coefficients of a map (N, T), unit of the map."""

    input_spec = WaveletTransformInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.wavelets.wavelet_transform"
    cites = ("hammond2011",)
    methods = "Maps were transformed to spectral wavelet coefficients ({kernel} kernel)."
    array = "coefficients"
