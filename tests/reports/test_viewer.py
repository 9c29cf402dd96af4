"""What goes into the page for the viewer."""

from __future__ import annotations

import base64
import gzip
import json
import struct

import numpy as np
import pytest

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry.solids import sphere
from spectralbrain.reports import viewer
from spectralbrain.reports.colors import ColorScale, diverging_scale
from spectralbrain.reports.surfaces import SurfaceMap
from spectralbrain.reports.viewer import (
    ViewerSurface,
    coded,
    mesh_mz3,
    niivue_source,
    scalars_mz3,
    script_json,
    vertex_budget,
    viewer_payload,
)


def test_meshes_are_written_as_surfice_describes():
    mesh = sphere(1, 12.3456)
    data = gzip.decompress(mesh_mz3(mesh))
    magic, attributes, n_faces, n_vertices, skipped = struct.unpack("<HHIII", data[:16])
    assert (magic, attributes, n_faces, n_vertices, skipped) == (0x5A4D, 3, 80, 42, 0)
    faces = np.frombuffer(data, "<i4", 240, 16).reshape(80, 3)
    vertices = np.frombuffer(data, "<f4", 126, 16 + 960).reshape(42, 3)
    assert (faces == mesh.faces).all()
    assert np.abs(vertices - mesh.vertices).max() <= 0.0051
    assert len(data) == 16 + 960 + 504


def test_scalars_are_written_as_surfice_describes():
    data = gzip.decompress(scalars_mz3(np.array([0.0, 255.0, -1.0])))
    assert struct.unpack("<HHIII3f", data) == (0x5A4D, 8, 0, 3, 0, 0.0, 255.0, -1.0)


def test_compressed_data_hold_no_time():
    assert mesh_mz3(sphere(1))[4:8] == b"\0\0\0\0"


def test_missing_values_lie_below_the_scale_and_extremes_on_it():
    values = np.array([np.nan, -9.0, 0.0, 9.0])
    assert coded(values, ColorScale("RdBu_r", -1.0, 1.0)).tolist() == [-1.0, 0.0, 128.0, 255.0]


def test_many_surfaces_share_the_page():
    assert vertex_budget(1) == 12_000
    assert vertex_budget(100) * 100 <= 120_000
    assert vertex_budget(10_000) == 1_000


def test_surfaces_of_one_group_share_limits():
    mesh = sphere(1)
    surfaces = []
    for side, factor in (("Left", 1.0), ("Right", 3.0)):
        values = factor * mesh.vertices[:, 0]
        shown = SurfaceMap("Mode 2\nλ = 2", values, diverging_scale(values), "mm⁻¹")
        surfaces.append(ViewerSurface(f"{side} cortex", "Cortex", mesh, (shown,)))
    payload = viewer_payload(surfaces)
    overlays = [surface["overlays"][0] for surface in payload["surfaces"]]
    assert payload["overlays"] == ["Mode 2"]
    assert {(o["low"], o["high"]) for o in overlays} == {
        (-3 * mesh.vertices[:, 0].max(), 3 * mesh.vertices[:, 0].max())
    }
    left = np.frombuffer(gzip.decompress(base64.b64decode(overlays[0]["values"])), "<f4", offset=16)
    assert left.max() == pytest.approx(170, abs=1)  # a third of the way from the middle to the end
    assert overlays[0]["detail"] == "Mode 2, λ = 2"
    assert len(payload["colormaps"]["RdBu_r"]) == 256


def test_no_surface_is_refused():
    with pytest.raises(ArrayError, match="surfaces: expected at least one to show"):
        viewer_payload([])


def test_data_cannot_end_the_script_they_stand_in():
    payload = {"name": "</script><script>alert(1)</script><!--"}
    text = script_json(payload)
    assert "<" not in text
    assert json.loads(text) == payload


def test_niivue_is_the_recorded_file_and_safe_inside_a_script():
    code = niivue_source()
    assert len(code) > 2_000_000
    assert "</script" not in code.lower()
    assert "<!--" not in code


def test_a_changed_niivue_is_refused(monkeypatch):
    monkeypatch.setattr(viewer.hashlib, "sha256", lambda data: __import__("hashlib").new("md5", data))
    with pytest.raises(FormatError, match=r"niivue.umd.js: expected SHA-256 [0-9a-f]{64}, found"):
        niivue_source()


def test_licences_are_shipped_beside_the_code():
    folder = viewer.resources.files("spectralbrain") / "data" / "report" / "niivue"
    assert "BSD 2-Clause License" in (folder / "LICENSE").read_text(encoding="utf-8")
    others = (folder / "THIRD-PARTY").read_text(encoding="utf-8")
    assert all(name in others for name in ("gl-matrix", "fflate", "nifti-reader-js", "zarrita", "Roboto"))
    record = json.loads((folder / "VERSION.json").read_text(encoding="utf-8"))
    assert record["licence"] == "BSD-2-Clause"
    assert record["bytes"] == len((folder / "niivue.umd.js").read_bytes())
