"""Bad input is refused by the argument's name, before the first byte is written."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import spectralbrain as sb
from spectralbrain.errors import ArrayError, ArrayTypeError, SpectralBrainError

N, K = 6, 3
GOOD = {
    "eigenvalues": np.arange(K) / 2,
    "eigenvectors": np.ones((N, K)),
    "vertices": np.zeros((N, 3)),
    "faces": np.array([[0, 1, 2], [3, 4, 5]]),
    "descriptors": {"hks": np.ones((N, 2))},
    "mass": sp.eye_array(N, format="csr"),
}


def spoiled(shape, value):
    array = np.ones(shape)
    array.flat[1] = value
    return array


BAD_VALUES = [
    ("eigenvalues", spoiled(K, np.nan), "NaN"),
    ("eigenvalues", spoiled(K, np.inf), "infinite"),
    ("eigenvalues", spoiled(K, -np.inf), "infinite"),
    ("eigenvectors", spoiled((N, K), np.nan), "whole rows"),
    ("eigenvectors", spoiled((N, K), np.inf), "infinite"),
    ("vertices", spoiled((N, 3), np.nan), "NaN"),
    ("vertices", np.full((N, 3), np.nan), "NaN"),
    ("vertices", spoiled((N, 3), np.inf), "infinite"),
    ("faces", np.array([[0, 1, N]]), "indices"),
    ("faces", np.array([[0, -1, 2]]), "indices"),
    ("faces", np.array([[0, 1, 2**63]], dtype="u8"), "indices"),
    ("mass", sp.csr_array(np.full((N, N), np.nan)), "finite"),
]
BAD_SHAPES = [
    ("eigenvalues", np.ones((K, 1))),
    ("eigenvalues", np.float64(1)),
    ("eigenvalues", np.ones(K + 1)),
    ("eigenvectors", np.ones((N, K + 1))),
    ("eigenvectors", np.ones((N + 1, K))),
    ("eigenvectors", np.ones(N)),
    ("eigenvectors", np.ones((K, N))),
    ("vertices", np.ones((N, 2))),
    ("vertices", np.ones(3 * N)),
    ("vertices", np.ones((N + 1, 3))),
    ("faces", np.zeros((2, 4), int)),
    ("faces", np.zeros(3, int)),
    ("mass", sp.eye_array(N + 1)),
    ("mass", sp.eye_array(N, N - 1)),
]
TYPES = {
    "masked": lambda a: np.ma.array(a, mask=np.zeros(np.shape(a), bool)),
    "complex": lambda a: np.asarray(a).astype(complex),
    "object": lambda a: np.asarray(a).astype(object),
    "text": lambda a: np.asarray(a).astype(str),
    "bytes": lambda a: np.asarray(a).astype("S8"),
    "dates": lambda a: np.asarray(a).astype(int).astype("M8[s]"),
    "structured": lambda a: np.zeros(np.shape(a), dtype=[("x", float)]),
    "ragged": lambda a: [[1], [1, 2]],
    "string": lambda a: "abc",
    "dict": lambda a: {"a": 1},
    "sparse": lambda a: sp.eye_array(3),
}


def refuses(tmp_path, error, match, **arguments):
    path = tmp_path / "x.h5"
    path.write_bytes(b"old")
    with pytest.raises(error, match=match):
        sb.save_hdf5(path, **arguments)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.h5"]


@pytest.mark.parametrize(("name", "value", "match"), BAD_VALUES)
def test_values_that_are_not_legal(tmp_path, name, value, match):
    refuses(tmp_path, ArrayError, f"^{name}: .*{match}", **{**GOOD, name: value})


@pytest.mark.parametrize(("name", "value"), BAD_SHAPES)
def test_shapes_that_do_not_fit(tmp_path, name, value):
    refuses(tmp_path, ArrayError, r"(eigen|vert|faces|mass)\w*: expected", **{**GOOD, name: value})


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["eigenvalues", "eigenvectors", "vertices", "faces"])
def test_arrays_of_other_types(tmp_path, name, kind):
    refuses(tmp_path, ArrayError, f"^{name}: ", **{**GOOD, name: TYPES[kind](GOOD[name])})


@pytest.mark.parametrize("kind", TYPES)
def test_descriptors_of_other_types(tmp_path, kind):
    bad = TYPES[kind](np.ones((N, 2)))
    refuses(tmp_path, ArrayTypeError, r"^descriptors\['hks'\]: ", descriptors={"fine": 1.0, "hks": bad})


@pytest.mark.parametrize("kind", ["masked", "complex", "object", "text", "bytes", "structured", "ragged"])
def test_npz_arrays_of_other_types(tmp_path, kind):
    with pytest.raises(ArrayTypeError, match=r"^second: "):
        sb.save_npz(tmp_path / "x.npz", first=np.ones(2), second=TYPES[kind](np.ones(3)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["masked", "complex", "object", "text", "bytes", "ragged", "dict"])
@pytest.mark.parametrize(
    ("save", "name"),
    [
        (lambda p, v: sb.save_gifti_func(p / "x.func.gii", v), "scalars"),
        (lambda p, v: sb.save_connectome(p / "x.tsv", v), "matrix"),
        (lambda p, v: sb.save_mesh(p / "x.ply", v, [[0, 1, 2]]), "vertices"),
        (lambda p, v: sb.save_mesh(p / "x.ply", np.ones((3, 3)), v), "faces"),
    ],
)
def test_other_writers_refuse_other_types(tmp_path, save, name, kind):
    with pytest.raises(ArrayError, match=f"^{name}: "):
        save(tmp_path, TYPES[kind](np.ones((3, 3))))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["eigenvalues", "eigenvectors", "vertices"])
def test_booleans_are_not_measurements(tmp_path, name):
    refuses(tmp_path, ArrayTypeError, f"^{name}: ", **{**GOOD, name: np.ones_like(GOOD[name], dtype=bool)})


def test_faces_are_whole_numbers(tmp_path):
    refuses(tmp_path, ArrayTypeError, "^faces: ", faces=np.array([[0.0, 1.0, 2.0]]))


@pytest.mark.parametrize("mass", [np.eye(N), "text", [[1.0]]])
def test_mass_is_sparse(tmp_path, mass):
    refuses(tmp_path, ArrayTypeError, "^mass: expected a sparse matrix", mass=mass)


@pytest.mark.parametrize(
    "name", ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a\0b", "\ud800", "n" * 5000]
)
def test_descriptor_names_that_hdf5_would_change(tmp_path, name):
    refuses(tmp_path, ArrayError, "descriptors", descriptors={name: np.ones(2)})


@pytest.mark.parametrize("name", [1, None, b"a", ("a",)])
def test_descriptor_names_of_other_types(tmp_path, name):
    refuses(tmp_path, ArrayTypeError, "descriptors", descriptors={name: np.ones(2)})


def test_an_array_cannot_hold_another(tmp_path):
    refuses(tmp_path, ArrayError, "cannot hold", descriptors={"a": np.ones(2), "a/b": np.ones(2)})


@pytest.mark.parametrize("descriptors", [np.ones(3), [("a", np.ones(3))], "text"])
def test_descriptors_of_another_type(tmp_path, descriptors):
    refuses(tmp_path, ArrayTypeError, "descriptors: expected a mapping", descriptors=descriptors)


@pytest.mark.parametrize(
    "compression",
    ["GZIP", "zstd", "blosc", "szip", "", 4, True, b"gzip", "lz4", ["gzip"], np.array(["gzip", "lzf"])],
)
def test_filters_that_not_every_h5py_has(tmp_path, compression):
    refuses(tmp_path, ValueError, "compression: expected", eigenvalues=[1.0], compression=compression)


@pytest.mark.parametrize("level", [-1, 10, 4.0, "4", True, None, [4]])
def test_levels_that_gzip_does_not_have(tmp_path, level):
    refuses(tmp_path, ValueError, "compression_opts: expected", eigenvalues=[1.0], compression_opts=level)


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, True])
def test_numbers_of_threads_that_make_no_sense(tmp_path, n_threads):
    refuses(tmp_path, ArrayError, "n_threads", eigenvalues=[1.0], n_threads=n_threads)


def test_arguments_other_than_the_path_go_by_name(tmp_path):
    with pytest.raises(TypeError):
        sb.save_hdf5(tmp_path / "x.h5", np.ones(3))


def test_every_refusal_is_an_error_of_the_library_and_a_value_error(tmp_path):
    with pytest.raises(SpectralBrainError) as caught:
        sb.save_hdf5(tmp_path / "x.h5", eigenvalues=np.ones((2, 2)))
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "save",
    [
        lambda p: sb.save_hdf5(p, eigenvalues=np.ones(3)),
        lambda p: sb.save_npz(p, x=np.ones(3)),
        lambda p: sb.save_connectome(p, np.eye(2)),
        lambda p: sb.save_mesh(p, np.eye(3), [[0, 1, 2]]),
        lambda p: sb.save_gifti_func(p, np.ones(3)),
        sb.load_hdf5,
        sb.open_hdf5,
        sb.load_npz,
        sb.load_connectome,
        sb.load_gifti_func,
    ],
)
@pytest.mark.parametrize("path", ["", 3, None, b"x.h5", "a\0.h5", "folder/"])
def test_paths_that_are_none(save, path):
    with pytest.raises(ArrayError, match=r"^path: "):
        save(path)
