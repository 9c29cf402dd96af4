"""Tables that are written row by row."""

from __future__ import annotations

import pytest

from spectralbrain.bids.tables import parse_tsv, tsv_lines
from spectralbrain.errors import BIDSError


def test_a_table_cut_anywhere_but_after_a_line_is_refused():
    text = "index\tarea\n1\t2.5\n2\tn/a\n"
    whole = {0: 0, **{end + 1: text[:end].count("\n") for end, sign in enumerate(text) if sign == "\n"}}
    for length in range(len(text) + 1):
        if length in whole:
            assert len(parse_tsv(text[:length])) == whole[length]
        else:
            with pytest.raises(BIDSError, match="expected a line feed after the last line"):
                parse_tsv(text[:length])


def test_lines_end_with_a_line_feed_and_with_nothing_else():
    assert parse_tsv("\ufeffname\r\na\u2028b\r\n") == [{"name": "a\u2028b"}]


def test_a_row_is_asked_for_when_its_line_is_due():
    asked = []

    def rows():
        for number in range(3):
            asked.append(number)
            yield {"index": number}

    lines = tsv_lines(rows(), ["index"])
    assert next(lines) == "index\n"
    assert asked == []
    assert next(lines) == "0\n"
    assert asked == [0]
