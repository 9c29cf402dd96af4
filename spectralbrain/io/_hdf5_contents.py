"""What a decomposition or descriptor file holds: checked before it is written, rebuilt when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, ArrayTypeError, FormatError
from spectralbrain.io._hdf5_attributes import (
    TYPES,
    VERSION,
    Stored,
    decode_metadata,
    encode_metadata,
)
from spectralbrain.io._numbers import check_face_range, plain_numbers, without_padding
from spectralbrain.runtime import Eigenvalues, Eigenvectors, Faces, Vertices, as_array

# 1 is SpectralBrain 0.1.0, which stamped its own version and nothing else; docs/file-format.md
FORMAT_VERSION = 2
PACKAGE_VERSION = "spectralbrain_version"
ROOT_ARRAYS = ("eigenvalues", "eigenvectors", "vertices", "faces")
MASS_PARTS = ("data", "indices", "indptr", "shape")


def is_name_of_array(name: str) -> bool:
    """Whether this library gives an array such a path."""
    return name in ROOT_ARRAYS or name.startswith(("descriptors/", "mass/"))


def check_contents(
    *,
    eigenvalues: Any,
    eigenvectors: Any,
    vertices: Any,
    faces: Any,
    descriptors: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
    mass: Any,
) -> tuple[dict[str, npt.NDArray[Any]], tuple[str, ...], dict[str, Stored]]:
    """Check all that is to be written; return arrays by path, groups, and root attributes."""
    sizes: dict[str, int] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    given = {"eigenvalues": eigenvalues, "eigenvectors": eigenvectors, "vertices": vertices, "faces": faces}
    kinds = {"eigenvalues": Eigenvalues, "eigenvectors": Eigenvectors, "vertices": Vertices, "faces": Faces}
    letters = {"eigenvalues": "k", "eigenvectors": "Nk", "vertices": "N", "faces": ""}
    for name, value in given.items():
        if value is not None:
            as_array(value, kinds[name], name=name, keep_dtype=True, sizes=sizes)
            arrays[name] = np.asarray(value)
            sizes.update(zip(letters[name], arrays[name].shape, strict=False))
    if "faces" in arrays:
        check_face_range(arrays["faces"], sizes.get("N"))
    groups: list[str] = []
    if descriptors is not None:
        groups.append("descriptors")
        arrays.update(_check_descriptors(descriptors))
    if mass is not None:
        groups.append("mass")
        arrays.update(_check_mass(mass, sizes.get("N")))
    attributes: dict[str, Stored] = {VERSION: np.int64(FORMAT_VERSION)}
    if metadata is not None:
        attributes |= encode_metadata(metadata)
    return {name: without_padding(a) for name, a in arrays.items()}, tuple(groups), attributes


def _check_descriptors(descriptors: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    if not isinstance(descriptors, Mapping):
        raise ArrayTypeError(f"descriptors: expected a mapping, found {type(descriptors).__name__}")
    arrays = {}
    for name in sorted(descriptors, key=str):
        where = f"descriptors[{name!r}]"
        if not isinstance(name, str):
            raise ArrayTypeError(f"{where}: expected a text name, found {type(name).__name__}")
        _check_name(name, where)
        arrays[f"descriptors/{name}"] = plain_numbers(descriptors[name], where)
    for name in descriptors:
        parents = name.split("/")[:-1]
        for i in range(len(parents)):
            parent = "/".join(parents[: i + 1])
            if parent in descriptors:
                raise ArrayError(f"descriptors[{name!r}]: {parent!r} is an array, it cannot hold another")
    return arrays


def _check_name(name: str, where: str) -> None:
    """Check that HDF5 keeps a name as it is; a slash makes groups, and they are flattened on reading."""
    parts = name.split("/")
    usable = all(part not in ("", ".", "..") for part in parts) and "\0" not in name
    try:
        usable = usable and all(len(part.encode()) <= 4096 for part in parts)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ArrayError(f"{where}: expected a name that HDF5 can store")


def _check_mass(mass: Any, n_vertices: int | None) -> dict[str, npt.NDArray[Any]]:
    import scipy.sparse as sp

    if not sp.issparse(mass):
        raise ArrayTypeError(f"mass: expected a sparse matrix, found {type(mass).__name__}")
    n = n_vertices if n_vertices is not None else mass.shape[0]
    if mass.shape != (n, n):
        raise ArrayError(f"mass: expected shape (N={n}, N={n}), found {mass.shape}")
    csr = mass.tocsr()
    data = plain_numbers(csr.data, "mass")
    if not np.isfinite(data).all():
        raise ArrayError("mass: expected finite values, found NaN or infinity")
    parts = (data, csr.indices, csr.indptr, np.array(csr.shape, dtype=np.int64))
    return {f"mass/{part}": value for part, value in zip(MASS_PARTS, parts, strict=True)}


def check_version(attributes: Mapping[str, Stored], path: Path) -> None:
    """Check that the format version is one this library reads.

    Raises
    ------
    FormatError
        If it is newer, or no version.
    """
    if VERSION not in attributes:
        return
    version = attributes[VERSION]
    if not isinstance(version, np.integer) or not 1 <= version <= FORMAT_VERSION:
        raise FormatError(
            f"{path}: expected format version 1 to {FORMAT_VERSION}, found {version}; "
            "a newer SpectralBrain may have written it"
        )


def metadata_of(attributes: Mapping[str, Stored], path: Path) -> dict[str, Any] | None:
    """Return what the caller passed as metadata, without the library's own marks."""
    if VERSION not in attributes:
        attributes = {key: value for key, value in attributes.items() if key != PACKAGE_VERSION}
    return decode_metadata(attributes, path)


def assemble(
    names: tuple[str, ...] | list[str],
    groups: set[str],
    attributes: Mapping[str, Stored],
    read: Callable[[str], Any],
    path: Path,
) -> dict[str, Any]:
    """Rebuild the dictionary of what was passed; `read` turns an array's path into its values."""
    contents: dict[str, Any] = {name: read(name) for name in ROOT_ARRAYS if name in names}
    if "mass" in groups:
        contents["mass"] = mass_of(read, path)
    if "descriptors" in groups:
        prefix = "descriptors/"
        contents["descriptors"] = {
            name.removeprefix(prefix): read(name) for name in names if name.startswith(prefix)
        }
    metadata = metadata_of(attributes, path)
    if metadata is not None:
        contents["metadata"] = metadata
    return contents


def mass_of(read: Callable[[str], Any], path: Path) -> Any:
    """Return the mass matrix, CSR.

    Raises
    ------
    FormatError
        If its parts do not make a matrix.
    """
    import scipy.sparse as sp

    try:
        data, indices, indptr, shape = (read(f"mass/{part}") for part in MASS_PARTS)
        matrix = sp.csr_array((data, indices, indptr), shape=tuple(int(n) for n in shape))
        matrix.check_format(full_check=True)
    except FormatError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"{path}: mass: not a sparse matrix ({error})") from error
    return matrix


__all__ = [
    "FORMAT_VERSION",
    "PACKAGE_VERSION",
    "ROOT_ARRAYS",
    "TYPES",
    "assemble",
    "check_contents",
    "check_version",
    "mass_of",
    "metadata_of",
]
