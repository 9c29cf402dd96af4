"""Files made to hurt: refused quickly, without touching other files or taking memory."""

from __future__ import annotations

import io
import os
import resource
import struct
import sys
import time
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import spectralbrain as sb
from spectralbrain.errors import FormatError
from spectralbrain.io._hdf5_integrity import FOOTER


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["eigenvalues"] = np.arange(5.0)
        file.create_dataset("grow", data=np.arange(5.0), maxshape=(None,), chunks=(5,))
    return path


def external_link(file, secret):
    file["eigenvalues"] = h5py.ExternalLink(secret, "eigenvalues")


def external_link_to_unknown_name(file, secret):
    file["eigenvalues"] = np.arange(3.0)
    file["extra"] = h5py.ExternalLink(secret, "eigenvalues")


def external_link_in_descriptors(file, secret):
    file.create_group("descriptors")["hks"] = h5py.ExternalLink(secret, "eigenvalues")


def external_group(file, secret):
    file["descriptors"] = h5py.ExternalLink(secret, "/")


def soft_link(file, secret):
    file["other"] = np.arange(3.0)
    file["eigenvalues"] = h5py.SoftLink("/other")


def soft_link_loop(file, secret):
    file["eigenvalues"] = h5py.SoftLink("/vertices")
    file["vertices"] = h5py.SoftLink("/eigenvalues")


def soft_link_to_itself(file, secret):
    file.create_group("descriptors")["again"] = h5py.SoftLink("/descriptors")


def hard_link_loop(file, secret):
    group = file.create_group("descriptors")
    group["hks"] = np.arange(3.0)
    group["again"] = group


def hard_link_branching_loop(file, secret):
    group = file.create_group("descriptors")
    for i in range(20):
        group[f"again{i}"] = group


def external_storage(file, secret):
    kind, space = h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((4,))
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_external(str(secret).encode(), 0, 32)
    h5py.h5d.create(file.id, b"eigenvalues", kind, space, creation)


def virtual_dataset(file, secret):
    layout = h5py.VirtualLayout((5,), "f8")
    layout[:] = h5py.VirtualSource(secret, "eigenvalues", (5,))
    file.create_virtual_dataset("eigenvalues", layout)


def virtual_dataset_without_limit(file, secret):
    layout = h5py.VirtualLayout((5,), "f8", maxshape=(None,))
    source = h5py.VirtualSource(secret, "grow", (5,), maxshape=(None,))
    layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    file.create_virtual_dataset("eigenvalues", layout)


def absurd_shape(file, secret):
    file.create_dataset("eigenvectors", (10**9, 10**6), "f8", chunks=(1000, 10))


def absurd_contiguous_shape(file, secret):
    file.create_dataset("eigenvectors", (10**7, 10**3), "f8")


def absurd_chunk(file, secret):
    file.create_dataset("eigenvectors", (10, 4), "f8", chunks=(2**26, 4), maxshape=(None, 4))


def compression_bomb(file, secret):
    data = file.create_dataset("eigenvectors", (2**21, 100), "f8", chunks=(2**18, 10), compression="gzip")
    packed = zlib.compress(bytes(2**18 * 10 * 8), 9)
    for i in range(8):
        for j in range(10):
            data.id.write_direct_chunk((i * 2**18, j * 10), packed)


def many_bombs(file, secret):
    group = file.create_group("descriptors")
    for i in range(60):
        group.create_dataset(f"d{i}", (2**20, 4), "f8", chunks=(2**16, 4), compression="gzip")


def attribute_reference(file, secret):
    file["eigenvalues"] = np.arange(3.0)
    file.attrs["ref"] = file["eigenvalues"].ref


def attribute_of_sequences(file, secret):
    file["eigenvalues"] = np.arange(3.0)
    h5py.h5a.create(file.id, b"seq", h5py.h5t.vlen_create(h5py.h5t.STD_I64LE), h5py.h5s.create_simple((2,)))


def attribute_of_data(file, secret):
    file["eigenvalues"] = np.arange(3.0)
    file.attrs["facts"] = np.zeros(2**22)


def text_dataset(file, secret):
    file["eigenvalues"] = ["a", "b"]


def reference_dataset(file, secret):
    file["other"] = np.arange(3.0)
    file.create_dataset("eigenvalues", data=[file["other"].ref], dtype=h5py.ref_dtype)


def compound_dataset(file, secret):
    file["eigenvalues"] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])


def complex_dataset(file, secret):
    file["eigenvalues"] = np.zeros(3, dtype=complex)


def null_dataset(file, secret):
    file["eigenvalues"] = h5py.Empty("f8")


def committed_type(file, secret):
    file["eigenvalues"] = np.dtype("f8")


def group_instead_of_array(file, secret):
    file.create_group("eigenvalues")["x"] = h5py.SoftLink("/nowhere")


def unknown_filter(file, secret):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((4,))
    creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file.id, b"eigenvalues", h5py.h5t.IEEE_F64LE, space, creation)


def foreign_content(file, secret):
    file["measurements"] = np.arange(3.0)


def newer_version(file, secret):
    file["eigenvalues"] = np.arange(3.0)
    file.attrs["_spectralbrain_format_version"] = 99


HOSTILE = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and value.__module__ == __name__
    and name not in ("secret",)
    and not name.startswith("test")
]


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
@pytest.mark.parametrize("stamp", ["0.1.0"])
def test_a_hostile_file_is_refused(tmp_path, secret, make, stamp):
    path = tmp_path / "hostile.h5"
    with h5py.File(path, "w", libver="latest") as file:
        make(file, secret)
        if make is not foreign_content:
            file.attrs["spectralbrain_version"] = stamp
    opened = str(secret)
    secret.chmod(0)
    start = time.monotonic()
    for read in (sb.load_hdf5, sb.open_hdf5):
        with pytest.raises(FormatError, match=r"hostile\.h5") as caught:
            read(path)
        assert opened not in str(caught.value)
    assert time.monotonic() - start < 30


def test_nothing_else_is_opened(tmp_path, secret):
    """The source of a virtual dataset keeps its time of last access; the parser never opens it."""
    path = tmp_path / "hostile.h5"
    secret.unlink()
    os.mkfifo(secret)  # opening it would block for ever
    with h5py.File(path, "w") as file:
        virtual_dataset_without_limit(file, secret)
        file.attrs["spectralbrain_version"] = "0.1.0"
    start = time.monotonic()
    with pytest.raises(FormatError, match="virtual"):
        sb.load_hdf5(path)
    assert time.monotonic() - start < 10


def test_an_unsealed_copy_of_our_file_is_refused(tmp_path):
    path = sb.save_hdf5(tmp_path / "x.h5", eigenvalues=[1.0, 2.0])
    length = struct.unpack_from("<Q", path.read_bytes()[-FOOTER:], 16)[0]
    path.write_bytes(path.read_bytes()[:length])
    with h5py.File(path) as file:
        assert file["eigenvalues"][1] == 2.0
    with pytest.raises(FormatError, match="seal is missing"):
        sb.load_hdf5(path)


@pytest.mark.parametrize("zeros", [2**30, 2**33])
def test_npz_bombs(tmp_path, zeros):
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (zeros,)})
    content = header.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(content + bytes(2**20))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, min(zeros + len(content), 2**32 - 2))
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"bomb\.npz"):
        sb.load_npz(path)


def test_an_honest_npz_bomb(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(2**27, "u1"))
    with pytest.raises(FormatError, match="too many"):
        sb.load_npz(tmp_path / "bomb.npz")


@pytest.mark.parametrize("shape", [(10**12,), (-1,), (2**62, 4), (3, -2)])
def test_npz_shapes_that_lie(tmp_path, shape):
    path = tmp_path / "lie.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(80))
    with pytest.raises(FormatError, match=r"lie\.npz"):
        sb.load_npz(path)


class Exploit:
    def __reduce__(self):
        return (print, ("pickles were executed",))


def test_pickles_are_never_loaded(tmp_path, capsys):
    np.savez(tmp_path / "p.npz", x=np.array([Exploit(), 1], dtype=object))
    with pytest.raises(FormatError, match="pickle"):
        sb.load_npz(tmp_path / "p.npz")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["x.txt", "../../x", "evil"])
def test_npz_members_that_are_no_arrays(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr(name, b"boo")
    with pytest.raises(FormatError, match="expected arrays only"):
        sb.load_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["eigenvalues", "faces", "descriptors", "mass"])
def test_arrays_and_groups_where_the_other_belongs(tmp_path, name):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.attrs["spectralbrain_version"] = "0.1.0"
        if name in ("descriptors", "mass"):
            file[name] = np.arange(3.0)
        else:
            file.create_group(name)["x"] = np.arange(3.0)
    with pytest.raises(FormatError, match=f"x.h5: {name}: expected a"):
        sb.load_hdf5(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_names_that_occur_twice(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.arange(3))
    content = zipfile.ZipFile(tmp_path / "x.npz").read("a.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", content)
        archive.writestr("a.npy", content)
    with pytest.raises(FormatError, match="twice"):
        sb.load_npz(tmp_path / "x.npz")


def gifti(dims, data, doctype="", encoding="GZipBase64Binary", external="", ref=""):
    return f"""<?xml version="1.0" encoding="UTF-8"?>{doctype}
<GIFTI Version="1.0" NumberOfDataArrays="1"><MetaData/><LabelTable/>
<DataArray Intent="NIFTI_INTENT_NONE" DataType="NIFTI_TYPE_FLOAT32" ArrayIndexingOrder="RowMajorOrder"
 Dimensionality="1" Dim0="{dims}" Encoding="{encoding}" Endian="LittleEndian"
 ExternalFileName="{external}" ExternalFileOffset="0"><MetaData/>
<Data>{ref}{data}</Data></DataArray></GIFTI>"""


BILLION = (
    "<!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(12))
    + "]>"
)
PACKED = __import__("base64").b64encode(zlib.compress(bytes(12))).decode()
BOMB = __import__("base64").b64encode(zlib.compress(bytes(2**28))).decode()
GIFTI_FILES = {
    "billion_laughs": gifti(3, PACKED, BILLION, ref="&m;"),
    "entity_unused": gifti(3, PACKED, "<!DOCTYPE x [<!ENTITY a 'ha'>]>"),
    "external_entity": gifti(3, PACKED, "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", ref="&a;"),
    "external_file": gifti(3, "", encoding="ExternalFileBinary", external="/etc/passwd"),
    "absurd_dim": gifti(10**15, PACKED),
    "negative_dim": gifti(-3, PACKED),
    "dim_of_text": gifti("many", PACKED),
    "too_few": gifti(4, PACKED),
    "too_many": gifti(2, PACKED),
    "bomb": gifti(2**26, BOMB),
    "hidden_bomb": gifti(3, BOMB),
    "no_base64": gifti(3, "***"),
    "empty": gifti(3, ""),
    "nested": "<GIFTI>" * 100_000,
    "other_xml": "<svg/>",
    "no_arrays": '<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="0"></GIFTI>',
}


@pytest.mark.parametrize("name", GIFTI_FILES)
def test_hostile_gifti(tmp_path, name):
    path = tmp_path / "hostile.func.gii"
    path.write_text(GIFTI_FILES[name])
    with pytest.raises(FormatError, match=r"hostile\.func\.gii"):
        sb.load_gifti_func(path)


def test_the_template_of_hostile_gifti_is_a_good_file(tmp_path):
    path = tmp_path / "good.func.gii"
    path.write_text(gifti(3, PACKED))
    np.testing.assert_array_equal(sb.load_gifti_func(path), np.zeros(3))


def test_what_all_this_took(tmp_path):
    """None of the files above was given more memory than half a gigabyte in this process."""
    scale = 1 if sys.platform == "darwin" else 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale < 1.5e9
