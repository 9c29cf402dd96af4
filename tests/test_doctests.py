"""The examples in the docstrings of every module run, warnings being errors."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import spectralbrain
from spectralbrain.errors import MissingDependencyError

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(spectralbrain.__path__, "spectralbrain.")
    if not info.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except MissingDependencyError:  # the only module that needs an extra to be imported
        assert name == "spectralbrain.pydra_tasks"
        pytest.skip("pydra is not installed")
    failed, _ = doctest.testmod(module, optionflags=FLAGS, verbose=False)
    assert failed == 0, f"{failed} examples of {name} failed, see the captured output"


def test_the_walk_finds_the_rooms():
    rooms = {name.split(".")[1] for name in MODULES}
    assert {"errors", "runtime", "geometry", "operators", "spectral", "io", "interfaces", "cli"} <= rooms
