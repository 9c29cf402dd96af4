"""Node of :mod:`spectralbrain.spectral.surrogates`."""

from __future__ import annotations

from spectralbrain.interfaces._results import ArrayInterface, ArrayOutputSpec
from spectralbrain.interfaces.base import out_file, traits
from spectralbrain.interfaces.maps import SingleMapInputSpec


class EigenstrapInputSpec(SingleMapInputSpec):
    """Inputs of Eigenstrap."""

    n_surrogates = traits.Range(low=1, value=1, usedefault=True, desc="number of surrogate maps")
    seed = traits.Int(0, usedefault=True, desc="seed; the same seed gives the same surrogates")
    n_modes = traits.Range(low=2, desc="number of modes to use, null modes included; all if omitted")
    residual = traits.Enum(
        "drop", "keep", "permute", usedefault=True, desc="what becomes of the part beyond the modes"
    )
    resample = traits.Bool(False, usedefault=True, desc="give each surrogate the values of the map, by rank")
    out_file = out_file(
        "surrogates.h5", "name of the HDF5 cache; the maps are its item descriptors/surrogates"
    )


class Eigenstrap(ArrayInterface):
    """Make surrogate maps (N, S) by rotating a map's coefficients inside groups of modes."""

    input_spec = EigenstrapInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.surrogates.eigenstrap"
    cites = ("koussis2025",)
    methods = "Surrogate maps were made by rotating coefficients inside groups of modes (seed {seed})."
    array = "surrogates"
