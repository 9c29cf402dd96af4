"""A Markdown page made of prose, tables and plots."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "spectralbrain"  # the same plot gives the same bytes
matplotlib.rcParams["svg.fonttype"] = "none"


class Page:
    """Collects sections and writes them; plots go into the folder ``images`` beside the page."""

    def __init__(self, title: str, introduction: str, folder: Path) -> None:
        self.folder = folder
        self.lines = [
            f"# {title}",
            "",
            "<!-- Written by benchmarks/validation; change the script, not this file. -->",
            "",
            introduction,
        ]
        self._started = time.monotonic()

    def section(self, title: str, text: str) -> None:
        self.lines += ["", f"## {title}", "", text.strip()]
        print(f"{time.monotonic() - self._started:6.0f} s  {title}", file=sys.stderr, flush=True)

    def text(self, text: str) -> None:
        self.lines += ["", text.strip()]

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        body = [[_cell(value) for value in row] for row in rows]
        rule = ["---"] + ["---:"] * (len(header) - 1)
        self.lines += [""] + ["| " + " | ".join(row) + " |" for row in [list(header), rule, *body]]

    def plot(self, name: str, caption: str, figure: Figure) -> None:
        target = self.folder / "images" / f"validation-{name}.svg"
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None})
        self.lines += ["", f"![{caption}](images/{target.name})", "", f"*{caption}*"]

    def save(self) -> Path:
        target = self.folder / "validation.md"
        target.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        return target


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def figure(columns: int = 1, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Any]]:
    """Return a figure with axes in one row."""
    canvas = Figure(figsize=(width * columns, height), layout="constrained")
    axes = canvas.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return canvas, list(axes)
