"""A bar on a terminal, one line per step elsewhere."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any


class Progress:
    """Counts what is done; a bar is drawn only on a terminal, and only if tqdm is installed."""

    def __init__(self, total: int, unit: str) -> None:
        self.total, self.count = total, 0
        self.bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            known = all(os.get_terminal_size(sys.stderr.fileno()))  # a pseudo-terminal may not say
            size: dict[str, Any] = {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}
            self.bar = tqdm(total=total, unit=f" {unit}", file=sys.stderr, **size)

    def say(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        if self.bar is not None:
            self.bar.write(text, file=sys.stdout)
        else:
            print(text, flush=True)

    def done(self, text: str, *, failed: bool = False) -> None:
        """Count one, and say what it was; on a terminal only failures are said."""
        self.count += 1
        if self.bar is None or failed:
            self.say(f"[{self.count}/{self.total}] {text}")
        if self.bar is not None:
            self.bar.update()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()
