"""Meshes and files that several tests of the mesh formats share."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from spectralbrain.geometry import solids
from spectralbrain.io._mesh_codecs import MESH_CODECS, MeshCodec
from spectralbrain.runtime import Faces, Vertices

# One suffix per format.
FORMATS = (".ply", ".obj", ".stl", ".vtk", ".vtp", ".off", ".white", ".surf.gii")
EXACT_FORMATS = (".ply", ".obj", ".vtk", ".vtp", ".off")  # keep float64
SINGLE_FORMATS = (".white", ".surf.gii")  # keep float32


def awkward_mesh() -> tuple[Vertices, Faces]:
    """A mesh whose numbers need all of float64, with a vertex that no face uses and mixed faces."""
    mesh = solids.ellipsoid(1, (17.3, 29.1 / 3, np.pi))
    vertices = np.vstack(
        [mesh.vertices + np.array([1 / 3, -1e-7, 100.1]), [[-0.0, 5e-324, 1e300], [1e-5, 2.5, -3e22]]]
    )
    faces = mesh.faces.copy()
    faces[3] = faces[3][::-1]
    return vertices, faces


def plain_mesh() -> tuple[Vertices, Faces]:
    """A closed mesh whose coordinates are float32 numbers."""
    mesh = solids.sphere(2, radius=50.0)
    return mesh.vertices.astype(np.float32).astype(np.float64), mesh.faces


def encode(codec: MeshCodec, vertices: Vertices, faces: Faces) -> bytes:
    """Return what a codec writes."""
    stream = io.BytesIO()
    codec.write(stream, vertices, faces)
    return stream.getvalue()


def write_mesh(path: Path, suffix: str, vertices: Vertices, faces: Faces) -> Path:
    """Write a mesh with the codec of a suffix."""
    path.write_bytes(encode(MESH_CODECS[suffix], vertices, faces))
    return path
