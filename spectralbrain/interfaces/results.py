"""Nodes of :mod:`spectralbrain.io.results`: the readers of what the exports wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import FileOutputSpec, MapsInterface, MapsOutputSpec
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    out_file,
    traits,
)


class LoadHDF5InputSpec(SpectralInputSpec):
    """Inputs of LoadHDF5."""

    in_file = InputFile("cache", mandatory=True, desc="HDF5 cache")
    key = traits.Str(desc="an item to write to out_file, for example descriptors/hks")
    out_file = out_file("item.npz", "name of the NumPy archive that gets the item")


class LoadHDF5OutputSpec(SpectralOutputSpec):
    """Outputs of LoadHDF5."""

    out_file = File(desc="the item, if a key was given")
    names = traits.List(traits.Str, desc="names of the arrays in the cache")
    metadata = traits.Dict(desc="the facts stored in the cache, arrays as lists")


class LoadHDF5(SpectralInterface):
    """List a cache's arrays and facts, verify its digests, and take one array out of it."""

    input_spec = LoadHDF5InputSpec
    output_spec = LoadHDF5OutputSpec
    function = "spectralbrain.io.results.load_hdf5"
    arguments = {"path": "in_file"}
    extras = {"key": "an item to take out", "out_file": "where the item goes"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        items = _files.cache_items(result)
        outputs = {"names": sorted(items), "metadata": _files.jsonable(result.get("metadata") or {})}
        if self._has("key"):
            from spectralbrain.io.export import save_npz

            value = _files.pick(self.inputs.in_file, self.inputs.key, items)
            name = self.inputs.key.rpartition("/")[2]
            outputs["out_file"] = os.fspath(save_npz(self._out_file(folder), **{name: value}))
        return outputs


class LoadNpzInputSpec(SpectralInputSpec):
    """Inputs of LoadNpz."""

    in_file = InputFile("archive", mandatory=True, desc="NumPy archive")
    out_file = out_file("arrays.h5", "name of the HDF5 cache that gets the arrays, under descriptors/")


class LoadNpzOutputSpec(FileOutputSpec):
    """Outputs of LoadNpz."""

    names = traits.List(traits.Str, desc="names of the arrays")


class LoadNpz(SpectralInterface):
    """Read a NumPy archive without pickles into an HDF5 cache that other nodes take."""

    input_spec = LoadNpzInputSpec
    output_spec = LoadNpzOutputSpec
    function = "spectralbrain.io.results.load_npz"
    arguments = {"path": "in_file"}
    extras = {"out_file": "the arrays as a cache"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path = _files.write_arrays(self._out_file(folder), result)
        return {"out_file": path, "names": sorted(result)}


class LoadGiftiFuncInputSpec(SpectralInputSpec):
    """Inputs of LoadGiftiFunc."""

    in_file = InputFile("maps", mandatory=True, desc="GIFTI maps: .func.gii or .shape.gii")
    out_file = out_file("maps.h5", "name of the HDF5 cache that gets the maps, as descriptors/maps")


class LoadGiftiFunc(MapsInterface):
    """Read GIFTI maps, stacked as columns, into an HDF5 cache that other nodes take."""

    input_spec = LoadGiftiFuncInputSpec
    output_spec = MapsOutputSpec
    function = "spectralbrain.io.results.load_gifti_func"
    arguments = {"path": "in_file"}
    extras = {"out_file": "the maps as a cache"}
    array = "maps"


class LoadConnectomeInputSpec(SpectralInputSpec):
    """Inputs of LoadConnectome."""

    in_file = InputFile("matrix", mandatory=True, desc="labelled square table, as SaveConnectome writes it")
    out_file = out_file("matrix.h5", "name of the HDF5 cache that gets the matrix, as descriptors/matrix")


class LoadConnectomeOutputSpec(FileOutputSpec):
    """Outputs of LoadConnectome."""

    key = traits.Str(desc="name of the matrix in out_file")
    labels = traits.List(traits.Str, desc="name of each region, in the order of the rows")


class LoadConnectome(SpectralInterface):
    """Read a labelled square table."""

    input_spec = LoadConnectomeInputSpec
    output_spec = LoadConnectomeOutputSpec
    function = "spectralbrain.io.results.load_connectome"
    arguments = {"path": "in_file"}
    extras = {"out_file": "the matrix as a cache"}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        matrix, labels = result
        path = _files.write_arrays(self._out_file(folder), {"matrix": matrix})
        return {"out_file": path, "key": "descriptors/matrix", "labels": list(labels or [])}
