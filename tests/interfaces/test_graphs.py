"""Graphs that people build: what goes wrong in them elsewhere must not go wrong here."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nipype.pipeline.engine as pe
import numpy as np
import pytest
from interface_toys import Gather, Total
from nipype.interfaces.utility import Function, IdentityInterface, Merge, Select

import spectralbrain as sb
import spectralbrain.interfaces as nodes
from spectralbrain.errors import ArrayError
from spectralbrain.geometry.solids import sphere
from spectralbrain.interfaces import _hashing

Run = Callable[[pe.Workflow], Any]
Ran = Callable[[pe.Workflow], set[str]]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def numbers(folder: Path, *values: float) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index}.txt" for index in range(len(values))]
    for path, value in zip(paths, values, strict=True):
        path.write_text(f"{value}\n")
    return [os.fspath(path) for path in paths]


def single(folder: Path, **inputs: Any) -> pe.Workflow:
    workflow = pe.Workflow("graph", base_dir=os.fspath(folder))
    workflow.add_nodes([pe.Node(Total(**inputs), name="total")])
    return workflow


def outputs(graph: Any, name: str) -> Any:
    (node,) = [n for n in graph.nodes() if n.name == name]
    return node.result.outputs


# Paths


def test_a_link_stands_for_what_it_points_to(tmp_path: Path, ran: Ran) -> None:
    one, other = numbers(tmp_path / "in", 1, 2)
    link = tmp_path / "link.txt"
    link.symlink_to(one)
    single(tmp_path, values_file=str(link)).run()
    ran(workflow := single(tmp_path, values_file=str(link)))
    workflow.run()
    assert ran(workflow) == set()
    link.unlink()
    link.symlink_to(other)
    assert outputs(single(tmp_path, values_file=str(link)).run(), "total").total == pytest.approx(2)
    link.unlink()
    link.write_bytes(Path(other).read_bytes())
    ran(workflow)
    single(tmp_path, values_file=str(link)).run()
    assert ran(workflow) == set(), "a copy in the link's place is the same input"


def test_a_relative_path_is_relative_to_where_it_was_set(tmp_path: Path, run: Run) -> None:
    numbers(tmp_path / "in put", 3)
    workflow = single(tmp_path / "work", values_file="in put/0.txt")
    assert outputs(run(workflow), "total").total == pytest.approx(3)
    node = pe.Node(Gather(files=["in put/0.txt", Path("in put/0.txt")]), name="n", base_dir=str(tmp_path))
    assert Path(node.run().outputs.out_file).read_text() == "6.0\n"


@pytest.mark.parametrize("name", ["Load", "CheckCompatible"])
def test_a_file_handed_on_is_the_file_handed_in(tmp_path: Path, name: str) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        sphere(1).decompose(4).save(tmp_path / place / "x.h5")
        path = str(tmp_path / place / "x.h5")
        node = pe.Node(getattr(nodes, name)(), name="gate", base_dir=str(tmp_path))
        node.inputs.trait_set(**({"in_file": path} if name == "Load" else {"in_files": [path]}))
        found = node.run().outputs
        assert (found.out_file if name == "Load" else found.out_files[0]) == path


def handing_on(folder: Path, files: list[str]) -> pe.Workflow:
    """Return a graph whose files go through nodes of Nipype that keep absolute paths."""
    workflow = pe.Workflow("graph", base_dir=os.fspath(folder))
    source = pe.Node(IdentityInterface(["file"]), name="source")
    source.iterables = ("file", files)
    each = pe.Node(Total(), name="each")
    join = pe.JoinNode(IdentityInterface(["files"]), joinsource="source", joinfield="files", name="join")
    many = pe.MapNode(Total(), iterfield=["values_file"], name="many")
    merge = pe.Node(Merge(2), name="merge")
    last = pe.Node(Function(["files"], ["file"], function="def last(files): return files[-1]"), name="last")
    gather, one, two = (
        pe.Node(Gather(), name="gather"),
        pe.Node(Total(), name="one"),
        pe.Node(Gather(), name="two"),
    )
    workflow.connect(
        [
            (source, each, [("file", "values_file")]),
            (each, join, [("out_file", "files")]),
            (join, many, [("files", "values_file")]),
            (join, merge, [("files", "in1")]),
            (many, merge, [("out_file", "in2")]),
            (many, two, [("out_file", "files")]),
            (merge, gather, [("out", "files")]),
            (merge, last, [("out", "files")]),
            (last, one, [("file", "values_file")]),
        ]
    )
    return workflow


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_work_directory_in_another_place_reads_nothing_from_the_old_one(
    tmp_path: Path, ran: Ran, how: str
) -> None:
    files = numbers(tmp_path / "in", 1, 2)
    old, new = tmp_path / "old", tmp_path / "new ü"
    handing_on(old, files).run()
    if how == "moved":
        old.rename(new)
    else:
        shutil.copytree(old, new)
        for path in old.rglob("*/total.txt"):
            path.write_text("666")
    ran(workflow := handing_on(new, files))
    graph = workflow.run()
    assert not ran(workflow) & {"each", "_many0", "_many1", "one", "two", "gather"}
    for node in graph.nodes():
        if node.name in ("each", "one", "gather", "many"):
            found = node.result.outputs.out_file
            assert all(str(new) in path for path in ([found] if isinstance(found, str) else found))
    changed = handing_on(new, files)
    changed.get_node("gather").inputs.power = 2.0
    assert float(Path(outputs(changed.run(), "gather").out_file).read_text()) == pytest.approx(10)


# MapNodes, iterables, joins


def test_a_nested_mapnode_keeps_its_lists_apart(tmp_path: Path) -> None:
    files = numbers(tmp_path / "in", 1, 2, 3)
    for lists, lengths in (
        ([files[:2], files[2:]], [2, 1]),
        ([files[:1], files[1:]], [1, 2]),
        ([files[:2], files[2:]], [2, 1]),
    ):
        node = pe.MapNode(Total(), iterfield=["values_file"], nested=True, name="n", base_dir=str(tmp_path))
        node.inputs.values_file = lists
        assert [len(item) for item in node.run().outputs.out_file] == lengths


def test_a_member_added_to_a_mapnode_runs_alone(tmp_path: Path, ran: Ran) -> None:
    def mapped(tols: list[float]) -> pe.Workflow:
        workflow = pe.Workflow("graph", base_dir=str(tmp_path))
        first = pe.MapNode(Total(values=np.ones(3)), iterfield=["tol"], name="first")
        first.inputs.tol = tols
        second = pe.MapNode(Total(), iterfield=["values_file"], name="second")
        workflow.connect(first, "out_file", second, "values_file")
        return workflow

    mapped([1.0, 2.0]).run()
    ran(mapped([]))
    mapped([1.0, 2.0, 3.0]).run()
    assert ran(mapped([])) == {"first", "_first2", "second", "_second2"}
    mapped([1.0, 2.5, 3.0]).run()
    assert ran(mapped([])) == {"first", "_first1", "second", "_second1"}


def test_iterables_over_arrays_that_print_alike(tmp_path: Path, run: Run, ran: Ran) -> None:
    def graph(values: list[np.ndarray]) -> pe.Workflow:
        workflow = pe.Workflow("graph", base_dir=str(tmp_path))
        total = pe.Node(Total(), name="total")
        total.iterables = ("values", values)
        doubled = pe.Node(Function(["value"], ["value"], function=double), name="doubled")
        workflow.connect(total, "total", doubled, "value")
        return workflow

    values = [np.zeros(2000) for _ in range(3)]
    values[1][1000], values[2][1000] = 1.0, np.nextafter(1.0, 2.0)
    found = run(workflow := graph(values))
    for name, factor in (("total", 1), ("value", 2)):
        node = "doubled" if factor == 2 else "total"
        got = sorted(getattr(n.result.outputs, name) for n in found.nodes() if n.name == node)
        assert got == [factor * (v.sum() + 1e-8) for v in values]
    ran(workflow)
    run(graph(values[::-1]))
    assert ran(workflow) == set(), "a value keeps its folder, whatever its place"


def test_values_that_would_share_a_folder_are_refused(tmp_path: Path) -> None:
    workflow = pe.Workflow("graph", base_dir=str(tmp_path))
    source = pe.Node(IdentityInterface(["labels"]), name="source")
    source.iterables = ("labels", [[1, 2], "1.2"])
    gather = pe.Node(Function(["value"], ["value"], function=double), name="doubled")
    workflow.connect(source, "labels", gather, "value")
    with pytest.raises(ArrayError, match=r"iterables: .*'_labels_1\.2' for two different values"):
        workflow.run()


def double(value: float) -> float:
    return 2 * value


def test_iterables_by_participant_join_again(tmp_path: Path, ran: Ran) -> None:
    numbers(tmp_path / "in", 10, 20)

    def build() -> pe.Workflow:
        workflow = pe.Workflow("graph", base_dir=str(tmp_path))
        subject = pe.Node(IdentityInterface(["subject"]), name="subject")
        subject.iterables = ("subject", ["0", "1"])
        session = pe.Node(IdentityInterface(["subject", "tol"]), name="session")
        session.itersource = ("subject", "subject")
        session.iterables = [("tol", {"0": [1.0, 2.0], "1": [3.0]})]
        code = f"def find(subject): return {str(tmp_path / 'in')!r} + '/' + subject + '.txt'"
        find = pe.Node(Function(["subject"], ["path"], function=code), name="find")
        total = pe.Node(Total(), name="total")
        join = pe.JoinNode(Gather(), joinsource="session", joinfield="files", name="join")
        workflow.connect(
            [
                (subject, session, [("subject", "subject")]),
                (session, find, [("subject", "subject")]),
                (session, total, [("tol", "tol")]),
                (find, total, [("path", "values_file")]),
                (total, join, [("out_file", "files")]),
            ]
        )
        return workflow

    build().run()
    found = {path.read_text() for path in tmp_path.rglob("gather.txt")}
    assert found == {"23.0\n"}
    assert len(list(tmp_path.rglob("total.txt"))) == 3
    ran(build())
    build().run()
    assert not ran(build()) & {"total", "join"}


def test_caches_are_merged_selected_and_exported(tmp_path: Path) -> None:
    mesh = sphere(1, radius=20.0)
    path = sb.save_mesh(tmp_path / "sphere.ply", mesh.vertices, mesh.faces)
    workflow = pe.Workflow("graph", base_dir=str(tmp_path))
    decompose = pe.Node(nodes.Decompose(mesh_file=path, k=5), name="decompose")
    hks = pe.Node(nodes.ComputeHKS(n_times=2), name="hks")
    bks = pe.Node(nodes.ComputeBKS(), name="bks")
    merge, select = pe.Node(Merge(3), name="merge"), pe.Node(Select(index=[1]), name="select")
    cache, gifti = pe.Node(nodes.SaveHDF5(), name="cache"), pe.Node(nodes.SaveGiftiFunc(), name="gifti")
    workflow.connect(
        [
            (decompose, hks, [("out_file", "decomposition_file")]),
            (decompose, bks, [("out_file", "decomposition_file")]),
            (decompose, merge, [("out_file", "in1")]),
            (hks, merge, [("out_file", "in2")]),
            (bks, merge, [("out_file", "in3")]),
            (merge, cache, [("out", "in_files")]),
            (merge, select, [("out", "inlist")]),
            (select, gifti, [("out", "scalars_file")]),
        ]
    )
    graph = workflow.run()
    content = sb.load_hdf5(outputs(graph, "cache").out_file)
    assert set(content["descriptors"]) == {"hks", "bks"}
    np.testing.assert_allclose(
        sb.load_gifti_func(outputs(graph, "gifti").out_file), content["descriptors"]["hks"], rtol=1e-6
    )


# Nipype's own switches


def test_a_hash_that_is_only_updated_stays_updated(tmp_path: Path, ran: Ran) -> None:
    single(tmp_path / "work", values=np.ones(3)).run()
    ran(workflow := single(tmp_path / "work", values=np.ones(3), tol=1.0))
    workflow.run(updatehash=True)
    single(tmp_path / "work", values=np.ones(3), tol=1.0).run()
    assert ran(workflow) == set()
    assert [path.name for path in tmp_path.iterdir()] == ["work"], "nothing is left in the current folder"


@pytest.mark.parametrize(
    "setting", [("hash_method", "content"), ("use_relative_paths", "false"), ("local_hash_check", "false")]
)
def test_settings_do_not_run_what_is_done(tmp_path: Path, ran: Ran, setting: tuple[str, str]) -> None:
    for _ in range(2):
        workflow = single(tmp_path, values=np.ones(3))
        workflow.config["execution"] = dict([setting])
        workflow.run()
        found = ran(workflow)
    assert found == set()


def test_nodes_can_be_copied_pickled_and_cached_by_hand(tmp_path: Path) -> None:
    from nipype.caching import Memory

    node = pe.Node(Total(values=np.arange(3.0)), name="n", base_dir=str(tmp_path))
    for other in (copy.deepcopy(node), pickle.loads(pickle.dumps(node)), node.clone("m")):
        assert other.run().outputs.total == pytest.approx(3)
    cached = Memory(str(tmp_path)).cache(Total)
    first = cached(values=np.arange(3.0)).outputs.out_file
    assert cached(values=np.arange(3.0)).outputs.out_file == first
    assert cached(values=np.arange(3.0), tol=1e-14).outputs.out_file != first


@pytest.mark.parametrize("name", sorted(nodes.__all__[1:]))
def test_help_and_values_of_every_node(name: str) -> None:
    cls = getattr(nodes, name)
    text = cls.help(returnhelp=True)
    for trait in cls.input_spec().copyable_trait_names():
        assert trait in text
    interface = pickle.loads(pickle.dumps(cls()))
    assert interface.inputs.get_hashval() == copy.deepcopy(cls()).inputs.get_hashval()
    assert interface.inputs.get()["on_error"] == "raise"
    assert cls.version.fget(interface) == sb.__version__


# Cost


def test_a_rerun_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = numbers(tmp_path / "in", *range(5))
    monkeypatch.setattr(_hashing, "_WORTH_WAITING", 0)  # these small files stand for large ones

    def build() -> pe.Workflow:
        workflow = pe.Workflow("graph", base_dir=str(tmp_path))
        one, two = (pe.Node(Gather(files=files), name=name) for name in ("one", "two"))
        third = pe.Node(Total(), name="third")
        workflow.connect(one, "out_file", third, "values_file")
        workflow.add_nodes([two])
        return workflow

    reads: list[int] = []
    original = _hashing.hashlib.file_digest
    monkeypatch.setattr(_hashing.hashlib, "file_digest", lambda *a: reads.append(1) or original(*a))
    build().run()
    assert len(reads) == 7, "each file once, that of the toys' code too, however many nodes take it"
    build().run()
    assert len(reads) == 7


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = numbers(tmp_path / "in", 1)
    monkeypatch.setattr(_hashing, "_WORTH_WAITING", 0)
    original = _hashing.hashlib.file_digest

    def late(*arguments: Any) -> Any:
        found = original(*arguments)
        Path(path).write_text("22\n")
        return found

    with _hashing.remembering_digests(tmp_path / "memo"):
        with monkeypatch.context() as patch:
            patch.setattr(_hashing.hashlib, "file_digest", late)
            _hashing.file_digest(path)
        assert list((tmp_path / "memo").iterdir()) == []
        assert _hashing.file_digest(path) == _hashing.hashlib.sha256(b"22\n").hexdigest()
