"""Families of interfaces, told apart by what their function returns and which file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    array_or_file,
    is_status_file,
    read_status,
    traits,
)

# What a descriptor file tells about the surface it was computed on.
_IDENTITY = (
    *(
        "software",
        "spectralbrain_version",
        "subject",
        "session",
        "hemisphere",
        "structure",
        "surface",
        "source",
    ),
    *("n_vertices", "n_domain_vertices", "k", "n_null_modes", "surface_area", "volume", "laplacian", "mass"),
    *("boundary", "masked"),
)


DECOMPOSITION = "eigenpairs of a surface, HDF5, as Decompose writes them"


class DecompositionInputSpec(SpectralInputSpec):
    """The input of a node that needs the eigenvectors."""

    decomposition_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)


class TimesInputSpec(DecompositionInputSpec):
    """The inputs of a node that evaluates at diffusion times."""

    times, times_file, times_key = array_or_file(
        "times", "diffusion times (T,), mm^2 or t/A, see time", units="mm^2 or t/A"
    )
    time = traits.Enum("raw", "area", desc="unit of the times: 'raw' is mm^2, 'area' multiples of the area")


class ArrayOutputSpec(SpectralOutputSpec):
    """The outputs of a node that computes one array."""

    out_file = File(desc="HDF5 cache that holds the array, its grid and the facts of the surface")
    key = traits.Str(desc="name of the array in out_file, for example descriptors/hks")


class FileOutputSpec(SpectralOutputSpec):
    """The one output of a node that writes a file."""

    out_file = File(desc="the file written")


class MapsOutputSpec(SpectralOutputSpec):
    """The outputs of a node that reads maps."""

    out_file = File(desc="the maps, HDF5")
    key = traits.Str(desc="name of the maps in out_file")
    n_vertices = traits.Int(desc="number of vertices")
    n_maps = traits.Int(desc="number of maps")


class TableOutputSpec(SpectralOutputSpec):
    """The output of a node that writes a table."""

    out_file = File(desc="table, TSV")


class DistanceOutputSpec(TableOutputSpec):
    """The outputs of a node that compares two surfaces."""

    distance = traits.Float(desc="the distance; its unit stands in out_file")
    k = traits.Int(desc="number of eigenvalues compared")


class SpectraInputSpec(SpectralInputSpec):
    """The inputs of a node that compares many surfaces."""

    in_files = InputMultiObject(
        InputFile("spectrum"), mandatory=True, desc="eigenpairs, HDF5, one file per surface"
    )
    names = traits.List(traits.Str, desc="name of each surface; those of the files if omitted")


def identity(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a decomposition's metadata that a descriptor file repeats."""
    return {name: metadata[name] for name in _IDENTITY if name in metadata}


class MeshInterface(SpectralInterface):
    """An interface whose function returns a surface."""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "out_file": _files.write_mesh(self._out_file(folder), result),
            "n_vertices": result.n_vertices,
            "n_faces": result.n_faces,
            "area": result.area,
        }


class MapsInterface(SpectralInterface):
    """An interface whose function reads maps (N,) or (N, M): stored under ``descriptors/<array>``."""

    array: ClassVar[str] = ""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path = _files.write_arrays(self._out_file(folder), {self.array: result})
        sizes = {"n_vertices": len(result), "n_maps": 1 if result.ndim == 1 else result.shape[1]}
        return {"out_file": path, "key": f"descriptors/{self.array}", **sizes}


class GridInterface(SpectralInterface):
    """An interface whose function returns a grid of scales, with or without a bandwidth."""

    array: ClassVar[str] = ""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        values, sigma = result if isinstance(result, tuple) else (result, None)
        facts = {} if sigma is None else {"sigma": float(sigma)}
        path = _files.write_arrays(self._out_file(folder), {self.array: np.asarray(values)}, facts)
        return {"out_file": path, "key": f"descriptors/{self.array}", **facts}


class ArrayInterface(SpectralInterface):
    """An interface whose function returns one array: stored in a cache under ``descriptors/<name>``.

    Attributes
    ----------
    array : str
        The name in the cache.
    """

    array: ClassVar[str] = ""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        values = np.asarray(result)
        metadata = {**self._identity(arguments), **self._grid(arguments), **self._parameters(arguments)}
        path = _files.write_arrays(self._out_file(folder), {self.array: values}, metadata)
        return {"out_file": path, "key": f"descriptors/{self.array}"}

    def _identity(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        source = arguments.get("decomposition", arguments.get("spectrum"))
        return {} if source is None else identity(source.metadata)

    def _grid(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scales at which the descriptor was evaluated, for the file's metadata."""
        return {}

    def _parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the call, under the name of the array."""
        plain = {k: v for k, v in arguments.items() if isinstance(v, bool | int | float | str)}
        return {f"{self.array}_{name}": value for name, value in plain.items() if name != "n_threads"}


class TimesInterface(ArrayInterface):
    """A descriptor over diffusion times; the file's metadata hold the times in mm^2."""

    def _grid(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        from spectralbrain.spectral.grids import resolve_times

        given = {name: arguments[name] for name in ("times", "n_times", "time") if name in arguments}
        source = arguments.get("decomposition", arguments.get("spectrum"))
        return {f"{self.array}_times": resolve_times(source, **given)}


class TableInterface(SpectralInterface):
    """An interface whose function returns rows."""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"out_file": _files.write_table(self._out_file(folder), result)}


class DistanceInterface(SpectralInterface):
    """An interface whose function returns the distance of two surfaces."""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        row = {"distance": float(result), "unit": result.unit, "method": result.method, "k": result.k}
        path = _files.write_table(self._out_file(folder), [row])
        return {"out_file": path, "distance": float(result), "k": int(result.k)}


class SpectraInterface(SpectralInterface):
    """An interface whose function takes many spectra; `arguments` names the argument."""

    spectra: ClassVar[str] = "spectra"

    def _collect(self, folder: Path) -> dict[str, Any]:
        spectra = [_files.read_spectrum(path) for path in self.inputs.in_files]
        return {**super()._collect(folder), self.spectra: spectra}

    def _names(self) -> list[str]:
        return names_of(list(self.inputs.in_files), list(self.inputs.names) if self._has("names") else None)


class MatrixInterface(SpectraInterface):
    """An interface whose function returns a square matrix over the surfaces."""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path = _files.write_matrix(self._out_file(folder), np.asarray(result), self._names())
        return {"out_file": path}


class GroupInterface(SpectraInterface):
    """An interface whose function takes group entries; recorded failures become rows without values."""

    spectra = "entries"
    accepts_failures = True

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super(SpectraInterface, self)._collect(folder)
        return {**found, "entries": self._entries()}

    def _entries(self) -> list[Any]:
        from spectralbrain.spectral.group import GroupEntry

        files, names = list(self.inputs.in_files), self._names()
        entities = (
            list(self.inputs.entities) if self._has("entities") else [{"participant_id": n} for n in names]
        )
        if len(entities) != len(files):
            raise ArrayError(f"entities: expected {len(files)}, one per file, found {len(entities)}")
        entries = []
        for path, name, facts in zip(files, names, entities, strict=True):
            failed = is_status_file(path)
            reason = read_status(path)["reason"] if failed else None
            spectrum = None if failed else _files.read_spectrum(path)
            entries.append(GroupEntry(name=name, spectrum=spectrum, entities=dict(facts), reason=reason))
        return entries


class GroupInputSpec(SpectraInputSpec):
    """The inputs of a node on a group."""

    entities = traits.List(
        traits.Dict(key_trait=traits.Str, value_trait=traits.Str),
        desc="columns that identify each surface: participant_id, session_id, space, density ...",
    )


def names_of(files: Sequence[str], names: Sequence[str] | None) -> list[str]:
    """Return a unique name per file: those given, else the files' own or their folders'."""
    if names is not None:
        if len(names) != len(files):
            raise ArrayError(f"names: expected {len(files)}, one per file, found {len(names)}")
        return list(names)
    stems = [Path(path).name.partition(".")[0] for path in files]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{index + 1:04d}_{stem}" for index, stem in enumerate(stems)]
