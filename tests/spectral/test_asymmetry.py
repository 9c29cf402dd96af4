"""Left against right: the mirror gives zero, size is apart and signed, gaps are rows with reasons."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.spectral.asymmetry import asymmetry_table, spectral_asymmetry
from spectralbrain.spectral.shape_distance import shapedna_distance
from spectralbrain.spectral.spectrum import Spectrum


def spectrum(values=(0.0, 2.0, 3.0), area=4.0, **facts):
    return Spectrum(values, {"n_null_modes": 1, "surface_area": area, "boundary": "closed", **facts})


def test_mirror_gives_zero(make_bumpy, solve):
    mesh = make_bumpy()
    mirrored = BrainMesh(mesh.vertices * [-1, 1, 1], mesh.faces[:, ::-1])
    found = spectral_asymmetry(solve(mesh, 20), solve(mirrored, 20))
    assert found.distance < 1e-9
    assert abs(found.area_index) < 1e-12
    assert found.k == 19


@pytest.mark.parametrize("laplacian", ["cotangent", "quadratic"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirror_image_gives_zero_to_the_last_bit(make_bumpy, laplacian, axis):
    mesh = make_bumpy()
    flip = np.where(np.arange(3) == axis, -1.0, 1.0)
    turned = np.roll(mesh.faces[:, ::-1], axis, axis=1)  # looking outwards, from another corner
    sides = [m.decompose(k=20, laplacian=laplacian) for m in (mesh, BrainMesh(mesh.vertices * flip, turned))]
    found = spectral_asymmetry(*sides)
    assert (found.distance, found.area_index) == (0, 0)
    assert abs(found.volume_index) < 1e-15


def test_shape_and_size_are_apart():
    left, right = spectrum(volume=8.0), spectrum(np.array([0.0, 2.0, 3.0]) * 4, area=1.0, volume=1.0)
    found = spectral_asymmetry(left, right)
    assert found.distance == pytest.approx(0, abs=1e-12)
    assert found.area_index == 0.6
    assert found.volume_index == 7 / 9
    back = spectral_asymmetry(right, left)
    assert (back.area_index, back.volume_index) == (-0.6, -7 / 9)


def test_distance_is_shapednas_and_has_no_sign():
    left, right = spectrum(), spectrum([0.0, 2.2, 3.0])
    assert spectral_asymmetry(left, right).distance == shapedna_distance(left, right)
    assert spectral_asymmetry(left, right).distance == spectral_asymmetry(right, left).distance > 0
    assert spectral_asymmetry(left, right, metric="cosine", k=1).metric == "cosine"


def test_no_volume_of_an_open_surface():
    assert spectral_asymmetry(spectrum(volume=8.0), spectrum(boundary="neumann")).volume_index is None
    assert spectral_asymmetry(spectrum(volume=8.0), spectrum()).volume_index is None


def test_pairs_by_label_id_with_reasons_for_gaps():
    left = {53: spectrum(), 17: spectrum(), 10: None}
    right = {17: spectrum([0.0, 2.2, 3.0]), 53: spectrum([0.0, 1.0]), 12: spectrum()}
    rows = asymmetry_table(left, right, names={17: "hippocampus"})
    assert [r["region_id"] for r in rows] == [10, 12, 17, 53]
    assert [r["status"] for r in rows] == ["n/a", "n/a", "ok", "n/a"]
    assert rows[0]["reason"] == "missing: left, right"
    assert rows[1]["reason"] == "missing: left"
    assert rows[2]["region"] == "hippocampus"
    assert rows[2]["distance"] > 0
    assert rows[2]["reason"] is None
    assert "equally many eigenvalues" in rows[3]["reason"]
    assert rows[3]["distance"] is None
    assert all(list(r) == list(rows[0]) for r in rows)


def test_ids_and_names_may_mix():
    rows = asymmetry_table({"stem": None, 17: None}, {4: None})
    assert [row["region_id"] for row in rows] == [17, 4, "stem"]
