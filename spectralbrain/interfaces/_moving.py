"""Moved and copied work directories: results that still name the old place.

Nipype can store results relative to a node's folder, but not those of a MapNode, nor what Merge, Select, a
JoinNode of an IdentityInterface or a Function hand on: these keep absolute paths. A consumer would then fail,
or, where the old place still exists, silently read from it. Each stored result tells the folder it was made
in; where that is not the folder it lies in, the work directory was moved, and from where.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from nipype.pipeline.engine.utils import load_resultfile

Move = tuple[Path, Path]
_LARGE = (
    4 * 2**20
)  # bytes: such a result holds arrays; reading it once more would cost more than paths are worth


def move_of(base: str | os.PathLike[str], results_file: str | os.PathLike[str], result: Any) -> Move | None:
    """Return old and new folder of the workflow that a stored result belongs to; None if it was not moved."""
    here = Path(results_file).parent
    runtime = result.runtime
    if isinstance(runtime, list):  # of a MapNode: .../node/mapflow/_node0
        runtime = next((item for item in runtime if item is not None), None)
        made_in = Path(getattr(runtime, "cwd", here / "mapflow" / "member")).parent.parent
    else:
        made_in = Path(getattr(runtime, "cwd", here))
    root = Path(os.path.realpath(base))
    if made_in == here or root not in here.parents:
        return None
    inside = here.relative_to(root).parts  # workflow, ..., node
    if made_in.parts[-len(inside) :] != inside:
        return None
    old = Path(*made_in.parts[: -len(inside)])
    return old / inside[0], root / inside[0]


def moved(value: Any, move: Move) -> Any:
    """Return a value whose paths into the old folder lead into the new one, where that has the file."""
    if isinstance(value, list | tuple):
        found = [moved(item, move) for item in value]
        return tuple(found) if isinstance(value, tuple) else found
    if not isinstance(value, str | os.PathLike):
        return value
    old, new = move
    path = Path(value)
    if old not in path.parents or new in path.parents:
        return value
    target = new / path.relative_to(old)
    return os.fspath(target) if target.exists() else value


def follow_moves(node: Any) -> None:
    """Correct the inputs of a node that come from stored results of a moved work directory."""
    sources: dict[str, list[str]] = {}
    for name, (results_file, _) in node.input_source.items():
        sources.setdefault(results_file, []).append(name)
    for results_file, names in sources.items():
        try:
            stat = Path(results_file).stat()
        except OSError:
            continue
        if not node.base_dir or stat.st_size > _LARGE:
            continue
        move = _stored_move(node.base_dir, results_file, stat.st_mtime_ns)
        for name in names if move else ():
            value = getattr(node.inputs, name)
            if move and _holds_texts(value) and (corrected := moved(value, move)) != value:
                node.set_input(name, corrected)


@functools.lru_cache(maxsize=256)
def _stored_move(base: str, results_file: str, mtime_ns: int) -> Move | None:
    return move_of(base, results_file, load_resultfile(results_file))


def _holds_texts(value: Any) -> bool:
    """Tell whether a value may hold paths: arrays cannot, and comparing them is ambiguous."""
    if isinstance(value, list | tuple):
        return all(_holds_texts(item) for item in value)
    return isinstance(value, str | os.PathLike)
