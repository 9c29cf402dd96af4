"""Nodes of :mod:`spectralbrain.spectral.regions`: a surface by regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import TableInterface, TableOutputSpec
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    array_or_file,
    out_file,
    traits,
)


class RegionsInputSpec(SpectralInputSpec):
    """The inputs of a node on a parcellated surface."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    labels, labels_file, labels_key = array_or_file(
        "labels", "region of each vertex (N,)", holds="labels", mandatory=True
    )
    names = traits.Dict(
        key_trait=traits.Int, value_trait=traits.Str, desc="names of the ids, instead of the labels' own"
    )
    exclude = traits.List(
        traits.Union(traits.Int, traits.Str),
        desc="labels that are no regions, by id or name; unknown and medial wall if omitted",
    )


class ParcellateInputSpec(RegionsInputSpec):
    """Inputs of Parcellate."""

    out_file = out_file("regions.tsv", "name of the table: region_id, region, n_vertices, area (mm^2)")


class Parcellate(TableInterface):
    """List the regions of a parcellation with their sizes; an absent region is a row with none."""

    input_spec = ParcellateInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.regions.parcellate"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {"region_id": r.key, "region": r.name, "n_vertices": int(r.mask.sum()), "area": r.area}
            for r in result
        ]
        return super()._store(rows, folder, arguments)


class ComputeRegionSpectraInputSpec(RegionsInputSpec):
    """Inputs of ComputeRegionSpectra."""

    k = traits.Range(low=1, value=30, usedefault=True, desc="modes per region, null modes included")
    mask, mask_file, mask_key = array_or_file("mask", "vertices to keep (N,)", holds="mask")
    options = traits.Dict(key_trait=traits.Str, desc="further arguments of Decompose, such as boundary")
    out_file = out_file("regions.h5", "name of the HDF5 file of all regions' spectra; the table gets .tsv")


class ComputeRegionSpectraOutputSpec(TableOutputSpec):
    """Outputs of ComputeRegionSpectra."""

    out_file = File(desc="the spectra of all regions, HDF5, for RegionTable and RegionDistanceMatrix")
    table_file = File(desc="one row per region: sizes, eigenvalues (mm^-2), status, reason; TSV")


class ComputeRegionSpectra(SpectralInterface):
    """Compute the spectrum of each region; one that is too small or broken is a row with a reason."""

    input_spec = ComputeRegionSpectraInputSpec
    output_spec = ComputeRegionSpectraOutputSpec
    function = "spectralbrain.spectral.regions.compute_region_spectra"
    cites = ("reuter2006", "wachinger2015")
    methods = "Each region of the parcellation was decomposed on its own sub-surface ({k} modes)."

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        options = {"n_threads": self.inputs.num_threads, **found.pop("options", {})}
        if "mask" in found:
            found["mask"] = _files.as_mask(found["mask"])
        return {**found, **options}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        from spectralbrain.spectral.regions import region_table

        path = self._out_file(folder)
        table = _files.write_table(path.with_suffix(".tsv"), region_table(result))
        return {"out_file": save_regions(path, result), "table_file": table}


class RegionTableInputSpec(SpectralInputSpec):
    """Inputs of RegionTable."""

    spectra_file = InputFile(
        "regions", mandatory=True, desc="spectra of regions, as ComputeRegionSpectra writes them"
    )
    n_eigenvalues = traits.Range(low=0, desc="how many non-null eigenvalues become columns; all if omitted")
    out_file = out_file("regions.tsv", "name of the table")


class RegionTable(TableInterface):
    """Tabulate sizes and spectra of regions."""

    input_spec = RegionTableInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.regions.region_table"


class RegionDistanceMatrixInputSpec(SpectralInputSpec):
    """Inputs of RegionDistanceMatrix."""

    spectra_file = InputFile(
        "regions", mandatory=True, desc="spectra of regions, as ComputeRegionSpectra writes them"
    )
    method = traits.Enum(
        "shapedna", "wesd", usedefault=True, desc="'shapedna' (lambda A / n) or 'wesd' (mm^2)"
    )
    metric = traits.Enum("euclidean", "cosine", usedefault=True, desc="metric of ShapeDNA")
    p = traits.Float(2.0, usedefault=True, desc="exponent of WESD")
    k = traits.Range(low=1, desc="number of non-null eigenvalues; as many as all regions have if omitted")
    out_file = out_file("region_distances.tsv", "name of the labelled table")


class RegionDistanceMatrix(SpectralInterface):
    """Return the distance between the spectra of every two regions; n/a where one has none."""

    input_spec = RegionDistanceMatrixInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.regions.region_distance_matrix"
    cites_if = {("method", "shapedna"): ("wachinger2015",), ("method", "wesd"): ("konukoglu2013",)}
    methods = "Regions were compared by the {method} distance of their spectra."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        labels = [spectrum.region.name for spectrum in arguments["spectra"]]
        return {"out_file": _files.write_matrix(self._out_file(folder), result, labels)}


def save_regions(path: Path, spectra: Sequence[Any]) -> str:
    """Write the spectra of regions to one HDF5 file; eigenvectors are not kept."""
    arrays: dict[str, Any] = {"n_vertices": np.array([len(spectra[0].region.mask)])}
    facts: dict[str, Any] = {"order": [str(s.region.key) for s in spectra]}
    for item in spectra:
        name, region, found = str(item.region.key), item.region, item.spectrum
        arrays[f"{name}_vertices"] = np.flatnonzero(region.mask)
        if found is not None:
            arrays[f"{name}_eigenvalues"] = found.eigenvalues
        facts[f"region_{name}"] = {
            "name": region.name,
            "area": float(region.area),
            "status": item.status,
            "reason": item.reason,
            "quality": dict(item.quality),
            "metadata": None if found is None else dict(found.metadata),
        }
    return _files.write_arrays(path, arrays, facts)


def load_regions(path: str) -> list[Any]:
    """Read what :func:`save_regions` wrote."""
    from spectralbrain.spectral.regions import Region, RegionSpectrum
    from spectralbrain.spectral.spectrum import Spectrum

    content = _files.read_cache(path)
    arrays, facts = content.get("descriptors") or {}, content.get("metadata") or {}
    if "order" not in facts:
        raise FormatError(
            f"{path}: expected spectra of regions, found {', '.join(sorted(content)) or 'nothing'}"
        )
    found = []
    for name in facts["order"]:
        stored = facts[f"region_{name}"]
        mask = np.zeros(int(arrays["n_vertices"][0]), dtype=bool)
        mask[arrays[f"{name}_vertices"]] = True
        region = Region(key=int(name), name=stored["name"], mask=mask, area=stored["area"])
        values = arrays.get(f"{name}_eigenvalues")
        spectrum = None if values is None else Spectrum(values, stored["metadata"])
        fields = {"quality": stored["quality"], "status": stored["status"], "reason": stored["reason"]}
        found.append(RegionSpectrum(region=region, spectrum=spectrum, **fields))
    return found
