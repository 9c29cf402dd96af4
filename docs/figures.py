"""Draw the pictures of README and the manual into docs/images: ``python docs/figures.py``."""

from __future__ import annotations

from pathlib import Path

import nilearn

import spectralbrain as sb
from spectralbrain.reports import plot_overview

IMAGES = Path(__file__).with_name("images")
DATA = Path(nilearn.__file__).parent / "datasets" / "data" / "fsaverage5"


def main(folder: Path = IMAGES) -> list[Path]:
    """Draw everything; return the files."""
    folder.mkdir(exist_ok=True)
    decomposition = sb.load_mesh(DATA / "white_left.gii.gz").decompose(k=100)
    overview = folder / "overview.png"
    plot_overview(decomposition, overview, hemisphere="L")
    return [overview]


if __name__ == "__main__":
    for path in main():
        print(path.name, path.stat().st_size)
