"""The generated pages of the manual name everything that is public."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def pages(checkout):
    sys.path.insert(0, str(checkout / "docs" / "extensions"))
    import generated_pages

    yield generated_pages
    sys.path.remove(str(checkout / "docs" / "extensions"))


def test_reference_lists_every_public_name_once(pages):
    import spectralbrain

    listed = [line.strip() for line in pages.reference_page().splitlines() if line.startswith("   ")]
    listed = [name for name in listed if not name.startswith(":")]
    assert sorted(listed) == sorted(set(spectralbrain.__all__) - {"__version__"})


def test_every_public_function_is_documented_whole(pages):
    """Each parameter, what is returned, and an example."""
    import spectralbrain

    functions = [getattr(spectralbrain, name) for name in spectralbrain.__all__]
    functions = [function for function in functions if inspect.isfunction(function)]
    assert len(functions) > 70
    for function in functions:
        text = inspect.getdoc(function)
        parameters = inspect.signature(function).parameters
        if parameters:
            section = re.search(r"\nParameters\n-+\n(.*?)\n\n[A-Z]\w+\n--", text, re.DOTALL)[1]
            heads = [line.split(" : ")[0] for line in section.splitlines() if line[:1].strip()]
            named = [name.strip(" *") for head in heads for name in head.split(",")]
            assert sorted(named) == sorted(parameters), function.__name__
        assert pages.returned(function) or function.__name__ == "check_compatible", function.__name__
        assert "\nExamples\n" in text, function.__name__


def test_the_cheat_sheet_has_every_descriptor_with_its_unit(pages):
    rows = dict(re.findall(r"\| \{py:obj\}`spectralbrain\.(\w+)` \| (.+?) \|\n", pages.shapes_page()))
    assert rows["compute_bks"] == "(N,) array, mm²"
    assert {name for name in rows if name.startswith("compute_")} >= {"compute_hks", "compute_shapedna"}
    units = {name: re.search("mm|dimensionless", rows[name]) for name in rows if name.startswith("compute_")}
    assert [name for name, unit in units.items() if unit is None] == []


def test_every_node_has_a_section_and_every_trait_a_meaning(pages):
    text = pages.nodes_page()
    nodes = list(pages.public_nodes())
    assert len(nodes) > 5
    for module, node in nodes:
        assert f"## {node.__name__}\n" in text
        assert f"from spectralbrain.interfaces.{module} import {node.__name__}" in text
        section = text[text.index(f"## {node.__name__}\n") :]
        for name in node.input_spec().copyable_trait_names():
            if node.input_spec().trait(name).desc:
                assert f"| `{name}` |" in section


def test_commands_page_holds_the_help_of_each_command(pages):
    text = pages.commands_page()
    for name in ("spectralbrain", "spectralbrain-demo", "spectralbrain-doctor"):
        assert f"## {name}\n" in text
        assert f"usage: {name}" in text


def test_pages_are_written_once(pages, tmp_path):
    first = pages.write_pages(tmp_path)
    times = [path.stat().st_mtime_ns for path in first]
    assert [path.stat().st_mtime_ns for path in pages.write_pages(tmp_path)] == times


def test_every_flag_is_explained(checkout):
    from spectralbrain.spectral.eigensolver import flags

    source = (checkout / "spectralbrain" / "workflows" / "summary.py").read_text(encoding="utf-8")
    page = (checkout / "docs" / "concepts" / "quality-flags.md").read_text(encoding="utf-8")
    table = page[page.index("| code |") :].split("\n\n")[0]
    explained = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines())))
    raised = {
        *re.findall(r'flags\["(\w+)"\]', source),
        *flags.SURFACE_FLAGS,
        *re.findall(r'^ +"(\w+)": ', inspect.getsource(flags.quality_flags), flags=re.MULTILINE),
        "n_degenerate_faces",
        "n_duplicate_faces",
    }
    assert {"handles", "partial", "discretization_error", "point_cloud"} <= raised
    assert explained == raised


def test_every_key_of_the_metadata_is_explained(checkout):
    import spectralbrain as sb

    ball, cloud = sb.sphere(2), sb.BrainMesh(sb.sphere(3).vertices, np.empty((0, 3), int))
    found = set(ball.decompose(k=5, weight=np.ones(ball.n_vertices)).metadata)
    found |= set(ball.decompose(k=5, mask=ball.vertices[:, 2] > -0.5, backend="arpack").metadata)
    if importlib.util.find_spec("robust_laplacian"):
        found |= set(cloud.decompose(k=5, laplacian="robust").metadata)
    else:
        found |= {"point_cloud", "stiffness_factor"}
    page = (checkout / "docs" / "file-format.md").read_text(encoding="utf-8")
    table = page[page.index("## What a decomposition says") :].split("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == found


def test_readme_lists_every_node(pages, checkout):
    text = (checkout / "README.md").read_text(encoding="utf-8")
    assert pages.with_nodes(text) == text, "run: python docs/extensions/generated_pages.py"


def test_the_picture_of_the_readme_is_what_the_script_draws(checkout, tmp_path):
    """Up to the fonts' rendering, which differs between versions of the drawing library."""
    pytest.importorskip("nilearn", reason="nilearn is not installed")
    specification = importlib.util.spec_from_file_location("figures", checkout / "docs" / "figures.py")
    figures = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(figures)
    for drawn in figures.main(tmp_path):
        committed = checkout / "docs" / "images" / drawn.name
        pictures = [np.asarray(Image.open(path).convert("RGB"), float) for path in (drawn, committed)]
        assert pictures[0].shape == pictures[1].shape, f"run: python docs/figures.py ({drawn.name})"
        assert np.abs(pictures[0] - pictures[1]).mean() < 2
