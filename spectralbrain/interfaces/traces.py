"""Nodes of :mod:`spectralbrain.spectral.traces`."""

from __future__ import annotations

from spectralbrain.interfaces._results import DECOMPOSITION, ArrayInterface, ArrayOutputSpec, TimesInterface
from spectralbrain.interfaces.base import InputFile, SpectralInputSpec, array_or_file, out_file, traits


class HeatTraceInputSpec(SpectralInputSpec):
    """Inputs of HeatTrace."""

    spectrum_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    times, times_file, times_key = array_or_file(
        "times", "diffusion times (T,), mm^2 or t/A, see time", units="mm^2 or t/A"
    )
    n_times = traits.Range(low=1, value=100, usedefault=True, desc="length of the default grid of times")
    time = traits.Enum("raw", "area", desc="unit of the times: 'raw' is mm^2, 'area' multiples of the area")
    out_file = out_file(
        "heat_trace.h5", "name of the HDF5 cache; the trace is its item descriptors/heat_trace"
    )


class HeatTrace(TimesInterface):
    """Compute the heat trace (T,), dimensionless."""

    input_spec = HeatTraceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.traces.heat_trace"
    cites = ("mckean1967", "reuter2006")
    methods = "The heat trace of each surface was computed."
    array = "heat_trace"


class WaveTraceInputSpec(SpectralInputSpec):
    """Inputs of WaveTrace."""

    spectrum_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    times, times_file, times_key = array_or_file(
        "times", "times (T,), mm or t/sqrt(A), see time", units="mm or t/sqrt(A)"
    )
    n_times = traits.Range(low=1, value=100, usedefault=True, desc="length of the default grid of times")
    time = traits.Enum("raw", "area", desc="unit of the times: 'raw' is mm, 'area' multiples of sqrt(A)")
    out_file = out_file(
        "wave_trace.h5", "name of the HDF5 cache; the trace is its item descriptors/wave_trace"
    )


class WaveTrace(ArrayInterface):
    """Compute the wave trace (T,), dimensionless."""

    input_spec = WaveTraceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.traces.wave_trace"
    cites = ("duistermaat1975",)
    methods = "The wave trace of each surface was computed."
    array = "wave_trace"
