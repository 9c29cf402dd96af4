"""What an unchanged input costs when a graph runs again: digests are remembered in the work directory.

Run: ``python benchmarks/reruns.py [megabytes]`` (400 if omitted). Three nodes take the same file; printed is
the wall time of the first run, which reads the file, and of two reruns, which do not.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from nipype import config, logging
from nipype.pipeline import engine as pe

from spectralbrain.interfaces import Load


def main() -> None:
    config.set("logging", "workflow_level", "ERROR")
    logging.update_logging(config)
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scalars.npy"
        np.save(path, np.arange(megabytes * 2**17, dtype=np.float64))
        print(f"{path.stat().st_size / 2**20:.0f} MiB into three nodes")
        for what in ("first run", "rerun", "rerun"):
            workflow = pe.Workflow("reruns", base_dir=folder)
            workflow.add_nodes([pe.Node(Load(in_file=path), name=f"node_{i}") for i in range(3)])
            start = time.perf_counter()
            workflow.run()
            print(f"{what}: {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
