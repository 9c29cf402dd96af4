"""A cohort through the app on one machine: throughput, overhead, use of the processors, memory.

Run: ``python benchmarks/cohort.py [participants] [processors]`` (200 and 2 if omitted), on Linux. The
participants are smooth variations of fsaverage5's hemispheres at 642 vertices each, laid out as fMRIPrep
does; the surfaces are small so that what the app costs beside the numerics shows. Printed:

- seconds per participant, and participants per hour;
- numerics: the same computations per participant by plain function calls, processor time;
- overhead: processor time per participant in the app beyond the numerics (reading, maps, tables, sidecars);
- scheduling: the time that workers spend on participants, over wall time times processors; on a machine that
  does nothing else, processor use comes close to it;
- processor use: processor time of all processes, over wall time times processors;
- memory: all processes of the run, until a tenth of the participants is done, and after;
- files written per participant, and their size;
- the group level over all of them: wall time, memory.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

MODES = 50


def session(leader: int) -> dict[int, tuple[float, float]]:
    """Return processor seconds and resident GiB of the processes of a session, by process id."""
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == leader:
                seconds = (int(fields[11]) + int(fields[12])) / ticks
                found[int(folder.name)] = (seconds, int(fields[21]) * page / 2**30)
    return found


def numerics_seconds(surfaces: list[tuple[Path, Path]]) -> float:
    """Return the processor time of one participant's computations by plain calls."""
    import spectralbrain as sb

    def once() -> None:
        for surface, mask in surfaces:
            mesh = sb.load_mesh(surface)
            decomposition = mesh.decompose(k=MODES, mask=sb.load_mask(mask, mesh.n_vertices), n_threads=1)
            sb.compute_shapedna(decomposition)
            sb.compute_hks(decomposition)
            sb.compute_wks(decomposition)

    once()
    start = time.process_time()
    once()
    return time.process_time() - start


def run_app(source: Path, output: Path, level: str, processors: int, n: int) -> dict[str, float]:
    """Run one level of the app; watch it."""
    program = Path(sys.executable).with_name("spectralbrain")
    command = [program, source, output, level, "--modes", MODES, "--no-report", "--nprocs", processors]
    command += ["--omp-nthreads", 1, "-w", output.with_name("work")]
    log = output.with_name(f"{level}.log")
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen([str(w) for w in command], stdout=stream, start_new_session=True)
    used: dict[int, float] = {}
    peaks = {"early": 0.0, "late": 0.0}
    finished = output / "logs" / "participants"
    while process.poll() is None:
        now = session(process.pid)
        used.update({pid: seconds for pid, (seconds, _) in now.items()})
        done = len(list(finished.glob("*.json"))) if finished.is_dir() else 0
        when = "early" if done <= n / 10 else "late"
        peaks[when] = max(peaks[when], sum(memory for _, memory in now.values()))
        time.sleep(0.1)
    wall = time.perf_counter() - start
    if process.returncode != 0:
        raise SystemExit(f"the app ended with {process.returncode}")
    at_work = re.findall(r"surfaces computed.* \(([0-9.]+) s\)", log.read_text(encoding="utf-8"))
    return {"wall": wall, "cpu": sum(used.values()), "at_work": sum(map(float, at_work)), **peaks}


def main(n: int, processors: int) -> None:
    """Measure and print."""
    import datasets

    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "fmriprep", Path(folder) / "out"
        labels = [f"{number:04d}" for number in range(1, n + 1)]
        datasets.fmriprep(source, labels, n=642)
        anat = source / "sub-0001" / "anat"
        surfaces = [
            (
                next(anat.glob(f"*hemi-{hemi}*midthickness.surf.gii")),
                next(anat.glob(f"*hemi-{hemi}*desc-cortex_mask*.gii")),
            )
            for hemi in "LR"
        ]
        numerics = numerics_seconds(surfaces)
        seen = run_app(source, output, "participant", processors, n)
        files = [path for path in output.rglob("sub-*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        group = run_app(source, output, "group", processors, n)
    print(
        json.dumps(
            {
                "participants": n,
                "processors": processors,
                "seconds_per_participant": round(seen["wall"] / n, 3),
                "participants_per_hour": round(3600 * n / seen["wall"]),
                "numerics_cpu_seconds_per_participant": round(numerics, 3),
                "overhead_cpu_seconds_per_participant": round(seen["cpu"] / n - numerics, 3),
                "scheduling": round(seen["at_work"] / (seen["wall"] * processors), 3),
                "processor_use": round(seen["cpu"] / (seen["wall"] * processors), 3),
                "peak_gib_first_tenth": round(seen["early"], 3),
                "peak_gib_rest": round(seen["late"], 3),
                "files_per_participant": round(len(files) / n, 1),
                "megabytes_per_participant": round(size / n / 1e6, 2),
                "group_seconds": round(group["wall"], 1),
                "group_peak_gib": round(max(group["early"], group["late"]), 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [200, 2][len(numbers) :]))
