"""Daemons of our own for the cluster tests: a Docker engine, a two-node Slurm.

They need root and Debian's docker.io, runc, mmdebstrap, slurm-wlm and munge; `.ci/run` installs them.
Without SPECTRALBRAIN_CLUSTER_TESTS=1 nothing is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import (
    CHECKOUT,
    MODES,
    SUBJECTS,
    TESTING,
    Engine,
    Slurm,
    cannot_start,
    demo_results,
    program,
    run,
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
    folder = Path(tempfile.mkdtemp(prefix="sb-slurm-", dir="/tmp"))
    folder.chmod(0o755)
    up = subprocess.run(
        ["bash", str(TESTING / "slurm-up.sh"), str(folder), "1710"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )
    try:
        if up.returncode != 0:
            cannot_start("Slurm", up.stderr[-300:])
        environment = {**os.environ, "SLURM_CONF": up.stdout.split()[-1]}
        environment.pop("LOGNAME", None)  # Nipype's plugin wants it; the app helps itself
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        yield Slurm(folder, environment)
    finally:
        subprocess.run(["bash", str(TESTING / "slurm-down.sh"), str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def base(stage: Path) -> Path:
    """The file system of the stand-in; SPECTRALBRAIN_TEST_BASE names one that was made before."""
    path = Path(os.environ.get("SPECTRALBRAIN_TEST_BASE", stage / "base.tar"))
    if not path.exists():
        run("bash", TESTING / "base-image.sh", path)
    return path


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that has the stand-in for the official Python image.

    SPECTRALBRAIN_TEST_ENGINE names one that runs already and has the base image, for work on these tests.
    """
    if running := os.environ.get("SPECTRALBRAIN_TEST_ENGINE"):
        yield Engine(running)
        return
    folder = Path(tempfile.mkdtemp(prefix="sb-docker-", dir="/tmp"))
    up = subprocess.run(
        ["bash", str(TESTING / "dockerd-up.sh"), str(folder)], capture_output=True, text=True, check=False
    )
    try:
        if up.returncode != 0:
            cannot_start("a Docker engine", up.stderr[-300:])
        engine = Engine(up.stdout.split()[-1])
        base = request.getfixturevalue("base")
        run("bash", TESTING / "import-base.sh", base, env=engine.environment)
        yield engine
    finally:
        subprocess.run(["bash", str(TESTING / "dockerd-down.sh"), str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def slim(engine: Engine) -> str:
    engine.build("slim", "spectralbrain:slim", "--build-arg", "VERSION=9.9.9")
    return "spectralbrain:slim"


@pytest.fixture(scope="session")
def full(engine: Engine, slim: str) -> str:
    engine.build("full", "spectralbrain:full")
    return "spectralbrain:full"


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
