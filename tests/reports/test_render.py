"""Pictures of surfaces."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spectralbrain import BrainMesh, render_surface, save_mesh
from spectralbrain.errors import ArrayError, MissingDependencyError
from spectralbrain.geometry.solids import ellipsoid, sphere
from spectralbrain.reports import extras
from spectralbrain.reports.render import encode_png, surface_renderer
from spectralbrain.reports.views import anatomical_view


def colored(picture, channel: int):
    """Return which pixels are clearly red (0) or blue (2)."""
    other = 2 - channel
    return picture[..., channel].astype(int) > picture[..., other].astype(int) + 60


@pytest.fixture(scope="module")
def ball() -> BrainMesh:
    return sphere(3, 10.0)


@pytest.mark.parametrize(
    ("view", "axis", "sign"),
    [("lateral", 1, -1), ("medial", 1, 1), ("dorsal", 0, 1), ("ventral", 0, -1)],
)
def test_what_lies_to_the_right_in_the_picture_is_where_the_letters_say(ball, view, axis, sign):
    picture = render_surface(ball, sign * ball.vertices[:, axis], view=view, hemisphere="L", size=(200, 200))
    red, blue = colored(picture, 0), colored(picture, 2)
    assert red[:, 110:].sum() > 20 * max(1, red[:, :90].sum())
    assert blue[:, :90].sum() > 20 * max(1, blue[:, 110:].sum())


def test_the_near_side_is_seen_not_the_far_one(ball):
    outside = render_surface(ball, -ball.vertices[:, 0], view="lateral", hemisphere="L", size=(120, 120))
    inside = render_surface(ball, -ball.vertices[:, 0], view="medial", hemisphere="L", size=(120, 120))
    assert colored(outside, 0).sum() > 1000 > colored(outside, 2).sum()
    assert colored(inside, 2).sum() > 1000 > colored(inside, 0).sum()


def test_missing_values_are_drawn_grey(ball):
    picture = render_surface(ball, np.full(ball.n_vertices, np.nan), size=(100, 100))
    disk = (picture < 250).all(axis=2)
    assert disk.sum() > 3000
    assert np.ptp(picture[disk].astype(int), axis=1).max() <= 3


def test_the_picture_is_filled_but_not_cut(ball):
    picture = render_surface(ball, size=(160, 100))
    drawn = (picture < 250).any(axis=2)
    assert not drawn[0].any()
    assert not drawn[-1].any()
    assert drawn.any(axis=1).sum() == pytest.approx(94, abs=2)
    assert drawn.any(axis=0).sum() == pytest.approx(94, abs=2)


def test_the_same_input_gives_the_same_bytes(ball, tmp_path):
    files = [
        render_surface(ball, ball.vertices[:, 2], out_file=tmp_path / name, size=(90, 70))
        for name in ("a.png", "b.png")
    ]
    first, second = (Path(file).read_bytes() for file in files)
    assert first == second
    assert files[0] == str(tmp_path / "a.png")


def test_files_hold_the_picture_and_no_metadata(ball, tmp_path):
    path = render_surface(ball, ball.vertices[:, 2], out_file=tmp_path / "ball.png", size=(90, 70))
    with Image.open(path) as image:
        assert (image.size, image.mode, image.info) == ((90, 70), "RGB", {})
        assert (np.asarray(image) == render_surface(ball, ball.vertices[:, 2], size=(90, 70))).all()


def test_a_file_can_be_given_for_the_surface(ball, tmp_path):
    path = save_mesh(tmp_path / "ball.ply", ball.vertices, ball.faces)
    assert (render_surface(path, size=(60, 60)) == render_surface(ball, size=(60, 60))).all()


def test_limits_and_colour_map_can_be_chosen(ball):
    values = np.full(ball.n_vertices, 0.5)
    low = render_surface(ball, values, limits=(0.5, 1.0), cmap="gray", size=(60, 60))
    high = render_surface(ball, values, limits=(0.0, 0.5), cmap="gray", size=(60, 60))
    assert low[30, 30].max() < 20
    assert high[30, 30].min() > 150


def test_one_renderer_draws_every_view_of_every_map_alike(ball):
    views = [anatomical_view(name, "L") for name in ("lateral", "dorsal")]
    red = np.full((ball.n_vertices, 3), (255, 0, 0), dtype=np.uint8)
    with surface_renderer(ball) as renderer:
        first = [renderer.picture(view, 4.0, red) for view in views]
        renderer.picture(views[0], 7.0, red[:, ::-1])
        assert all((renderer.picture(v, 4.0, red) == f).all() for v, f in zip(views, first, strict=True))


def test_size_follows_the_extent_of_the_surface():
    mesh = ellipsoid(2, (10.0, 30.0, 20.0))
    with surface_renderer(mesh) as renderer:
        assert renderer.picture(anatomical_view("lateral"), 2.0).shape[:2] == (88, 128)
        assert renderer.picture(anatomical_view("dorsal"), 2.0).shape[:2] == (128, 48)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "sideways"}, "view: expected one of"),
        ({"size": (4, 400)}, "size: expected 16 to 10000 pixels"),
        ({"limits": (1.0, 1.0)}, "limits: expected two finite values, low < high"),
        ({"limits": (np.nan, 1.0)}, "limits: expected two finite values"),
        ({"out_file": "ball.bmp"}, r"out_file: expected a name ending in .png, found 'ball.bmp'"),
        ({"scalars": np.zeros(5)}, r"scalars: expected shape \(N=642,\), found \(5,\)"),
    ],
)
def test_bad_arguments_are_refused(ball, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"scalars": ball.vertices[:, 0], **options}
    with pytest.raises(ArrayError, match=message):
        render_surface(ball, **given)
    assert list(tmp_path.iterdir()) == []


def test_a_surface_without_faces_is_refused():
    points = BrainMesh(np.eye(3), np.empty((0, 3), dtype=int))
    with pytest.raises(ArrayError, match="mesh: expected at least one face to draw"):
        render_surface(points)


def test_a_missing_package_names_the_extra(monkeypatch, ball):
    monkeypatch.setitem(sys.modules, "PIL.ImageColor", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "spectralbrain\[app\]"'):
        render_surface(ball)


def test_an_error_inside_an_installed_package_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "half_broken.py").write_text("import no_such_thing_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_anywhere"):
        extras.drawing_module("half_broken")


def test_light_pictures_keep_white_and_are_close():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
    picture[:10] = 255
    light = np.asarray(Image.open(io.BytesIO(encode_png(picture, light=True))))
    assert (light[:10] == 255).all()
    assert np.abs(light.astype(int) - picture).max() <= 2
    assert len(encode_png(picture, light=True)) < 0.9 * len(encode_png(picture))
