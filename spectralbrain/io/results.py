"""Read back what :mod:`spectralbrain.io.export` writes.

Every reader checks what it reads, locks nothing, and raises
:class:`~spectralbrain.errors.FormatError` rather than return something else than was written.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._atomic import absolute_path
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import ConnectomeMatrix, PathLike

if TYPE_CHECKING:
    from spectralbrain.io._hdf5_handle import HDF5Handle


def load_hdf5(path: PathLike, *, n_threads: int | None = None) -> dict[str, Any]:
    """Load everything from a file of :func:`save_hdf5`, of this or any past version.

    Parameters
    ----------
    path : str or path-like
        The file. It is not locked.
    n_threads : int, optional
        Threads that decompress.

    Returns
    -------
    dict
        The keys and values that were passed: 'eigenvalues', 'eigenvectors', 'vertices', 'faces',
        'descriptors', 'metadata', 'mass'. What was not passed is not there.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file is damaged in any bit, truncated, foreign, hostile or of a newer version.

    Examples
    --------
    >>> from spectralbrain.io.export import save_hdf5
    >>> load_hdf5(save_hdf5("sub-01.h5", eigenvalues=[0.0, 2.0], metadata={"surface": "white"}))
    {'eigenvalues': array([0., 2.]), 'metadata': {'surface': 'white'}}
    """
    from spectralbrain.io._hdf5_handle import load

    return load(absolute_path(path), resolve_threads(n_threads))


def open_hdf5(path: PathLike, *, n_threads: int | None = None) -> HDF5Handle:
    """Open a file of :func:`save_hdf5` without reading its arrays.

    Parameters
    ----------
    path : str or path-like
        The file.
    n_threads : int, optional
        Threads that decompress.

    Returns
    -------
    HDF5Handle
        A mapping like the dictionary of :func:`load_hdf5`, to be used in a ``with`` statement. Its
        arrays are read, and checked against their digests, when they are indexed.

    Raises
    ------
    FileNotFoundError, FormatError
        As :func:`load_hdf5`; damage to an array is found when that part of it is read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from spectralbrain import save_hdf5
    >>> path = save_hdf5(tempfile.mkdtemp() + "/modes.h5", eigenvectors=np.eye(5))
    >>> with open_hdf5(path) as handle:
    ...     handle["eigenvectors"][:2, :3]
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    from spectralbrain.io._hdf5_handle import open_file

    return open_file(absolute_path(path), resolve_threads(n_threads))


def load_gifti_func(path: PathLike) -> npt.NDArray[Any]:
    """Load the scalar maps of a GIFTI file, stacked as columns.

    Parameters
    ----------
    path : str or path-like
        A file of any writer; maps of all intents but surfaces and labels are taken.

    Returns
    -------
    (N,) or (N, T) array
        As stored, float32 for our own files.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file is damaged or hostile, or holds no maps.

    Examples
    --------
    >>> from spectralbrain.io.export import save_gifti_func
    >>> load_gifti_func(save_gifti_func("lh.shape.gii", [0.5, 1.5]))
    array([0.5, 1.5], dtype=float32)
    """
    from spectralbrain.io._gifti import read_maps

    return read_maps(absolute_path(path))


def load_npz(path: PathLike) -> dict[str, npt.NDArray[Any]]:
    """Load all arrays of a NumPy archive, our own or another's; pickles are refused.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    dict of str to array

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the archive is damaged, hostile, or holds something else than plain arrays.

    Examples
    --------
    >>> from spectralbrain.io.export import save_npz
    >>> load_npz(save_npz("shapedna.npz", shapedna=[25.1, 25.2]))
    {'shapedna': array([25.1, 25.2])}
    """
    from spectralbrain.io._hdf5_integrity import open_regular
    from spectralbrain.io._npz import read_npz

    target = absolute_path(path)
    descriptor = open_regular(target)
    try:
        return read_npz(target, descriptor)
    finally:
        os.close(descriptor)


def load_connectome(path: PathLike) -> tuple[ConnectomeMatrix, list[str]]:
    """Load a matrix and its labels from a labelled table.

    Parameters
    ----------
    path : str or path-like
        A table of :func:`save_connectome`, or of another program if the rows bear the labels of the
        columns; the name of the first column does not matter.

    Returns
    -------
    matrix : (R, R) array
        NaN where the table says ``n/a``.
    labels : list of str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If it is not such a table; the message names the line.

    Examples
    --------
    >>> from spectralbrain.io.export import save_connectome
    >>> path = save_connectome("relmat.tsv", [[0.0, 1.0], [1.0, 0.0]], labels=["a", "b"])
    >>> matrix, labels = load_connectome(path)
    >>> labels, matrix.tolist()
    (['a', 'b'], [[0.0, 1.0], [1.0, 0.0]])
    """
    from spectralbrain.io._content import read_content
    from spectralbrain.io._tsv import parse_table

    target = absolute_path(path)
    try:
        text = read_content(target).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{target}: expected UTF-8 text ({error})") from error
    return parse_table(text, target)
