"""Small surfaces with a boundary, their caches, and a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from spectralbrain import SpectralDecomposition, build_subject_report, decompose, save_hdf5
from spectralbrain.geometry.solids import ellipsoid
from spectralbrain.spectral.grids import resolve_times
from spectralbrain.spectral.heat_kernel import compute_hks

CONSOLE = re.compile(r"\[.*?:(?P<level>[A-Z]+):CONSOLE.*?\] (?P<text>.*)")


@pytest.fixture(autouse=True)
def drawing_libraries():
    """Skip where the extra is not installed."""
    pytest.importorskip("jinja2", reason="jinja2 is not installed")


@pytest.fixture(scope="session")
def hemisphere() -> SpectralDecomposition:
    """A left-right flattened ellipsoid with a hole on its inner side."""
    mesh = ellipsoid(4, (30.0, 80.0, 50.0))
    mask = ~((mesh.vertices[:, 0] > 24) & (np.abs(mesh.vertices[:, 1]) < 30))
    return decompose(mesh, 14, mask=mask)


@pytest.fixture(scope="session")
def cache(tmp_path_factory, hemisphere) -> Path:
    return Path(hemisphere.save(tmp_path_factory.mktemp("caches") / "left.h5"))


@pytest.fixture(scope="session")
def hks_cache(cache, hemisphere) -> Path:
    times = resolve_times(hemisphere, n_times=5)
    return save_hdf5(
        cache.with_name("left_hks.h5"),
        descriptors={"hks": compute_hks(hemisphere, times)},
        metadata={"hks_times": times},
    )


@pytest.fixture(scope="session")
def right_cache(cache) -> Path:
    mesh = ellipsoid(3, (29.0, 78.0, 52.0))
    return Path(decompose(mesh, 14).save(cache.with_name("right.h5")))


LEFT = {"hemisphere": "L", "structure": "cortex", "surface": "midthickness"}
RIGHT = {**LEFT, "hemisphere": "R"}


@pytest.fixture(scope="session")
def surfaces(cache, hks_cache, right_cache):
    return [
        {**LEFT, "decomposition": cache, "descriptors": {"hks": hks_cache}, "quality": {"n_faces": 5120}},
        {**RIGHT, "decomposition": right_cache},
    ]


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def built(report_folder, surfaces):
    matrix = {
        "values": np.array([[0, 1.5], [1.5, 0]]),
        "labels": ["insula", "cuneus"],
        "title": "Region distances",
    }
    return build_subject_report(
        report_folder / "out" / "sub-01.html",
        surfaces,
        subject="01",
        session="pre",
        matrices=[matrix],
        parameters={"modes": 14, "mask": None},
        references=["Reuter et al. (2006)"],
        figures_dir=report_folder / "figures",
        n_modes=2,
        n_scales=2,
    )


class _Page(HTMLParser):
    """What tests ask of a page: its text, images, ids, links and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "img":
            self.images.append(found)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        self.addresses += [found[key] for key in ("src", "href", "data", "action") if key in found]

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._silent -= 1

    def handle_data(self, data):
        if not self._silent:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def read_page() -> Callable[[str | Path], _Page]:
    def read(path: str | Path) -> _Page:
        page = _Page()
        page.feed(Path(path).read_text(encoding="utf-8"))
        return page

    return read


@dataclass(frozen=True)
class Browser:
    """Headless Chromium, without network."""

    program: str
    profile: Path

    def run(self, page: Path, *options: str) -> tuple[str, list[str]]:
        """Open a page; return what is printed and the errors on its console."""
        command = [
            self.program,
            *[
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--hide-scrollbars",
            ],
            *["--disable-background-networking", "--disable-component-update", "--disable-sync"],
            "--enable-unsafe-swiftshader",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=20000",
            "--enable-logging=stderr",
            f"--user-data-dir={self.profile}",
            *options,
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        spoken = [found for line in done.stderr.splitlines() if (found := CONSOLE.search(line))]
        return done.stdout, [found["text"] for found in spoken if found["level"] in ("ERROR", "WARNING")]


@pytest.fixture
def browser(tmp_path) -> Browser:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("chromium is not installed")
    return Browser(program, tmp_path / "profile")
