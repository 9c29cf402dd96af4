"""A Markdown page made of prose, tables and plots, and its comparison with an earlier one."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, NullFormatter

STYLE = {"svg.hashsalt": "spectralbrain", "svg.fonttype": "none"}  # the same plot gives the same bytes
NOTE = "<!-- Written by benchmarks/validation; change the script, not this file. -->"
TOLERANCE = 0.05  # relative, beside one unit of the last digit in the record
NOTHING = 1e-6  # distances below this are rounding
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")


class Page:
    """Collects sections and writes them; plots go into a folder that the page names as it is told."""

    def __init__(self, title: str, introduction: str, images: Path, shown_as: str) -> None:
        self.images, self.shown_as = images, shown_as
        self.lines = [f"# {title}", "", NOTE, "", introduction]
        self._started = time.monotonic()

    def section(self, title: str, text: str) -> None:
        self.lines += ["", f"## {title}", "", text.strip()]
        print(f"{time.monotonic() - self._started:6.0f} s  {title}", file=sys.stderr, flush=True)

    def words(self, text: str) -> None:
        self.lines += ["", text.strip()]

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        body = [[_cell(value) for value in row] for row in rows]
        rule = ["---"] + ["---:"] * (len(header) - 1)
        self.lines += [""] + ["| " + " | ".join(row) + " |" for row in [list(header), rule, *body]]

    def plot(self, name: str, caption: str, figure: Figure) -> None:
        target = self.images / f"validation-{name}.svg"
        self.images.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(STYLE):
            figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None})
        self.lines += ["", f"![{caption}]({self.shown_as}/{target.name})", "", f"*{caption}*"]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def differences(recorded: str, fresh: str) -> list[str]:
    """Return what the tables of two pages disagree on; rows that only one has are left out."""
    before, found = dict(_rows(recorded)), []
    for key, cells in _rows(fresh):
        for column, (old, new) in enumerate(zip(before.get(key, cells), cells, strict=True)):
            if not _alike(old, new):
                found.append(f"{' / '.join(map(str, key))}, column {column + 1}: recorded {old}, now {new}")
    return found


def _rows(text: str) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
    """Yield the rows of all tables, each with what tells it from the others."""
    section, header, seen = "", "", {}
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("## "):
            section = line[3:]
        if not line.startswith("| ") or line.startswith("| ---"):
            continue
        if following.startswith("| ---"):
            header = line
            continue
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        seen[section, header, cells[0]] = seen.get((section, header, cells[0]), 0) + 1
        yield (section, cells[0], seen[section, header, cells[0]], len(cells)), cells


def _alike(old: str, new: str) -> bool:
    first, second = _NUMBER.match(old), _NUMBER.match(new)
    if not first or not second or old[first.end() :] != new[second.end() :]:
        return old == new
    a, b = float(first[0]), float(second[0])
    if max(abs(a), abs(b)) < NOTHING:
        return True
    return abs(a - b) <= max(TOLERANCE * max(abs(a), abs(b)), 1.01 * _last_digit(first[0]))


def _last_digit(number: str) -> float:
    mantissa, _, power = number.partition("e")
    return 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def figure(columns: int = 1, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Any]]:
    """Return a figure with axes in one row."""
    canvas = Figure(figsize=(width * columns, height), layout="constrained")
    axes = canvas.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return canvas, list(axes)


def mark(axis: Any, ticks: Sequence[float]) -> None:
    """Label a logarithmic axis at a few round numbers only."""
    axis.set_ticks(ticks)
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())
