"""Writers that are killed, starved and crowded: the destination is the old file or the new one."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.io import _atomic, _hdf5_integrity

# One version of each kind of file; `version` decides what is in it, and can be read back.
KINDS = """
import numpy as np
import spectralbrain as sb

SIZE = {size}
SUFFIX = {{"hdf5": "x.h5", "npz": "x.npz", "tsv": "x.tsv", "gifti": "x.func.gii", "mesh": "x.ply"}}

def values(version, shape):
    return np.random.default_rng(version).standard_normal(shape)

def save(kind, path, version):
    if kind == "hdf5":
        return sb.save_hdf5(path, eigenvectors=values(version, (SIZE, 20)), metadata={{"version": version}})
    if kind == "npz":
        return sb.save_npz(path, x=values(version, (SIZE, 20)))
    if kind == "tsv":
        return sb.save_connectome(path, values(version, (SIZE // 100, SIZE // 100)))
    if kind == "gifti":
        return sb.save_gifti_func(path, values(version, (SIZE, 20)))
    return sb.save_mesh(path, values(version, (SIZE * 5, 3)), np.arange(SIZE * 3).reshape(-1, 3))

def check(kind, path):
    if kind == "hdf5":
        found = sb.load_hdf5(path)
        assert np.array_equal(found["eigenvectors"], values(found["metadata"]["version"], (SIZE, 20)))
        return
    found = {{
        "npz": lambda: sb.load_npz(path)["x"],
        "tsv": lambda: sb.load_connectome(path)[0],
        "gifti": lambda: sb.load_gifti_func(path),
        "mesh": lambda: sb.load_mesh(path).vertices,
    }}[kind]()
    assert any(np.allclose(found, values(version, found.shape), atol=1e-6) for version in range(12))
"""
ALL_KINDS = ("hdf5", "npz", "tsv", "gifti", "mesh")
SMALL = KINDS.format(size=4000)
namespace: dict = {}
exec(SMALL, namespace)
save, check, SUFFIX = namespace["save"], namespace["check"], namespace["SUFFIX"]


def python(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", SMALL + textwrap.dedent(code), *map(str, arguments)], **options
    )


def visible(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_kill_at_any_moment(tmp_path, kind):
    """A writer in a loop is killed many times; the file is whole, and the next save cleans up."""
    path = tmp_path / SUFFIX[kind]
    save(kind, path, 0)
    rng = random.Random(kind)
    code = """
    import sys
    print("ready", flush=True)
    for version in range(1, 10**6):
        save(sys.argv[1], sys.argv[2], version % 12)
    """
    for _ in range(4):
        process = python(code, kind, path, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.03 + rng.random() * 0.2)
        process.kill()
        process.wait()
        process.stdout.close()
        check(kind, path)
    save(kind, path, 1)
    assert visible(tmp_path) == [path.name]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_terminated_at_any_moment(tmp_path, kind):
    path = tmp_path / SUFFIX[kind]
    code = """
    import sys
    print("ready", flush=True)
    for version in range(10**6):
        save(sys.argv[1], sys.argv[2], version % 12)
    """
    rng = random.Random(kind)
    for _ in range(3):
        process = python(code, kind, path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        time.sleep(0.03 + rng.random() * 0.2)
        process.terminate()
        assert process.wait(timeout=30) == -signal.SIGTERM
        process.stdout.close()
        assert visible(tmp_path) in ([path.name], [])
    if path.exists():
        check(kind, path)


@pytest.mark.parametrize("limit", [0, 4096, 20_000])
def test_a_limit_on_the_size_of_files(tmp_path, limit):
    """The writer gets an OSError, ends normally, and the old file is there."""
    for kind in ALL_KINDS:
        save(kind, tmp_path / SUFFIX[kind], 0)
    code = """
    import errno, resource, sys
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    refused = []
    for kind, name in SUFFIX.items():
        try:
            save(kind, f"{sys.argv[1]}/{name}", 1)
        except OSError as error:
            assert error.errno == errno.EFBIG, error
            refused.append(kind)
    assert refused == list(SUFFIX), refused
    sys.exit(42)
    """
    assert python(code, tmp_path, limit).wait(timeout=60) == 42
    for kind in ALL_KINDS:
        check(kind, tmp_path / SUFFIX[kind])
    assert visible(tmp_path) == sorted(SUFFIX.values())


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_a_disk_that_is_full_after_some_writes(tmp_path, monkeypatch, after):
    path = tmp_path / "x.h5"
    save("hdf5", path, 0)
    real, count = os.pwrite, iter(range(10**9))

    def full(descriptor, data, offset):
        if next(count) >= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        save("hdf5", path, 1)
    monkeypatch.undo()
    check("hdf5", path)
    assert visible(tmp_path) == ["x.h5"]


def test_a_disk_that_takes_a_few_bytes_at_a_time(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: real(fd, bytes(data[:1000]), offset))
    path = save("hdf5", tmp_path / "x.h5", 3)
    monkeypatch.undo()
    check("hdf5", path)


@pytest.mark.parametrize("name", ["fsync", "pwrite", "ftruncate"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken disk"), KeyboardInterrupt(), MemoryError()])
def test_what_fails_is_what_is_raised(tmp_path, monkeypatch, name, error):
    path = tmp_path / "x.h5"
    save("hdf5", path, 0)

    def broken(*arguments):
        raise error

    monkeypatch.setattr(os, name, broken)
    with pytest.raises(type(error)) as caught:
        save("hdf5", path, 1)
    monkeypatch.undo()
    assert caught.value is error
    check("hdf5", path)
    assert visible(tmp_path) == ["x.h5"]


def test_a_compressor_that_fails(tmp_path, monkeypatch):
    from spectralbrain.io import _hdf5_write

    path = tmp_path / "x.h5"
    save("hdf5", path, 0)

    def broken(chunk, level):
        raise MemoryError("no room for the chunk")

    monkeypatch.setattr(_hdf5_write, "encode_chunk", broken)
    with pytest.raises(MemoryError, match="no room"):
        sb.save_hdf5(path, eigenvectors=np.ones((200_000, 4)), n_threads=3)
    check("hdf5", path)
    assert visible(tmp_path) == ["x.h5"]
    assert threading.active_count() < 10


def test_eight_writers_and_a_reader(tmp_path):
    for kind in ALL_KINDS:
        save(kind, tmp_path / SUFFIX[kind], 0)
    code = """
    import sys
    for version in (int(sys.argv[2]), int(sys.argv[2]) + 4):
        for kind, name in SUFFIX.items():
            save(kind, f"{sys.argv[1]}/{name}", version)
    """
    writers = [python(code, tmp_path, i) for i in range(8)]
    while any(writer.poll() is None for writer in writers):
        for kind in ALL_KINDS:
            check(kind, tmp_path / SUFFIX[kind])
    assert [writer.returncode for writer in writers] == [0] * 8
    for kind in ALL_KINDS:
        check(kind, tmp_path / SUFFIX[kind])
    assert visible(tmp_path) == sorted(SUFFIX.values())


def test_writers_in_threads(tmp_path):
    path = tmp_path / "x.h5"
    failures = []

    def write(version):
        try:
            for i in range(3):
                save("hdf5", path, (version + i) % 12)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check("hdf5", path)
    assert visible(tmp_path) == ["x.h5"]


@pytest.mark.parametrize("wait", [0.05, 0.1, 0.2, 0.3])
def test_a_signal_while_another_thread_writes(tmp_path, wait):
    """Only the main thread may set handlers: what a thread leaves, its watcher removes."""
    code = """
    import sys, threading
    def write():
        for version in range(10**6):
            save("hdf5", sys.argv[1], version % 12)
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    print("ready", flush=True)
    thread.join()
    """
    path = save("hdf5", tmp_path / "x.h5", 0)
    process = python(code, path, stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(wait)
    process.terminate()
    process.wait(timeout=30)
    process.stdout.close()
    stop = time.monotonic() + 20
    while list(tmp_path.iterdir()) != [path] and time.monotonic() < stop:
        time.sleep(0.01)
    assert list(tmp_path.iterdir()) == [path]
    check("hdf5", path)


def test_readers_hold_no_locks(tmp_path):
    path = save("hdf5", tmp_path / "x.h5", 0)
    with sb.open_hdf5(path) as old:
        before = old["eigenvectors"][0]
        save("hdf5", path, 1)
        np.testing.assert_array_equal(old["eigenvectors"][0], before)
    check("hdf5", path)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    real = os.open

    def refuse(path, flags, *arguments, **options):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError):
        save("hdf5", tmp_path / "x.h5", 1)
    assert _atomic._open_temporaries == {}


def test_memory_stays_near_the_array(tmp_path):
    """Writing and reading take at most 200 MB beside the array."""
    code = """
    import resource, sys
    array = np.random.default_rng(0).standard_normal((120_000, 100))
    sb.save_hdf5(sys.argv[1], eigenvalues=np.arange(3.0))  # what importing takes is not counted
    sb.load_hdf5(sys.argv[1])
    status = "/proc/self/status"  # ru_maxrss would start at the peak of the parent
    peak = lambda: 1024 * int([line for line in open(status) if line.startswith("VmHWM")][0].split()[1])
    base = peak()
    sb.save_hdf5(sys.argv[1], eigenvectors=array)
    assert peak() - base < 200e6, (peak(), base)
    found = sb.load_hdf5(sys.argv[1])["eigenvectors"]
    assert peak() - base < array.nbytes + 200e6, (peak(), base)
    """
    assert python(code, tmp_path / "x.h5").wait(timeout=120) == 0


def test_limits_are_those_of_this_process():
    """The tests above must not have limited the suite itself."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] in (resource.RLIM_INFINITY, 2**63 - 1)
    assert _atomic._open_temporaries == {}
    assert _hdf5_integrity.BLOCK == 2**16
