"""A node uses the threads it was given, whatever its function calls."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nipype.pipeline.engine as pe
import numpy as np
import pytest
from interface_toys import Gather

import spectralbrain as sb
import spectralbrain.interfaces as nodes
from spectralbrain.errors import ArrayError
from spectralbrain.geometry.solids import sphere
from spectralbrain.resources import granted_threads, resolve_threads


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def share_of_other_threads(name: str, **inputs: Any) -> float:
    """Return the part of a node's processor time that threads other than this one spent."""
    whole, own = time.process_time(), time.thread_time()
    getattr(nodes, name)(**inputs).run()
    own, whole = time.thread_time() - own, time.process_time() - whole
    return (whole - own) / whole


def test_solver_compressor_and_products_keep_to_one_thread() -> None:
    mesh = sphere(5, radius=50.0)
    sb.save_mesh("sphere.ply", mesh.vertices, mesh.faces)
    cache = {"decomposition_file": "decomposition.h5"}
    steps: dict[str, dict[str, Any]] = {
        "Decompose": {"mesh_file": "sphere.ply", "k": 60},
        "ComputeHKS": cache,
        "SaveHDF5": {"in_files": ["decomposition.h5", "hks.h5"]},
        "Eigenstrap": {**cache, "values": mesh.vertices[:, 0], "n_surrogates": 50},
    }
    alone = {name: share_of_other_threads(name, num_threads=1, **steps[name]) for name in steps}
    assert max(alone.values()) < 0.1, alone
    together = {name: share_of_other_threads(name, num_threads=2, **steps[name]) for name in steps}
    assert min(together["Decompose"], together["SaveHDF5"]) > 0.2, "two threads are used where granted"


def test_a_node_gets_the_threads_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import threadpool_info

    seen: list[Any] = []

    def look(self: Gather, **arguments: Any) -> float:
        pools = [pool["num_threads"] for pool in threadpool_info()]
        seen.append((resolve_threads(), max(pools, default=1)))
        return 0.0

    monkeypatch.setattr(Gather, "_call", look)
    np.ones((50, 50)) @ np.ones((50, 50))
    Path("a.txt").write_text("1")
    node = pe.Node(Gather(files=["a.txt"]), name="n", base_dir=str(tmp_path), n_procs=1)
    node.inputs.files = [str(tmp_path / "a.txt")]
    assert node.inputs.num_threads == 1
    node.run()
    assert seen == [(1, 1)]


def test_granted_threads_hold_for_calls_that_leave_them_open() -> None:
    with granted_threads(3):
        assert resolve_threads() == 3
        assert resolve_threads(2) == 2
        with granted_threads(1):
            assert resolve_threads() == 1
        assert resolve_threads() == 3
    with pytest.raises(ArrayError, match="n_threads"), granted_threads(0):
        pass


def test_importing_the_nodes_starts_no_pool() -> None:
    code = (
        "import threading, spectralbrain.interfaces as i\n"
        "for n in i.__all__[1:]: getattr(i, n)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "import sys; assert 'matplotlib' not in sys.modules and 'h5py' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NIPYPE_NO_ET": "1"})
