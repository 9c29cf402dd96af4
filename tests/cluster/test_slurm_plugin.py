"""Nipype's SLURM plugin through --nipype-plugin-file: the second choice, after the job array."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time

import nibabel as nib
import numpy as np
import pytest
from daemons import CHECKOUT, MODES, program, results


@pytest.fixture
def plugin(folder):
    """The file of the recipe, with memory that the nodes here have."""
    document = json.loads((CHECKOUT / "containers" / "slurm" / "plugin.json").read_text())
    arguments = document["plugin_args"]
    arguments["sbatch_args"] = "--mem=900 --time=10 --kill-on-invalid-dep=yes"
    arguments["job_finished_timeout"] = 8
    path = folder / "plugin.json"
    path.write_text(json.dumps(document))
    return path


def command(dataset, folder, plugin, *labels):
    words = [program("spectralbrain"), dataset, folder / "out", "participant", *MODES, "--no-report"]
    words += ["-w", folder / "work", "--nipype-plugin-file", plugin, "--participant-label", *labels]
    return [str(word) for word in words]


def app(slurm, *words):
    return subprocess.run(
        words,
        env=slurm.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        cwd=slurm.folder,
    )


def test_the_bytes_of_the_native_run_beside_a_failing_surface(slurm, dataset, native, folder, plugin):
    source = folder / "fmriprep"
    subprocess.run(["cp", "-r", str(dataset), str(source)], check=True)
    broken = next((source / "sub-02" / "anat").glob("*hemi-L*midthickness.surf.gii"))
    image = nib.load(broken)
    image.darrays[0].data = np.full_like(image.darrays[0].data, np.nan)
    nib.save(image, broken)
    result = app(slurm, *command(source, folder, plugin, "01", "02"))
    assert result.returncode == 1, result.stdout + result.stderr
    assert slurm.run("sh", "-c", "cat completed.txt").count("JobId") > 2
    table = next((folder / "out").rglob("sub-02_desc-shapedna_morph.tsv")).read_text().splitlines()
    states = {row.split("\t")[2]: row.split("\t")[9] for row in table[1:]}
    assert states == {"L": "failed", "R": "flagged"}  # a coarse mesh
    expected = {name: digest for name, digest in results(native).items() if name.startswith("sub-01")}
    found = {name: digest for name, digest in results(folder / "out").items() if name.startswith("sub-01")}
    assert found == expected
    assert len(found) > 20


GRAPH = """
import json, os, sys
from nipype.pipeline import engine as pe
from spectralbrain.workflows import init_surface_wf

surface, base, how = sys.argv[1:]
os.environ.setdefault("LOGNAME", "somebody")
graph = pe.Workflow("graph", base_dir=base)
graph.add_nodes([init_surface_wf(k=12, n_vertices=642)])
graph.inputs.surface_wf.inputnode.mesh_file = surface
graph.run(**json.loads(how))
"""


def products(base):
    """The digests of what the nodes of a graph wrote."""
    files = [path for ending in ("*.h5", "*.gii", "*.tsv", "*.json") for path in base.rglob(ending)]
    files = [path for path in files if not path.name.startswith("_")]  # Nipype's own
    return {str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_graph_of_ones_own_gives_the_bytes_of_a_serial_run(slurm, dataset, folder, plugin):
    surface = next((dataset / "sub-01" / "anat").glob("*hemi-L*midthickness.surf.gii"))
    script = folder / "graph.py"
    script.write_text(GRAPH)
    found = {}
    for name, how in {"serial": '{"plugin": "Linear"}', "slurm": plugin.read_text()}.items():
        result = app(slurm, program("python"), str(script), str(surface), str(folder / name), how)
        assert result.returncode == 0, result.stdout + result.stderr
        found[name] = products(folder / name)
    assert found["slurm"] == found["serial"]
    assert len(found["serial"]) > 8
    assert slurm.run("sh", "-c", "cat completed.txt").count("JobId") > 8


def test_a_cancelled_job_ends_the_run_with_a_message(slurm, dataset, folder, plugin):
    process = subprocess.Popen(
        command(dataset, folder, plugin, "01"),
        env=slurm.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=slurm.folder,
    )
    end = time.monotonic() + 120
    jobs = []
    while not jobs and time.monotonic() < end and process.poll() is None:
        jobs = slurm.run("squeue", "-h", "-t", "R", "-o", "%A").split()
        time.sleep(0.2)
    assert jobs, "no job of the plugin was seen running"
    slurm.run("scancel", jobs[0])
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 1, printed
    assert "sub-01" in printed
    assert "Traceback" not in printed
