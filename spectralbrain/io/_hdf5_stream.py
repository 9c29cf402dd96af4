"""Hand Python streams to libhdf5 without leaving anything that it could trip over at exit.

libhdf5 calls back into Python when a property list that holds a stream is closed. If one is still
alive when the interpreter has gone (kept by a traceback, or by a file nobody closed), the process
dies with a segmentation fault after its work was done. So the lists are closed here, at once, and
files at exit at the latest.
"""

from __future__ import annotations

import io
import weakref
from typing import Any

import h5py
from h5py import h5f, h5fd, h5p

# The oldest format that stores attributes of any size; HDF5 1.8 and everything later reads it.
_FORMAT = h5f.LIBVER_V18


def open_stream(stream: io.RawIOBase, *, write: bool = False) -> Any:
    """Open an HDF5 file through a stream that offers seek, tell, readinto and for writing also write,
    truncate and flush; none of these may raise.

    Returns
    -------
    h5py.File
    """
    access = h5p.create(h5p.FILE_ACCESS)
    try:
        access.set_fclose_degree(h5f.CLOSE_STRONG)
        access.set_fileobj_driver(h5fd.fileobj_driver, stream)
        if write:
            access.set_libver_bounds(_FORMAT, _FORMAT)
            creation = h5p.create(h5p.FILE_CREATE)
            creation.set_obj_track_times(False)
            identifier = h5f.create(b"stream", h5f.ACC_TRUNC, creation, access)
        else:
            identifier = h5f.open(b"stream", h5f.ACC_RDONLY, access)
    finally:
        access.close()
    file = h5py.File(identifier)
    weakref.finalize(file, _close, identifier)
    return file


def _close(identifier: Any) -> None:
    """Close a file nobody closed, at exit or when it is forgotten."""
    if identifier.valid:
        identifier.close()
