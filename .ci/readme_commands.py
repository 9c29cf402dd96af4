"""Print one of the two commands on README's first screen: ``readme_commands.py 1`` or ``2``.

CI and the tests read the commands from here, so that what README says is what is run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
FIRST_SCREEN = 40  # lines


def first_screen_commands(text: str) -> list[str]:
    """Return the lines of the bash blocks on the first screen.

    Parameters
    ----------
    text : str
        README.md.

    Returns
    -------
    list of str

    Examples
    --------
    >>> first_screen_commands("# Title\\n\\n```bash\\nmake\\n```\\n")
    ['make']
    """
    screen = "\n".join(text.splitlines()[:FIRST_SCREEN])
    blocks = re.findall(r"^```(?:bash|sh|console|shell)?\n(.*?)^```$", screen, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


if __name__ == "__main__":
    print(first_screen_commands(README.read_text(encoding="utf-8"))[int(sys.argv[1]) - 1])
