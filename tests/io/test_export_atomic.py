"""The atomic writer: whole files or none, no litter, nobody else's work touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spectralbrain.errors import ArrayError, ArrayTypeError
from spectralbrain.io import _atomic, _watcher
from spectralbrain.io._atomic import (
    absolute_path,
    atomic_write,
    remove_litter,
    write_bytes_atomic,
    write_text_atomic,
)
from spectralbrain.io._watcher import removed_if_writer_dies

# A shell that starts a job in the background lets it ignore SIGINT, nohup SIGHUP: the writer undoes that.
WRITER = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from spectralbrain.io._atomic import atomic_write
with atomic_write(sys.argv[1]) as stream:
    stream.write(b"x" * 10000)
    stream.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def start_writer(path, code=WRITER):
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


def end(process, signum):
    process.send_signal(signum)
    status = process.wait(timeout=30)
    process.stdout.close()
    return status


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_bytes_arrive_whole(tmp_path):
    path = write_bytes_atomic(tmp_path / "a" / "b.bin", b"new")
    assert path == tmp_path / "a" / "b.bin"
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["b.bin"]


def test_text_is_utf8_with_its_line_ends(tmp_path):
    assert write_text_atomic(tmp_path / "t", "ä\n\r\n").read_bytes() == b"\xc3\xa4\n\r\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_exception_leaves_the_old_file_and_no_litter(tmp_path, error):
    path = write_bytes_atomic(tmp_path / "f", b"old")

    def interrupted():
        with atomic_write(path) as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_an_exception_removes_the_folders_it_made(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "x" / "y" / "f"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_readers_see_the_old_file_until_the_end(tmp_path):
    path = write_bytes_atomic(tmp_path / "f", b"old")
    with atomic_write(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_is_replaced_and_its_target_left_alone(tmp_path, dangling):
    target = tmp_path / "target"
    if not dangling:
        target.write_bytes(b"precious")
    link = tmp_path / "link"
    link.symlink_to(target)
    assert write_bytes_atomic(link, b"new") == link
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"
    assert target.exists() != dangling
    if not dangling:
        assert target.read_bytes() == b"precious"


def test_a_folder_behind_a_link_is_written_into(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    assert write_bytes_atomic(tmp_path / "alias" / "f", b"x") == tmp_path / "alias" / "f"
    assert (tmp_path / "real" / "f").read_bytes() == b"x"


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
def test_a_new_file_follows_the_umask(tmp_path, umask):
    old = os.umask(umask)
    try:
        path = write_bytes_atomic(tmp_path / "f", b"x")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = write_bytes_atomic(tmp_path / "f", b"x")
    path.chmod(0o600)
    write_bytes_atomic(path, b"y")
    assert path.stat().st_mode & 0o777 == 0o600


def test_names_as_long_as_the_file_system_allows(tmp_path):
    path = write_bytes_atomic(tmp_path / ("n" * 255), b"x")
    assert path.read_bytes() == b"x"


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_bytes_atomic("~/deep/f", b"x") == tmp_path / "deep" / "f"


def test_relative_paths_come_back_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_bytes_atomic("ü ö.txt", b"x") == tmp_path / "ü ö.txt"


@pytest.mark.parametrize("path", ["", "a\0b", "folder/"])
def test_paths_that_name_no_file(path):
    with pytest.raises(ArrayError, match="path: expected a file name"):
        absolute_path(path)


@pytest.mark.parametrize("path", [3, None, b"bytes", ["a"]])
def test_paths_of_another_type(path):
    with pytest.raises(ArrayTypeError, match="path: expected a string or a path"):
        absolute_path(path)


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError):
        write_bytes_atomic(tmp_path / "d", b"x")


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write_bytes_atomic(tmp_path / "pipe", b"x")
    assert names(tmp_path) == ["pipe"]


def test_a_device_is_not_replaced():
    with pytest.raises(OSError, match="not a regular file"):
        write_bytes_atomic("/dev/null", b"x")
    assert Path("/dev/null").is_char_device()


def test_a_file_as_parent_is_an_error(tmp_path):
    write_bytes_atomic(tmp_path / "f", b"x")
    with pytest.raises(OSError, match="f"):
        write_bytes_atomic(tmp_path / "f" / "g", b"x")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_that_ask_leave_no_litter(tmp_path, signum):
    write_bytes_atomic(tmp_path / "f", b"old")
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "f")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    assert len(names(tmp_path)) == 2
    assert end(process, signum) == -signum
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_the_callers_handler_is_respected(tmp_path):
    code = "import signal; signal.signal(signal.SIGTERM, lambda *a: (_ for _ in ()).throw(SystemExit(7)))"
    process = start_writer(tmp_path / "f", code + WRITER)
    assert end(process, signal.SIGTERM) == 7
    assert names(tmp_path) == []


@pytest.fixture
def default_handler():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("default_handler")
def test_handlers_are_given_back(tmp_path):
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with atomic_write(tmp_path / "f"):
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        with atomic_write(tmp_path / "g"):
            pass
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_forked_child_that_is_told_to_end_leaves_the_parents_work(tmp_path):
    code = """
import os, signal, sys, time
from spectralbrain.io._atomic import atomic_write
with atomic_write(sys.argv[1]) as stream:
    stream.write(b"whole")
    wait, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(ready, b"x")  # CPython drops the signals that arrive before fork() returns
        while True:
            time.sleep(0.01)
    os.read(wait, 1)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "f"], check=True, timeout=60)
    assert (tmp_path / "f").read_bytes() == b"whole"
    assert names(tmp_path) == ["f"]


def test_the_next_save_removes_the_litter_of_a_killed_writer(tmp_path):
    assert end(start_writer(tmp_path / "f"), signal.SIGKILL) == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    write_bytes_atomic(tmp_path / "other", b"x")
    assert names(tmp_path) == ["other"]


@pytest.mark.parametrize("stopped", [False, True])
def test_the_work_of_a_living_writer_is_left_alone(tmp_path, stopped):
    code = WRITER.replace("time.sleep(60)", "sys.stdin.readline()")
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "f")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    if stopped:
        process.send_signal(signal.SIGSTOP)
    write_bytes_atomic(tmp_path / "f", b"from another")
    assert len(names(tmp_path)) == 2
    process.send_signal(signal.SIGCONT)
    process.communicate("go on\n", timeout=30)
    assert process.returncode == 0
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"x" * 10000


def test_another_machines_temporary_rests_a_day_before_it_is_litter(tmp_path):
    temporary = tmp_path / ".spectralbrain-00000000-0123456789abcdef.tmp"
    temporary.write_bytes(b"x")
    assert remove_litter(tmp_path) == 0
    yesterday = time.time() - 25 * 3600
    os.utime(temporary, (yesterday, yesterday))
    assert remove_litter(tmp_path) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [".spectralbrain-0-0.tmp", ".spectralbrain-notes.tmp", "x.tmp", ".f.swp"])
def test_files_of_others_are_never_litter(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    write_bytes_atomic(tmp_path / "f", b"x")
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_link_that_looks_like_litter_is_not_followed(tmp_path):
    (tmp_path / "victim").write_bytes(b"x")
    link = tmp_path / ".spectralbrain-00000000-0123456789abcdef.tmp"
    link.symlink_to(tmp_path / "victim")
    assert remove_litter(tmp_path) == 0
    assert (tmp_path / "victim").exists()


def test_a_full_disk_is_an_error_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_bytes_atomic(tmp_path / "f", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def in_a_thread(code):
    """The same writer in another thread, where no handler can run: the signal ends the process at once."""
    code = code.replace("with atomic", "def write():\n  with atomic").replace("\n    ", "\n      ")
    return code + "import threading\nthreading.Thread(target=write).start()\n"


def wait_until(condition, seconds=20):
    stop = time.monotonic() + seconds
    while not condition() and time.monotonic() < stop:
        time.sleep(0.01)
    return condition()


NAMED = "from spectralbrain.io import _atomic\n_atomic._create_nameless = lambda folder: None\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("old", [None, b"old"], ids=["new", "replaced"])
@pytest.mark.parametrize("before", ["", NAMED], ids=["as the system can", "with a hidden name"])
def test_a_writer_in_a_thread_that_dies_leaves_no_litter(tmp_path, before, old, signum):
    if old:
        write_bytes_atomic(tmp_path / "f", old)
    process = start_writer(tmp_path / "f", before + in_a_thread(WRITER))
    hidden = len(names(tmp_path)) - (1 if old else 0)
    assert hidden == 1 if before else hidden <= 1
    assert end(process, signum) == -signum
    if not hidden:
        assert names(tmp_path) == (["f"] if old else [])  # at once
    assert wait_until(lambda: names(tmp_path) == (["f"] if old else []))


def test_a_signal_right_before_the_rename_in_a_thread_leaves_no_litter(tmp_path):
    write_bytes_atomic(tmp_path / "f", b"old")
    trap = """
import os, pathlib
def die(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
pathlib.Path.replace = die
"""
    writer = WRITER.replace("time.sleep(60)", "pass").replace(
        "from spectralbrain", trap + "from spectralbrain"
    )
    process = start_writer(tmp_path / "f", in_a_thread(writer))
    assert process.wait(timeout=30) == -signal.SIGTERM
    process.stdout.close()
    assert wait_until(lambda: names(tmp_path) == ["f"])
    assert (tmp_path / "f").read_bytes() == b"old"


@pytest.fixture
def watchers(monkeypatch):
    """The processes that are started to watch."""
    started = []
    start = _watcher._start
    monkeypatch.setattr(_watcher, "_start", lambda *both: started.append(start(*both)) or started[-1])
    return started


@pytest.mark.parametrize("pause", [0.0, 0.1] * 5)
def test_the_watcher_hears_no_signal_that_may_end_the_writer(tmp_path, watchers, pause):
    (tmp_path / "f").write_bytes(b"")
    with removed_if_writer_dies(tmp_path / "f"):
        time.sleep(pause)
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            os.kill(watchers[0], signum)
        time.sleep(0.1)
        assert os.waitpid(watchers[0], os.WNOHANG) == (0, 0)
        assert (tmp_path / "f").exists()
    assert not (tmp_path / "f").exists()  # its name had not changed


def test_in_a_thread_a_new_file_has_no_other_name_before(tmp_path, monkeypatch):
    """So that there is no moment at which a signal leaves something; replacing takes a name and a rename."""
    if not hasattr(os, "O_TMPFILE"):
        return
    given = []
    give_name = _atomic._give_name
    monkeypatch.setattr(_atomic, "_give_name", lambda *both: given.append(both) or give_name(*both))
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write_bytes_atomic, tmp_path / "new", b"1").result()
        assert given == []
        pool.submit(write_bytes_atomic, tmp_path / "new", b"2").result()
        pool.submit(write_bytes_atomic, tmp_path / "dangling", b"3").result()
        assert len(given) == 2
    assert (tmp_path / "new").read_bytes() == b"2"
    assert (tmp_path / "dangling").read_bytes() == b"3"
    assert not (tmp_path / "dangling").is_symlink()
    assert names(tmp_path) == ["dangling", "new"]


@pytest.mark.parametrize("nameless", ["yes", "no", "but no link"])
def test_threads_write_as_the_main_thread_does(tmp_path, monkeypatch, nameless):
    if nameless == "no":
        monkeypatch.setattr(_atomic, "_OPEN_FILES", tmp_path / "not there")
    if nameless == "but no link":

        def link(*arguments, **options):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
    path = write_bytes_atomic(tmp_path / "f", b"old")
    path.chmod(0o640)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(write_bytes_atomic, path, b"new").result() == path
        assert pool.submit(write_bytes_atomic, tmp_path / "g", b"x").result() == tmp_path / "g"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "g").stat().st_mode & 0o777 == 0o666 & ~umask
    assert names(tmp_path) == ["f", "g"]


def test_without_a_shell_a_thread_writes_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(_watcher, "_SHELL", str(tmp_path / "no shell"))
    with ThreadPoolExecutor(1) as pool:
        for text in (b"1", b"2"):
            pool.submit(write_bytes_atomic, tmp_path / "f", text).result()
    assert (tmp_path / "f").read_bytes() == b"2"
    assert names(tmp_path) == ["f"]


def test_a_thread_leaves_no_process_behind(tmp_path, monkeypatch, watchers):
    with ThreadPoolExecutor(1) as pool:
        for text in (b"1", b"2"):
            pool.submit(write_bytes_atomic, tmp_path / "f", text).result()
        monkeypatch.setattr(_atomic, "_create_nameless", lambda folder: None)
        with pytest.raises(RuntimeError):
            pool.submit(fail_to_write, tmp_path / "f").result()
    assert len(watchers) >= 2
    for watcher in watchers:
        with pytest.raises(ProcessLookupError):
            os.kill(watcher, 0)
    assert names(tmp_path) == ["f"]


def fail_to_write(path):
    with atomic_write(path):
        raise RuntimeError
