"""Point clouds: the spectrum of a surface that is known by points only."""

from __future__ import annotations

import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry import solids
from spectralbrain.operators.fem import stiffness_matrix

pytest.importorskip("robust_laplacian", reason="robust_laplacian is not installed")
ROBUST = {"laplacian": "robust"}


def cloud(points, k=9, **options):
    return sb.decompose(sb.BrainMesh(points, []), k, **(ROBUST | options))


@pytest.fixture(scope="module")
def ball():
    return cloud(solids.sphere(3, radius=40.0).vertices)


def test_spectrum_and_area_of_a_sphere(ball):
    assert np.allclose(ball.eigenvalues[1:] * 1600, np.repeat([2, 6], [3, 5]), rtol=0.01)
    assert ball.eigenvalues[0] == 0
    assert np.isclose(ball.surface_area, 4 * np.pi * 1600, rtol=0.01)
    assert np.isclose(sb.vertex_areas(ball).sum(), ball.surface_area)


def random_sphere(n, seed=1):
    points = np.random.default_rng(seed).standard_normal((n, 3))
    return points / np.linalg.norm(points, axis=1)[:, None]


@pytest.mark.parametrize(("n", "bound"), [(400, 0.06), (3200, 0.02), (12800, 0.015)])
def test_random_points_err_by_one_or_two_per_cent_as_documented(n, bound):
    found = cloud(random_sphere(n), 9)
    assert abs(found.eigenvalues[1:4].mean() / 2 - 1) < bound
    assert abs(found.eigenvalues[4:9].mean() / 6 - 1) < bound
    assert np.isclose(found.surface_area, 4 * np.pi, rtol=0.01)
    assert 1.03 < found.metadata["stiffness_factor"] < 1.06  # uncorrected: 4 % too little energy


def test_coordinates_have_twice_the_area_as_energy(ball):
    # true of every triangle mesh without our help, closed, open or folded
    open_sheet = sb.BrainMesh(*_bent_sheet())
    for mesh in (solids.ellipsoid(3, (18.0, 9.0, 7.0)), open_sheet):
        energy = np.einsum("nx,nx->", mesh.vertices, stiffness_matrix(mesh) @ mesh.vertices)
        assert np.isclose(energy, 2 * mesh.area, rtol=1e-12)
    assert np.isclose(ball.metadata["stiffness_factor"], 1, rtol=1e-3)  # even points need no correction
    rng = np.random.default_rng(2)
    sheet = np.column_stack([rng.uniform(0, 3, 3000), rng.uniform(0, 2, 3000)])
    found = cloud(np.column_stack([np.cos(sheet[:, 0]), np.sin(sheet[:, 0]), sheet[:, 1]]), 4)
    exact = np.pi**2 * np.array([1 / 9, 1 / 4, 1 / 9 + 1 / 4])  # a bent rectangle is a rectangle
    assert np.allclose(found.eigenvalues[1:], exact, rtol=0.03)


def _bent_sheet():
    flat = solids.rectangle(12, 8, 3.0, 2.0)
    x, y, _ = flat.vertices.T
    return np.column_stack([np.cos(x), np.sin(x), y]), flat.faces


def test_metadata_say_what_is_known(ball):
    known = ball.metadata
    assert known["point_cloud"] is True
    assert known["quality_flags"] == ball.truncate(4).metadata["quality_flags"] == ["point_cloud"]
    assert known["verified"] is True
    assert (known["laplacian"], known["boundary"]) == ("robust", "neumann")
    assert not {"volume", "boundary_length", "euler_characteristic"} & set(known)
    assert np.isnan(known["discretization_error"]).all()
    assert (known["edges_per_wavelength"] > 0).all()
    with pytest.raises(MeshError, match="needs a closed surface"):
        sb.compute_shapedna(ball, normalization="volume")


def test_scale_order_and_the_file(ball, tmp_path):
    points = ball.mesh.vertices
    order = np.random.default_rng(0).permutation(len(points))
    other = cloud(points[order] * 0.001)
    assert np.allclose(sb.compute_shapedna(other), sb.compute_shapedna(ball), rtol=1e-9)
    times = np.array([0.05, 0.2])
    first, second = (sb.compute_hks(d, times, time="area", normalization="area") for d in (ball, other))
    assert np.allclose(second, first[order], rtol=1e-6)
    back = sb.SpectralDecomposition.load(ball.save(tmp_path / "cloud.h5"))
    assert np.array_equal(back.eigenvectors, ball.eigenvectors)
    assert back.metadata["point_cloud"] is True


def test_two_clouds_and_a_mask(ball):
    points = ball.mesh.vertices
    keep = np.r_[np.ones(len(points), bool), points[:, 2] > 0]
    two = cloud(np.vstack([points, points + 200]), mask=keep)
    assert two.n_null_modes == 2
    assert np.isnan(two.eigenvectors[~keep]).all()
    distance = sb.biharmonic_distance(two, [0], [1, int(np.flatnonzero(keep)[-1])])
    assert np.isfinite(distance[0, 0])
    assert np.isinf(distance[0, 1])


@pytest.mark.parametrize(
    ("points", "options", "error", "message"),
    [
        (np.eye(3), {}, MeshError, "expected more than 30 points, found 3"),
        (np.ones((40, 3)), {}, MeshError, "two points coincide"),
        (np.random.default_rng(0).random((40, 3)), {"boundary": "dirichlet"}, ArrayError, "point cloud"),
        (
            np.random.default_rng(0).random((40, 3)),
            {"weight": np.ones(40)},
            ArrayError,
            "found 'lumped', 'neumann' and a weight",
        ),
        (np.random.default_rng(0).random((40, 3)), {"mass": "consistent"}, ArrayError, "found 'consistent'"),
        (np.random.default_rng(0).random((40, 3)), {"laplacian": "cotangent"}, MeshError, "no triangles"),
    ],
)
def test_what_a_cloud_cannot_do_is_named(points, options, error, message):
    with pytest.raises(error, match=message):
        cloud(points, 3, **options)
