"""What other programs see: the HDF5 layout, filters, versions, and the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spectralbrain as sb
from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_attributes import VERSION
from spectralbrain.io._hdf5_chunks import CHUNK_BYTES, chunk_shape
from spectralbrain.io._hdf5_contents import FORMAT_VERSION

DATA = Path(__file__).parent / "data"
BIG = {"array": np.arange(30_000.0), "text": "ä" * 200_000}

# Written by the code below with the first release of format 2; see test_version_2
VERSION_2 = """
import numpy as np
import scipy.sparse as sp
import spectralbrain as sb

def contents():
    n, k = 42, 6
    eigenvectors = np.sin(np.arange(n * k, dtype=float)).reshape(n, k)
    eigenvectors[[3, 5]] = np.nan
    return dict(
        eigenvalues=np.arange(k) / 4,
        eigenvectors=eigenvectors,
        vertices=np.cos(np.arange(3 * n, dtype=float)).reshape(n, 3),
        faces=np.arange(78).reshape(26, 3) % n,
        descriptors={
            "hks": np.ones((n, 4), "f4"), "a/b": np.arange(5, dtype=">i2"), "cortex": np.arange(n) > 4
        },
        metadata={
            "subject": "sub-01", "k": k, "none": None, "tree": {"a": [1, (2.5, "x")]}, "grid": np.arange(4.0)
        },
        mass=sp.eye_array(n, format="csr"),
    )
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    rng = np.random.default_rng(0)
    return sb.save_hdf5(
        tmp_path_factory.mktemp("layout") / "x.h5",
        eigenvalues=np.arange(60.0),
        eigenvectors=rng.standard_normal((9000, 60)),
        vertices=rng.standard_normal((9000, 3)),
        faces=rng.integers(0, 9000, (18_000, 3)),
        descriptors={"hks": rng.random((9000, 5)), "größe/大": np.arange(3)},
        metadata={"subject": "sub-01", **BIG},
    )


def test_plain_h5py_sees_the_documented_layout(saved):
    with h5py.File(saved) as file:
        assert set(file) == {"eigenvalues", "eigenvectors", "vertices", "faces", "descriptors"}
        assert file["eigenvectors"].shape == (9000, 60)
        assert file["descriptors/hks"].shape == (9000, 5)
        assert file["descriptors"]["größe"]["大"][2] == 2
        assert file.attrs["subject"] == "sub-01"
        np.testing.assert_array_equal(file.attrs["array"], BIG["array"])
        assert file.attrs["text"] == BIG["text"]
        assert file.attrs[VERSION] == FORMAT_VERSION
        found = sb.load_hdf5(saved)
        np.testing.assert_array_equal(file["eigenvectors"][...], found["eigenvectors"])
        np.testing.assert_array_equal(file["faces"][...], found["faces"])


def test_h5dump_reads_everything(saved):
    program = shutil.which("h5dump")
    if program is None:
        pytest.skip("h5dump is not installed")
    for arguments in (["-H"], ["-a", "/array"], ["-a", "/text"], ["-d", "/eigenvectors"], []):
        done = subprocess.run([program, *arguments, str(saved)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert "HDF5" in done.stdout


@pytest.mark.parametrize("level", range(10))
def test_levels_are_honoured(tmp_path, level):
    values = np.round(np.random.default_rng(0).standard_normal((5000, 20)), 2)
    path = sb.save_hdf5(tmp_path / "x.h5", descriptors={"x": values}, compression_opts=level)
    with h5py.File(path) as file:
        data = file["descriptors/x"]
        assert (data.compression, data.compression_opts, data.shuffle) == ("gzip", level, True)
        np.testing.assert_array_equal(data[...], values)


def test_higher_levels_are_smaller(tmp_path):
    values = np.round(np.random.default_rng(0).standard_normal((20_000, 20)), 2)
    sizes = [
        sb.save_hdf5(tmp_path / "x.h5", descriptors={"x": values}, compression_opts=level).stat().st_size
        for level in (0, 1, 4, 6, 9)
    ]
    assert sizes[0] > values.nbytes
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] > sizes[3] > sizes[4]


@pytest.mark.parametrize(("compression", "expected"), [("gzip", "gzip"), ("lzf", "lzf"), (None, None)])
def test_the_filter_is_the_one_asked_for(tmp_path, compression, expected):
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvalues=np.arange(1000.0), compression=compression)
    with h5py.File(path) as file:
        assert file["eigenvalues"].compression == expected
        np.testing.assert_array_equal(file["eigenvalues"][...], np.arange(1000.0))


KINDS_OF_DATA = {
    "noise": lambda rng: rng.standard_normal((30_000, 25)),
    "noise_float32": lambda rng: rng.standard_normal((30_000, 25)).astype("f4"),
    "float32_as_float64": lambda rng: rng.standard_normal((30_000, 25)).astype("f4").astype("f8"),
    "zeros": lambda rng: np.zeros((30_000, 25)),
    "labels": lambda rng: rng.integers(0, 70, 300_000),
    "faces": lambda rng: rng.integers(0, 160_000, (100_000, 3)),
    "mask": lambda rng: rng.random(300_000) > 0.1,
    "smooth": lambda rng: np.sin(np.linspace(0, 9, 600_000)).reshape(-1, 20),
    "masked_rows": lambda rng: np.where(rng.random((30_000, 1)) < 0.1, np.nan, rng.random((30_000, 25))),
    "repeated": lambda rng: np.tile(rng.standard_normal(1000), 600).reshape(-1, 20),
    "integers_as_float": lambda rng: rng.integers(0, 99, (30_000, 20)).astype(float),
}


@pytest.mark.parametrize("kind", KINDS_OF_DATA)
def test_files_are_not_larger_than_h5pys_own(tmp_path, kind):
    values = KINDS_OF_DATA[kind](np.random.default_rng(0))
    ours = sb.save_hdf5(tmp_path / "ours.h5", descriptors={"x": values})
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file.create_dataset("x", data=values, compression="gzip", compression_opts=4)
    np.testing.assert_array_equal(sb.load_hdf5(ours)["descriptors"]["x"], values)
    assert ours.stat().st_size <= 1.01 * (tmp_path / "plain.h5").stat().st_size + 10_000


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_every_version_load(version):
    found = sb.load_hdf5(DATA / f"format_v{version}.h5")
    assert found["eigenvectors"].shape == (42, 6)
    assert np.isnan(found["eigenvectors"][[3, 5]]).all()
    assert found["metadata"]["subject"] == "sub-01"
    assert not any("version" in key for key in found["metadata"])
    assert found["descriptors"]["cortex"].dtype == bool
    with sb.open_hdf5(DATA / f"format_v{version}.h5") as handle:
        np.testing.assert_array_equal(handle["eigenvectors"][2:9, ::-1], found["eigenvectors"][2:9, ::-1])
        assert handle.metadata.keys() == found["metadata"].keys()


def test_version_1_as_spectralbrain_0_1_0_wrote_it():
    found = sb.load_hdf5(DATA / "format_v1.h5")
    assert set(found) == {"eigenvalues", "eigenvectors", "vertices", "faces", "descriptors", "metadata"}
    np.testing.assert_array_equal(found["eigenvalues"], np.arange(6) / 4)
    assert found["faces"].dtype == np.int64
    assert found["descriptors"]["hks"].dtype == np.float32
    scales = found["metadata"].pop("scales")
    np.testing.assert_array_equal(scales, [1.0, 2.0, 4.0])
    assert found["metadata"] == {
        "subject": "sub-01",
        "hemi": "lh",
        "n_eigenvalues": 6,
        "tol": 1e-9,
        "masked": True,
        "names": ["a", "b"],
    }


def test_version_2():
    """Every value of the kept file is what the code above put in."""
    space: dict = {}
    exec(VERSION_2, space)
    expected = space["contents"]()
    kept = sb.load_hdf5(DATA / "format_v2.h5")
    assert kept.keys() == expected.keys()
    for name in ("eigenvalues", "eigenvectors", "vertices", "faces"):
        np.testing.assert_array_equal(kept[name], expected[name])
    for name, values in expected["descriptors"].items():
        np.testing.assert_array_equal(kept["descriptors"][name], values)
        assert kept["descriptors"][name].dtype == values.dtype
    assert (kept["mass"] != expected["mass"]).nnz == 0
    np.testing.assert_array_equal(kept["metadata"].pop("grid"), expected["metadata"].pop("grid"))
    assert kept["metadata"] == expected["metadata"]


def test_a_version_from_the_future(tmp_path, monkeypatch):
    from spectralbrain.io import _hdf5_contents

    monkeypatch.setattr(_hdf5_contents, "FORMAT_VERSION", 3)
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvalues=[1.0])
    monkeypatch.undo()
    for read in (sb.load_hdf5, sb.open_hdf5):
        with pytest.raises(FormatError, match="newer SpectralBrain"):
            read(path)


EVERY_WRITER = (
    VERSION_2
    + """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
values = np.random.default_rng(0).standard_normal((60_000, 9))
sb.save_hdf5(folder / "a.h5", **contents())
sb.save_hdf5(folder / "b.h5", descriptors={"x": values}, n_threads=int(sys.argv[2]))
sb.save_hdf5(folder / "c.h5", descriptors={"x": values}, compression="lzf")
sb.save_npz(folder / "d.npz", x=values, y=np.zeros(9000))
sb.save_connectome(folder / "e.tsv", values[:9, :9], sidecar={"Weighted": True})
sb.save_gifti_func(folder / "f.func.gii", values, structure="CortexLeft")
for suffix in ("ply", "obj", "stl", "vtk", "vtp", "off", "surf.gii", "white"):
    sb.save_mesh(folder / f"lh.{suffix}", values[:, :3], np.arange(60).reshape(20, 3))
"""
)


def test_every_process_writes_the_same_bytes(tmp_path):
    digests = []
    for seed, threads in (("0", 1), ("12345", 2), ("random", 5)):
        folder = tmp_path / seed
        folder.mkdir()
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "TZ": f"UTC{threads}",
            "MALLOC_PERTURB_": str(threads),
        }
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(EVERY_WRITER), folder, str(threads)],
            check=True,
            env=environment,
        )
        digests.append(
            {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
        )
    assert len(digests[0]) == 15
    assert digests[0] == digests[1] == digests[2]


def test_the_same_values_in_another_memory_layout_give_the_same_bytes(tmp_path):
    values = np.random.default_rng(0).standard_normal((500, 40))
    whole = np.zeros((1000, 80))
    whole[::2, ::2] = values
    variants = [values, np.asfortranarray(values), whole[::2, ::2], values.tolist()]
    found = {
        sb.save_hdf5(tmp_path / f"{i}.h5", eigenvectors=variant).read_bytes()
        for i, variant in enumerate(variants)
    }
    assert len(found) == 1


def test_absent_items_are_absent_keys(tmp_path):
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "n.h5")) == {}
    assert set(sb.load_hdf5(sb.save_hdf5(tmp_path / "e.h5", eigenvalues=[1.0]))) == {"eigenvalues"}


def test_the_path_comes_back_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sb.save_hdf5("a ü/x.h5") == tmp_path / "a ü" / "x.h5"
    assert sb.save_hdf5("~/y.h5") == tmp_path / "y.h5"
    assert sb.load_hdf5("~/y.h5") == {}


@given(shape=hnp.array_shapes(max_dims=4, max_side=10**7), itemsize=st.sampled_from([1, 2, 4, 8, 16]))
def test_chunks_fit_and_waste_little(shape, itemsize):
    chunk = chunk_shape(shape, itemsize)
    assert len(chunk) == len(shape)
    assert all(1 <= c <= n for c, n in zip(chunk, shape, strict=True))
    assert np.prod(chunk, dtype=float) * itemsize <= 2 * CHUNK_BYTES


@pytest.fixture(scope="module")
def lazy(tmp_path_factory):
    values = np.random.default_rng(0).standard_normal((3000, 130, 7))
    values[values > 3] = np.nan
    path = sb.save_hdf5(tmp_path_factory.mktemp("lazy") / "x.h5", descriptors={"x": values})
    with sb.open_hdf5(path) as handle:
        yield handle["descriptors"]["x"], values


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_lazy_indexing_is_numpys(lazy, data):
    array, values = lazy
    index = data.draw(hnp.basic_indices(values.shape, allow_newaxis=False, allow_ellipsis=True))
    found, expected = array[index], values[index]
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)


def test_lazy_fancy_indexing(lazy):
    array, values = lazy
    mask = np.arange(3000) % 7 == 0
    np.testing.assert_array_equal(array[mask], values[mask])
    np.testing.assert_array_equal(array[[5, 1], 3], values[[5, 1], 3])
    np.testing.assert_array_equal(np.asarray(array), values)
    assert (array.shape, array.ndim, array.size, len(array)) == (values.shape, 3, values.size, 3000)


@pytest.mark.parametrize("index", [3000, -3001, (0, 130), (0, 0, 0, 0)])
def test_lazy_indices_out_of_range(lazy, index):
    with pytest.raises(IndexError):
        lazy[0][index]


def test_a_handle_is_a_mapping(saved):
    with sb.open_hdf5(saved) as handle:
        assert set(handle) == set(sb.load_hdf5(saved))
        assert "mass" not in handle
        assert handle["descriptors/hks"].shape == (9000, 5)
        assert handle.descriptors.keys() == {"hks", "größe/大"}
        assert handle["metadata"]["subject"] == "sub-01"
        with pytest.raises(KeyError):
            handle["missing"]
        array = handle["eigenvectors"]
    with pytest.raises(ValueError, match="closed"):
        array[0]
    handle.close()
