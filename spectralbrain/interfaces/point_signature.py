"""Nodes of :mod:`spectralbrain.spectral.point_signature`."""

from __future__ import annotations

from spectralbrain.interfaces._results import ArrayInterface, ArrayOutputSpec, DecompositionInputSpec
from spectralbrain.interfaces.base import out_file, traits


class ComputeGPSInputSpec(DecompositionInputSpec):
    """Inputs of ComputeGPS."""

    k = traits.Range(low=1, desc="number of non-null modes; all if omitted")
    out_file = out_file("gps.h5", "name of the HDF5 cache; the signature is its item descriptors/gps")


class ComputeGPS(ArrayInterface):
    """Compute the global point signature (N, k), dimensionless; signs are arbitrary, compare distances."""

    input_spec = ComputeGPSInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.point_signature.compute_gps"
    cites = ("rustamov2007",)
    methods = "The global point signature was evaluated at each vertex."
    array = "gps"


class ComputeBKSInputSpec(DecompositionInputSpec):
    """Inputs of ComputeBKS."""

    out_file = out_file("bks.h5", "name of the HDF5 cache; the map is its item descriptors/bks")


class ComputeBKS(ArrayInterface):
    """Compute the diagonal of the biharmonic kernel (N,), mm^2."""

    input_spec = ComputeBKSInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.point_signature.compute_bks"
    cites = ("lipman2010",)
    methods = "The diagonal of the biharmonic kernel was evaluated at each vertex."
    array = "bks"
