"""Writing a file so that a reader sees the old one or the new one, and never anything between.

The bytes go to a hidden sibling, are flushed to the disk and renamed over the destination. Each
writer holds a lock on its sibling, so that the next save in that folder can tell the litter of a
killed writer from the work of a living one. Signals that ask a process to end are met by a handler in
the main thread. In every other a file has no name, where the system knows such files, until it takes its
place; as long as it has a hidden one, a watcher stands by.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import threading
import zlib
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import IO

from spectralbrain.errors import ArrayError, ArrayTypeError
from spectralbrain.io._watcher import removed_if_writer_dies
from spectralbrain.runtime import PathLike

_SUFFIX = ".tmp"
_PATTERN = re.compile(r"\.spectralbrain-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")
# A lock says nothing about a writer on another machine if the file system keeps locks to itself;
# such a file is litter only once nobody has touched it for a day, by the file server's own clock.
_FOREIGN_REST = 24 * 3600.0
_OPEN_FILES = Path("/proc/self/fd")
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

_open_lock = threading.RLock()
_open_temporaries: dict[Path, int] = {}


def absolute_path(path: PathLike) -> Path:
    """Return `path` as an absolute path, ``~`` expanded, symbolic links left alone.

    Parameters
    ----------
    path : str or path-like
        The path.

    Returns
    -------
    Path

    Raises
    ------
    ArrayTypeError
        If `path` is not a string or path-like object.
    ArrayError
        If `path` is empty or holds a null character.

    Examples
    --------
    >>> absolute_path("/data/../out/map.npz")
    PosixPath('/out/map.npz')
    """
    try:
        text = os.fspath(path)
    except TypeError as error:
        raise ArrayTypeError(f"path: expected a string or a path, found {type(path).__name__}") from error
    if not isinstance(text, str):
        raise ArrayTypeError(f"path: expected a string or a path, found {type(text).__name__}")
    if not text or "\0" in text:
        raise ArrayError(f"path: expected a file name, found {text!r}")
    # abspath drops "a/.." without looking at links, and a trailing slash; a file cannot have one
    if text.endswith(os.sep):
        raise ArrayError(f"path: expected a file name, found the folder {text!r}")
    return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - resolve() would follow links


@contextlib.contextmanager
def atomic_write(path: PathLike, *, buffering: int = -1) -> Generator[IO[bytes], None, None]:
    """Open a binary stream whose bytes become `path` all at once when the block ends.

    Missing parent folders are made. The new file follows the umask, or keeps the permissions of
    the regular file it replaces. A symbolic link is replaced, its target left alone. An exception
    in the block, and SIGTERM or SIGHUP, leave the old file and nothing else. What a killed process
    leaves, the next save removes.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    buffering : int
        As in :func:`open`; 0 for a raw stream.

    Yields
    ------
    binary stream
        Readable, writable and seekable.

    Raises
    ------
    IsADirectoryError
        If `path` is a folder.
    OSError
        If `path` is a device, pipe or socket, or if the disk refuses the bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(folder + "/note.txt") as stream:
    ...         _ = stream.write(b"whole or not at all")
    ...     Path(folder, "note.txt").read_text()
    'whole or not at all'
    """
    target = absolute_path(path)
    mode = _mode_to_keep(target)
    made = _make_parents(target.parent)
    try:
        remove_litter(target.parent)
        with _termination_removes_temporaries():
            yield from _write_sibling(target, mode, buffering)
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def write_bytes_atomic(path: PathLike, data: bytes | bytearray | memoryview) -> Path:
    """Write `data` to `path` as :func:`atomic_write` does, and return the absolute path."""
    with atomic_write(path) as stream:
        stream.write(data)
    return absolute_path(path)


def write_text_atomic(path: PathLike, text: str) -> Path:
    """Write `text` as UTF-8, line ends untouched, and return the absolute path."""
    return write_bytes_atomic(path, text.encode("utf-8"))


def remove_litter(folder: Path) -> int:
    """Remove the temporary files of writers that are dead; return how many."""
    removed = 0
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _PATTERN.fullmatch(entry.name)]
    except OSError:
        return 0
    for name in names:
        removed += _remove_if_dead(folder / name)
    return removed


def _remove_if_dead(temporary: Path) -> bool:
    match = _PATTERN.fullmatch(temporary.name)
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if match and match[1] != _machine() and not _rests(temporary.parent, descriptor):
            return False
        temporary.unlink()
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _rests(folder: Path, descriptor: int) -> bool:
    """Whether a file was last written more than a day before now, by the clock of its file server."""
    name, probe = _create(folder)
    try:
        return os.fstat(probe).st_mtime - os.fstat(descriptor).st_mtime > _FOREIGN_REST
    finally:
        os.close(probe)
        name.unlink()


def _write_sibling(target: Path, mode: int | None, buffering: int) -> Generator[IO[bytes], None, None]:
    with contextlib.ExitStack() as watch:
        temporary, descriptor = _create_locked(target.parent, watch)
        try:
            if mode is not None:
                with contextlib.suppress(OSError):
                    os.fchmod(descriptor, mode)
            with open(descriptor, "w+b", buffering=buffering, closefd=False) as stream:
                yield stream
                stream.flush()
            os.fsync(descriptor)
            nameless = os.fstat(descriptor).st_nlink == 0
            if not (nameless and _appears(descriptor, target)):
                if nameless:
                    watch.enter_context(removed_if_writer_dies(temporary))
                    _give_name(descriptor, temporary)
                temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        finally:
            with _open_lock:
                _open_temporaries.pop(temporary, None)
            os.close(descriptor)
    _sync_folder(target.parent)


def _create_locked(folder: Path, watch: contextlib.ExitStack) -> tuple[Path, int]:
    in_main_thread = threading.current_thread() is threading.main_thread()
    nameless = None if in_main_thread else _create_nameless(folder)
    if nameless is not None:
        _lock(nameless)
        return _new_name(folder), nameless
    while True:
        with _open_lock:
            # Termination between creation and registration would leave the file: register first.
            name = _new_name(folder)
            _open_temporaries[name] = os.getpid()
        if not in_main_thread:
            watch.enter_context(removed_if_writer_dies(name))
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except BaseException:
            with _open_lock:
                _open_temporaries.pop(name, None)
            raise
        if _lock(descriptor) and os.fstat(descriptor).st_nlink > 0:
            return name, descriptor
        # Another save took this file for litter between its creation and its lock.
        os.close(descriptor)
        with contextlib.suppress(OSError):
            name.unlink()
        with _open_lock:
            _open_temporaries.pop(name, None)


def _create_nameless(folder: Path) -> int | None:
    """Create a file that vanishes with its process, where the system can."""
    if not _OPEN_FILES.is_dir():
        return None
    try:
        return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
    except (OSError, AttributeError):  # the attribute is missing on macOS
        return None


def _appears(descriptor: int, target: Path) -> bool:
    """Let a nameless file appear at its destination, where nothing stands that would have to be replaced."""
    try:
        os.link(_OPEN_FILES / str(descriptor), target, src_dir_fd=descriptor)
    except OSError:
        return False
    return True


def _give_name(descriptor: int, name: Path) -> None:
    try:
        # with a folder given, Python follows the link as linkat(2) asks for
        os.link(_OPEN_FILES / str(descriptor), name, src_dir_fd=descriptor)
    except OSError:  # a file system or a security module that does not allow it
        with name.open("xb") as copy, open(descriptor, "rb", closefd=False) as stream:
            _lock(copy.fileno())
            os.fchmod(copy.fileno(), stat.S_IMODE(os.fstat(descriptor).st_mode))
            stream.seek(0)
            shutil.copyfileobj(stream, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _create(folder: Path) -> tuple[Path, int]:
    name = _new_name(folder)
    return name, os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _new_name(folder: Path) -> Path:
    return folder / f".spectralbrain-{_machine()}-{secrets.token_hex(8)}{_SUFFIX}"


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _UNSUPPORTED
    return True


def _machine() -> str:
    """Name this boot of this kernel, whatever container we are in: locks hold within it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = socket.gethostname()
    return f"{zlib.crc32(boot.encode()):08x}"


def _mode_to_keep(target: Path) -> int | None:
    try:
        found = target.lstat()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None  # the creation of the parents raises the error that names the culprit
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if stat.S_ISLNK(found.st_mode):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file, and it will not be replaced by one", str(target))
    return stat.S_IMODE(found.st_mode) & 0o777


def _make_parents(folder: Path) -> list[Path]:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
    return missing


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system lets a folder be synchronised
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _termination_removes_temporaries() -> Generator[None, None, None]:
    """Let a signal that would end the process remove its temporaries first, then end it as before.

    Only the main thread may set handlers; for the others there is :mod:`spectralbrain.io._watcher`. A
    handler of the caller's own is respected: what it raises removes the file like any exception.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for signum in ours:
        signal.signal(signum, _terminate)
    try:
        yield
    finally:
        for signum in ours:
            if signal.getsignal(signum) is _terminate:
                signal.signal(signum, signal.SIG_DFL)


def _terminate(signum: int, frame: FrameType | None) -> None:
    for name, owner in list(_open_temporaries.items()):
        if owner == os.getpid():  # a forked child must not remove its parent's work
            with contextlib.suppress(OSError):
                name.unlink()
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
