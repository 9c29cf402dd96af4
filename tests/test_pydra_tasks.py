"""The tasks of Pydra: the nodes' names and results, in a workflow of Pydra's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spectralbrain as sb
import spectralbrain.interfaces as interfaces
from spectralbrain.geometry.solids import sphere

os.environ.setdefault("NO_ET", "1")  # Pydra asks for its newest version otherwise
pytest.importorskip("pydra", reason="pydra is not installed")

from pydra import Submitter, Workflow

import spectralbrain.pydra_tasks as tasks
from spectralbrain.interfaces.base import InputFileError

NAMES = [name for names in interfaces.REGISTRY.values() for name in names]


@pytest.fixture
def meshes(tmp_path: Path) -> list[str]:
    mesh = sphere(1, radius=20.0)
    paths = (tmp_path / "dossier é" / f"sub-{i}.ply" for i in range(3))
    (tmp_path / "dossier é").mkdir()
    return [
        os.fspath(sb.save_mesh(path, mesh.vertices * [1, 1 + i / 10, 1], mesh.faces))
        for i, path in enumerate(paths)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_task_has_the_inputs_and_outputs_of_its_node(name: str) -> None:
    cls = getattr(interfaces, name)
    task = getattr(tasks, tasks._task_name(name))(name="task")
    spec = cls.input_spec()
    fields = {f.name: f for f in type(task.inputs).__attrs_attrs__ if f.name != "_func"}
    assert set(fields) == set(spec.copyable_trait_names())
    for trait in fields:
        assert fields[trait].metadata["help_string"] == spec.trait(trait).desc
        assert fields[trait].metadata["mandatory"] == bool(spec.trait(trait).mandatory)
    assert set(task.output_names) == set(cls.output_spec().copyable_trait_names())


def test_every_task_has_a_name_of_its_own() -> None:
    assert len(dir(tasks)) == len(NAMES) + 1
    with pytest.raises(AttributeError, match="has no attribute 'compute_nothing'"):
        tasks.compute_nothing


def test_a_workflow_gives_what_the_functions_give(meshes: list[str], tmp_path: Path) -> None:
    workflow = Workflow(name="group", input_spec=["meshes"], meshes=meshes, cache_dir=tmp_path / "cache")
    workflow.add(
        tasks.decompose(name="decompose", k=6)
        .split("mesh_file", mesh_file=workflow.lzin.meshes)
        .combine("mesh_file")
    )
    workflow.add(
        tasks.shapedna_distance_matrix(
            name="distances", in_files=workflow.decompose.lzout.out_file, names=["a", "b", "c"]
        )
    )
    workflow.set_output([("matrix_file", workflow.distances.lzout.out_file)])
    with Submitter(plugin="serial") as submitter:
        submitter(workflow)
    matrix, labels = sb.load_connectome(workflow.result().output.matrix_file)
    assert labels == ["a", "b", "c"]
    found = [sb.load_mesh(path).decompose(6) for path in meshes]
    np.testing.assert_array_equal(matrix, sb.shapedna_distance_matrix(found))


def test_what_is_done_is_not_done_again(meshes: list[str], tmp_path: Path) -> None:
    def run(**inputs: Any) -> tuple[str, Any]:
        task = tasks.decompose(k=4, cache_dir=tmp_path / "cache", **inputs)
        return task.checksum, task().output

    first, output = run(mesh_file=meshes[0])
    stamp = Path(output.out_file).stat().st_mtime_ns
    os.utime(meshes[0], (1, 1))
    again, output = run(mesh_file=meshes[0], num_threads=2)
    assert (again, Path(output.out_file).stat().st_mtime_ns) == (first, stamp)
    shutil.copy(meshes[1], meshes[0])
    os.utime(meshes[0], (1, 1))
    assert run(mesh_file=meshes[0])[0] != first


def test_whatever_changes_the_result_changes_the_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.zeros(5000)
    changed = values.copy()
    changed[2500] = -0.0
    found = {
        tasks.decompose(**inputs).checksum
        for inputs in (
            *({"weight": w} for w in (values, changed, values.astype("i8"), values.reshape(2, -1))),
            *({"tol": tol} for tol in (1e-8, 1e-9, 1e-9 + 1e-24)),
        )
    }
    assert len(found) == 7
    assert tasks.compute_bks(out_file="x.h5").checksum != tasks.vertex_areas(out_file="x.h5").checksum
    before = tasks.decompose().checksum
    monkeypatch.setattr(tasks, "__version__", "999")
    assert tasks.decompose().checksum != before


def test_failures_explain_themselves(tmp_path: Path, meshes: list[str]) -> None:
    task = tasks.decompose(mesh_file=tmp_path / "nowhere.ply", k=4, cache_dir=tmp_path / "cache")
    with pytest.raises(InputFileError, match=r"(?s)nowhere\.ply.*Decompose.*remedy: correct the path"):
        task()
    recorded = tasks.decompose(
        mesh_file=tmp_path / "nowhere.ply", k=4, on_error="record", cache_dir=tmp_path / "cache"
    )().output
    table = tasks.participants_table(
        in_files=[recorded.out_file], names=["a"], cache_dir=tmp_path / "cache"
    )().output
    assert "expected an existing file" in Path(table.out_file).read_text()
    with pytest.raises(AttributeError, match="mutually exclusive"):
        tasks.decompose(mesh_file=meshes[0], k=4, below=1.0, cache_dir=tmp_path / "cache")()
