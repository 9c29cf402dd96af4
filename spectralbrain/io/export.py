"""Write results to standard files; their readers, from :mod:`spectralbrain.io.results`, stand beside them.

Every writer checks all its arguments first, replaces the file at once or not at all, gives the
same bytes for the same input, and returns the absolute path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError
from spectralbrain.io._atomic import absolute_path, atomic_write, write_text_atomic
from spectralbrain.io._numbers import check_face_range, plain_numbers, without_padding
from spectralbrain.io.results import load_connectome, load_gifti_func, load_hdf5, load_npz, open_hdf5
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

__all__ = [
    "load_connectome",
    "load_gifti_func",
    "load_hdf5",
    "load_npz",
    "open_hdf5",
    "save_connectome",
    "save_gifti_func",
    "save_hdf5",
    "save_mesh",
    "save_npz",
]

_COMPRESSIONS = ("gzip", "lzf", None)
_OTHER_GIFTI = (".func.gii", ".shape.gii", ".label.gii", ".time.gii")


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
    """Save a decomposition or descriptors as an HDF5 file.

    Parameters
    ----------
    path : str or path-like
        The file to write; ``~`` is expanded, missing folders are made.
    eigenvalues : (k,) array, mm^-2, optional
        Finite.
    eigenvectors : (N, k) array, mm^-1, optional
        NaN in whole rows (vertices outside the domain), finite elsewhere.
    vertices : (N, 3) array, mm, optional
        Finite.
    faces : (F, 3) array of int, optional
        Indices of vertices.
    descriptors : mapping of str to array, optional
        Arrays of any shape: booleans, integers or real numbers, NaN allowed. A slash in a name
        makes an HDF5 group.
    metadata : mapping of str, optional
        Facts, stored as attributes: text, booleans, numbers, None, lists, tuples, dictionaries,
        NumPy scalars and arrays, paths, dates.
    compression : {'gzip', 'lzf', None}
        Filter of the arrays.
    compression_opts : int
        Level of gzip, from 0 (stored) to 9.
    mass : (N, N) sparse array, mm^2, optional
        Stored, and loaded, as CSR.
    n_threads : int, optional
        Threads that compress; the bytes do not depend on it. Default: what the process may use.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    ArrayError
        If arrays have forbidden values or do not fit together, or an option is unknown.
    ArrayTypeError
        If an array is masked, complex, of objects or of text.
    MetadataError
        If a metadata value would not come back equal; the message names its key.
    OSError
        If the disk refuses. The old file, if there was one, is still there.

    Notes
    -----
    The layout, and what is promised about it, is in ``docs/file-format.md``.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/sub-01.h5"
    >>> saved = save_hdf5(path, eigenvalues=[0.0, 0.5], metadata={"subject": "sub-01"})
    >>> load_hdf5(saved)
    {'eigenvalues': array([0. , 0.5]), 'metadata': {'subject': 'sub-01'}}
    """
    from spectralbrain.io._hdf5_contents import check_contents
    from spectralbrain.io._hdf5_write import write_hdf5

    target = absolute_path(path)
    if not isinstance(compression, str | None) or compression not in _COMPRESSIONS:
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


def save_mesh(
    path: PathLike,
    vertices: Vertices,
    faces: Faces,
    *,
    structure: str | None = None,
    vtk_dataset: str | None = None,
) -> Path:
    """Save a surface mesh; the suffix, in any case, says the format.

    Parameters
    ----------
    path : str or path-like
        Ends with .ply, .obj, .stl, .vtk, .vtp, .off, .surf.gii, or a FreeSurfer name such as
        ``lh.white`` or ``lh.pial``.
    vertices : (N, 3) array, mm
        Finite.
    faces : (F, 3) array of int
        Indices of vertices; order and orientation are kept.
    structure : str, optional
        For GIFTI only: the AnatomicalStructurePrimary in Workbench's words, such as 'CortexLeft'.
        Workbench shows no maps on a surface without one.
    vtk_dataset : {'polydata', 'unstructured_grid'}, optional
        For .vtk only: the kind of dataset, PolyData by default. meshio reads unstructured grids only.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    ArrayError
        If the suffix is not known, there is no vertex, an index is out of range, the format cannot
        hold the numbers, or `structure` or `vtk_dataset` is unknown or the format has no place for it.
    OSError
        If the disk refuses.

    Notes
    -----
    STL is a list of triangles without vertices: the order of vertices, unused vertices and equal
    vertices are lost, so values per vertex do not fit what a reader makes of it. STL, .surf.gii and
    FreeSurfer files hold float32 coordinates.

    VTK, and so ParaView, 3D Slicer and PyVista, open .ply, .stl, .obj, .vtk and .vtp; trimesh .ply,
    .stl, .obj and .off; meshio .ply, .stl, .obj and .off. A .vtk opens in meshio, and in trimesh where
    meshio is installed, if it is an unstructured grid; neither of them knows .vtp. .vtk and .vtp are
    PolyData by default, because programs that expect a surface take nothing else.

    Examples
    --------
    >>> import tempfile
    >>> save_mesh(tempfile.mkdtemp() + "/triangle.ply", np.eye(3), [[0, 1, 2]]).name
    'triangle.ply'
    """
    from spectralbrain.io._mesh_codecs import MESH_CODECS, codec_for_name

    target = absolute_path(path)
    codec = codec_for_name(target)
    if codec is None or target.name.lower().endswith(_OTHER_GIFTI):
        known = ", ".join(sorted(MESH_CODECS))
        raise ArrayError(f"path: expected a name that ends with one of {known}, found {target.name!r}")
    points = np.ascontiguousarray(as_array(vertices, Vertices, name="vertices"))
    triangles = np.ascontiguousarray(as_array(faces, Faces, name="faces"))
    check_face_range(triangles, len(points))
    if not len(points):
        raise ArrayError("vertices: expected at least one, found none")
    if codec.name == "stl" and not len(triangles):
        raise ArrayError("faces: expected at least one, because STL keeps nothing else, found none")
    options: dict[str, str] = {}
    if structure is not None:
        from spectralbrain.io._gifti import check_structure

        check_structure(structure)
        if codec.name != "gifti":
            raise ArrayError(f"structure: only GIFTI keeps it, found a path that ends with {target.suffix!r}")
        options["structure"] = structure
    if vtk_dataset is not None:
        from spectralbrain.io._vtk import DATASETS

        if not isinstance(vtk_dataset, str) or vtk_dataset not in DATASETS:
            raise ArrayError(f"vtk_dataset: expected {' or '.join(DATASETS)}, found {vtk_dataset!r}")
        if codec.name != "vtk":
            raise ArrayError(f"vtk_dataset: only .vtk has one, found a path that ends with {target.suffix!r}")
        options["vtk_dataset"] = vtk_dataset
    with atomic_write(target) as stream:
        codec.write(stream, points, triangles, **options)
    return target


def save_gifti_func(
    path: PathLike,
    scalars: ScalarMap | DescriptorMatrix,
    *,
    names: Sequence[str] | None = None,
    structure: str | None = None,
    units: str | None = None,
) -> Path:
    """Save scalar maps of a surface as GIFTI: one float32 array per map.

    Parameters
    ----------
    path : str or path-like
        Ends with .func.gii (intent NONE) or .shape.gii (intent SHAPE).
    scalars : (N,) or (N, T) array
        One map, or one map per column; NaN where there is no value.
    names : sequence of str, optional
        The maps' names, all different.
    structure : str, optional
        AnatomicalStructurePrimary, as Workbench writes it, such as 'CortexLeft'.
    units : str, optional
        Unit of the values, noted with each map.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    ArrayError
        If shapes, names or suffix do not fit, or float32 cannot hold a value: too large, too small
        to differ from zero, or an integer with too many digits.
    OSError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/lh_hks.shape.gii"
    >>> saved = save_gifti_func(path, np.ones((4, 2)), names=["t=1", "t=2"], structure="CortexLeft")
    >>> load_gifti_func(saved).shape
    (4, 2)
    """
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


def save_npz(path: PathLike = "", /, **arrays: npt.ArrayLike) -> Path:
    """Save named arrays as a NumPy archive that :func:`numpy.load` opens without pickles.

    Parameters
    ----------
    path : str or path-like
        The file; its name is taken as it is, no suffix is added.
    **arrays
        Booleans, integers, real numbers or dates, of any shape, under any name. A name that could
        leave the archive when it is unpacked ('../x') is quoted inside; :func:`load_npz` undoes it.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    ArrayTypeError
        If an array is masked, complex, of objects or of text.
    OSError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> saved = save_npz(tempfile.mkdtemp() + "/maps.npz", hks=np.ones(3), path=np.zeros(2))
    >>> sorted(load_npz(saved))
    ['hks', 'path']
    """
    from spectralbrain.io._npz import member_name, write_npz

    if not path and isinstance(arrays.get("path"), str | os.PathLike):
        path = arrays.pop("path")  # type: ignore[assignment]
    target = absolute_path(path)
    checked = {k: without_padding(plain_numbers(v, k, "biufmM")) for k, v in arrays.items()}
    for name in checked:
        member_name(name)
    with atomic_write(target) as stream:
        write_npz(stream, checked)  # type: ignore[arg-type]
    return target


def save_connectome(
    path: PathLike,
    matrix: ConnectomeMatrix,
    *,
    labels: Sequence[str] | None = None,
    sidecar: Mapping[str, Any] | None = None,
) -> Path:
    """Save a square matrix as a labelled TSV table, by the tabular rules of BIDS.

    Parameters
    ----------
    path : str or path-like
        The file.
    matrix : (R, R) array
        Any real numbers; NaN is written as ``n/a``, every other value so that it reads back to
        the same float64.
    labels : sequence of str, optional
        One per region, all different; default '0', '1' ...
    sidecar : mapping, optional
        Fields of a JSON file beside the table, with the keys of BIDS extension proposal 17. Directed,
        Weighted, ValidDiagonal and NonNegative are answered by the matrix if they are not given.
        Whenever the writing ends, no sidecar of this call stands beside another table, nor one of an
        earlier call beside this table. Without `sidecar` a file that stands there is left alone.

    Returns
    -------
    Path
        The absolute path of the table.

    Raises
    ------
    ArrayError
        If the matrix is not square or infinite somewhere, or the labels do not fit or hold
        characters that a table cannot.
    OSError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> saved = save_connectome(tempfile.mkdtemp() + "/c.tsv", [[0, 0.1], [np.nan, 0]], labels=["a", "b"])
    >>> print(saved.read_text().expandtabs(6), end="")
    node  a     b
    a     0.0   0.1
    b     n/a   0.0
    """
    from spectralbrain.io import _tsv

    target = absolute_path(path)
    values = as_array(matrix, ConnectomeMatrix, name="matrix")
    text = _tsv.format_table(values, _tsv.check_labels(labels, len(values)))
    if sidecar is not None:
        if target.suffix.lower() == ".json":
            raise ArrayError(f"path: expected another suffix than the sidecar's, found {target.name!r}")
        _tsv.write_table(target, text, target.with_suffix(".json"), _tsv.format_sidecar(sidecar, values))
        return target
    return write_text_atomic(target, text)
