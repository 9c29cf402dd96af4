"""What a node's hash is made of: content of arrays and files, full floats, our version.

Nipype 1.x prints arrays in short form and floats to ten decimals before hashing them, and leaves
the library's version out, so that a changed input can return an old answer. Here every value
becomes a text that no other value shares.

File digests are remembered in the work directory, one small file per state of an input file, under
its device, inode, size, mtime and ctime: an unchanged file is read once, not once per consumer.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import pickle
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

MEMO_FOLDER = ".spectralbrain-digests"
SCHEME = 2  # raise when the texts below change: every node then runs again
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
# A file changed twice within one tick of the file system's clock keeps its ctime: a digest taken
# so soon after a change must not be remembered. Ticks are 10 ms at most where stamps have
# fractions of a second, and up to 2 s where they have none.
_FINE_TICK, _COARSE_TICK = 0.1, 2.0
_WORTH_WAITING = 32 * 2**20  # bytes that take longer to read again than the finest tick lasts
_memo_folder: ContextVar[Path | None] = ContextVar("spectralbrain_digest_memo", default=None)


@contextlib.contextmanager
def remembering_digests(folder: Path | None) -> Iterator[None]:
    """Within this context, remember the digests of files in `folder` (None: do not remember)."""
    token = _memo_folder.set(folder)
    try:
        yield
    finally:
        _memo_folder.reset(token)


def array_digest(array: Any) -> str:
    """Return a digest of an array's dtype, shape and bytes.

    Examples
    --------
    >>> a, b = np.zeros(5000), np.zeros(5000)
    >>> array_digest(a) == array_digest(b)
    True
    >>> b[2500] = -0.0
    >>> array_digest(a) == array_digest(b)
    False
    """
    array = np.asarray(array)
    if array.dtype.hasobject:  # its bytes are addresses
        return hashlib.sha256(repr(fingerprint(array.tolist(), files=False)).encode()).hexdigest()
    digest = hashlib.sha256(repr((array.dtype.descr, array.shape)).encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content, from memory if the file has not changed since.

    Parameters
    ----------
    path : path
        An existing file; a symbolic link stands for its target.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    folder = _memo_folder.get()
    if folder is None:
        return _digest(path)[0]
    state = Path(path).stat()
    entry = folder / _entry_name(state)
    with contextlib.suppress(OSError, UnicodeDecodeError):
        known = entry.read_text(encoding="ascii").strip()
        if _DIGEST.match(known):
            return known
    new = _new_entry(folder, state)
    value, after = _digest(path)
    if new is not None:
        _keep(new, entry, value if _entry_name(after) == entry.name else "")
    return value


def _digest(path: str | os.PathLike[str]) -> tuple[str, os.stat_result]:
    """Read a file; return its digest and what it was like when the reading ended."""
    with Path(path).open("rb") as stream:
        value = hashlib.file_digest(stream, "sha256").hexdigest()
        return value, os.fstat(stream.fileno())


def _entry_name(stat: os.stat_result) -> str:
    state = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:40]


def _new_entry(folder: Path, stat: os.stat_result) -> Path | None:
    """Begin an entry before the reading begins; None if the file is too young to be remembered.

    The entry's own date is the clock of the file system, which need not be that of this machine.
    """
    tick = _FINE_TICK if stat.st_ctime_ns % 1_000_000_000 else _COARSE_TICK
    with contextlib.suppress(OSError):  # a full disk or a read-only folder costs time, never a result
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
        os.close(handle)
        age = Path(name).stat().st_mtime - stat.st_ctime
        if 0 <= age <= tick <= _FINE_TICK and stat.st_size >= _WORTH_WAITING:
            time.sleep(1.2 * tick)  # cheaper than a second reading by the next consumer
            os.utime(name)
            age = Path(name).stat().st_mtime - stat.st_ctime
        if age > tick:
            return Path(name)
        Path(name).unlink()
    return None


def _keep(new: Path, entry: Path, value: str) -> None:
    """Finish an entry, or drop it if there is no value to keep."""
    with contextlib.suppress(OSError):
        if value:
            new.write_text(value + "\n", encoding="ascii")
            new.replace(entry)
        else:
            new.unlink()


def code_fingerprint(interface: type, function: str = "") -> list[Any]:
    """Return what tells an interface's code apart: its class, and the modules that are not of this library.

    A class of your own may share its spec with one of ours, and its code changes without our version.

    Parameters
    ----------
    interface : type
    function : str
        Dotted name of what it calls.
    """
    modules = {cls.__module__ for cls in interface.__mro__} | {function.rpartition(".")[0]}
    own = sorted(name for name in modules if name and name.partition(".")[0] not in _LIBRARIES)
    files = (getattr(importlib.import_module(name), "__file__", None) for name in own)
    code = [_file_fingerprint(path) for path in files if path]
    return ["code", f"{interface.__module__}.{interface.__qualname__}", function, *code]


_LIBRARIES = {"spectralbrain", "nipype", "traits", "builtins"}


def digest_of_text(text: str) -> str:
    """Return a digest as long as those of Nipype."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(value: Any, *, files: bool) -> Any:
    """Return a value that prints differently for every different input.

    Parameters
    ----------
    value : object
        What a trait holds.
    files : bool
        Whether a text that names an existing file stands for the file's content. The file's name
        belongs to the result (formats are told by suffix, outputs are named after inputs); its
        folder does not, so that a moved folder reruns nothing.

    Returns
    -------
    object
        Nested lists and texts.

    Examples
    --------
    >>> fingerprint(1e-12, files=False) == fingerprint(1e-14, files=False)
    False
    >>> fingerprint(True, files=False) == fingerprint(1, files=False)
    False
    """
    if isinstance(value, Mapping):
        pairs = [
            (fingerprint(key, files=False), fingerprint(item, files=files)) for key, item in value.items()
        ]
        return ["dict", *sorted(pairs, key=repr)]
    if isinstance(value, set | frozenset):
        return ["set", *sorted((fingerprint(item, files=files) for item in value), key=repr)]
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return [kind, *(fingerprint(item, files=files) for item in value)]
    if isinstance(value, np.ma.MaskedArray):
        return ["masked", array_digest(value.data), array_digest(np.ma.getmaskarray(value))]
    if isinstance(value, np.ndarray | memoryview):
        return f"array:{array_digest(value)}"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if files and isinstance(value, str) and Path(value).is_file():
        return _file_fingerprint(value)
    if value is None or isinstance(value, _PRINTED_WHOLE):
        return f"{type(value).__name__}:{value!r}"
    return f"{type(value).__name__}:{_pickled(value)}"


_PRINTED_WHOLE = (bool, int, float, complex, str, bytes)


def _pickled(value: Any) -> str:
    """Return a digest of an object that prints in short form: a data frame, a sparse matrix ..."""
    try:
        return hashlib.sha256(pickle.dumps(value, protocol=4)).hexdigest()
    except Exception:  # what cannot be told apart from other values never repeats
        return os.urandom(8).hex()


def _file_fingerprint(path: str) -> str:
    """Return name and digest; an unreadable file gives a text that never repeats.

    Raising here would stop the scheduler; the node itself shall fail, with its own message.
    """
    try:
        return f"file:{Path(path).name!r}:{file_digest(path)}"
    except OSError as error:
        return f"unreadable:{Path(path).name!r}:{error.errno}:{os.urandom(8).hex()}"
