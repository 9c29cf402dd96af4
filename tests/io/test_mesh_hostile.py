"""Files nobody vouches for: truncated, damaged, foreign, absurd and malicious ones."""

from __future__ import annotations

import base64
import gzip
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from mesh_cases import FORMATS, encode, plain_mesh

from spectralbrain.errors import FormatError
from spectralbrain.geometry import solids
from spectralbrain.io._mesh_codecs import MESH_CODECS, parse_mesh, read_mesh
from spectralbrain.io.load import load, load_gifti_surface, load_mesh

SMALL = solids.sphere(0)
CONTENT = {suffix: encode(MESH_CODECS[suffix], SMALL.vertices, SMALL.faces) for suffix in FORMATS}
PATH = Path("some/where/mesh")


def names_path(error: FormatError) -> None:
    assert str(error).startswith("some/where/mesh: ")


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_anywhere(suffix: str) -> None:
    """Cut after any byte: an error that names the path, or the whole mesh (a lost final newline)."""
    codec, content = MESH_CODECS[suffix], CONTENT[suffix]
    whole = codec.parse(content, PATH)
    for end in range(len(content)):
        try:
            found = codec.parse(content[:end], PATH)
        except FormatError as error:
            names_path(error)
        else:
            assert len(content) - end <= 2, end
            assert all(np.array_equal(a, b) for a, b in zip(found, whole, strict=True))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("other", FORMATS)
def test_foreign_to_every_codec(suffix: str, other: str) -> None:
    if MESH_CODECS[suffix] is not MESH_CODECS[other]:
        with pytest.raises(FormatError, match=r"^some/where/mesh: "):
            MESH_CODECS[suffix].parse(CONTENT[other], PATH)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    st.one_of(st.none(), st.tuples(st.integers(0, 10**6), st.binary(max_size=12))),
)
def test_damaged_bytes_never_crash(suffix: str, changes: list, inserted: tuple | None) -> None:
    content = bytearray(CONTENT[suffix])
    for place, value in changes:
        content[place % len(content)] = value
    if inserted:
        place = inserted[0] % len(content)
        content[place:place] = inserted[1]
    for parse in (MESH_CODECS[suffix].parse, parse_mesh):
        try:
            vertices, faces = parse(bytes(content), PATH)
        except FormatError as error:
            names_path(error)
        else:
            assert np.isfinite(vertices).all()
            assert faces.size == 0 or 0 <= faces.min() <= faces.max() < len(vertices)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=300))
@example(".ply", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\nnan")
@example(
    ".ply", b"ply\nformat ascii 1.0\nelement face 1\nproperty list int int vertex_index\nend_header\nnan"
)
@example(".ply", b"ply\nformat ascii 1.0\nelement vertex " + b"9" * 5000 + b"\nend_header\n")
@example(
    ".vtk", b"# vtk DataFile Version 3.0\n\nASCII\nDATASET POLYDATA\nPOINTS " + b"9" * 5000 + b" float\n"
)
@example(".off", b"OFF\n9999999999999999999999 1 0\n")
@example(".off", b"OFF 1 1 0\n0 0 0\n3 0 0 1e400")
@example(".obj", b"v 0 0 0\nf 1/1 2//1 9999999999999999999999\n")
def test_garbage_never_crashes(suffix: str, content: bytes) -> None:
    for parse in (MESH_CODECS[suffix].parse, parse_mesh):
        with pytest.raises(FormatError, match="some/where/mesh: "):
            parse(content, PATH)


# ---- declared sizes


def huge(suffix: str) -> list[bytes]:
    content = CONTENT[suffix]
    many = b"999999999999"
    swaps: dict[str, list[tuple[bytes, bytes]]] = {
        ".ply": [
            (b"element vertex 12", b"element vertex " + many),
            (b"element face 20", b"element face " + many),
        ],
        ".obj": [(b": 12 vertices", b": " + many + b" vertices")],
        ".stl": [(struct.pack("<I", 20), struct.pack("<I", 2**32 - 1))],
        ".vtk": [
            (b"POINTS 12", b"POINTS " + many),
            (b"POLYGONS 20 80", b"POLYGONS " + many + b" 3999999999996"),
        ],
        ".vtp": [(b'NumberOfPoints="12"', b'NumberOfPoints="' + many + b'"')],
        ".off": [(b"12 20 0", many + b" 20 0"), (b"12 20 0", b"12 " + many + b" 0")],
        ".white": [
            (struct.pack(">i", 12), struct.pack(">i", 2**31 - 1)),
            (struct.pack(">i", 12), b"\xff" * 4),
        ],
        ".surf.gii": [(b'Dim0="12"', b'Dim0="' + many + b'"'), (b'Dim0="12"', b'Dim0="200000"')],
    }
    found = [content.replace(old, new, 1) for old, new in swaps[suffix]]
    assert all(changed != content for changed in found)
    return found


@pytest.mark.parametrize("suffix", FORMATS)
def test_absurd_counts_allocate_nothing(suffix: str) -> None:
    for content in huge(suffix):
        tracemalloc.start()
        try:
            with pytest.raises(FormatError, match="some/where/mesh: "):
                MESH_CODECS[suffix].parse(content, PATH)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


def test_gzip_bomb_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gii.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as stream:
        for _ in range(120):
            stream.write(b" " * 2**20)
    assert bomb.stat().st_size < 400_000
    with pytest.raises(FormatError, match=r"bomb\.gii\.gz: compressed data expand beyond .* refused"):
        load_mesh(bomb)


def test_many_tiny_gzip_members_do_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(b"", mtime=0) * 20_000)
    with pytest.raises(FormatError, match=r"members\.gz"):
        load_mesh(path)


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-9], lambda c: c[:40] + b"\0" * 8 + c[48:], lambda c: c + b"junk"]
)
def test_damaged_gzip(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "a.gii.gz"
    path.write_bytes(damage(gzip.compress(CONTENT[".surf.gii"])))
    with pytest.raises(FormatError, match=r"a\.gii\.gz: (damaged compressed|compressed data end)"):
        load_mesh(path)


def gifti_with(array: str, doctype: str = "") -> bytes:
    return f'<?xml version="1.0"?>\n{doctype}<GIFTI Version="1.0">{array}</GIFTI>'.encode()


def data_array(
    intent: str, kind: str, rows: object, data: str, encoding: str = "GZipBase64Binary", extra: str = ""
) -> str:
    return (
        f'<DataArray Intent="NIFTI_INTENT_{intent}" DataType="NIFTI_TYPE_{kind}" Dimensionality="2" '
        f'Dim0="{rows}" Dim1="3" Encoding="{encoding}" Endian="LittleEndian" {extra}>'
        f"<Data>{data}</Data></DataArray>"
    )


def test_zlib_bomb_inside_gifti_is_refused() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(120 * 2**20), 9)).decode()
    honest = gifti_with(data_array("POINTSET", "FLOAT32", 120 * 2**20 // 12, bomb))
    lying = gifti_with(data_array("POINTSET", "FLOAT32", 10, bomb))
    for content, message in (
        (honest, "compressed bytes declare"),
        (lying, "expected 120 bytes of data, found more"),
    ):
        tracemalloc.start()
        try:
            with pytest.raises(FormatError, match=message):
                MESH_CODECS[".gii"].parse(content, PATH)
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


def test_zlib_bomb_inside_vtp_is_refused() -> None:
    block = zlib.compress(bytes(2**20), 9)
    head = struct.pack("<IIII", 1, 2**31, 2**31, len(block))
    text = (base64.b64encode(head) + base64.b64encode(block)).decode()
    content = (
        '<VTKFile type="PolyData" byte_order="LittleEndian" compressor="vtkZLibDataCompressor"><PolyData>'
        '<Piece NumberOfPoints="3" NumberOfPolys="0"><Points><DataArray type="Float32" format="binary">'
        f"{text}</DataArray></Points></Piece></PolyData></VTKFile>"
    ).encode()
    with pytest.raises(FormatError, match="compressed bytes declare"):
        MESH_CODECS[".vtp"].parse(content, PATH)


LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {b} '{('&' + a + ';') * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize("root", ["GIFTI", "VTKFile"])
@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>",
        "<!DOCTYPE x [<!ENTITY % e SYSTEM 'file:///etc/hostname'> %e;]>",
        "<!DOCTYPE x [<!NOTATION n SYSTEM 'n'><!ENTITY e SYSTEM 'a' NDATA n>]>",
    ],
)
def test_entities_are_refused(root: str, doctype: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml"
    path.write_text(f"<?xml version='1.0'?>{doctype}<{root}>&e;</{root}>")
    for function in (load, load_mesh, load_gifti_surface):
        with pytest.raises(FormatError, match=r"bomb\.xml: "):
            function(path)
    with pytest.raises(FormatError, match="declares an entity: refused"):
        MESH_CODECS[".gii" if root == "GIFTI" else ".vtp"].parse(path.read_bytes(), path)


def test_external_dtd_of_real_gifti_files_is_not_fetched() -> None:
    """The standard DOCTYPE names a DTD on the network; it is legal and stays untouched."""
    assert b"<!DOCTYPE GIFTI SYSTEM" in CONTENT[".surf.gii"]
    vertices, _ = MESH_CODECS[".gii"].parse(CONTENT[".surf.gii"], PATH)
    assert len(vertices) == 12


def test_gifti_data_in_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.dat").write_bytes(bytes(36))
    extra = 'ExternalFileName="other.dat" ExternalFileOffset="0"'
    content = gifti_with(data_array("POINTSET", "FLOAT32", 3, "", "ExternalFileBinary", extra))
    with pytest.raises(FormatError, match="keeps its data in another file: refused"):
        MESH_CODECS[".gii"].parse(content, tmp_path / "a.gii")


@pytest.mark.parametrize("name", ["MatrixData", "Label", "Name", "Value", "Data", "DataArray", "DataSpace"])
def test_elements_where_they_do_not_belong(name: str) -> None:
    inside = data_array("POINTSET", "FLOAT32", 3, f"<{name}>AAAA</{name}>")
    for array in (inside, f"<{name}>AAAA</{name}>"):
        with pytest.raises(FormatError, match="some/where/mesh: "):
            MESH_CODECS[".gii"].parse(gifti_with(array), PATH)


def test_markup_inside_the_data_is_not_data() -> None:
    for markup in (b"<!-- x -->", b"<![CDATA[AAAA]]>", b"<?pi x?>", b"&#65;&#65;&#65;&#65;"):
        with pytest.raises(FormatError, match="damaged base64"):
            MESH_CODECS[".gii"].parse(CONTENT[".surf.gii"].replace(b"<Data>", b"<Data>" + markup), PATH)


def test_deeply_nested_xml_is_refused() -> None:
    content = b"<GIFTI>" + b"<a>" * 50_000
    with pytest.raises(FormatError, match="nests more than 100"):
        MESH_CODECS[".gii"].parse(content, PATH)


# ---- what is no file, or no mesh


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "lh.white"
    path.touch()
    with pytest.raises(FormatError, match=r"lh\.white: the file is empty"):
        load_mesh(path)


def test_directory_and_fifo(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="expected a regular file"):
        load_mesh(tmp_path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(FormatError, match="expected a regular file"):
        load_mesh(fifo)  # would wait for ever otherwise


def test_missing_file_and_dangling_link(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_mesh(tmp_path / "nothing")
    link = tmp_path / "lh.pial"
    link.symlink_to("../.git/annex/objects/MD5E-s1--00")
    with pytest.raises(FileNotFoundError, match=r"symbolic link to .*annex.*datalad"):
        load_mesh(link)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello, this is text\n", "no known format"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "found a file of kind 'hdf5'"),
        (b"PK\x03\x04" + bytes(100), "found a file of kind 'npz'"),
        (b"\xff\xff\xff" + struct.pack(">iii", 3, 1, 1) + bytes(12), "found a file of kind 'morph'"),
        (b"\xff\xff\xff" + bytes(100), "old quadrangle format or morphometry"),
        (b"\xff\xff\xfd" + bytes(100), "old quadrangle format or morphometry"),
    ],
)
def test_other_kinds_are_named(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_mesh(content, PATH)


def test_name_helps_the_message_where_content_is_damaged() -> None:
    with pytest.raises(FormatError, match="expected a PLY header"):
        parse_mesh(b"plx\n" + CONTENT[".ply"][4:], Path("a.ply"))


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".off", b"\n3 ", b"\n4 0 ", r"found \d+ other polygons"),
        (".obj", b"f 1 ", b"f 1 1 ", "OBJ face 2: expected 3 numbers, found 4"),
        (".obj", b"f 1 ", b"f 0 ", "expected indices from 1, found 0"),
        (".obj", b"f 1 ", b"f -99 ", "relative index points before the first vertex"),
        (".vtk", b"POLYGONS", b"TRIANGLE_STRIPS", "triangle strips"),
        (".vtk", b"POLYDATA", b"RECTILINEAR_GRID", "expected DATASET POLYDATA"),
        (".vtk", b"BINARY", b"PAPER", "expected a legacy VTK header"),
        (".vtk", b"double", b"quad", "type 'quad' is not supported"),
        (".vtp", b'type="PolyData"', b'type="ImageData"', "expected a VTKFile of type PolyData"),
        (".vtp", b'header_type="UInt64"', b'compressor="vtkLZ4DataCompressor"', "only zlib is"),
        (".vtp", b'header_type="UInt64"', b'header_type="Float32"', "header_type"),
        (".vtp", b'NumberOfPoints="12"', b'NumberOfPoints="11"', "NumberOfPoints does not fit"),
        (".vtp", b'NumberOfPolys="20"', b'NumberOfPolys="19"', "expected 19 polygons, found 20"),
        (".vtp", b'NumberOfStrips="0"', b'NumberOfStrips="1"', "triangle strips"),
        (".vtp", b'type="Int32" Name="conn', b'type="Float64" Name="conn', "expected integers"),
        (".vtp", b'Name="offsets"', b'Name="ends"', "Polys offsets: missing"),
        (".ply", b"property double x", b"property double t", "no property x"),
        (".ply", b"vertex_indices", b"corner_indices", "no list vertex_indices"),
        (".ply", b"binary_little_endian", b"binary_middle_endian", "unknown format"),
        (".ply", b"list uchar int", b"list float int", "length of type float"),
        (".surf.gii", b"INTENT_POINTSET", b"INTENT_TRIANGLE", "one POINTSET array, found 0 among 2"),
        (".surf.gii", b"INTENT_TRIANGLE", b"INTENT_POINTSET", "one POINTSET array, found 2 among 2"),
        (".surf.gii", b"NIFTI_TYPE_FLOAT32", b"NIFTI_TYPE_COMPLEX64", "data type .* not supported"),
        (".surf.gii", b"GZipBase64Binary", b"Base91", "encoding 'Base91' is unknown"),
        (".surf.gii", b'Endian="LittleEndian"', b'Endian="Middle"', "unknown Endian"),
        (".surf.gii", b'Dimensionality="2"', b'Dimensionality="0"', "Dimensionality"),
        (".surf.gii", b'Dim0="12"', b'Dim0="-12"', "cannot read the dimensions"),
        (".surf.gii", b"<Data>", b"<Data>!", "damaged base64"),
        (".white", b"\xff\xff\xfe", b"\xff\xff\xfc", "another magic number"),
    ],
)
def test_what_is_wrong_is_said(suffix: str, old: bytes, new: bytes, message: str) -> None:
    content = CONTENT[suffix].replace(old, new, 1)
    assert content != CONTENT[suffix]
    with pytest.raises(FormatError, match=message):
        MESH_CODECS[suffix].parse(content, PATH)


@pytest.mark.parametrize("suffix", FORMATS)
def test_wrong_numbers_are_found(suffix: str) -> None:
    vertices, faces = plain_mesh()
    outside = faces.copy()
    outside[5, 1] = len(vertices)
    if suffix != ".stl":
        with pytest.raises(FormatError, match=r"expected vertex indices in \[0, 161\], found 0 to 162"):
            MESH_CODECS[suffix].parse(encode(MESH_CODECS[suffix], vertices, outside), PATH)
    if suffix in (".ply", ".vtp"):
        broken = vertices.copy()
        broken[7, 1] = np.nan
        with pytest.raises(FormatError, match="1 of 162 vertices are not finite"):
            MESH_CODECS[suffix].parse(encode(MESH_CODECS[suffix], broken, faces), PATH)


def test_read_mesh_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(CONTENT[".ply"])
    assert np.array_equal(read_mesh(path)[0], load_mesh(path).vertices)
