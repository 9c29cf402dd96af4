"""Mesh formats: what is written comes back, is the same every time, and other programs read it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from mesh_cases import (
    EXACT_FORMATS,
    FORMATS,
    SINGLE_FORMATS,
    awkward_mesh,
    encode,
    plain_mesh,
    write_mesh,
)

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry import solids
from spectralbrain.io._content import identify
from spectralbrain.io._mesh_codecs import MESH_CODECS, codec_for_name, read_mesh
from spectralbrain.io.export import save_mesh

MESHES = st.integers(1, 20).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 3), elements=st.floats(allow_nan=False, allow_infinity=False)),
        hnp.arrays(np.int64, st.tuples(st.integers(0, 30), st.just(3)), elements=st.integers(0, n - 1)),
    )
)


@pytest.mark.parametrize("suffix", EXACT_FORMATS)
def test_float64_comes_back_bit_by_bit(suffix: str, tmp_path: Path) -> None:
    vertices, faces = awkward_mesh()
    found, triangles = read_mesh(write_mesh(tmp_path / "mesh", suffix, vertices, faces))
    assert found.tobytes() == vertices.tobytes()
    assert np.array_equal(triangles, faces)
    assert (found.dtype, triangles.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize("suffix", SINGLE_FORMATS)
def test_float32_comes_back_bit_by_bit(suffix: str, tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    found, triangles = read_mesh(write_mesh(tmp_path / "mesh", suffix, vertices, faces))
    assert np.array_equal(found, vertices)
    assert np.array_equal(triangles, faces)


@settings(max_examples=60, deadline=None)
@given(MESHES, st.sampled_from(EXACT_FORMATS))
def test_any_mesh_round_trips(mesh: tuple, suffix: str) -> None:
    vertices, faces = mesh
    codec = MESH_CODECS[suffix]
    content = encode(codec, vertices, faces)
    assert encode(codec, vertices, faces) == content
    found, triangles = codec.parse(content, Path("mesh"))
    assert found.tobytes() == vertices.tobytes()
    assert np.array_equal(triangles, faces)


@settings(max_examples=60, deadline=None)
@given(MESHES, st.sampled_from((*SINGLE_FORMATS, ".stl")))
def test_float32_formats_hold_the_number_or_refuse(mesh: tuple, suffix: str) -> None:
    vertices, faces = mesh
    codec = MESH_CODECS[suffix]
    with np.errstate(over="ignore"):
        single = vertices.astype(np.float32)
    if np.isinf(single).any():
        with pytest.raises(ArrayError, match=r"vertices: .* exceed float32"):
            encode(codec, vertices, faces)
        return
    if suffix == ".stl":
        if len(faces):
            found, triangles = codec.parse(encode(codec, vertices, faces), Path("mesh"))
            assert np.array_equal(found[triangles], single[faces])
        return
    found, triangles = codec.parse(encode(codec, vertices, faces), Path("mesh"))
    assert np.array_equal(found, single)
    assert np.array_equal(triangles, faces)


def test_stl_keeps_corners_orientation_and_order(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    found, triangles = read_mesh(write_mesh(tmp_path / "mesh", ".stl", vertices, faces))
    assert np.array_equal(found[triangles], vertices[faces])
    assert len(found) == len(vertices)
    # vertices are numbered by first use
    first_use = [int(np.flatnonzero(triangles.ravel() == v)[0]) for v in range(len(found))]
    assert first_use == sorted(first_use)


def test_stl_normals(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "a.stl", ".stl", *plain_mesh())
    peer = trimesh.load(path)
    # trimesh computes its own normals from the corners; the stored ones are at offset 0 of each record
    stored = np.frombuffer(path.read_bytes()[84:], np.dtype([("n", "<f4", 3), ("rest", "V38")]))["n"]
    assert np.allclose(stored, peer.face_normals, atol=1e-5)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_bytes_are_pinned(suffix: str) -> None:
    """No time, no host, no version: the same bytes in every process."""
    import hashlib

    vertices, faces = [[0.0, 0.5, -1.25], [1.0, 0.0, 0.0], [0.0, 1.0, 0.1]], [[0, 1, 2], [2, 1, 0]]
    content = encode(MESH_CODECS[suffix], np.array(vertices), np.array(faces))
    assert hashlib.sha256(content).hexdigest()[:16] == PINNED[suffix]


PINNED = {
    ".ply": "b9a3bcd849fedb8d",
    ".obj": "2bac4014ea40eeb3",
    ".stl": "3fa44d91be94bea1",
    ".vtk": "154e4fa9d9e0b615",
    ".vtp": "54e4a46abe808231",
    ".off": "dab8f9ffbf6bd6f3",
    ".white": "9cbe8c17fe878f92",
    ".surf.gii": "e7350d566a92bd5d",
}


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.PLY", "ply"),
        ("a.Surf.Gii", "gifti"),
        ("a.gii", "gifti"),
        ("lh.white", "freesurfer"),
        ("rh.pial.T1", "freesurfer"),
        ("sub-01.vtp", "vtp"),
        ("a.ply.obj", "obj"),
        ("noname", None),
        (".ply", None),
        ("a.txt", None),
    ],
)
def test_the_suffix_chooses_the_writer(name: str, codec: str | None) -> None:
    found = codec_for_name(Path(name))
    assert (found.name if found else None) == codec


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["lh.white", "key", "mesh.txt", "mesh.ply"])
def test_content_not_name_chooses_the_reader(suffix: str, name: str, tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    found, triangles = read_mesh(write_mesh(tmp_path / name, suffix, vertices, faces))
    assert np.array_equal(found[triangles], vertices[faces])


# ---- other programs read what is written


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".off"])
def test_trimesh_reads(suffix: str, tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    path = write_mesh(tmp_path / f"mesh{suffix}", suffix, vertices, faces)
    peer = trimesh.load(path, process=False, maintain_order=True)
    assert np.allclose(peer.vertices[peer.faces], vertices[faces], atol=1e-5)
    if suffix != ".stl":
        assert np.array_equal(peer.faces, faces)


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".vtk", ".vtp"])
def test_vtk_reads(suffix: str, tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    vertices, faces = plain_mesh()
    path = write_mesh(tmp_path / f"mesh{suffix}", suffix, vertices, faces)
    peer = pyvista.read(path)
    triangles = peer.regular_faces
    assert np.allclose(peer.points[triangles], vertices[faces], atol=1e-5)
    if suffix in (".vtk", ".vtp"):
        assert peer.points.dtype == np.float64
        assert np.array_equal(peer.points, vertices)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".ply", {}), (".obj", {}), (".stl", {}), (".off", {}), (".vtk", {"vtk_dataset": "unstructured_grid"})],
)
def test_meshio_reads(suffix: str, options: dict, tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio", reason="meshio is not installed")
    vertices, faces = plain_mesh()
    path = save_mesh(tmp_path / f"mesh{suffix}", vertices, faces, **options)
    peer = meshio.read(path)
    triangles = peer.cells_dict["triangle"]
    assert np.allclose(peer.points[triangles], vertices[faces], atol=1e-5)
    if suffix in (".ply", ".vtk"):
        assert peer.points.dtype.itemsize == 8  # of either byte order
        assert np.array_equal(peer.points, vertices)
        assert np.array_equal(triangles, faces)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:trimesh")
def test_trimesh_reads_an_unstructured_grid_with_meshio_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("meshio", reason="meshio is not installed")
    vertices, faces = plain_mesh()
    path = save_mesh(tmp_path / "mesh.vtk", vertices, faces, vtk_dataset="unstructured_grid")
    peer = trimesh.load(path, force="mesh", process=False)
    assert np.array_equal(peer.vertices, vertices)
    assert np.array_equal(peer.faces, faces)


def test_an_unstructured_grid(tmp_path: Path) -> None:
    vertices, faces = awkward_mesh()
    path = save_mesh(tmp_path / "a.vtk", vertices, faces, vtk_dataset="unstructured_grid")
    found, triangles = read_mesh(path)
    assert found.tobytes() == vertices.tobytes()
    assert np.array_equal(triangles, faces)
    default = save_mesh(tmp_path / "b.vtk", vertices, faces).read_bytes()
    assert save_mesh(tmp_path / "c.vtk", vertices, faces, vtk_dataset="polydata").read_bytes() == default
    assert b"DATASET POLYDATA" in default
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    grid = pyvista.read(path)
    assert np.array_equal(grid.points, vertices)
    assert np.array_equal(grid.cells_dict[pyvista.CellType.TRIANGLE], faces)


def test_kinds_of_vtk_datasets_that_are_none(tmp_path: Path) -> None:
    for kind in ("POLYDATA", "grid", "", 7):
        with pytest.raises(ArrayError, match="vtk_dataset: expected polydata or unstructured_grid, found"):
            save_mesh(tmp_path / "a.vtk", *plain_mesh(), vtk_dataset=kind)
    with pytest.raises(ArrayError, match="vtk_dataset: only"):
        save_mesh(tmp_path / "a.vtp", *plain_mesh(), vtk_dataset="polydata")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".vtk", ".vtp"])
def test_vtk_reads_every_bit_of_float64(suffix: str, tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    mesh = solids.ellipsoid(2, (17.3, 29.1 / 3, np.pi))
    path = write_mesh(tmp_path / f"mesh{suffix}", suffix, mesh.vertices, mesh.faces)
    assert np.array_equal(pyvista.read(path).points, mesh.vertices)


def test_nibabel_reads_gifti(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    image = nib.load(write_mesh(tmp_path / "a.surf.gii", ".surf.gii", vertices, faces))
    assert [array.intent for array in image.darrays] == [1008, 1009]
    assert [array.data.dtype for array in image.darrays] == [np.float32, np.int32]
    assert np.array_equal(image.agg_data("pointset"), vertices)
    assert np.array_equal(image.agg_data("triangle"), faces)
    assert np.array_equal(image.darrays[0].coordsys.xform, np.eye(4))


def test_nibabel_reads_freesurfer(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    path = write_mesh(tmp_path / "lh.white", ".white", vertices, faces)
    found, triangles, stamp = nib.freesurfer.read_geometry(path, read_stamp=True)
    assert np.array_equal(found, vertices)
    assert np.array_equal(triangles, faces)
    assert stamp == "created by spectralbrain"


def test_workbench_reads_gifti(tmp_path: Path) -> None:
    if shutil.which("wb_command") is None:
        pytest.skip("wb_command is not installed")
    vertices, faces = plain_mesh()
    path = write_mesh(tmp_path / "a.surf.gii", ".surf.gii", vertices, faces)
    done = subprocess.run(
        ["wb_command", "-file-information", str(path)], capture_output=True, text=True, check=True
    )
    assert f"Number of Vertices: {len(vertices)}" in " ".join(done.stdout.split())
    assert f"Number of Triangles: {len(faces)}" in " ".join(done.stdout.split())
    area = tmp_path / "area.shape.gii"
    subprocess.run(["wb_command", "-surface-vertex-areas", str(path), str(area)], check=True)
    mesh = solids.sphere(2, radius=50.0)
    assert nib.load(area).agg_data().sum() == pytest.approx(mesh.area, rel=1e-4)


def test_gifti_metadata_reaches_nibabel(tmp_path: Path) -> None:
    from spectralbrain.io import _gifti_surface

    path = tmp_path / "a.surf.gii"
    with path.open("wb") as stream:
        _gifti_surface.write(
            stream,
            *plain_mesh(),
            structure="CortexLeft",
            secondary="MidThickness",
            geometric_type="Anatomical & <odd>",
            space="NIFTI_XFORM_SCANNER_ANAT",
        )
    points, triangles = nib.load(path).darrays
    assert dict(points.meta) == {
        "AnatomicalStructurePrimary": "CortexLeft",
        "AnatomicalStructureSecondary": "MidThickness",
        "GeometricType": "Anatomical & <odd>",
    }
    assert points.coordsys.dataspace == points.coordsys.xformspace == 1
    assert dict(triangles.meta) == {}


def test_structure_of_a_gifti_surface(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    path = save_mesh(tmp_path / "a.surf.gii", vertices, faces, structure="CortexLeft")
    assert nib.load(path).darrays[0].meta["AnatomicalStructurePrimary"] == "CortexLeft"
    with pytest.raises(ArrayError, match=r"structure: expected a Workbench name .* found 'left'"):
        save_mesh(path, vertices, faces, structure="left")
    with pytest.raises(ArrayError, match="structure: only GIFTI keeps it"):
        save_mesh(tmp_path / "a.ply", vertices, faces, structure="CortexLeft")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.surf.gii"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_identify(suffix: str) -> None:
    codec = MESH_CODECS[suffix]
    assert identify(encode(codec, *plain_mesh())) == codec.name


def test_files_without_faces(tmp_path: Path) -> None:
    """Points alone come back where the format counts its faces."""
    vertices, faces = np.eye(3), np.empty((0, 3), dtype=np.int64)
    for suffix in (*EXACT_FORMATS, *SINGLE_FORMATS):
        found, triangles = read_mesh(write_mesh(tmp_path / "mesh", suffix, vertices, faces))
        assert np.array_equal(found, vertices)
        assert triangles.shape == (0, 3)
    with pytest.raises(FormatError, match="no vertices"):
        read_mesh(write_mesh(tmp_path / "mesh", ".stl", vertices, faces))
