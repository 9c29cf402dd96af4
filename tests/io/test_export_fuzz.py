"""Readers under fire: mutated files give a FormatError or a result, never a crash, hang or leak.

The mutations run in processes of their own, so that a crash of a library is seen as what it is.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

FUZZER = """
import faulthandler, os, random, resource, signal, struct, sys, threading, time, warnings
from pathlib import Path
import numpy as np
import spectralbrain as sb
from spectralbrain.io import _hdf5_integrity

warnings.simplefilter("ignore")
faulthandler.enable()
kind, folder, seed, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)
values = np.random.default_rng(0).standard_normal((40, 4))
faces = np.arange(60).reshape(20, 3) % 40
MESHES = ("ply", "obj", "stl", "vtk", "vtp", "off", "surf.gii", "white")


def make():
    if kind in ("hdf5", "resealed", "lzf"):
        path = sb.save_hdf5(folder / "x.h5", compression="lzf" if kind == "lzf" else "gzip",
                            eigenvectors=values, eigenvalues=np.arange(4.0), faces=faces,
                            descriptors={"hks": values}, metadata={"a": "text", "b": [1, {"c": None}]})
        return path, sb.load_hdf5
    if kind == "npz":
        return sb.save_npz(folder / "x.npz", a=values, b=np.zeros(9000), c=np.array("x" == "x")), sb.load_npz
    if kind == "tsv":
        return sb.save_connectome(folder / "x.tsv", values[:4], labels=list("abcd")), sb.load_connectome
    if kind == "func.gii":
        return sb.save_gifti_func(folder / "x.func.gii", values, names=list("abcd")), sb.load_gifti_func
    return sb.save_mesh(folder / f"lh.{kind}", values[:, :3], faces), sb.load_mesh


def mutate(data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not data:
            break
        at, length = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 40))
        what = rng.randrange(8)
        if what == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[at : at + length] = rng.randbytes(length)
        elif what == 2:
            del data[at : at + length]
        elif what == 3:
            data[at:at] = data[at : at + length] * rng.choice((1, 3))
        elif what == 4:
            data[at : at + length] = bytes([rng.choice((0, 255, 127, 128))]) * length
        elif what == 5:
            number = rng.choice((-1, 2**31, 2**62, 2**40, -(2**63)))
            data[at : at + 8] = struct.pack(rng.choice("<>") + "q", number)
        elif what == 6:
            data = data[:at]
        else:
            words = (b"-1", b"99999999999999999999", b"nan", b"1e999", b"<", b"\\n", b"'")
            data[at : at + length] = rng.choice(words)
    return bytes(data)


def reseal(data):
    # a forger's seal: good digests over bad bytes, so that their index or libhdf5 does parse them
    path = folder / "x.h5"
    cut = max(0, len(data) - index_length)
    path.write_bytes(data[:cut])
    with open(path, "r+b") as stream:
        _hdf5_integrity.seal(stream.fileno(), 1, data[cut:] if index_length else b"")


def hang(signum, frame):
    faulthandler.dump_traceback()
    os._exit(99)


path, read = make()
whole = path.read_bytes()
read(path)
if kind in ("resealed", "lzf"):
    length, index_length = struct.unpack_from("<QQ", whole[-_hdf5_integrity.FOOTER :], 16)
    assert (index_length > 0) == (kind == "resealed")
    whole = whole[:length]
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2)
before = len(os.listdir("/proc/self/fd"))
signal.signal(signal.SIGALRM, hang)
outcomes = {"good": 0, "refused": 0}
for _ in range(rounds):
    if kind == "resealed" and rng.random() < 0.8:
        data = whole[:-index_length] + mutate(whole[-index_length:])
    else:
        data = mutate(whole)
    reseal(data) if kind in ("resealed", "lzf") else path.write_bytes(data)
    signal.alarm(40)
    try:
        read(path)
        outcomes["good"] += 1
    except sb.SpectralBrainError as error:
        assert path.name in str(error), error
        outcomes["refused"] += 1
    signal.alarm(0)
assert len(os.listdir("/proc/self/fd")) <= before + 1
assert threading.active_count() == 1
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20
assert outcomes["refused"] > rounds // 20, outcomes
print(outcomes)
"""
ROUNDS = {"hdf5": 250, "resealed": 1000, "lzf": 25, "npz": 400, "tsv": 300, "func.gii": 300}
MESHES = ("ply", "obj", "stl", "vtk", "vtp", "off", "surf.gii")


@pytest.mark.parametrize("kind", [*ROUNDS, *MESHES])
def test_mutated_files(tmp_path, kind):
    done = subprocess.run(
        [sys.executable, "-c", FUZZER, kind, tmp_path, "1", str(ROUNDS.get(kind, 150))],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
