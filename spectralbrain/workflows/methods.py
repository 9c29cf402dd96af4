"""The methods text of a workflow: what the nodes that ran did, with versions and references."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nipype.interfaces.base import isdefined
from nipype.pipeline.engine.utils import load_resultfile

from spectralbrain.bids.references import REFERENCES, Reference
from spectralbrain.interfaces.base import SpectralInterface

_TOOLS = {"nipype": "gorgolewski2011", "numpy": "harris2020", "scipy": "virtanen2020"}


@dataclass(frozen=True)
class Methods:
    """What to write into a methods section.

    Attributes
    ----------
    sentences : tuple of str
        One for each kind of step and its options, in the order of a workflow.
    references : tuple of Reference
        What the sentences cite.
    versions : dict of str
        Software -> version that ran.
    """

    sentences: tuple[str, ...]
    references: tuple[Reference, ...]
    versions: dict[str, str]

    @property
    def text(self) -> str:
        """Return paragraph and list of references, Markdown."""
        tools = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [f"{' '.join(self.sentences)} Software: {tools}.", "", "### References", ""]
        return "\n".join([*lines, *(f"- {reference.text}" for reference in self.references), ""])

    @property
    def bibtex(self) -> str:
        """Return the references as BibTeX."""
        return "\n\n".join(reference.bibtex for reference in self.references) + "\n"


def collect_methods(source: Any) -> Methods:
    """Describe what ran.

    Parameters
    ----------
    source : graph or path
        What ``workflow.run()`` returned, or the workflow's folder in the work directory. Nodes that
        failed, recorded a failure or did not run are left out.

    Returns
    -------
    Methods

    Examples
    --------
    >>> collect_methods([]).sentences
    ()
    """
    paths = _result_files(source)
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(paths, key=os.fspath):
        for interface, values in _runs(path):
            sentence = interface.methods.format_map(_Values(values))
            if sentence:
                cites = interface.citations(values)
                found.setdefault(_with_citations(sentence, cites), cites)
    keys = [*(key for cites in found.values() for key in cites), *(_TOOLS.values() if paths else ())]
    references = tuple(REFERENCES[key] for key in sorted(set(keys)))
    versions = {name: importlib.metadata.version(name) for name in ("spectralbrain", *_TOOLS)}
    order = {name: position for position, name in enumerate(_order())}
    ranked = sorted(found, key=lambda sentence: order.get(_stem(sentence), len(order)))
    return Methods(tuple(ranked), references, versions)


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "default"


def _result_files(source: Any) -> list[Path]:
    if isinstance(source, str | os.PathLike):
        return [path for path in Path(source).rglob("result_*.pklz") if "mapflow" not in path.parts]
    nodes: Iterable[Any] = source.nodes() if hasattr(source, "nodes") else source
    found = (Path(node.output_dir()) / f"result_{node.name}.pklz" for node in nodes)
    return [path for path in found if path.exists()]


def _runs(path: Path) -> list[tuple[type[SpectralInterface], dict[str, Any]]]:
    """Return interface and values of each successful run that a result file tells of."""
    try:
        result = load_resultfile(path)
    except Exception:  # a result whose files are gone is no result
        return []
    kinds = result.interface if isinstance(result.interface, list) else [result.interface]
    runs = []
    for index, kind in enumerate(kinds):
        single = not isinstance(result.interface, list)
        if not (isinstance(kind, type) and issubclass(kind, SpectralInterface)):
            continue
        inputs = result.inputs if single else result.inputs[index]
        items = (
            result.outputs.trait_get() if single else {k: _at(v, index) for k, v in result.outputs.items()}
        )
        outputs = {name: value for name, value in items.items() if isdefined(value)}
        if outputs.get("status") == "ok":
            runs.append((kind, {**inputs, **outputs}))
    return runs


def _at(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, list) and index < len(values) else values


def _with_citations(sentence: str, cites: Iterable[str]) -> str:
    names = "; ".join(REFERENCES[key].short for key in cites)
    return f"{sentence.removesuffix('.')} ({names})." if names else sentence


def _stem(sentence: str) -> str:
    return sentence[:25]


def _order() -> list[str]:
    import spectralbrain.interfaces as interfaces

    names = [name for module in interfaces.REGISTRY.values() for name in module]
    return [_stem(getattr(interfaces, name).methods) for name in names]
