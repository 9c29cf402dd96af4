"""Draw the pictures of README and the manual into docs/images: ``python docs/figures.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nilearn
import numpy as np
from PIL import Image

import spectralbrain as sb
from spectralbrain.reports.style import ACCENT, INK, SOFT, drawing_style, new_figure, to_pixels

IMAGES = Path(__file__).with_name("images")
DATA = Path(nilearn.__file__).parent / "datasets" / "data" / "fsaverage5"
SURFACES = {
    "left white": "white_left",
    "left pial": "pial_left",
    "right white": "white_right",
    "right pial": "pial_right",
}
WIDTH, HEIGHT = 1300, 660
COLUMNS = (0.008, 0.258, 0.508, 0.758)  # left edges of the tiles
ROWS = (0.55, 0.065)  # their lower edges
TILE = (0.234, 0.36)


def place(figure: Any, row: int, column: int, heading: str = "", caption: str = "") -> Any:
    """Return the axes of a tile, with a heading above and a caption below it."""
    left, bottom = COLUMNS[column], ROWS[row]
    figure.text(left + 0.01, bottom + TILE[1] + 0.02, heading, fontsize=16, weight="bold", color=INK)
    figure.text(left + TILE[0] / 2, bottom - 0.008, caption, fontsize=13, color=SOFT, ha="center", va="top")
    return figure.add_axes((left, bottom, *TILE))


def show(axes: Any, mesh: sb.BrainMesh, values: Any, **options: Any) -> None:
    """Draw a hemisphere into a tile."""
    size = (round(TILE[0] * WIDTH), round(TILE[1] * HEIGHT))
    axes.imshow(sb.render_surface(mesh, values, hemisphere="L", size=size, **options))
    axes.axis("off")


def draw_spectrum(axes: Any, shapedna: Any) -> None:
    """Draw the eigenvalues times the area over the index, and the level that Weyl's law gives."""
    axes.set_position((COLUMNS[2] + 0.06, ROWS[1] + 0.05, TILE[0] - 0.08, TILE[1] - 0.06))
    n = np.arange(1, len(shapedna) + 1)
    axes.plot(n, shapedna / n, ".-", lw=1, ms=4, color=ACCENT, label="λA / n")
    axes.axhline(4 * np.pi, ls="--", color=SOFT, label="Weyl: 4π")
    axes.tick_params(labelsize=12)
    axes.legend(fontsize=12)


def draw_distances(axes: Any, matrix: Any, names: list[str]) -> None:
    """Draw the distances between surfaces."""
    axes.set_position((COLUMNS[3] + 0.05, ROWS[1] + 0.02, TILE[0] - 0.05, TILE[1] - 0.03))
    axes.imshow(matrix, cmap="Blues", vmax=1.6 * matrix.max())
    for row, column in np.ndindex(*matrix.shape):
        axes.text(column, row, f"{matrix[row, column]:.1f}", ha="center", va="center", fontsize=13)
    axes.set_xticks([])
    axes.set_yticks(range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=13)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)


def draw_overview(meshes: dict[str, sb.BrainMesh]) -> Any:
    """Draw what goes in and what comes out: a surface, modes, a descriptor, the spectrum, distances."""
    decompositions = {name: mesh.decompose(k=100) for name, mesh in meshes.items()}
    mesh, modes = meshes["left white"], decompositions["left white"]
    wavelengths = sb.mode_wavelengths(modes)
    figure = new_figure(WIDTH, HEIGHT)
    size = f"{mesh.n_vertices:,} vertices, {mesh.area / 100:.0f} cm²"
    show(place(figure, 0, 0, "a surface", size), mesh, None)
    for column, mode in enumerate((1, 2, 9), start=1):
        heading = "its modes" if column == 1 else ""
        caption = f"mode {mode + 1}, wavelength {wavelengths[mode]:.0f} mm"
        show(place(figure, 0, column, heading, caption), mesh, modes.eigenvectors[:, mode], symmetric=True)
    times = sb.hks_times(9, k=100, area=mesh.area)[[1, 5]]
    for column, (time, values) in enumerate(zip(times, sb.compute_hks(modes, times).T, strict=True)):
        caption = f"heat kernel, t = {time:,.0f} mm²"
        show(place(figure, 1, column, "" if column else "its descriptors", caption), mesh, values)
    draw_spectrum(place(figure, 1, 2, "its spectrum", "non-null mode n"), sb.compute_shapedna(modes))
    matrix = sb.shapedna_distance_matrix(list(decompositions.values()))
    draw_distances(place(figure, 1, 3, "distances", "of ShapeDNA, λA / n"), matrix, list(meshes))
    return figure


def main(folder: Path = IMAGES) -> list[Path]:
    """Draw everything; return the files."""
    folder.mkdir(exist_ok=True)
    meshes = {name: sb.load_mesh(DATA / f"{file}.gii.gz") for name, file in SURFACES.items()}
    overview = folder / "overview.png"
    with drawing_style():
        Image.fromarray(to_pixels(draw_overview(meshes))).save(overview, optimize=True)
    left = meshes["left white"]
    signature = folder / "tutorial-hks.png"
    hks = sb.compute_hks(left.decompose(k=60), n_times=10)
    sb.render_surface(left, hks[:, 3], out_file=signature, hemisphere="L")
    return [overview, signature]


if __name__ == "__main__":
    for path in main():
        print(path.name, path.stat().st_size)
