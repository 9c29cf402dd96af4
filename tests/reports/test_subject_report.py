"""The report of a participant: what it says, and what it says when something is wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from spectralbrain import build_subject_report, save_mesh
from spectralbrain.errors import FormatError, MissingDependencyError
from spectralbrain.geometry.solids import sphere
from spectralbrain.reports import subject as module
from spectralbrain.reports.style import Figure

LEFT = {"hemisphere": "L", "structure": "cortex", "surface": "midthickness"}
RIGHT = {**LEFT, "hemisphere": "R"}


@pytest.fixture
def page(built, read_page):
    return read_page(built.out_file)


class _Pencil:
    """Stands in for a renderer."""

    def __init__(self, mesh: object) -> None:
        pass

    def __enter__(self) -> _Pencil:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def sketched(monkeypatch):
    """Draw nothing: for tests of what the page says."""

    def sketch(*args: object, **options: object) -> Figure:
        return Figure("sketch", "Sketch", "A caption.", "a sketch", b"<svg/>", "image/svg+xml")

    monkeypatch.setattr(module, "surface_renderer", _Pencil)
    for name in ("modes", "descriptor", "plain"):
        monkeypatch.setattr(module, f"{name}_figure", sketch)
    for name in ("spectrum", "resolution", "asymmetry"):
        monkeypatch.setattr(module, f"plot_{name}", sketch)


def test_the_result_lists_every_file_written(built, report_folder):
    result = built
    assert result.ok
    assert result.out_file == str(report_folder / "out" / "sub-01.html") == result.files[0]
    assert all(Path(file).stat().st_size > 1000 for file in result.files)
    names = sorted(Path(file).name for file in result.files[1:])
    assert names == sorted(
        [
            "sub-01_left-and-right-asymmetry-cortex-midthickness.svg",
            "sub-01_left-cortex-midthickness-hks.png",
            "sub-01_left-cortex-midthickness-modes.png",
            "sub-01_left-cortex-midthickness-resolution.svg",
            "sub-01_left-cortex-midthickness-spectrum.svg",
            "sub-01_matrices-region-distances.svg",
            "sub-01_right-cortex-midthickness-modes.png",
            "sub-01_right-cortex-midthickness-resolution.svg",
            "sub-01_right-cortex-midthickness-spectrum.svg",
        ]
    )
    assert sorted(path.name for path in (report_folder / "figures").iterdir()) == names


def test_the_page_says_who_what_and_how(page):
    for words in (
        "sub-01, ses-pre",
        "Look at the remarks on Right cortex (midthickness) before using them.",
        "on the mesh is too coarse: the estimated error of the eigenvalue exceeds 1 %",
        "Left cortex (midthickness)",
        "Largest residual",
        "Eigenvalues counted",
        "Reuter et al. (2006)",
        "an independent count",
        "Boundary length",
        "Region distances",
        "Left and right",
        "right larger",
    ):
        assert words in page.words, words
    assert "could not" not in page.words


def test_every_picture_is_inside_the_page_and_described(page):
    assert len(page.images) == 9
    assert all(
        image["src"].startswith(("data:image/png;base64,", "data:image/svg+xml;base64,"))
        for image in page.images
    )
    assert all(len(image["alt"]) > 40 for image in page.images)


def test_the_page_asks_nothing_of_the_network(built, page):
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    html = Path(built.out_file).read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    assert not re.search(r"url\((?!['\"]?data:)|@import", html[: html.index("</style>")])


def test_links_inside_the_page_have_targets_and_ids_are_unique(page):
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_same_input_gives_the_same_bytes(tmp_path, surfaces):
    pages = [
        Path(build_subject_report(tmp_path / name, surfaces[1:], subject="01", n_modes=1).out_file)
        for name in ("a.html", "b.html")
    ]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_failed_surface_is_named_with_its_reason(sketched, tmp_path, surfaces, read_page):
    failed = {**RIGHT, "status": "failed", "error": "rh.white: 3 edges are shared by more than two faces"}
    result = build_subject_report(
        tmp_path / "a.html", [surfaces[1] | LEFT, failed], subject="01", viewer=False
    )
    words = read_page(result.out_file).words
    assert result.ok  # the report itself is complete
    assert "1 of 2 surfaces failed: Right cortex (midthickness)." in words
    assert "Not computed. rh.white: 3 edges are shared" in words


def test_a_failed_surface_is_still_drawn_if_it_can_be_read(tmp_path, read_page):
    mesh = sphere(2, 20.0)
    path = save_mesh(tmp_path / "lh.ply", mesh.vertices, mesh.faces)
    failed = {**LEFT, "status": "failed", "error": "no mask", "mesh": path}
    result = build_subject_report(tmp_path / "a.html", [failed], subject="01", viewer=False)
    (image,) = read_page(result.out_file).images
    assert result.ok
    assert "the surface without overlay" in image["alt"]


def test_a_missing_file_shows_in_page_and_result_and_costs_nothing_else(
    sketched, tmp_path, surfaces, read_page
):
    broken = {**surfaces[0], "descriptors": {"wks": tmp_path / "gone.h5", **surfaces[0]["descriptors"]}}
    result = build_subject_report(tmp_path / "a.html", [broken], subject="01", viewer=False)
    page = read_page(result.out_file)
    (failure,) = result.failures
    assert not result.ok
    assert (failure.where, failure.what) == ("Left cortex (midthickness)", "Wave kernel signature (WKS)")
    assert "gone.h5" in failure.message
    assert "could not be drawn" in page.words
    assert "What this report could not show" in page.words
    assert len(page.images) == 4  # modes, HKS, spectrum, resolution


def test_a_damaged_decomposition_is_a_failed_surface(sketched, tmp_path, surfaces, read_page, caplog):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(Path(surfaces[0]["decomposition"]).read_bytes()[:5000])
    result = build_subject_report(tmp_path / "a.html", [{**LEFT, "decomposition": damaged}], subject="01")
    assert [failure.what for failure in result.failures] == ["the decomposition"]
    assert "damaged.h5" in caplog.text
    words = read_page(result.out_file).words
    assert "1 of 1 surfaces failed" in words
    assert "No eigenpairs were computed for this surface." in words


def test_a_figure_that_breaks_leaves_its_reason(sketched, tmp_path, surfaces, read_page, monkeypatch):
    def broken(*args: object, **options: object) -> Figure:
        raise RuntimeError("out of <crayons>")

    monkeypatch.setattr(module, "plot_spectrum", broken)
    result = build_subject_report(tmp_path / "a.html", surfaces[:1], subject="01", viewer=False)
    assert [failure.message for failure in result.failures] == ["RuntimeError: out of <crayons>"]
    assert (
        "The spectrum: could not be drawn. RuntimeError: out of <crayons>" in read_page(result.out_file).words
    )
    assert "<crayons>" not in Path(result.out_file).read_text(encoding="utf-8")


def test_a_viewer_that_breaks_leaves_its_reason(sketched, tmp_path, surfaces, read_page, monkeypatch):
    def broken(*args: object) -> str:
        raise FormatError("niivue.umd.js: not the recorded file")

    monkeypatch.setattr(module, "niivue_source", broken)
    result = build_subject_report(tmp_path / "a.html", surfaces[:1], subject="01")
    assert [failure.where for failure in result.failures] == ["3D viewer"]
    assert "The 3D viewer could not be made." in read_page(result.out_file).words


def test_flags_and_quality_are_in_words_and_change_the_verdict(sketched, tmp_path, surfaces, read_page):
    flagged = {**surfaces[0], "flags": ["no_mask"], "quality": {"n_degenerate_faces": 2, "genus": 0}}
    result = build_subject_report(tmp_path / "a.html", [flagged], subject="01", viewer=False)
    words = read_page(result.out_file).words
    assert "Look at the remarks on Left cortex (midthickness)" in words
    assert "Look at this: No cortex mask was found" in words
    assert "Do not use: 2 triangles have no area" in words


def test_a_flag_given_replaces_the_sentence_of_the_page(sketched, tmp_path, surfaces, read_page):
    flag = {"code": "n_degenerate_faces", "severity": "info", "message": "Two slivers, harmless."}
    given = {**surfaces[0], "flags": [flag], "quality": {"n_degenerate_faces": 2}}
    words = read_page(
        build_subject_report(tmp_path / "a.html", [given], subject="01", viewer=False).out_file
    ).words
    assert "Note: Two slivers, harmless." in words
    assert "triangles have no area" not in words


def test_missing_items_are_listed(sketched, tmp_path, surfaces, read_page):
    result = build_subject_report(
        tmp_path / "a.html",
        surfaces[:1],
        subject="01",
        viewer=False,
        missing=[{"what": "Right cortex", "reason": "no rh.white in the input"}],
    )
    words = read_page(result.out_file).words
    assert "1 expected item is not there" in words
    assert "no rh.white in the input" in words


def test_surfaces_without_remarks_are_called_so():
    from spectralbrain.reports.subject import _SurfaceSection, _verdict

    sections = [_SurfaceSection("Left cortex", "left", "ok", "", [])] * 2
    verdict = _verdict(sections, [])
    assert verdict == {
        "state": "ok",
        "text": "All 2 surfaces were computed and verified, without remarks.",
    }


def test_nothing_found_is_said_not_hidden(tmp_path, read_page):
    result = build_subject_report(tmp_path / "a.html", [], subject="01")
    assert "No surface was found for this participant." in read_page(result.out_file).words


def test_text_from_outside_is_never_markup(sketched, tmp_path, surfaces):
    evil = "<script>alert(1)</script>"
    result = build_subject_report(
        tmp_path / "a.html",
        [{**surfaces[0], "name": evil, "quality": {evil: evil}}],
        subject=evil,
        methods=evil,
        parameters={evil: evil},
        missing=[{"what": evil, "reason": evil}],
    )
    html = Path(result.out_file).read_text(encoding="utf-8")
    assert "alert(1)" in html
    assert evil not in html
    assert len(re.findall(r"^<script", html, re.MULTILINE)) == 3  # NiiVue, its data, the viewer


def test_the_page_stays_small_enough_to_mail(built):
    assert Path(built.out_file).stat().st_size < 6e6


@pytest.mark.parametrize("package", ["jinja2", "matplotlib.figure", "PIL.Image"])
def test_a_missing_package_names_the_extra_and_writes_nothing(tmp_path, surfaces, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r'pip install "spectralbrain\[app\]"'):
        build_subject_report(tmp_path / "a.html", surfaces, subject="01")
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_write_nothing(tmp_path):
    with pytest.raises(FormatError, match=r"surfaces\[0\]: unknown hemi"):
        build_subject_report(tmp_path / "a.html", [{"hemi": "L"}], subject="01")
    assert list(tmp_path.iterdir()) == []
