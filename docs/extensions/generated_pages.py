"""Writes the pages that must never disagree with the code: public names, nodes, commands, outputs.

They go to ``docs/generated`` each time the manual is built.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import spectralbrain

STUB = Path(spectralbrain.__file__).with_suffix(".pyi")
ROOMS = {
    "spectral": "Spectra, descriptors, distances, groups",
    "geometry": "Surfaces",
    "operators": "Operators",
    "io": "Reading and writing",
    "reports": "Pictures and reports",
    "errors": "Errors",
}


def public_names() -> dict[str, list[str]]:
    """Return the public names by room, as ``__init__.pyi`` declares them."""
    rooms: dict[str, list[str]] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            room = node.module.split(".")[0]
            rooms.setdefault(room, []).extend(alias.asname or alias.name for alias in node.names)
    return {
        room: rooms[room]
        for room in [*(r for r in ROOMS if r in rooms), *(r for r in rooms if r not in ROOMS)]
    }


def reference_page() -> str:
    """Lay out the reference of all public names."""
    lines = ["# Reference", "", "Every name here is an attribute of `spectralbrain`.", ""]
    for room, names in public_names().items():
        lines += [
            f"## {ROOMS.get(room, room.capitalize())}",
            "",
            "```{eval-rst}",
            ".. currentmodule:: spectralbrain",
        ]
        lines += ["", ".. autosummary::", "   :toctree: api", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in sorted(names, key=str.lower)]
        lines += ["```", ""]
    return "\n".join(lines)


SYMBOLS = {
    "N": "vertices of the whole surface, those outside the domain included",
    "F": "triangles",
    "k": "modes or eigenvalues",
    "T, M": "scales: times of the heat kernel, energies of the wave kernel; maps of a file",
    "D": "descriptors",
    "S, P": "surrogates or vertices of a set; surfaces that are compared",
    "R": "regions of a parcellation",
    "p": "order of a polynomial",
}


def returned(function: Any) -> list[str]:
    """Return the lines of the type slots under Returns in a numpydoc docstring."""
    section = re.search(r"\nReturns\n-+\n(.*?)(?=\n\n\w+\n--|\Z)", inspect.getdoc(function) or "", re.DOTALL)
    return [line for line in section[1].splitlines() if line and line[0] != " "] if section else []


def shapes_page() -> str:
    """Lay out the shape and unit of what each public function returns, from the docstrings."""
    lines = ["# Cheat sheet: shapes and units", "", "| | |", "|---|---|"]
    lines += [f"| {symbol} | {meaning} |" for symbol, meaning in SYMBOLS.items()]
    lines += [
        "",
        "Lengths are in millimetres, floats are float64. Rows of vertices outside the domain are NaN. How",
        "each unit scales: [units and scaling](../concepts/units-and-scaling.md).",
    ]
    for room, names in public_names().items():
        functions = [(name, getattr(spectralbrain, name)) for name in sorted(names, key=str.lower)]
        rows = [
            f"| {{py:obj}}`spectralbrain.{name}` | {_cell('; '.join(returned(function)))} |"
            for name, function in functions
            if inspect.isfunction(function) and re.search("array|Distance", "".join(returned(function)))
        ]
        if rows:
            lines += ["", f"## {ROOMS[room]}", "", "| function | returns |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def public_nodes() -> Iterator[tuple[str, type]]:
    """Yield (module, class) of every interface of this package."""
    import spectralbrain.interfaces as package

    for module, names in package.REGISTRY.items():
        for name in names:
            yield module, getattr(package, name)


def _cell(text: Any) -> str:
    words = " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
    raised = str.maketrans("-123", "⁻¹²³")
    return re.sub(r"(?<=mm)\^(-?[123])", lambda power: power[1].translate(raised), words)


def trait_type(trait: Any) -> str:
    """Return a short word for a trait's type, with the choices of an Enum."""
    handler = trait.handler
    kind = type(handler).__name__
    if kind == "Enum":
        return "one of " + ", ".join(f"`{value}`" for value in handler.values)
    inner = trait.inner_traits
    return f"{kind} of {trait_type(inner[0])}" if inner else kind


def trait_table(spec: Any, heading: str) -> list[str]:
    """Lay out the traits of a node's specification as a table."""
    names = [n for n in spec.copyable_trait_names() if spec.trait(n).desc]
    if not names:
        return []
    lines = [f"| {heading} | type | default | meaning |", "|---|---|---|---|"]
    for name in sorted(names, key=lambda n: (not spec.trait(n).mandatory, n)):
        trait = spec.trait(name)
        default = "**mandatory**" if trait.mandatory else f"`{trait.default!r}`" if trait.usedefault else ""
        lines.append(f"| `{name}` | {_cell(trait_type(trait))} | {_cell(default)} | {_cell(trait.desc)} |")
    return [*lines, ""]


def nodes_page() -> str:
    """Lay out every node with its traits."""
    lines = [
        "# Nodes",
        "",
        "Nipype interfaces, by module of `spectralbrain.interfaces`. Files travel between nodes.",
    ]
    lines += ["", "| node | module | what it does |", "|---|---|---|"]
    nodes = list(public_nodes())
    for module, node in nodes:
        summary = (inspect.getdoc(node) or "").split("\n\n")[0]
        lines.append(f"| [{node.__name__}](#{node.__name__.lower()}) | `{module}` | {_cell(summary)} |")
    for module, node in nodes:
        doc = (inspect.getdoc(node) or "").split("\n\n")[0]
        lines += [
            "",
            f"## {node.__name__}",
            "",
            f"`from spectralbrain.interfaces.{module} import {node.__name__}`",
        ]
        lines += ["", _cell(doc), ""]
        lines += trait_table(node.input_spec(), "input")
        if node.output_spec is not None:
            lines += trait_table(node.output_spec(), "output")
    return "\n".join(lines) + "\n"


README_NODES = ("<!-- nodes -->", "<!-- end of nodes -->")


def readme_nodes() -> str:
    """Lay out README's table of nodes: the modules and what is in them."""
    modules: dict[str, list[str]] = {}
    for module, node in public_nodes():
        modules.setdefault(module, []).append(f"`{node.__name__}`")
    lines = ["| module | nodes |", "|---|---|"]
    return "\n".join([*lines, *(f"| {module} | {', '.join(names)} |" for module, names in modules.items())])


def with_nodes(readme: str) -> str:
    """Return README with its table of nodes made anew."""
    start, end = (readme.index(mark) for mark in README_NODES)
    return f"{readme[: start + len(README_NODES[0])]}\n{readme_nodes()}\n{readme[end:]}"


def parser_of(module: str) -> argparse.ArgumentParser:
    """Return the argument parser of a command."""
    return importlib.import_module(module).build_parser()


def commands_page() -> str:
    """Lay out the help of every command."""
    lines = ["# Commands", ""]
    for name, module in (
        ("spectralbrain", "spectralbrain.cli.parser"),
        ("spectralbrain-demo", "spectralbrain.cli.demo"),
        ("spectralbrain-doctor", "spectralbrain.cli.doctor"),
    ):
        parser = parser_of(module)
        parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
        lines += [f"## {name}", "", "```text", parser.format_help().rstrip(), "```", ""]
    return "\n".join(lines)


NAME_PARTS = {
    "sub-, ses-": "participant, session",
    "hemi-": "hemisphere, L or R",
    "space-, den-": "of the surface that was analysed; none: the participant's own",
    "label-": "the domain: `label-cortex` a hemisphere without the medial wall, `label-hipp` a hippocampus; "
    "none: a whole hemisphere, closed",
    "desc-": "the surface (`desc-midthickness`), or what a table holds (`desc-shapedna`)",
    "seg-": "parcellation",
    "meas-": "what a matrix measures",
}


def outputs_page() -> str:
    """Lay out what the app writes: its own dataset README, and the columns of its tables."""
    from spectralbrain.bids.description import readme
    from spectralbrain.workflows.summary import COLUMNS

    text = readme(spectralbrain.__version__)
    table = text[text.index("| file |") :]
    lines = [
        "# Outputs of the app",
        "",
        table.rstrip(),
        "",
        "## Names",
        "",
        "| part | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{part}` | {meaning} |" for part, meaning in NAME_PARTS.items()]
    lines += [
        "",
        "## Columns of `desc-shapedna_morph.tsv`",
        "",
        "Other tables have theirs in their JSON file.",
        "",
    ]
    lines += ["| column | meaning | unit |", "|---|---|---|"]
    for name, column in COLUMNS.items():
        lines.append(f"| `{name}` | {_cell(column['Description'])} | {_cell(column.get('Units', ''))} |")
    lines.append("| `eigenvalue_0000` ... | Eigenvalues, null modes included | mm⁻² |")
    lines.append(
        "| `shapedna_0001` ... | ShapeDNA: no null modes, normalised as the sidecar says | see the sidecar |"
    )
    return "\n".join(lines) + "\n"


PAGES = {
    "reference.md": reference_page,
    "shapes.md": shapes_page,
    "nodes.md": nodes_page,
    "commands.md": commands_page,
    "outputs.md": outputs_page,
}


def write_pages(folder: Path) -> list[Path]:
    """Write the generated pages; untouched where nothing changed, so that builds stay incremental."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in PAGES.items():
        path, text = folder / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect(
        "config-inited", lambda app, config: write_pages(Path(app.srcdir) / "generated"), priority=100
    )
    return {"version": spectralbrain.__version__, "parallel_read_safe": True}


if __name__ == "__main__":  # python docs/extensions/generated_pages.py: README's table of nodes
    path = Path(__file__).resolve().parents[2] / "README.md"
    path.write_text(with_nodes(path.read_text(encoding="utf-8")), encoding="utf-8")
