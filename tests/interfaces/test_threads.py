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
from spectralbrain.io._tsv_plain import parse_plain_matrix
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
    before = threadpool_info()
    Path("a.txt").write_text("1")
    for n_procs in (1, 3):
        node = pe.Node(Gather(files=["a.txt"]), name=f"n{n_procs}", base_dir=str(tmp_path), n_procs=n_procs)
        node.inputs.files = [str(tmp_path / "a.txt")]
        assert node.inputs.num_threads == n_procs
        node.run()
    assert seen == [(1, 1), (3, 1)], "the threads are ours; BLAS has one"
    assert [pool for pool in threadpool_info() if pool in before] == before, "as they were"


CPU_OF_OTHERS = """
import os, time
from pathlib import Path
import numpy as np
import scipy.linalg
from threadpoolctl import ThreadpoolController, threadpool_limits
import spectralbrain.interfaces as nodes

blas = [pool.dynlib for pool in ThreadpoolController().lib_controllers if pool.internal_api == "openblas"]
spins_at_start = not all(hasattr(library, "openblas_read_env") for library in blas)  # from 0.3.34 on

def seconds(tasks):
    stats = [Path(f"/proc/self/task/{task}/stat").read_text().rpartition(")")[2].split() for task in tasks]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")  # user, system

threadpool_limits(4)
pair = {"source_file": "modes.h5", "target_file": "modes.h5"}
cases = {
    "LoadMesh": {"in_file": "sphere.ply"},
    "ComputeHKS": {"decomposition_file": "modes.h5"},
    "AlignModes": {"moving_file": "modes.h5", "reference_file": "modes.h5"},
    "ZoomOut": {**pair, "initial": np.eye(10), "k_final": 20},
}
for name, inputs in cases.items():
    for n in (1, 2):
        if os.fork() == 0:
            if spins_at_start:
                nodes.LoadMesh(in_file="sphere.ply", num_threads=n).run()
                time.sleep(0.3)
            others = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
            before = seconds(others)
            getattr(nodes, name)(**inputs, num_threads=n).run()
            others = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
            print(name, n, seconds(others) - before, seconds([os.getpid()]), flush=True)
            os._exit(0)
        os.wait()
"""


def test_blas_spends_no_time_beside_our_threads() -> None:
    mesh = sphere(4, radius=50.0)
    sb.save_mesh("sphere.ply", mesh.vertices, mesh.faces)
    mesh.decompose(k=30).save("modes.h5")
    command = [sys.executable, "-W", "ignore", "-c", CPU_OF_OTHERS]
    env = {**os.environ, "NIPYPE_NO_ET": "1"}
    told = subprocess.run(command, check=True, env=env, capture_output=True, text=True).stdout
    rows = [line.split() for line in told.splitlines()]
    assert len(rows) == 8, told
    for name, n_threads, others, own in rows:  # at the end, threads of ours have gone
        assert float(own) > 0.01, "this clock works"
        assert float(others) < 0.02, f"{name} on {n_threads}: spinning threads took {others} s, ours {own} s"


def test_a_library_that_a_node_loads_is_limited_as_well() -> None:
    code = (
        "import sys; from threadpoolctl import threadpool_info; from interface_toys import Gather\n"
        "assert 'scipy.linalg' not in sys.modules\n"
        "def look(self, **arguments):\n"
        "    import scipy.linalg\n"
        "    pools = {pool['filepath']: pool['num_threads'] for pool in threadpool_info()}\n"
        "    print(max(pools.values()), len(pools))\n"
        "    return 0.0\n"
        "Gather._call = look\n"
        "open('a.txt', 'w').write('1'); Gather(files=['a.txt']).run()\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    env = {**os.environ, "NIPYPE_NO_ET": "1", "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": path}
    told = subprocess.run([sys.executable, "-c", code], check=True, env=env, capture_output=True, text=True)
    assert told.stdout.split()[0] == "1", told.stdout


def test_granted_threads_hold_for_calls_that_leave_them_open() -> None:
    with granted_threads(3):
        assert resolve_threads() == 3
        assert resolve_threads(2) == 2
        with granted_threads(1):
            assert resolve_threads() == 1
        assert resolve_threads() == 3
    with pytest.raises(ArrayError, match="n_threads"), granted_threads(0):
        pass


def test_reading_a_large_table_keeps_to_its_threads() -> None:
    rows = ["\t".join(map(str, row)) for row in np.random.default_rng(0).random((800, 800)).tolist()]
    whole, own = time.process_time(), time.thread_time()
    with granted_threads(1):
        matrix = parse_plain_matrix(rows)
    own, whole = time.thread_time() - own, time.process_time() - whole
    assert matrix is not None
    assert (whole - own) / whole < 0.05, "SciPy's reader starts a thread per processor"


def test_importing_the_nodes_starts_no_pool() -> None:
    code = (
        "import threading, spectralbrain.interfaces as i\n"
        "for n in i.__all__[1:]: getattr(i, n)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "import sys; assert 'matplotlib' not in sys.modules and 'h5py' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NIPYPE_NO_ET": "1"})
