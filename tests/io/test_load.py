"""Maps, labels and masks: every source the field has, told by content, lengths checked."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from mesh_cases import encode, plain_mesh

from spectralbrain.errors import ArrayError, ArrayTypeError, FormatError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.io import load as load_module
from spectralbrain.io._mesh_codecs import MESH_CODECS
from spectralbrain.io.load import (
    SurfaceLabels,
    load,
    load_freesurfer_surface,
    load_gifti_surface,
    load_labels,
    load_mask,
    load_mesh,
    load_scalars,
)

N = 50
RNG = np.random.default_rng(0)
VALUES = RNG.standard_normal(N).astype(np.float32)
MAPS = RNG.standard_normal((N, 3)).astype(np.float32)


def gifti(
    path: Path, *arrays: tuple[np.ndarray, str], table: dict[int, str] | None = None, **meta: str
) -> Path:
    image = nib.gifti.GiftiImage()
    for data, intent in arrays:
        array = nib.gifti.GiftiDataArray(data, intent=f"NIFTI_INTENT_{intent}")
        array.meta.update(meta)
        image.add_gifti_data_array(array)
    for key, name in (table or {}).items():
        label = nib.gifti.GiftiLabel(key, 0.1, 0.2, 0.3, 1.0)
        label.label = name
        image.labeltable.labels.append(label)
    path.write_bytes(image.to_bytes())
    return path


# ---- scalars


def test_new_morphometry(tmp_path: Path) -> None:
    nib.freesurfer.write_morph_data(tmp_path / "lh.thickness", VALUES, fnum=96)
    found = load_scalars(tmp_path / "lh.thickness", n_vertices=N)
    assert found.dtype == np.float64
    assert np.array_equal(found, VALUES)


def test_old_morphometry(tmp_path: Path) -> None:
    """Before 2000: three-byte counts and hundredths as two-byte integers."""
    stored = np.arange(-25, 25, dtype=">i2")
    path = tmp_path / "lh.curv"
    path.write_bytes(N.to_bytes(3, "big") + (96).to_bytes(3, "big") + stored.tobytes())
    assert np.array_equal(load_scalars(path), stored / 100)
    assert np.array_equal(load_scalars(path), nib.freesurfer.read_morph_data(path))


@pytest.mark.parametrize("shape", [(N, 1, 1), (1, N, 1), (1, 1, N), (N, 1, 1, 3)])
@pytest.mark.parametrize("dtype", ["float32", "int16", "int32", "uint8"])
def test_mgh(shape: tuple, dtype: str, tmp_path: Path) -> None:
    values = (100 * MAPS[:, : (*shape, 1)[3]]).astype(dtype)
    data = values.T.reshape(values.shape[1], *shape[:3]).transpose(1, 2, 3, 0)
    data = data if len(shape) == 4 else data[..., 0]
    nib.MGHImage(data, np.eye(4)).to_filename(tmp_path / "a.mgz")
    expected = values if len(shape) == 4 else values[:, 0]
    assert np.array_equal(load_scalars(tmp_path / "a.mgz", n_vertices=N), expected)


@pytest.mark.parametrize("intent", ["SHAPE", "NONE", "TIME_SERIES", "TTEST", "ESTIMATE"])
def test_gifti_maps(intent: str, tmp_path: Path) -> None:
    one = gifti(tmp_path / "a", (VALUES, intent))
    assert np.array_equal(load_scalars(one), VALUES)
    several = gifti(tmp_path / "b", *((column, intent) for column in MAPS.T))
    assert np.array_equal(load_scalars(several, n_vertices=N), MAPS)
    matrix = gifti(tmp_path / "c", (MAPS, intent))
    assert np.array_equal(load_scalars(matrix), MAPS)


def test_maps_beside_the_geometry(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    values = np.arange(len(vertices), dtype=np.float32)
    path = gifti(
        tmp_path / "a.gii",
        (faces.astype(np.int32), "TRIANGLE"),
        (values, "SHAPE"),
        (vertices.astype(np.float32), "POINTSET"),
    )
    assert np.array_equal(load_scalars(path), values)
    assert load(path).n_vertices == len(values)  # a surface is first of all a surface


def test_nan_is_kept_and_infinity_refused(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[3] = np.nan
    found = load_scalars(gifti(tmp_path / "a", (values, "SHAPE")))
    assert np.isnan(found).tolist() == np.isnan(values).tolist()
    values[4] = np.inf
    with pytest.raises(FormatError, match="expected finite values or NaN, found 1 infinite"):
        load_scalars(gifti(tmp_path / "a", (values, "SHAPE")))


def test_npy_and_text(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAPS)
    assert np.array_equal(load_scalars(tmp_path / "a.npy"), MAPS)
    np.savetxt(tmp_path / "b", VALUES, fmt="%.9g")
    assert np.array_equal(load_scalars(tmp_path / "b").astype(np.float32), VALUES)
    (tmp_path / "c.csv").write_text("1, 2\n3, nan\n")
    assert np.array_equal(load_scalars(tmp_path / "c.csv"), [[1, 2], [3, np.nan]], equal_nan=True)
    (tmp_path / "d").write_text("1 2\n3\n")
    with pytest.raises(FormatError, match="lines of equally many numbers"):
        load_scalars(tmp_path / "d")
    (tmp_path / "e").write_text("1 2 3\n4\n")
    with pytest.raises(FormatError, match="lines of equally many numbers"):
        load_scalars(tmp_path / "e")


def test_npy_that_is_hostile_or_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="cannot read the NumPy array"):
        load_scalars(path)
    np.save(path, np.array(["a", "b"]))
    with pytest.raises(FormatError, match=r"expected numbers of shape \(N,\) or \(N, T\)"):
        load_scalars(path)
    np.save(path, np.zeros((2, 2, 2)))
    with pytest.raises(FormatError, match=r"found float64 of shape \(2, 2, 2\)"):
        load_scalars(path)
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(80))
    with pytest.raises(FormatError, match="cannot read the NumPy array"):
        load_scalars(path)


@pytest.mark.parametrize("reader", [load_scalars, load_labels])
def test_lengths_are_checked(reader: object, tmp_path: Path) -> None:
    intent, data = ("SHAPE", VALUES) if reader is load_scalars else ("LABEL", np.arange(N, dtype=np.int32))
    path = gifti(tmp_path / "a.gii", (data, intent))
    assert len(getattr(reader(path, n_vertices=N), "keys", reader(path))) == N
    with pytest.raises(FormatError, match=r"a\.gii: expected 51 values, one per vertex .* found 50"):
        reader(path, n_vertices=N + 1)


def test_what_is_no_map(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    surface = tmp_path / "s.surf.gii"
    surface.write_bytes(encode(MESH_CODECS[".gii"], vertices, faces))
    with pytest.raises(FormatError, match="found intents NIFTI_INTENT_POINTSET, NIFTI_INTENT_TRIANGLE"):
        load_scalars(surface)
    labels = gifti(tmp_path / "l", (np.zeros(N, np.int32), "LABEL"))
    with pytest.raises(FormatError, match="found intents NIFTI_INTENT_LABEL"):
        load_scalars(labels)
    uneven = gifti(tmp_path / "u", (VALUES, "SHAPE"), (VALUES[:-1], "SHAPE"))
    with pytest.raises(FormatError, match="do not fit together"):
        load_scalars(uneven)
    nodes = gifti(tmp_path / "n", (np.arange(N, dtype=np.int32), "NODE_INDEX"), (VALUES, "SHAPE"))
    with pytest.raises(FormatError, match="subset of the nodes"):
        load_scalars(nodes)
    volume = tmp_path / "v.mgz"
    nib.MGHImage(np.zeros((4, 4, 4), np.float32), np.eye(4)).to_filename(volume)
    with pytest.raises(FormatError, match=r"found an MGH volume of shape \(4, 4, 4\)"):
        load_scalars(volume)
    path = tmp_path / "lh.white"
    path.write_bytes(encode(MESH_CODECS[".white"], vertices, faces))
    with pytest.raises(FormatError, match="found a file of kind 'freesurfer'"):
        load_scalars(path)


# ---- labels


NAMES = ["unknown", "bankssts", "insula", "précuneus"]


def annotation(path: Path, keys: np.ndarray, names: list[str] = NAMES) -> Path:
    table = np.array([[20 * i, 30, 40 + i, 0, 0] for i in range(len(names))])
    nib.freesurfer.write_annot(path, keys, table, [name.encode() for name in names], fill_ctab=True)
    return path


def test_annotation(tmp_path: Path) -> None:
    keys = RNG.integers(-1, 4, N)
    path = annotation(tmp_path / "lh.aparc.annot", keys)
    labels = load_labels(path, n_vertices=N)
    expected, _, names = nib.freesurfer.read_annot(path)
    assert np.array_equal(labels.keys, expected)
    assert labels.table == dict(enumerate(NAMES))
    assert [name.decode() for name in names] == NAMES
    assert np.array_equal(labels.mask("insula"), keys == 2)
    assert np.array_equal(labels.mask(1), keys == 1)


def test_annotation_with_the_old_colour_table(tmp_path: Path) -> None:
    vertices = np.arange(4)[::-1]
    colours = [10 + (20 << 8), 10 + (20 << 8), 5, 77]
    body = struct.pack(">i", 4) + b"".join(
        struct.pack(">2i", v, c) for v, c in zip(vertices.tolist(), colours, strict=True)
    )
    body += struct.pack(">2i", 1, 2) + struct.pack(">i", 5) + b"orig\0"
    for name, red, green in ((b"one\0", 10, 20), (b"two\0", 5, 0)):
        body += struct.pack(">i", len(name)) + name + struct.pack(">4i", red, green, 0, 0)
    path = tmp_path / "old.annot"
    path.write_bytes(body)
    with pytest.raises(FormatError, match="found a file of kind 'unknown'"):
        load_labels(path)  # vertices out of order are not told from noise ...
    in_order = b"".join(struct.pack(">2i", v, c) for v, c in zip(range(4), colours, strict=True))
    path.write_bytes(body[:4] + in_order + body[36:])
    labels = load_labels(path)
    assert labels.keys.tolist() == [0, 0, 1, -1]
    assert labels.table == {0: "one", 1: "two"}


def test_annotation_without_names(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(struct.pack(">i", 2) + struct.pack(">4i", 0, 5, 1, 5))
    with pytest.raises(FormatError, match="has no colour table"):
        load_labels(path)


def test_gifti_labels(tmp_path: Path) -> None:
    keys = RNG.integers(0, 3, N).astype(np.int32)
    table = {0: "???", 1: "L_a & b", 2: "L_c"}
    labels = load_labels(gifti(tmp_path / "a", (VALUES, "SHAPE"), (keys, "LABEL"), table=table), n_vertices=N)
    assert np.array_equal(labels.keys, keys)
    assert labels.table == table
    with pytest.raises(ArrayError, match=r"region: expected one of .* found 'L_d'"):
        labels.mask("L_d")


def test_several_label_maps_are_chosen_by_name(tmp_path: Path) -> None:
    image = nib.gifti.GiftiImage()
    for number, name in enumerate(("aparc", "yeo")):
        array = nib.gifti.GiftiDataArray(np.full(N, number, np.int32), intent="NIFTI_INTENT_LABEL")
        array.meta["Name"] = name
        image.add_gifti_data_array(array)
    path = tmp_path / "a.label.gii"
    path.write_bytes(image.to_bytes())
    assert load_labels(path, name="yeo").keys.tolist() == [1] * N
    for name in (None, "other"):
        with pytest.raises(FormatError, match=r"found maps \['aparc', 'yeo'\]: choose by name"):
            load_labels(path, name=name)


def vertex_list(path: Path, vertices: list[int]) -> Path:
    rows = "".join(f"{v}  1.5 -2.0 3.0 0.0000000000\n" for v in vertices)
    path.write_text(f"#!ascii label  , from subject bert vox2ras=TkReg\n{len(vertices)}\n{rows}")
    return path


def test_vertex_list(tmp_path: Path) -> None:
    path = vertex_list(tmp_path / "lh.cortex.label", [4, 2, 49])
    labels = load_labels(path, n_vertices=N)
    assert np.flatnonzero(labels.keys).tolist() == [2, 4, 49]
    assert labels.table == {0: "unlabelled", 1: "lh.cortex"}
    assert np.array_equal(labels.mask("lh.cortex"), load_mask(path, N))
    with pytest.raises(ArrayError, match=r"n_vertices: .* lists some vertices only"):
        load_labels(path)
    with pytest.raises(
        FormatError, match=r"expected vertex numbers in \[0, 48\], found 2 to 49: .* another surface"
    ):
        load_labels(path, n_vertices=N - 1)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(FormatError, match="expected 15 numbers, found"):
        load_labels(path, n_vertices=N)


def test_labels_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"expected a GIFTI array of intent LABEL, .*use load_mask"):
        load_labels(gifti(tmp_path / "a", (VALUES, "NONE")))
    with pytest.raises(FormatError, match="expected integers"):
        load_labels(gifti(tmp_path / "a", (VALUES, "LABEL")))
    with pytest.raises(ArrayTypeError, match="keys: expected int64"):
        SurfaceLabels([0.5], {})


# ---- CIFTI


def cifti(path: Path, *, labels: bool) -> np.ndarray:
    """A dense file of both cortices without their medial walls, the right one first."""
    left, right = np.arange(N) % 5 != 0, np.arange(N) % 7 != 0
    models = nib.cifti2.BrainModelAxis.from_mask(right, name="CortexRight")
    models = models + nib.cifti2.BrainModelAxis.from_mask(left, name="CortexLeft")
    data = np.arange(len(models), dtype=np.float32)[None] % 3
    if labels:
        table = {0: ("???", (0, 0, 0, 0)), 1: ("a", (1, 0, 0, 1)), 2: ("b", (0, 1, 0, 1))}
        rows = nib.cifti2.LabelAxis(["parcels"], [table])
    else:
        rows = nib.cifti2.ScalarAxis(["one"])
    nib.Cifti2Image(data, (rows, models)).to_filename(path)
    expected = np.full(N, np.nan)
    expected[left] = data[0, right.sum() :]
    return expected


def test_cifti_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.dlabel.nii"
    expected = cifti(path, labels=True)
    labels = load_labels(path, structure="CortexLeft", n_vertices=N)
    assert np.array_equal(labels.keys, np.where(np.isnan(expected), -1, expected))
    assert labels.table == {0: "???", 1: "a", 2: "b"}
    assert np.array_equal(load_mask(path, N, structure="CortexLeft"), expected > 0)
    with pytest.raises(FormatError, match=r"structure None, found .*CORTEX_LEFT.*CORTEX_RIGHT.*name one"):
        load_labels(path)
    with pytest.raises(FormatError, match="named 'x', found maps"):
        load_labels(path, structure="CortexLeft", name="x")


def test_cifti_scalars(tmp_path: Path) -> None:
    path = tmp_path / "a.dscalar.nii"
    expected = cifti(path, labels=False)
    assert np.array_equal(load_scalars(path, structure="CortexLeft"), expected, equal_nan=True)
    found = load_scalars(path, structure="CIFTI_STRUCTURE_CORTEX_LEFT", n_vertices=N)
    assert np.array_equal(found, expected, equal_nan=True)
    content = path.read_bytes()
    for end in (541, 600, 1500, len(content) - 10):
        path.write_bytes(content[:end])
        with pytest.raises(FormatError, match=r"a\.dscalar\.nii: "):
            load_scalars(path, structure="CortexLeft")


def test_cifti_entity_bomb_never_reaches_the_parser(tmp_path: Path) -> None:
    path = tmp_path / "a.dscalar.nii"
    cifti(path, labels=False)
    content = path.read_bytes()
    start = content.index(b"<?xml") if b"<?xml" in content else content.index(b"<CIFTI")
    bomb = b"<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><CIFTI>&b;</CIFTI>"
    path.write_bytes(content[:start] + bomb.ljust(len(content[start:]), b" "))
    with pytest.raises(FormatError, match="declares an entity: refused"):
        load_scalars(path, structure="CortexLeft")


# ---- masks


KEEP = RNG.random(N) < 0.7


def test_masks_of_every_source(tmp_path: Path) -> None:
    keys = np.where(KEEP, RNG.integers(1, 3, N), 0).astype(np.int32)
    thickness = np.where(KEEP, 2.5, 0).astype(np.float32)
    nib.freesurfer.write_morph_data(tmp_path / "lh.mask", thickness)
    nib.MGHImage(thickness.reshape(-1, 1, 1), np.eye(4)).to_filename(tmp_path / "mask.mgz")
    np.save(tmp_path / "mask.npy", KEEP)
    np.savetxt(tmp_path / "mask.txt", KEEP.astype(int), fmt="%d")
    sources = [
        vertex_list(tmp_path / "lh.cortex.label", np.flatnonzero(KEEP).tolist()),
        # sMRIPrep's cortex mask: a Workbench metric under the name of a label file
        gifti(tmp_path / "sub-01_hemi-L_desc-cortex_mask.label.gii", (KEEP.astype(np.float32), "NONE")),
        gifti(tmp_path / "mask.shape.gii", (KEEP.astype(np.float32), "SHAPE")),
        gifti(tmp_path / "bare.label.gii", (KEEP.astype(np.int32), "LABEL")),
        gifti(tmp_path / "parcels.label.gii", (keys, "LABEL"), table={0: "???", 1: "a", 2: "b"}),
        gifti(tmp_path / "roi.label.gii", (KEEP.astype(np.int32), "LABEL"), table={0: "not", 1: "cortex"}),
        gifti(
            tmp_path / "wall.label.gii",
            (np.where(KEEP, 2, 1).astype(np.int32), "LABEL"),
            table={1: "MEDIAL.WALL", 2: "cortex"},
        ),
        annotation(tmp_path / "lh.aparc.annot", keys),
        annotation(tmp_path / "lh.a2009s.annot", np.where(KEEP, 0, 1), ["G_cuneus", "Medial_wall"]),
        tmp_path / "lh.mask",
        tmp_path / "mask.mgz",
        tmp_path / "mask.npy",
        tmp_path / "mask.txt",
    ]
    for source in sources:
        found = load_mask(source, N)
        assert found.dtype == bool
        assert np.array_equal(found, KEEP), source.name


def test_nan_is_outside_the_mask(tmp_path: Path) -> None:
    values = np.where(KEEP, 1, np.nan).astype(np.float32)
    assert np.array_equal(load_mask(gifti(tmp_path / "a", (values, "SHAPE")), N), KEEP)


def test_masks_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"expected 51 values.* found 50"):
        load_mask(gifti(tmp_path / "a", (KEEP.astype(np.float32), "SHAPE")), N + 1)
    with pytest.raises(FormatError, match="found negative values"):
        load_mask(gifti(tmp_path / "a", (VALUES, "SHAPE")), N)
    with pytest.raises(FormatError, match="none kept of 50"):
        load_mask(gifti(tmp_path / "a", (np.zeros(N, np.float32), "SHAPE")), N)
    with pytest.raises(FormatError, match="expected a mask of one map, found 3 maps"):
        load_mask(gifti(tmp_path / "a", (MAPS, "SHAPE")), N)


# ---- the one that tells for itself


def test_load_tells(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    (tmp_path / "surface").write_bytes(encode(MESH_CODECS[".white"], vertices, faces))
    assert isinstance(load(tmp_path / "surface"), BrainMesh)
    gifti(tmp_path / "map", (VALUES, "SHAPE"))
    assert load(tmp_path / "map", n_vertices=N).shape == (N,)
    gifti(tmp_path / "labels", (np.zeros(N, np.int32), "LABEL"))
    assert isinstance(load(tmp_path / "labels"), SurfaceLabels)
    annotation(tmp_path / "annot", np.zeros(N, int))
    assert isinstance(load(tmp_path / "annot"), SurfaceLabels)
    nib.freesurfer.write_morph_data(tmp_path / "morph", VALUES)
    assert load(tmp_path / "morph").shape == (N,)
    vertex_list(tmp_path / "list", [1])
    assert load(tmp_path / "list", n_vertices=N).keys.sum() == 1
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="expected per-vertex numbers, found a file of kind 'unknown'"):
        load(tmp_path / "text")


def test_load_opens_a_cache(tmp_path: Path) -> None:
    from spectralbrain.io.export import save_hdf5

    path = save_hdf5(tmp_path / "cache.h5", eigenvalues=np.arange(3.0))
    assert load(path)["eigenvalues"].tolist() == [0, 1, 2]


def test_load_opens_archives_and_matrices(tmp_path: Path) -> None:
    from spectralbrain.io.export import save_connectome, save_npz

    assert load(save_npz(tmp_path / "a.npz", x=np.arange(3)))["x"].tolist() == [0, 1, 2]
    matrix, labels = load(save_connectome(tmp_path / "a.tsv", np.eye(2), labels=["a", "b"]))
    assert matrix.tolist() == [[1, 0], [0, 1]]
    assert list(labels) == ["a", "b"]


def test_gzip_of_anything(tmp_path: Path) -> None:
    plain = gifti(tmp_path / "a", (VALUES, "SHAPE"))
    packed = tmp_path / "b"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(load(packed), load(plain))


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    gifti(tmp_path / "a.gii", (VALUES, "SHAPE"))
    assert len(load_scalars("~/a.gii")) == N


def test_datalad_links(tmp_path: Path) -> None:
    """A symbolic link to an annex key: the target's name says nothing, nor does the link's need to."""
    vertices, faces = plain_mesh()
    store = tmp_path / ".git" / "annex" / "objects"
    store.mkdir(parents=True)
    for suffix, content in (("white", ".white"), ("surf.gii", ".gii"), ("vtp", ".vtp")):
        key = store / f"MD5E-s1--{suffix.encode().hex()}"
        key.write_bytes(encode(MESH_CODECS[content], vertices, faces))
        key.chmod(0o444)
        link = tmp_path / f"lh.{suffix}"
        link.symlink_to(key.relative_to(tmp_path))
        assert np.array_equal(load_mesh(link).vertices, vertices)


# ---- surfaces by their own readers


VOLUME = {
    "head": np.array([2, 0, 20], dtype=np.int32),
    "valid": "1  # volume info valid",
    "filename": "orig.mgz",
    "volume": [256, 256, 256],
    "voxelsize": [1.0, 1.0, 1.0],
    "xras": [-1.0, 0.0, 0.0],
    "yras": [0.0, 0.0, -1.0],
    "zras": [0.0, 1.0, 0.0],
    "cras": [5.5, -18.25, 12.0],
}


def test_freesurfer_c_ras_is_stated_not_applied(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    path = tmp_path / "lh.white"
    nib.freesurfer.write_geometry(path, vertices, faces, volume_info=VOLUME)
    for reader in (load, load_mesh, load_freesurfer_surface):
        assert np.array_equal(reader(path).vertices, vertices)
    # for unrotated cosines, and only for them, scanner = tkRAS + c_ras
    scanner = load_freesurfer_surface(path, space="scanner")
    assert np.allclose(scanner.vertices, vertices + VOLUME["cras"])
    assert np.array_equal(scanner.faces, faces)


@pytest.mark.parametrize("change", [{"valid": "0"}, None])
def test_freesurfer_without_a_volume(change: dict | None, tmp_path: Path) -> None:
    path = tmp_path / "lh.white"
    volume = None if change is None else VOLUME | change
    nib.freesurfer.write_geometry(path, *plain_mesh(), volume_info=volume)
    with pytest.raises(FormatError, match=r"lh\.white: expected a volume geometry in the footer"):
        load_freesurfer_surface(path, space="scanner")
    with pytest.raises(ArrayError, match="space: expected 'tkras' or 'scanner', found 'mni'"):
        load_freesurfer_surface(path, space="mni")


def test_freesurfer_with_a_damaged_footer(tmp_path: Path) -> None:
    path = tmp_path / "lh.white"
    nib.freesurfer.write_geometry(path, *plain_mesh(), volume_info=VOLUME)
    content = path.read_bytes()
    for old, new in ((b"xras   =", b"yrax   ="), (b"-18.25", b"-18.x5"), (b"cras   = 5.5", b"cras   =    ")):
        path.write_bytes(content.replace(old, new))
        assert content != path.read_bytes()
        with pytest.raises(FormatError, match="cannot read the volume geometry"):
            load_freesurfer_surface(path, space="scanner")
        assert load_mesh(path).n_vertices == 162  # the surface itself is whole


def test_the_special_readers_refuse_other_formats(tmp_path: Path) -> None:
    vertices, faces = plain_mesh()
    path = tmp_path / "a"
    path.write_bytes(encode(MESH_CODECS[".ply"], vertices, faces))
    with pytest.raises(FormatError, match="expected FreeSurfer triangle geometry"):
        load_freesurfer_surface(path)
    with pytest.raises(FormatError, match="the XML is damaged"):
        load_gifti_surface(path)


# ---- fuzz


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("samples")
    nib.freesurfer.write_morph_data(folder / "a", VALUES)
    (folder / "b").write_bytes(N.to_bytes(3, "big") + bytes(3) + bytes(2 * N))
    nib.MGHImage(VALUES.reshape(-1, 1, 1), np.eye(4)).to_filename(folder / "c.mgh")
    annotation(folder / "d", np.arange(N) % 4)
    vertex_list(folder / "e", [1, 2, 3])
    gifti(folder / "f", (np.arange(N, dtype=np.int32), "LABEL"), table={0: "x", 1: "y"})
    gifti(folder / "g", (MAPS, "SHAPE"))
    np.save(folder / "h.npy", MAPS)
    cifti(folder / "i.dlabel.nii", labels=True)
    cifti(folder / "j.dscalar.nii", labels=False)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_files_raise_format_errors_only(
    data: st.DataObject, samples: list[bytes], tmp_path: Path
) -> None:
    content = bytearray(data.draw(st.sampled_from(samples)))
    head = min(len(content), 700)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, head - 1) | st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255) | st.sampled_from([0, 32, 45, 57, 255]))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(1, len(content)))]
    path = tmp_path / "damaged"
    path.write_bytes(bytes(content))
    for function in (
        lambda: load_module.load(path, n_vertices=N),
        lambda: load_scalars(path, structure="CortexLeft"),
        lambda: load_labels(path, structure="CortexLeft", n_vertices=N),
        lambda: load_mask(path, N, structure="CortexLeft"),
    ):
        try:
            function()
        except FormatError as error:
            assert "damaged: " in str(error)  # noqa: PT017 - any outcome but another error is right
