"""Failures of nodes: what they say, and the status row that stands for a result."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from spectralbrain.errors import (
    ArrayError,
    ConvergenceError,
    FormatError,
    IncompatibleError,
    MeshError,
    MissingDependencyError,
    SpectralBrainError,
)

STATUS_SUFFIX = "_status.tsv"
STATUS_COLUMNS = ("status", "reason", "interface", "inputs")


class InputFileError(SpectralBrainError, FileNotFoundError):
    """An input file of a node does not exist or cannot be read."""


class UpstreamError(SpectralBrainError, RuntimeError):
    """An input of a node is the recorded failure of an earlier node."""


REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (UpstreamError, "mend the input of the node that failed first; its reason is quoted above"),
    (FileNotFoundError, "correct the path; if a node should have written the file, run that node again"),
    (PermissionError, "make the file readable for the user who runs the workflow"),
    (
        FormatError,
        "replace the damaged or foreign file; if a node wrote it, delete its folder and rerun",
    ),
    (MeshError, "look at MeshQuality's report, then mend the surface (RepairMesh) or mask the bad part"),
    (ConvergenceError, "ask for fewer modes (k), or repair the mesh: MeshQuality names slivers and defects"),
    (MissingDependencyError, "install the extra that the message names"),
    (MemoryError, "grant the node more memory (mem_gb), or ask for fewer modes (k)"),
    (IncompatibleError, "compute all with the same options, or leave out those that the message names"),
    (ArrayError, "correct the input that the message names"),
    (SpectralBrainError, "see the message above"),
    (OSError, "make room, or make the folder writable, then run again"),
)
UNEXPECTED = (
    "none known: if the inputs are what they should be, please report this as a mistake of spectralbrain"
)


def remedy_for(error: BaseException) -> str:
    """Return what a user can do about an error."""
    return next((text for kind, text in REMEDIES if isinstance(error, kind)), UNEXPECTED)


def write_status(path: Path, reason: str, interface: str, inputs: Iterable[tuple[str, str]]) -> None:
    """Write the one-row table that stands for a result that could not be computed."""
    text = "; ".join(f"{name}={Path(file).name}" for name, file in inputs)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(STATUS_COLUMNS)
        writer.writerow(("failed", reason, interface, text))


def is_status_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is the recorded failure of a node."""
    if not os.fspath(path).endswith(STATUS_SUFFIX) or not Path(path).is_file():
        return False
    header = "\t".join(STATUS_COLUMNS).encode() + b"\n"
    with Path(path).open("rb") as stream:
        return stream.read(len(header)) == header


def read_status(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a status row: status, reason, interface, inputs."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        row: dict[str, str] = next(csv.DictReader(stream, delimiter="\t"))
    return row
