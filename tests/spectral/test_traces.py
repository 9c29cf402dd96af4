"""Traces against the geometry they carry."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.spectral.traces import heat_trace, wave_trace


def rectangle(a, b, dirichlet, k=4000):
    start = 1 if dirichlet else 0
    m, n = np.meshgrid(np.arange(start, 200), np.arange(start, 200))
    values = np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())[:k]
    return Spectrum(values, {"n_null_modes": 0 if dirichlet else 1, "surface_area": a * b})


@pytest.mark.parametrize("dirichlet", [True, False])
def test_heat_trace_hears_area_and_boundary(dirichlet):
    a, b, t = 2.0, 3.0, 0.01
    sign = -1 if dirichlet else 1
    # four right angles contribute 1/16 each (Kac 1966)
    expected = a * b / (4 * np.pi * t) + sign * 2 * (a + b) / (8 * np.sqrt(np.pi * t)) + 1 / 4
    assert np.isclose(heat_trace(rectangle(a, b, dirichlet), [t])[0], expected, rtol=1e-6)


def test_heat_trace_of_a_closed_surface_hears_its_topology():
    degree = np.repeat(np.arange(80.0), 2 * np.arange(80) + 1)
    sphere = Spectrum(degree * (degree + 1), {"n_null_modes": 1, "surface_area": 4 * np.pi})
    t = 0.01
    assert np.isclose(heat_trace(sphere, [t])[0] - 1 / t, 2 / 6, atol=1e-3)


def test_default_grids_are_free_of_size(closed, rescale):
    for trace in (heat_trace, wave_trace):
        assert np.allclose(trace(rescale(closed, 1e5)), trace(closed), rtol=1e-8, atol=1e-8)
        assert trace(closed).shape == (100,)


def test_wave_trace_peaks_at_closed_geodesics():
    """On the sphere sqrt(l(l + 1)) is nearly l + 1/2: at t = 2 pi, round the equator, all modes agree."""
    degree = np.repeat(np.arange(60.0), 2 * np.arange(60) + 1)
    sphere = Spectrum(degree * (degree + 1), {"n_null_modes": 1, "surface_area": 4 * np.pi})
    lengths = np.linspace(1, 9, 801)
    peak = lengths[np.abs(wave_trace(sphere, lengths)).argmax()]
    assert abs(peak - 2 * np.pi) < 0.02


def test_units_of_wave_times(closed):
    unit = np.sqrt(closed.surface_area)
    assert np.allclose(wave_trace(closed, [0.3], time="area"), wave_trace(closed, [0.3 * unit]))
    assert wave_trace(closed, [0.0])[0] == len(closed.eigenvalues)
    assert np.isclose(wave_trace(closed)[-1], wave_trace(closed, [4 * unit])[0])


def test_bad_times(closed):
    with pytest.raises(ArrayError, match="times: expected positive"):
        heat_trace(closed, [0.0])
    with pytest.raises(ArrayError, match="finite"):
        wave_trace(closed, [np.inf, np.nan])
