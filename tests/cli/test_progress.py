"""The bar on a terminal, and the lines elsewhere."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios

import pytest

from spectralbrain.cli.progress import Progress


def test_lines_where_there_is_no_terminal(capsys):
    with Progress(2, "participants") as progress:
        progress.done("sub-01: well")
        progress.done("sub-02: FAILED", failed=True)
    assert capsys.readouterr().out == "[1/2] sub-01: well\n[2/2] sub-02: FAILED\n"


@pytest.mark.parametrize("columns", [0, 60])
def test_a_bar_on_a_terminal_even_of_unknown_width(monkeypatch, capsys, columns):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", columns and 24, columns, 0, 0))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress(2, "participants") as progress:
            progress.done("sub-01: well")
            progress.done("sub-02: FAILED", failed=True)
        shown = b""
        while b" 2/2 " not in shown and select.select([ours], [], [], 10)[0]:
            shown += os.read(ours, 10_000)  # the kernel passes on what was written in pieces
    os.close(ours)
    assert b"100%" in shown
    assert b" 2/2 " in shown
    assert capsys.readouterr().out == "[2/2] sub-02: FAILED\n"
