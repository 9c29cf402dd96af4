"""Refining keeps the surface, smoothing keeps its volume, and both keep the vertices' numbers."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry import solids
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.quality import require_usable
from spectralbrain.geometry.remesh import refine_surface, smooth_surface


@pytest.mark.parametrize("mesh", [solids.torus(8, 6), solids.annulus(3), solids.sphere(1)])
def test_refined_surface_is_the_same_surface(mesh: BrainMesh) -> None:
    fine = refine_surface(mesh, 2)
    assert fine.n_faces == 16 * mesh.n_faces
    assert fine.area == pytest.approx(mesh.area, rel=1e-12)
    assert fine.euler_characteristic == mesh.euler_characteristic
    assert fine.genus == mesh.genus
    assert fine.boundary_length == pytest.approx(mesh.boundary_length)
    assert np.array_equal(fine.vertices[: mesh.n_vertices], mesh.vertices)
    require_usable(fine)
    if mesh.is_closed:
        assert fine.signed_volume == pytest.approx(mesh.signed_volume, rel=1e-12)
    peer = trimesh.remesh.subdivide(mesh.vertices, mesh.faces)
    assert len(refine_surface(mesh).vertices) == len(peer[0])


def test_refining_never_or_nothing() -> None:
    mesh = solids.sphere(1)
    assert np.array_equal(refine_surface(mesh, 0).faces, mesh.faces)
    assert refine_surface(BrainMesh(np.zeros((2, 3)), [])).n_vertices == 2


def rough_sphere() -> BrainMesh:
    mesh = solids.sphere(4, radius=10.0)
    noise = np.random.default_rng(0).normal(0, 0.05, (mesh.n_vertices, 1))
    return BrainMesh(mesh.vertices * (1 + noise / 10), mesh.faces)


def test_smoothing_removes_noise_not_volume() -> None:
    mesh = rough_sphere()
    smoothed, report = smooth_surface(mesh, 20)
    spread = [np.linalg.norm(m.vertices, axis=1).std() for m in (mesh, smoothed)]
    assert spread[1] < spread[0] / 2
    assert abs(report["volume_change"]) < 0.002
    assert -0.01 < report["area_change"] < 0
    assert 0 < report["mean_displacement"] < report["max_displacement"] < 0.5
    assert np.array_equal(smoothed.faces, mesh.faces)


def test_smoothing_is_deterministic_and_leaves_its_argument() -> None:
    mesh = rough_sphere()
    before = mesh.vertices.copy()
    first, second = smooth_surface(mesh), smooth_surface(mesh)
    assert first.mesh.vertices.tobytes() == second.mesh.vertices.tobytes()
    assert first.report == second.report
    assert np.array_equal(mesh.vertices, before)


def test_an_open_surface_has_no_volume_to_change() -> None:
    assert smooth_surface(solids.disk(5)).report["volume_change"] is None


def test_bad_arguments() -> None:
    for iterations in (0, 3, 2.5, True, 1002):
        with pytest.raises(ArrayError, match="iterations: expected an even integer"):
            smooth_surface(solids.sphere(1), iterations)
    with pytest.raises(MeshError, match="1 vertices belong to no face"):
        smooth_surface(BrainMesh(np.eye(4, 3), [[0, 1, 2]]))
    with pytest.raises(ArrayError, match=r"times: expected an integer in \[0, 6\], found 7"):
        refine_surface(solids.sphere(0), 7)
