"""Template surfaces: sizes, orientation, spectra in closed form, bad arguments."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.geometry import solids
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.quality import require_usable, smallest_angles


@pytest.mark.parametrize("subdivisions", range(5))
def test_sphere_counts(subdivisions: int) -> None:
    mesh = solids.sphere(subdivisions, radius=2.5)
    assert mesh.n_vertices == 10 * 4**subdivisions + 2
    assert mesh.n_faces == 20 * 4**subdivisions
    assert np.allclose(np.linalg.norm(mesh.vertices, axis=1), 2.5, rtol=1e-14)


@pytest.mark.parametrize(
    "mesh",
    [
        solids.sphere(3),
        solids.ellipsoid(3),
        solids.rectangle(7, 5),
        solids.disk(1),
        solids.disk(9),
        solids.annulus(1),
        solids.annulus(5, 1.0, 7.0),
        solids.torus(4, 4),
        solids.torus(),
    ],
)
def test_usable_well_shaped_and_outward(mesh: BrainMesh) -> None:
    require_usable(mesh, connected=True)
    assert smallest_angles(mesh).min() > 9
    if mesh.is_closed:
        assert mesh.signed_volume > 0
    else:
        assert (mesh.face_normals[:, 2] > 0).all()


@pytest.mark.parametrize(
    ("build", "truth"),
    [
        (lambda n: solids.rectangle(n, n, 3.0, 2.0).area, 6.0),
        (lambda n: solids.disk(n, 2.0).area, 4 * np.pi),
        (lambda n: solids.annulus(n, 1.0, 2.0).area, 3 * np.pi),
        (lambda n: solids.torus(8 * n, 4 * n).area, 8 * np.pi**2),
    ],
)
def test_areas_converge(build: Callable[[int], float], truth: float) -> None:
    coarse, fine = (abs(build(n) / truth - 1) for n in (8, 16))
    assert fine < 0.006
    assert fine < coarse / 3.5 or fine < 1e-12


def test_sphere_spectrum() -> None:
    values = solids.sphere(4, radius=2.0).decompose(k=16).eigenvalues
    truth = np.repeat([0, 2, 6, 12], [1, 3, 5, 7]) / 4
    assert values[1:] == pytest.approx(truth[1:], rel=0.02)


def test_rectangle_spectrum_converges_at_order_two() -> None:
    a, b = 1.5, 1.0
    m, n = np.meshgrid(np.arange(6), np.arange(6))
    truth = np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())[1:8]
    errors = []
    for size in (8, 16, 32):
        values = solids.rectangle(3 * size // 2, size, a, b).decompose(k=8).eigenvalues[1:]
        errors.append(np.abs(values / truth - 1).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: solids.sphere(10), r"subdivisions: expected an integer in \[0, 9\], found 10"),
        (lambda: solids.sphere(True), "subdivisions"),
        (lambda: solids.sphere(2, radius=0), "radius: expected a positive length, found 0"),
        (lambda: solids.ellipsoid(1, (1, 2)), "axes: expected three half-axes, found 2"),
        (lambda: solids.ellipsoid(1, (1, 2, np.nan)), r"axes\[2\]"),
        (lambda: solids.rectangle(0, 1), "nx"),
        (lambda: solids.rectangle(1, 1, b=-1.0), "b: expected a positive"),
        (lambda: solids.disk(0), "rings"),
        (lambda: solids.annulus(2, 1.0, 1.0), "inner: expected less than outer"),
        (lambda: solids.torus(5, 4), "n_major: expected an even integer"),
        (lambda: solids.torus(6, 4, 1.0, 2.0), "minor: expected less than major"),
    ],
)
def test_bad_arguments(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        call()
