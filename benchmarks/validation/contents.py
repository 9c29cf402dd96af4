"""The page of validation, section by section."""

from __future__ import annotations

from pathlib import Path

import analytic
import cortex
import structures
from page import Page

INTRODUCTION = """
What follows is computed, by the build of this manual (`docs/extensions/validation.py`), from surfaces that
packages ship, with the library as it is. The copy in the repository is the record of an earlier run: the
build fails if a number moves by more than 5 %. The page measures how far results move under perturbations
that should not matter, beside differences that do: **perturbation reliability**. No subject was
scanned twice here, so nothing on this page is a test-retest claim.

Distances are Euclidean distances of ShapeDNA, $\\lambda_n A / n$, as in `shapedna_distance`; "relative" is
the distance divided by the norm of the reference's descriptor.
"""


def validate(images: Path, shown_as: str) -> str:
    """Compute everything and return the page; plots go to `images`, which the page calls `shown_as`."""
    page = Page("Validation", INTRODUCTION.strip(), images, shown_as)
    analytic.convergence(page)
    cortex.perturbations(page)
    cortex.mirror(page)
    structures.dose_response(page)
    structures.rotated_ellipsoids(page)
    cortex.discretisation(page)
    return page.text
