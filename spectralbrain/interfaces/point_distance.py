"""Nodes of :mod:`spectralbrain.spectral.point_distance`: distances on the surface."""

from __future__ import annotations

from spectralbrain.interfaces._results import ArrayInterface, ArrayOutputSpec, DecompositionInputSpec
from spectralbrain.interfaces.base import array_or_file, out_file, traits


class PointsInputSpec(DecompositionInputSpec):
    """The inputs of a distance between vertices."""

    sources, sources_file, sources_key = array_or_file(
        "sources", "vertices to measure from, indices (S,); all if omitted"
    )
    targets, targets_file, targets_key = array_or_file(
        "targets", "vertices to measure to, indices (T,); all if omitted"
    )


class DiffusionDistanceInputSpec(PointsInputSpec):
    """Inputs of DiffusionDistance."""

    t = traits.Float(mandatory=True, units="mm^2 or t/A", desc="diffusion time, mm^2 or t/A, see time")
    time = traits.Enum(
        "raw", "area", usedefault=True, desc="unit of t: 'raw' is mm^2, 'area' multiples of the area"
    )
    out_file = out_file("diffusion.h5", "name of the HDF5 cache; its item is descriptors/diffusion_distance")


class DiffusionDistance(ArrayInterface):
    """Compute diffusion distances (S, T), mm^-1."""

    input_spec = DiffusionDistanceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.point_distance.diffusion_distance"
    cites = ("coifman2006",)
    methods = "Diffusion distances on the surface were computed (t = {t})."
    array = "diffusion_distance"


class CommuteTimeDistanceInputSpec(PointsInputSpec):
    """Inputs of CommuteTimeDistance."""

    out_file = out_file(
        "commute_time.h5", "name of the HDF5 cache; its item is descriptors/commute_time_distance"
    )


class CommuteTimeDistance(ArrayInterface):
    """Compute commute-time distances (S, T), dimensionless."""

    input_spec = CommuteTimeDistanceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.point_distance.commute_time_distance"
    cites = ("qiu2007",)
    methods = "Commute-time distances on the surface were computed."
    array = "commute_time_distance"


class BiharmonicDistanceInputSpec(PointsInputSpec):
    """Inputs of BiharmonicDistance."""

    out_file = out_file(
        "biharmonic.h5", "name of the HDF5 cache; its item is descriptors/biharmonic_distance"
    )


class BiharmonicDistance(ArrayInterface):
    """Compute biharmonic distances (S, T), mm."""

    input_spec = BiharmonicDistanceInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.point_distance.biharmonic_distance"
    cites = ("lipman2010",)
    methods = "Biharmonic distances on the surface were computed."
    array = "biharmonic_distance"
