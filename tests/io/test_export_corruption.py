"""Damage is detected wherever it hits: an error that names the file, or the identical result."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

import spectralbrain as sb
from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_integrity import FOOTER

SEED = 20240612


def contents(n=200, k=8):
    rng = np.random.default_rng(SEED)
    eigenvectors = rng.standard_normal((n, k))
    eigenvectors[3] = np.nan
    return {
        "eigenvalues": np.arange(k) / 8,
        "eigenvectors": eigenvectors,
        "vertices": rng.standard_normal((n, 3)),
        "faces": rng.integers(0, n, (2 * n, 3)),
        "descriptors": {"hks": rng.random((n, 3)).astype("f4"), "on": rng.random(n) > 0.5},
        "metadata": {"subject": "sub-01", "k": k, "grid": np.arange(9.0), "nested": {"a": [1, None]}},
        "mass": sp.eye_array(n, format="csr"),
    }


def same(found, given):
    if found.keys() != given.keys() or found["descriptors"].keys() != given["descriptors"].keys():
        return False
    arrays = ["eigenvalues", "eigenvectors", "vertices", "faces"]
    pairs = [(found[name], given[name]) for name in arrays]
    pairs += [(found["descriptors"][name], given["descriptors"][name]) for name in given["descriptors"]]
    pairs += [(getattr(found["mass"], p), getattr(given["mass"], p)) for p in ("data", "indices", "indptr")]
    pairs.append((found["metadata"]["grid"], given["metadata"]["grid"]))
    return all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs
    ) and all(found["metadata"][key] == given["metadata"][key] for key in ("subject", "k", "nested"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    given = contents()
    return sb.save_hdf5(tmp_path_factory.mktemp("saved") / "whole.h5", **given), given


def or_format_error(read, path):
    """Return what `read` does, None if it raises a FormatError that names the file."""
    try:
        return read(path)
    except FormatError as error:
        if path.name not in str(error):
            raise AssertionError(f"{error} does not name {path.name}") from error
        return None


def flipped(path, offset, bit):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    return bytes(data)


@pytest.mark.parametrize("compression", ["gzip", None, "lzf"])
def test_single_flips(tmp_path, compression):
    """Every one is told from its digest, before anything is made of the bytes."""
    path = sb.save_hdf5(tmp_path / "whole.h5", **contents(), compression=compression)
    size = path.stat().st_size
    rng = random.Random(SEED)
    damaged = tmp_path / "damaged.h5"
    for _ in range(400):
        offset, bit = rng.randrange(size - FOOTER), rng.randrange(8)
        damaged.write_bytes(flipped(path, offset, bit))
        with pytest.raises(FormatError, match=r"damaged\.h5"):
            sb.load_hdf5(damaged)


def test_every_flip_of_the_footer(tmp_path, saved):
    """Where the mark of the seal is hit, the file looks like one without; the stamp inside tells."""
    path, _ = saved
    size = path.stat().st_size
    damaged = tmp_path / "damaged.h5"
    for offset in [size - FOOTER, *range(size - FOOTER + 8, size)]:
        for bit in range(8) if offset > size - FOOTER else (3,):
            damaged.write_bytes(flipped(path, offset, bit))
            with pytest.raises(FormatError, match=r"damaged\.h5"):
                sb.load_hdf5(damaged)


def test_a_lazy_handle_finds_the_damage_it_reads(tmp_path, saved):
    path, given = saved
    size = path.stat().st_size
    rng = random.Random(SEED)
    damaged = tmp_path / "damaged.h5"
    for _ in range(200):
        damaged.write_bytes(flipped(path, rng.randrange(size - FOOTER), rng.randrange(8)))
        found = or_format_error(first_three_modes, damaged)
        if found is not None:
            np.testing.assert_array_equal(found, given["eigenvectors"][:, :3])


def first_three_modes(path):
    with sb.open_hdf5(path) as handle:
        return handle["eigenvectors"][:, :3]


def test_a_lazy_handle_leaves_what_it_does_not_read(tmp_path):
    rng = np.random.default_rng(SEED)
    values = rng.standard_normal((20_000, 100))
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvectors=values)
    with h5py.File(path) as file:
        info = file["eigenvectors"].id.get_chunk_info_by_coord((0, 75))
    data = bytearray(path.read_bytes())
    data[info.byte_offset + info.size // 2] ^= 1
    path.write_bytes(data)
    with sb.open_hdf5(path) as handle:
        np.testing.assert_array_equal(handle["eigenvectors"][:, :25], values[:, :25])
        with pytest.raises(FormatError, match="damaged"):
            handle["eigenvectors"][:, 75:]


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 63, 64, 65, 500, 0.25, 0.5, 0.9, 0.999, -65, -64, -16, -1])
def test_a_truncated_file(tmp_path, saved, keep):
    path, _ = saved
    data = path.read_bytes()
    cut = tmp_path / "cut.h5"
    cut.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    for read in (sb.load_hdf5, sb.open_hdf5):
        with pytest.raises(FormatError, match=r"cut\.h5"):
            read(cut)


@pytest.mark.parametrize("extra", [b"\0", b"x" * 64, b"\n" * 100_000])
def test_an_extended_file(tmp_path, saved, extra):
    path, _ = saved
    longer = tmp_path / "longer.h5"
    longer.write_bytes(path.read_bytes() + extra)
    with pytest.raises(FormatError, match=r"longer\.h5"):
        sb.load_hdf5(longer)


def test_blocks_that_changed_places(tmp_path):
    path = sb.save_hdf5(tmp_path / "x.h5", vertices=np.random.default_rng(0).random((20_000, 3)))
    data = bytearray(path.read_bytes())
    block = 2**16
    data[block : 2 * block], data[2 * block : 3 * block] = (
        data[2 * block : 3 * block],
        data[block : 2 * block],
    )
    path.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        sb.load_hdf5(path)


def test_half_of_one_file_and_half_of_another(tmp_path):
    one = sb.save_hdf5(tmp_path / "1.h5", eigenvalues=np.arange(50_000.0), compression=None)
    two = sb.save_hdf5(tmp_path / "2.h5", eigenvalues=np.arange(50_000.0) + 1, compression=None)
    a, b = one.read_bytes(), two.read_bytes()
    assert len(a) == len(b)
    one.write_bytes(a[: len(a) // 2] + b[len(b) // 2 :])
    with pytest.raises(FormatError):
        sb.load_hdf5(one)


def test_a_file_that_another_program_changed(tmp_path, saved):
    path = shutil.copy(saved[0], tmp_path / "changed.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["subject"] = "sub-02"
    with pytest.raises(FormatError, match="seal"):
        sb.load_hdf5(path)


def test_a_file_that_shrinks_while_it_is_open(tmp_path):
    values = np.random.default_rng(0).random((50_000, 10))
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvectors=values)
    with sb.open_hdf5(path) as handle:
        os.truncate(path, 10_000)
        with pytest.raises(FormatError):
            handle["eigenvectors"][...]


@pytest.mark.parametrize("content", [b"", b"\0", b"\x89HDF\r\n\x1a\n", b"hello", b"CDF\x01" + bytes(100)])
@pytest.mark.parametrize(
    "read", [sb.load_hdf5, sb.open_hdf5, sb.load_npz, sb.load_connectome, sb.load_gifti_func]
)
def test_files_of_something_else(tmp_path, read, content):
    path = tmp_path / "foreign.bin"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"foreign\.bin"):
        read(path)


@pytest.mark.parametrize(
    "read", [sb.load_hdf5, sb.open_hdf5, sb.load_npz, sb.load_connectome, sb.load_gifti_func]
)
def test_files_that_are_none(tmp_path, read):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing")
    with pytest.raises((IsADirectoryError, FormatError)):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="pipe"):
        read(tmp_path / "pipe")


def test_readers_leave_no_descriptors_open(tmp_path, saved):
    path, _ = saved
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(flipped(path, 5000, 1))
    unsealed = tmp_path / "unsealed.h5"
    unsealed.write_bytes(path.read_bytes()[:-FOOTER])
    before = open_descriptors()
    for _ in range(2):
        sb.load_hdf5(path)
        sb.open_hdf5(path).close()
        for bad in (damaged, unsealed):
            with pytest.raises(FormatError):
                sb.load_hdf5(bad)
    assert open_descriptors() <= before


def open_descriptors():
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else 0


def test_npz_flips(tmp_path):
    given = {"a": np.arange(20.0), "../b": np.zeros(3000, "i2"), "ü": np.array(3)}
    path = sb.save_npz(tmp_path / "x.npz", **given)
    whole = path.read_bytes()
    rng = random.Random(SEED)
    places = [(i, rng.randrange(8)) for i in range(len(whole))]
    for offset, bit in places:
        data = bytearray(whole)
        data[offset] ^= 1 << bit
        path.write_bytes(data)
        found = or_format_error(sb.load_npz, path)
        if found is not None:
            assert found.keys() == given.keys()
            for name in given:
                assert found[name].dtype == given[name].dtype
                np.testing.assert_array_equal(found[name], given[name])


def test_a_truncated_npz(tmp_path):
    whole = sb.save_npz(tmp_path / "x.npz", x=np.arange(30), **{"../y": np.ones(2)}).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"cut\.npz"):
            sb.load_npz(tmp_path / "cut.npz")


def test_threads_share_a_handle(tmp_path):
    values = np.random.default_rng(0).random((20_000, 50))
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvectors=values)
    failures = []
    with sb.open_hdf5(path) as handle:

        def read(start):
            try:
                for i in range(5):
                    column = (start + 7 * i) % 50
                    np.testing.assert_array_equal(handle["eigenvectors"][:, column], values[:, column])
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_handle_opens_in_milliseconds(tmp_path):
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvectors=np.random.default_rng(0).random((40_000, 100)))
    sb.open_hdf5(path).close()
    start = time.process_time()
    for _ in range(5):
        sb.open_hdf5(path).close()
    assert (time.process_time() - start) / 5 < 0.05
