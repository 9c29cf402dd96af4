"""What `decompose` promises: sizes, domains, null modes, metadata, errors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import trimesh

from spectralbrain.errors import ArrayError, MeshError, MissingDependencyError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.spectral.decomposition import SpectralDecomposition, decompose


def icosphere(subdivisions: int) -> BrainMesh:
    solid = trimesh.creation.icosphere(subdivisions)
    return BrainMesh(solid.vertices, solid.faces)


def union(*meshes: BrainMesh) -> BrainMesh:
    offsets = np.cumsum([0] + [mesh.n_vertices for mesh in meshes])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)]
    return BrainMesh(np.vstack([mesh.vertices for mesh in meshes]), np.vstack(faces))


def dense(mesh: BrainMesh, *, lumped: bool = False) -> np.ndarray:
    return scipy.linalg.eigh(
        stiffness_matrix(mesh).toarray(), mass_matrix(mesh, lumped=lumped).toarray(), eigvals_only=True
    )


@pytest.fixture(scope="module")
def bumpy() -> BrainMesh:
    sphere = icosphere(3)
    x, y, z = sphere.vertices.T
    radius = 50 * (1 + 0.3 * x * y + 0.2 * z**3 + 0.1 * np.sin(3 * x + y))
    return BrainMesh(sphere.vertices * radius[:, None], sphere.faces)


@pytest.fixture(scope="module")
def decomposition(bumpy: BrainMesh) -> SpectralDecomposition:
    return decompose(bumpy, k=40)


@pytest.mark.parametrize("mass", ["consistent", "lumped"])
def test_eigenvalues_agree_with_lapack(bumpy: BrainMesh, mass: str) -> None:
    found = decompose(bumpy, k=30, mass=mass).eigenvalues
    expected = dense(bumpy, lumped=mass == "lumped")[:30]
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-10)
    assert found[0] == 0.0


def test_pairs_solve_the_equation(bumpy: BrainMesh, decomposition: SpectralDecomposition) -> None:
    phi, values = decomposition.eigenvectors, decomposition.eigenvalues
    residual = stiffness_matrix(bumpy) @ phi - (decomposition.mass @ phi) * values
    norms = np.sqrt((residual * np.linalg.solve(decomposition.mass.toarray(), residual)).sum(axis=0))
    relative = norms / np.maximum(values, values[1])
    assert (relative <= decomposition.metadata["residuals"] + 1e-12).all()
    assert relative.max() < 1e-8
    np.testing.assert_allclose(phi.T @ (decomposition.mass @ phi), np.eye(40), atol=1e-10)


def test_metadata_say_everything(decomposition: SpectralDecomposition) -> None:
    metadata = decomposition.metadata
    expected = {
        "software": "spectralbrain",
        "k": 40,
        "n_vertices": 642,
        "n_domain_vertices": 642,
        "n_faces": 1280,
        "laplacian": "cotangent",
        "mass": "consistent",
        "boundary": "closed",
        "masked": False,
        "n_components": 1,
        "n_null_modes": 1,
        "boundary_length": 0.0,
        "euler_characteristic": 2,
        "tol": 1e-8,
        "verified": True,
    }
    assert {name: metadata[name] for name in expected} == expected
    assert metadata["surface_area"] == pytest.approx(decomposition.mesh.area)
    assert metadata["inertia_count"] >= 40
    for name in ("residuals", "discretization_error", "edges_per_wavelength"):
        assert metadata[name].shape == (40,)
    assert metadata["max_residual"] == metadata["residuals"].max()


def test_twenty_equal_components_have_twenty_null_modes_each_on_its_own() -> None:
    one = icosphere(1)
    many = union(*[BrainMesh(one.vertices + np.array([3 * i, 0, 0]), one.faces) for i in range(20)])
    found = decompose(many, k=65)
    assert found.n_null_modes == 20
    assert (found.eigenvalues[:20] == 0).all()
    assert found.eigenvalues[20] > 1
    for i in range(20):
        column = found.eigenvectors[:, i].reshape(20, 42)
        assert (column[i] == column[i, 0]).all()
        assert column[i, 0] > 0
        assert not np.delete(column, i, axis=0).any()
    np.testing.assert_allclose(found.eigenvalues, np.sort(np.tile(dense(one), 20))[:65], atol=1e-12)


def test_masked_vertices_are_nan_rows_and_empty_mass_rows(bumpy: BrainMesh) -> None:
    mask = bumpy.vertices[:, 2] > -20
    found = decompose(bumpy, k=5, mask=mask)
    np.testing.assert_array_equal(found.domain, mask)
    assert np.isnan(found.eigenvectors[~mask]).all()
    assert np.isfinite(found.eigenvectors[mask]).all()
    assert abs(found.mass)[~mask].sum() == 0
    assert found.mass.sum() == pytest.approx(found.surface_area)
    assert found.metadata["boundary"] == "neumann"
    assert found.metadata["masked"]


def test_dirichlet_modes_vanish_on_the_boundary_and_have_no_null_mode(bumpy: BrainMesh) -> None:
    mask = bumpy.vertices[:, 2] > 0
    found = decompose(bumpy, k=5, mask=mask, boundary="dirichlet")
    assert found.n_null_modes == 0
    assert found.eigenvalues[0] > 0
    assert (found.eigenvectors[mask] == 0).all(axis=1).sum() > 10
    assert found.eigenvalues[0] > decompose(bumpy, k=2, mask=mask).eigenvalues[1] / 2


@pytest.mark.parametrize("k", [1, 2, 641])
def test_any_k_below_the_number_of_vertices(bumpy: BrainMesh, k: int) -> None:
    found = decompose(bumpy, k=k)
    assert found.k == k
    np.testing.assert_allclose(found.eigenvalues, dense(bumpy)[:k], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("k", [0, -1, 642, 2.5, True, "ten"])
def test_impossible_k_is_refused(bumpy: BrainMesh, k: object) -> None:
    with pytest.raises(ArrayError, match="k: expected"):
        decompose(bumpy, k=k)


def test_below_returns_every_pair_under_the_bound(bumpy: BrainMesh) -> None:
    values = dense(bumpy)
    bound = (values[24] + values[25]) / 2
    assert decompose(bumpy, below=bound).k == 25
    with pytest.raises(ArrayError, match="no k together with below"):
        decompose(bumpy, 10, below=bound)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("laplacian", "magic"),
        ("mass", "none"),
        ("boundary", "robin"),
        ("backend", "fastest"),
        ("tol", 1e-12),
        ("tol", 0.1),
        ("below", -1.0),
        ("on_unverified", "ignore"),
        ("n_threads", 0),
    ],
)
def test_unknown_options_are_refused_by_name(bumpy: BrainMesh, option: str, value: object) -> None:
    with pytest.raises((ArrayError, MissingDependencyError), match=option):
        decompose(bumpy, **{option: value})


def test_meshes_that_cannot_be_trusted_are_refused() -> None:
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [2, 0, 0]]
    with pytest.raises(MeshError, match="belong to no triangle"):
        decompose(BrainMesh(corners, [[0, 1, 2]]), 1)
    with pytest.raises(MeshError, match="three or more triangles"):
        decompose(BrainMesh(corners[:5], [[0, 1, 2], [0, 1, 3], [0, 1, 4]]), 1)
    with pytest.raises(MeshError, match="no area"):
        decompose(BrainMesh([corners[0], corners[1], corners[5]], [[0, 1, 2]]), 1)
    with pytest.raises(MeshError, match="repeat a vertex"):
        decompose(BrainMesh(corners[:3], [[0, 1, 2], [0, 1, 1]]), 1)
    with pytest.raises(MeshError, match="no triangle left"):
        decompose(BrainMesh(corners[:3], [[0, 1, 2]]), 1, mask=np.zeros(3, dtype=bool))


def test_truncate_keeps_the_first_modes(decomposition: SpectralDecomposition) -> None:
    short = decomposition.truncate(7)
    assert short.k == short.metadata["k"] == 7
    np.testing.assert_array_equal(short.eigenvectors, decomposition.eigenvectors[:, :7])
    assert len(short.metadata["residuals"]) == 7
    with pytest.raises(ArrayError, match="k: expected"):
        decomposition.truncate(41)


def test_a_decomposition_is_frozen(decomposition: SpectralDecomposition) -> None:
    with pytest.raises(ValueError, match="read-only"):
        decomposition.eigenvectors[0, 0] = 1
