"""The image, built against a stand-in base and run as strangers run it: read-only, offline, as any uid."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from daemons import CHECKOUT, MODES, Engine, demo_results, measured, recipe

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


def labels(engine: Engine, image: str) -> dict[str, str]:
    return json.loads(engine("image", "inspect", "-f", "{{json .Config.Labels}}", image))


def test_sizes_and_labels(engine, slim, full):
    assert gigabytes(engine, slim) < 0.6
    assert gigabytes(engine, full) < 1.6
    engine.build(
        "runtime", "spectralbrain:named", "--build-arg", "VERSION=9.9.9", "--build-arg", "REVISION=abc"
    )
    named = labels(engine, "spectralbrain:named")
    assert named["org.opencontainers.image.version"] == named["org.bids.app.version"] == "9.9.9"
    assert named["org.opencontainers.image.revision"] == "abc"
    assert named["org.bids.app.analysis-levels"] == "participant,group"


def test_version(engine, full):
    """A plain build states the true one everywhere."""
    import spectralbrain

    found = labels(engine, full)
    assert found["org.opencontainers.image.version"] == spectralbrain.__version__
    assert found["org.bids.app.version"] == spectralbrain.__version__
    shown = engine("run", *STRICT, full, "--version").split()
    assert shown[-1] == spectralbrain.__version__
    told = engine("run", *STRICT, "--entrypoint", "cat", full, "/version")
    assert told.strip() == spectralbrain.__version__


def test_the_demo_is_the_native_one_byte_for_byte(engine, images, by_hand, native_demo):
    """By hand, as the page says: read-only, offline, as any user; reports included."""
    _, build, demo, _ = by_hand
    assert "demo finished" in engine.follow(build + demo)
    assert demo_results(engine.folder / "tmp" / "demo" / "demo") == native_demo


def test_run_as_the_page_says_it_writes_the_native_bytes(engine, full, native_locked, dataset, folder):
    shutil.copytree(dataset, folder / "data" / "fmriprep")
    for name in ("data/spectralbrain", "scratch/work"):
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o777)  # the user in the container is nobody here
    engine.follow(recipe("docker run", folder))
    assert measured(folder / "data" / "spectralbrain") == native_locked


def test_the_slim_image_writes_the_same_bytes_without_reports(engine, slim, native_locked, dataset, out):
    options = ["participant", *MODES, "--no-report"]
    engine("run", *STRICT, *mounts(dataset, out), slim, "/data", "/out", *options)
    assert measured(out) == native_locked
    assert len(native_locked) > 60


def packages(table: str) -> dict[str, tuple[str, str, float]]:
    """Return version, licence and megabytes by package from a table of contents.py."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "|" in line]
    return {
        name: (version, licence, float(size))
        for name, version, licence, size in rows
        if version and size.replace(".", "").isdigit()
    }


@pytest.mark.parametrize("target", ["full", "slim"])
def test_the_list_of_contents_is_true(engine, request, target):
    image = request.getfixturevalue(target)
    script = (CHECKOUT / "containers" / "contents.py").read_text(encoding="utf-8")
    found = packages(engine("run", *STRICT, "--entrypoint", "python", image, "-c", script))
    page = (CHECKOUT / "containers" / "contents.md").read_text(encoding="utf-8")
    listed = packages(page[page.index(f"## {target}") :].split("\n## ")[0])
    assert {name: row[:2] for name, row in found.items()} == {name: row[:2] for name, row in listed.items()}
    others = set(found) - {"spectralbrain"}  # which grows
    assert all(abs(found[name][2] - listed[name][2]) < 0.3 for name in others)


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
    options = ["participant", "--modes", "100", "--no-report"]
    engine("run", *STRICT, *limit, *mounts(large, out), slim, "/data", "/out", *options)
    (cache,) = out.rglob("*_eigenpairs.h5")
    with h5py.File(cache) as file:
        assert file["eigenvectors"].shape == (163842, 100)


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
    """The second build stops at the environment; what follows copies it."""
    engine.build("environment-slim", "spectralbrain:again", "--no-cache")
    listing = "find /opt/spectralbrain -type f -exec sha256sum {} + | sort -k 2"
    first, second = (
        engine("run", *STRICT, "--entrypoint", "sh", image, "-c", listing).splitlines()
        for image in (slim, "spectralbrain:again")
    )
    assert len(first) > 1000
    assert first == second
