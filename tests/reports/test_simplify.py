"""Light surfaces for the viewer."""

from __future__ import annotations

import numpy as np
import pytest

from spectralbrain import BrainMesh
from spectralbrain.geometry.solids import rectangle, sphere
from spectralbrain.reports.simplify import simplify


def test_small_surfaces_are_left_alone():
    mesh = sphere(2)
    light, origin = simplify(mesh, 1000)
    assert light is mesh
    assert (origin == np.arange(mesh.n_vertices)).all()


def test_large_surfaces_become_light_and_keep_their_shape():
    mesh = sphere(4, 50.0)
    light, origin = simplify(mesh, 600)
    assert 560 <= light.n_vertices <= 600
    assert light.area == pytest.approx(mesh.area, rel=0.03)
    assert (mesh.vertices[origin] == light.vertices).all()
    assert light.topology.n_boundary_edges <= 8  # rare small holes
    centres = light.vertices[light.faces].mean(axis=1)
    outwards = np.einsum("fx,fx->f", light.face_normals, centres) > 0
    assert outwards.mean() > 0.99
    again, _ = simplify(mesh, 600)
    assert (again.vertices == light.vertices).all()
    assert (again.faces == light.faces).all()


def test_pieces_borders_and_lost_vertices():
    """Two sheets apart, and vertices that belong to none: each sheet keeps its border."""
    sheet = rectangle(30, 20, 30.0, 20.0)
    n = sheet.n_vertices
    vertices = np.vstack([sheet.vertices, sheet.vertices + np.array([0, 0, 9.0]), np.full((5, 3), 1e3)])
    both = BrainMesh(vertices, np.vstack([sheet.faces, sheet.faces + n]))
    light, origin = simplify(both, 200)
    assert origin.max() < 2 * n
    assert light.n_components == 2
    assert light.area == pytest.approx(2 * 600.0, rel=0.2)
