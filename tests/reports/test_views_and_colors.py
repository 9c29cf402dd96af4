"""Directions of sight, and from numbers to colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from hypothesis.extra.numpy import arrays

from spectralbrain.errors import ArrayError
from spectralbrain.reports.colors import (
    MISSING_RGB,
    ColorScale,
    color_table,
    diverging_scale,
    fitting_scale,
    sequential_scale,
)
from spectralbrain.reports.views import anatomical_view

MAPS = arrays(
    np.float64, st.integers(1, 300), elements=st.floats(-1e6, 1e6, allow_subnormal=False) | st.just(np.nan)
)


@pytest.mark.parametrize(
    ("name", "hemisphere", "letters"),
    [
        ("lateral", "L", "APSI"),
        ("lateral", "R", "PASI"),
        ("medial", "L", "PASI"),
        ("medial", "R", "APSI"),
        ("dorsal", "L", "LRAP"),
        ("ventral", "R", "RLAP"),
        ("anterior", None, "RLSI"),
        ("posterior", None, "LRSI"),
    ],
)
def test_letters_at_the_edges_are_those_of_an_atlas(name, hemisphere, letters):
    assert "".join(anatomical_view(name, hemisphere).edge_letters()) == letters


def test_without_a_hemisphere_sides_are_called_left_and_right():
    assert [anatomical_view(name).title for name in ("lateral", "medial")] == ["left side", "right side"]


def test_unknown_views_and_hemispheres_are_refused():
    with pytest.raises(ArrayError, match="view: expected one of lateral"):
        anatomical_view("sideways")
    with pytest.raises(ArrayError, match="hemisphere: expected 'L', 'R' or None, found 'left'"):
        anatomical_view("lateral", "left")


def test_extent_is_what_the_picture_must_hold():
    box = np.array([[0.0, 0.0, 0.0], [2.0, 3.0, 5.0]])
    centre, width, height = anatomical_view("lateral", "L").extent(box)
    assert (centre.tolist(), width, height) == ([1.0, 1.5, 2.5], 3.0, 5.0)


@given(MAPS)
def test_diverging_scales_are_symmetric_and_sound(values):
    scale = diverging_scale(values)
    assert scale.low == -scale.high < 0
    known = values[np.isfinite(values)]
    assert scale.clipped == ((known < scale.low).any(), (known > scale.high).any())


@given(MAPS)
def test_sequential_scales_hold_most_values(values):
    scale = sequential_scale(values)
    known = values[np.isfinite(values)]
    assert scale.low < scale.high
    inside = (known >= scale.low - 1e-9) & (known <= scale.high + 1e-9)
    assert inside.sum() >= 0.95 * known.size - 2


@given(MAPS)
@example(np.r_[-81.0, np.full(127, 5.7e-305)])  # far outside a scale of tiny numbers
def test_missing_values_are_grey_and_nothing_else_is(values):
    colors = fitting_scale(values).rgb(values)
    grey = (colors == MISSING_RGB).all(axis=1)
    assert (grey == ~np.isfinite(values)).all()


def test_zero_is_the_middle_of_a_diverging_scale():
    values = np.array([-2.0, 0.0, 2.0])
    low, middle, high = diverging_scale(values).rgb(values).astype(int)
    assert np.ptp(middle) < 5
    assert middle.min() > 230
    assert low[2] > low[0] + 50  # blue below
    assert high[0] > high[2] + 50  # red above


def test_ends_of_a_scale_are_the_ends_of_its_colour_map():
    table = color_table("viridis")
    colors = ColorScale("viridis", 0.0, 1.0).rgb(np.array([-5.0, 0.0, 1.0, 5.0]))
    assert (colors == table[[0, 0, 255, 255]]).all()


@pytest.mark.parametrize(
    ("clipped", "extend"),
    [((False, False), "neither"), ((True, False), "min"), ((False, True), "max"), ((True, True), "both")],
)
def test_arrows_say_which_end_is_clipped(clipped, extend):
    assert ColorScale("viridis", 0.0, 1.0, clipped).extend == extend


def test_fitting_scale_looks_at_signs():
    assert fitting_scale(np.array([-1.0, 2.0])).cmap == "RdBu_r"
    assert fitting_scale(np.array([1.0, 2.0])).cmap == "viridis"
