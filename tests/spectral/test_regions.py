"""Regions: order, sub-surfaces, spectra with closed forms, and n/a rows with reasons."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.errors import ArrayError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.io.load import SurfaceLabels
from spectralbrain.spectral.regions import (
    compute_region_spectra,
    parcellate,
    region_distance_matrix,
    region_table,
)


@pytest.fixture
def halves(make_grid):
    """A 4 x 1 rectangle: region 7 is a 2 x 1 rectangle, region 3 a 1.5 x 1 one."""
    mesh = make_grid(32, 8, 4.0, 1.0)
    x = mesh.vertices[:, 0]
    keys = np.where(x <= 2.0, 7, np.where(x >= 2.5, 3, 0))
    return mesh, keys


def exact(a, b, count):
    m, n = np.meshgrid(np.arange(20), np.arange(20))
    return np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())[1 : count + 1]


def test_regions_in_order_of_their_keys(halves):
    mesh, keys = halves
    regions = parcellate(mesh, keys, names={7: "left", 3: "right"})
    assert [(r.key, r.name) for r in regions] == [(3, "right"), (7, "left")]
    assert np.isclose(regions[1].area, 2.0)
    assert np.isclose(regions[0].area, 1.5)
    assert regions[1].n_vertices == (keys == 7).sum()


def test_spectra_are_the_sub_surfaces(halves):
    mesh, keys = halves
    right, left = compute_region_spectra(mesh, keys, k=6)
    assert np.allclose(left.spectrum.eigenvalues[1:], exact(2, 1, 5), rtol=0.07)
    assert np.allclose(right.spectrum.eigenvalues[1:], exact(1.5, 1, 5), rtol=0.07)
    assert left.quality["n_components"] == 1
    assert left.quality["problems"] == []
    assert left.decomposition is None


def test_options_reach_the_solver_and_modes_are_kept_on_demand(halves):
    mesh, keys = halves
    entry = compute_region_spectra(mesh, keys, k=4, boundary="dirichlet", keep_modes=True)[1]
    assert np.isclose(entry.spectrum.eigenvalues[0], np.pi**2 * (1 / 4 + 1), rtol=0.07)
    assert entry.decomposition.eigenvectors.shape == (len(entry.index), 4)
    assert np.array_equal(entry.decomposition.mesh.vertices, mesh.vertices[entry.index])


def test_too_small_broken_or_absent_regions_are_rows_with_reasons(halves):
    mesh, keys = halves
    keys = keys.copy()
    keys[:9] = 1  # one column of vertices: no whole triangle
    labels = SurfaceLabels(keys, {0: "unknown", 1: "strip", 3: "right", 7: "left", 8: "nowhere"})
    faces = np.vstack([mesh.faces, mesh.faces[(keys[mesh.faces] == 3).all(axis=1)][:1]])  # a face twice
    found = compute_region_spectra(BrainMesh(mesh.vertices, faces), labels, k=6)
    assert [s.region.name for s in found] == ["strip", "right", "left", "nowhere"]
    assert [s.status for s in found] == ["n/a", "n/a", "ok", "n/a"]
    assert found[0].reason == "too small: 0 vertices in whole triangles (of 9), more than k = 6 are needed"
    assert "edges belong to three or more triangles" in found[1].reason
    assert found[3].reason == "no vertex has this label"
    assert found[1].quality["n_duplicate_faces"] == 1


def test_mask_takes_vertices_out(halves):
    mesh, keys = halves
    keep = mesh.vertices[:, 0] <= 1.0
    right, left = compute_region_spectra(mesh, keys, k=6, mask=keep)
    assert right.status == "n/a"
    assert np.allclose(left.spectrum.eigenvalues[1:], exact(1, 1, 5), rtol=0.07)


def test_a_region_in_two_pieces_has_two_null_modes(halves):
    mesh, _ = halves
    x = mesh.vertices[:, 0]
    keys = np.where((x <= 1) | (x >= 3), 4, 0)
    (entry,) = compute_region_spectra(mesh, keys, k=6)
    assert entry.spectrum.n_null_modes == 2
    assert entry.quality["n_components"] == 2


def test_a_region_of_constant_modes_only_is_a_row_with_a_reason(halves):
    mesh, _ = halves
    keys = np.where(np.round(mesh.vertices[:, 0] * 8) % 4 < 2, 1, 2)
    strips, _ = compute_region_spectra(mesh, keys, k=6)
    assert strips.spectrum is None
    assert strips.reason == "in 8 pieces: all k = 6 modes are constant, more are needed"


def test_table(halves):
    mesh, keys = halves
    keys = keys.copy()
    keys[:3] = 1
    rows = region_table(compute_region_spectra(mesh, keys, k=5))
    assert [r["region_id"] for r in rows] == [1, 3, 7]
    assert rows[0]["lambda_0001"] is None
    assert rows[0]["status"] == "n/a"
    assert np.isclose(rows[2]["lambda_0001"], np.pi**2 / 4, rtol=0.07)
    assert list(rows[0]) == list(rows[2])
    assert [c for c in rows[0] if c.startswith("lambda")] == [f"lambda_000{i}" for i in range(1, 5)]
    assert "lambda_0002" not in region_table(compute_region_spectra(mesh, keys, k=5), n_eigenvalues=1)[0]


def test_distances_between_regions(halves):
    mesh, keys = halves
    keys = keys.copy()
    keys[:3] = 1
    spectra = compute_region_spectra(mesh, keys, k=6)
    for method in ("shapedna", "wesd"):
        matrix = region_distance_matrix(spectra, method=method)
        assert np.isnan(matrix[0]).all()
        assert matrix[1, 1] == 0
        assert matrix[1, 2] == matrix[2, 1] > 0
    with pytest.raises(ArrayError, match="method: expected"):
        region_distance_matrix(spectra, method="mmd")
    with pytest.raises(ArrayError, match="found none"):
        region_distance_matrix(spectra[:1])


@pytest.mark.parametrize("name", ["Unknown", "???", "Medial_wall", "corpuscallosum"])
def test_background_is_no_region(halves, name):
    mesh, keys = halves
    regions = parcellate(mesh, SurfaceLabels(keys, {0: name, 3: "a", 7: "b"}))
    assert [r.key for r in regions] == [3, 7]
    assert [r.key for r in parcellate(mesh, keys, exclude=[3])] == [0, 7]
    assert [r.key for r in parcellate(mesh, keys, names={0: "x", 3: "a", 7: "b"}, exclude=["a"])] == [0, 7]


@pytest.mark.parametrize(
    ("change", "option", "message"),
    [
        (lambda k: k[:-1], {}, "labels: expected 297, one per vertex, found 296"),
        (lambda k: k * 0, {}, "at least one region"),
        (lambda k: k.astype(float), {}, "labels"),
        (lambda k: k, {"k": 0}, "k: expected a whole number"),
        (lambda k: k, {"mask": np.ones(3, bool)}, "mask: expected shape"),
    ],
)
def test_bad_arguments(halves, change, option, message):
    mesh, keys = halves
    with pytest.raises(ArrayError, match=message):
        compute_region_spectra(mesh, change(keys), **option)
