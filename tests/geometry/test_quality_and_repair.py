"""The quality report, the check that raises, and the repairs that count."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spectralbrain.errors import MeshError
from spectralbrain.geometry import quality, repair, solids
from spectralbrain.geometry.mesh import BrainMesh

SPHERE = solids.sphere(2)


def with_faces(faces: object, mesh: BrainMesh = SPHERE) -> BrainMesh:
    return BrainMesh(mesh.vertices, faces)


def test_report_is_plain_json_and_complete() -> None:
    for mesh in (SPHERE, solids.annulus(3), BrainMesh(np.zeros((2, 3)), [])):
        report = quality.mesh_quality(mesh)
        assert json.loads(json.dumps(report, allow_nan=False)) == report
    report = quality.mesh_quality(SPHERE)
    assert report["n_edges"] == 480
    assert report["euler_characteristic"] == 2
    assert report["volume"] == pytest.approx(SPHERE.volume)
    assert report["faces_look_inwards"] is False
    assert report["component_sizes"] == [162]
    assert report["problems"] == []


def test_report_of_an_open_surface_has_no_volume() -> None:
    report = quality.mesh_quality(solids.disk(3))
    assert report["volume"] is None
    assert report["n_boundary_loops"] == 1
    assert report["boundary_length"] == pytest.approx(2 * np.pi, rel=0.01)


def test_inward_faces_are_told() -> None:
    assert quality.mesh_quality(with_faces(SPHERE.faces[:, ::-1]))["faces_look_inwards"] is True


def test_triangle_measures() -> None:
    right = BrainMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    assert quality.triangle_quality(right) == pytest.approx([2 * np.sqrt(3) / 4])
    assert quality.smallest_angles(right) == pytest.approx([45])
    flat = BrainMesh([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 0, 0]], [[0, 1, 2], [0, 0, 3]])
    assert quality.triangle_quality(flat).tolist() == [0, 0]
    assert quality.smallest_angles(flat).tolist() == [0, 0]
    assert (quality.triangle_quality(SPHERE) <= 1 + 1e-12).all()


EXTRA_VERTEX = BrainMesh(np.vstack([SPHERE.vertices, [[9, 9, 9]] * 2]), SPHERE.faces)
TWO_SPHERES = BrainMesh(
    np.concatenate([SPHERE.vertices, SPHERE.vertices + 5]), np.concatenate([SPHERE.faces, SPHERE.faces + 162])
)


@pytest.mark.parametrize(
    ("mesh", "options", "message"),
    [
        (BrainMesh(np.zeros((3, 3)), []), {}, "white: it has no faces"),
        (EXTRA_VERTEX, {}, r"2 vertices that no face uses \(162, 163\): .*remove_unreferenced_vertices"),
        (
            with_faces(np.vstack([SPHERE.faces, [[0, 0, 1]]])),
            {},
            r"1 degenerate faces \(320\): .*drop_degener",
        ),
        (
            with_faces(np.vstack([SPHERE.faces, SPHERE.faces[:1]])),
            {},
            r"1 duplicate faces \(320\): .*drop_dup",
        ),
        (
            with_faces(np.vstack([SPHERE.faces, [[0, 1, 2]]])),
            {},
            "edges that more than two faces share|pinches",
        ),
        (
            with_faces(np.vstack([SPHERE.faces[1:], SPHERE.faces[:1, ::-1]])),
            {},
            r"3 edges whose faces disagree in orientation \(\d+-\d+, .*orient_faces",
        ),
        (TWO_SPHERES, {"connected": True}, "2 components instead of 1: .*keep_largest_component"),
        (solids.disk(3), {"closed": True}, "18 boundary edges in 1 loops"),
    ],
)
def test_require_usable_names_count_and_remedy(mesh: BrainMesh, options: dict, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        quality.require_usable(mesh, **options, name="white")
    assert quality.mesh_quality(mesh)["problems"] or options


def test_usable_meshes_pass_through() -> None:
    for mesh in (SPHERE, TWO_SPHERES, solids.disk(4), solids.torus(8, 6)):
        assert quality.require_usable(mesh) is mesh


def test_long_lists_are_cut() -> None:
    mesh = BrainMesh(np.vstack([SPHERE.vertices, np.zeros((50, 3))]), SPHERE.faces)
    with pytest.raises(MeshError, match=r"50 vertices .* \(162, 163, .*171, \.\.\.\)"):
        quality.require_usable(mesh)


def test_non_manifold_is_allowed_where_asked() -> None:
    book = BrainMesh(np.eye(5, 3) + np.arange(5)[:, None], [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    with pytest.raises(MeshError, match="1 edges that more than two faces share"):
        quality.require_usable(book)
    problems = quality.find_problems(book, manifold=False, oriented=False)
    assert problems == []


# ---- repairs


def test_nothing_to_repair_changes_nothing() -> None:
    for function in (
        repair.remove_unreferenced_vertices,
        repair.drop_degenerate_faces,
        repair.drop_duplicate_faces,
        repair.orient_faces,
        repair.keep_largest_component,
    ):
        repaired, count, index = function(SPHERE)
        assert count == 0
        assert np.array_equal(repaired.vertices, SPHERE.vertices)
        assert np.array_equal(repaired.faces, SPHERE.faces)
        assert np.array_equal(index, np.arange(SPHERE.n_vertices))


def test_remove_unreferenced_vertices_keeps_the_geometry() -> None:
    order = np.random.default_rng(3).permutation(EXTRA_VERTEX.n_vertices)
    place = np.argsort(order)
    mesh = BrainMesh(EXTRA_VERTEX.vertices[order], place[EXTRA_VERTEX.faces])
    repaired, count, index = repair.remove_unreferenced_vertices(mesh)
    assert count == 2
    assert np.array_equal(repaired.vertices, mesh.vertices[index])
    assert np.array_equal(repaired.vertices[repaired.faces], mesh.vertices[mesh.faces])


def test_drop_faces() -> None:
    faces = np.vstack([SPHERE.faces, [[0, 0, 1]], SPHERE.faces[5:7, ::-1]])
    without, count, _ = repair.drop_degenerate_faces(with_faces(faces))
    assert count == 1
    without, count, _ = repair.drop_duplicate_faces(without)
    assert count == 2
    assert np.array_equal(without.faces, SPHERE.faces)


@pytest.mark.parametrize("seed", range(5))
def test_orient_faces_restores_any_flips(seed: int) -> None:
    rng = np.random.default_rng(seed)
    flipped = rng.random(2 * SPHERE.n_faces) < rng.random()
    faces = np.where(flipped[:, None], TWO_SPHERES.faces[:, ::-1], TWO_SPHERES.faces)
    repaired, count, _ = repair.orient_faces(BrainMesh(TWO_SPHERES.vertices, faces))
    assert count == flipped.sum()
    assert repaired.is_oriented
    assert repaired.signed_volume == pytest.approx(TWO_SPHERES.volume)


def test_orient_faces_of_an_open_surface_flips_the_smaller_side() -> None:
    disk = solids.disk(5)
    faces = disk.faces.copy()
    faces[3] = faces[3][::-1]
    repaired, count, _ = repair.orient_faces(BrainMesh(disk.vertices, faces))
    assert count == 1
    assert (repaired.face_normals[:, 2] > 0).all()


def test_orient_faces_of_the_inside_out() -> None:
    repaired, count, _ = repair.orient_faces(with_faces(SPHERE.faces[:, ::-1]))
    assert count == SPHERE.n_faces
    assert repaired.signed_volume > 0


def test_orient_faces_refuses_what_has_no_orientation() -> None:
    from tests.geometry.test_topology import moebius

    with pytest.raises(MeshError, match="one side only"):
        repair.orient_faces(moebius())
    with pytest.raises(MeshError, match="1 faces name a vertex twice"):
        repair.orient_faces(with_faces(np.vstack([SPHERE.faces, [[0, 0, 1]]])))


def test_keep_largest_component_goes_by_area() -> None:
    big, small = solids.sphere(0, radius=10.0), solids.sphere(2, radius=0.1)
    both = BrainMesh(
        np.concatenate([small.vertices, big.vertices]),
        np.concatenate([small.faces, big.faces + small.n_vertices]),
    )
    kept, count, index = repair.keep_largest_component(both)
    assert count == small.n_vertices
    assert np.array_equal(kept.vertices, big.vertices)
    assert np.array_equal(kept.faces, big.faces)
    assert index[0] == small.n_vertices
    with pytest.raises(MeshError, match="expected faces"):
        repair.keep_largest_component(BrainMesh(np.zeros((1, 3)), []))
