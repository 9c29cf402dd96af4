"""Tables as BIDS wants them: tabs, LF, ``n/a``, unique headers, and a JSON file that explains the columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from spectralbrain.errors import BIDSError

MISSING = "n/a"


def format_cell(value: Any) -> str:
    """Return a value as BIDS writes it: shortest text that reads back equal, ``n/a`` for missing.

    Examples
    --------
    >>> [format_cell(v) for v in (0.1, float("nan"), None, True, 3, "a b")]
    ['0.1', 'n/a', 'n/a', 'true', '3', 'a b']
    """
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value)) if math.isfinite(value) else MISSING
    text = str(value).replace("\r", " ").replace("\n", " ")
    return '"' + text.replace('"', '""') + '"' if "\t" in text else text


def format_tsv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return the text of a TSV file.

    Parameters
    ----------
    rows, columns
        See :func:`tsv_lines`.

    Returns
    -------
    str
        With a final newline.

    Raises
    ------
    BIDSError
        If a header is blank or stands twice, or a row has a column that is not in `columns`.

    Examples
    --------
    >>> format_tsv([{"index": 1, "area": 2.5}], ["index", "area", "volume"])
    'index\\tarea\\tvolume\\n1\\t2.5\\tn/a\\n'
    """
    return "".join(tsv_lines(rows, columns))


def tsv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a TSV file, each with its newline; a row is asked for when its line is.

    Parameters
    ----------
    rows : iterable of mapping
        One per line; a column a row does not have is ``n/a``.
    columns : sequence of str
        Headers, in order.

    Raises
    ------
    BIDSError
        If a header is blank or stands twice, or a row has a column that is not in `columns`.
    """
    if not columns or any(not c.strip() or "\t" in c or "\n" in c for c in columns):
        raise BIDSError(f"columns: expected non-blank headers without tabs, found {list(columns)!r}")
    known = set(columns)
    if len(known) != len(columns):
        twice = sorted({c for c in columns if list(columns).count(c) > 1})
        raise BIDSError(f"columns: expected unique headers, found {', '.join(twice)} twice")
    yield "\t".join(columns) + "\n"
    for row in rows:
        if unknown := [key for key in row if key not in known]:
            raise BIDSError(f"row: expected the columns {', '.join(columns)}, found {', '.join(unknown)}")
        yield "\t".join(format_cell(row.get(c)) for c in columns) + "\n"


def parse_tsv(text: str) -> list[dict[str, str | None]]:
    """Read a TSV file's text; ``n/a`` comes back as None.

    Raises
    ------
    BIDSError
        If a line has another number of cells than the header, or the last one no end, as in a truncated file.

    Examples
    --------
    >>> parse_tsv("id\\tarea\\nsub-1\\tn/a\\n")
    [{'id': 'sub-1', 'area': None}]
    """
    text = text.removeprefix("\ufeff")
    if not text:
        return []
    if not text.endswith("\n"):
        raise BIDSError("expected a line feed after the last line, found none: is it truncated?")
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    header = lines[0].split("\t")
    rows: list[dict[str, str | None]] = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise BIDSError(f"line {number}: expected {len(header)} cells, found {len(cells)}")
        rows.append({h: None if c == MISSING else c for h, c in zip(header, cells, strict=True)})
    return rows
