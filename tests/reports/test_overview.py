"""The one picture of the README."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spectralbrain import plot_overview
from spectralbrain.errors import ArrayError


def test_the_picture_holds_surface_modes_signature_and_spectrum(hemisphere, tmp_path):
    path = plot_overview(hemisphere, tmp_path / "overview.png", title="Left", hemisphere="L")
    with Image.open(path) as image:
        pixels = np.asarray(image).astype(int)
    red_or_blue = np.abs(pixels[..., 0] - pixels[..., 2]) > 90
    green = (pixels[..., 1] - pixels[..., 0] > 40) & (pixels[..., 1] - pixels[..., 2] > 20)
    height, width = green.shape
    assert red_or_blue[: height // 2, width // 5 :].sum() > 10_000  # the modes above
    assert green[height // 2 :].sum() > 1_000  # the signatures below
    again = plot_overview(hemisphere, tmp_path / "again.png", title="Left", hemisphere="L")
    assert Path(again).read_bytes() == Path(path).read_bytes()


def test_it_can_be_written_as_svg(hemisphere, tmp_path):
    path = plot_overview(hemisphere, tmp_path / "overview.svg", n_modes=1, times=[100.0])
    text = Path(path).read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert "<dc:date>" not in text


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("overview.jpg", {}, "out_file: expected a name ending in .png or .svg, found '.*overview.jpg'"),
        ("overview.png", {"n_modes": 14}, "n_modes: expected 1 to 13 non-constant modes, found 14"),
    ],
)
def test_bad_arguments_are_refused(hemisphere, tmp_path, name, options, message):
    with pytest.raises(ArrayError, match=message):
        plot_overview(hemisphere, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []
