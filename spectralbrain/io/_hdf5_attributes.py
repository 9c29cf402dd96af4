"""Metadata as HDF5 attributes that any program can read, and that come back exactly equal.

A value is stored in the form another program would expect (a string, a number, an array of
numbers); what that form forgets (that a string was a date, an array a list) is noted in one
attribute of ours, :data:`TYPES`. Values without a natural form are stored as JSON text. Every
value is decoded again before it is accepted, so nothing can come back different.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5a, h5t

from spectralbrain.errors import FormatError, MetadataError
from spectralbrain.io._numbers import NUMERIC, numeric_dtype, without_padding

RESERVED = "_spectralbrain_"
VERSION = "_spectralbrain_format_version"
TYPES = "_spectralbrain_metadata_types"

Stored: TypeAlias = Any  # str, list of str, numeric array, or h5py.Empty
_PATHS = {cls.__name__: cls for cls in (type(Path()), PurePosixPath, PureWindowsPath)}
_INT64 = range(-(2**63), 2**63)
_TEXT_BYTES = 2**26  # of an array of text
_MARK = "__"  # first characters of a JSON key that stands for a type


def encode_metadata(metadata: Mapping[str, Any]) -> dict[str, Stored]:
    """Return the attributes that hold `metadata`, sorted by name, :data:`TYPES` among them.

    Raises
    ------
    MetadataError
        If a key is not usable text, or a value would not come back equal; the message names the key.
    """
    if not isinstance(metadata, Mapping):
        raise MetadataError(f"metadata: expected a mapping, found {type(metadata).__name__}")
    attributes: dict[str, Stored] = {}
    types: dict[str, str] = {}
    for key in sorted(metadata, key=str):
        where = f"metadata[{key!r}]"
        _check_key(key, where)
        attributes[key], tag = _encode(metadata[key], where)
        if tag:
            types[key] = tag
        try:
            same = _same(_decode(attributes[key], tag), metadata[key])
        except (ValueError, TypeError, OverflowError, RecursionError):
            same = False
        if not same:
            raise MetadataError(f"{where}: {_kind(metadata[key])} would not come back equal")
    attributes[TYPES] = json.dumps(types, sort_keys=True)
    return attributes


def decode_metadata(attributes: Mapping[str, Stored], path: Path) -> dict[str, Any] | None:
    """Return the metadata that `attributes` hold; None if none were passed when the file was written.

    Raises
    ------
    FormatError
        If they cannot be decoded.
    """
    try:
        types = json.loads(attributes[TYPES]) if TYPES in attributes else {}
        metadata = {
            key: _decode(value, types.get(key, ""))
            for key, value in attributes.items()
            if not key.startswith(RESERVED)
        }
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise FormatError(f"{path}: metadata cannot be decoded ({error})") from error
    return metadata if metadata or TYPES in attributes else None


def write_attribute(owner: Any, name: str, value: Stored) -> None:
    """Write one attribute of an h5py object as the plain HDF5 type its value suggests."""
    if isinstance(value, str):
        owner.attrs.create(name, value, dtype=h5py.string_dtype())
    elif isinstance(value, list):
        owner.attrs.create(name, np.array(value, dtype=object), dtype=h5py.string_dtype())
    elif isinstance(value, h5py.Empty):
        owner.attrs.create(name, value)
    else:
        numbers: npt.NDArray[Any] = np.asarray(value)
        owner.attrs.create(name, without_padding(numbers))


def read_attribute(attribute: h5a.AttrID) -> Stored:
    """Return the value of an open attribute, text or numbers, in the form of :func:`write_attribute`."""
    shape, dtype = attribute.shape, attribute.dtype
    if shape is None:
        return h5py.Empty(dtype)
    value: npt.NDArray[Any] = np.zeros(shape, dtype)
    attribute.read(value, mtype=h5t.py_create(dtype))
    if dtype.hasobject:
        texts = [text.decode("utf-8", "surrogateescape") for text in value.flat]
        return np.array(texts, dtype=object).reshape(shape).tolist()
    if dtype.kind == "S":
        return [text.decode() for text in value.tolist()] if shape else bytes(value[()]).decode()
    return value.view(np.dtype(dtype.str)) if shape else value[()]  # '=' where h5py spells '<'


def _check_key(key: Any, where: str) -> None:
    if not isinstance(key, str):
        raise MetadataError(f"{where}: expected a text key, found {type(key).__name__}")
    if not key or "\0" in key or not _is_utf8(key):
        raise MetadataError(f"{where}: expected a key that HDF5 can name an attribute by")
    if key.startswith(RESERVED):
        raise MetadataError(f"{where}: keys that begin with {RESERVED!r} are the library's own")
    if len(key.encode()) > 60_000:
        raise MetadataError(f"metadata[{key[:40]!r}...]: expected a key of at most 60000 bytes")


def _encode(value: Any, where: str) -> tuple[Stored, str]:
    """Return what to store, and the note that turns it back into `value`."""
    natural = _natural(value)
    if natural is not None:
        return natural
    try:
        return json.dumps(_to_json(value, where), allow_nan=False), "json"
    except (RecursionError, ValueError, UnicodeError) as error:
        raise MetadataError(f"{where}: {_kind(value)} cannot be stored ({error})") from error


def _natural(value: Any) -> tuple[Stored, str] | None:
    cls = type(value)
    if value is None:
        return h5py.Empty("f4"), ""
    if cls is str and _is_plain(value):
        return value, ""
    if cls is bool:
        return np.bool_(value), ""
    if cls is int and value in _INT64:
        return np.int64(value), ""
    if cls is float:
        return np.float64(value), ""
    if cls in _PATHS.values() and _is_plain(str(value)):
        return str(value), f"path:{cls.__name__}"
    if cls is dt.datetime:
        return value.isoformat(), "datetime"
    if cls is dt.date:
        return value.isoformat(), "date"
    if cls in (list, tuple) and value:
        return _natural_sequence(value)
    if isinstance(value, np.generic) and value.dtype.kind in NUMERIC:
        return value, "numpy"
    if cls is np.ndarray and value.dtype.kind in NUMERIC:
        return value, "" if value.ndim else "array"
    return None


def _natural_sequence(value: list[Any] | tuple[Any, ...]) -> tuple[Stored, str] | None:
    classes = {type(item) for item in value}
    tag = type(value).__name__
    if classes == {str} and all(_is_plain(item) for item in value):
        return list(value), tag
    if classes == {bool}:
        return np.array(value), tag
    if classes == {int} and all(item in _INT64 for item in value):
        return np.array(value, dtype=np.int64), tag
    if classes == {float}:
        return np.array(value, dtype=np.float64), tag
    return None


def _decode(value: Stored, tag: str) -> Any:
    if not tag:
        if isinstance(value, h5py.Empty):
            return None
        return value.item() if isinstance(value, np.generic) else value
    if tag == "json":
        return _from_json(json.loads(value))
    if tag.startswith("path:"):
        return _PATHS[tag.removeprefix("path:")](value)
    if tag == "datetime":
        return dt.datetime.fromisoformat(value)
    if tag == "date":
        return dt.date.fromisoformat(value)
    if tag in ("list", "tuple"):
        items = value if isinstance(value, list) else value.tolist()
        return items if tag == "list" else tuple(items)
    if tag in ("numpy", "array") and not isinstance(value, str | list):
        return np.asarray(value)[()] if tag == "numpy" else np.asarray(value)
    raise ValueError(f"unknown type {tag!r}")


def _to_json(value: Any, where: str) -> Any:
    cls = type(value)
    if value is None or cls in (bool, int, str):
        return value
    if cls is float:
        return value if math.isfinite(value) else {"__float__": repr(value)}
    if cls is list:
        return [_to_json(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if cls is tuple:
        return {"__tuple__": [_to_json(item, f"{where}[{i}]") for i, item in enumerate(value)]}
    if cls is dict:
        if all(type(key) is str and not key.startswith(_MARK) for key in value):
            return {key: _to_json(value[key], f"{where}[{key!r}]") for key in sorted(value)}
        pairs = [[_to_json(k, where), _to_json(v, f"{where}[{k!r}]")] for k, v in value.items()]
        return {"__dict__": sorted(pairs, key=lambda pair: json.dumps(pair[0], sort_keys=True))}
    if cls in _PATHS.values():
        return {"__path__": [cls.__name__, str(value)]}
    if cls in (dt.datetime, dt.date):
        return {f"__{cls.__name__}__": value.isoformat()}
    if cls is dt.timedelta:
        return {"__timedelta__": [value.days, value.seconds, value.microseconds]}
    if cls is np.str_:
        return {"__str_scalar__": str(value)}
    if isinstance(value, np.generic) and value.dtype.kind in NUMERIC:
        return {"__scalar__": numbers_to_json(np.asarray(value))}
    if cls is np.ndarray and value.dtype.kind in NUMERIC:
        return {"__array__": numbers_to_json(value)}
    if cls is np.ndarray and value.dtype.kind == "U":
        _text_dtype(value.dtype.str, value.size)
        return {"__str_array__": [value.dtype.str, list(value.shape), value.ravel().tolist()]}
    raise MetadataError(f"{where}: {_kind(value)} cannot be stored so that it comes back equal")


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    name: str
    content: Any
    name, content = next(iter(value.items()), ("", None))
    if len(value) != 1 or not name.startswith(_MARK):
        return {key: _from_json(item) for key, item in value.items()}
    match name:
        case "__float__":
            return float(content)
        case "__tuple__":
            return tuple(_from_json(item) for item in content)
        case "__dict__":
            return {_from_json(key): _from_json(item) for key, item in content}
        case "__path__":
            return _PATHS[content[0]](content[1])
        case "__datetime__":
            return dt.datetime.fromisoformat(content)
        case "__date__":
            return dt.date.fromisoformat(content)
        case "__timedelta__":
            return dt.timedelta(*content)
        case "__str_scalar__":
            return np.str_(content)
        case "__scalar__":
            return numbers_from_json(content)[()]
        case "__array__":
            return numbers_from_json(content)
        case "__str_array__":
            return np.array(content[2], dtype=_text_dtype(content[0], len(content[2]))).reshape(content[1])
    raise ValueError(f"unknown type {name!r}")


def _text_dtype(text: str, count: int) -> np.dtype[Any]:
    """Return the dtype of an array of text, of which a few characters could declare any amount of memory."""
    if not re.fullmatch(r"[<>|]U\d{1,8}", text) or np.dtype(text).itemsize * count > _TEXT_BYTES:
        raise ValueError(f"{count} texts of dtype {text[:80]!r}: expected at most {_TEXT_BYTES} bytes")
    return np.dtype(text)


def pack_attributes(attributes: Mapping[str, Stored]) -> dict[str, Any]:
    """Return attributes in a form that JSON can carry."""
    packed: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, h5py.Empty):
            packed[name] = {"empty": True}
        elif isinstance(value, str | list):
            packed[name] = {"text": value}
        else:
            packed[name] = {"numbers": numbers_to_json(np.asarray(value))}
    return packed


def unpack_attributes(packed: dict[str, Any]) -> dict[str, Stored]:
    """Undo :func:`pack_attributes`."""
    attributes: dict[str, Stored] = {}
    for name, value in packed.items():
        if "empty" in value:
            attributes[name] = h5py.Empty("f4")
        elif "text" in value:
            text = value["text"]
            if not all(isinstance(item, str) for item in (text if isinstance(text, list) else [text])):
                raise ValueError(f"{name}: expected text")
            attributes[name] = text
        else:
            array = numbers_from_json(value["numbers"])
            attributes[name] = array if array.ndim else array[()]
    return attributes


def numbers_to_json(array: Any) -> list[Any]:
    """Return dtype, shape and bytes of an array."""
    data = base64.b64encode(without_padding(array).tobytes())
    return [array.dtype.str, list(array.shape), data.decode()]


def numbers_from_json(content: list[Any]) -> Any:
    """Undo :func:`numbers_to_json`."""
    return np.frombuffer(base64.b64decode(content[2]), numeric_dtype(content[0])).reshape(content[1]).copy()


def _same(found: Any, given: Any) -> bool:
    """Whether two values are equal and of the same type, NaN equal to NaN."""
    same: bool = type(found) is type(given)
    if not same:
        return False
    if isinstance(given, list | tuple):
        return len(found) == len(given) and all(map(_same, found, given))
    if isinstance(given, dict):
        return found.keys() == given.keys() and all(_same(found[key], given[key]) for key in given)
    if isinstance(given, np.ndarray | np.generic):
        if found.dtype != given.dtype or found.shape != given.shape:
            return False
        return bool(np.array_equal(found, given, equal_nan=given.dtype.kind == "f"))
    if isinstance(given, float):
        return bool(found == given) or (math.isnan(found) and math.isnan(given))
    if isinstance(given, dt.datetime):
        return bool(found == given and found.utcoffset() == given.utcoffset())
    return bool(found == given)


def _is_plain(text: str) -> bool:
    """Whether HDF5 can hold the text: no null character, no half of a surrogate pair."""
    return "\0" not in text and _is_utf8(text)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, PurePath | np.generic):
        return f"a value of type {type(value).__name__}"
    if isinstance(value, np.ndarray):
        return f"an array of type {type(value).__name__}, dtype {value.dtype}"
    return f"a value of type {type(value).__name__}"
