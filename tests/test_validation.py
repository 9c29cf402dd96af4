"""The page of validation: the build compares what it computed with the record, number by number."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

PAGE = """# Validation

## (a) One

| surface | error | rate |
| --- | ---: | ---: |
| disk | 0.34 % | 2.02 |
| disk | 1.2e-11 | yes |

## (b) Two

| surface | distance |
| --- | ---: |
| disk | above 30 % |
"""


@pytest.fixture(scope="module")
def page(checkout):
    spec = importlib.util.spec_from_file_location("page", checkout / "benchmarks" / "validation" / "page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_equal_pages_differ_in_nothing(page):
    assert page.differences(PAGE, PAGE) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("0.34 %", "0.35 %", []),  # one unit of the last digit
        ("0.34 %", "0.39 %", ["(a) One / disk / 1 / 3, column 2: recorded 0.34 %, now 0.39 %"]),
        ("0.34 %", "0.34", ["(a) One / disk / 1 / 3, column 2: recorded 0.34 %, now 0.34"]),
        ("2.02", "2.11", []),  # less than 5 %
        ("2.02", "2.20", ["(a) One / disk / 1 / 3, column 3: recorded 2.02, now 2.20"]),
        ("1.2e-11", "0", []),  # both are rounding
        ("1.2e-11", "0.001", ["(a) One / disk / 2 / 3, column 2: recorded 1.2e-11, now 0.001"]),
        ("yes", "no", ["(a) One / disk / 2 / 3, column 3: recorded yes, now no"]),
        ("above 30 %", "28.0 %", ["(b) Two / disk / 1 / 2, column 2: recorded above 30 %, now 28.0 %"]),
        ("| disk | above 30 % |", "| ball | 1 |", []),  # a row that only one of them has
    ],
)
def test_a_number_that_moved_is_named(page, old, new, found):
    assert page.differences(PAGE, PAGE.replace(old, new, 1)) == found


def test_the_record_is_such_a_page(page, checkout):
    record = (checkout / "docs" / "validation.md").read_text(encoding="utf-8")
    assert page.NOTE in record
    rows = list(page._rows(record))
    assert len({key for key, _ in rows}) == len(rows) > 60
    rates = [float(cells[-1]) for (section, *_), cells in rows if section.startswith("(a)")]
    assert np.isclose(rates, 2, atol=0.35).sum() + np.isclose(rates, 4, atol=0.1).sum() == len(rates)
