"""BIDS names: the standard's order, legal labels, any order on the way in."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from spectralbrain.bids.entities import (
    ENTITY_ORDER,
    build_name,
    natural_key,
    parse_name,
    strip_prefix,
    to_label,
)
from spectralbrain.errors import BIDSError

LABELS = st.text("0123456789abcXYZ+", min_size=1, max_size=8)
KEYS = st.sampled_from([key for key in ENTITY_ORDER if key != "hemi"])


@given(st.dictionaries(KEYS, LABELS, min_size=1, max_size=8))
def test_what_is_built_is_parsed_back_whatever_the_order(entities):
    name = parse_name(build_name(entities, "hks", ".shape.gii"))
    assert name.entities == entities
    assert (name.suffix, name.extension) == ("hks", ".shape.gii")
    assert list(name.entities) == [key for key in ENTITY_ORDER if key in entities]


def test_order_is_that_of_the_schema():
    entities = {"desc": "x", "label": "cortex", "den": "32k", "seg": "aparc", "space": "fsLR", "hemi": "L"}
    name = build_name({**entities, "run": "1", "ses": "a", "sub": "01", "meas": "m"}, "relmat", ".tsv")
    expected = "sub-01_ses-a_run-1_hemi-L_space-fsLR_seg-aparc_den-32k_label-cortex_meas-m_desc-x_relmat.tsv"
    assert name == expected


@pytest.mark.parametrize(
    ("entities", "suffix", "extension", "message"),
    [
        ({"subject": "01"}, "hks", ".gii", "expected keys of BIDS, found subject"),
        ({"sub": "a_b"}, "hks", ".gii", r"entities\['sub'\]: .*found 'a_b'"),
        ({"sub": "a-b"}, "hks", ".gii", "found 'a-b'"),
        ({"hemi": "left"}, "hks", ".gii", "expected L or R, found 'left'"),
        ({"sub": "01"}, "h_ks", ".gii", "suffix: .* found 'h_ks'"),
        ({"sub": "01"}, "hks", "gii", "expected a leading dot"),
        ({"sub": "ü"}, "hks", ".gii", "found 'ü'"),
    ],
)
def test_illegal_names_are_refused(entities, suffix, extension, message):
    with pytest.raises(BIDSError, match=message):
        build_name(entities, suffix, extension)


def test_empty_labels_are_left_out():
    assert build_name({"sub": "01", "ses": ""}, "hks", ".h5") == "sub-01_hks.h5"


@pytest.mark.parametrize(
    "filename",
    ["sub-01_hemi-L_space-fsnative_pial.surf.gii", "sub-01_space-fsnative_hemi-L_pial.surf.gii"],
)
def test_both_orders_in_use_are_read(filename):
    assert parse_name(filename).entities == {"sub": "01", "hemi": "L", "space": "fsnative"}


@pytest.mark.parametrize("filename", ["lh.white", "README", ".hidden", "a_b_c.gii", "sub-.gii"])
def test_any_file_name_can_be_looked_at(filename):
    name = parse_name(filename)
    assert name.entities == {}
    assert filename.endswith(name.extension)


def test_labels():
    assert to_label("Left-Thalamus_Proper*") == "LeftThalamusProper"
    assert to_label("sub-01+02") == "sub01+02"
    with pytest.raises(BIDSError, match=r"found '---'"):
        to_label("---")
    assert strip_prefix("ses-pre", "ses") == strip_prefix("pre", "ses") == "pre"
    assert strip_prefix("sub-sub", "sub") == "sub"


def test_natural_order():
    names = ["10", "2", "a10", "a2", "01", "b"]
    assert sorted(names, key=natural_key) == ["01", "2", "10", "a2", "a10", "b"]
    assert sorted(["²", "1"], key=natural_key) == ["1", "²"]
