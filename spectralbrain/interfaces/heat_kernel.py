"""Nodes of :mod:`spectralbrain.spectral.heat_kernel`."""

from __future__ import annotations

from spectralbrain.interfaces._results import (
    ArrayInterface,
    ArrayOutputSpec,
    DecompositionInputSpec,
    TimesInputSpec,
    TimesInterface,
)
from spectralbrain.interfaces.base import out_file, traits


class ComputeHKSInputSpec(TimesInputSpec):
    """Inputs of ComputeHKS."""

    n_times = traits.Range(low=1, value=100, usedefault=True, desc="length of the default grid of times")
    normalization = traits.Enum(
        "none",
        "area",
        "trace",
        "l2",
        usedefault=True,
        desc="as published, times A, per heat trace, or unit L2 norm",
    )
    out_file = out_file("hks.h5", "name of the HDF5 cache; the signature is its item descriptors/hks")


class ComputeHKS(TimesInterface):
    """Compute the heat kernel signature (N, T), mm^-2.

    Examples
    --------
    >>> node = ComputeHKS(times=[10.0, 100.0], normalization="area")
    >>> node.inputs.times
    array([ 10., 100.])
    """

    input_spec = ComputeHKSInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.heat_kernel.compute_hks"
    cites = ("sun2009",)
    methods = "The heat kernel signature was evaluated at each vertex."
    array = "hks"


class ComputeSIHKSInputSpec(DecompositionInputSpec):
    """Inputs of ComputeSIHKS."""

    time = traits.Enum("area", "raw", usedefault=True, desc="'area': exactly scale-free; 'raw': as published")
    n_frequencies = traits.Range(
        low=1, value=6, usedefault=True, desc="lowest frequencies kept, the zeroth included"
    )
    alpha = traits.Float(2.0, usedefault=True, desc="base of the logarithmic grid")
    tau_min = traits.Float(1.0, usedefault=True, desc="first exponent of the grid")
    tau_max = traits.Float(25.0, usedefault=True, desc="last exponent of the grid")
    tau_step = traits.Float(1 / 16, usedefault=True, desc="step of the exponents")
    out_file = out_file("si_hks.h5", "name of the HDF5 cache; the signature is its item descriptors/si_hks")


class ComputeSIHKS(ArrayInterface):
    """Compute the scale-invariant heat kernel signature (N, 6), dimensionless."""

    input_spec = ComputeSIHKSInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.heat_kernel.compute_si_hks"
    cites = ("bronstein2010",)
    methods = "The scale-invariant heat kernel signature was evaluated at each vertex."
    array = "si_hks"
