"""The walls of the house: what an import costs, and that the layers of setup.cfg are all there."""

from __future__ import annotations

import ast
import configparser
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["numpy", "scipy", "nipype", "traits", "matplotlib", "h5py", "nibabel", "trimesh", "pyvista"]


def modules_after(statement: str) -> set[str]:
    """Return the modules loaded in a fresh interpreter after a statement."""
    script = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import spectralbrain as sb; sb.__version__; dir(sb)")
    assert loaded.isdisjoint(HEAVY)
    assert len(loaded - modules_after("pass")) < 120


def test_an_error_class_is_reached_without_numpy():
    assert modules_after("import spectralbrain as sb; sb.FormatError").isdisjoint(HEAVY)


def test_the_numerics_do_not_load_nipype_or_drawing():
    loaded = modules_after("import spectralbrain as sb; sb.BrainMesh; sb.decompose")
    assert loaded.isdisjoint({"nipype", "traits", "matplotlib", "pyvista"})


def stub_names(stub: Path) -> list[str]:
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    return [a.asname or a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names]


def test_every_public_name_resolves_and_is_documented(checkout):
    import spectralbrain

    names = stub_names(checkout / "spectralbrain" / "__init__.pyi")
    assert len(names) == len(set(names)), "a name stands twice in __init__.pyi"
    assert set(names) <= set(dir(spectralbrain))
    undocumented = [name for name in names if not (getattr(spectralbrain, name).__doc__ or "").strip()]
    assert undocumented == []


def test_every_room_is_a_layer_of_the_contract(checkout):
    config = configparser.ConfigParser()
    config.read(checkout / "setup.cfg")
    layers = config["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    package = checkout / "spectralbrain"
    rooms = {p.parent.name for p in package.glob("*/__init__.py")}
    single = {p.stem for p in package.glob("*.py")} - {"__init__", "__main__", "_version"}
    assert {f"spectralbrain.{name}" for name in rooms | single} == set(layers)


def test_imports_go_one_way(checkout):
    linter = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    assert linter.lint_imports(config_filename=str(checkout / "setup.cfg"), no_cache=True) == 0
