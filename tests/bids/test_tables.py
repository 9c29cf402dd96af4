"""Tables that are written row by row."""

from __future__ import annotations

from spectralbrain.bids.tables import tsv_lines


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
