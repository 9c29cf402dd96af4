"""Nodes of :mod:`spectralbrain.spectral.measures`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.interfaces._results import (
    ArrayInterface,
    ArrayOutputSpec,
    DecompositionInputSpec,
    TableInterface,
    TableOutputSpec,
)
from spectralbrain.interfaces.base import array_or_file, out_file, traits


class VertexAreasInputSpec(DecompositionInputSpec):
    """Inputs of VertexAreas."""

    out_file = out_file("vertex_areas.h5", "name of the HDF5 cache; its item is descriptors/vertex_areas")


class VertexAreas(ArrayInterface):
    """Return the area that each vertex stands for (N,), mm^2; zero outside the domain."""

    input_spec = VertexAreasInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.measures.vertex_areas"
    array = "vertex_areas"


class AreaMeanInputSpec(DecompositionInputSpec):
    """Inputs of AreaMean."""

    values, values_file, values_key = array_or_file("values", "map (N,) or maps (N, M)", mandatory=True)
    out_file = out_file("means.tsv", "name of the table: map, mean")


class AreaMeanOutputSpec(TableOutputSpec):
    """Outputs of AreaMean."""

    means = traits.List(traits.Float, desc="area-weighted mean of each map, unit of the map")


class AreaMean(TableInterface):
    """Average maps over the surface, each vertex weighted by its area."""

    input_spec = AreaMeanInputSpec
    output_spec = AreaMeanOutputSpec
    function = "spectralbrain.spectral.measures.area_mean"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        means = [float(value) for value in np.atleast_1d(result)]
        rows = [{"map": index, "mean": value} for index, value in enumerate(means, 1)]
        return {**super()._store(rows, folder, arguments), "means": means}


class AreaHistogramInputSpec(DecompositionInputSpec):
    """Inputs of AreaHistogram."""

    values, values_file, values_key = array_or_file("values", "map (N,)", mandatory=True)
    bins = traits.Union(
        traits.Range(low=1),
        traits.List(traits.Float),
        default_value=50,
        usedefault=True,
        desc="number or edges of bins",
    )
    out_file = out_file("histogram.tsv", "name of the table: lower, upper, share (of the area)")


class AreaHistogram(TableInterface):
    """Tell which share of the area has which values."""

    input_spec = AreaHistogramInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.measures.area_histogram"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        shares, edges = result
        limits = zip(edges[:-1], edges[1:], shares, strict=True)
        rows = [
            {"lower": float(low), "upper": float(high), "share": float(share)} for low, high, share in limits
        ]
        return super()._store(rows, folder, arguments)
