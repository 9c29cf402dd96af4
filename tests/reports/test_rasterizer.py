"""Pictures where the system has no library to render with."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain import BrainMesh, render_surface
from spectralbrain.geometry.solids import rectangle, sphere
from spectralbrain.reports import render
from spectralbrain.reports.rasterizer import Rasterizer
from spectralbrain.reports.views import anatomical_view


@pytest.fixture
def no_library(monkeypatch):
    def refuse() -> None:
        raise render.NoRenderingLibraryError("no library")

    monkeypatch.setattr(render, "choose_backend", refuse)


@pytest.fixture(scope="module")
def ball() -> BrainMesh:
    return sphere(3, 10.0)


def drawn(picture):
    return (picture < 250).any(axis=2)


@pytest.mark.usefixtures("no_library")
def test_a_disk_is_seen_of_a_sphere(ball):
    picture = render_surface(ball, size=(200, 200))
    rows, columns = np.mgrid[:200, :200] - 99.5
    disk = np.hypot(rows, columns) < 94.0
    assert (drawn(picture) == disk).mean() > 0.98


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize(
    ("view", "axis", "sign"),
    [("lateral", 1, -1), ("medial", 1, 1), ("dorsal", 0, 1), ("ventral", 0, -1)],
)
def test_sides_are_where_vtk_shows_them(ball, view, axis, sign):
    values = sign * ball.vertices[:, axis]
    picture = render_surface(ball, values, view=view, hemisphere="L", size=(200, 200)).astype(int)
    red, blue = (picture[..., c] > picture[..., 2 - c] + 60 for c in (0, 2))
    assert red[:, 110:].sum() > 20 * max(1, red[:, :90].sum())
    assert blue[:, :90].sum() > 20 * max(1, blue[:, 110:].sum())


@pytest.mark.usefixtures("no_library")
def test_the_near_side_hides_the_far_one(ball):
    picture = render_surface(ball, -ball.vertices[:, 0], view="lateral", hemisphere="L", size=(120, 120))
    red, blue = (picture[..., c].astype(int) > picture[..., 2 - c].astype(int) + 60 for c in (0, 2))
    assert red.sum() > 1000 > blue.sum()


@pytest.mark.usefixtures("no_library")
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
