"""The folders of an iterable's branches: two values never share one.

Nipype names the folder of a branch by the print-out of its value, without blanks, brackets and quotes.
Arrays that differ where the print-out is shortened, or ``[1, 2]`` and ``"1.2"``, would share a folder, and
the result of one would stand for that of the other. So an array is named by its digest, and other values that
would share a folder are refused before anything runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nipype.pipeline.engine import utils

from spectralbrain.errors import ArrayError
from spectralbrain.interfaces._hashing import digest_of_text, fingerprint

_MARK = "_spectralbrain"


def _holds_array(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(_holds_array(item) for item in value)
    return isinstance(value, np.ndarray)


def _identity(value: Any) -> str:
    return digest_of_text(repr(fingerprint(value, files=False)))


def _wrap_name(original: Callable[[Any], str]) -> Callable[[Any], str]:
    @functools.wraps(original)
    def _get_valid_pathstr(value: Any) -> str:
        return original(f"array-{_identity(value)[:16]}" if _holds_array(value) else value)

    setattr(_get_valid_pathstr, _MARK, True)
    return _get_valid_pathstr


def _wrap_expansion(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def expand_iterables(iterables: Any, synchronize: bool = False) -> Any:
        branches = list(original(iterables, synchronize))
        folders: dict[str, str] = {}
        for branch in branches:
            folder = "".join(f"_{_name(key)}_{_name(branch[key])}" for key in sorted(branch))
            identity = _identity(branch)
            if folders.setdefault(folder, identity) != identity:
                raise ArrayError(
                    f"iterables: expected a folder for each branch, found {folder!r} for two different "
                    "values; write one of them differently"
                )
        return branches

    setattr(expand_iterables, _MARK, True)
    return expand_iterables


def _name(value: Any) -> str:
    name: str = utils._get_valid_pathstr(value)
    return name


def install() -> None:
    """Wrap the two functions, once per process."""
    if not hasattr(utils._get_valid_pathstr, _MARK):
        utils._get_valid_pathstr = _wrap_name(utils._get_valid_pathstr)
    if not hasattr(utils.expand_iterables, _MARK):
        utils.expand_iterables = _wrap_expansion(utils.expand_iterables)
