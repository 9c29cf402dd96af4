"""Every dtype, shape and value comes back from every writer."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings, strategies as st

import spectralbrain as sb

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="="),
    hnp.integer_dtypes(endianness=">"),
    hnp.unsigned_integer_dtypes(endianness="="),
    hnp.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
    hnp.floating_dtypes(endianness=">", sizes=(16, 32, 64)),
)
any_array = hnp.arrays(dtype=numbers, shape=hnp.array_shapes(min_dims=0, min_side=0, max_side=6))


def assert_identical(found, given):
    given = np.asarray(given)
    assert isinstance(found, np.ndarray)
    assert found.dtype == given.dtype
    assert found.shape == given.shape
    np.testing.assert_array_equal(found, given)


@pytest.fixture
def decomposition(rng):
    n, k = 300, 12
    eigenvectors = rng.standard_normal((n, k))
    eigenvectors[[0, 7, 299]] = np.nan
    return {
        "eigenvalues": np.sort(rng.random(k)),
        "eigenvectors": eigenvectors,
        "vertices": rng.standard_normal((n, 3)),
        "faces": rng.integers(0, n, (596, 3)),
        "descriptors": {"hks": rng.random((n, 5)), "wks": rng.random((n, 5)).astype("f4")},
        "metadata": {"subject": "sub-01", "k": k, "tol": 1e-8, "masked": True},
    }


@pytest.fixture
def rng():
    return np.random.default_rng(20240612)


def test_a_decomposition_comes_back(tmp_path, decomposition):
    path = sb.save_hdf5(tmp_path / "d.h5", **decomposition)
    found = sb.load_hdf5(path)
    assert found.keys() == decomposition.keys()
    for name in ("eigenvalues", "eigenvectors", "vertices", "faces"):
        assert_identical(found[name], decomposition[name])
    for name, values in decomposition["descriptors"].items():
        assert_identical(found["descriptors"][name], values)
    assert found["metadata"] == decomposition["metadata"]


def test_the_mass_matrix_comes_back(tmp_path):
    mass = sp.random_array((50, 50), density=0.1, rng=np.random.default_rng(0), format="csr")
    found = sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", mass=mass))["mass"]
    assert found.format == "csr"
    for part in ("data", "indices", "indptr"):
        assert_identical(getattr(found, part), getattr(mass, part))


@quick
@given(array=any_array, compression=st.sampled_from(["gzip", None]), level=st.integers(0, 9))
def test_any_descriptor_comes_back(tmp_path, array, compression, level):
    path = sb.save_hdf5(
        tmp_path / "d.h5", descriptors={"x": array}, compression=compression, compression_opts=level
    )
    assert_identical(sb.load_hdf5(path)["descriptors"]["x"], array)


@quick
@given(array=any_array)
def test_any_array_comes_back_from_npz(tmp_path, array):
    found = sb.load_npz(sb.save_npz(tmp_path / "a.npz", x=array))
    assert_identical(found["x"], array)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "?"])
def test_dtypes_come_back_as_numpy_spells_them(tmp_path, dtype):
    """libhdf5 says '<' where NumPy says '=': equal, but not to every program."""
    values = np.ones(3, dtype)
    path = sb.save_hdf5(tmp_path / "x.h5", descriptors={"x": values}, metadata={"x": values})
    found = sb.load_hdf5(path)
    assert found["descriptors"]["x"].dtype.byteorder == values.dtype.byteorder
    assert found["metadata"]["x"].dtype.byteorder == values.dtype.byteorder


def test_unused_bytes_of_extended_precision_are_not_written(tmp_path):
    contents = set()
    for noise in (0, 255):
        values = np.empty(4, np.longdouble)
        values.view(np.uint8)[:] = noise
        values[:] = [1, 2, 3, 4]
        h5 = sb.save_hdf5(tmp_path / "x.h5", descriptors={"x": values}, metadata={"x": values, "y": [values]})
        npz = sb.save_npz(tmp_path / "x.npz", x=values)
        np.testing.assert_array_equal(sb.load_hdf5(h5)["descriptors"]["x"], values)
        contents.add(h5.read_bytes() + npz.read_bytes())
    assert len(contents) == 1
