"""What nodes read from files and write to files: the two directions of every adapter."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, FormatError


def read(kind: str, path: str, *, key: str | None = None, n_vertices: int | None = None) -> Any:
    """Return what an input file holds.

    Parameters
    ----------
    kind : str
        The trait's `holds`.
    path : str
        The file.
    key : str, optional
        Which item, where a file holds several.
    n_vertices : int, optional
        How many vertices the surface has, if another input has told.
    """
    if kind in ("mask", "labels") and key is None:
        return _per_vertex(kind, path, n_vertices)
    if kind in ("array", "mask", "labels"):
        return read_array(path, key)
    if kind == "mass":
        return read_decomposition(path).mass
    return _READERS[kind](path)


def read_mesh(path: str) -> Any:
    """Read a surface, from any format of load_mesh or from an HDF5 cache."""
    from spectralbrain.geometry.mesh import BrainMesh
    from spectralbrain.io.load import load_mesh

    if not _is_hdf5(path):
        return load_mesh(path)
    content = read_cache(path)
    missing = [name for name in ("vertices", "faces") if content.get(name) is None]
    if missing:
        raise FormatError(f"{path}: expected a surface, found no {' and no '.join(missing)}")
    return BrainMesh(content["vertices"], content["faces"])


def read_decomposition(path: str) -> Any:
    """Read the cache that Decompose wrote."""
    from spectralbrain.spectral.decomposition import SpectralDecomposition

    return SpectralDecomposition.load(path)


def read_spectrum(path: str) -> Any:
    """Read eigenvalues and metadata of a cache, not the eigenvectors."""
    from spectralbrain.spectral.spectrum import Spectrum

    return Spectrum.load(path)


def read_cache(path: str) -> dict[str, Any]:
    """Read an HDF5 cache whole."""
    from spectralbrain.io.export import load_hdf5

    content: dict[str, Any] = load_hdf5(path)
    return content


def read_array(path: str, key: str | None = None) -> Any:
    """Read one array: an item of an HDF5 cache or archive, or a file that holds a single one.

    Raises
    ------
    FormatError
        If there is no such item, or no key tells which of several is meant.
    """
    if _is_hdf5(path):
        from spectralbrain.io.export import open_hdf5

        with open_hdf5(path) as cache:  # only the item is read, not the eigenvectors beside it
            return pick(path, key, cache_items(cache))[...]
    with Path(path).open("rb") as stream:
        start = stream.read(6)
    if start.startswith(b"PK"):
        with np.load(path, allow_pickle=False) as archive:
            return pick(path, key, {name: archive[name] for name in archive.files})
    if path.endswith(".tsv"):
        from spectralbrain.io.export import load_connectome

        return load_connectome(path)[0]
    from spectralbrain.io.load import load_scalars

    return load_scalars(path)


def cache_items(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays of a loaded cache under the names a key may have."""
    items = {name: content.get(name) for name in ("eigenvalues", "eigenvectors", "vertices", "faces")}
    items = {name: value for name, value in items.items() if value is not None} if content else {}
    for name, value in (content.get("descriptors") or {}).items():
        items[f"descriptors/{name}"] = value
    for name, value in (content.get("metadata") or {}).items():
        if isinstance(value, np.ndarray):
            items[f"metadata/{name}"] = value
    return items


def pick(path: str, key: str | None, items: Mapping[str, Any]) -> Any:
    """Return the item a key names; without a key, the only descriptor."""
    if key is not None:
        for name in (key, f"descriptors/{key}", f"metadata/{key}"):
            if name in items:
                return items[name]
        raise FormatError(f"{path}: expected an item {key!r}, found {', '.join(sorted(items)) or 'none'}")
    descriptors = [name for name in items if name.startswith("descriptors/")] or list(items)
    if len(descriptors) != 1:
        raise FormatError(f"{path}: a key must say which array, found {', '.join(sorted(items)) or 'none'}")
    return items[descriptors[0]]


def read_maps(path: str, key: str | None = None) -> tuple[Any, list[str] | None]:
    """Read one array as :func:`read_array` does, and a name for each of its maps, None if it has none."""
    if not _is_hdf5(path):
        return read_array(path, key), None
    from spectralbrain.io.export import open_hdf5

    with open_hdf5(path) as cache:
        scalars = pick(path, key, cache_items(cache))[...]
        return scalars, _map_names(key, scalars, cache.metadata, list(cache.descriptors))


def _map_names(
    key: str | None, scalars: Any, metadata: Mapping[str, Any], descriptors: Sequence[str]
) -> list[str] | None:
    """Return a name for each map of a cache's array, made from its scales."""
    name = (key or "").rpartition("/")[2] or (descriptors[0] if len(descriptors) == 1 else "")
    columns = 1 if scalars.ndim == 1 else scalars.shape[1]
    for grid, symbol in (("times", "t"), ("energies", "e"), ("scales", "s")):
        values = np.atleast_1d(metadata.get(f"{name}_{grid}", ()))
        if len(values) == columns:
            return [f"{name}_{symbol}={value:.6g}" for value in values]
    if name and columns > 1:
        return [f"{name} {column + 1}" for column in range(columns)]
    return [name] if name else None


def as_mask(values: Any, name: str = "mask") -> Any:
    """Return which vertices to keep: 0 = drop, positive = keep, as in mask files."""
    values = np.asarray(values)
    if values.dtype.kind == "b":
        return values
    if not np.isfinite(values).all() or (values < 0).any():
        raise ArrayError(f"{name}: expected 0 (drop) or positive (keep) at every vertex, found others")
    return values > 0


def _per_vertex(kind: str, path: str, n_vertices: int | None) -> Any:
    from spectralbrain.io import load

    if kind == "labels":
        return load.load_labels(path, n_vertices=n_vertices)
    if n_vertices is None:
        raise ArrayError(f"{path}: a mask needs the number of vertices; set n_vertices or the mesh")
    return load.load_mask(path, n_vertices)


def _is_hdf5(path: str) -> bool:
    with Path(path).open("rb") as stream:
        return stream.read(8) == b"\x89HDF\r\n\x1a\n"


def read_regions(path: str) -> Any:
    """Read the spectra of a parcellation's regions."""
    from spectralbrain.interfaces.regions import load_regions

    return load_regions(path)


_READERS: dict[str, Callable[[str], Any]] = {
    "mesh": read_mesh,
    "decomposition": read_decomposition,
    "spectrum": read_spectrum,
    "cache": read_cache,
    "regions": read_regions,
    "path": str,
}


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Write rows as TSV (UTF-8, LF, ``n/a`` for missing) and return the path."""
    from spectralbrain.bids.tables import format_tsv
    from spectralbrain.io._atomic import write_text_atomic

    rows = list(rows)
    if columns is None:
        columns = list(dict.fromkeys(name for row in rows for name in row))
    return os.fspath(write_text_atomic(path, format_tsv(rows, columns)))


def write_arrays(path: Path, arrays: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> str:
    """Write arrays to an HDF5 cache, under descriptors/, and return the path."""
    from spectralbrain.io.export import save_hdf5

    return os.fspath(save_hdf5(path, descriptors=arrays, metadata=metadata))


def write_matrix(path: Path, matrix: Any, labels: Sequence[str]) -> str:
    """Write a labelled square table and return the path."""
    from spectralbrain.io.export import save_connectome

    return os.fspath(save_connectome(path, matrix, labels=labels))


def write_mesh(path: Path, mesh: Any) -> str:
    """Write a surface in the format of the suffix and return the path."""
    from spectralbrain.io.export import save_mesh

    return os.fspath(save_mesh(path, mesh.vertices, mesh.faces))


def write_json(path: Path, content: Mapping[str, Any]) -> str:
    """Write a JSON object and return the path; NaN and infinity become null, as JSON has neither."""
    from spectralbrain.io._atomic import write_text_atomic

    text = json.dumps(jsonable(content), indent=2, ensure_ascii=False, allow_nan=False)
    return os.fspath(write_text_atomic(path, text + "\n"))


def jsonable(value: Any) -> Any:
    """Return a value that JSON can hold: arrays as lists, not-a-number as None."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
