"""The Apptainer image, built from the definition with the slim lock, and run closed off from the machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import CHECKOUT, MODES, TESTING, results, run

import spectralbrain


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """A Debian root folder with Apptainer in it."""
    folder = Path(tempfile.mkdtemp(prefix="sb-apptainer-", dir="/tmp"))
    run("bash", TESTING / "apptainer-root.sh", folder / "root")
    yield folder / "root"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def image(root: Path, stage: Path, base_archive: Path) -> Path:
    """The image; the slim lock keeps the build short."""
    folder = stage / "apptainer"
    (folder / "containers").mkdir(parents=True)
    for name in ("requirements-slim.lock", "spectralbrain.def"):
        shutil.copy(CHECKOUT / "containers" / name, folder / "containers")
    shutil.copy(base_archive, folder / "python.tar")
    run("python3", "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", CHECKOUT)
    wheel = f"dist/spectralbrain-{spectralbrain.__version__}-py3-none-any.whl"
    options = ["BOOTSTRAP=docker-archive", "BASE=python.tar", f"WHEEL={wheel}"]
    options.append("LOCK=containers/requirements-slim.lock")
    words = [word for option in options for word in ("--build-arg", option)]
    squash = ["--mksquashfs-args", "-comp zstd -Xcompression-level 1"]
    inside = ["apptainer", "build", *squash, *words, "spectralbrain.sif", "containers/spectralbrain.def"]
    run("bash", TESTING / "in-root.sh", root, folder, *inside)
    return folder / "spectralbrain.sif"


def test_it_runs_contained_and_gives_the_bytes_of_docker(root, image, dataset, stage, engine, slim, folder):
    places = {name: folder / name for name in ("apptainer", "docker", "work")}
    for place in places.values():
        place.mkdir()
        place.chmod(0o777)
    options = ["/data", "/out", "participant", *MODES, "--no-report"]
    binds = [
        "-B",
        f"{dataset}:/data:ro",
        "-B",
        f"{places['apptainer']}:/out",
        "-B",
        f"{places['work']}:/work",
    ]
    closed = ["--cleanenv", "--containall", "--no-home"]
    inside = ["apptainer", "run", *closed, *binds, image, *options, "-w", "/work"]
    run("bash", TESTING / "in-root.sh", root, stage, *inside)
    mounts = ["-v", f"{dataset}:/data:ro", "-v", f"{places['docker']}:/out"]
    strict = ["--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none", "--user", "4321:4321"]
    engine("run", *strict, *mounts, slim, *options)
    assert len(results(places["docker"])) > 20
    assert results(places["apptainer"]) == results(places["docker"])
