"""The Apptainer image, built from the definition, and run closed off from the machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import CHECKOUT, MODES, TESTING, demo_results, follow, measured, parts, recipe, run


def shims(root: Path) -> str:
    """Apptainer in its root, with a base that is no registry's, fast compression, and few modes."""
    return f"""
apptainer() {{
  case "$1" in
    build) set -- build --mksquashfs-args "-comp zstd -Xcompression-level 1" \\
      --build-arg BOOTSTRAP=docker-archive --build-arg BASE=python.tar "${{@:2}}" ;;
    run) set -- "$@" {" ".join(MODES)} --no-report ;;
  esac
  bash {TESTING / "in-root.sh"} {root} "$PWD" apptainer "$@"
}}
"""


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """A Debian root folder with Apptainer in it."""
    folder = Path(tempfile.mkdtemp(prefix="sb-apptainer-", dir="/tmp"))
    run("bash", TESTING / "apptainer-root.sh", folder / "root")
    yield folder / "root"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def image(root: Path, stage: Path, base_archive: Path) -> Path:
    """The image, built as the page says in a copy of the sources."""
    folder = stage / "apptainer"
    for name in ("containers", "spectralbrain"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, folder)
    shutil.copy(base_archive, folder / "python.tar")
    build, _ = parts(recipe("apptainer", folder), "mkdir")
    follow(shims(root), build, cwd=folder)
    return folder / "spectralbrain.sif"


def test_the_demo_is_the_native_one_byte_for_byte(root, image, native_demo, stage, folder):
    """Reports included; without this machine's environment, home and folders."""
    closed = ["--cleanenv", "--containall", "--no-home", "-B", f"{folder}:/out"]
    inside = ["apptainer", "exec", *closed, image, "spectralbrain-demo", "/out/demo"]
    run("bash", TESTING / "in-root.sh", root, stage, *inside)
    assert demo_results(folder / "demo") == native_demo


def test_run_as_the_page_says_it_writes_the_native_bytes(root, image, dataset, native_locked):
    """Those that Docker's images write, too (test_docker.py)."""
    folder = image.parent
    shutil.copytree(dataset, folder / "data" / "fmriprep")
    _, app = parts(recipe("apptainer", folder), "mkdir")
    follow(shims(root), app, cwd=folder)
    assert measured(folder / "data" / "spectralbrain") == native_locked
