"""The index of a sealed file: forged ones are refused, and libhdf5 never sees such a file."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_integrity import FOOTER, seal

VALUES = np.random.default_rng(0).standard_normal((50, 4))


def parts(path):
    """Return the HDF5 part and the index of a sealed file."""
    data = path.read_bytes()
    length, index_length = struct.unpack_from("<QQ", data[-FOOTER:], 16)
    return data[: length - index_length], data[length - index_length : length]


def forge(path, hdf5, index):
    """Write a file with a seal that is good, whatever it seals."""
    path.write_bytes(hdf5)
    with path.open("r+b") as stream:
        seal(stream.fileno(), 1, index)
    return path


@pytest.fixture
def honest(tmp_path):
    path = sb.save_hdf5(
        tmp_path / "honest.h5",
        eigenvalues=np.arange(4.0),
        eigenvectors=VALUES,
        descriptors={"one": np.float64(3), "none": np.zeros((0, 3))},
        metadata={"subject": "sub-01"},
    )
    return parts(path)


@pytest.mark.parametrize("compression", ["gzip", None, "lzf"])
def test_h5py_finds_the_same(tmp_path, compression):
    rng = np.random.default_rng(1)
    descriptors = {
        "big": rng.standard_normal((9001, 61)),
        "cube": rng.integers(0, 9, (70, 50, 40), "i2"),
        "swapped": rng.standard_normal((33, 5)).astype(">f4"),
        "one": np.array(7, ">i2"),
        "none": np.zeros((0, 9), "u1"),
        "deep/er": rng.random(40_000) > 0.5,
        "extended": np.arange(9, dtype=np.longdouble) / 3,
    }
    path = sb.save_hdf5(tmp_path / "x.h5", descriptors=descriptors, compression=compression)
    assert bool(parts(path)[1]) == (compression != "lzf")
    found = sb.load_hdf5(path)["descriptors"]
    with h5py.File(path) as file, sb.open_hdf5(path) as handle:
        for name, values in descriptors.items():
            assert found[name].dtype == values.dtype
            np.testing.assert_array_equal(found[name], values)
            np.testing.assert_array_equal(file["descriptors"][name][()], values)
            if values.ndim > 1:
                part = (slice(3, 31), slice(4, None, 2))
                np.testing.assert_array_equal(handle.descriptors[name][part], values[part])


def test_the_reader_does_without_libhdf5(tmp_path, honest):
    """Whatever stands in its structures: each array is where the index says."""
    hdf5, index = honest
    places = [place for entry in json.loads(index)["arrays"].values() for place in entry["places"]]
    damaged = bytearray(b"\xff" * len(hdf5))
    for offset, size in places:
        damaged[offset : offset + size] = hdf5[offset : offset + size]
    path = forge(tmp_path / "forged.h5", bytes(damaged), index)
    with pytest.raises(OSError, match="signature"):
        h5py.File(path)
    np.testing.assert_array_equal(sb.load_hdf5(path)["eigenvectors"], VALUES)


def test_a_sealed_file_without_an_index_is_parsed_elsewhere(tmp_path, honest):
    """As those of the first versions; one that would keep libhdf5 busy ends at the limit of time."""
    path = forge(tmp_path / "x.h5", honest[0], b"")
    found = sb.load_hdf5(path)
    np.testing.assert_array_equal(found["eigenvectors"], VALUES)
    assert found["descriptors"]["none"].shape == (0, 3)
    assert found["metadata"] == {"subject": "sub-01"}
    with sb.open_hdf5(path) as handle:
        np.testing.assert_array_equal(handle["eigenvectors"][:, 1:3], VALUES[:, 1:3])
    data = bytearray(path.read_bytes())
    data[3000] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        sb.load_hdf5(path)


def test_a_parser_that_does_not_end_is_ended(tmp_path, honest, monkeypatch):
    from spectralbrain.io import _hdf5_foreign

    path = forge(tmp_path / "x.h5", honest[0], b"")
    monkeypatch.setattr(_hdf5_foreign, "_START", "while True: pass")
    monkeypatch.setattr(_hdf5_foreign, "_SECONDS", 0.5)
    start = time.monotonic()
    with pytest.raises(FormatError, match="too costly"):
        sb.load_hdf5(path)
    assert time.monotonic() - start < 60


def put(index, *keys_and_value):
    *keys, last, value = keys_and_value
    for key in keys:
        index = index[key]
    index[last] = value


MODES = ("arrays", "eigenvectors")
HUGE = 2**62
FORGERIES = {
    "beyond_the_end": (*MODES, "places", [[10**9, 5000]]),
    "negative": (*MODES, "places", [[-5000, 5000]]),
    "no_size": (*MODES, "places", [[0, 0]]),
    "three_numbers": (*MODES, "places", [[0, 1, 2]]),
    "no_places": (*MODES, "places", []),
    "too_many_places": (*MODES, "places", [[0, 100]] * 9),
    "places_of_text": (*MODES, "places", "abc"),
    "fractions": (*MODES, "places", [[0.5, 100]]),
    "truth": (*MODES, "places", [[True, True]]),
    "absurd_shape": (*MODES, "shape", [HUGE, HUGE]),
    "absurd_rows": (*MODES, "shape", [10**9, 4]),
    "absurd_chunk": (*MODES, "chunks", [10**9, 4]),
    "chunk_of_zero": (*MODES, "chunks", [0, 4]),
    "chunk_of_other_axes": (*MODES, "chunks", [50]),
    "chunks_of_text": (*MODES, "chunks", "many"),
    "no_chunks": (*MODES, "chunks", None),
    "many_axes": (*MODES, "shape", [1] * 100),
    "negative_shape": (*MODES, "shape", [-50, 4]),
    "shape_of_text": (*MODES, "shape", "50"),
    "objects": (*MODES, "dtype", "|O"),
    "records": (*MODES, "dtype", "f8,f8"),
    "text": (*MODES, "dtype", "<U4000000000"),
    "wide_numbers": (*MODES, "dtype", "<f99"),
    "no_dtype": (*MODES, "dtype", None),
    "another_name": ("arrays", "../x", {}),
    "no_fields": ("arrays", "faces", {}),
    "fields_of_text": ("arrays", "faces", "<f8"),
    "list_of_arrays": ("arrays", []),
    "empty_with_rows": ("arrays", "descriptors/none", "shape", [0, HUGE, HUGE]),
    "empty_with_a_place": ("arrays", "descriptors/none", "places", [[0, 8]]),
    "single_without_a_place": ("arrays", "descriptors/one", "places", []),
    "groups_of_number": ("groups", 7),
    "attributes_of_number": ("attributes", 7),
    "attribute_of_objects": ("attributes", "subject", {"numbers": ["|O", [], ""]}),
    "attribute_of_much_text": ("attributes", "subject", {"numbers": ["<U4000000000", [], ""]}),
    "attribute_of_absurd_shape": ("attributes", "subject", {"numbers": ["<f8", [HUGE], "AAAA"]}),
    "attribute_without_a_kind": ("attributes", "subject", {}),
    "attribute_of_lists": ("attributes", "subject", {"text": [["a"]]}),
    "attribute_of_a_number_as_text": ("attributes", "subject", {"text": 7}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_index_is_refused(tmp_path, honest, name):
    hdf5, index = honest
    forged = json.loads(index)
    put(forged, *FORGERIES[name])
    path = forge(tmp_path / "forged.h5", hdf5, json.dumps(forged).encode())
    for read in (sb.load_hdf5, sb.open_hdf5):
        with pytest.raises(FormatError, match=r"forged\.h5"):
            read(path)


@pytest.mark.parametrize(
    "index",
    [b"{", b"7", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000],
    ids=["cut", "number", "null", "list", "empty", "bytes", "nested", "nested_keys", "digits"],
)
def test_an_index_that_is_none(tmp_path, honest, index):
    path = forge(tmp_path / "forged.h5", honest[0], index)
    with pytest.raises(FormatError, match=r"forged\.h5: its index cannot be used"):
        sb.load_hdf5(path)


def test_chunks_that_share_their_bytes(tmp_path, honest):
    """A small chunk named a thousand times would expand to a thousand times what the file can hold."""
    hdf5, index = honest
    forged = json.loads(index)
    entry = forged["arrays"]["eigenvectors"]
    entry |= {"shape": [50_000, 4], "places": entry["places"] * 1000}
    path = forge(tmp_path / "forged.h5", hdf5, json.dumps(forged).encode())
    with pytest.raises(FormatError, match="on top of each other"):
        sb.load_hdf5(path)


def test_a_chunk_that_is_no_chunk(tmp_path, honest):
    hdf5, index = honest
    forged = json.loads(index)
    ((offset, size),) = forged["arrays"]["eigenvectors"]["places"]
    forged["arrays"]["eigenvectors"]["places"] = [[offset - 3, size]]
    path = forge(tmp_path / "forged.h5", hdf5, json.dumps(forged).encode())
    with pytest.raises(FormatError, match=r"forged\.h5: eigenvectors: a compressed chunk"):
        sb.load_hdf5(path)


def test_a_kept_file_with_an_index():
    """Of the same values as the older one without; its bytes do not depend on what we write today."""
    old, new = (Path(__file__).parent / "data" / f"format_v2{name}.h5" for name in ("", "_index"))
    assert parts(new)[1]
    assert not parts(old)[1]
    expected, found = sb.load_hdf5(old), sb.load_hdf5(new)
    assert found.keys() == expected.keys()
    for name in ("eigenvalues", "eigenvectors", "vertices", "faces"):
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype
    assert found["descriptors"].keys() == expected["descriptors"].keys()
    assert (found["mass"] != expected["mass"]).nnz == 0
    assert str(found["metadata"]) == str(expected["metadata"])
