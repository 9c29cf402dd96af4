"""Metadata: what goes in comes out equal, or is refused by the name of its key."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import json
import math
import types
import zoneinfo
from pathlib import Path, PurePosixPath, PureWindowsPath

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import spectralbrain as sb
from spectralbrain.errors import FormatError, MetadataError
from spectralbrain.io._hdf5_attributes import RESERVED, TYPES, _same

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

VALUES = {
    "str": "sub-01",
    "str_empty": "",
    "str_unicode": "Größe 大脑 🧠",
    "str_newlines": "a\nb\r\n\tc ",
    "str_null": "a\0b",
    "str_trailing_null": "a\0",
    "str_surrogate": "\ud800",
    "str_of_100_kB": "ä" * 100_000,
    "str_like_json": '{"__tuple__": [1]}',
    "bool_true": True,
    "bool_false": False,
    "int": 100,
    "int_negative": -3,
    "int64_limits": [2**63 - 1, -(2**63)],
    "int_beyond_int64": 2**63,
    "int_huge": 10**300,
    "float": 0.1,
    "float_tiny": 5e-324,
    "float_nan": math.nan,
    "float_inf": -math.inf,
    "float_negative_zero": -0.0,
    "none": None,
    "list": [1, 2, 3],
    "list_empty": [],
    "list_of_str": ["L", "R", ""],
    "list_of_str_null": ["a\0"],
    "list_of_bool": [True, False],
    "list_of_float": [0.1, math.nan],
    "list_mixed": [1, 1.0, True, "x", None],
    "list_of_lists": [[1, 2], [3]],
    "tuple": (1, 2),
    "tuple_mixed": (1, "a", (None,)),
    "tuple_empty": (),
    "dict": {"a": 1, "b": {"c": [1, {"d": None}]}},
    "dict_empty": {},
    "dict_int_keys": {1: "left", 2: "right"},
    "dict_mixed_keys": {1: "a", "1": "b", None: "c", (1, 2): "d"},
    "dict_marked": {"__tuple__": [1]},
    "dict_of_arrays": {"times": np.arange(3.0), "n": np.int8(3)},
    "np_float64": np.float64(0.1),
    "np_float32": np.float32(0.1),
    "np_float16": np.float16(0.1),
    "np_longdouble": np.longdouble("0.1"),
    "np_int8": np.int8(-3),
    "np_uint64": np.uint64(2**64 - 1),
    "np_bool": np.bool_(True),
    "np_str": np.str_("text"),
    "np_nan": np.float32("nan"),
    "array": np.arange(6).reshape(2, 3),
    "array_float32": np.linspace(0, 1, 7, dtype="f4"),
    "array_big_endian": np.arange(5, dtype=">i4"),
    "array_nan": np.array([1.0, math.nan, math.inf]),
    "array_bool": np.array([True, False]),
    "array_0d": np.array(3.5),
    "array_0d_bool": np.array(True),
    "array_empty": np.empty((0, 3), "f4"),
    "array_of_240_kB": np.arange(30_000.0),
    "array_of_1_MB": np.arange(2**17),
    "array_of_str": np.array(["a", "ü", ""]),
    "array_of_str_2d": np.array([["a"], ["bc"]]),
    "array_fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "array_strided": np.arange(10)[::-2],
    "path": Path("/data/sub-01"),
    "path_relative": Path("a/../b"),
    "path_unicode": Path("/ü ö"),
    "path_undecodable": Path("/\udcff"),
    "path_pure": PurePosixPath("/a"),
    "path_windows": PureWindowsPath("C:/a"),
    "datetime": dt.datetime(2024, 2, 29, 12, 30, 1, 5),
    "datetime_utc": dt.datetime(2024, 2, 29, tzinfo=dt.UTC),
    "datetime_offset": dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    "datetime_zone": dt.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    "date": dt.date(2024, 2, 29),
    "timedelta": dt.timedelta(days=-1, microseconds=3),
    "nested_everything": [
        {"p": Path("x"), "t": dt.datetime(2024, 1, 1), "a": (np.float32(1), {2: b"".decode()})}
    ],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_equal_and_of_its_type(tmp_path, name):
    given = {name: VALUES[name]}
    found = sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", metadata=given))
    assert found.keys() == {"metadata"}
    assert found["metadata"].keys() == given.keys()
    assert _same(found["metadata"][name], given[name])


def test_all_values_at_once(tmp_path):
    found = sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", metadata=VALUES))["metadata"]
    assert found.keys() == VALUES.keys()
    assert all(_same(found[key], VALUES[key]) for key in VALUES)


def test_plain_values_are_plain_attributes(tmp_path):
    given = {"subject": "sub-01", "k": 3, "tol": 0.5, "masked": True, "none": None, "atlas": ["a", "b"]}
    path = sb.save_hdf5(tmp_path / "m.h5", metadata=given)
    with h5py.File(path) as file:
        assert file.attrs["subject"] == "sub-01"
        assert file.attrs["k"] == 3
        assert file.attrs["k"].dtype == np.int64
        assert file.attrs["tol"] == 0.5
        assert file.attrs["masked"].dtype == bool
        assert isinstance(file.attrs["none"], h5py.Empty)
        assert list(file.attrs["atlas"]) == ["a", "b"]


@enum.unique
class Side(enum.IntEnum):
    LEFT = 1


@dataclasses.dataclass
class Record:
    a: int = 1


LOOP: list = []
LOOP.append(LOOP)

REFUSED = {
    "object": object(),
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "complex": 1j,
    "np_complex": np.complex64(1j),
    "set": {1, 2},
    "frozenset": frozenset({1}),
    "range": range(3),
    "generator": (i for i in range(3)),
    "function": len,
    "class": int,
    "module": math,
    "enum": Side.LEFT,
    "dataclass": Record(),
    "decimal": decimal.Decimal("0.1"),
    "fraction": fractions.Fraction(1, 3),
    "ordered_dict": collections.OrderedDict(a=1),
    "default_dict": collections.defaultdict(int),
    "mapping_proxy": types.MappingProxyType({}),
    "namedtuple": collections.namedtuple("Point", "x")(1),
    "str_subclass": type("Text", (str,), {})("a"),
    "int_too_long_for_text": 10**5000,
    "np_datetime": np.datetime64("2024-01-01"),
    "np_bytes": np.bytes_(b"a"),
    "np_void": np.void(b"a"),
    "array_object": np.array([None, 1], dtype=object),
    "array_complex": np.array([1j]),
    "array_datetime": np.array(["2024-01-01"], dtype="M8[D]"),
    "array_bytes": np.array([b"a"]),
    "array_structured": np.zeros(2, dtype=[("a", int)]),
    "array_masked": np.ma.array([1.0, 2.0], mask=[0, 1]),
    "loop": LOOP,
    "ellipsis": ...,
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [1, v], lambda v: {"deep": {"er": v}}])
def test_what_would_not_come_back_is_refused_by_its_key(tmp_path, name, wrap):
    path = tmp_path / "m.h5"
    with pytest.raises(MetadataError, match=name) as caught:
        sb.save_hdf5(path, metadata={"fine": 1, name: wrap(REFUSED[name])})
    assert isinstance(caught.value, TypeError)
    assert not path.exists()


@pytest.mark.parametrize(
    "key", [1, None, b"a", ("a",), 1.5, "", "a\0b", "\ud800", RESERVED + "x", "k" * 70_000]
)
def test_keys_that_cannot_name_an_attribute(tmp_path, key):
    with pytest.raises(MetadataError, match=r"metadata\["):
        sb.save_hdf5(tmp_path / "m.h5", metadata={key: 1})


@pytest.mark.parametrize(
    "key", ["a/b", ".", "..", "/", " ", "ü", "大脑", "a\nb", "k" * 50_000, "DIMENSION_LIST", "CLASS", "__x__"]
)
def test_odd_keys_work(tmp_path, key):
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", metadata={key: "v"}))["metadata"] == {key: "v"}


def test_keys_that_normalise_to_the_same_text_stay_apart(tmp_path):
    given = {"\u00fc": 1, "u\u0308": 2}
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", metadata=given))["metadata"] == given


def test_thousands_of_keys(tmp_path):
    given = {f"key{i}": i for i in range(3000)}
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "m.h5", metadata=given))["metadata"] == given


@pytest.mark.parametrize("metadata", [3, "text", [("a", 1)], np.arange(3)])
def test_metadata_of_another_type(tmp_path, metadata):
    with pytest.raises(MetadataError, match="metadata: expected a mapping"):
        sb.save_hdf5(tmp_path / "m.h5", metadata=metadata)


def test_any_mapping_will_do(tmp_path):
    path = sb.save_hdf5(tmp_path / "m.h5", metadata=types.MappingProxyType({"a": 1}))
    assert sb.load_hdf5(path)["metadata"] == {"a": 1}


def test_none_and_empty_are_told_apart(tmp_path):
    assert "metadata" not in sb.load_hdf5(sb.save_hdf5(tmp_path / "n.h5"))
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "e.h5", metadata={}))["metadata"] == {}
    assert sb.load_hdf5(sb.save_hdf5(tmp_path / "d.h5", descriptors={})) == {"descriptors": {}}


def test_the_order_of_keys_does_not_matter(tmp_path):
    one = sb.save_hdf5(tmp_path / "1.h5", metadata={"a": 1, "b": {"x": 1, "y": 2}})
    two = sb.save_hdf5(tmp_path / "2.h5", metadata={"b": {"y": 2, "x": 1}, "a": 1})
    assert one.read_bytes() == two.read_bytes()


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(st.characters(exclude_categories=[])),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(dt.UTC)),
    st.timedeltas(),
    st.integers(-128, 127).map(np.int8),
    st.floats(width=32).map(np.float32),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    ),
    max_leaves=12,
)


@quick
@given(value=trees)
def test_any_tree_of_values_comes_back(tmp_path, value):
    path = tmp_path / "m.h5"
    assert _same(sb.load_hdf5(sb.save_hdf5(path, metadata={"v": value}))["metadata"]["v"], value)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_many_keys_are_read_in_linear_time(tmp_path, compression):
    """Opening attributes by their number lists all of them for each: 3,000 keys took a minute.

    With LZF libhdf5 parses the file, under a limit of ten seconds.
    """
    metadata = {f"key{i}": i for i in range(3000)}
    path = sb.save_hdf5(tmp_path / "x.h5", metadata=metadata, compression=compression)
    assert sb.load_hdf5(path)["metadata"] == metadata


def test_text_arrays_that_declare_memory(tmp_path):
    """A few characters could declare any width; what cannot be loaded cannot be saved either."""
    wide = np.array(["a"], dtype="<U17000000")
    with pytest.raises(MetadataError, match="wide"):
        sb.save_hdf5(tmp_path / "x.h5", metadata={"wide": wide})
    for declared in ("<U400000000", "<U17000000", "V9", "O", "<U-1"):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file.attrs["spectralbrain_version"] = "0.1.0"
            file.attrs["wide"] = json.dumps({"__str_array__": [declared, [1], ["a"]]})
            file.attrs[TYPES] = json.dumps({"wide": "json"})
        with pytest.raises(FormatError, match="metadata"):
            sb.load_hdf5(tmp_path / "x.h5")
