"""Codes of what a reader of a decomposition must know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spectralbrain.operators.domain import Domain

# Estimated relative discretisation error above which a result is flagged.
LARGE_ERROR = 0.01
SURFACE_FLAGS = ("pinched_vertices", "inconsistent_orientation")


def quality_flags(domain: Domain | None, metadata: Mapping[str, Any]) -> list[str]:
    """Return codes of what a reader of the result must know.

    Parameters
    ----------
    domain : Domain or None
        None to judge by the metadata alone.
    metadata : mapping
        With ``discretization_error`` and ``verified``; earlier ``quality_flags`` on the surface stay.

    Returns
    -------
    list of str
        Of 'point_cloud' (no error can be estimated), 'pinched_vertices' (two sheets touch in a vertex),
        'inconsistent_orientation' (neighbouring triangles look to opposite sides), 'discretization_error'
        (estimated above 1 % for some mode) and 'unverified'.
    """
    if domain is None:
        on_surface = {code: code in metadata.get("quality_flags", ()) for code in SURFACE_FLAGS}
    else:
        on_surface = surface_flags(domain)
    return [
        code
        for code, raised in {
            "point_cloud": bool(metadata.get("point_cloud", False)),
            **on_surface,
            "discretization_error": bool((np.abs(metadata["discretization_error"]) > LARGE_ERROR).any()),
            "unverified": not metadata["verified"],
        }.items()
        if raised
    ]


def surface_flags(domain: Domain) -> dict[str, bool]:
    """Say which codes on the surface itself are raised; its topology remembers what that takes."""
    topology = domain.surface.topology
    found = (len(topology.non_manifold_vertices) > 0, len(topology.inconsistent_edges) > 0)
    return dict(zip(SURFACE_FLAGS, found, strict=True))
