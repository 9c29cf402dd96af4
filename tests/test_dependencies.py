"""Dependencies: each has its line in the manual, and the container's locks match pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = {
    "full": "requirements-full.lock",
    "slim": "requirements-slim.lock",
    "build": "requirements-build.lock",
}


@pytest.fixture(scope="module")
def pyproject(checkout) -> dict:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


def read_lock(path) -> dict[str, tuple[Version, int]]:
    """Return version and number of hashes by package."""
    entries = {}
    for entry in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").replace("\\\n", "")):
        pin = re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry)
        assert pin, entry[:80]
        entries[canonicalize_name(pin[1])] = (
            Version(pin[2]),
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)),
        )
    return entries


@pytest.fixture(scope="module")
def locks(checkout) -> dict[str, dict[str, tuple[Version, int]]]:
    return {name: read_lock(checkout / "containers" / file) for name, file in LOCKS.items()}


def core(pyproject) -> list[Requirement]:
    return [Requirement(line) for line in pyproject["project"]["dependencies"]]


def app(pyproject) -> list[Requirement]:
    return [Requirement(line) for line in pyproject["project"]["optional-dependencies"]["app"]]


def test_every_dependency_has_its_line_in_the_manual(checkout, pyproject):
    page = (checkout / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    extras = pyproject["project"]["optional-dependencies"].values()
    wanted = {req.name for req in core(pyproject)} | {
        Requirement(line).name for extra in extras for line in extra
    }
    assert [name for name in sorted(wanted) if not re.search(rf"\b{re.escape(name.lower())}\b", page)] == []


def test_licences_are_what_the_packages_say(checkout):
    """The family of each licence in the manual's tables, where the package is installed."""
    page = (checkout / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    checked = 0
    for cells in rows:
        for name in re.findall(r"[A-Za-z][\w-]+", re.sub(r"\(.*?\)", "", cells[0])):
            try:
                facts = metadata.metadata(name)
            except metadata.PackageNotFoundError:
                continue
            stated = [facts.get("License-Expression"), facts.get("License"), *facts.get_all("Classifier", [])]
            families = re.findall("BSD|MIT|Apache|MPL|GPL|Matplotlib", cells[2], re.IGNORECASE)
            text = " ".join(filter(None, stated)).lower()
            assert any(family.lower() in text for family in families), f"{name}: {cells[2]}"
            checked += 1
    assert checked >= 15


def test_every_lock_entry_has_hashes(locks):
    for name, lock in locks.items():
        assert lock, name
        assert [package for package, (_, hashes) in lock.items() if hashes == 0] == []


@pytest.mark.parametrize(("lock", "groups"), [("full", (core, app)), ("slim", (core,))])
def test_the_lock_satisfies_pyproject(locks, pyproject, lock, groups):
    for group in groups:
        for requirement in group(pyproject):
            version, _ = locks[lock][canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), requirement


def test_the_slim_lock_is_a_part_of_the_full_one(locks):
    assert set(locks["slim"]) < set(locks["full"])
    assert all(locks["full"][name] == entry for name, entry in locks["slim"].items())
    assert "matplotlib" in locks["full"]
    assert "matplotlib" not in locks["slim"]
    assert "vtk" not in locks["full"]


def test_the_build_lock_holds_the_build_requirements(locks, pyproject):
    for line in pyproject["build-system"]["requires"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(locks["build"][requirement.name][0])
