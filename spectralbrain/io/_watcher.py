"""A process that removes a temporary file when its writer dies.

Only the main thread of a Python process can have handlers of signals. For a file that another thread
writes, a shell waits at the end of a pipe, deaf to the signals that may end the writer. The system closes
the pipe when the writer is done or dead, and the shell removes the file, if it still has its temporary name.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Generator
from pathlib import Path

_SHELL = "/bin/sh"
# Blocked signals keep the shell until it ignores them; a shell may unblock them for what it runs.
_SCRIPT = """trap '' TERM HUP INT QUIT; read -r _; rm -f -- "$1\""""
_BLOCKED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


@contextlib.contextmanager
def removed_if_writer_dies(name: Path) -> Generator[None, None, None]:
    """Remove a file as soon as this process dies, until the block ends.

    A copy of this process that is forked meanwhile holds the pipe, too, until it ends. Without a shell, or
    where no more processes are allowed, the file stays for the next save.

    Parameters
    ----------
    name : Path
        The file, which need not exist yet.
    """
    reading, writing = os.pipe()
    try:
        watcher = _start(name, reading)
    finally:
        os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        if watcher is not None:
            with contextlib.suppress(ChildProcessError):  # where the caller ignores SIGCHLD
                os.waitpid(watcher, 0)


def _start(name: Path, reading: int) -> int | None:
    """Start the shell, None if the system does not let us."""
    actions = [
        (os.POSIX_SPAWN_DUP2, reading, 0),
        *((os.POSIX_SPAWN_OPEN, output, os.devnull, os.O_WRONLY, 0) for output in (1, 2)),
    ]
    with contextlib.suppress(OSError):
        return os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _SCRIPT, _SHELL, os.fspath(name)],
            os.environ,
            file_actions=actions,
            setpgroup=0,
            setsigmask=_BLOCKED,
        )
    return None
