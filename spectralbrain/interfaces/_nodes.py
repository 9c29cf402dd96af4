"""What Nipype's nodes do differently when they hold one of our interfaces.

Six things that no interface can reach, because Nipype asks the node and not the interface, decide
whether a cached result is returned and whether a failure stays where it is:

* two interfaces that share a spec share a hash, and so do two versions of a user's own interface;
* ``JoinNode`` hashes a copy of the fields without their types, and forgets what was set on the
  interface when it was made;
* a node remembers its first hash, so that a second ``node.run()`` after an input changed returns
  the old result;
* the outputs that happen to be connected enter the hash, and the files of the others are deleted:
  connecting one more output runs the node again;
* a nested ``MapNode`` hashes its lists flattened: [[a, b], [c]] would give the result of [[a], [b, c]];
* a node that cannot take what an earlier node hands on fails before it has a result, for which
  MultiProc then waits for ever; and ``updatehash`` writes the new hash into the current folder.

So ``_get_hashval``, ``_update_hash`` and ``is_cached`` are wrapped. Nodes that hold other packages'
interfaces pass straight through: their hashes, caches and settings are what they were (tested). Two things
are done for all nodes of a graph: in a work directory that was moved, ``_get_inputs`` follows
(:mod:`spectralbrain.interfaces._moving`), and branches of iterables never share a folder
(:mod:`spectralbrain.interfaces._iterables`).
"""

from __future__ import annotations

import functools
import os
import re
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nipype.interfaces.base import Bunch, InterfaceResult, isdefined
from nipype.pipeline.engine.nodes import JoinNode, MapNode, Node
from nipype.pipeline.engine.utils import load_resultfile, save_hashfile, save_resultfile

from spectralbrain.interfaces import _iterables
from spectralbrain.interfaces._hashing import (
    MEMO_FOLDER,
    code_fingerprint,
    digest_of_text,
    remembering_digests,
)
from spectralbrain.interfaces._moving import follow_moves, move_of, moved

_SLOT = re.compile(r"J\d+\Z")
_MARK = "_spectralbrain"
# Results are stored relative to the node's folder, so that a moved work directory is still valid;
# a crash of ours is a text file that can be read where it was written.
_SETTINGS = {"use_relative_paths": "true", "crashfile_format": "txt"}


def memo_folder(node: Node) -> Path | None:
    """Return the folder of remembered digests: one per work directory.

    The sub-nodes of a MapNode live deep inside and share the folder of the workflow above them.
    """
    if not node.base_dir:
        return None
    base = Path(node.base_dir).absolute()
    above = list(base.parents)[:8] if base.name == "mapflow" else []
    for folder in (base, *above):
        if _is_own(folder / MEMO_FOLDER):
            return folder / MEMO_FOLDER
    return base / MEMO_FOLDER


def _is_own(folder: Path) -> bool:
    """Tell whether a folder is there and ours: what others remember is not to be trusted."""
    return folder.is_dir() and folder.stat().st_uid == os.geteuid()


def _is_ours(node: Node) -> bool:
    return getattr(node.interface, "is_spectralbrain_interface", False)


def _prepare(node: Node) -> None:
    node._hashvalue = node._hashed_inputs = None
    node._needed_outputs = []
    if node.config is not None:
        node.config = {**node.config, "execution": {**node.config.get("execution", {}), **_SETTINGS}}


def _wrap_hash(original: Callable[[Node], Any]) -> Callable[[Node], Any]:
    @functools.wraps(original)
    def _get_hashval(self: Node) -> Any:
        if not _is_ours(self):
            return original(self)
        _prepare(self)
        try:
            with remembering_digests(memo_folder(self)):
                _join_hash(self) if isinstance(self, JoinNode) else original(self)
                return _whole_hash(self)
        except Exception:
            _leave_result(self)
            raise

    setattr(_get_hashval, _MARK, True)
    return _get_hashval


def _join_hash(node: JoinNode) -> None:
    """Hash what the interface will see: its own settings, then the fields set or joined here."""
    node._get_inputs()
    spec = node.interface.inputs
    values = dict(spec.trait_get())
    values |= {name: value for name, value in node.inputs.trait_get().items() if isdefined(value)}
    known = set(spec.copyable_trait_names())
    roles = {name: name if name in known else _SLOT.sub("", name) for name in values}
    node._hashed_inputs, node._hashvalue = spec.hash_of(values, roles)


def _whole_hash(node: Node) -> Any:
    """Add the code that will run, and how the lists of a nested MapNode are nested."""
    more: list[Any] = [code_fingerprint(type(node.interface), node.interface.function)]
    if getattr(node, "nested", False):
        more.append(["nesting", {name: _nesting(getattr(node.inputs, name)) for name in node.iterfield}])
    node._hashed_inputs += more
    node._hashvalue = digest_of_text(repr((node._hashvalue, more)))
    return node._hashed_inputs, node._hashvalue


def _nesting(value: Any) -> Any:
    return [_nesting(item) for item in value] if isinstance(value, list) else None


def _leave_result(node: Node) -> None:
    """Store that the node failed before its interface began, unless there is a result already."""
    folder = Path(node.output_dir())
    if not (folder / f"result_{node.name}.pklz").exists():
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"cwd": os.fspath(folder), "hostname": socket.gethostname(), "returncode": 1}
        runtime = Bunch(traceback=traceback.format_exc(), environ={}, **facts)
        save_resultfile(InterfaceResult(node.interface.__class__, runtime), folder, node.name)


def _wrap_inputs(original: Callable[[Node], None]) -> Callable[[Node], None]:
    @functools.wraps(original)
    def _get_inputs(self: Node) -> None:
        fresh = not self._got_inputs
        original(self)
        if fresh and self.input_source:
            follow_moves(self)

    setattr(_get_inputs, _MARK, True)
    return _get_inputs


def _wrap_update(original: Callable[[Node], None]) -> Callable[[Node], None]:
    @functools.wraps(original)
    def _update_hash(self: Node) -> None:
        if not _is_ours(self):
            return original(self)
        folder = Path(self.output_dir())
        for outdated in folder.glob("_0x*.json"):
            outdated.unlink()
        save_hashfile(os.fspath(folder / f"_0x{self._hashvalue}.json"), self._hashed_inputs)
        return None

    setattr(_update_hash, _MARK, True)
    return _update_hash


def _wrap_cached(original: Callable[..., tuple[bool, bool]]) -> Callable[..., tuple[bool, bool]]:
    @functools.wraps(original)
    def is_cached(self: Node, rm_outdated: bool = False) -> tuple[bool, bool]:
        if _is_ours(self):
            _prepare(self)  # the scheduler's own copy, which writes the crash file, is never hashed
        cached, updated = original(self, rm_outdated)
        if cached and updated and _is_ours(self) and not _outputs_exist(self):
            return False, False
        return cached, updated

    setattr(is_cached, _MARK, True)
    return is_cached


def _outputs_exist(node: Node) -> bool:
    """Tell whether the stored result can be read and the files it names are there, not where they were."""
    path = Path(node.output_dir()) / f"result_{node.name}.pklz"
    try:
        result = load_resultfile(path)
        found = result.outputs
        outputs = found.dictcopy() if isinstance(found, Bunch) else found.trait_get()
        move = move_of(node.base_dir, path, result)
    except Exception:  # whatever is wrong with a pickle of a killed process: compute it again
        return False
    files = [value for name, value in outputs.items() if name.endswith(("file", "files"))]
    return all(_exists(value) for value in files) and not (move and moved(files, move) != files)


def _exists(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_exists(item) for item in value)
    return not isinstance(value, str | os.PathLike) or not os.fspath(value) or Path(value).exists()


def install() -> None:
    """Wrap the methods, once per process."""
    _iterables.install()
    for kind in (Node, MapNode):
        if not hasattr(kind._get_hashval, _MARK):
            kind._get_hashval = _wrap_hash(kind._get_hashval)
    if not hasattr(Node._get_inputs, _MARK):
        Node._get_inputs = _wrap_inputs(Node._get_inputs)
    if not hasattr(Node._update_hash, _MARK):
        Node._update_hash = _wrap_update(Node._update_hash)
    if not hasattr(Node.is_cached, _MARK):
        Node.is_cached = _wrap_cached(Node.is_cached)
