"""Mesh files that other programs wrote, and odd corners of the formats."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import trimesh
from mesh_cases import plain_mesh

from spectralbrain.errors import FormatError
from spectralbrain.geometry import solids
from spectralbrain.io._mesh_codecs import parse_mesh, read_mesh

VERTICES, FACES = plain_mesh()
PATH = Path("mesh")


def is_the_mesh(path: Path, *, exact: bool = True) -> None:
    vertices, faces = read_mesh(path)
    assert np.array_equal(faces, FACES)
    assert np.array_equal(vertices, VERTICES) if exact else np.allclose(vertices, VERTICES, atol=1e-4)


# ---- VTK and PyVista


@pytest.fixture
def polydata() -> object:
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    mesh = pyvista.PolyData.from_regular_faces(VERTICES, FACES)
    mesh.point_data["hks"] = np.arange(len(VERTICES), dtype=float)
    mesh.cell_data["part"] = np.arange(len(FACES))
    mesh.field_data["note"] = np.array([1.0, 2.0])
    return mesh


@pytest.mark.parametrize("suffix", [".vtk", ".vtp", ".ply", ".stl"])
@pytest.mark.parametrize("binary", [True, False])
def test_pyvista_writes(suffix: str, binary: bool, polydata: object, tmp_path: Path) -> None:
    path = tmp_path / f"mesh{suffix}"
    polydata.save(path, binary=binary)
    if suffix == ".stl":
        vertices, faces = read_mesh(path)
        assert np.allclose(vertices[faces], VERTICES[FACES], atol=1e-4)
    else:
        is_the_mesh(path, exact=suffix in (".vtk", ".vtp") and binary)


@pytest.mark.parametrize("mode", ["ascii", "binary", "appended"])
@pytest.mark.parametrize("compressor", ["none", "zlib"])
@pytest.mark.parametrize("header", ["UInt32", "UInt64"])
@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("big_endian", [True, False])
def test_every_kind_of_vtp(
    mode: str, compressor: str, header: str, encoded: bool, big_endian: bool, polydata: object, tmp_path: Path
) -> None:
    io_xml = pytest.importorskip("vtkmodules.vtkIOXML", reason="pyvista is not installed")
    path = tmp_path / "mesh.vtp"
    writer = io_xml.vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(polydata)
    getattr(writer, f"SetDataModeTo{mode.capitalize()}")()
    getattr(writer, f"SetCompressorTypeTo{'ZLib' if compressor == 'zlib' else 'None'}")()
    getattr(writer, f"SetHeaderTypeTo{header}")()
    writer.SetEncodeAppendedData(encoded)
    getattr(writer, f"SetByteOrderTo{'BigEndian' if big_endian else 'LittleEndian'}")()
    writer.SetBlockSize(1024)  # many blocks
    assert writer.Write() == 1
    is_the_mesh(path, exact=mode != "ascii")


@pytest.mark.parametrize("compressor", ["LZ4", "LZMA"])
def test_other_compressors_are_named(compressor: str, polydata: object, tmp_path: Path) -> None:
    io_xml = pytest.importorskip("vtkmodules.vtkIOXML", reason="pyvista is not installed")
    writer = io_xml.vtkXMLPolyDataWriter()
    writer.SetFileName(str(tmp_path / "mesh.vtp"))
    writer.SetInputData(polydata)
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    writer.Write()
    with pytest.raises(FormatError, match=f"compressor 'vtk{compressor}DataCompressor' is not supported"):
        read_mesh(tmp_path / "mesh.vtp")


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("binary", [True, False])
def test_legacy_versions(version: int, binary: bool, polydata: object, tmp_path: Path) -> None:
    legacy = pytest.importorskip("vtkmodules.vtkIOLegacy", reason="pyvista is not installed")
    writer = legacy.vtkPolyDataWriter()
    writer.SetFileName(str(tmp_path / "mesh"))
    writer.SetInputData(polydata)
    writer.SetFileVersion(version)
    getattr(writer, f"SetFileTypeTo{'Binary' if binary else 'ASCII'}")()
    assert writer.Write() == 1
    is_the_mesh(tmp_path / "mesh", exact=binary)


def test_two_pieces_become_one_mesh() -> None:
    piece = (
        '<Piece NumberOfPoints="3" NumberOfPolys="1"><Points><DataArray type="Float32" '
        'NumberOfComponents="3" format="ascii">0 0 {z} 1 0 {z} 0 1 {z}</DataArray></Points><Polys>'
        '<DataArray type="Int32" Name="connectivity" format="ascii">0 1 2</DataArray>'
        '<DataArray type="Int32" Name="offsets" format="ascii">3</DataArray></Polys></Piece>'
    )
    text = (
        '<VTKFile type="PolyData"><PolyData>'
        + piece.format(z=0)
        + piece.format(z=7)
        + "</PolyData></VTKFile>"
    )
    vertices, faces = parse_mesh(text.encode(), PATH)
    assert vertices[:, 2].tolist() == [0, 0, 0, 7, 7, 7]
    assert faces.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_vtk_quads_are_refused(tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    quads = pyvista.Plane(i_resolution=2, j_resolution=2)
    for suffix in (".vtk", ".vtp", ".ply"):
        quads.save(tmp_path / f"quads{suffix}")
        with pytest.raises(FormatError, match=r"expected triangles, found 4 polygons of"):
            read_mesh(tmp_path / f"quads{suffix}")


def test_vtk_of_an_unstructured_grid_of_triangles() -> None:
    """As meshio writes its surfaces."""
    text = (
        "# vtk DataFile Version 5.1\nwritten by another program\nASCII\nDATASET UNSTRUCTURED_GRID\n"
        "POINTS 4 double\n0 0 0 1 0 0 0 1 0 0 0 1.5e0\n\nCELLS 3 6\nOFFSETS vtktypeint64\n0 3 6\n"
        "CONNECTIVITY vtktypeint64\n0 1 2 0 1 3\nCELL_TYPES 2\n5\n5\n"
    )
    vertices, faces = parse_mesh(text.encode(), PATH)
    assert vertices[3].tolist() == [0, 0, 1.5]
    assert faces.tolist() == [[0, 1, 2], [0, 1, 3]]
    with pytest.raises(FormatError, match="expected triangles, found other cells"):
        parse_mesh(text.replace("\n5\n5\n", "\n5\n22\n").encode(), PATH)


def test_vtk_with_all_it_may_hold() -> None:
    text = (
        "# vtk DataFile Version 2.0\ntitle with POINTS 3 float in it\nASCII\nDATASET POLYDATA\n"
        "FIELD FieldData 1\ntime 1 2 double\n0.5 1e3\nPOINTS 3 float\n0 0 0\n1 0 0 0 1\n0\n"
        "VERTICES 1 2\n1 0\nLINES 1 3\n2 0 1\nPOLYGONS 1 4\n3 0 1 2\nPOINT_DATA 3\nSCALARS s float\n"
        "LOOKUP_TABLE default\n1 2 x\n"
    )
    vertices, faces = parse_mesh(text.encode(), PATH)
    assert vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert faces.tolist() == [[0, 1, 2]]


# ---- trimesh, nibabel


@pytest.mark.parametrize("suffix", ["ply", "obj", "off", "stl", "stl_ascii"])
def test_trimesh_writes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "mesh"
    content = trimesh.Trimesh(VERTICES, FACES, process=False).export(file_type=suffix)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    vertices, faces = read_mesh(path)
    assert np.allclose(vertices[faces], VERTICES[FACES], atol=1e-4)
    if not suffix.startswith("stl"):
        assert np.array_equal(faces, FACES)


def test_trimesh_ply_with_colours_and_normals(tmp_path: Path) -> None:
    mesh = trimesh.Trimesh(VERTICES, FACES, process=False)
    mesh.visual.vertex_colors = np.arange(4 * len(VERTICES)).reshape(-1, 4) % 256
    mesh.visual.face_colors = [1, 2, 3, 4]
    for encoding in ("binary", "ascii"):
        path = tmp_path / encoding
        path.write_bytes(mesh.export(file_type="ply", encoding=encoding, vertex_normal=True))
        vertices, faces = read_mesh(path)
        assert np.allclose(vertices, VERTICES, atol=1e-3)
        assert np.array_equal(faces, FACES)


@pytest.mark.parametrize("stamp", ["created by someone on Mon", "", "x" * 300])
def test_nibabel_writes_freesurfer(stamp: str, tmp_path: Path) -> None:
    nib.freesurfer.write_geometry(tmp_path / "lh.anything", VERTICES, FACES, create_stamp=stamp)
    is_the_mesh(tmp_path / "lh.anything")


def gifti_image(*arrays: nib.gifti.GiftiDataArray) -> bytes:
    return nib.gifti.GiftiImage(darrays=list(arrays)).to_bytes()


def gifti_array(data: np.ndarray, intent: str, **options: object) -> nib.gifti.GiftiDataArray:
    return nib.gifti.GiftiDataArray(data, intent=f"NIFTI_INTENT_{intent}", **options)


POINTS = VERTICES.astype(np.float32)
TRIANGLES = FACES.astype(np.int32)


@pytest.mark.parametrize("encoding", ["ASCII", "B64BIN", "B64GZ"])
@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_nibabel_writes_gifti(encoding: str, endian: str, order: str) -> None:
    options = {"encoding": f"GIFTI_ENCODING_{encoding}", "endian": endian, "ordering": order}
    content = gifti_image(
        gifti_array(POINTS, "POINTSET", **options), gifti_array(TRIANGLES, "TRIANGLE", **options)
    )
    if encoding == "ASCII" and order == "F":  # programs disagree about what this means
        with pytest.raises(FormatError, match="ambiguous"):
            parse_mesh(content, PATH)
        return
    vertices, faces = parse_mesh(content, PATH)
    assert np.allclose(vertices, VERTICES, rtol=1e-6, atol=1e-5)
    assert np.array_equal(faces, FACES)


def test_gifti_by_intent_never_by_position() -> None:
    """Triangles first, a scalar map between, normals of the same shape as the points."""
    content = gifti_image(
        gifti_array(np.zeros_like(POINTS), "VECTOR"),
        gifti_array(TRIANGLES, "TRIANGLE"),
        gifti_array(np.zeros(len(POINTS), np.float32), "SHAPE"),
        gifti_array(POINTS, "POINTSET"),
    )
    vertices, faces = parse_mesh(content, PATH)
    assert np.array_equal(vertices, VERTICES)
    assert np.array_equal(faces, FACES)


def test_gifti_of_unusual_types() -> None:
    points = gifti_array(VERTICES, "POINTSET", datatype="NIFTI_TYPE_FLOAT64")
    triangles = gifti_array(FACES, "TRIANGLE", datatype="NIFTI_TYPE_INT64")
    image = nib.gifti.GiftiImage(darrays=[points, triangles])
    vertices, _ = parse_mesh(image.to_bytes(mode="force"), PATH)
    assert np.array_equal(vertices, VERTICES)


def test_gifti_transform_is_not_applied() -> None:
    shift = np.eye(4)
    shift[:3, 3] = 100
    points = gifti_array(POINTS, "POINTSET", coordsys=nib.gifti.GiftiCoordSystem(0, 1, shift))
    vertices, _ = parse_mesh(gifti_image(points, gifti_array(TRIANGLES, "TRIANGLE")), PATH)
    assert np.array_equal(vertices, VERTICES)


def test_gifti_with_two_surfaces_is_refused() -> None:
    points, triangles = gifti_array(POINTS, "POINTSET"), gifti_array(TRIANGLES, "TRIANGLE")
    with pytest.raises(FormatError, match="one POINTSET array, found 2 among 3 arrays"):
        parse_mesh(gifti_image(points, points, triangles), PATH)
    with pytest.raises(FormatError, match="one TRIANGLE array, found 0 among 1 arrays"):
        parse_mesh(gifti_image(points), PATH)
    flat = gifti_array(POINTS.ravel(), "POINTSET")
    with pytest.raises(FormatError, match=r"POINTSET: expected shape \(n, 3\), found \(486,\)"):
        parse_mesh(gifti_image(flat, triangles), PATH)


# ---- dialects by hand


def test_ply_of_every_number_type_and_extra_elements() -> None:
    for endian, name in (("<", "little"), (">", "big")):
        header = (
            f"ply\r\nformat binary_{name}_endian 1.0\r\ncomment x\r\nobj_info y\r\nelement camera 2\r\n"
            "property float32 a\r\nproperty list uint8 int16 bs\r\nelement vertex 3\r\nproperty uchar red\r\n"
            "property float z\r\nproperty float y\r\nproperty float x\r\nelement face 1\r\n"
            "property list ushort uint vertex_index\r\nproperty list uchar float texcoord\r\n"
            "property double quality\r\nelement edge 1\r\nproperty int v1\r\nend_header\r\n"
        )
        body = 2 * struct.pack(endian + "fB2h", 0.5, 2, 1, 2)
        for x, y, z in ((0, 0, 0), (1, 0, 0), (0, 1, 5)):
            body += struct.pack(endian + "B3f", 9, z, y, x)
        body += struct.pack(endian + "H3IB2fdi", 3, 0, 1, 2, 2, 0.1, 0.2, 7.0, 1)
        vertices, faces = parse_mesh(header.encode() + body, PATH)
        assert vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 5]]
        assert faces.tolist() == [[0, 1, 2]]


def test_ply_ascii() -> None:
    text = (
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 2\nproperty list uchar int vertex_indices\nproperty uchar red\nend_header\n"
        "0 0 0\n1 0 0\n0 1 0\n3 0 1 2 255\n3 2 1 0 0\n"
    )
    assert parse_mesh(text.encode(), PATH)[1].tolist() == [[0, 1, 2], [2, 1, 0]]
    with pytest.raises(FormatError, match="expected triangles, found 1 polygons of 4 corners"):
        parse_mesh(text.replace("3 2 1 0 0", "4 2 1 0 0").encode(), PATH)
    with pytest.raises(FormatError, match="whole numbers"):
        parse_mesh(text.replace("3 2 1 0 0", "3 2 1 0.5 0").encode(), PATH)


def test_obj_dialects() -> None:
    text = (
        "# made by hand\nmtllib a.mtl\no thing\nv  0 0 0\nv\t1 0 0 1.0\r\nv 0 1 \\\n0\nvn 0 0 1\nvt 0 0\n"
        "usemtl m\ns off\nf 1/1/1 2//1 3/1\nv 0 0 1\nf -4 -3 -1\nf -2 -1 1\n"
    )
    with pytest.raises(FormatError, match="OBJ vertex 2: expected 3 numbers, found 4"):
        parse_mesh(text.encode(), PATH)
    vertices, faces = parse_mesh(text.replace(" 1.0\r", "\r").encode(), PATH)
    assert vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert faces.tolist() == [[0, 1, 2], [0, 1, 3], [2, 3, 0]]


def test_off_dialects() -> None:
    text = "OFF # comment\n# another\n3 1\n\n0 0 0\n1 0 0  255 0 0\n0 1 0\n 3  0 1 2   0.5 0.5\n"
    vertices, faces = parse_mesh(text.encode(), PATH)
    assert vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert faces.tolist() == [[0, 1, 2]]
    coloured = (
        "COFF 3 1 0\n" + "".join(f"{x} {y} 0 1 0 0 1\n" for x, y in ((0, 0), (1, 0), (0, 1))) + "3 0 1 2"
    )
    assert parse_mesh(coloured.encode(), PATH)[1].tolist() == [[0, 1, 2]]


def test_stl_binary_that_begins_with_solid() -> None:
    from mesh_cases import encode

    from spectralbrain.io._mesh_codecs import MESH_CODECS

    content = encode(MESH_CODECS[".stl"], VERTICES, FACES)
    disguised = b"solid but binary".ljust(80) + content[80:]
    vertices, faces = parse_mesh(disguised, PATH)
    assert np.array_equal(vertices[faces], VERTICES[FACES])


def test_stl_ascii_cut_inside_a_facet() -> None:
    corners = "  vertex 0 0 0\n  vertex 1 0 0\n  vertex 0 1e0 0\n"
    facet = f"facet normal 0 0 1\n outer loop\n{corners} endloop\nendfacet\n"
    whole = f"solid a name\n{facet}{facet}endsolid a name\n"
    vertices, faces = parse_mesh(whole.encode(), PATH)
    assert faces.tolist() == [[0, 1, 2]] * 2
    assert vertices[2].tolist() == [0, 1, 0]
    for end in range(30, len(whole) - 18):
        with pytest.raises(FormatError, match=r"STL: |known format"):
            parse_mesh(whole[:end].encode(), PATH)


def test_negative_zero_and_zero_are_one_place_in_stl() -> None:
    from mesh_cases import encode

    from spectralbrain.io._mesh_codecs import MESH_CODECS

    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-0.0, 0, 0], [0, 0, 1]])
    content = encode(MESH_CODECS[".stl"], vertices, np.array([[0, 1, 2], [3, 1, 4]]))
    assert parse_mesh(content, PATH)[1].tolist() == [[0, 1, 2], [0, 1, 3]]


def test_real_hippocampi(shared_data: Path) -> None:
    for path in sorted((shared_data / "hippunfold-v2").glob("*.surf.gii")):
        vertices, faces = read_mesh(path)
        peer = nib.load(path)
        assert np.array_equal(vertices, peer.agg_data("pointset"))
        assert np.array_equal(faces, peer.agg_data("triangle"))


def test_real_fsaverage5(tmp_path: Path) -> None:
    """nilearn ships gzip-compressed GIFTI; the content tells, whatever the name."""
    fsaverage = pytest.importorskip(
        "nilearn.datasets", reason="nilearn is not installed"
    ).fetch_surf_fsaverage()
    source = Path(fsaverage["pial_left"])
    key = tmp_path / "MD5E-s1--0123"
    key.write_bytes(source.read_bytes())
    link = tmp_path / "lh.pial"
    link.symlink_to(key)
    vertices, faces = read_mesh(link)
    peer = nib.load(source)
    assert np.array_equal(vertices, peer.agg_data("pointset"))
    assert np.array_equal(faces, peer.agg_data("triangle"))


def test_a_large_mesh_of_every_format_is_quick() -> None:
    """Not a timing test, only a guard against loops over vertices that would take minutes."""
    from mesh_cases import FORMATS, encode

    from spectralbrain.io._mesh_codecs import MESH_CODECS

    mesh = solids.sphere(6)
    for suffix in FORMATS:
        content = encode(MESH_CODECS[suffix], mesh.vertices, mesh.faces)
        assert len(MESH_CODECS[suffix].parse(content, PATH)[1]) == mesh.n_faces


def test_base64_with_its_header_apart() -> None:
    """Some writers encode the length and the data as two base64 streams."""
    points = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0], "<f8").tobytes()

    def apart(data: bytes) -> str:
        return (base64.b64encode(struct.pack("<I", len(data))) + base64.b64encode(data)).decode()

    text = (
        '<VTKFile type="PolyData" byte_order="LittleEndian"><PolyData><Piece NumberOfPoints="3" '
        f'NumberOfPolys="1"><Points><DataArray type="Float64" format="binary">{apart(points)}</DataArray>'
        '</Points><Polys><DataArray type="Int32" Name="connectivity" format="binary">'
        f'{apart(struct.pack("<3i", 0, 1, 2))}</DataArray><DataArray type="Int32" Name="offsets" '
        f'format="binary">{apart(struct.pack("<i", 3))}</DataArray></Polys></Piece></PolyData></VTKFile>'
    )
    vertices, faces = parse_mesh(text.encode(), PATH)
    assert vertices.ravel().tobytes() == points
    assert faces.tolist() == [[0, 1, 2]]
