"""The recipes of docs/architecture.md, followed word by word in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from documents import changed, code_blocks

CHECK = """
from pathlib import Path

import numpy as np
import spectralbrain as sb
from spectralbrain.geometry.solids import sphere
from spectralbrain.interfaces import ComputeHeatContent

assert sb.__file__.startswith(str(Path.cwd())), sb.__file__

mesh = sphere(3, radius=50.0)
modes = sb.decompose(mesh, k=16)
result = ComputeHeatContent(decomposition_file=str(modes.save("sphere.h5")), time=0.02).run()
stored = sb.load_hdf5(result.outputs.out_file)["descriptors"]["heatcontent"]
assert np.array_equal(stored, sb.compute_heat_content(modes, time=0.02))

path = sb.save_mesh("sphere.asc", mesh.vertices, mesh.faces)
unnamed = Path("surface")
unnamed.write_bytes(path.read_bytes())
again = sb.load_mesh(unnamed)
assert np.array_equal(again.vertices, mesh.vertices) and np.array_equal(again.faces, mesh.faces)
content = path.read_bytes()
for length in range(0, len(content), 997):
    unnamed.write_bytes(content[:length])
    try:
        sb.load_mesh(unnamed)
    except sb.FormatError as error:
        assert "surface" in str(error)
    else:
        raise AssertionError(f"accepted when cut at {length} bytes")
"""


@pytest.fixture(scope="module")
def house(checkout, tmp_path_factory) -> Path:
    """A copy of the package in which the page's recipes have been followed."""
    copy = tmp_path_factory.mktemp("house")
    ignore = shutil.ignore_patterns("__pycache__", "niivue")
    shutil.copytree(checkout / "spectralbrain", copy / "spectralbrain", ignore=ignore)
    steps = [b for b in code_blocks(checkout / "docs" / "architecture.md") if b.file or b.change]
    assert len(steps) == 7
    for block in steps:
        path = copy / (block.file or block.change)
        if block.file:
            assert not path.exists(), f"{block.name}: the recipe's file is there already"
            path.write_text(block.code, encoding="utf-8")
        else:
            path.write_text(changed(path.read_text(encoding="utf-8"), block.code), encoding="utf-8")
    return copy


def test_the_new_descriptor_node_and_format_work(house, checkout):
    """What the recipes promise, and the parity test on the new node: in one fresh process."""
    check = house / "test_promises.py"
    check.write_text("def test_promises():\n" + textwrap.indent(CHECK, "    "), encoding="utf-8")
    shutil.copy(checkout / "tests" / "interfaces" / "test_parity.py", house)
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
    ]
    command += ["--rootdir", house, house, "-k", "promises or HeatContent or every_public or beside"]
    environment = {**os.environ, "PYTHONPATH": str(house), "NIPYPE_NO_ET": "1"}
    result = subprocess.run(
        [str(word) for word in command],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 30


@pytest.mark.parametrize("heading", ["Add a descriptor", "Add a node", "Add a format"])
def test_each_recipe_is_under_a_page(checkout, heading):
    text = (checkout / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text[text.index(f"## {heading}") :].split("\n## ")[0]
    assert len(section.splitlines()) < 70
