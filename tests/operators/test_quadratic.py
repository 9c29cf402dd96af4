"""Quadratic elements: exact for quadratic functions, fourth order on flat surfaces, second on curved ones."""

from __future__ import annotations

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry import solids
from spectralbrain.operators.domain import build_domain
from spectralbrain.operators.quadratic import MASS_BOUND, quadratic_matrices


def nodes_of(domain) -> np.ndarray:
    """Coordinates of the unknowns, mm: vertices, then the middles of the edges."""
    vertices = domain.surface.vertices * domain.unit
    return np.vstack([vertices, vertices[domain.edges].mean(axis=1)])


def rectangle_spectrum(a, b, boundary):
    start = 1 if boundary == "dirichlet" else 0
    m, n = np.meshgrid(np.arange(start, 20), np.arange(start, 20))
    return np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())


def test_exact_for_quadratic_functions_and_a_linear_weight():
    domain = build_domain(solids.rectangle(3, 2, 2.0, 1.0))
    x, y, _ = nodes_of(domain).T
    weight = 1 + (domain.surface.vertices * domain.unit)[:, 0]
    stiffness, mass = quadratic_matrices(domain, weight=weight)
    f, g = x**2 - 2 * x * y, y**2 + x
    # integral over [0, 2] x [0, 1] of f g, and of (1 + x) grad f . grad g, by hand
    assert np.isclose(f @ (mass @ g) * domain.unit**2, 11 / 9)
    assert np.isclose(f @ (stiffness @ g), -4.0)


def test_symmetric_with_constants_in_the_kernel_and_the_area_as_sum():
    domain = build_domain(solids.sphere(2, radius=3.0))
    stiffness, mass = quadratic_matrices(domain)
    for matrix in (stiffness, mass):
        assert matrix.shape == (162 + 480,) * 2
        assert abs(matrix - matrix.T).max() == 0
    assert np.abs(stiffness @ np.ones(642)).max() < 1e-14
    assert np.isclose(mass.sum() * domain.unit**2, solids.sphere(2, radius=3.0).area)


def test_the_mass_bound_holds_on_a_triangle():
    _, mass = quadratic_matrices(build_domain(sb.BrainMesh([[0, 0, 0], [3, 0, 0], [0, 1, 0]], [[0, 1, 2]])))
    scale = np.sqrt(mass.diagonal())
    least = np.linalg.eigvalsh(mass.toarray() / np.outer(scale, scale))[0]
    assert 0.98 / MASS_BOUND < 1 / MASS_BOUND < least < 1.02 / MASS_BOUND


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_rate_four_on_a_rectangle_and_an_estimate_that_knows_it(boundary):
    exact = rectangle_spectrum(1.5, 1.0, boundary)
    errors = []
    for cells in (6, 12):
        mesh = solids.rectangle(cells * 3 // 2, cells, 1.5, 1.0)
        found = sb.decompose(mesh, 12, laplacian="quadratic", boundary=boundary)
        error = (found.eigenvalues / np.where(exact[:12] > 0, exact[:12], 1))[found.n_null_modes :] - 1
        estimate = found.metadata["discretization_error"][found.n_null_modes :]
        assert (error > 0).all()  # conforming elements bound eigenvalues from above
        assert (estimate > error / 2.5).all()
        assert (estimate < error * 2.5).all()
        assert found.metadata["verified"]
        errors.append(error.max())
    assert 3.6 < np.log2(errors[0] / errors[1]) < 4.4


def test_flat_triangles_keep_a_sphere_at_rate_two():
    exact = np.repeat([2.0, 6.0], [3, 5])
    errors = [
        np.abs(sb.decompose(solids.sphere(s), 9, laplacian="quadratic").eigenvalues[1:] / exact - 1).max()
        for s in (1, 2)
    ]
    assert 1.6 < np.log2(errors[0] / errors[1]) < 2.6
    linear = sb.decompose(solids.sphere(2), 9).eigenvalues[1:]
    assert errors[1] < 0.7 * np.abs(linear / exact - 1).max()


def test_scale_masks_components_and_a_larger_k():
    ball = solids.sphere(2)
    two = sb.BrainMesh(
        np.vstack([ball.vertices * 5, ball.vertices * 3 + 20]),
        np.vstack([ball.faces, ball.faces + ball.n_vertices]),
    )
    keep = two.vertices[:, 2] > -2.0
    found = sb.decompose(two, 8, laplacian="quadratic", mask=keep)
    assert found.n_null_modes == 2
    assert np.isnan(found.eigenvectors[~found.domain]).all()
    assert found.metadata["laplacian"] == "quadratic"
    large = sb.decompose(sb.BrainMesh(two.vertices * 1000, two.faces), 8, laplacian="quadratic", mask=keep)
    assert np.allclose(large.eigenvalues[2:] * 1e6, found.eigenvalues[2:], rtol=1e-9)
    more = found.extend(10)
    assert more.k == 10
    assert np.allclose(more.eigenvalues[:8], found.eigenvalues, rtol=1e-9, atol=1e-15)
    clamped = sb.decompose(two, 8, laplacian="quadratic", mask=keep, boundary="dirichlet")
    assert clamped.n_null_modes == 1  # the second sphere is whole
    assert (clamped.eigenvalues[1:] > found.eigenvalues[1:]).all()


def test_needs_the_consistent_mass():
    with pytest.raises(ArrayError, match="laplacian='quadratic': expected mass='consistent', found 'lumped'"):
        sb.decompose(solids.sphere(1), 3, laplacian="quadratic", mass="lumped")


def test_components_with_unknowns_on_edges_only_are_refused():
    strip, square = solids.rectangle(2, 1), solids.rectangle(4, 4)
    both = sb.BrainMesh(
        np.vstack([strip.vertices + 5, square.vertices]), np.vstack([strip.faces, square.faces + 6])
    )
    for mesh in (strip, both):
        with pytest.raises(MeshError, match="every vertex of a component lies on the boundary"):
            sb.decompose(mesh, 1, laplacian="quadratic", boundary="dirichlet")
