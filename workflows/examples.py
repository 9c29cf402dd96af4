"""What the examples share: real data that packages ship, options, one way to run a graph."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nipype import config, logging
from nipype.pipeline import engine as pe

from spectralbrain.cli.demo import write_dataset


def parse(description: str, argv: Sequence[str] | None, **inputs: str) -> argparse.Namespace:
    """Read the options of an example; `inputs` are its own, name and help."""
    parser = argparse.ArgumentParser(description=description)
    for name, text in inputs.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, help=text)
    parser.add_argument("--output", type=Path, default=Path("spectralbrain-examples"), help="folder to fill")
    parser.add_argument("--modes", type=int, default=50, help="eigenpairs of each surface (%(default)s)")
    parser.add_argument("--nprocs", type=int, default=1, help="processes to use (%(default)s)")
    options = parser.parse_args(argv)
    options.output = options.output.absolute()
    options.output.mkdir(parents=True, exist_ok=True)
    return options


def fsaverage5(options: argparse.Namespace) -> Path:
    """Lay out nilearn's fsaverage5 as fMRIPrep would, with masks and labels, and return the folder."""
    return write_dataset(options.output / "data") / "sub-fsaverage5" / "anat"


def run(workflow: pe.Workflow, options: argparse.Namespace) -> Any:
    """Run a workflow under the output folder and return the graph that ran."""
    logging.getLogger("nipype.workflow").setLevel("WARNING")
    config.set("execution", "poll_sleep_duration", "0.1")
    workflow.base_dir = str(options.output / "work")
    if options.nprocs == 1:
        return workflow.run()
    arguments = {"n_procs": options.nprocs, "mp_context": "forkserver"}
    return workflow.run(plugin="MultiProc", plugin_args=arguments)


def result(graph: Any, node: str) -> Any:
    """Return the outputs of a node that ran, by its name or the end of its full name."""
    (found,) = [n for n in graph.nodes() if n.fullname.endswith(f".{node}") or n.name == node]
    return found.result.outputs


def table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> None:
    """Print rows in columns."""
    cells = [list(header), *([f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
