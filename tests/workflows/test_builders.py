"""The builders' graphs really run, compose, come back the same and say what they need."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nipype.pipeline.engine as pe
import numpy as np
import pytest
from nipype.interfaces.utility import IdentityInterface

import spectralbrain as sb
import spectralbrain.interfaces as interfaces
import spectralbrain.workflows as workflows
from benchmarks import node_memory
from spectralbrain.bids.references import REFERENCES
from spectralbrain.errors import ArrayError
from spectralbrain.interfaces import Decompose
from spectralbrain.interfaces.memory import estimate_mem_gb
from spectralbrain.workflows import (
    collect_methods,
    init_connectome_wf,
    init_group_wf,
    init_hemispheres_wf,
    init_surface_wf,
)
from spectralbrain.workflows.surface import DESCRIPTORS

ROOT = Path(__file__).parents[2]
BUILDERS = [getattr(workflows, name) for name in workflows.__all__ if name.startswith("init_")]
PLUGINS = {
    "Linear": {"plugin": "Linear"},
    "two": {"plugin": "MultiProc", "plugin_args": {"n_procs": 2, "mp_context": "forkserver"}},
    "four": {"plugin": "MultiProc", "plugin_args": {"n_procs": 4, "mp_context": "fork"}},
}


def outputs(graph: Any, name: str) -> Any:
    (node,) = [n for n in graph.nodes() if n.fullname.endswith(name)]
    return node.result.outputs


def surface_workflow(surfaces: SimpleNamespace, folder: Path, **options: Any) -> pe.Workflow:
    workflow = init_surface_wf(k=16, n_mode_maps=4, **options)
    workflow.base_dir = str(folder)
    workflow.inputs.inputnode.mesh_file = surfaces.left
    workflow.inputs.inputnode.mask_file = surfaces.mask
    workflow.inputs.inputnode.metadata = {"subject": "01", "hemisphere": "L"}
    return workflow


def test_one_surface_with_every_descriptor(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    workflow = surface_workflow(
        surfaces,
        tmp_path,
        descriptors=list(DESCRIPTORS),
        structure="CortexLeft",
        options={"hks": {"n_times": 5}},
    )
    graph = workflow.run()
    cache = sb.load_hdf5(outputs(graph, "cache").out_file)
    assert set(cache["descriptors"]) == set(DESCRIPTORS)
    assert cache["descriptors"]["hks"].shape == (642, 5)
    assert cache["metadata"]["subject"] == "01"
    assert cache["metadata"]["masked"] is True
    decomposition = sb.SpectralDecomposition.load(outputs(graph, "decompose").out_file)
    np.testing.assert_array_equal(cache["descriptors"]["bks"], sb.compute_bks(decomposition))
    assert np.isnan(cache["descriptors"]["wks"][~decomposition.domain]).all()
    maps = sb.load_gifti_func(outputs(graph, "modes_gifti").out_file)
    assert maps.shape == (642, 4)
    quality = json.loads(Path(outputs(graph, "quality").out_file).read_text())
    assert quality["n_boundary_loops"] == 1, "the report is on the masked surface, the one decomposed"


def test_without_mask_the_surface_is_closed(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    workflow = init_surface_wf(k=8, descriptors=["shapedna"], maps=False)
    workflow.base_dir = str(tmp_path)
    workflow.inputs.inputnode.mesh_file = surfaces.left
    facts = sb.Spectrum.load(outputs(workflow.run(), "decompose").out_file).metadata
    assert facts["boundary"] == "closed"


@pytest.mark.parametrize("wrong", [["sheba"], ["hks", "hks"]])
def test_unknown_descriptors_are_refused(wrong: list[str]) -> None:
    with pytest.raises(ArrayError, match="descriptors: expected some of shapedna, hks"):
        init_surface_wf(descriptors=wrong)


def test_idle_options_are_refused() -> None:
    with pytest.raises(ArrayError, match="options: expected names among"):
        init_surface_wf(descriptors=["hks"], options={"wks": {}})


def tree(folder: Path) -> dict[str, str]:
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in (".h5", ".gii", ".tsv", ".json", ".npz")]
    kept = [
        p
        for p in files
        if not p.name.startswith("_0x") and p.parent.name != "_report" and "graph" not in p.name
    ]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def test_every_plugin_gives_the_same_bytes(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    found = {}
    for name, how in PLUGINS.items():
        folder = tmp_path / name
        surface_workflow(surfaces, folder, omp_nthreads=1 if name == "Linear" else 2).run(**how)
        found[name] = {path: digest for path, digest in tree(folder).items() if "d.json" not in path}
    assert len(found["Linear"]) >= 9
    assert found["two"] == found["Linear"]
    assert found["four"] == found["Linear"]


def test_hemispheres(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    workflow = init_hemispheres_wf(k=12, descriptors=("shapedna",), maps=False)
    workflow.base_dir = str(tmp_path)
    workflow.inputs.inputnode.trait_set(left_mesh_file=surfaces.left, right_mesh_file=surfaces.right)
    graph = workflow.run()
    found = [
        sb.SpectralDecomposition.load(outputs(graph, f"{s}_wf.decompose").out_file) for s in ("left", "right")
    ]
    expected = sb.spectral_asymmetry(*found)
    assert outputs(graph, "asymmetry").distance == expected.distance > 0
    assert outputs(graph, "asymmetry").area_index == expected.area_index > 0


def test_group_and_connectome_inside_a_foreign_graph(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    workflow = pe.Workflow("foreign", base_dir=str(tmp_path))
    source = pe.Node(IdentityInterface(["mesh_file"]), name="source")
    source.iterables = ("mesh_file", [surfaces.left, surfaces.right])
    decompose = pe.Node(Decompose(k=12), name="decompose")
    gather = pe.JoinNode(IdentityInterface(["files"]), joinsource="source", joinfield="files", name="gather")
    group = init_group_wf(method="wesd", options={"p": 1.5})
    group.inputs.inputnode.names = ["left", "right"]
    regions = init_connectome_wf(
        descriptor="wks", method="energy", spectra=True, k=5, options={"n_energies": 6}
    )
    regions.inputs.inputnode.labels_file = surfaces.labels
    workflow.connect(
        [
            (source, decompose, [("mesh_file", "mesh_file")]),
            (decompose, gather, [("out_file", "files")]),
            (gather, group, [("files", "inputnode.in_files")]),
            (decompose, regions, [("out_file", "inputnode.decomposition_file")]),
            (source, regions, [("mesh_file", "inputnode.mesh_file")]),
        ]
    )
    workflow.run()
    for name in ("connectome.tsv", "region_distances.tsv"):
        assert len(list(tmp_path.rglob(name))) == 2, "one for each surface"
    (path,) = tmp_path.rglob("distances.tsv")
    matrix, names = sb.load_connectome(path)
    assert names == ["left", "right"]
    assert matrix[0, 1] == matrix[1, 0] > 0
    assert list(tmp_path.rglob("outliers.tsv"))


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_documented_inputs_and_outputs_are_the_real_ones(builder: Any) -> None:
    text = inspect.getdoc(builder) or ""
    workflow = builder()
    for section, node in (("Inputs", "inputnode"), ("Outputs", "outputnode")):
        body = re.search(rf"{section}\n-+\n(.*?)\n\n", text, re.S)
        assert body, section
        names = {n for line in re.findall(r"^(\S.*)$", body[1], re.M) for n in line.split(", ")}
        fields = set(workflow.get_node(node).inputs.copyable_trait_names())
        unexplained = {f for f in fields if not any(re.fullmatch(_pattern(n), f) for n in names)}
        assert not unexplained, section
    for parameter in inspect.signature(builder).parameters:
        assert re.search(rf"^(.*, )?\*{{0,2}}{parameter}\b.* :|^.*\b{parameter}\b.*$", text, re.M)


def _pattern(name: str) -> str:
    return name.replace("<descriptor>", r"\w+").replace("*", r"\w+")


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_no_array_travels_between_nodes(builder: Any) -> None:
    for _, node, data in builder()._graph.edges(data=True):
        for _, field in data["connect"]:
            trait = node.inputs.traits().get(field) if isinstance(node, pe.Node) else None
            assert trait is None or type(trait.trait_type).__name__ != "Array", (node, field)


# Methods


def test_methods_tell_what_ran_and_nothing_else(surfaces: SimpleNamespace, tmp_path: Path) -> None:
    workflow = surface_workflow(surfaces, tmp_path, descriptors=["shapedna", "wks"], maps=False)
    graph = workflow.run()
    methods = collect_methods(graph)
    assert methods == collect_methods(tmp_path / workflow.name), "a finished work directory tells the same"
    assert "(16 modes, null modes included)" in methods.text
    assert "wave kernel" in methods.text
    assert "heat kernel" not in methods.text
    assert f"spectralbrain {sb.__version__}" in methods.text
    keys = {reference.key for reference in methods.references}
    assert {"reuter2006", "aubry2011", "gorgolewski2011", "virtanen2020"} == keys - {"harris2020"}
    assert len(re.findall(r"^@\w+{", methods.bibtex, re.M)) == len(keys)


def test_methods_leave_out_what_failed(tmp_path: Path) -> None:
    (tmp_path / "bad.ply").write_text("no mesh")
    node = pe.Node(Decompose(mesh_file=str(tmp_path / "bad.ply"), on_error="record"), name="decompose")
    workflow = pe.Workflow("w", base_dir=str(tmp_path))
    workflow.add_nodes([node])
    assert collect_methods(workflow.run()).sentences == ()


def test_references_are_complete() -> None:
    import spectralbrain.interfaces as interfaces

    cited = set()
    for names in interfaces.REGISTRY.values():
        for name in names:
            cls = getattr(interfaces, name)
            conditional = [key for keys in cls.cites_if.values() for key in keys]
            cited |= {*cls.cites, *conditional}
            for option, value in cls.cites_if:
                assert value in cls.input_spec().trait(option).trait_type.values
            assert len(cls._references) == len(cls.cites) + len(conditional)
            values = {*cls.input_spec().copyable_trait_names(), *cls.output_spec().copyable_trait_names()}
            assert set(re.findall(r"{(\w+)}", cls.methods)) <= values, name
    for reference in REFERENCES.values():
        assert reference.text.startswith(reference.authors.partition(" and ")[0])
        assert " and " not in reference.text.partition(" (")[0]
        assert re.fullmatch(r"@(article|inproceedings|book)\{\w+,\n.*\n\}", reference.bibtex, re.S)
    assert cited <= set(REFERENCES)


# Resources


def test_nodes_carry_what_they_need() -> None:
    workflow = init_surface_wf(k=300, n_vertices=163_842, omp_nthreads=3)
    node = workflow.get_node("decompose")
    assert node.n_procs == node.inputs.num_threads == 3
    assert node.mem_gb == pytest.approx(2.19, rel=0.25), "measured: 2.19 GB"
    assert workflow.get_node("hks").mem_gb == pytest.approx(0.86, rel=0.25), "measured: 0.86 GB"
    assert init_surface_wf(k=50, n_vertices=10_242).get_node("decompose").mem_gb < 0.25
    with pytest.raises(ArrayError, match="interface: expected one of"):
        estimate_mem_gb("Nothing", 1)


def test_every_node_has_an_estimate_and_a_measurement() -> None:
    names = {name for names in interfaces.REGISTRY.values() for name in names}
    measured = [name for name, _, _ in node_memory.make_cases({"n_vertices": 42, "k": 5}, 2, 2, 2)]
    assert sorted(measured) == sorted(names)
    for name in names:
        assert 0 < estimate_mem_gb(name, 162, 20, n_rows=10) < 0.2
    sizes: dict[str, Any] = {"n_vertices": 163_842, "k": 300, "n_rows": 1000}
    assert {name for name in names if estimate_mem_gb(name, **sizes) == estimate_mem_gb(name)} == {
        *("HKSTimes", "WKSEnergies", "ComputeShapeDNA", "HeatTrace", "WaveTrace", "ModeWavelengths"),
        *("ShapeDNADistance", "WESD", "ShapeDifference", "SpectralAsymmetry"),
    }, "read a spectrum alone, or nothing"
    halves, many = (estimate_mem_gb("ComputeRegionSpectra", 163_842, n_rows=n) for n in (2, 100))
    assert 0.554 / 1.5 < halves < 0.554 * 1.5, "measured with two regions"
    assert 0.180 / 1.5 < many < 0.180 * 1.5, "measured with a hundred"


MEASURE = """
import json, os, sys
os.environ["NIPYPE_NO_ET"] = "1"
from benchmarks.node_memory import measure
print(json.dumps(list(measure(6, 50, 1000, 60, 200, only=sys.argv[1:]))))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is told by Linux")
def test_estimates_are_near_what_is_measured() -> None:
    names = ["Decompose", "ComputeHKS", "ComputeGPS", "FilterMap", "AreaMean", "Eigenstrap"]
    names += ["AlignModes", "ComputeFunctionalMap", "ComputeRegionSpectra", "BuildGeometricConnectome"]
    names += ["RepairMesh", "LoadScalars", "LabelSurface", "LoadHDF5", "SaveHDF5", "SaveGiftiFunc"]
    names += ["SharedHKSTimes", "WESDMatrix", "AsymmetryTable", "LoadConnectome"]
    command = [sys.executable, "-c", MEASURE, *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = {name: (peak, estimate) for name, peak, estimate in json.loads(done.stdout)}
    assert set(found) == set(names)
    for name, (peak, estimate) in found.items():
        assert 1 / 1.5 < estimate / peak < 1.5, (name, peak, estimate)
