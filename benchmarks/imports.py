"""What `import spectralbrain` costs over a bare interpreter.

Run: ``python benchmarks/imports.py [repetitions]``. Prints medians of alternating fresh processes, and
the number of modules loaded. Timings belong here, not in the tests; the tests check the modules.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "bare interpreter": "pass",
    "import spectralbrain": "import spectralbrain",
    "import spectralbrain; spectralbrain.BrainMesh": "import spectralbrain; spectralbrain.BrainMesh",
    "import numpy": "import numpy",
}


def seconds(statement: str) -> float:
    """Return the wall time of a fresh interpreter that runs a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def n_modules(statement: str) -> int:
    """Return how many modules a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys\nprint(len(sys.modules))"
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)


def main(repetitions: int) -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS.values()}
    for statement in times:
        seconds(statement)  # warm the file cache and write the bytecode
    for _ in range(repetitions):
        for statement, values in times.items():
            values.append(seconds(statement))
    bare = statistics.median(times["pass"])
    rows = {
        name: {
            "seconds": round(statistics.median(times[statement]), 4),
            "over_bare": round(statistics.median(times[statement]) - bare, 4),
            "modules": n_modules(statement),
        }
        for name, statement in STATEMENTS.items()
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
