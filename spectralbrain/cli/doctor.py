"""``spectralbrain-doctor``: what is installed, what may be used, and a self-check on the sphere."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PACKAGES = {
    "core": (
        "numpy",
        "scipy",
        "h5py",
        "nibabel",
        "trimesh",
        "nipype",
        "threadpoolctl",
        "lazy_loader",
        "deflate",
    ),
    "app": ("jinja2", "matplotlib", "nilearn", "pillow", "PyYAML", "scikit-image", "tqdm"),
    "optional": ("robust_laplacian", "pydra", "pypardiso", "cholespy"),
}
PROGRAMS = ("wb_command", "h5dump", "docker", "apptainer", "sbatch")
SUBDIVISIONS = 4  # 2562 vertices
N_MODES = 16  # l = 0 ... 3
SPHERE_TOLERANCE = 0.03  # relative; the discretisation's own error at 2562 vertices is 0.6 %


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def packages() -> dict[str, dict[str, str]]:
    """Return the version of each dependency: core, extra ``app``, optional."""
    return {extra: {name: _version(name) for name in names} for extra, names in PACKAGES.items()}


def _memory_limit() -> str:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 2**60:
            return f"{int(text) / 2**30:.1f} GiB (control group)"
    return "none (control group)"


def machine() -> dict[str, str]:
    """Return what this process may use; no host name, user name or path, so that it can be posted."""
    from threadpoolctl import threadpool_info

    from spectralbrain.resources import resolve_threads

    import scipy.linalg  # noqa: F401, isort:skip  (loads SciPy's own BLAS, so that it is listed)

    pools = {f"{p['internal_api']} {p['version']} ({p['num_threads']} threads)" for p in threadpool_info()}
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "threads granted": str(resolve_threads()),
        "thread pools": ", ".join(sorted(pools)) or "none",
        "memory limit": _memory_limit(),
    }


def backends() -> list[str]:
    """Return the eigensolver backends that can be asked for here."""
    from spectralbrain.spectral.eigensolver.backends import available_backends

    return available_backends()


def programs() -> dict[str, str]:
    """Return which programs of use beside this package are on PATH."""
    return {name: "found" if shutil.which(name) else "not found" for name in PROGRAMS}


def check_sphere() -> dict[str, Any]:
    """Compare the first eigenvalues of a unit sphere with l(l+1).

    Returns
    -------
    dict
        ``passed``, ``max_relative_error``, ``seconds``, ``backend``; or ``passed`` and ``error``.
    """
    import numpy as np

    from spectralbrain.geometry.solids import sphere
    from spectralbrain.spectral.decomposition import decompose

    exact = np.concatenate([[order * (order + 1.0)] * (2 * order + 1) for order in range(4)])
    start = time.perf_counter()
    try:
        decomposition = decompose(sphere(SUBDIVISIONS), N_MODES)
    except Exception as error:  # the doctor reports whatever is wrong
        return {"passed": False, "error": f"{type(error).__name__}: {error}"}
    found = decomposition.eigenvalues
    worst = float(np.max(np.abs(found[1:] - exact[1:]) / exact[1:]))
    return {
        "passed": bool(worst < SPHERE_TOLERANCE and abs(found[0]) < 1e-6),
        "max_relative_error": worst,
        "seconds": time.perf_counter() - start,
        "backend": str(decomposition.metadata["backend"]),
    }


def _attempt(collect: Callable[[], Any]) -> Any:
    try:
        return collect()
    except Exception as error:  # a broken installation is what the doctor is for
        return f"FAILED: {type(error).__name__}: {error}"


def diagnose() -> dict[str, Any]:
    """Return everything the report shows, as one plain dict.

    Examples
    --------
    >>> sorted(diagnose())
    ['backends', 'machine', 'packages', 'programs', 'self-check', 'spectralbrain']
    """
    from spectralbrain._version import __version__

    return {
        "spectralbrain": __version__,
        "machine": _attempt(machine),
        "packages": packages(),
        "backends": _attempt(backends),
        "programs": programs(),
        "self-check": _attempt(check_sphere),
    }


def healthy(report: dict[str, Any]) -> bool:
    """Tell whether the core is complete and the self-check passed."""
    check = report["self-check"]
    complete = "not installed" not in report["packages"]["core"].values()
    collected = not any(isinstance(report[key], str) for key in ("machine", "backends"))
    return complete and collected and isinstance(check, dict) and bool(check["passed"])


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict):
        width = max(len(key) for key in value)
        return [f"  {key:<{width}}  {entry}" for key, entry in value.items()]
    return [f"  {', '.join(value) if isinstance(value, list) else value}"]


def as_text(report: dict[str, Any]) -> str:
    """Lay the report out as text for a bug report."""
    lines = [f"SpectralBrain {report['spectralbrain']}", "", "Machine", *_lines(report["machine"])]
    titles = {"core": "Packages", "app": "Packages of the extra 'app'", "optional": "Optional packages"}
    for extra, title in titles.items():
        lines += ["", title, *_lines(report["packages"][extra])]
    lines += ["", "Eigensolver backends", *_lines(report["backends"])]
    lines += ["", "Programs", *_lines(report["programs"])]
    check = report["self-check"]
    lines += ["", "Self-check: the spectrum of a sphere against l(l+1)"]
    if isinstance(check, dict) and "error" not in check:
        verdict = "passed" if check["passed"] else "FAILED"
        detail = f"largest relative error {check['max_relative_error']:.1e}, tolerance {SPHERE_TOLERANCE}"
        lines.append(f"  {verdict}: {detail}, {check['seconds']:.2f} s with {check['backend']}")
    else:
        lines.append(f"  FAILED: {check['error'] if isinstance(check, dict) else check}")
    lines += ["", "Healthy." if healthy(report) else "NOT healthy: see FAILED, or what Packages lack."]
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="spectralbrain-doctor",
        description="Print versions, backends and threads, and check the solver against the sphere. "
        "The text holds no names or paths and can go into a bug report as it is.",
    )
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; the exit code is 0 if the installation is healthy, else 1."""
    options = build_parser().parse_args(argv)
    report = diagnose()
    print(json.dumps(report, indent=2) if options.json else as_text(report))
    return 0 if healthy(report) else 1


if __name__ == "__main__":
    sys.exit(main())
