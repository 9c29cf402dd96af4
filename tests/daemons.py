"""What the cluster tests share: run programs, wait, compare results, ask Slurm and Docker."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from documents import code_blocks, placed

CHECKOUT = Path(__file__).resolve().parents[1]
TESTING = CHECKOUT / "containers" / "testing"
SUBJECTS = ["01", "02", "03"]
PAGE = CHECKOUT / "containers" / "README.md"
#: What the blocks of that page are known by.
RECIPES = {
    "images": "--target slim -t spectralbrain:slim",
    "docker run": '--user "$(id -u)',
    "by hand": "dockerd-up.sh",
    "apptainer": "apptainer build",
    "slurm": "submit.sh /data",
}
MODES = ["--modes", "12"]
DOCKER = "/usr/bin/docker"
#: Debian's packages are there; pip, inside a build, needs this machine's network; few modes will do.
DOCKER_SHIMS = f"""
apt-get() {{ :; }}
id() {{ echo 4321; }}
docker() {{
  case "$*" in
    build*) {DOCKER} build --network=host "${{@:2}}" ;;
    *participant*) {DOCKER} "$@" {" ".join(MODES)} --no-report ;;
    *) {DOCKER} "$@" ;;
  esac
}}
"""


def cannot_start(what: str, why: str) -> NoReturn:
    """Daemons were wanted and do not start: root can mend that, others are excused."""
    if os.geteuid() == 0:
        pytest.fail(f"{what} cannot be started: {why}", pytrace=False)
    pytest.skip(f"{what} cannot be started without root")


def program(name: str) -> str:
    """Return the full path of a program of this environment."""
    return str(Path(sys.executable).with_name(name))


def run(*command: str | os.PathLike[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command; its output is in the message if it fails."""
    result = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        **options,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    return result


def recipe(name: str, folder: Path) -> str:
    """Return a block of containers/README.md, with /data, /scratch and /tmp in a folder."""
    (block,) = [block for block in code_blocks(PAGE) if RECIPES[name] in block.code]
    assert block.not_run == "run by the cluster tests", block.name
    return placed(block.code, folder)


def parts(commands: str, *starts: str) -> list[str]:
    """Split commands before each line that starts in one of these ways."""
    return re.split(f"^(?={'|'.join(map(re.escape, starts))})", commands, flags=re.MULTILINE)


def follow(shims: str, commands: str, **options: object) -> str:
    """Run commands of a page, with shell functions in the place of programs; return what they print."""
    return run("bash", "-euo", "pipefail", "-c", f"{shims}\n{commands}", **options).stdout


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.3)


def results(folder: Path) -> dict[str, str]:
    """Return the digest of every result; logs tell of the run, not of the data."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and relative.parts[0] != "logs":
            found[str(relative)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def measured(folder: Path) -> dict[str, str]:
    """Return the results without the description, which holds the way to the input."""
    return {name: digest for name, digest in results(folder).items() if name != "dataset_description.json"}


def demo_results(folder: Path) -> dict[str, str]:
    """Return the digest of every result of a demo: of both participants and the group, reports included."""
    found = {name: digest for name, digest in results(folder).items() if not name.startswith("work/")}
    assert sum(name.endswith("_eigenpairs.h5") for name in found) == 4
    assert {"sub-deformed.html", "group.html"} <= {Path(name).name for name in found}
    return found


@dataclass(frozen=True)
class Slurm:
    """A running Slurm."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str | os.PathLike[str]) -> str:
        return run(*command, env=self.environment, cwd=self.folder).stdout

    def state(self, job: str) -> dict[str, str]:
        """Return the fields that scontrol shows of a job or task."""
        return dict(re.findall(r"(\w+)=(\S*)", self.run("scontrol", "show", "job", job)))

    def ended(self, job: str) -> bool:
        return self.run("squeue", "-h", "-j", job).strip() == ""


@contextmanager
def running_slurm(port: int) -> Iterator[Slurm]:
    """Two nodes on ports that start like this; nothing of them is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sb-slurm-", dir="/tmp"))
    folder.chmod(0o755)
    up = subprocess.run(
        ["bash", str(TESTING / "slurm-up.sh"), str(folder), str(port)],
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
        run("bash", TESTING / "slurm-down.sh", folder)
        shutil.rmtree(folder, ignore_errors=True)


class Engine:
    """A Docker engine of our own."""

    def __init__(self, host: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "1"}

    def __call__(self, *words: str | Path) -> str:
        return run(DOCKER, *words, env=self.environment, cwd=CHECKOUT).stdout

    def follow(self, commands: str) -> str:
        """Run commands of a page with this engine."""
        return follow(DOCKER_SHIMS, commands, env=self.environment, cwd=CHECKOUT)

    def attempt(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [DOCKER, *(str(word) for word in words)]
        return subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def build(self, target: str, tag: str, *options: str) -> None:
        dockerfile = CHECKOUT / "containers" / "Dockerfile"
        self("build", "--network=host", "--target", target, "-t", tag, "-f", dockerfile, *options, ".")
