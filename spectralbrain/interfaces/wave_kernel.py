"""Node of :mod:`spectralbrain.spectral.wave_kernel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectralbrain.interfaces._results import ArrayInterface, ArrayOutputSpec, DecompositionInputSpec
from spectralbrain.interfaces.base import array_or_file, out_file, traits


class ComputeWKSInputSpec(DecompositionInputSpec):
    """Inputs of ComputeWKS."""

    energies, energies_file, energies_key = array_or_file(
        "energies", "log(lambda) or log(lambda A), (M,)", units="log(lambda) or log(lambda A)"
    )
    n_energies = traits.Range(
        low=1, value=100, usedefault=True, desc="length of the default grid of energies"
    )
    sigma = traits.Float(desc="bandwidth in log(lambda); seven steps of the grid if omitted")
    energy = traits.Enum("raw", "area", desc="unit of the energies: log(lambda), or log(lambda A)")
    normalization = traits.Enum(
        "none", "area", "l2", usedefault=True, desc="as published, times A, or unit L2 norm"
    )
    out_file = out_file("wks.h5", "name of the HDF5 cache; the signature is its item descriptors/wks")


class ComputeWKS(ArrayInterface):
    """Compute the wave kernel signature (N, M), mm^-2."""

    input_spec = ComputeWKSInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.wave_kernel.compute_wks"
    cites = ("aubry2011",)
    methods = "The wave kernel signature was evaluated at each vertex."
    array = "wks"

    def _grid(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        from spectralbrain.spectral.grids import resolve_energies

        names = ("energies", "n_energies", "sigma", "energy")
        given = {name: arguments[name] for name in names if name in arguments}
        energies, sigma = resolve_energies(arguments["decomposition"], **given)
        return {"wks_energies": energies, "wks_bandwidth": float(sigma)}
