"""The reports, opened from file:// in a real browser without network."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spectralbrain import build_group_report

# When the viewer is ready: paint every overlay, look from every side, and note what the canvas shows.
PROBE = """
<script>
setInterval(() => {
  const root = document.getElementById("viewer");
  if (root.dataset.state !== "ready" || root.dataset.probe) return;
  const canvas = document.getElementById("viewer-canvas"), seen = {};
  const digest = (text) => { let h = 0; for (const c of text) h = (h * 31 + c.charCodeAt(0)) | 0; return h; };
  const choice = document.getElementById("viewer-overlay");
  const look = (name, act) => { act(); seen[name] = digest(canvas.toDataURL()); };
  for (const option of choice.options) {
    look("paint " + option.text, () => {
      choice.value = option.value; choice.dispatchEvent(new Event("change"));
    });
  }
  choice.selectedIndex = 0; choice.dispatchEvent(new Event("change"));
  for (const button of root.querySelectorAll("button")) {
    look("from " + button.textContent, () => button.click());
  }
  const boxes = root.querySelectorAll("input[type=checkbox]");
  look("one surface", () => boxes[0].click());
  look("no surface", () => boxes[1].click());
  const bar = document.getElementById("viewer-bars").textContent;
  root.dataset.probe = JSON.stringify({seen, boxes: boxes.length, bar});
}, 50);
</script>
"""


@pytest.fixture
def report(tmp_path, built) -> Path:
    folder = tmp_path / "a folder with spaces, ünïcode"
    folder.mkdir()
    return Path(shutil.copy(built.out_file, folder))


def add_to_page(path: Path, script: str) -> None:
    before, end, after = path.read_text(encoding="utf-8").rpartition("</body>")
    path.write_text(before + script + end + after, encoding="utf-8")


def test_the_viewer_draws_and_nothing_complains(browser, report, tmp_path):
    shot = tmp_path / "shot.png"
    _, complaints = browser.run(report, f"--screenshot={shot}", "--window-size=1200,1500")
    assert [text for text in complaints if "ReadPixels" not in text] == []
    with Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    stage = pixels[700:1200, 250:950]  # the middle of the viewer, none of the pictures below
    assert (stage[..., 0] - stage[..., 2] > 60).sum() > 3000  # red parts of the mode
    assert (stage[..., 2] - stage[..., 0] > 60).sum() > 3000  # blue parts


def test_overlays_views_and_surfaces_can_be_switched(browser, report):
    add_to_page(report, PROBE)
    page, complaints = browser.run(report, "--dump-dom", "--window-size=900,700")
    assert [text for text in complaints if "ReadPixels" not in text] == []
    found = re.search(r'data-probe="([^"]*)"', page)
    assert found, re.search(r'id="viewer-message"[^<]*', page)
    probe = json.loads(found[1].replace("&quot;", '"').replace("&amp;", "&"))
    paints = [digest for name, digest in probe["seen"].items() if name.startswith("paint")]
    views = [digest for name, digest in probe["seen"].items() if name.startswith("from")]
    assert probe["boxes"] == 2
    assert len(set(paints)) == len(paints) >= 11  # 8 modes or more, 2 scales of the HKS, none
    assert len(set(views)) == len(views) == 6
    assert probe["seen"]["one surface"] != probe["seen"]["no surface"]
    assert probe["bar"] == ""  # nothing is shown: no colour bar claims otherwise


def test_without_webgl_the_page_says_so(browser, report):
    html = report.read_text(encoding="utf-8")
    blind = "<script>HTMLCanvasElement.prototype.getContext = () => null;</script>"
    report.write_text(html.replace("<head>", "<head>" + blind, 1), encoding="utf-8")
    page, _ = browser.run(report, "--dump-dom")
    assert 'data-state="failed"' in page
    assert "The interactive viewer could not start" in page


def test_pictures_of_a_group_report_all_load(browser, tmp_path):
    rng = np.random.default_rng(0)
    values = 1 + 0.1 * rng.random((6, 8))
    labels = [f"sub-{i:02d}" for i in range(6)]
    distance = {
        "values": np.linalg.norm(values[:, None] - values, axis=2),
        "labels": labels,
        "title": "Distance",
    }
    group = {"name": "Left cortex", "shapedna": {"labels": labels, "values": values}, "distance": distance}
    path = Path(build_group_report(tmp_path / "group.html", [group]).out_file)
    count = "document.body.dataset.loaded = [...document.images].filter(i => i.naturalWidth > 100).length;"
    count = f"<script>onload = () => {{ {count} }};</script>"
    add_to_page(path, count)
    page, complaints = browser.run(path, "--dump-dom")
    assert complaints == []
    assert 'data-loaded="3"' in page
