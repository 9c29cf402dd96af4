"""The Apptainer image, built from the definition, and run closed off from the machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemons import CHECKOUT, MODES, TESTING, demo_results, results, run

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
    """The image, of the full lock."""
    folder = stage / "apptainer"
    (folder / "containers").mkdir(parents=True)
    for name in ("requirements-full.lock", "requirements-build.lock", "finish.sh", "spectralbrain.def"):
        shutil.copy(CHECKOUT / "containers" / name, folder / "containers")
    shutil.copy(base_archive, folder / "python.tar")
    run("python3", "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", CHECKOUT)
    wheel = f"dist/spectralbrain-{spectralbrain.__version__}-py3-none-any.whl"
    options = ["BOOTSTRAP=docker-archive", "BASE=python.tar", f"WHEEL={wheel}"]
    words = [word for option in options for word in ("--build-arg", option)]
    squash = ["--mksquashfs-args", "-comp zstd -Xcompression-level 1"]
    inside = ["apptainer", "build", *squash, *words, "spectralbrain.sif", "containers/spectralbrain.def"]
    run("bash", TESTING / "in-root.sh", root, folder, *inside)
    return folder / "spectralbrain.sif"


@pytest.fixture
def apptainer(root: Path, image: Path, stage: Path) -> Callable[..., None]:
    """Run or exec in the image, without this machine's environment, home and folders."""

    def call(verb: str, binds: dict[str, Path], *words: str) -> None:
        bound = [word for inside, outside in binds.items() for word in ("-B", f"{outside}:{inside}")]
        closed = ["--cleanenv", "--containall", "--no-home"]
        inside = ["apptainer", verb, *closed, *bound, image, *words]
        run("bash", TESTING / "in-root.sh", root, stage, *inside)

    return call


def test_the_demo_is_the_native_one_byte_for_byte(apptainer, native_demo, folder):
    """Reports included."""
    apptainer("exec", {"/out": folder}, "spectralbrain-demo", "/out/demo")
    assert demo_results(folder / "demo") == native_demo


def test_the_app_gives_the_bytes_of_docker(apptainer, dataset, engine, slim, folder):
    places = {name: folder / name for name in ("apptainer", "docker", "work")}
    for place in places.values():
        place.mkdir()
        place.chmod(0o777)
    options = ["/data", "/out", "participant", *MODES, "--no-report"]
    binds = {"/data:ro": dataset, "/out": places["apptainer"], "/work": places["work"]}
    apptainer("run", binds, *options, "-w", "/work")
    mounts = ["-v", f"{dataset}:/data:ro", "-v", f"{places['docker']}:/out"]
    strict = ["--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none", "--user", "4321:4321"]
    engine("run", *strict, *mounts, slim, *options)
    assert len(results(places["docker"])) > 20
    assert results(places["apptainer"]) == results(places["docker"])
