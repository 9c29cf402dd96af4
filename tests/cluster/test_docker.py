"""The image, built against a stand-in base and run as strangers run it: read-only, offline, as any uid."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from daemons import CHECKOUT, MODES, Engine, results, run

STRICT = [
    "--rm",
    "--read-only",
    "--tmpfs",
    "/tmp",
    "--network",
    "none",
    "--cap-drop",
    "ALL",
    "--user",
    "4321:4321",
]


@pytest.fixture
def out(folder: Path) -> Path:
    """A folder that the container's user may write."""
    path = folder / "out"
    path.mkdir()
    path.chmod(0o777)
    return path


def mounts(dataset: Path, out: Path) -> list[str]:
    return ["-v", f"{dataset}:/data:ro", "-v", f"{out}:/out"]


def gigabytes(engine: Engine, image: str) -> float:
    return int(engine("image", "inspect", "-f", "{{.Size}}", image)) / 1e9


def test_sizes_and_labels(engine, slim, full):
    assert gigabytes(engine, slim) < 0.6
    assert gigabytes(engine, full) < 1.6
    labels = json.loads(engine("image", "inspect", "-f", "{{json .Config.Labels}}", slim))
    assert labels["org.opencontainers.image.version"] == "9.9.9"
    assert labels["org.bids.app.analysis-levels"] == "participant,group"


def test_version(engine, full):
    import spectralbrain

    shown = engine("run", *STRICT, full, "--version").split()
    assert shown[-1] == spectralbrain.__version__
    told = engine("run", *STRICT, "--entrypoint", "cat", full, "/version")
    assert told.strip() == spectralbrain.__version__


def test_the_demo_runs_read_only_offline_and_as_any_user(engine, full, out):
    printed = engine(
        "run", *STRICT, "-v", f"{out}:/out", "--entrypoint", "spectralbrain-demo", full, "/out/demo"
    )
    assert "demo finished" in printed
    pages = [path.name for path in (out / "demo").rglob("*.html")]
    assert "group.html" in pages
    assert len(list((out / "demo").rglob("*_eigenpairs.h5"))) == 4


def test_a_native_install_from_the_same_lock_writes_the_same_bytes(engine, slim, full, dataset, folder, out):
    python = next(
        iter(sorted(Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/3.12.*")))
    )
    wheels = folder / "wheel"
    run(python / "bin" / "python3", "-m", "venv", folder / "env")
    pip = [folder / "env" / "bin" / "python", "-m", "pip", "-q"]
    lock = CHECKOUT / "containers" / "requirements-slim.lock"
    run(*pip, "install", "--only-binary", ":all:", "--require-hashes", "-r", lock)
    run(*pip, "wheel", "--no-deps", "-w", wheels, CHECKOUT)
    run(*pip, "install", "--no-deps", *wheels.glob("*.whl"))
    native = folder / "native"
    app = folder / "env" / "bin" / "spectralbrain"
    run(app, dataset, native, "participant", *MODES, "--no-report", "-w", folder / "work")
    found = {}
    for image in (slim, full):
        target = out / image.split(":")[1]
        inside = f"/out/{target.name}"
        engine(
            "run",
            *STRICT,
            *mounts(dataset, out),
            image,
            "/data",
            inside,
            "participant",
            *MODES,
            "--no-report",
        )
        found[image] = results(target)
    expected = results(native)
    for name in expected:
        if name != "dataset_description.json":  # holds the way to the input, which is mounted elsewhere
            assert [found[image][name] for image in (slim, full)] == [expected[name]] * 2, name
    assert set(expected) == set(found[slim]) == set(found[full])


def test_node_scripts_run_in_the_same_image(engine, slim, dataset, out):
    script = (
        "from spectralbrain.interfaces import LoadMesh\n"
        "import sys, os\n"
        "os.chdir('/out')\n"
        "print(LoadMesh(in_file=sys.argv[1]).run().outputs.out_file)\n"
    )
    surface = next((dataset / "sub-01" / "anat").glob("*hemi-L*midthickness.surf.gii"))
    inside = f"/data/{surface.relative_to(dataset)}"
    printed = engine(
        "run", *STRICT, *mounts(dataset, out), "--entrypoint", "python", slim, "-c", script, inside
    )
    assert printed.strip().startswith("/out/")
    assert (out / Path(printed.strip()).name).is_file()


def write_large_surface(path: Path) -> None:
    """Write a sphere-like surface of 163842 vertices."""
    import spectralbrain as sb
    from spectralbrain.geometry.solids import sphere

    mesh = sphere(7)
    bumps = 1 + 0.1 * np.sin(5 * mesh.vertices[:, 0]) * np.cos(4 * mesh.vertices[:, 1])
    sb.save_mesh(path, 80 * mesh.vertices * bumps[:, None], mesh.faces)


@pytest.fixture(scope="session")
def large(stage: Path) -> Path:
    folder = stage / "large"
    folder.mkdir()
    write_large_surface(folder / "sub-01_hemi-L_white.surf.gii")
    return folder


def test_a_full_hemisphere_fits_in_two_gigabytes(engine, slim, large, out):
    limit = ["-m", "2g", "--memory-swap", "2g"]
    engine("run", *STRICT, *limit, *mounts(large, out), slim, "/data", "/out", "participant", "--no-report")
    assert len(list(out.rglob("*_eigenpairs.h5"))) == 1


def test_too_little_memory_ends_with_a_message(engine, slim, large, out):
    limit = ["-m", "400m", "--memory-swap", "400m"]
    start = time.monotonic()
    ended = engine.attempt(
        "run", *STRICT, *limit, *mounts(large, out), slim, "/data", "/out", "participant", "--no-report"
    )
    assert ended.returncode not in (0, 137)
    assert "memory" in ended.stdout + ended.stderr
    assert time.monotonic() - start < 120


def test_sigterm_stops_it_cleanly(engine, slim, large, out):
    name = "sb-sigterm"
    engine(
        "run", "-d", *STRICT[1:], "--name", name, *mounts(large, out), slim, "/data", "/out", "participant"
    )
    end = time.monotonic() + 60
    while "surfaces of" not in engine.attempt("logs", name).stdout and time.monotonic() < end:
        time.sleep(0.2)
    start = time.monotonic()
    engine("stop", "-t", "30", name)
    assert time.monotonic() - start < 15
    state = json.loads(engine("inspect", "-f", "{{json .State}}", name))
    assert state["ExitCode"] == 143
    assert not [path for path in out.rglob("*") if path.name.startswith(".") and path.name != ".bidsignore"]
    engine("rm", name)


def test_two_builds_install_the_same_files(engine, slim):
    engine.build("slim", "spectralbrain:again", "--no-cache")
    listing = "find /opt/spectralbrain -type f -exec sha256sum {} + | sort -k 2"
    first, second = (
        engine("run", *STRICT, "--entrypoint", "sh", image, "-c", listing).splitlines()
        for image in (slim, "spectralbrain:again")
    )
    assert len(first) > 1000
    assert first == second
