"""Which sample of a picture shows which part of a surface, and how bright it is."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain import BrainMesh, render_surface
from spectralbrain.geometry.solids import rectangle, sphere
from spectralbrain.reports.rasterizer import Rasterizer, nearest_samples
from spectralbrain.reports.views import anatomical_view


@pytest.fixture(scope="module")
def ball() -> BrainMesh:
    return sphere(3, 10.0)


def drawn(picture):
    return (picture < 250).any(axis=2)


def test_a_disk_is_seen_of_a_sphere(ball):
    picture = render_surface(ball, size=(200, 200))
    rows, columns = np.mgrid[:200, :200] - 99.5
    disk = np.hypot(rows, columns) < 94.0
    assert (drawn(picture) == disk).mean() > 0.98


def test_the_background_is_as_asked(ball):
    assert render_surface(ball, size=(60, 60), background="red")[0, 0].tolist() == [255, 0, 0]


def test_two_large_triangles_fill_their_rectangle_without_a_seam():
    sheet = rectangle(1, 1, 30.0, 20.0)
    normals = np.tile([0.0, 0.0, 1.0], (4, 1))
    with Rasterizer(sheet, normals, (100, 100, 100)) as renderer:
        picture = renderer.picture(anatomical_view("dorsal"), 4.0)
    filled = drawn(picture)
    assert filled.sum() == 120 * 80
    assert len(np.unique(picture[filled].reshape(-1, 3), axis=0)) == 1  # flat, so of one brightness


def test_the_back_of_a_sheet_is_lit_like_its_front():
    sheet = rectangle(2, 2, 30.0, 20.0)
    normals = np.tile([0.0, 0.0, 1.0], (sheet.n_vertices, 1))
    with Rasterizer(sheet, normals, (100, 100, 100)) as renderer:
        front, back = (renderer.picture(anatomical_view(side), 2.0) for side in ("dorsal", "ventral"))
    assert front[drawn(front)].mean() == pytest.approx(back[drawn(back)].mean(), abs=30)
    assert back[drawn(back)].min() > 40


def test_new_colours_from_the_same_side(ball):
    view = anatomical_view("dorsal")
    red = np.tile(np.array([255, 0, 0], dtype=np.uint8), (ball.n_vertices, 1))
    blue = red[:, ::-1]
    normals = ball.vertices / 10.0
    with Rasterizer(ball, normals, (200, 200, 200)) as renderer:
        first, second = (renderer.picture(view, 3.0, colors) for colors in (red, blue))
        again = renderer.picture(view, 3.0, red)
    assert (drawn(first) == drawn(second)).all()
    assert first[..., 0].astype(int).sum() > first[..., 2].astype(int)[drawn(first)].sum()
    assert (first == again).all()


def test_a_part_outside_the_picture_is_cut(ball):
    with Rasterizer(ball, ball.vertices / 10.0, (50, 50, 50)) as renderer:
        picture = renderer.fitted(anatomical_view("dorsal"), (40, 40), 20.0)
    assert drawn(picture).all()


def test_samples_are_those_of_a_test_of_every_triangle_against_every_sample():
    rng = np.random.default_rng(0)
    corners, depth = rng.uniform(-3, 23, (60, 3, 2)), rng.uniform(0, 1, (60, 3))
    column, row, triangle, weights = nearest_samples(corners, depth, 20, 16)
    a, b, c = (corners[:, i, None, None] for i in range(3))
    points = np.stack(np.meshgrid(np.arange(20.0), np.arange(16.0)), axis=-1)

    def cross(u, v):
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    parts = np.stack([cross(c - b, points - b), cross(a - c, points - c), cross(b - a, points - a)])
    parts /= cross(b - a, c - a)
    far = np.where((parts >= 0).all(axis=0), np.einsum("cfyx,fc->fyx", parts, depth), -np.inf)
    expected = np.where(np.isfinite(far.max(axis=0)), far.argmax(axis=0), -1)
    found = np.full((16, 20), -1)
    found[row, column] = triangle
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(
        np.einsum("sc,scx->sx", weights, corners[triangle]), np.c_[column, row], atol=1e-9
    )


def test_triangles_that_share_edges_leave_no_gap():
    """A fan of slivers around a sample: every sample of the square is covered."""
    angles = np.linspace(0, 2 * np.pi, 400)
    rim = 40 + 90 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    middle = np.full((399, 2), 40.0)
    fan = np.stack([middle, rim[:-1], rim[1:]], axis=1)
    column, row, _, weights = nearest_samples(fan, np.zeros((399, 3)), 80, 80)
    assert len(np.unique(row * 80 + column)) == 6400
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


def test_turning_backs_are_left_out_without_a_difference(ball):
    """A closed surface and the same without one triangle at its far side look alike from here."""
    view = anatomical_view("dorsal")
    lowest = ball.vertices[ball.faces].mean(axis=1)[:, 2].argmin()
    opened = BrainMesh(ball.vertices, np.delete(ball.faces, lowest, axis=0))
    turned = BrainMesh(ball.vertices, ball.faces[:, ::-1])
    pictures = [
        Rasterizer(mesh, ball.vertices / 10.0, (200, 180, 160)).picture(view, 4.0)
        for mesh in (ball, opened, turned)
    ]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] == pictures[2]).all()
