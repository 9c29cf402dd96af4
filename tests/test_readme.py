"""README's first screen: two commands, one line each, for a machine with Python, git and pip."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def commands(checkout) -> list[str]:
    path = checkout / ".ci" / "readme_commands.py"
    spec = importlib.util.spec_from_file_location("readme_commands", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.first_screen_commands((checkout / "README.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(checkout) -> dict:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_first_screen_has_exactly_two_commands(commands):
    assert len(commands) == 2
    assert "spectralbrain-demo" in commands[0]
    assert "pytest" in commands[1]


def test_each_command_is_one_line_that_bash_accepts(commands):
    for command in commands:
        assert not command.endswith("\\")
        check = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert check.returncode == 0, check.stderr


def test_each_command_starts_from_a_bare_python(commands):
    for command in commands:
        steps = [step.strip() for step in command.split("&&")]
        assert steps[0] == "python3 -m venv .venv"
        assert all(step.startswith(".venv/bin/") for step in steps[1:])


def test_the_extras_and_the_program_exist(commands, project):
    for command in commands:
        for extras in re.findall(r"\.\[([a-z,]+)\]", command):
            assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "spectralbrain-demo" in project["scripts"]


def test_ci_reads_the_same_commands(checkout, commands):
    for number, command in enumerate(commands, start=1):
        script = [sys.executable, str(checkout / ".ci" / "readme_commands.py"), str(number)]
        printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
        assert printed == command + "\n"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    found = re.findall(r"^#+ (.+?)\s*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_links_inside_the_repository_exist(checkout):
    broken, seen = [], 0
    for page in [
        *checkout.glob("*.md"),
        *checkout.glob("docs/**/*.md"),
        *checkout.glob("containers/**/*.md"),
    ]:
        if {"_build", "generated"} & set(page.parts):
            continue  # Sphinx checks these, and links to them, where they are made
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:|generated/", link):
                continue  # another site: .github/workflows/links.yml
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            seen += 1
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(checkout)}: {link}")
    assert seen > 20
    assert broken == []


def test_a_node_is_written_in_twenty_lines(checkout):
    from documents import code_blocks

    (block,) = [b for b in code_blocks(checkout / "CONTRIBUTING.md") if b.file]
    assert "ArrayInterface" in block.code
    assert len(block.code.splitlines()) <= 20


def test_every_figure_stands_in_the_file_it_is_from(checkout):
    """README's table of figures: a program of ours as command, and the numbers in what that program wrote."""
    text = (checkout / "README.md").read_text(encoding="utf-8")
    table = text[text.index("<!-- figures -->") : text.index("<!-- end of figures -->")]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[3:]]
    assert len(rows) > 3
    for _, _, figure, source, command in rows:
        script = re.fullmatch(r"`python (benchmarks/\w+\.py)[^`]*`", command)
        assert script, command
        assert (checkout / script[1]).is_file(), command
        page = (checkout / re.search(r"\((.+?)\)", source)[1]).read_text(encoding="utf-8")
        assert script[1] in page, f"{source} does not say that {script[1]} wrote it"
        numbers = re.findall(r"\d[\d.,]*\d|\d", figure)
        assert numbers, figure
        whole = set(re.findall(r"\d[\d.,]*\d|\d", page))
        assert [number for number in numbers if number not in whole] == [], figure


def test_every_markdown_page_is_free_of_machine_paths(checkout):
    pages: list[Path] = [
        *checkout.glob("*.md"),
        *checkout.glob("docs/*.md"),
        *checkout.glob("containers/*.md"),
    ]
    assert pages
    for page in pages:
        assert not re.search(r"/(work|root)/", page.read_text(encoding="utf-8")), page


def test_citation_changelog_and_containers_state_the_version(checkout):
    import spectralbrain

    dockerfile = (checkout / "containers" / "Dockerfile").read_text(encoding="utf-8")
    assert f"\nARG VERSION={spectralbrain.__version__}\n" in dockerfile
    definition = (checkout / "containers" / "spectralbrain.def").read_text(encoding="utf-8")
    assert f"\n    WHEEL=dist/spectralbrain-{spectralbrain.__version__}-py3-none-any.whl\n" in definition
    citation = (checkout / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, flags=re.MULTILINE)[1] == spectralbrain.__version__
    assert re.search(r"^license: (.+)$", citation, flags=re.MULTILINE)[1] == "BSD-3-Clause"
    assert (checkout / "CHANGELOG.md").read_text(encoding="utf-8").startswith("# Changelog")
