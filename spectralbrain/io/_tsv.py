"""Labelled square matrices as TSV, by the tabular rules of BIDS."""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from spectralbrain.errors import ArrayError, ArrayTypeError, FormatError
from spectralbrain.io._atomic import atomic_write
from spectralbrain.io._tsv_plain import parse_plain_matrix
from spectralbrain.runtime import ConnectomeMatrix

FIRST_COLUMN = "node"
MISSING = "n/a"
_LARGE = 300  # rows from which it pays to import a faster reader
# What may stand in a row; float() alone would also take 1_000, inf and blanks around a number
_NUMBERS = re.compile(r"[-+.0-9eE\tna/N]*")


def check_labels(labels: Sequence[str] | None, n_regions: int) -> list[str]:
    """Return one label per region; their numbers from 0 if none are given.

    Raises
    ------
    ArrayTypeError
        If a label is not text.
    ArrayError
        If there are too many or too few, if one occurs twice, is empty, is the name of the first
        column or the mark of a missing value, or holds a character that a table cannot.
    """
    if labels is None:
        return [str(i) for i in range(n_regions)]
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise ArrayTypeError(f"labels: expected a sequence of text, found {type(labels).__name__}")
    found = list(labels)
    for i, label in enumerate(found):
        if not isinstance(label, str):
            raise ArrayTypeError(f"labels[{i}]: expected text, found {type(label).__name__}")
        _check_label(label, f"labels[{i}]")
    if len(found) != n_regions:
        raise ArrayError(f"labels: expected {n_regions}, one per row, found {len(found)}")
    if len(set(found)) != len(found):
        twice = next(label for i, label in enumerate(found) if label in found[:i])
        raise ArrayError(f"labels: expected each label once, found {twice!r} twice")
    return [str(label) for label in found]


def _check_label(label: str, where: str) -> None:
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in label):
        raise ArrayError(f"{where}: expected no tabs, newlines or control characters, found {label!r}")
    if not label.strip():
        raise ArrayError(f"{where}: expected a name, found {label!r}")
    if label != label.strip() or label.startswith('"'):
        raise ArrayError(f"{where}: readers would drop the outer characters of {label!r}")
    if label in (FIRST_COLUMN, MISSING):
        raise ArrayError(f"{where}: {label!r} has a meaning of its own in these tables")


def format_table(matrix: ConnectomeMatrix, labels: list[str]) -> str:
    """Return the table; every number is the shortest text that reads back to the same float64."""
    lines = ["\t".join((FIRST_COLUMN, *labels))]
    for label, row in zip(labels, matrix.tolist(), strict=True):
        cells = [MISSING if value != value else repr(value) for value in row]
        lines.append("\t".join((label, *cells)))
    return "\n".join(lines) + "\n"


def write_table(table: Path, text: str, sidecar: Path, sidecar_text: str) -> None:
    """Write a table and its sidecar; whenever it ends, no sidecar stands beside a table it does not describe.

    Both are on the disk before either gets its name. A sidecar that says something else goes before
    the table comes, and the new one comes last.
    """
    with atomic_write(sidecar) as stream:
        _write_through(stream, sidecar_text)
        with atomic_write(table) as table_stream:
            _write_through(table_stream, text)
            if _content(sidecar) != sidecar_text.encode():
                sidecar.unlink(missing_ok=True)


def _write_through(stream: IO[bytes], text: str) -> None:
    stream.write(text.encode())
    stream.flush()
    os.fsync(stream.fileno())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def parse_table(text: str, path: Path) -> tuple[ConnectomeMatrix, list[str]]:
    """Return matrix and labels of a table.

    Raises
    ------
    FormatError
        If it is not a labelled square matrix; the message names the line.
    """
    if not text.endswith("\n"):
        raise FormatError(f"{path}: the last line has no end: the file is truncated")
    lines = text.removesuffix("\n").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    first, *labels = lines[0].split("\t")  # whatever the first column is called: others have other names
    if not labels and first != FIRST_COLUMN:  # without columns, only our own name tells an empty matrix
        raise FormatError(f"{path}: expected a table with a column for each label, found {first[:80]!r}")
    if len(set(labels)) != len(labels) or not all(labels) or not lines[0]:
        raise FormatError(f"{path}: expected distinct, non-empty column names")
    if len(lines) - 1 != len(labels):
        raise FormatError(f"{path}: expected {len(labels)} rows as there are columns, found {len(lines) - 1}")
    rows = []
    for i, line in enumerate(lines[1:]):
        label, _, row = line.partition("\t")
        where = f"{path}, line {i + 2}"
        if label != labels[i]:
            raise FormatError(f"{where}: expected the row of {labels[i]!r}, found {label[:80]!r}")
        found = line.count("\t")
        if found != len(labels):
            raise FormatError(f"{where}: expected {len(labels)} values, found {found}")
        rows.append(row)
    matrix = parse_plain_matrix(rows) if len(rows) >= _LARGE else None
    if matrix is None:
        numbers = [_numbers(row, f"{path}, line {i + 2}") for i, row in enumerate(rows)]
        matrix = np.array(numbers, dtype=np.float64).reshape(len(labels), len(labels))
    return matrix, labels


def _numbers(row: str, where: str) -> list[float]:
    if _NUMBERS.fullmatch(row):
        try:
            values = list(map(float, row.replace(MISSING, "nan").split("\t")))
        except ValueError:
            values = [math.inf]
        if math.inf not in values and -math.inf not in values:
            return values
    return [_number(cell, where) for cell in row.split("\t")]  # which will say what is wrong with which


def _number(cell: str, where: str) -> float:
    if cell in (MISSING, "nan", "NaN"):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in cell or cell != cell.strip() or not cell.isascii():
        raise FormatError(f"{where}: expected a number or {MISSING}, found {cell[:80]!r}")
    return value


def format_sidecar(sidecar: Mapping[str, Any], matrix: ConnectomeMatrix) -> str:
    """Return the JSON text of a sidecar: the given fields, and those that the matrix itself answers.

    The keys are those of the BIDS extension proposal for connectivity (BEP017).

    Raises
    ------
    ArrayTypeError
        If the fields are not a mapping with text keys, or hold what JSON cannot.
    """
    if not isinstance(sidecar, Mapping) or not all(isinstance(key, str) for key in sidecar):
        raise ArrayTypeError(f"sidecar: expected a dict with text keys, found {type(sidecar).__name__}")
    present = matrix[~np.isnan(matrix)]
    diagonal = np.diagonal(matrix)
    derived = {
        "Directed": not np.array_equal(matrix, matrix.T, equal_nan=True),
        "Weighted": bool(((present != 0) & (present != 1)).any()),
        "ValidDiagonal": bool((np.nan_to_num(diagonal) != 0).any()),
        "NonNegative": bool((present >= 0).all()),
    }
    fields = {**sidecar, **{key: value for key, value in derived.items() if key not in sidecar}}
    try:
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArrayTypeError(f"sidecar: cannot be written as JSON ({error})") from error
    return text + "\n"
