"""Surfaces of masks: closed, in the right place, and their bias as the docstring says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ellipeinc, ellipkinc

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.geometry.isosurface import mask_surface
from spectralbrain.geometry.quality import require_usable


def ellipsoid_mask(axes: tuple, rotation: np.ndarray, shift: np.ndarray) -> np.ndarray:
    reach = int(max(axes)) + 3
    grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1) - shift
    return (((grid @ rotation) / axes) ** 2).sum(axis=-1) <= 1


def ellipsoid_area(axes: tuple) -> float:
    """Closed form with elliptic integrals (Legendre)."""
    c, b, a = sorted(axes)
    if a == c:
        return 4 * np.pi * a * a
    phi = np.arccos(c / a)
    m = a * a * (b * b - c * c) / (b * b * (a * a - c * c))
    second, first = ellipeinc(phi, m), ellipkinc(phi, m)
    return 2 * np.pi * (c * c + a * b / np.sin(phi) * (second * np.sin(phi) ** 2 + first * np.cos(phi) ** 2))


def turned(seed: int, axes: tuple) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return ellipsoid_mask(axes, np.linalg.qr(rng.standard_normal((3, 3)))[0], rng.uniform(-0.5, 0.5, 3))


# half-axes; area bias of: binary; smoothed at level 0.5; smoothed with the volume kept (per cent)
BIAS = [
    ((20, 20, 20), 8.7, 1.0, 1.3),
    ((10, 10, 10), 8.4, 0.0, 1.2),
    ((6, 9, 16), 8.4, -0.4, 1.1),
    ((3, 5, 12), 7.6, -4.6, 0.2),
    ((2.5, 2.5, 5), 5.6, -13.5, 1.4),
]


@pytest.mark.parametrize(("axes", "binary", "half", "kept"), BIAS)
def test_area_bias_is_as_documented(axes: tuple, binary: float, half: float, kept: float) -> None:
    truth = ellipsoid_area(axes)
    found = []
    for seed in range(2):
        mask = turned(seed, axes)
        reports = [
            mask_surface(mask, np.eye(4), smoothing=s, keep_volume=k).report
            for s, k in ((0, True), (0.7, False), (0.7, True))
        ]
        found.append([100 * (report["area"] / truth - 1) for report in reports])
        assert reports[2]["area_binary"] == reports[0]["area"]
        assert abs(reports[2]["volume_change"]) < 2e-4
        assert reports[0]["level"] == reports[1]["level"] == 0.5
    assert np.mean(found, axis=0) == pytest.approx([binary, half, kept], abs=1.5)


def test_the_staircase_does_not_straighten_with_resolution() -> None:
    """The reason for smoothing: refining the voxels leaves the binary bias where it is."""
    bias = []
    for radius in (8, 16, 32):
        report = mask_surface(turned(1, (radius,) * 3), np.eye(4), smoothing=0).report
        bias.append(report["area"] / (4 * np.pi * radius**2) - 1)
    assert min(bias) > 0.07
    assert max(bias) < 0.10


AFFINES = {
    "identity": np.eye(4),
    "anisotropic": np.diag([1.0, 0.5, 2.0, 1.0]),
    "mirrored": np.array([[-1.0, 0, 0, 10], [0, 0, 1, -20], [0, -1, 0, 30], [0, 0, 0, 1]]) * 1.0,
    "oblique": np.array(
        [[0.9, -0.3, 0.2, 5.0], [0.35, 0.8, -0.4, -7.0], [-0.1, 0.45, 0.85, 90.0], [0, 0, 0, 1]]
    ),
}


@pytest.mark.parametrize("name", AFFINES)
def test_right_place_and_outward(name: str) -> None:
    """A plane cuts the mask in two halves; each voxel's side is kept by any affine."""
    affine = AFFINES[name]
    mask = np.zeros((30, 28, 26), dtype=bool)
    mask[10:20, 8:12, 5:20] = True
    mask[10:14, 8:20, 5:9] = True
    mesh, report = mask_surface(mask, affine)
    require_usable(mesh, closed=True, connected=True)
    assert mesh.signed_volume > 0
    cell = abs(np.linalg.det(affine[:3, :3]))
    assert report["voxel_volume"] == pytest.approx(mask.sum() * cell)
    # back in voxels it is the same surface: the affine does nothing but carry it
    plain, _ = mask_surface(mask, np.eye(4))
    back = (mesh.vertices - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    assert np.allclose(back, plain.vertices, atol=1e-6)
    # voxel centres are whole numbers: the middle of the box is the mean of its voxels
    assert back.min(axis=0) == pytest.approx([9.5, 7.5, 4.5], abs=0.2)
    assert back.max(axis=0) == pytest.approx([19.5, 19.5, 19.5], abs=0.2)


def test_unsmoothed_surface_lies_half_way_between_voxels() -> None:
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2:5, 3:7, 4:6] = True
    mesh, report = mask_surface(mask, np.eye(4), smoothing=0)
    assert mesh.vertices.min(axis=0).tolist() == [1.5, 2.5, 3.5]
    assert mesh.vertices.max(axis=0).tolist() == [4.5, 6.5, 5.5]
    assert report["n_voxels"] == 24
    assert report["keep_volume"] is False


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9), st.sampled_from(["largest", "all"]))
def test_any_mask_gives_a_closed_manifold(seed: int, density: float, keep: str) -> None:
    """Random voxels: every ambiguous configuration of marching cubes, still a closed manifold."""
    mask = np.random.default_rng(seed).random((7, 8, 6)) < density
    if not mask.any():
        return
    mesh, report = mask_surface(mask, np.eye(4), smoothing=0, keep=keep)
    require_usable(mesh, closed=True, connected=keep == "largest")
    json.dumps(report, allow_nan=False)
    if keep == "all":
        assert report["n_voxels"] * 0.1 < mesh.volume < report["n_voxels"] * 1.5


def test_what_is_dropped_and_filled_is_counted() -> None:
    mask = np.zeros((20, 20, 20), dtype=bool)
    mask[2:12, 2:12, 2:12] = True
    mask[6, 6, 6] = False  # a cavity
    mask[15:17, 15:17, 15:17] = True  # an island of 8
    mesh, report = mask_surface(mask, np.eye(4))
    assert (report["n_voxels"], report["n_voxels_dropped"], report["n_voxels_filled"]) == (1007, 8, 1)
    assert report["voxel_volume"] == 1000
    assert mesh.n_components == 1
    assert report["touches_border"] is False
    mesh, report = mask_surface(mask, np.eye(4), smoothing=0, keep="all")
    assert mesh.n_components == 3
    assert (report["n_voxels_dropped"], report["n_voxels_filled"], report["n_components"]) == (0, 0, 3)


def test_a_ring_keeps_its_hole() -> None:
    mask = np.zeros((16, 16, 7), dtype=bool)
    mask[3:13, 3:13, 2:5] = True
    mask[6:10, 6:10] = False
    assert mask_surface(mask, np.eye(4)).report["genus"] == 1


def test_a_structure_at_the_border_is_closed_and_told() -> None:
    mask = np.ones((4, 5, 6), dtype=bool)
    mesh, report = mask_surface(mask, np.eye(4))
    assert mesh.is_closed
    assert report["touches_border"] is True


def test_one_voxel() -> None:
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[1, 1, 1] = True
    mesh, _ = mask_surface(mask, np.eye(4), smoothing=0)
    assert mesh.volume == pytest.approx(1 / 6)  # an octahedron
    with pytest.raises(MeshError, match="smooth less"):
        mask_surface(mask, np.eye(4), smoothing=3, keep_volume=False)


def test_same_bytes_every_time() -> None:
    mask = turned(5, (3, 5, 9))
    first, second = (mask_surface(mask, AFFINES["oblique"]) for _ in range(2))
    assert first.mesh.vertices.tobytes() == second.mesh.vertices.tobytes()
    assert first.report == second.report


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mask": np.zeros((3, 3, 3), dtype=bool)}, MeshError, "mask: expected at least one voxel"),
        (
            {"mask": np.ones((3, 3), dtype=bool)},
            ArrayError,
            r"mask: .* shape \(X, Y, Z\), found bool \(3, 3\)",
        ),
        ({"mask": np.ones((3, 3, 3))}, ArrayError, "mask: expected bool"),
        ({"affine": np.eye(3)}, ArrayError, r"affine: expected a finite \(4, 4\)"),
        ({"affine": np.full((4, 4), np.nan)}, ArrayError, "affine: expected a finite"),
        ({"affine": np.diag([1.0, 1, 0, 1])}, ArrayError, "affine: .* singular"),
        ({"smoothing": -1}, ArrayError, "smoothing: expected 0 to 10"),
        ({"smoothing": np.nan}, ArrayError, "smoothing"),
        ({"keep": "some"}, ArrayError, "keep: expected 'largest' or 'all'"),
    ],
)
def test_bad_arguments(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        mask_surface(**{"mask": np.ones((3, 3, 3), dtype=bool), "affine": np.eye(4), **arguments})
