"""Node of :mod:`spectralbrain.spectral.connectome`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import TableOutputSpec
from spectralbrain.interfaces.base import (
    File,
    SpectralInputSpec,
    SpectralInterface,
    array_or_file,
    out_file,
    traits,
)

REGION = traits.Union(traits.Int, traits.Str)


class BuildGeometricConnectomeInputSpec(SpectralInputSpec):
    """Inputs of BuildGeometricConnectome."""

    descriptors, descriptors_file, descriptors_key = array_or_file(
        "descriptors", "descriptor of a surface (N,) or (N, T), NaN where there is none", mandatory=True
    )
    labels, labels_file, labels_key = array_or_file("labels", "region of each vertex (N,)", holds="labels")
    weights, weights_file, weights_key = array_or_file(
        "weights", "vertex areas (N,), mm^2, as VertexAreas makes them", units="mm^2"
    )
    names = traits.Dict(
        key_trait=traits.Int, value_trait=traits.Str, desc="names of the ids, instead of the labels' own"
    )
    exclude = traits.List(
        REGION, desc="labels that are no regions, by id or name; unknown and medial wall if omitted"
    )
    regions = traits.List(
        traits.Int, desc="rows of the matrix, in this order; all regions by ascending id if omitted"
    )
    method = traits.Enum(
        *("wasserstein", "energy", "euclidean", "cosine", "correlation"),
        usedefault=True,
        desc="distance of the distributions ('wasserstein', 'energy') or of the area-weighted means",
    )
    standardize = traits.Bool(
        False, usedefault=True, desc="divide each scale by its standard deviation first"
    )
    min_coverage = traits.Range(
        low=0.0,
        high=1.0,
        value=0.5,
        usedefault=True,
        desc="a region with a smaller part of its vertices is n/a",
    )
    out_file = out_file("connectome.tsv", "name of the labelled table")


class BuildGeometricConnectomeOutputSpec(TableOutputSpec):
    """Outputs of BuildGeometricConnectome."""

    coverage_file = File(desc="table: region_id, region, coverage, reason; TSV")
    labels = traits.List(traits.Str, desc="names of the regions, in the order of the rows")


class BuildGeometricConnectome(SpectralInterface):
    """Compare the distributions of a descriptor in every two regions."""

    input_spec = BuildGeometricConnectomeInputSpec
    output_spec = BuildGeometricConnectomeOutputSpec
    function = "spectralbrain.spectral.connectome.build_geometric_connectome"
    cites_if = {("method", "wasserstein"): ("peyre2019",), ("method", "energy"): ("szekely2013",)}
    methods = (
        "Regions were compared by the {method} distance of their area-weighted descriptor distributions."
    )

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path = self._out_file(folder)
        matrix = _files.write_matrix(path, result.matrix, result.labels)
        columns = zip(result.keys, result.labels, result.coverage, result.reasons, strict=True)
        names = ("region_id", "region", "coverage", "reason")
        rows = [dict(zip(names, row, strict=True)) for row in columns]
        coverage = _files.write_table(path.with_name(f"{path.stem}_coverage.tsv"), rows, names)
        return {"out_file": matrix, "coverage_file": coverage, "labels": list(result.labels)}
