"""Write results to standard files, and read them back.

Every writer checks all its arguments first, replaces the file at once or not at all, gives the
same bytes for the same input, and returns the absolute path. Every reader checks what it reads and
raises :class:`~spectralbrain.errors.FormatError` rather than return something else than was written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.io._atomic import absolute_path, atomic_write, write_text_atomic
from spectralbrain.io._numbers import check_face_range, plain_numbers
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import (
    ConnectomeMatrix,
    DescriptorMatrix,
    Eigenvalues,
    Eigenvectors,
    Faces,
    PathLike,
    ScalarMap,
    Vertices,
    as_array,
)

_COMPRESSIONS = ("gzip", "lzf", None)


def save_hdf5(
    path: PathLike,
    *,
    eigenvalues: Eigenvalues | None = None,
    eigenvectors: Eigenvectors | None = None,
    vertices: Vertices | None = None,
    faces: Faces | None = None,
    descriptors: Mapping[str, npt.ArrayLike] | None = None,
    metadata: Mapping[str, Any] | None = None,
    compression: str | None = "gzip",
    compression_opts: int = 4,
    mass: Any = None,
    n_threads: int | None = None,
) -> Path:
    """Save a decomposition or descriptors as an HDF5 file."""
    from spectralbrain.io._hdf5_contents import check_contents
    from spectralbrain.io._hdf5_write import write_hdf5

    target = absolute_path(path)
    if compression not in _COMPRESSIONS:
        raise ArrayError(f"compression: expected 'gzip', 'lzf' or None, found {compression!r}")
    level = _check_level(compression_opts)
    arrays, groups, attributes = check_contents(
        eigenvalues=eigenvalues,
        eigenvectors=eigenvectors,
        vertices=vertices,
        faces=faces,
        descriptors=descriptors,
        metadata=metadata,
        mass=mass,
    )
    return write_hdf5(
        target,
        arrays=arrays,
        groups=groups,
        attributes=attributes,
        compression=compression,
        level=level,
        n_threads=resolve_threads(n_threads),
    )


def _check_level(level: Any) -> int:
    if isinstance(level, bool) or not isinstance(level, int | np.integer) or not 0 <= level <= 9:
        raise ArrayError(f"compression_opts: expected a level from 0 to 9, found {level!r}")
    return int(level)


def load_hdf5(path: PathLike, *, n_threads: int | None = None) -> dict[str, Any]:
    """Load everything from a file of :func:`save_hdf5`."""
    from spectralbrain.io._hdf5_handle import load

    return load(absolute_path(path), resolve_threads(n_threads))


def open_hdf5(path: PathLike, *, n_threads: int | None = None) -> Any:
    """Open a file of :func:`save_hdf5` without reading its arrays."""
    from spectralbrain.io._hdf5_handle import open_file

    return open_file(absolute_path(path), resolve_threads(n_threads))


def save_mesh(path: PathLike, vertices: Vertices, faces: Faces) -> Path:
    """Save a surface mesh; the suffix says the format."""
    from spectralbrain.io._mesh_codecs import MESH_CODECS, codec_for_name

    target = absolute_path(path)
    codec = codec_for_name(target)
    if codec is None:
        known = ", ".join(sorted(MESH_CODECS))
        raise ArrayError(f"path: expected a name that ends with one of {known}, found {target.name!r}")
    points = np.ascontiguousarray(as_array(vertices, Vertices, name="vertices"))
    triangles = np.ascontiguousarray(as_array(faces, Faces, name="faces"))
    check_face_range(triangles, len(points))
    with atomic_write(target) as stream:
        codec.write(stream, points, triangles)  # type: ignore[arg-type]
    return target


def save_gifti_func(
    path: PathLike,
    scalars: ScalarMap | DescriptorMatrix,
    *,
    names: Sequence[str] | None = None,
    structure: str | None = None,
    units: str | None = None,
) -> Path:
    """Save scalar maps as GIFTI."""
    from spectralbrain.io import _gifti

    target = absolute_path(path)
    intent = _gifti.intent_of(target)
    maps, vector = _gifti.check_maps(scalars)
    map_names = _gifti.check_names(names, maps.shape[1])
    _gifti.check_structure(structure)
    if units is not None:
        _gifti.check_text(units, "units")
    with atomic_write(target) as stream:
        _gifti.write_maps(
            stream,  # type: ignore[arg-type]
            maps,
            intent=intent,
            names=map_names,
            structure=structure,
            units=units,
            vector=vector,
        )
    return target


def load_gifti_func(path: PathLike) -> npt.NDArray[Any]:
    """Load scalar maps from GIFTI, stacked as columns."""
    from spectralbrain.io._gifti import read_maps

    return read_maps(absolute_path(path))


def save_npz(path: PathLike = "", /, **arrays: npt.ArrayLike) -> Path:
    """Save named arrays as a NumPy archive."""
    from spectralbrain.io._npz import member_name, write_npz

    if not path and isinstance(arrays.get("path"), str | os.PathLike):
        path = arrays.pop("path")  # type: ignore[assignment]
    target = absolute_path(path)
    checked = {name: plain_numbers(value, name, "biufmM") for name, value in arrays.items()}
    for name in checked:
        member_name(name)
    with atomic_write(target) as stream:
        write_npz(stream, checked)  # type: ignore[arg-type]
    return target


def load_npz(path: PathLike) -> dict[str, npt.NDArray[Any]]:
    """Load all arrays of a NumPy archive; pickles are refused."""
    from spectralbrain.io._hdf5_integrity import open_regular
    from spectralbrain.io._npz import read_npz

    target = absolute_path(path)
    descriptor = open_regular(target)
    try:
        return read_npz(target, descriptor)
    finally:
        os.close(descriptor)


def save_connectome(
    path: PathLike,
    matrix: ConnectomeMatrix,
    *,
    labels: Sequence[str] | None = None,
    sidecar: Mapping[str, Any] | None = None,
) -> Path:
    """Save a square matrix as a labelled TSV table."""
    from spectralbrain.io import _tsv

    target = absolute_path(path)
    values = as_array(matrix, ConnectomeMatrix, name="matrix")
    text = _tsv.format_table(values, _tsv.check_labels(labels, len(values)))
    if sidecar is not None:
        if target.suffix.lower() == ".json":
            raise ArrayError(f"path: expected another suffix than the sidecar's, found {target.name!r}")
        write_text_atomic(target.with_suffix(".json"), _tsv.format_sidecar(sidecar, values))
    return write_text_atomic(target, text)


def load_connectome(path: PathLike) -> tuple[ConnectomeMatrix, list[str]]:
    """Load a matrix and its labels from a table of :func:`save_connectome`."""
    from spectralbrain.io._content import read_content
    from spectralbrain.io._tsv import parse_table

    target = absolute_path(path)
    try:
        text = read_content(target).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{target}: expected UTF-8 text ({error})") from error
    return parse_table(text, target)
