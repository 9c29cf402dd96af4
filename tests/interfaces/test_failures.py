"""Failures that explain themselves, stay where they are, and can be recorded instead of raised."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nipype.pipeline.engine as pe
import numpy as np
import pytest
from interface_toys import Total
from nipype.interfaces.utility import Function

import spectralbrain as sb
from spectralbrain.errors import (
    ArrayError,
    FormatError,
    MeshError,
    MissingDependencyError,
    SpectralBrainError,
)
from spectralbrain.geometry.solids import sphere
from spectralbrain.interfaces import (
    ComputeHKS,
    ComputeShapeDNA,
    Decompose,
    FindOutliers,
    LoadMesh,
    ParticipantsTable,
    SaveHDF5,
)
from spectralbrain.interfaces.base import InputFileError, UpstreamError, is_status_file, read_status

Run = Callable[[pe.Workflow], Any]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_sphere(path: Path, *, faces: slice = slice(None), bad: str = "") -> str:
    mesh = sphere(2)
    triangles = mesh.faces[faces]
    if bad == "non-manifold":
        triangles = np.vstack([triangles, [[triangles[0, 0], triangles[0, 1], triangles[7, 2]]]])
    return os.fspath(sb.save_mesh(path, mesh.vertices, triangles))


def bad_inputs(folder: Path) -> dict[str, tuple[str, type[Exception], str]]:
    good = write_sphere(folder / "good.ply")
    truncated, empty, text = folder / "truncated.ply", folder / "empty.ply", folder / "text.ply"
    truncated.write_bytes(Path(good).read_bytes()[:2000])
    empty.write_bytes(b"")
    text.write_text("solid nothing")
    nan = folder / "nan.off"
    nan.write_text("OFF\n3 1 0\n0 0 0\n1 0 nan\n0 1 0\n3 0 1 2\n")
    small = folder / "small.off"
    small.write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
    torn = write_sphere(folder / "torn.ply", bad="non-manifold")
    return {
        "missing": (str(folder / "nowhere.ply"), InputFileError, "correct the path"),
        "truncated": (str(truncated), FormatError, "replace the damaged"),
        "empty": (str(empty), FormatError, "replace the damaged"),
        "text": (str(text), FormatError, "replace the damaged"),
        "NaN": (str(nan), (FormatError, ArrayError), "remedy"),  # type: ignore[dict-item]
        "too small": (str(small), (ArrayError, MeshError), "remedy"),  # type: ignore[dict-item]
        "non-manifold": (torn, MeshError, "MeshQuality"),
    }


CASES = ["missing", "truncated", "empty", "text", "NaN", "too small", "non-manifold"]


@pytest.mark.parametrize("case", CASES)
def test_a_message_names_file_node_and_remedy(tmp_path: Path, case: str) -> None:
    path, kind, remedy = bad_inputs(tmp_path)[case]
    folder = tmp_path / "decompose_left"
    folder.mkdir()
    with pytest.raises(kind) as caught:
        Decompose(mesh_file=path, k=5).run(cwd=str(folder))
    message = str(caught.value)
    assert path in message
    assert "decompose_left (Decompose" in message
    assert "remedy: " in message
    assert remedy in message


@pytest.mark.parametrize("case", CASES)
def test_a_failure_can_be_recorded(tmp_path: Path, case: str) -> None:
    path, _, _ = bad_inputs(tmp_path)[case]
    folder = tmp_path / "decompose"
    folder.mkdir()
    outputs = Decompose(mesh_file=path, k=5, on_error="record").run(cwd=str(folder)).outputs
    assert outputs.status == "failed"
    assert Path(path).name in outputs.reason
    assert is_status_file(outputs.out_file)
    row = read_status(outputs.out_file)
    assert row["status"] == "failed"
    assert row["reason"] == outputs.reason
    assert row["interface"] == "Decompose"
    assert Path(path).name in row["inputs"]
    later = ComputeHKS(decomposition_file=outputs.out_file, on_error="record").run().outputs
    assert later.status == "failed"
    assert outputs.reason in later.reason
    with pytest.raises(UpstreamError, match="mend the input of the node that failed first"):
        ComputeShapeDNA(decomposition_file=outputs.out_file).run()


def test_a_mistake_of_the_programmer_is_never_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(path: str) -> None:
        raise TypeError("no such thing")

    monkeypatch.setattr("spectralbrain.io.load.load_mesh", broken)
    with pytest.raises(TypeError, match="no such thing"):
        LoadMesh(in_file=write_sphere(tmp_path / "x.ply"), on_error="record").run()


def test_conflicting_caches_are_not_merged(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        sb.save_hdf5(f"{name}.h5", descriptors={"x": np.full(3, value)})
    with pytest.raises(sb.IncompatibleError, match="descriptors/x: expected the same in every cache"):
        SaveHDF5(in_files=["a.h5", "b.h5"]).run()
    sb.save_hdf5("c.h5", eigenvalues=np.arange(3.0))
    with pytest.raises(ArrayError, match="eigenvalues: expected once"):
        SaveHDF5(in_files=["c.h5"], eigenvalues=np.arange(3.0)).run()


def test_either_array_or_file_never_both(tmp_path: Path) -> None:
    node = ComputeHKS(times=[1.0])
    with pytest.raises(OSError, match="mutually exclusive"):
        node.inputs.times_file = str(tmp_path / "x.h5")
    with pytest.raises(ValueError, match="requires a value for input 'decomposition_file'"):
        node.run()


@pytest.mark.parametrize(
    "value", ["text", [None], np.ma.masked_array([1.0, 2.0], [0, 1]), [1 + 2j], [[1], [1, 2]]]
)
def test_the_array_trait_takes_numbers_only(value: Any) -> None:
    with pytest.raises(Exception, match="an array of numbers"):
        ComputeHKS(times=value)


def test_a_surface_in_pieces_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = sphere(1)
    vertices, faces = (np.vstack([a, a + b]) for a, b in ((mesh.vertices, 9), (mesh.faces, 42)))
    path = os.fspath(sb.save_mesh(tmp_path / "two.ply", vertices, faces))
    told: list[str] = []
    monkeypatch.setattr(
        logging.getLogger("nipype.interface"), "warning", lambda text, *values: told.append(text % values)
    )
    outputs = Decompose(mesh_file=path, k=4, on_disconnected="warn").run().outputs
    assert (outputs.n_components, outputs.n_null_modes) == (2, 2)
    (message,) = told
    for part in ("found 2 components", path, "(Decompose, in", "remedy: "):
        assert part in message
    Decompose(mesh_file=path, k=4, on_disconnected="accept").run()
    assert len(told) == 1
    with pytest.raises(MeshError, match=r"(?s)found 2 components.*two\.ply.*remedy: "):
        Decompose(mesh_file=path, k=4).run()
    outputs = Decompose(mesh_file=path, k=4, on_error="record").run().outputs
    assert "found 2 components" in outputs.reason


def test_facts_that_are_computed_cannot_be_set(tmp_path: Path) -> None:
    path = write_sphere(tmp_path / "x.ply")
    with pytest.raises(ArrayError, match="metadata: expected facts that only you know, found k, n_vertices"):
        Decompose(mesh_file=path, k=4, metadata={"k": 7, "n_vertices": 1, "subject": "01"}).run()


@pytest.mark.parametrize("wrong", [np.nan, -1.0])
def test_a_mask_is_no_map(tmp_path: Path, wrong: float) -> None:
    mask = np.ones(162)
    mask[5] = wrong
    with pytest.raises(ArrayError, match="mask: expected 0"):
        Decompose(mesh_file=write_sphere(tmp_path / "x.ply"), k=4, mask=mask).run()


def test_a_name_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArrayError, match=r"out_file: expected the name of a file, found '\.'"):
        LoadMesh(in_file=write_sphere(tmp_path / "x.ply"), out_file="").run()


def test_a_foreign_table_is_refused(tmp_path: Path) -> None:
    path = write_sphere(tmp_path / "x.ply")
    with pytest.raises(FormatError, match=r"(?s)x\.ply: expected a table.*remedy: "):
        FindOutliers(values_file=path, values_column="a", measure="m").run()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\tx\na\t1\nb\t2", r"values\.tsv: expected a table.*expected a line feed.*node: .*remedy: "),
        ("name\tx\na\t1\na\t2\n", "names_column: expected a name once in 'name', found one in several"),
    ],
    ids=["cut in the last number", "two rows of one name"],
)
def test_a_table_that_would_mislead_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "values.tsv"
    path.write_text(text)
    with pytest.raises(SpectralBrainError, match=f"(?s){message}"):
        FindOutliers(values_file=str(path), values_column="x", measure="m").run()


def test_only_what_our_nodes_wrote_is_a_status_row(tmp_path: Path) -> None:
    path = tmp_path / "group_status.tsv"
    path.write_text("name\tdeviation\na\t1\nb\t2\n")
    assert not is_status_file(path)
    outputs = FindOutliers(values_file=str(path), values_column="deviation", measure="m").run().outputs
    assert outputs.outliers == []


@pytest.mark.parametrize(
    "error",
    [MissingDependencyError("install the extra"), OSError(28, "No space left on device"), KeyError("k")],
)
def test_what_is_not_about_the_inputs_is_never_recorded(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, **arguments: Any) -> None:
        raise error

    monkeypatch.setattr(LoadMesh, "_call", fail)
    path = write_sphere(tmp_path / "x.ply")
    with pytest.raises(type(error)) as caught:
        LoadMesh(in_file=path, on_error="record").run()
    text = f"{caught.value} {getattr(caught.value, '__notes__', '')}"
    assert path in text
    assert "(LoadMesh, in" in text
    assert "remedy: " in text


def crash_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("crash-*"))


def test_other_branches_go_on_and_the_crash_is_text(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.disable(logging.CRITICAL)
    workflow = pe.Workflow("graph", base_dir=str(tmp_path / "work"))
    workflow.config["execution"] = {"crashdump_dir": str(tmp_path)}
    good = pe.Node(Total(values=np.ones(3)), name="good")
    after = pe.Node(Total(), name="after")
    bad = pe.Node(Total(values_file=str(tmp_path / "nowhere.txt")), name="bad")
    never = pe.Node(Total(), name="never")
    workflow.connect(good, "out_file", after, "values_file")
    workflow.connect(bad, "out_file", never, "values_file")
    try:
        with pytest.raises(RuntimeError):
            run(workflow)
    finally:
        logging.disable(logging.NOTSET)
    assert (tmp_path / "work/graph/after/total.txt").read_text() == "3.00000002\n"
    assert not (tmp_path / "work/graph/never/total.txt").exists()
    (crash,) = crash_files(tmp_path)
    assert crash.suffix == ".txt"
    text = crash.read_text()
    for part in ("Node: graph.bad", "nowhere.txt", "node: bad (Total", "remedy: correct the path"):
        assert part in text


@pytest.mark.parametrize(("wrong", "run"), [("[1, 2]", "fork"), ("None", "Linear")], indirect=["run"])
def test_what_a_node_cannot_take_stops_its_branch_alone(tmp_path: Path, run: Run, wrong: str) -> None:
    logging.disable(logging.CRITICAL)
    workflow = pe.Workflow("graph", base_dir=str(tmp_path / "work"))
    workflow.config["execution"] = {"crashdump_dir": str(tmp_path)}
    source = pe.Node(Function(["x"], ["y"], function=f"def f(x): return {wrong}"), name="source")
    source.inputs.x = 1
    bad, good, after = (pe.Node(Total(), name=name) for name in ("bad", "good", "after"))
    good.inputs.values = [1.0]
    workflow.connect(source, "y", bad, "values_file")
    workflow.connect(good, "out_file", after, "values_file")
    try:
        with pytest.raises(Exception, match=r"(?s)Node: bad\s+input: values_file"):
            run(workflow)
    finally:
        logging.disable(logging.NOTSET)
    assert (tmp_path / "work/graph/after/total.txt").exists()
    (crash,) = crash_files(tmp_path)
    assert crash.suffix == ".txt"


@pytest.mark.parametrize("run", ["fork"], indirect=True)
def test_a_batch_goes_on_and_the_table_says_why(tmp_path: Path, run: Run) -> None:
    paths = [
        write_sphere(tmp_path / "sub-1.ply"),
        str(tmp_path / "sub-2.ply"),
        write_sphere(tmp_path / "sub-3.ply"),
    ]
    Path(paths[1]).write_text("OFF\n0 0 0\n")
    workflow = pe.Workflow("batch", base_dir=str(tmp_path / "work"))
    decompose = pe.MapNode(Decompose(k=6, on_error="record"), iterfield=["mesh_file"], name="decompose")
    decompose.inputs.mesh_file = paths
    table = pe.Node(ParticipantsTable(names=["1", "2", "3"]), name="table")
    workflow.connect(decompose, "out_file", table, "in_files")
    run(workflow)
    (path,) = (tmp_path / "work").rglob("participants.tsv")
    rows = path.read_text().splitlines()
    assert [row.split("\t")[1] for row in rows[1:]] == ["162", "n/a", "162"]
    assert "sub-2.ply" in rows[2]


def test_a_mapnode_failure_names_its_member(tmp_path: Path) -> None:
    node = pe.MapNode(Total(), iterfield=["values_file"], name="many", base_dir=str(tmp_path))
    Path("a.txt").write_text("1")
    Path("b.txt").write_text("one")
    node.inputs.values_file = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    with pytest.raises(Exception, match=r"(?s)Subnode 1 failed.*b\.txt: expected numbers.*_many1 \(Total"):
        node.run()
