"""ShapeDNA: normalisations in closed form, invariances, and no way to normalise twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spectralbrain.errors import ArrayError, ArrayTypeError, MeshError
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum

RAW = [0.0, 2.0, 3.0, 5.0, 8.0]


def shape(area=6.0, volume=8.0, boundary="closed", values=RAW, nulls=1):
    facts = {"n_null_modes": nulls, "surface_area": area, "boundary": boundary, "volume": volume}
    return Spectrum(values, facts)


def test_the_four_formulas():
    s = shape()
    assert np.array_equal(compute_shapedna(s, normalization="none"), [2, 3, 5, 8])
    assert np.array_equal(compute_shapedna(s), [12, 18, 30, 48])
    assert np.allclose(compute_shapedna(s, normalization="volume"), np.array([2, 3, 5, 8]) * 4)
    assert np.allclose(compute_shapedna(s, index="weyl"), [12, 9, 10, 12])
    assert np.allclose(compute_shapedna(s, index="lapy"), [6, 6, 7.5, 9.6])
    assert np.allclose(compute_shapedna(s, index="lapy", k=2), [6, 6])


def test_index_starts_at_the_first_non_null_mode():
    two = shape(values=[0.0, 0.0, 2.0, 3.0], nulls=2)
    none = shape(values=[2.0, 3.0], nulls=0, boundary="dirichlet")
    assert np.allclose(compute_shapedna(two, index="weyl"), compute_shapedna(none, index="weyl"))


def test_sphere_in_closed_form(make_sphere, solve):
    ball = solve(make_sphere(3, 50.0), 16)
    expected = 4 * np.pi * np.repeat([2, 6, 12], [3, 5, 7])
    # flat triangles: h^2 error, about 2 % of the highest at 642 vertices
    assert np.allclose(compute_shapedna(ball), expected, rtol=0.03)


def test_dirichlet_rectangle_in_closed_form(pinned):
    m, n = np.meshgrid(np.arange(1, 9), np.arange(1, 9))
    exact = np.sort((np.pi**2 * (m**2 / 16 + n**2 / 9)).ravel())[:10]
    raw = compute_shapedna(pinned, normalization="none", k=10)
    assert np.allclose(raw, exact, rtol=0.1)
    assert (raw > exact).all()  # conforming elements bound eigenvalues from above


@given(st.floats(1e-4, 1e4))
def test_size_does_not_matter(s):
    scaled = shape(6 * s**2, 8 * s**3, values=np.array(RAW) / s**2)
    for option in ({}, {"normalization": "volume"}, {"index": "weyl"}, {"index": "lapy"}):
        assert np.allclose(
            compute_shapedna(scaled, **option), compute_shapedna(shape(), **option), rtol=1e-12
        )


def test_result_is_a_copy():
    s = shape()
    compute_shapedna(s, normalization="none")[:] = -1
    assert np.array_equal(s.eigenvalues, RAW)


def test_nothing_normalises_twice():
    for option in ({}, {"normalization": "none"}, {"index": "weyl"}):
        with pytest.raises(
            ArrayTypeError, match="expected a SpectralDecomposition or a Spectrum, found ndarray"
        ):
            compute_shapedna(compute_shapedna(shape()), **option)


def test_names_of_the_peer():
    assert np.array_equal(compute_shapedna(shape(), normalize="none"), [2, 3, 5, 8])
    with pytest.raises(ArrayError, match="only one of normalize and normalization"):
        compute_shapedna(shape(), normalize="none", normalization="area")


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_volume_needs_a_closed_surface(boundary):
    with pytest.raises(MeshError, match=f"closed surface, found boundary '{boundary}'"):
        compute_shapedna(shape(boundary=boundary), normalization="volume")


def test_volume_must_be_known():
    facts = {"n_null_modes": 1, "surface_area": 6.0, "boundary": "closed"}
    with pytest.raises(ArrayError, match="enclosed volume"):
        compute_shapedna(Spectrum(RAW, facts), normalization="volume")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"normalization": "surface"}, "normalization: expected one of 'area', 'volume', 'none'"),
        ({"index": True}, "index: expected one of None, 'weyl', 'lapy', found True"),
        ({"k": 5}, "k: expected at most 4"),
    ],
)
def test_bad_options(option, message):
    with pytest.raises(ArrayError, match=message):
        compute_shapedna(shape(), **option)
