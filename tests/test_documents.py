"""Every code block of README and the manual runs.

Python blocks of a page share one namespace and run in order, in an empty folder. Bash blocks run in
that same folder with this environment's programs first on PATH; C blocks are compiled with h5cc, MATLAB
blocks run in GNU Octave, R blocks with Rscript. A block that a reader is to save is saved, and can be used
by those after it. Calls of the app on somebody's dataset run on a small one of the same kind.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
from documents import DATA, NOT_RUN, Block, changed, code_blocks, placed

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted(CHECKOUT.glob("*.md")),
    *sorted(CHECKOUT.glob("containers/*.md")),
    *sorted(page for page in CHECKOUT.glob("docs/**/*.md") if not {"_build", "generated"} & set(page.parts)),
]
#: How a block of another language runs: its file, and the command.
PROGRAMS = {
    "c": ("block.c", "h5cc -o block block.c && ./block"),
    "matlab": ("block.m", """octave-cli --quiet --eval "set(0, 'defaultfigurevisible', 'off'); block" """),
    "r": ("block.R", "Rscript block.R"),
}


def run_python(block: Block, namespace: dict) -> str:
    shifted = "\n" * (block.line - 1) + block.code
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(shifted, str(block.page), "exec"), namespace)
    return printed.getvalue()


def run_bash(block: Block, folder: Path, *places: Path) -> str:
    programs = os.pathsep.join([*map(str, places), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": programs, "CHECKOUT": str(CHECKOUT)}
    environment["SUBJECTS_DIR"] = str(folder / "subjects")
    command = ["bash", "-euo", "pipefail", "-c", block.code]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, f"{block.name}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def run_on_data(block: Block, folder: Path) -> str:
    """Run a block on a small dataset, with /data and /scratch in the folder, few modes and no report."""
    kind, place = block.dataset
    root = folder / place.replace("$SUBJECTS_DIR", "subjects").lstrip("/")
    if not root.exists():
        getattr(datasets, kind)(root, ["Bert_2019"] if kind == "subjects_dir" else ["01"])
    program = folder / "bin" / "spectralbrain"
    program.parent.mkdir(exist_ok=True)
    real = Path(sys.executable).with_name("spectralbrain")
    program.write_text(f'#!/bin/sh\nexec "{real}" "$@" --modes 8 --no-report\n')
    program.chmod(0o755)
    return run_bash(replace(block, code=placed(block.code, folder)), folder, program.parent)


def is_installed(need: str) -> bool:
    if need == "rhdf5":
        loads = ["Rscript", "-e", "library(rhdf5)"]
        return shutil.which("Rscript") is not None and subprocess.run(loads, check=False).returncode == 0
    return shutil.which(need) is not None


def check_printed(block: Block, printed: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    same = doctest.OutputChecker().check_output(block.code, printed, flags)
    assert same, f"{block.name}: expected\n{block.code}\nfound\n{printed}"


def run_block(block: Block, namespace: dict, folder: Path) -> str:
    """Run one block; return what it printed."""
    if block.not_run is not None:
        assert block.language in NOT_RUN[block.not_run], f"{block.name}: not a reason for {block.language}"
    elif block.change is not None:
        assert block.language == "diff", f"{block.name}: a change is shown as a diff"
        changed((CHECKOUT / block.change).read_text(encoding="utf-8"), block.code)
    elif block.file is not None:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code)
        if path.suffix == ".py":
            compile(block.code, str(path), "exec")
    elif block.language == "python":
        return run_python(block, namespace)
    elif block.dataset is not None:
        return run_on_data(block, folder)
    elif block.language == "bash":
        return run_bash(block, folder)
    elif block.language in PROGRAMS:
        name, command = PROGRAMS[block.language]
        (folder / name).write_text(block.code)
        return run_bash(replace(block, code=command), folder)
    elif block.language == "json":
        json.loads(block.code)
    elif block.language == "toml":
        tomllib.loads(block.code)
    else:
        assert block.language in DATA, f"{block.name}: no test runs {block.language!r} blocks"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(CHECKOUT)) for page in PAGES])
def test_blocks_of(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    namespace = {"__name__": "__main__"}
    missing = {}
    printed = ""
    for block in code_blocks(page):
        if block.prints:
            check_printed(block, printed)
        elif block.needs and not is_installed(block.needs):
            missing[block.needs] = block
        else:
            printed = run_block(block, namespace, tmp_path)
    if missing:
        pytest.skip(f"{next(iter(missing))} is not installed")


def test_what_a_block_prints_is_compared(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1.25)\n```\n<!-- prints -->\n```text\n1.2...\n```\n")
    block, shown = code_blocks(page)
    assert (block.prints, shown.prints) == (False, True)
    check_printed(shown, run_block(block, {}, tmp_path))
    with pytest.raises(AssertionError, match=r"page.md:6: expected"):
        check_printed(shown, "1.3\n")


def test_blocks_are_found_with_their_lines(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n```python\nx = 1\n```\n\n```{toctree}\nother\n```\n\n"
        "<!-- not run: run by the cluster tests -->\n```bash\ndocker\n```\n- item\n  ```bash\n  true\n  ```\n"
        "<!-- file: own.py -->\n```python\nz = 3\n```\n"
        "<!-- with: fmriprep at /data/x -->\n```bash\ntrue\n```\n<!-- needs: h5cc -->\n```c\n;\n```\n"
    )
    blocks = code_blocks(page)
    assert [(b.language, b.line, b.not_run) for b in blocks] == [
        ("python", 4, None),
        ("bash", 13, "run by the cluster tests"),
        ("bash", 17, None),
        ("python", 21, None),
        ("bash", 25, None),
        ("c", 29, None),
    ]
    assert [b.file for b in blocks] == [None, None, None, "own.py", None, None]
    assert [b.needs for b in blocks] == [None] * 5 + ["h5cc"]
    assert blocks[4].dataset == ("fmriprep", "/data/x")
    assert blocks[2].code == "true\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```bash\nfalse\n```\n", "AssertionError"),
        ("```rust\nfn main() {}\n```\n", "no test runs 'rust' blocks"),
        ("<!-- not run: too slow -->\n```bash\ntrue\n```\n", "too slow"),
        ("<!-- not run: run by the cluster tests -->\n```r\n1\n```\n", "not a reason for r"),
        ("```json\n{1}\n```\n", "JSONDecodeError"),
        ("<!-- change: setup.cfg -->\n```diff\n no such line\n+x\n```\n", "stands once"),
    ],
)
def test_a_wrong_block_fails(tmp_path, monkeypatch, text, error):
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(text)
    (block,) = code_blocks(page)
    with pytest.raises((AssertionError, KeyError, ValueError)) as caught:
        run_block(block, {}, tmp_path)
    assert error in repr(caught.value) + str(caught.typename)
