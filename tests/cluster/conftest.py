"""Daemons of our own for the cluster tests: a Docker engine, a two-node Slurm.

They need root and Debian's docker.io, runc, mmdebstrap, slurm-wlm and munge; `.ci/run` installs them.
Without SPECTRALBRAIN_CLUSTER_TESTS=1 nothing is started.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import (
    CHECKOUT,
    DOCKER_SHIMS,
    MODES,
    SUBJECTS,
    Engine,
    Slurm,
    demo_results,
    follow,
    measured,
    parts,
    program,
    recipe,
    run,
    running_slurm,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests, and skip them where no daemons are wanted."""
    here = Path(__file__).parent
    skip = pytest.mark.skip(reason="cluster tests run only with SPECTRALBRAIN_CLUSTER_TESTS=1")
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.cluster)
            if os.environ.get("SPECTRALBRAIN_CLUSTER_TESTS") != "1":
                item.add_marker(skip)


@pytest.fixture(scope="session")
def stage() -> Iterator[Path]:
    """A folder with a short path that every user may enter (munged and containers are not root)."""
    path = Path(tempfile.mkdtemp(prefix="sb-stage-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder(stage: Path) -> Path:
    """A folder for one test; beside `native`, so that relative links to the input are the same."""
    return Path(tempfile.mkdtemp(prefix="test-", dir=stage))


@pytest.fixture(scope="session")
def dataset(stage: Path) -> Path:
    """A small fMRIPrep-like dataset of three participants."""
    import datasets

    root = stage / "fmriprep"
    datasets.fmriprep(root, SUBJECTS, n=642)
    return root


@pytest.fixture(scope="session")
def native(dataset: Path, stage: Path) -> Path:
    """What the app writes without any cluster: participants, then the group."""
    folder = stage / "native"
    for level in ("participant", "group"):
        run(
            program("spectralbrain"),
            dataset,
            folder / "out",
            level,
            *MODES,
            "--no-report",
            "-w",
            folder / "work",
        )
    return folder / "out"


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    with running_slurm(1710) as running:
        yield running


@pytest.fixture(scope="session")
def by_hand(stage: Path) -> list[str]:
    """The lines of the page for trying it by hand: set up, build, run, stop; with /tmp in `stage`."""
    return parts(
        recipe("by hand", stage), "/usr/bin/docker build", "mkdir", "bash containers/testing/dockerd-down"
    )


@pytest.fixture(scope="session")
def engine(stage: Path, by_hand: list[str]) -> Iterator[Engine]:
    """An engine that has the stand-in for the official Python image.

    SPECTRALBRAIN_TEST_ENGINE names one that runs already and has the base image, for work on these tests.
    """
    if running := os.environ.get("SPECTRALBRAIN_TEST_ENGINE"):
        yield Engine(running, stage)
        return
    if os.geteuid() != 0:
        pytest.skip("a Docker engine cannot be started without root")
    set_up, *_, stop = by_hand
    (stage / "tmp").mkdir()
    try:
        host = follow(DOCKER_SHIMS, f'{set_up}\necho "$DOCKER_HOST"', cwd=CHECKOUT).split()[-1]
        yield Engine(host, stage)
    finally:
        follow(DOCKER_SHIMS, stop, cwd=CHECKOUT)


@pytest.fixture(scope="session")
def images(engine: Engine) -> None:
    """Both images, as the page builds them."""
    engine.follow(recipe("images", engine.folder))


@pytest.fixture(scope="session")
def slim(images: None) -> str:
    return "spectralbrain:slim"


@pytest.fixture(scope="session")
def full(images: None) -> str:
    return "spectralbrain"


@pytest.fixture(scope="session")
def base_archive(engine: Engine, stage: Path) -> Path:
    """The stand-in as an archive that Apptainer reads."""
    path = stage / "python.tar"
    engine("save", "-o", path, "python:3.12-slim-bookworm")
    return path


@pytest.fixture(scope="session")
def locked(stage: Path) -> Path:
    """The programs of a native environment with the image's packages and minor version of Python."""
    pythons = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/3.12.*")
    python = next((path / "bin" / "python3" for path in sorted(pythons)), None)
    environment = stage / "locked"
    run(python or shutil.which("python3.12") or "python3.12", "-m", "venv", environment)
    pip = [environment / "bin" / "python", "-m", "pip", "-q"]
    lock = CHECKOUT / "containers" / "requirements-full.lock"
    run(*pip, "install", "--only-binary", ":all:", "--require-hashes", "-r", lock)
    run(*pip, "wheel", "--no-deps", "-w", stage / "wheel", CHECKOUT)
    run(*pip, "install", "--no-deps", *(stage / "wheel").glob("*.whl"))
    return environment / "bin"


@pytest.fixture(scope="session")
def native_demo(locked: Path, stage: Path) -> dict[str, str]:
    """The digests of what the demo writes without a container, from the full lock."""
    run(locked / "spectralbrain-demo", stage / "native-demo")
    return demo_results(stage / "native-demo")


@pytest.fixture(scope="session")
def native_locked(locked: Path, dataset: Path, stage: Path) -> dict[str, str]:
    """The digests of what the app writes of the participants without a container, from the full lock."""
    options = ["participant", *MODES, "--no-report", "-w", stage / "locked-work"]
    run(locked / "spectralbrain", dataset, stage / "native-locked", *options)
    return measured(stage / "native-locked")
