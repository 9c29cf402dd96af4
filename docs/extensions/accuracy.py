"""Computes the page of accuracy while the manual is built: known spectra, and peers, as plots and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import nilearn
import numpy as np
import scipy.sparse.linalg
from matplotlib.figure import Figure

import spectralbrain as sb
from spectralbrain.geometry import solids
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix

LEVELS = (3, 4, 5)  # subdivisions of the sphere: 642, 2562, 10242 vertices
DEGREES = 7  # l = 0 ... 6: 49 modes
CORTEX = Path(nilearn.__file__).parent / "datasets" / "data" / "fsaverage5" / "white_left.gii.gz"
K = 40
PAGE = """# Accuracy, computed by this build

The numbers and plots of this page were computed while the manual was built, by `docs/extensions/accuracy.py`.
[Validation](../validation.md) goes further.

## A known spectrum

The unit sphere has the eigenvalues l(l + 1), each 2l + 1 times. Relative error of the first {modes} non-null
eigenvalues, with the consistent and with the lumped mass matrix:

{sphere}

![Error of the sphere's eigenvalues by mode](accuracy-sphere.svg)

The error of linear elements falls with the square of the edge length: by four from row to row. It grows with
the eigenvalue; what it is on a surface whose spectrum nobody knows is estimated for each eigenvalue
([how many modes](../concepts/choosing-modes.md)).

## Peers

The first {k} eigenvalues of the left white surface of fsaverage5 (10,242 vertices) by other solvers, relative
to ours. ARPACK (scipy) solves the same matrices by shift-invert; LaPy assembles its own.

{peers}

![Relative difference of the peers' eigenvalues by mode](accuracy-peers.svg)
"""


def sphere_errors(mass: str) -> dict[int, Any]:
    """Return the relative error of each non-null mode, by number of vertices."""
    degree = np.repeat(np.arange(DEGREES), 2 * np.arange(DEGREES) + 1)
    exact = (degree * (degree + 1.0))[1:]
    errors = {}
    for level in LEVELS:
        mesh = solids.sphere(level)
        values = sb.decompose(mesh, k=len(degree), mass=mass).eigenvalues[1:]
        errors[mesh.n_vertices] = np.abs(values / exact - 1)
    return errors


def peer_eigenvalues(mesh: sb.BrainMesh) -> dict[str, Any]:
    """Return the eigenvalues that others find, (K,) arrays."""
    stiffness, mass = stiffness_matrix(mesh).tocsc(), mass_matrix(mesh).tocsc()
    found = scipy.sparse.linalg.eigsh(stiffness, K, mass, sigma=-1e-2, which="LM")[0]
    peers = {f"ARPACK (scipy {scipy.__version__})": np.sort(found)}
    try:
        import lapy
    except ImportError:
        return peers
    solver = lapy.Solver(lapy.TriaMesh(mesh.vertices, mesh.faces), lump=False, use_cholmod=False)
    peers[f"LaPy {lapy.__version__}"] = np.sort(solver.eigs(K)[0])
    return peers


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Lay out a Markdown table."""
    rule = ("---", *["---:"] * (len(header) - 1))
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


def save(path: Path, curves: dict[str, Any], title: str, label: str) -> None:
    """Draw curves over the modes; the same curves give the same bytes."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for name, values in curves.items():
        axes.semilogy(np.arange(1, len(values) + 1), values, ".-", lw=0.8, ms=4, label=name)
    axes.set(xlabel="non-null mode", ylabel=label, title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    with matplotlib.rc_context({"svg.hashsalt": "spectralbrain", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def write_accuracy(folder: Path) -> Path:
    """Compute everything and write the page with its plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    by_mass = {mass: sphere_errors(mass) for mass in ("consistent", "lumped")}
    sizes = list(by_mass["consistent"])
    rows = [(f"{n:,}", *(f"{100 * by_mass[mass][n].max():.2g} %" for mass in by_mass)) for n in sizes]
    curves = {f"{n:,} vertices, {mass}": errors[n] for mass, errors in by_mass.items() for n in sizes}
    save(folder / "accuracy-sphere.svg", curves, "Sphere", "relative error")

    mesh = sb.load_mesh(CORTEX)
    ours = sb.decompose(mesh, k=K).eigenvalues[1:]
    differences = {
        name: np.abs(values[1:] / ours - 1) + 1e-17 for name, values in peer_eigenvalues(mesh).items()
    }
    save(folder / "accuracy-peers.svg", differences, "fsaverage5, left white surface", "relative difference")
    peers = [(name, f"{values.max():.1e}") for name, values in differences.items()]
    page = folder / "accuracy.md"
    text = PAGE.format(
        modes=DEGREES**2 - 1,
        k=K,
        sphere=table(("vertices", "consistent", "lumped"), rows),
        peers=table(("solver", "largest relative difference"), peers),
    )
    page.write_text(text, encoding="utf-8")
    return page


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", lambda app, config: write_accuracy(Path(app.srcdir) / "generated"))
    return {"version": sb.__version__, "parallel_read_safe": True}
