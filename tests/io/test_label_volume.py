"""Label volumes: read by content, in the right coordinates, structures by name."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spectralbrain.errors import ArrayError, FormatError, MeshError
from spectralbrain.io.label_volume import (
    STRUCTURES,
    SUBFIELDS,
    LabelVolume,
    label_surface,
    load_label_volume,
)

pytest.importorskip("skimage", reason="scikit-image is not installed")

OBLIQUE = np.array([[0.9, -0.3, 0.2, 5.0], [0.35, 0.8, -0.4, -7.0], [-0.1, 0.45, 0.85, 90.0], [0, 0, 0, 1]])
OBLIQUE[:3, :3] = np.linalg.qr(OBLIQUE[:3, :3])[0] * [1.0, 1.5, 0.8]
LABELS = np.zeros((24, 20, 22), dtype=np.int16)
LABELS[5:15, 6:14, 4:12] = 17
LABELS[15:19, 6:14, 4:12] = 53


def images() -> dict[str, tuple[type, str]]:
    return {
        "mgz": (nib.MGHImage, "a.mgz"),
        "mgh": (nib.MGHImage, "a.mgh"),
        "nifti": (nib.Nifti1Image, "a.nii"),
        "nifti-gz": (nib.Nifti1Image, "a.nii.gz"),
        "nifti2": (nib.Nifti2Image, "a.nii.gz"),
    }


@pytest.mark.parametrize("kind", images())
@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "float32"])
def test_reads_by_content(kind: str, dtype: str, tmp_path: Path) -> None:
    image_class, name = images()[kind]
    image = image_class(LABELS.astype(dtype), OBLIQUE)
    image.to_filename(tmp_path / name)
    key = tmp_path / "MD5E-s1--00"  # a datalad key has no suffix
    (tmp_path / name).rename(key)
    link = tmp_path / "aseg.mgz"
    link.symlink_to(key)
    for path in (key, link, str(link)):
        volume = load_label_volume(path)
        assert np.array_equal(volume.labels, LABELS)
        assert volume.labels.dtype.kind == "i"
        assert np.allclose(volume.scanner_affine, OBLIQUE, atol=1e-5)


def test_tkras_is_freesurfers(tmp_path: Path) -> None:
    nib.MGHImage(LABELS, OBLIQUE).to_filename(tmp_path / "a.mgz")
    expected = nib.load(tmp_path / "a.mgz").header.get_vox2ras_tkr()
    assert np.allclose(load_label_volume(tmp_path / "a.mgz").tkras_affine, expected, atol=1e-5)


def test_spaces_agree_with_a_freesurfer_surface_of_the_same_volume(tmp_path: Path) -> None:
    """tkRAS mesh + footer -> scanner must equal the scanner mesh, on an oblique volume."""
    from spectralbrain.io.load import load_freesurfer_surface

    nib.MGHImage(LABELS, OBLIQUE).to_filename(tmp_path / "a.mgz")
    header = nib.load(tmp_path / "a.mgz").header
    surface, report = label_surface(tmp_path / "a.mgz", 17, space="tkras")
    assert report["space"] == "tkras"
    directions = np.asarray(header["Mdc"])
    info = {
        "head": np.array([2, 0, 20], dtype=np.int32),
        "valid": "1  # volume info valid",
        "filename": "a.mgz",
        "volume": list(LABELS.shape),
        "voxelsize": header.get_zooms()[:3],
        "xras": directions[0],
        "yras": directions[1],
        "zras": directions[2],
        "cras": np.asarray(header["Pxyz_c"]),
    }
    nib.freesurfer.write_geometry(tmp_path / "lh.hippo", surface.vertices, surface.faces, volume_info=info)
    scanner, report = label_surface(tmp_path / "a.mgz", 17)
    assert report["space"] == "scanner"
    found = load_freesurfer_surface(tmp_path / "lh.hippo", space="scanner")
    assert np.allclose(found.vertices, scanner.vertices, atol=2e-3)
    # adding c_ras alone would be off
    shifted = surface.vertices + info["cras"]
    assert np.abs(shifted - scanner.vertices).max() > 1
    stored = load_freesurfer_surface(tmp_path / "lh.hippo")
    assert np.allclose(stored.vertices, surface.vertices, atol=1e-4)


def test_oblique_box_is_where_it_belongs() -> None:
    mesh, report = label_surface(LABELS, [17], affine=OBLIQUE, smoothing=0)
    centre = OBLIQUE[:3, :3] @ [9.5, 9.5, 7.5] + OBLIQUE[:3, 3]
    assert mesh.centroid == pytest.approx(centre, abs=1e-6)
    assert report["space"] == "given"
    assert mesh.volume == pytest.approx(640 * abs(np.linalg.det(OBLIQUE[:3, :3])), rel=0.05)
    assert mesh.signed_volume > 0


def test_structures_by_name_and_by_ids() -> None:
    named, report = label_surface(LABELS, "Left-Hippocampus", affine=np.eye(4))
    assert report["structure"] == "Left-Hippocampus"
    assert report["labels"] == report["labels_found"] == [17]
    by_id, _ = label_surface(LABELS, 17, affine=np.eye(4))
    assert np.array_equal(named.vertices, by_id.vertices)
    _, both = label_surface(LABELS, [17, 53, 99], affine=np.eye(4))
    assert both["labels_found"] == [17, 53]
    assert both["n_voxels"] == 640 + 256


def test_the_tables() -> None:
    assert len(STRUCTURES) == 25
    assert STRUCTURES["Right-Lateral-Ventricle"] == (43, 44, 63)
    assert STRUCTURES["Left-Hippocampus"] == (17,)
    assert STRUCTURES["3rd-Ventricle"] == (14,)  # without 24, which can be all CSF around the brain
    assert all(isinstance(label, int) for ids in (STRUCTURES | SUBFIELDS).values() for label in ids)
    parts = {label for name, ids in SUBFIELDS.items() if not name.startswith("whole") for label in ids}
    assert set(SUBFIELDS["whole-hippocampus"]) == parts - {215}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"labels": "Left-Hipocampus"},
            ArrayError,
            "labels: expected one of CorpusCallosum, .* found 'Left-Hip",
        ),
        ({"labels": []}, ArrayError, "labels: expected whole numbers"),
        ({"labels": 1.5}, ArrayError, "labels: expected whole numbers"),
        ({"labels": 999}, MeshError, r"no voxel has a label of the structure: \[999\]"),
        ({"affine": None}, ArrayError, "affine: expected one beside an array"),
        ({"volume": LABELS.astype(float)}, ArrayError, "volume: expected integers"),
        ({"space": "mni"}, ArrayError, "space: expected 'scanner' or 'tkras'"),
        (
            {"volume": LabelVolume(LABELS, np.eye(4), np.eye(4))},
            ArrayError,
            "affine: expected none beside a file",
        ),
    ],
)
def test_bad_arguments(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        label_surface(**{"volume": LABELS, "labels": 17, "affine": np.eye(4), **arguments})


def test_files_that_are_no_label_volume(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    nib.Nifti1Image(np.full((4, 4, 4), 0.5), np.eye(4)).to_filename(path)
    with pytest.raises(FormatError, match=r"a\.nii\.gz: expected whole numbers"):
        load_label_volume(path)
    nib.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)).to_filename(path)
    with pytest.raises(FormatError, match=r"three-dimensional volume, found shape \(4, 4, 4, 2\)"):
        load_label_volume(path)
    path.write_bytes(b"ply\n")
    with pytest.raises(FormatError, match="found a file of kind 'ply'"):
        load_label_volume(path)
    with pytest.raises(FileNotFoundError):
        load_label_volume(tmp_path / "none.mgz")


@pytest.mark.parametrize("kind", ["mgh", "nifti"])
def test_truncated_and_damaged(kind: str, tmp_path: Path) -> None:
    image_class, name = images()[kind]
    image_class(LABELS, OBLIQUE).to_filename(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    path = tmp_path / "cut"
    for end in (0, 3, 100, 283, 300, 349, 400, len(content) // 2):
        path.write_bytes(content[:end])
        with pytest.raises(FormatError, match="cut: "):
            load_label_volume(path)
    rng = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(content)
        for place in rng.integers(0, 352, 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            volume = load_label_volume(path)
        except FormatError:
            continue
        assert volume.labels.nbytes <= 8 * len(content)


def test_a_volume_of_zeros_larger_than_a_surface_may_be_is_read(tmp_path: Path) -> None:
    """Label volumes compress far better than surfaces; the limit for them is another one."""
    path = tmp_path / "aseg.mgz"
    labels = np.zeros((300, 256, 256), dtype=np.int32)
    labels[100:120, 100:120, 100:120] = 17
    content = nib.MGHImage(labels, np.eye(4)).to_bytes()
    path.write_bytes(gzip.compress(content, 1, mtime=0))
    assert path.stat().st_size < 500_000
    assert load_label_volume(path).labels.sum() == 17 * 20**3


def test_real_aseg(shared_data: Path) -> None:
    volume = load_label_volume(shared_data / "freesurfer" / "aparc.a2009s+aseg.mgz")
    for name, count in (("Left-Hippocampus", 4573), ("Right-Amygdala", 1562), ("Left-Thalamus-Proper", 7041)):
        mesh, report = label_surface(volume, name)
        assert report["n_voxels"] == count
        assert report["genus"] == 0
        assert abs(report["volume_change"]) < 2e-4
        assert 0.86 < report["area"] / report["area_binary"] < 0.95
        assert mesh.is_manifold
    left, _ = label_surface(volume, "Left-Hippocampus")
    right, _ = label_surface(volume, "Right-Hippocampus")
    assert left.centroid[0] < right.centroid[0]  # x runs from left to right in scanner space


def test_real_subfields(shared_data: Path) -> None:
    path = shared_data / "freesurfer" / "lh.hippoAmygLabels-T1.v22.mgz"
    mesh, report = label_surface(path, "CA1", space="tkras")
    assert report["labels_found"] == [237, 238]
    assert mesh.is_closed
    assert report["volume"] == pytest.approx(report["voxel_volume"], rel=1e-3)
