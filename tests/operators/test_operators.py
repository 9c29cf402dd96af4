"""Matrices of the Laplace-Beltrami operator, and the domains they are posed on."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spectralbrain.errors import ArrayError, MeshError, MissingDependencyError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.solids import annulus, rectangle, sphere, torus
from spectralbrain.operators.domain import build_domain
from spectralbrain.operators.fem import linear_matrices, mass_matrix, stiffness_matrix
from spectralbrain.operators.laplacian import discretize, robust_laplacian


def test_stiffness_is_the_energy_of_linear_functions_exactly() -> None:
    mesh = rectangle(7, 5, 2.0, 3.0)
    x, y, _ = mesh.vertices.T
    matrix = stiffness_matrix(mesh)
    assert x @ matrix @ x == pytest.approx(6.0)
    assert (2 * x - y) @ matrix @ (2 * x - y) == pytest.approx(5 * 6.0)
    assert x @ matrix @ y == pytest.approx(0.0, abs=1e-12)


def test_weight_enters_the_energy() -> None:
    mesh = rectangle(7, 5, 2.0, 3.0)
    x = mesh.vertices[:, 0]
    energy = x @ stiffness_matrix(mesh, weight=1 + x) @ x
    assert energy == pytest.approx(3 * (2 + 2))  # integral of 1 + x over the rectangle


def test_consistent_mass_integrates_products_of_linear_functions_exactly() -> None:
    mesh = rectangle(4, 6, 2.0, 3.0)
    x, y, _ = mesh.vertices.T
    matrix = mass_matrix(mesh)
    assert x @ matrix @ x == pytest.approx(3 * 8 / 3)
    assert x @ matrix @ y == pytest.approx(2 * 4.5)


def sums_over_triangles(mesh: BrainMesh, weight: np.ndarray) -> list[np.ndarray]:
    """Stiffness, consistent and lumped mass, from the angles of one triangle after the other."""
    stiffness, consistent, lumped = np.zeros((3, mesh.n_vertices, mesh.n_vertices))
    for face in mesh.faces:
        corners = mesh.vertices[face]
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            u, v = corners[j] - corners[i], corners[k] - corners[i]
            angle = np.arccos(u @ v / np.sqrt((u @ u) * (v @ v)))
            area = np.sqrt((u @ u) * (v @ v)) * np.sin(angle) / 2
            energy = weight[face].mean() / np.tan(angle) / 2
            stiffness[np.ix_(face[[j, k]], face[[j, k]])] += energy * np.array([[1, -1], [-1, 1]])
            consistent[face[i], face] += area / 12
            consistent[face[i], face[i]] += area / 12
            lumped[face[i], face[i]] += area / 3
    return [stiffness, consistent, lumped]


@pytest.mark.parametrize("weighted", [False, True])
def test_matrices_are_sums_over_triangles(weighted: bool) -> None:
    rng = np.random.default_rng(3)
    ring = torus(12, 8)
    fin = [ring.faces[5, 0], ring.faces[5, 1], ring.n_vertices]  # a third triangle on an edge
    mesh = BrainMesh(
        np.vstack([ring.vertices + 0.1 * rng.standard_normal(ring.vertices.shape), [0, 0, 9]]),
        np.vstack([ring.faces, fin]),
    )
    weight = 0.5 + rng.random(mesh.n_vertices) if weighted else None
    expected = sums_over_triangles(mesh, np.ones(mesh.n_vertices) if weight is None else weight)
    found = linear_matrices(mesh, weight=weight)
    for matrix, dense in zip(found, expected, strict=True):
        assert matrix.has_canonical_format
        assert (matrix != matrix.T).nnz == 0
        np.testing.assert_allclose(matrix.toarray(), dense, rtol=1e-10, atol=1e-12 * abs(dense).max())
    np.testing.assert_array_equal(found[0].indices, found[1].indices)


def test_turned_triangles_give_the_same_bits() -> None:
    mesh = torus(30, 16)
    turned = BrainMesh(mesh.vertices, np.roll(mesh.faces[:, ::-1], 1, axis=1))
    for one, other in zip(linear_matrices(mesh), linear_matrices(turned), strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_triangles_that_repeat_a_vertex_have_no_matrices() -> None:
    with pytest.raises(MeshError, match="1 triangles repeat a vertex"):
        linear_matrices(BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2], [0, 1, 1]]))


@pytest.mark.parametrize("lumped", [False, True])
def test_mass_sums_to_the_area(lumped: bool) -> None:
    mesh = torus(30, 16)
    matrix = mass_matrix(mesh, lumped=lumped)
    assert matrix.sum() == pytest.approx(mesh.area, rel=1e-12)
    assert (matrix.nnz == mesh.n_vertices) == lumped
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    np.testing.assert_allclose(rows, mass_matrix(mesh, lumped=True).diagonal(), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_matrices_are_symmetric_with_constants_in_the_kernel(seed: int) -> None:
    mesh = sphere(2)
    noisy = BrainMesh(
        mesh.vertices + 0.05 * np.random.default_rng(seed).standard_normal((162, 3)), mesh.faces
    )
    for matrix in (stiffness_matrix(noisy), mass_matrix(noisy)):
        assert abs(matrix - matrix.T).max() <= 1e-15 * abs(matrix).max()
    np.testing.assert_allclose(stiffness_matrix(noisy).sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_domain_is_normalised_by_a_power_of_two(scale: float) -> None:
    mesh = BrainMesh(sphere(2).vertices * scale, sphere(2).faces)
    domain = build_domain(mesh)
    assert 0.5 <= np.sqrt(domain.surface.area) <= 2
    np.testing.assert_array_equal(domain.surface.vertices * domain.unit, mesh.vertices)
    assert domain.area == pytest.approx(mesh.area)
    assert domain.volume == pytest.approx(mesh.volume)


@pytest.mark.parametrize(
    ("mesh", "euler", "closed", "length"),
    [
        (sphere(3), 2, True, 0.0),
        (torus(20, 10), 0, True, 0.0),
        (rectangle(5, 4, 2.0, 3.0), 1, False, 10.0),
        (annulus(6), 0, False, None),
    ],
    ids=["sphere", "torus", "rectangle", "annulus"],
)
def test_topology_of_a_domain(mesh: BrainMesh, euler: int, closed: bool, length: float | None) -> None:
    domain = build_domain(mesh)
    assert domain.euler_characteristic == euler
    assert domain.is_closed == closed
    assert (domain.volume is not None) == closed
    assert domain.n_components == 1
    if length is not None:
        assert domain.boundary_length == pytest.approx(length)


def test_an_inconsistently_oriented_surface_has_no_volume() -> None:
    faces = sphere(1).faces.copy()
    faces[3] = faces[3][::-1]
    assert build_domain(BrainMesh(sphere(1).vertices, faces)).volume is None


def test_components_are_numbered_by_first_vertex() -> None:
    one = rectangle(2, 2)
    vertices = np.vstack([one.vertices, one.vertices + 5])
    order = np.concatenate([np.arange(9, 18), np.arange(9)])
    mesh = BrainMesh(vertices[order], np.vstack([one.faces, one.faces + 9]))
    assert build_domain(mesh).components.tolist() == [0] * 9 + [1] * 9


def test_a_mask_may_leave_stray_vertices_and_counts_them() -> None:
    mesh = rectangle(4, 1)
    mask = np.ones(mesh.n_vertices, dtype=bool)
    mask[mesh.vertices[:, 0] == 0.25] = False
    domain = build_domain(mesh, mask)
    assert domain.n_stray_vertices == 2
    assert (mesh.vertices[domain.index][:, 0] >= 0.5).all()


@pytest.mark.parametrize("mask", [np.ones(3, bool), np.ones(25, int), "all"])
def test_a_mask_of_the_wrong_kind_is_refused(mask: Any) -> None:
    with pytest.raises(ArrayError, match="mask"):
        build_domain(rectangle(4, 4), mask)


def test_robust_laplacian_equals_the_cotangent_one_on_a_delaunay_mesh() -> None:
    mesh = build_domain(sphere(3)).surface
    stiffness, mass = robust_laplacian(mesh)
    np.testing.assert_allclose(stiffness.toarray(), stiffness_matrix(mesh).toarray(), atol=1e-3)
    assert mass.sum() == pytest.approx(mesh.area, rel=1e-3)


def test_robust_laplacian_accepts_what_is_no_surface() -> None:
    page = [[0, 0, 0], [0, 0, 1], [1, 0, 0.5], [0, 1, 0.5], [-1, -1, 0.5]]
    book = BrainMesh(page, [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    with pytest.raises(MeshError, match="three or more"):
        book.decompose(k=2)
    found = book.decompose(k=3, laplacian="robust", mass="lumped")
    assert found.metadata["laplacian"] == "robust"
    assert found.eigenvalues[0] == 0 < found.eigenvalues[1]


def test_robust_laplacian_takes_flat_triangles_without_a_warning() -> None:
    ball = sphere(2)
    a, b, c = ball.faces[0]
    middle = ball.n_vertices
    vertices = np.vstack([ball.vertices, ball.vertices[[a, b]].mean(axis=0)])
    mesh = BrainMesh(vertices, np.vstack([ball.faces[1:], [[a, middle, c], [middle, b, c], [a, b, middle]]]))
    with pytest.raises(MeshError, match="1 triangles have no area"):
        mesh.decompose(k=4)
    np.testing.assert_allclose(mesh.decompose(k=4, laplacian="robust").eigenvalues[1:], 2, rtol=1e-3)


def test_robust_laplacian_comes_with_its_own_mass() -> None:
    with pytest.raises(ArrayError, match="mass='lumped'"):
        sphere(1).decompose(k=3, laplacian="robust", mass="consistent")
    assert sphere(1).decompose(k=3, laplacian="robust").metadata["mass"] == "lumped"


def test_robust_laplacian_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "robust_laplacian":
            raise ImportError(name)
        return honest(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"spectralbrain\[robust\]"):
        discretize(build_domain(sphere(1)), "robust", "lumped")
