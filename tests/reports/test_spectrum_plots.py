"""Weyl's law and the resolution of the mesh."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.reports.spectrum import WeylLaw, plot_resolution, plot_spectrum, weyl_law_of


def sphere_spectrum(n_degrees: int) -> np.ndarray:
    return np.concatenate([[degree * (degree + 1.0)] * (2 * degree + 1) for degree in range(n_degrees)])


def rectangle_spectrum(a: float, b: float, boundary: str, count: int) -> np.ndarray:
    m, n = np.meshgrid(np.arange(200), np.arange(200))
    if boundary == "dirichlet":
        m, n = m + 1, n + 1
    return np.sort((np.pi**2 * ((m / a) ** 2 + (n / b) ** 2)).ravel())[:count]


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_the_boundary_term_has_the_right_sign_and_size(boundary):
    a, b = 2.0, 3.0
    values = rectangle_spectrum(a, b, boundary, 2000)
    counts = np.arange(1, 2001)
    law = WeylLaw(a * b, 2 * (a + b), boundary)
    late = slice(1000, None)
    with_edge = np.abs((counts - 0.5 - law.count(values))[late]).mean()
    without = np.abs((counts - 0.5 - law.leading(values))[late]).mean()
    assert with_edge < 4
    assert without > 20


def test_a_closed_surface_has_no_boundary_term():
    law = WeylLaw(4 * np.pi, 0.0, "closed")
    values = sphere_spectrum(40)
    middle = (np.arange(1, len(values) + 1) - 0.5).reshape(-1)
    assert np.abs((middle - law.count(values)).mean()) < 2
    assert (law.count(values) == law.leading(values)).all()


def test_a_boundary_that_is_neither_is_refused():
    with pytest.raises(
        ArrayError, match="boundary: expected one of closed, neumann, dirichlet, found 'robin'"
    ):
        WeylLaw(1.0, 1.0, "robin")


def test_the_law_of_a_surface_comes_from_its_metadata(hemisphere):
    law = weyl_law_of(hemisphere)
    assert law.boundary == "neumann"
    assert law.boundary_length == hemisphere.metadata["boundary_length"] > 100
    assert law.area == hemisphere.surface_area


def test_the_plot_is_svg_with_words_for_those_who_cannot_see_it(hemisphere):
    figure = plot_spectrum(hemisphere.eigenvalues, weyl_law_of(hemisphere), name="Left cortex")
    root = ElementTree.fromstring(figure.data)
    assert root.tag.endswith("svg")
    assert figure.suffix == ".svg"
    assert "Left cortex: counting function of 14 eigenvalues" in figure.alt
    assert "(neumann)" in figure.caption
    assert "not a test" in figure.caption


def test_the_same_plot_has_the_same_bytes(hemisphere):
    law = weyl_law_of(hemisphere)
    first = plot_spectrum(hemisphere.eigenvalues, law)
    assert plot_spectrum(hemisphere.eigenvalues, law).data == first.data
    assert b"<dc:date>" not in first.data


def test_a_users_matplotlib_settings_change_nothing(hemisphere):
    import matplotlib

    law = weyl_law_of(hemisphere)
    first = plot_spectrum(hemisphere.eigenvalues, law).data
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "black"}):
        assert plot_spectrum(hemisphere.eigenvalues, law).data == first


def test_a_spectrum_without_positive_values_is_refused():
    with pytest.raises(ArrayError, match="eigenvalues: expected at least one above zero"):
        plot_spectrum(np.zeros(1), WeylLaw(1.0, 0.0, "closed"))


def test_resolution_tells_error_and_sampling(hemisphere):
    figure = plot_resolution(hemisphere, name="Left cortex")
    error = np.nanmax(hemisphere.metadata["discretization_error"])
    assert f"at most {100 * error:.2g} per cent" in figure.alt
    assert "mesh edges per wavelength" in figure.alt


def test_resolution_can_be_drawn_from_either_half(hemisphere):
    metadata = dict(hemisphere.metadata)
    del metadata["discretization_error"]
    half = dataclasses.replace(hemisphere, metadata=metadata)
    assert "discretisation error" not in plot_resolution(half).alt
    assert "edges per wavelength" in plot_resolution(half).alt


def test_resolution_without_numbers_says_what_is_missing(hemisphere):
    bare = {k: v for k, v in hemisphere.metadata.items() if "error" not in k and "edges" not in k}
    with pytest.raises(
        ArrayError, match="expected discretization_error or edges_per_wavelength, found neither"
    ):
        plot_resolution(dataclasses.replace(hemisphere, metadata=bare))


def test_resolution_wants_one_number_a_mode(hemisphere):
    wrong = {**hemisphere.metadata, "discretization_error": np.ones(3)}
    with pytest.raises(ArrayError, match="expected one value for each of 14 modes, found 3"):
        plot_resolution(dataclasses.replace(hemisphere, metadata=wrong))
