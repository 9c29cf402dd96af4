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
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

MEMO_FOLDER = ".spectralbrain-digests"
SCHEME = 1  # raise when the texts below change: every node then runs again
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
# A file changed twice within one tick of the file system's clock keeps its ctime: a digest taken
# so soon after a change must not be remembered. Ticks are 10 ms at most where stamps have
# fractions of a second, and up to 2 s where they have none.
_FINE_TICK, _COARSE_TICK = 0.1, 2.0
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
    before = Path(path).stat()
    entry = folder / _entry_name(before) if folder is not None else None
    if entry is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            known = entry.read_text(encoding="ascii").strip()
            if _DIGEST.match(known):
                return known
    with Path(path).open("rb") as stream:
        value = hashlib.file_digest(stream, "sha256").hexdigest()
        after = os.fstat(stream.fileno())
    if entry is not None and _entry_name(before) == _entry_name(after):
        _remember(entry, value, before)
    return value


def _entry_name(stat: os.stat_result) -> str:
    state = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:40]


def _remember(entry: Path, value: str, stat: os.stat_result) -> None:
    """Write one entry, unless the file is too young to be told from a later state of itself."""
    with contextlib.suppress(OSError):  # a full disk or a read-only folder costs time, never a result
        entry.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=entry.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(value + "\n")
            now = Path(name).stat().st_mtime  # the clock of the file system, not of this machine
            tick = _FINE_TICK if stat.st_ctime_ns % 1_000_000_000 else _COARSE_TICK
            if now - stat.st_ctime > tick:
                Path(name).replace(entry)
                return
        except OSError:
            pass
        Path(name).unlink(missing_ok=True)


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
    if isinstance(value, np.ndarray):
        return f"array:{array_digest(value)}"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if files and isinstance(value, str) and Path(value).is_file():
        return _file_fingerprint(value)
    return f"{type(value).__name__}:{value!r}"


def _file_fingerprint(path: str) -> str:
    """Return name and digest; an unreadable file gives a text that never repeats.

    Raising here would stop the scheduler; the node itself shall fail, with its own message.
    """
    try:
        return f"file:{Path(path).name!r}:{file_digest(path)}"
    except OSError as error:
        return f"unreadable:{Path(path).name!r}:{error.errno}:{os.urandom(8).hex()}"
