"""No stale result: whatever changes in the inputs runs the node, and nothing else does."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nipype.pipeline.engine as pe
import numpy as np
import pytest
import scipy.sparse
from interface_toys import Gather, Total
from nipype.interfaces.utility import Function, IdentityInterface

import spectralbrain.interfaces.base as base
from spectralbrain.interfaces import _hashing, _nodes
from spectralbrain.interfaces._hashing import array_digest, file_digest, fingerprint, remembering_digests

Run = Callable[[pe.Workflow], Any]
Ran = Callable[[pe.Workflow], set[str]]


def hash_of(**inputs: Any) -> str:
    return Total(**inputs).inputs.get_hashval()[1]


def value(workflow: pe.Workflow, name: str) -> float:
    (path,) = Path(workflow.base_dir, workflow.name).rglob(f"{name}/total.txt")
    return float(path.read_text())


def graph(folder: Path, **inputs: Any) -> pe.Workflow:
    workflow = pe.Workflow("graph", base_dir=str(folder))
    first = pe.Node(Total(**inputs), name="first")
    second = pe.Node(Total(), name="second")
    workflow.connect(first, "out_file", second, "values_file")
    return workflow


# What the hash is made of


def test_one_bit_in_the_middle_of_an_array_changes_the_hash() -> None:
    values = np.linspace(0, 1, 100_000)
    changed = values.copy()
    changed.view(np.uint8)[400_000] ^= 1
    assert np.abs(changed - values).max() < 1e-12
    assert hash_of(values=values) != hash_of(values=changed)
    assert hash_of(values=values) == hash_of(values=values.copy())


def test_dtype_and_shape_enter_the_hash_and_memory_order_does_not() -> None:
    values = np.arange(6.0)
    assert (
        len(
            {
                array_digest(a)
                for a in (values, values.astype("f4"), values.reshape(2, 3), values.reshape(3, 2))
            }
        )
        == 4
    )
    grid = values.reshape(2, 3)
    assert (
        array_digest(grid)
        == array_digest(np.asfortranarray(grid))
        == array_digest(np.repeat(grid, 2, 0)[::2])
    )
    assert array_digest(np.zeros((0, 3))) != array_digest(np.zeros((3, 0)))
    assert array_digest(np.float64(1)) != array_digest(np.ones(1))


@pytest.mark.parametrize(
    ("one", "other"), [(1e-12, 1e-14), (0.0, 1e-300), (0.1, np.nextafter(0.1, 1)), (0.0, -0.0)]
)
def test_full_floats_enter_the_hash(one: float, other: float) -> None:
    assert hash_of(tol=one) != hash_of(tol=other)


def test_values_that_print_alike_differ() -> None:
    texts = [
        repr(fingerprint(v, files=False))
        for v in (1, 1.0, True, "1", "1.0", [1], (1,), {1: 1}, {1}, None, b"1")
    ]
    assert len(set(texts)) == len(texts)
    assert fingerprint(np.float64(0.5), files=False) == fingerprint(0.5, files=False)


def test_dicts_hash_whatever_their_keys_and_order() -> None:
    assert hash_of(weights={"a": 1.0, 2: 2.0, None: 3.0}) == hash_of(weights={None: 3.0, 2: 2.0, "a": 1.0})
    assert hash_of(weights={"a": 1.0}) != hash_of(weights={"a": 2.0})


def frame(values: np.ndarray) -> Any:
    return pytest.importorskip("pandas", reason="pandas is not installed").DataFrame({"x": values})


@pytest.mark.parametrize(
    "make",
    [
        frame,
        scipy.sparse.csr_array,
        lambda values: np.ma.masked_array(np.ones(5000), values),
        lambda values: np.array([*values, "a"], dtype=object),
        lambda values: np.array(list(zip(values, values, strict=True)), dtype=[("a", "f8"), ("b", "f8")]),
        memoryview,
        lambda values: {"a": [{"b": values}]},
    ],
)
def test_one_element_of_whatever_holds_it(make: Callable[[np.ndarray], Any]) -> None:
    one, other = np.ones(5000), np.ones(5000)
    other[2500] = 0
    before = fingerprint(make(one), files=False)
    assert fingerprint(make(one.copy()), files=False) == before
    assert fingerprint(make(other), files=False) != before


def test_our_version_enters_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of(tol=1.0)
    monkeypatch.setattr(base, "__version__", "999")
    assert hash_of(tol=1.0) != before


def test_the_interface_enters_the_hash() -> None:
    assert Total().inputs.get_hashval()[1] != Gather().inputs.get_hashval()[1]


def test_threads_do_not_enter_the_hash() -> None:
    assert hash_of(num_threads=1) == hash_of(num_threads=8)


def test_a_text_that_happens_to_name_a_file_is_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = hash_of(label="notes")
    Path("notes").write_text("1")
    assert hash_of(label="notes") == before


def test_a_file_stands_for_its_name_and_content_not_for_its_folder_or_date(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "x.txt", tmp_path / "ü b" / "x.txt"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text("1 2 3")
    os.utime(other, (1, 1))
    assert hash_of(values_file=str(one)) == hash_of(values_file=str(other))
    link = tmp_path / "c" / "x.txt"
    link.parent.mkdir()
    link.symlink_to(other)
    assert hash_of(values_file=str(link)) == hash_of(values_file=str(one))
    renamed = one.with_name("y.txt")
    shutil.copy(one, renamed)
    assert hash_of(values_file=str(renamed)) != hash_of(values_file=str(one))


def test_same_size_and_date_do_not_hide_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1 2 3")
    stamp = path.stat()
    before = hash_of(values_file=str(path))
    path.write_text("1 2 4")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert hash_of(values_file=str(path)) != before


def test_an_unreadable_file_does_not_stop_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1")

    def refuse(path: str) -> str:
        raise PermissionError(13, "refused")

    monkeypatch.setattr(_hashing, "file_digest", refuse)
    assert hash_of(values_file=str(path)) != hash_of(values_file=str(path))


# Remembered digests


def age(path: Path) -> None:
    """Wait until the file's clock has moved on, so that its digest may be remembered."""
    while time.time() - path.stat().st_ctime < 0.15:
        time.sleep(0.02)


def test_a_digest_is_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, memo = tmp_path / "x", tmp_path / "memo"
    path.write_bytes(b"one")
    age(path)
    reads = []
    original = _hashing.hashlib.file_digest
    monkeypatch.setattr(_hashing.hashlib, "file_digest", lambda *a: reads.append(1) or original(*a))
    with remembering_digests(memo):
        first = [file_digest(path) for _ in range(3)]
        assert len(set(first)) == 1
        assert len(reads) == 1
        assert len(list(memo.iterdir())) == 1
        stamp = path.stat()
        path.write_bytes(b"two")
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert file_digest(path) not in first
    file_digest(path)
    assert len(reads) == 3, "outside the context nothing is remembered"


def test_a_file_too_young_is_read_again(tmp_path: Path) -> None:
    path, memo = tmp_path / "x", tmp_path / "memo"
    with remembering_digests(memo):
        for content in (b"a", b"b", b"c"):  # within one tick of the clock these states look alike
            path.write_bytes(content)
            assert file_digest(path) == _hashing.hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("litter", ["", "abc", "0" * 63, "\x00" * 64, "é" * 64])
def test_a_damaged_memory_is_ignored(tmp_path: Path, litter: str) -> None:
    path, memo = tmp_path / "x", tmp_path / "memo"
    path.write_bytes(b"one")
    age(path)
    with remembering_digests(memo):
        expected = file_digest(path)
        (entry,) = memo.iterdir()
        entry.write_text(litter, encoding="utf-8")
        assert file_digest(path) == expected
        assert entry.read_text(encoding="ascii").strip() == expected


def test_a_folder_that_cannot_be_written_costs_no_result(tmp_path: Path) -> None:
    path, blocker = tmp_path / "x", tmp_path / "file"
    path.write_bytes(b"one")
    blocker.write_bytes(b"")
    age(path)
    with remembering_digests(blocker / "memo"):
        assert file_digest(path) == _hashing.hashlib.sha256(b"one").hexdigest()


# Real workflows


def test_changes_run_what_depends_on_them_and_nothing_else(tmp_path: Path, run: Run, ran: Ran) -> None:
    values = np.zeros(5000)
    run(graph(tmp_path, values=values))
    assert ran(graph(tmp_path)) == {"first", "second"}
    run(graph(tmp_path, values=values.copy()))
    assert ran(graph(tmp_path)) == set()
    values[2500] = 1000.0
    run(workflow := graph(tmp_path, values=values))
    assert ran(workflow) == {"first", "second"}
    assert value(workflow, "second") == pytest.approx(1000.0)
    run(graph(tmp_path, values=values, tol=1e-12))
    assert ran(workflow) == {"first", "second"}
    run(graph(tmp_path, values=values, tol=1e-14))
    assert "first" in ran(workflow)
    run(graph(tmp_path, values=values, tol=1e-14, num_threads=2))
    assert ran(workflow) == set()


def test_a_touched_input_runs_nothing_and_a_changed_one_does(tmp_path: Path, run: Run, ran: Ran) -> None:
    path = tmp_path / "in put ü.txt"
    path.write_text("1 2 3")
    run(graph(tmp_path, values_file=str(path)))
    ran(graph(tmp_path))
    os.utime(path, (1, 1))
    run(workflow := graph(tmp_path, values_file=str(path)))
    assert ran(workflow) == set()
    stamp = path.stat()
    path.write_text("1 2 4")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    run(workflow)
    assert ran(workflow) == {"first", "second"}
    assert value(workflow, "second") == pytest.approx(7)


def test_one_more_connected_output_runs_nothing(tmp_path: Path, run_everywhere: Run, ran: Ran) -> None:
    run = run_everywhere
    run(graph(tmp_path, values=np.ones(3)))
    ran(workflow := graph(tmp_path, values=np.ones(3)))
    third = pe.Node(Total(), name="third")
    workflow.connect(workflow.get_node("first"), "copy_file", third, "values_file")
    run(workflow)
    assert ran(workflow) == {"third"}


def test_a_moved_work_directory_runs_nothing(tmp_path: Path, run: Run, ran: Ran) -> None:
    def mapped(folder: Path) -> pe.Workflow:
        workflow = graph(folder, values=np.ones(3))
        many = pe.MapNode(Total(), iterfield=["tol"], name="many")
        many.inputs.tol = [1.0, 2.0]
        end = pe.Node(Gather(), name="end")
        workflow.connect([(workflow.get_node("first"), many, [("out_file", "values_file")])])
        workflow.connect(many, "out_file", end, "files")
        return workflow

    run(mapped(tmp_path / "a"))
    (tmp_path / "a").rename(tmp_path / "b ü")
    ran(moved := mapped(tmp_path / "b ü"))
    run(moved)
    assert ran(moved) <= {"many"}, "a MapNode collects its sub-nodes again; none of them runs"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("run", ["fork"], indirect=True)
def test_a_lost_output_is_made_again(tmp_path: Path, run: Run, ran: Ran) -> None:
    run(workflow := graph(tmp_path, values=np.ones(3)))
    ran(workflow)
    (path,) = tmp_path.rglob("first/total.txt")
    path.unlink()
    run(workflow)
    assert "first" in ran(workflow)
    assert path.exists()


@pytest.mark.parametrize("run", ["Linear"], indirect=True)
def test_a_damaged_result_is_made_again(tmp_path: Path, run: Run, ran: Ran) -> None:
    run(workflow := graph(tmp_path, values=np.ones(3)))
    ran(workflow)
    (path,) = tmp_path.rglob("result_first.pklz")
    path.write_bytes(path.read_bytes()[:40])
    run(workflow)
    assert "first" in ran(workflow)


def test_arrays_in_the_list_of_a_mapnode(tmp_path: Path, run: Run, ran: Ran) -> None:
    def mapped(arrays: list[np.ndarray]) -> pe.Workflow:
        workflow = pe.Workflow("graph", base_dir=str(tmp_path))
        many = pe.MapNode(Total(), iterfield=["values"], name="many")
        many.inputs.values = arrays
        end = pe.Node(Gather(), name="end")
        workflow.connect(many, "out_file", end, "files")
        return workflow

    arrays = [np.zeros(5000), np.ones(5000)]
    run(mapped(arrays))
    ran(mapped(arrays))
    run(mapped([a.copy() for a in arrays]))
    assert ran(mapped(arrays)) == set()
    arrays[1][2500] = 7.0
    run(mapped(arrays))
    assert ran(mapped(arrays)) == {"many", "_many1", "end"}


def joined(folder: Path, tols: list[float], power: float, *, late: bool) -> pe.Workflow:
    workflow = pe.Workflow("graph", base_dir=str(folder))
    source = pe.Node(IdentityInterface(["tol"]), name="source")
    source.iterables = [("tol", tols)]
    each = pe.Node(Total(values=np.ones(3)), name="each")
    end = pe.JoinNode(
        Gather() if late else Gather(power=power), joinsource="source", joinfield="files", name="end"
    )
    if late:
        end.inputs.power = power
    workflow.connect(source, "tol", each, "tol")
    workflow.connect(each, "out_file", end, "files")
    return workflow


@pytest.mark.parametrize(
    ("late", "run"), [(False, "fork"), (True, "Linear")], indirect=["run"], ids=["constructor", "node"]
)
def test_a_joinnode_sees_every_change(tmp_path: Path, run: Run, ran: Ran, late: bool) -> None:
    run(workflow := joined(tmp_path, [1.0, 2.0], 1.0, late=late))
    ran(workflow)
    run(workflow := joined(tmp_path, [1.0, 2.0], 1.0, late=late))
    assert ran(workflow) == set()
    run(workflow := joined(tmp_path, [1.0, 2.0], 1.0 + 1e-14, late=late))
    assert ran(workflow) == {"end"}
    run(workflow := joined(tmp_path, [1.0, 3.0], 1.0 + 1e-14, late=late))
    assert ran(workflow) == {"each", "end"}
    (path,) = tmp_path.rglob("gather.txt")
    assert float(path.read_text()) == pytest.approx(10.0)


def test_a_node_run_by_hand_sees_every_change(tmp_path: Path) -> None:
    node = pe.Node(Total(values=np.ones(3)), name="alone", base_dir=str(tmp_path))
    assert node.run().outputs.total == pytest.approx(3.0)
    node.inputs.tol = 1.0
    assert node.run().outputs.total == 4.0
    node.inputs.values[1] = 11.0
    assert node.run().outputs.total == 14.0


# The code that runs


class Doubled(Total):
    """A node that shares its spec with another."""

    def _call(self, **arguments: Any) -> Any:
        return 2 * super()._call(**arguments)


@pytest.mark.parametrize("kind", ["node", "map", "nested"])
def test_another_interface_in_the_same_place_runs(tmp_path: Path, kind: str) -> None:
    def total(interface: Any) -> Any:
        if kind == "node":
            node = pe.Node(interface, name="n", base_dir=str(tmp_path))
        else:
            nested = {"iterfield": "tol", "nested": kind == "nested"}
            node = pe.MapNode(interface, name="n", base_dir=str(tmp_path), **nested)
            node.inputs.tol = [0.0] if kind == "map" else [[0.0]]
        node.inputs.values = np.ones(3)
        return np.ravel(node.run().outputs.total)[0]

    assert [total(cls()) for cls in (Total, Doubled, Total)] == pytest.approx([3.0, 6.0, 3.0])


@pytest.mark.parametrize("edited", ["class", "function"])
def test_edited_code_of_your_own_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    function, code = tmp_path / "own_function.py", tmp_path / "own_node.py"
    function.write_text("def make(label):\n    return label\n")
    code.write_text(
        "from spectralbrain.interfaces import custom\n"
        "class OwnInputSpec(custom.SpectralInputSpec):\n"
        "    label = custom.traits.Str('a', usedefault=True, desc='a text')\n"
        "class OwnOutputSpec(custom.SpectralOutputSpec):\n"
        "    label = custom.traits.Str(desc='a text')\n"
        "class Own(custom.SpectralInterface):\n"
        "    input_spec, output_spec, function = OwnInputSpec, OwnOutputSpec, 'own_function.make'\n"
        "    def _store(self, result, folder, arguments):\n"
        "        return {'label': result + '!'}\n"
    )

    def label() -> Any:
        for module in ("own_function", "own_node"):
            sys.modules.pop(module, None)
        importlib.invalidate_caches()
        own = importlib.import_module("own_node").Own
        return pe.Node(own(), name="own", base_dir=str(tmp_path / "work")).run().outputs.label

    assert label() == "a!"
    if edited == "class":
        code.write_text(code.read_text().replace("'!'", "'?'"))
    else:
        function.write_text("def make(label):\n    return label * 2\n")
    assert label() == ("a?" if edited == "class" else "aa!")


# Other packages' nodes


def test_nodes_of_other_packages_are_left_alone(tmp_path: Path) -> None:
    node = pe.Node(Function(["x"], ["y"], function="def f(x): return x"), name="n", base_dir=str(tmp_path))
    node.inputs.x = 1.23456789012345
    node.needed_outputs = ["y"]
    node.config = {"execution": dict(pe.nodes.config._sections["execution"])}
    wrapped = type(node)._get_hashval
    plain = wrapped.__wrapped__(node)
    settings = dict(node.config["execution"])
    node._hashvalue = node._hashed_inputs = None
    assert wrapped(node) == plain
    assert node.needed_outputs == ["y"]
    assert node.config["execution"] == settings


def test_wrapping_happens_once() -> None:
    before = pe.Node._get_hashval
    _nodes.install()
    assert pe.Node._get_hashval is before
