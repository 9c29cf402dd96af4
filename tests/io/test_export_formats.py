"""Tables, maps, meshes and archives: exact, and open in the programs of the field."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import hypothesis.extra.numpy as hnp
import nibabel
import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings, strategies as st

import spectralbrain as sb
from spectralbrain.errors import ArrayError, ArrayTypeError, FormatError
from spectralbrain.io._tsv import parse_table
from spectralbrain.io._tsv_plain import parse_plain_matrix

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SPHERE = sb.sphere(2)
VERTICES, FACES = np.asarray(SPHERE.vertices), np.asarray(SPHERE.faces)
MESH_SUFFIXES = (".ply", ".obj", ".stl", ".vtk", ".vtp", ".off", ".surf.gii", ".white")

# --- tables -------------------------------------------------------------------------------------


def test_a_table_by_the_letter(tmp_path):
    matrix = [[1.0, 0.1, math.nan], [1e-300, -0.0, 5e-324], [1 / 3, 1e22, 123456789.0]]
    path = sb.save_connectome(tmp_path / "c.tsv", matrix, labels=["a b", "ü", "3"])
    assert path.read_bytes().decode("utf-8") == (
        "node\ta b\tü\t3\n"
        "a b\t1.0\t0.1\tn/a\n"
        "ü\t1e-300\t-0.0\t5e-324\n"
        "3\t0.3333333333333333\t1e+22\t123456789.0\n"
    )


@quick
@given(
    matrix=st.integers(0, 5).flatmap(
        lambda n: hnp.arrays(float, (n, n), elements=st.floats(allow_infinity=False, allow_nan=True))
    )
)
def test_any_matrix_comes_back(tmp_path, matrix):
    found, labels = sb.load_connectome(sb.save_connectome(tmp_path / "c.tsv", matrix))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, matrix)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(matrix) & ~np.isnan(matrix))
    assert labels == [str(i) for i in range(len(matrix))]


@quick
@given(labels=st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_any_labels_come_back_or_are_refused(tmp_path, labels):
    matrix = np.zeros((len(labels), len(labels)))
    try:
        path = sb.save_connectome(tmp_path / "c.tsv", matrix, labels=labels)
    except ArrayError:
        return
    assert sb.load_connectome(path)[1] == labels


def test_pandas_reads_the_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    matrix = np.random.default_rng(0).standard_normal((5, 5))
    matrix[1, 2] = np.nan
    labels = ["ctx-lh'x", 'say "a"', "ü", "1", "two words"]
    path = sb.save_connectome(tmp_path / "c.tsv", matrix, labels=labels)
    table = pandas.read_csv(path, sep="\t", index_col="node", na_values="n/a")
    assert list(table.columns) == list(table.index) == labels
    np.testing.assert_allclose(table.to_numpy(), matrix, rtol=1e-15)  # pandas has parsers of its own


@pytest.mark.parametrize(
    "labels",
    [
        ["a"], ["a", "b", "c"], [], ["a", "a"], ["a", ""], ["a", " "], ["a", "x\ty"], ["a", "x\ny"],
        ["a", "x\ry"],
        ["a", "\0"], ["a", "\x85"], ["a", "\u2028"], ["a", "node"], ["a", "n/a"], ["a", '"q"'], ["a", " b"],
        ["a", "\ud800"], ["a", 1], ["a", None], ["a", b"b"], "ab", b"ab", 5,
    ],
)  # fmt: skip
def test_labels_that_a_table_cannot_hold(tmp_path, labels):
    with pytest.raises(ArrayError, match=r"^labels"):
        sb.save_connectome(tmp_path / "c.tsv", np.eye(2), labels=labels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "matrix",
    [
        np.ones((2, 3)),
        np.ones(3),
        np.ones((2, 2, 2)),
        1.0,
        [[np.inf]],
        [[2**53 + 1]],
        np.full((1, 1), 2**64 - 1),
    ],
)
def test_matrices_that_are_no_connectomes(tmp_path, matrix):
    with pytest.raises(ArrayError, match=r"^matrix"):
        sb.save_connectome(tmp_path / "c.tsv", matrix)


def test_the_sidecar(tmp_path):
    fields = {
        "RelationshipMeasure": "heat kernel distance",
        "Weighted": True,
        "Directed": False,
        "Größe": 1.5,
    }
    path = sb.save_connectome(tmp_path / "sub-01_relmat.tsv", np.eye(2), sidecar=fields)
    text = (tmp_path / "sub-01_relmat.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert {key: found[key] for key in fields} == fields
    assert "Größe" in text
    assert text.endswith("}\n")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["sub-01_relmat.json", path.name]


def test_the_sidecar_answers_what_the_matrix_does(tmp_path):
    def fields(matrix, **given):
        sb.save_connectome(tmp_path / "c.tsv", matrix, sidecar=given)
        return json.loads((tmp_path / "c.json").read_text())

    assert fields([[0, 1], [1, 0]]) == {
        "Directed": False,
        "Weighted": False,
        "ValidDiagonal": False,
        "NonNegative": True,
    }
    assert fields([[0.5, math.nan], [-2, 1]], Directed=False) == {
        "Directed": False,
        "Weighted": True,
        "ValidDiagonal": True,
        "NonNegative": False,
    }


@pytest.mark.parametrize("failing", ["c.tsv", "c.json"])
def test_a_sidecar_never_stands_beside_another_table(tmp_path, monkeypatch, failing):
    path = sb.save_connectome(tmp_path / "c.tsv", [[1.0]], sidecar={"of": 1})

    rename = Path.replace

    def replace(self, target):
        if target.name == failing:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        sb.save_connectome(path, [[2.0]], sidecar={"of": 2})
    with pytest.raises(KeyboardInterrupt):
        sb.save_connectome(path, [[3.0]], sidecar={"of": 3})
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.tsv"]
    monkeypatch.undo()
    sb.save_connectome(path, [[4.0]], sidecar={"of": 4})
    assert json.loads(path.with_suffix(".json").read_text())["of"] == 4


def test_a_full_disk_leaves_table_and_sidecar(tmp_path, monkeypatch):
    path = sb.save_connectome(tmp_path / "c.tsv", [[1.0]], sidecar={"of": 1})
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    calls = []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        sb.save_connectome(path, [[2.0]], sidecar={"of": 2})
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


def test_a_sidecar_does_not_take_the_place_of_its_table(tmp_path):
    with pytest.raises(ArrayError, match=r"^path"):
        sb.save_connectome(tmp_path / "c.json", np.eye(2), sidecar={})


@pytest.mark.parametrize(
    "sidecar", [3, "text", [1], {1: 2}, {"a": object()}, {"a": math.nan}, {"a": np.ones(2)}]
)
def test_sidecars_that_json_cannot_hold(tmp_path, sidecar):
    with pytest.raises(ArrayError, match=r"^sidecar"):
        sb.save_connectome(tmp_path / "c.tsv", np.eye(2), sidecar=sidecar)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\tb\n", "node\ta\tb\na\t1\t2\n", "node\ta\na\t1\nb\t2\n",
        "node\ta\nb\t1\n", "node\t\n\t1\n",
        "node\ta\na\t1\t2\n", "node\ta\na\n", "node\ta\na\tx\n", "node\ta\na\tinf\n", "node\ta\na\t-inf\n",
        "node\ta\na\t\n", "node\ta\na\t1_0\n", "node\ta\na\t 1\n", "node\ta\ta\na\t1\t2\na\t1\t2\n",
    ],
)  # fmt: skip
def test_tables_of_another_form(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(FormatError, match=r"t\.tsv"):
        sb.load_connectome(tmp_path / "t.tsv")


@pytest.mark.parametrize("head", ["", "Node", "name", "participant_id"])
@pytest.mark.parametrize("missing", ["n/a", "nan", "NaN"])
def test_tables_of_others_and_of_version_0_1_0_load(tmp_path, head, missing):
    (tmp_path / "t.tsv").write_text(f"{head}\ta\tb\na\t1\t{missing}\nb\t1e-5\t2\n")
    matrix, labels = sb.load_connectome(tmp_path / "t.tsv")
    np.testing.assert_array_equal(matrix, [[1, math.nan], [1e-5, 2]])
    assert labels == ["a", "b"]


NUMBERS = [
    *("0", "-0", "0.0", "-0.0", "-0e5", "-1e-999", "5", "-12345678901234567890", "1e22", "1e+16", "5e-324"),
    *(
        ".5",
        "5.",
        "-.5",
        "0.1",
        "2.4703282292062328e-324",
        "1.00000000000000011102230246251565",
        "n/a",
        "1e308",
    ),
]
NO_NUMBERS = [
    *(
        "",
        ".",
        "-",
        "1e",
        "1.2.3",
        "1-2",
        "--1",
        "1e5.3",
        "1e5e3",
        "e5",
        "n",
        "nan/a",
        "1n/a",
        "n/a1",
        "n/an/a",
    ),
    *("inf", "1e999", "1_0", "1 2", "0x10", "１", "1,5", "1e-", "-n/a", "n//a"),
]


@quick
@given(
    cells=st.lists(
        st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False).map(repr),
        min_size=9,
        max_size=9,
    ),
    bad=st.none() | st.sampled_from(NO_NUMBERS) | st.text("0123456789.-+en/a", max_size=6),
    where=st.integers(0, 8),
)
def test_large_tables_are_read_like_small_ones(cells, bad, where):
    """The fast way gives every bit that float() gives, and takes nothing that the careful one refuses."""
    if bad is not None:
        cells[where] = bad
    rows = ["\t".join(cells[i : i + 3]) for i in (0, 3, 6)]
    fast = parse_plain_matrix(rows)
    text = "node\ta\tb\tc\n" + "".join(f"{name}\t{row}\n" for name, row in zip("abc", rows, strict=True))
    try:
        careful, _ = parse_table(text, Path("c.tsv"))
    except FormatError:
        assert fast is None
        return
    if fast is not None:
        np.testing.assert_array_equal(fast, careful)
        np.testing.assert_array_equal(np.signbit(fast), np.signbit(careful))


def test_a_large_table_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((320, 320)) * 10.0 ** rng.integers(-300, 300, (320, 320))
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    matrix[rng.random(matrix.shape) < 0.1] = -0.0
    path = sb.save_connectome(tmp_path / "c.tsv", matrix)
    found, _ = sb.load_connectome(path)
    assert found.tobytes() == np.where(np.isnan(matrix), np.nan, matrix).tobytes()
    text = path.read_text().replace("\t-0.0\t", "\t1.2.3\t", 1)
    path.write_text(text)
    with pytest.raises(FormatError, match=r"c.tsv, line \d+: expected a number or n/a, found '1.2.3'"):
        sb.load_connectome(path)


def test_a_table_that_was_cut_is_found(tmp_path):
    whole = sb.save_connectome(
        tmp_path / "c.tsv", [[0.5, 0.25], [0.125, 2.0]], labels=["a", "b"]
    ).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.tsv").write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"cut\.tsv"):
            sb.load_connectome(tmp_path / "cut.tsv")


def test_a_table_with_the_line_ends_of_windows_loads(tmp_path):
    (tmp_path / "t.tsv").write_bytes(b"node\ta\r\na\t1.5\r\n")
    assert sb.load_connectome(tmp_path / "t.tsv")[0][0, 0] == 1.5


# --- maps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 4), (1,), (1, 1)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i4", "u1", ">f8"])
def test_maps_come_back(tmp_path, shape, dtype):
    values = (np.random.default_rng(0).random(shape) * 100).astype(dtype)
    found = sb.load_gifti_func(sb.save_gifti_func(tmp_path / "m.func.gii", values))
    assert found.dtype == np.float32
    assert found.shape == shape
    np.testing.assert_array_equal(found, values.astype("f4"))


@pytest.mark.parametrize(("suffix", "code"), [(".func.gii", 0), (".shape.gii", 2005), (".SHAPE.GII", 2005)])
def test_nibabel_reads_the_maps(tmp_path, suffix, code):
    values = np.random.default_rng(0).random((12, 3))
    values[4] = np.nan
    path = sb.save_gifti_func(
        tmp_path / f"m{suffix}", values, names=["t=1", "a<b&c", "ü"], structure="CortexLeft", units="mm^-2"
    )
    image = nibabel.load(path) if suffix.islower() else nibabel.GiftiImage.from_bytes(path.read_bytes())
    assert image.meta["AnatomicalStructurePrimary"] == "CortexLeft"
    assert [array.meta["Name"] for array in image.darrays] == ["t=1", "a<b&c", "ü"]
    for array, column in zip(image.darrays, values.T, strict=True):
        assert array.intent == code
        assert array.datatype == 16
        assert array.dims == [12]
        assert array.meta["Units"] == "mm^-2"
        np.testing.assert_array_equal(array.data, column.astype("f4"))


def test_workbench_reads_the_maps(tmp_path):
    program = shutil.which("wb_command")
    if program is None:
        pytest.skip("wb_command is not installed")
    path = sb.save_gifti_func(
        tmp_path / "m.shape.gii",
        np.arange(24.0).reshape(12, 2),
        names=["one", "two"],
        structure="HippocampusLeft",
    )
    done = subprocess.run([program, "-file-information", path], capture_output=True, text=True, check=True)
    assert "HippocampusLeft" in done.stdout
    assert "one" in done.stdout
    assert "two" in done.stdout


@pytest.mark.parametrize(
    "values",
    [
        [1e39], [-1e300], [1e-50], [np.inf], [2.0**128], np.array([2**24 + 1]), np.array([2**63 + 1], "u8"),
        np.longdouble("1e4000") * np.ones(1), np.ones((2, 2, 2)), 1.0, np.ones((0,)), np.ones((3, 0)),
    ],
)  # fmt: skip
def test_values_that_float32_or_gifti_cannot_hold(tmp_path, values):
    with pytest.raises(ArrayError, match=r"^scalars"):
        sb.save_gifti_func(tmp_path / "m.func.gii", values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        {"names": ["a"]}, {"names": ["a", "a"]}, {"names": ["a", 1]}, {"names": ["a", ""]},
        {"names": ["a", "b\0"]}, {"names": ["a", "\ufffe"]},
        {"names": ["a", "b\x1b"]}, {"names": ["a", " b"]}, {"names": "ab"}, {"structure": "CORTEX_LEFT"},
        {"structure": ""}, {"structure": "lh"}, {"units": ""}, {"units": 3}, {"units": "a\0"},
    ],
)  # fmt: skip
def test_options_of_maps_that_make_no_sense(tmp_path, options):
    with pytest.raises(ArrayError, match=f"^{next(iter(options))}"):
        sb.save_gifti_func(tmp_path / "m.func.gii", np.ones((3, 2)), **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["m.gii", "m.nii", "m", "m.surf.gii", "m.label.gii", "func.gii"])
def test_names_of_maps(tmp_path, name):
    with pytest.raises(ArrayError, match=r"^path"):
        sb.save_gifti_func(tmp_path / name, np.ones(3))


@pytest.mark.parametrize("encoding", ["ASCII", "Base64Binary", "GZipBase64Binary"])
@pytest.mark.parametrize("intent", ["NIFTI_INTENT_SHAPE", "NIFTI_INTENT_TIME_SERIES", "NIFTI_INTENT_NONE"])
def test_maps_of_others_are_stacked(tmp_path, encoding, intent):
    values = np.random.default_rng(0).random((9, 3)).astype("f4")
    arrays = [
        nibabel.gifti.GiftiDataArray(column, intent, "NIFTI_TYPE_FLOAT32", encoding=encoding)
        for column in values.T
    ]
    nibabel.save(nibabel.GiftiImage(darrays=arrays), tmp_path / "o.func.gii")
    np.testing.assert_allclose(sb.load_gifti_func(tmp_path / "o.func.gii"), values, atol=1e-6)


def test_a_surface_has_no_maps(tmp_path):
    path = sb.save_mesh(tmp_path / "x.surf.gii", VERTICES, FACES)
    with pytest.raises(FormatError, match="expected maps"):
        sb.load_gifti_func(path)


# --- meshes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", MESH_SUFFIXES + tuple(suffix.upper() for suffix in MESH_SUFFIXES))
def test_a_mesh_keeps_its_order_and_orientation(tmp_path, suffix):
    found = sb.load_mesh(sb.save_mesh(tmp_path / f"lh{suffix}", VERTICES, FACES))
    if "stl" in suffix.lower():  # a soup of triangles: the reader joins equal corners anew
        assert found.vertices.shape == VERTICES.shape
        corners = found.vertices[found.faces]
    else:
        np.testing.assert_array_equal(found.faces, FACES)
        corners = found.vertices[found.faces]
        np.testing.assert_allclose(found.vertices, VERTICES, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(corners, VERTICES[FACES], rtol=1e-6, atol=1e-5)
    assert found.volume > 0


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".off"])
def test_trimesh_reads_the_mesh(tmp_path, suffix):
    path = sb.save_mesh(tmp_path / f"x{suffix}", VERTICES, FACES)
    found = trimesh.load(path, process=suffix == ".stl")
    assert found.volume == pytest.approx(SPHERE.volume, rel=1e-5)
    assert len(found.vertices) == len(VERTICES)


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".vtk", ".vtp"])
def test_vtk_reads_the_mesh(tmp_path, suffix):
    try:
        import pyvista
    except ImportError:
        pytest.skip("pyvista is not installed")
    found = pyvista.read(sb.save_mesh(tmp_path / f"x{suffix}", VERTICES, FACES))
    assert found.n_cells == len(FACES)
    assert found.n_points == len(VERTICES)
    assert found.volume == pytest.approx(SPHERE.volume, rel=1e-5)


def test_nibabel_reads_the_mesh(tmp_path):
    points, triangles = nibabel.load(sb.save_mesh(tmp_path / "x.surf.gii", VERTICES, FACES)).agg_data()
    np.testing.assert_array_equal(triangles, FACES)
    np.testing.assert_array_equal(points, VERTICES.astype("f4"))
    points, triangles = nibabel.freesurfer.read_geometry(sb.save_mesh(tmp_path / "lh.white", VERTICES, FACES))
    np.testing.assert_array_equal(triangles, FACES)
    np.testing.assert_array_equal(points, VERTICES.astype("f4"))


@pytest.mark.parametrize("suffix", MESH_SUFFIXES)
@pytest.mark.parametrize("faces", [[[0, 1, 3]], [[0, -1, 2]], [[0, 1]], [0, 1, 2]])
def test_faces_that_do_not_fit(tmp_path, suffix, faces):
    path = tmp_path / f"lh{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(ArrayError, match=r"^faces"):
        sb.save_mesh(path, np.eye(3), faces)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", [".ply", ".stl", ".surf.gii", ".white"])
def test_coordinates_that_float32_cannot_hold(tmp_path, suffix):
    path = tmp_path / f"lh{suffix}"
    path.write_bytes(b"old")
    try:
        sb.save_mesh(path, np.eye(3) * 1e60, [[0, 1, 2]])
    except ArrayError:
        assert path.read_bytes() == b"old"
    else:
        np.testing.assert_array_equal(sb.load_mesh(path).vertices, np.eye(3) * 1e60)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("suffix", "vertices", "match"),
    [
        (".ply", np.empty((0, 3)), "vertices: expected at least one"),
        (".stl", np.eye(3), "faces: expected at least"),
    ],
)
def test_meshes_that_no_reader_would_take(tmp_path, suffix, vertices, match):
    with pytest.raises(ArrayError, match=match):
        sb.save_mesh(tmp_path / f"m{suffix}", vertices, np.empty((0, 3), int))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x", "x.xyz", "x.gii.gz", "x.PLYX", ".ply", "ply", "x.func.gii"])
def test_names_of_no_mesh_format(tmp_path, name):
    with pytest.raises(ArrayError, match=r"^path"):
        sb.save_mesh(tmp_path / name, VERTICES, FACES)


# --- archives -----------------------------------------------------------------------------------

NAMES = [
    "x", "path", "file", "self", "arrays", "allow_pickle", "a/b", "a.npy", "größe", "大脑", " ", "",
    ".", "..", "/",
    "../up", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x", "~", "%", "%41", "..%2Fup", "a\nb",
    "a\0b", "\ud800",
    "x" * 1000, "con", "a:b", "\u202e", "__class__",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works_and_stays_inside(tmp_path, name):
    values = np.arange(3.0)
    path = sb.save_npz(tmp_path / "x.npz", **{name: values, "other": np.ones(2)})
    found = sb.load_npz(path)
    assert found.keys() == {name, "other"}
    np.testing.assert_array_equal(found[name], values)
    (tmp_path / "inside").mkdir()
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            assert not member.startswith(("/", "\\"))
            assert ".." not in member.replace("\\", "/").split("/")
            assert (tmp_path / "inside" / member).resolve().is_relative_to(tmp_path / "inside")
    with np.load(path, allow_pickle=False) as archive:
        assert len(archive.files) == 2


def test_all_names_at_once(tmp_path):
    arrays = {name: np.array(i) for i, name in enumerate(NAMES)}
    found = sb.load_npz(sb.save_npz(tmp_path / "x.npz", **arrays))
    assert {name: int(value) for name, value in found.items()} == {name: i for i, name in enumerate(NAMES)}


def test_the_path_may_be_given_by_name(tmp_path):
    assert sb.save_npz(path=tmp_path / "x.npz", x=np.ones(1)).exists()
    with pytest.raises(ArrayError, match=r"^path"):
        sb.save_npz(x=np.ones(1))


@pytest.mark.parametrize("name", ["x", "x.npz", "x.dat", "x.tar.gz"])
def test_the_returned_path_is_the_file(tmp_path, name):
    path = sb.save_npz(tmp_path / name, x=np.ones(3))
    assert path == tmp_path / name
    with np.load(path) as archive:
        np.testing.assert_array_equal(archive["x"], np.ones(3))


def test_an_archive_of_nothing(tmp_path):
    assert sb.load_npz(sb.save_npz(tmp_path / "x.npz")) == {}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["?", "i1", "u8", ">i4", "f2", "f4", ">f8", "g", "M8[ns]", "m8[s]"])
def test_archives_keep_dtype_and_order(tmp_path, dtype, order):
    values = np.asarray(np.arange(12).reshape(3, 4).astype("i8").astype(dtype), order=order)
    path = sb.save_npz(tmp_path / "x.npz", x=values)
    for found in (sb.load_npz(path)["x"], np.load(path)["x"]):
        assert found.dtype == values.dtype
        assert found.flags.c_contiguous == values.flags.c_contiguous
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_numpy_load(tmp_path, save):
    save(tmp_path / "x.npz", a=np.arange(5), b=np.asfortranarray(np.eye(3)))
    found = sb.load_npz(tmp_path / "x.npz")
    np.testing.assert_array_equal(found["a"], np.arange(5))
    np.testing.assert_array_equal(found["b"], np.eye(3))


def test_what_compresses_is_compressed_and_what_does_not_is_stored(tmp_path):
    path = sb.save_npz(
        tmp_path / "x.npz", zeros=np.zeros((9000, 300)), noise=np.random.default_rng(0).random(100_000)
    )
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("zeros.npy").compress_size < 100_000
        assert archive.getinfo("noise.npy").compress_type == zipfile.ZIP_STORED
    assert sb.load_npz(path)["zeros"].shape == (9000, 300)


def test_an_archive_in_memory_is_what_zipfile_calls_sound(tmp_path):
    path = sb.save_npz(tmp_path / "x.npz", x=np.arange(1000.0), y=np.zeros(10))
    assert zipfile.ZipFile(io.BytesIO(path.read_bytes())).testzip() is None


def test_refusals_are_type_errors_where_the_type_is_wrong(tmp_path):
    with pytest.raises(ArrayTypeError):
        sb.save_npz(tmp_path / "x.npz", x=np.array([1j]))
