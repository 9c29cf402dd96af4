"""Finds the code blocks of a Markdown page, for the tests that run them.

A block that no test on this machine could run is announced by a comment on the line before it::

    <!-- not run: REASON -->

and REASON must be one of :data:`NOT_RUN`. A block that a reader is to save as a module is announced by::

    <!-- file: NAME -->

one that needs a program which may be missing, and one that needs a dataset at the place it names, by::

    <!-- needs: PROGRAM -->
    <!-- with: KIND at PATH -->

one that shows what the block before it prints, up to white space and ``...``, by::

    <!-- prints -->

and one that shows what to change in a file of this repository, a ``diff`` of context and added lines, by::

    <!-- change: NAME -->
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: Why a block may stay unrun, and which kind of block each reason is good for.
NOT_RUN = {
    "CI runs it as it stands": {"bash"},
    "run by the cluster tests": {"bash"},
    "the cluster tests themselves": {"bash"},
}
#: Blocks that are pictures of something: not code.
DATA = {"text", ""}
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)$")
COMMENT = re.compile(r"^ *<!-- not run: (?P<reason>.+?) -->$")
FILE = re.compile(r"^ *<!-- (?P<kind>file|change|needs): (?P<value>[\w./-]+) -->$")
PRINTS = re.compile(r"^ *<!-- prints -->$")
DATASET = re.compile(r"^ *<!-- with: (?P<kind>\w+) at (?P<path>\S+) -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    not_run: str | None = None
    file: str | None = None
    change: str | None = None
    needs: str | None = None
    dataset: tuple[str, str] | None = None
    prints: bool = False

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.line}"


def code_blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a Markdown page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks = []
    position = 0
    while position < len(lines):
        opening = FENCE.match(lines[position])
        if opening is None:
            position += 1
            continue
        start = position
        before = COMMENT.match(lines[start - 1]) if start else None
        file = FILE.match(lines[start - 1]) if start else None
        while position + 1 < len(lines) and lines[position + 1].strip() != "```":
            position += 1
        indent = len(opening["indent"])
        code = "".join(line[indent:] + "\n" for line in lines[start + 1 : position + 1])
        language = opening["info"].strip()
        if not language.startswith("{"):  # a MyST directive is markup, not code
            reason = before["reason"] if before else None
            more = {file["kind"]: file["value"]} if file else {}
            laid = DATASET.match(lines[start - 1]) if start else None
            dataset = (laid["kind"], laid["path"]) if laid else None
            prints = bool(start and PRINTS.match(lines[start - 1]))
            blocks.append(
                Block(page, start + 2, language, code, reason, dataset=dataset, prints=prints, **more)
            )
        position += 2
    return blocks


def placed(code: str, folder: Path) -> str:
    """Return commands with the example paths /data, /scratch and /tmp in a folder."""
    return re.sub(r"(?<![\w/])/(?=(data|scratch|tmp)/)", f"{folder}/", code)


def changed(text: str, diff: str) -> str:
    """Return a text with the lines that a diff adds, each behind its context line.

    Raises
    ------
    ValueError
        If a context line is not there exactly once, or the diff has anything but context and additions.

    Examples
    --------
    >>> changed("a\\nb\\n", " a\\n+c\\n")
    'a\\nc\\nb\\n'
    """
    lines = text.splitlines()
    place = None
    for line in diff.splitlines():
        mark, content = line[:1], line[1:]
        if mark == " " and lines.count(content) == 1:
            place = lines.index(content) + 1
        elif mark == "+" and place is not None:
            lines.insert(place, content)
            place += 1
        else:
            raise ValueError(f"expected a line that stands once in the file, or an addition; found {line!r}")
    return "\n".join([*lines, ""])
