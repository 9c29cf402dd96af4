"""Open or load HDF5 files of this library: by their index, or through a guarded process if they have none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_contents import ROOT_ARRAYS, assemble, check_version, mass_of, metadata_of
from spectralbrain.io._hdf5_foreign import read_foreign
from spectralbrain.io._hdf5_integrity import SealedFile, open_regular
from spectralbrain.io._hdf5_read import LazyArray, SealedHDF5


class HDF5Handle(Mapping[str, Any]):
    """An open file: a mapping like the dictionary of ``load_hdf5``, whose arrays are read on use.

    ``handle["eigenvectors"][:, :50]`` reads the first 50 modes. Use it in a ``with`` statement, or
    close it.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(
        self,
        path: Path,
        arrays: Mapping[str, Any],
        groups: set[str],
        attributes: Mapping[str, Any],
        source: Any,
    ) -> None:
        check_version(attributes, path)
        self.path = path
        self._arrays = dict(arrays)
        self._groups = groups
        self._attributes = attributes
        self._metadata = metadata_of(attributes, path)
        self._source = source

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, empty if none were passed."""
        return dict(self._metadata or {})

    @property
    def descriptors(self) -> dict[str, Any]:
        """The descriptors by name, each read when it is indexed."""
        prefix = "descriptors/"
        return {
            name.removeprefix(prefix): array
            for name, array in self._arrays.items()
            if name.startswith(prefix)
        }

    def __getitem__(self, key: str) -> Any:
        if key == "metadata" and self._metadata is not None:
            return self.metadata
        if key == "descriptors" and "descriptors" in self._groups:
            return self.descriptors
        if key == "mass" and "mass" in self._groups:
            return mass_of(self._read, self.path)
        return self._arrays[key]  # a root array, or 'descriptors/name'

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in ROOT_ARRAYS if name in self._arrays)
        yield from (name for name in ("mass", "descriptors") if name in self._groups)
        if self._metadata is not None:
            yield "metadata"

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<HDF5Handle {str(self.path)!r}: {', '.join(self)}>"

    def load(self) -> dict[str, Any]:
        """Read everything."""
        return assemble(list(self._arrays), self._groups, self._attributes, self._read, self.path)

    def _read(self, name: str) -> npt.NDArray[Any]:
        if name not in self._arrays:
            raise FormatError(f"{self.path}: expected an array {name!r}, found none")
        values: npt.NDArray[Any] = self._arrays[name][...]
        return values

    def close(self) -> None:
        """Close the file."""
        if self._source is not None:
            self._source.close()

    def __enter__(self) -> HDF5Handle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_file(path: Path, n_threads: int) -> HDF5Handle:
    """Open a file of any version."""
    descriptor = open_regular(path)
    try:
        sealed = SealedFile.find(descriptor, path)
        if sealed is None or not sealed.index_length:
            arrays, groups, attributes = read_foreign(descriptor, path, sealed)
            handle = HDF5Handle(path, arrays, groups, attributes, None)
            os.close(descriptor)
            return handle
        source = SealedHDF5(sealed, n_threads)
        return HDF5Handle(path, source.arrays, source.groups, source.attributes, source)
    except BaseException:
        os.close(descriptor)
        raise


def load(path: Path, n_threads: int) -> dict[str, Any]:
    """Load everything from a file of any version."""
    with open_file(path, n_threads) as handle:
        return handle.load()


__all__ = ["HDF5Handle", "LazyArray", "load", "open_file"]
