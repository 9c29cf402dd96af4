"""``--help-resources``: what a surface was measured to need, so that nobody has to guess."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import resources
from typing import Any

from spectralbrain.bids.inventory import format_table
from spectralbrain.bids.tables import parse_tsv

TABLE = "resources.tsv"  # docs/clusters.md shows the same figures
HEADERS = ("vertices", "modes", "peak memory, GiB", "processor time, s")
_ADVICE = """\
Peak memory and processor time of the app for a participant with one surface, measured: default descriptors
and report, one processor, all processes together. A participant's two hemispheres are in memory together only
where --nprocs is 2 or more and --mem allows it. For native FreeSurfer surfaces (about 150,000 vertices) and
100 modes ask for 4 GB per job.
"""


def resource_rows() -> list[tuple[str, ...]]:
    """Return the measured rows as text, in the order of :data:`HEADERS`.

    Examples
    --------
    >>> resource_rows()[0][:2]
    ('10,242', '50')
    """
    text = (resources.files("spectralbrain") / "data" / TABLE).read_text(encoding="utf-8")
    return [
        (f"{int(row['vertices'] or 0):,}", *(str(value) for key, value in row.items() if key != "vertices"))
        for row in parse_tsv(text)
    ]


class HelpResources(argparse.Action):
    """Print what a surface needs, and exit."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Print the table and leave with 0."""
        print(f"{_ADVICE}\n{format_table(HEADERS, resource_rows())}")
        parser.exit()
