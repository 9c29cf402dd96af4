"""(d) How small a local change is detected, (e) rotated voxel grids."""

from __future__ import annotations

import numpy as np
from page import Page, figure
from scipy.spatial.transform import Rotation
from surfaces import aseg_hippocampus, hippocampus, refine

import spectralbrain as sb
from spectralbrain.geometry.isosurface import mask_surface
from spectralbrain.geometry.solids import ellipsoid

MODES = 50
DOSES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
JITTERS = (0.1, 0.2, 0.5)
REPEATS = 8
FOCUS = 6.0  # mm, standard deviation of the shrunken neighbourhood
GRAIN = 2.0  # mm, full width at half maximum of the jitter along the surface
AXES = (18.0, 9.0, 7.0)


def shrink(mesh: sb.BrainMesh, dose: float) -> sb.BrainMesh:
    """Pull a neighbourhood towards its own centre of mass, by `dose` in the middle."""
    head = mesh.vertices[mesh.vertices[:, 1].argmax()]
    weight = np.exp(-((mesh.vertices - head) ** 2).sum(axis=1) / (2 * FOCUS**2))
    centre = (weight[:, None] * mesh.vertices).sum(axis=0) / weight.sum()
    return sb.BrainMesh(mesh.vertices - dose * weight[:, None] * (mesh.vertices - centre), mesh.faces)


def jittered(
    mesh: sb.BrainMesh, modes: sb.SpectralDecomposition, size: float, rng: np.random.Generator
) -> sb.BrainMesh:
    """Move vertices by noise of standard deviation `size` mm that is smooth over GRAIN mm."""
    noise = rng.standard_normal(mesh.vertices.shape)
    smooth = sb.filter_map(modes, noise, fwhm=GRAIN)
    return sb.BrainMesh(mesh.vertices + size * smooth / smooth.std(), mesh.faces)


def dose_response(page: Page) -> None:
    page.section(
        "(d) Local shrinkage against jitter",
        f"""A neighbourhood (Gaussian, {FOCUS:g} mm) at the anterior end of a hippocampus is pulled
towards its centre by a dose; distance to the undisturbed surface, {MODES - 1} non-null eigenvalues.
Jitter: vertices moved by noise of the given standard deviation, smooth over {GRAIN:g} mm, {REPEATS} draws.
Detection limit: the smallest dose whose distance exceeds the largest of the draws, interpolated; one surface
against one, without a group to average over.""",
    )
    shapes = {"sheet (open, HippUnfold)": hippocampus("left"), "aseg label 17 (closed)": aseg_hippocampus()}
    shapes = {name: mesh for name, mesh in shapes.items() if mesh is not None}
    if not shapes:
        page.words("The surfaces for this section are not beside this checkout.")
        return
    canvas, axes = figure(len(shapes))
    doses, limits, scaled = [], [], []
    for (name, mesh), axis in zip(shapes.items(), axes, strict=True):
        reference = mesh.decompose(k=MODES)
        fine = mesh.decompose(k=min(600, mesh.n_vertices // 4))
        response = [_distance(reference, shrink(mesh, dose)) for dose in DOSES]
        twin = sb.BrainMesh(mesh.vertices * 1.7, mesh.faces)
        scaled.append([name, f"{_distance(reference, twin):.1e}"])
        doses.append([name, *response, "yes" if (np.diff([0.0, *response]) > 0).all() else "no"])
        axis.plot([100 * d for d in DOSES], response, "o-", color="k", ms=3, label="shrinkage")
        rng = np.random.default_rng(0)
        for size in JITTERS:
            draws = [_distance(reference, jittered(mesh, fine, size, rng)) for _ in range(REPEATS)]
            limit = np.interp(max(draws), [0.0, *response], [0.0, *DOSES], right=np.inf)
            limits.append(
                [
                    name,
                    f"{size:g} mm",
                    float(np.median(draws)),
                    max(draws),
                    "above 30 %" if np.isinf(limit) else f"{100 * limit:.1f} %",
                ]
            )
            axis.axhline(
                max(draws), lw=0.8, ls="--", color=f"C{JITTERS.index(size)}", label=f"jitter {size:g} mm"
            )
        axis.set(title=name, xlabel="dose, %", ylabel="ShapeDNA distance")
    axes[0].legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(0.02, 0.68))
    page.table(["surface", *(f"{d:.0%}" for d in DOSES), "monotone"], doses)
    page.table(["surface", "jitter", "median distance", "largest", "detection limit"], limits)
    page.words("Uniform scaling by 1.7 (must be 0):")
    page.table(["surface", "distance"], scaled)
    page.words(
        "The distance grows with the dose. Jitter alone causes a distance too: a rougher surface is another "
        "shape. What one surface shows against another is limited by the noise of its segmentation: "
        + "; ".join(f"{n} at {j}: {limit}" for n, j, *_, limit in limits)
        + "."
    )
    page.plot("dose-response", "Distance against dose, and the largest distance that jitter causes", canvas)


def _distance(reference: sb.SpectralDecomposition, mesh: sb.BrainMesh) -> float:
    return float(sb.shapedna_distance(reference, mesh.decompose(k=MODES)))


def rotated_ellipsoids(page: Page) -> None:
    page.section(
        "(e) Rotated voxel grids",
        f"""An ellipsoid with semi-axes {", ".join(f"{a:g}" for a in AXES)} mm, voxelised at 1 mm in
eight random orientations and meshed. Bias: mean distance to the exact ellipsoid's spectrum over the eight, of
the meshes and of the same meshes with their triangles split into four; spread: mean distance between
orientations; beside them the distance that a 5 % longer first axis causes. {MODES - 1} non-null
eigenvalues.""",
    )
    exact = sb.Spectrum.of(ellipsoid(5, AXES).decompose(k=MODES))
    longer = sb.Spectrum.of(ellipsoid(5, (1.05 * AXES[0], *AXES[1:])).decompose(k=MODES))
    rotations = Rotation.random(8, random_state=0)
    rows = []
    for smoothing in (0.0, 0.7, 1.0):
        spectra, split, areas, volumes = [], [], [], []
        for rotation in rotations:
            surface = mask_surface(_voxels(rotation), np.eye(4), smoothing=smoothing)
            spectra.append(sb.Spectrum.of(surface.mesh.decompose(k=MODES)))
            split.append(sb.Spectrum.of(refine(surface.mesh).decompose(k=MODES)))
            areas.append(surface.report["area"] / exact.surface_area - 1)
            volumes.append(surface.report["volume"] / (4 / 3 * np.pi * np.prod(AXES)) - 1)
        bias, finer = (
            float(np.mean([sb.shapedna_distance(exact, s) for s in found])) for found in (spectra, split)
        )
        between = sb.shapedna_distance_matrix(spectra)[np.triu_indices(len(spectra), 1)]
        rows.append(
            [
                f"{smoothing:g} voxels",
                f"{100 * np.mean(areas):+.1f} %",
                f"{100 * np.mean(volumes):+.1f} %",
                bias,
                finer,
                float(between.mean()),
                float(sb.shapedna_distance(exact, longer)),
            ]
        )
    page.table(["smoothing", "area", "volume", "bias", "bias, split", "spread", "5 % longer axis"], rows)
    plain, *smoothed = rows
    page.words(
        f"Without smoothing, turning the grid moves the spectrum by {plain[5] / plain[6]:.0%} of what a 5 % "
        f"longer axis does, with smoothing by {max(r[5] / r[6] for r in smoothed):.0%} or less. The bias is "
        "the same for all who are meshed alike. Splitting the triangles takes away "
        + ", ".join(f"{1 - r[4] / r[3]:.0%}" for r in rows)
        + " of it: with smoothing most of it is the error of elements as large as the voxels; without, what "
        "stays is the staircase."
    )


def _voxels(rotation: Rotation) -> np.ndarray:
    reach = int(max(AXES)) + 4
    grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1)
    local = rotation.inv().apply(grid.reshape(-1, 3) + 0.3).reshape(grid.shape)
    return ((local / AXES) ** 2).sum(axis=-1) <= 1
