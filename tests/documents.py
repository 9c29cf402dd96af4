"""Finds the code blocks of a Markdown page, for the tests that run them.

A block that no test on this machine could run is announced by a comment on the line before it::

    <!-- not run: REASON -->

and REASON must be one of :data:`NOT_RUN`. A block that a reader is to save as a module is announced by::

    <!-- file: NAME -->
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: Why a block may stay unrun, and which kind of block each reason is good for.
NOT_RUN = {
    "CI runs it as it stands": {"bash"},
    "run by the cluster tests": {"bash"},
    "a template to fill in": {"bash", "text"},
    "needs MATLAB": {"matlab"},
    "needs R": {"r"},
    "needs a container engine": {"bash"},
}
#: Blocks that are pictures of something: not code.
DATA = {"text", ""}
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)$")
COMMENT = re.compile(r"^ *<!-- not run: (?P<reason>.+?) -->$")
FILE = re.compile(r"^ *<!-- file: (?P<path>[\w./-]+) -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    not_run: str | None = None
    file: str | None = None

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
            reason, name = before["reason"] if before else None, file["path"] if file else None
            blocks.append(Block(page, start + 2, language, code, reason, name))
        position += 2
    return blocks
