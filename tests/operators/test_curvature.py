"""The area that flat triangles lose, and the flags that go with a decomposition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.solids import disk, rectangle, sphere, torus
from spectralbrain.operators.curvature import lost_area


@pytest.mark.parametrize("flat", [rectangle(6, 4), disk(5)])
def test_a_flat_surface_loses_nothing(flat: BrainMesh) -> None:
    turned = flat.vertices @ np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    assert np.abs(lost_area(BrainMesh(turned, flat.faces))).max() < 1e-15


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e4])
def test_lost_area_scales_like_an_area(scale: float) -> None:
    mesh = sphere(2)
    scaled = lost_area(BrainMesh(mesh.vertices * scale, mesh.faces))
    np.testing.assert_allclose(scaled, lost_area(mesh) * scale**2, rtol=1e-9)
    assert (scaled > 0).all()


@pytest.mark.parametrize("surface", ["sphere", "torus"])
def test_the_estimate_is_right_for_the_smoothest_modes(surface: str) -> None:
    """They feel the flat triangles most: without those, the estimate would be half as large on a sphere.

    On a torus the error depends on the direction of a mode, which the estimate averages over.
    """
    if surface == "sphere":
        found, exact = sb.decompose(sphere(3), 9), np.repeat([2.0, 6.0], [3, 5])
    else:
        found = sb.decompose(torus(40, 20, 3.0, 1.0), 9)
        exact = sb.decompose(torus(80, 40, 3.0, 1.0), 9).eigenvalues[1:]
        exact = exact - (found.eigenvalues[1:] - exact) / 3  # second order: Richardson
    error = found.eigenvalues[1:] / exact - 1
    np.testing.assert_allclose(
        found.metadata["discretization_error"][1:], error, rtol=0.05 if surface == "sphere" else 0.45
    )
    assert abs(found.metadata["discretization_error"][0]) < 1e-14


def test_flags_say_what_a_reader_must_know(tmp_path: Path) -> None:
    mesh = sphere(2)
    found = sb.decompose(mesh, 20)
    assert found.metadata["quality_flags"] == ["discretization_error"]
    stored = sb.SpectralDecomposition.load(found.save(tmp_path / "sphere.h5"))
    assert list(stored.metadata["quality_flags"]) == ["discretization_error"]
    assert sb.decompose(sphere(4), 4).metadata["quality_flags"] == []
    faces = mesh.faces.copy()
    faces[5] = faces[5][::-1]
    flags = sb.decompose(BrainMesh(mesh.vertices, faces), 4).metadata["quality_flags"]
    assert "inconsistent_orientation" in flags


def test_two_spheres_that_touch_in_a_vertex_are_flagged_and_flags_survive_truncation() -> None:
    mesh = sphere(3)
    low, high = np.argmin(mesh.vertices[:, 0]), np.argmax(mesh.vertices[:, 0])
    moved = mesh.vertices + mesh.vertices[high] - mesh.vertices[low]
    faces = mesh.faces + mesh.n_vertices
    faces[faces == mesh.n_vertices + low] = high
    both = BrainMesh(np.vstack([mesh.vertices, moved]), np.vstack([mesh.faces, faces]))
    mask = np.arange(both.n_vertices) != mesh.n_vertices + low
    found = sb.decompose(both, 12, mask=mask)
    assert found.n_null_modes == 1
    assert found.metadata["quality_flags"] == ["pinched_vertices", "discretization_error"]
    assert found.truncate(1).metadata["quality_flags"] == ["pinched_vertices"]
