"""The mesh: frozen, checked, and its measures right."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spectralbrain.errors import ArrayError, ArrayTypeError, MeshError
from spectralbrain.geometry import solids
from spectralbrain.geometry.mesh import BrainMesh, full_length, midthickness, submesh

TRIANGLE = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])


def test_frozen_and_independent_of_its_arguments() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    mesh = BrainMesh(vertices, np.array([[0, 1, 2]]))
    vertices[0] = 7
    assert mesh.vertices[0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        mesh.faces[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        mesh.vertices = vertices


@pytest.mark.parametrize(
    ("vertices", "faces", "error", "message"),
    [
        ([[0, 0], [1, 1]], [[0, 1, 1]], ArrayError, r"vertices: expected shape \(N, 3\), found \(2, 2\)"),
        ([[0, 0, np.nan]] * 3, [[0, 1, 2]], ArrayError, "vertices: expected finite values, found 3 NaN"),
        ([[0, 0, np.inf]] * 3, [[0, 1, 2]], ArrayError, "vertices: .* infinite"),
        (np.zeros((3, 3)), [[0, 1, 3]], ArrayError, r"faces: expected indices in \[0, 2\], found 0 to 3"),
        (np.zeros((3, 3)), [[0, 1, -1]], ArrayError, "faces: .* found -1 to 1"),
        (np.zeros((3, 3)), [[0, 1]], ArrayError, r"faces: expected shape \(F, 3\)"),
        (np.zeros((3, 3)), np.zeros((0, 2), int), ArrayError, r"faces: expected shape \(F, 3\)"),
        (np.zeros((3, 3)), [[0.0, 1.0, 2.0]], ArrayTypeError, "faces: expected int64 values"),
        (np.zeros((3, 3), complex), [[0, 1, 2]], ArrayTypeError, "vertices: .* complex"),
        (np.ma.zeros((3, 3)), [[0, 1, 2]], ArrayTypeError, "vertices: .* masked"),
    ],
)
def test_refuses(vertices: object, faces: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        BrainMesh(vertices, faces)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_canonical_types(dtype: str) -> None:
    mesh = BrainMesh(np.zeros((3, 3), dtype), np.array([[0, 1, 2]], "uint8"))
    assert mesh.vertices.dtype == np.float64
    assert mesh.faces.dtype == np.int64
    assert mesh.vertices.flags.c_contiguous


def test_area_and_volume_tend_to_the_spheres() -> None:
    error_area, error_volume = [], []
    for subdivisions in (2, 3, 4):
        mesh = solids.sphere(subdivisions, radius=3.0)
        error_area.append(1 - mesh.area / (4 * np.pi * 9))
        error_volume.append(1 - mesh.volume / (4 / 3 * np.pi * 27))
    for errors in (error_area, error_volume):
        rates = np.log2(np.array(errors[:-1]) / errors[1:])
        assert rates == pytest.approx([2, 2], abs=0.05)
        assert errors[-1] < 0.003


def test_torus_measures() -> None:
    mesh = solids.torus(200, 100, major=3.0, minor=1.0)
    assert mesh.area == pytest.approx(4 * np.pi**2 * 3, rel=2e-3)
    assert mesh.volume == pytest.approx(2 * np.pi**2 * 3, rel=2e-3)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.01, 100),
    st.tuples(*[st.floats(-1000, 1000)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_rigid_motion_scaling_and_mirror(scale: float, shift: tuple, seed: int) -> None:
    mesh = solids.ellipsoid(2)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    if np.linalg.det(rotation) < 0:
        rotation[:, 0] *= -1
    moved = BrainMesh(scale * mesh.vertices @ rotation.T + shift, mesh.faces)
    assert moved.area == pytest.approx(mesh.area * scale**2, rel=1e-8)
    assert moved.signed_volume == pytest.approx(mesh.volume * scale**3, rel=1e-6)
    assert np.allclose(moved.edge_lengths, mesh.edge_lengths * scale, rtol=1e-6)
    mirrored = BrainMesh(mesh.vertices * [-1, 1, 1], mesh.faces)
    assert mirrored.signed_volume == pytest.approx(-mesh.volume)
    assert mirrored.volume == pytest.approx(mesh.volume)


def test_volume_far_from_the_origin() -> None:
    mesh = solids.sphere(3)
    assert BrainMesh(mesh.vertices + 1e6, mesh.faces).volume == pytest.approx(mesh.volume, rel=1e-8)


def test_volume_of_what_encloses_nothing_is_an_error() -> None:
    with pytest.raises(MeshError, match="volume: expected a closed surface, found 3 boundary edges"):
        _ = TRIANGLE.volume
    sphere = solids.sphere(1)
    faces = sphere.faces.copy()
    faces[0] = faces[0][::-1]
    with pytest.raises(MeshError, match="found 3 edges whose faces disagree"):
        _ = BrainMesh(sphere.vertices, faces).volume


def test_vertex_areas_sum_to_the_area() -> None:
    mesh = solids.disk(6)
    assert mesh.vertex_areas.sum() == pytest.approx(mesh.area)
    assert mesh.vertex_areas.shape == (mesh.n_vertices,)
    assert TRIANGLE.vertex_areas == pytest.approx([1 / 6] * 3)


def test_boundary_length_of_the_disk() -> None:
    assert solids.disk(40, radius=2.0).boundary_length == pytest.approx(4 * np.pi, rel=1e-3)
    assert solids.sphere(1).boundary_length == 0


def test_centroid() -> None:
    mesh = solids.rectangle(3, 3, a=2.0, b=4.0)
    assert mesh.centroid == pytest.approx([1, 2, 0])


def test_degenerate_duplicate_and_unreferenced_are_found() -> None:
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0], [5, 5, 5], [1, 1, 0]]
    faces = [[0, 1, 2], [0, 1, 3], [1, 1, 2], [2, 1, 0], [1, 5, 2], [1, 2, 0]]
    mesh = BrainMesh(vertices, faces)
    assert mesh.degenerate_faces.tolist() == [1, 2]
    assert mesh.duplicate_faces.tolist() == [3, 5]
    assert mesh.unreferenced_vertices.tolist() == [4]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_degenerate_does_not_depend_on_scale(scale: float) -> None:
    thin = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1e-6, 0], [0.5, 0, 0]])
    mesh = BrainMesh(thin * scale, [[0, 1, 2], [0, 1, 3]])
    assert mesh.degenerate_faces.tolist() == [1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_mask_and_back(seed: int, part: float) -> None:
    mesh = solids.sphere(1)
    rng = np.random.default_rng(seed)
    keep = rng.random(mesh.n_vertices) < part
    piece, index = submesh(mesh, keep)
    assert np.array_equal(index, np.flatnonzero(keep))
    assert np.array_equal(piece.vertices, mesh.vertices[keep])
    inside = {tuple(f) for f in mesh.faces.tolist() if keep[f].all()}
    assert {tuple(f) for f in index[piece.faces].tolist()} == inside
    values = rng.standard_normal((len(index), 2))
    whole = full_length(values, index, mesh.n_vertices)
    assert np.array_equal(whole[keep], values)
    assert np.isnan(whole[~keep]).all()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([True, False], r"mask: expected shape \(N=3,\), found \(2,\)"),
        ([1, 1, 0], "mask: expected bool values, found dtype int64"),
        ([[True], [True], [True]], r"found \(3, 1\)"),
    ],
)
def test_masks_that_are_none(mask: list, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        submesh(TRIANGLE, mask)


def test_full_length_refuses_what_does_not_fit() -> None:
    with pytest.raises(ArrayError, match="values: expected 2 rows"):
        full_length([1.0], [0, 1], 3)
    with pytest.raises(ArrayError, match=r"index: expected vertices in \[0, 2\], found 3"):
        full_length([1.0], [3], 3)


def test_midthickness() -> None:
    white = solids.sphere(2, radius=1.0)
    pial = BrainMesh(white.vertices * 3, white.faces)
    middle = midthickness(white, pial)
    assert np.allclose(np.linalg.norm(middle.vertices, axis=1), 2)
    assert np.array_equal(middle.faces, white.faces)
    with pytest.raises(MeshError, match=r"expected the same faces, found 162 vertices .* against 42"):
        midthickness(white, solids.sphere(1))
    with pytest.raises(MeshError, match="another numbering"):
        midthickness(white, BrainMesh(pial.vertices, pial.faces[::-1]))


def test_repr_is_short() -> None:
    assert repr(solids.sphere(3)) == "BrainMesh(642 vertices, 1280 faces)"
