"""Nodes of :mod:`spectralbrain.spectral.grids`: scales, as files that descriptor nodes take."""

from __future__ import annotations

from spectralbrain.interfaces._results import (
    ArrayOutputSpec,
    GridInterface,
    SpectraInputSpec,
    SpectraInterface,
)
from spectralbrain.interfaces.base import SpectralInputSpec, out_file, traits


class GridOutputSpec(ArrayOutputSpec):
    """Outputs of a grid of energies."""

    sigma = traits.Float(desc="bandwidth in log(lambda)")


class HKSTimesInputSpec(SpectralInputSpec):
    """Inputs of HKSTimes."""

    n_times = traits.Range(low=1, value=100, usedefault=True, desc="number of times")
    k = traits.Range(low=3, value=100, usedefault=True, desc="number of modes, null mode included")
    area = traits.Float(units="mm^2", desc="return times in mm^2 for this surface area, mm^2, instead of t/A")
    out_file = out_file("times.h5", "name of the HDF5 cache; its item is descriptors/times")


class HKSTimes(GridInterface):
    """Make diffusion times that depend on the number of modes alone."""

    input_spec = HKSTimesInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.grids.hks_times"
    array = "times"


class WKSEnergiesInputSpec(SpectralInputSpec):
    """Inputs of WKSEnergies."""

    n_energies = traits.Range(low=1, value=100, usedefault=True, desc="number of energies")
    k = traits.Range(low=3, value=100, usedefault=True, desc="number of modes, null mode included")
    area = traits.Float(
        units="mm^2", desc="return log(lambda) for this surface area, mm^2, not log(lambda A)"
    )
    out_file = out_file("energies.h5", "name of the HDF5 cache; its item is descriptors/energies")


class WKSEnergies(GridInterface):
    """Make energies that depend on the number of modes alone."""

    input_spec = WKSEnergiesInputSpec
    output_spec = GridOutputSpec
    function = "spectralbrain.spectral.grids.wks_energies"
    array = "energies"


class SharedHKSTimesInputSpec(SpectraInputSpec):
    """Inputs of SharedHKSTimes."""

    n_times = traits.Range(low=1, value=100, usedefault=True, desc="number of times")
    time = traits.Enum(
        "raw", "area", usedefault=True, desc="range of 4 ln 10 / lambda in mm^2, or the same in t/A"
    )
    out_file = out_file("times.h5", "name of the HDF5 cache; its item is descriptors/times")


class SharedHKSTimes(GridInterface, SpectraInterface):
    """Make the diffusion times that a cohort spans."""

    input_spec = SharedHKSTimesInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.grids.shared_hks_times"
    array = "times"


class SharedWKSEnergiesInputSpec(SpectraInputSpec):
    """Inputs of SharedWKSEnergies."""

    n_energies = traits.Range(low=1, value=100, usedefault=True, desc="number of energies")
    energy = traits.Enum("raw", "area", usedefault=True, desc="log(lambda), or log(lambda A)")
    out_file = out_file("energies.h5", "name of the HDF5 cache; its item is descriptors/energies")


class SharedWKSEnergies(GridInterface, SpectraInterface):
    """Make the energies that a cohort spans."""

    input_spec = SharedWKSEnergiesInputSpec
    output_spec = GridOutputSpec
    function = "spectralbrain.spectral.grids.shared_wks_energies"
    array = "energies"
