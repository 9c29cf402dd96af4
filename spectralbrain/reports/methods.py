"""The methods section, written from what the files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spectralbrain._version import __version__
from spectralbrain.reports.style import number

_LAPLACIANS = {
    "cotangent": "linear finite elements (cotangent stiffness matrix)",
    "quadratic": "quadratic finite elements on flat triangles",
    "robust": "an intrinsic Delaunay triangulation with tufted cover (robust Laplacian)",
}
_BOUNDARIES = {
    "neumann": "free (Neumann) conditions on the boundary",
    "dirichlet": "fixed (Dirichlet) conditions on the boundary",
    "closed": "no boundary, the surfaces being closed",
}


def default_methods(metadata: Sequence[Mapping[str, Any]]) -> str:
    """Describe how surfaces were decomposed.

    Parameters
    ----------
    metadata : sequence of mappings
        Of every decomposition in the report.

    Returns
    -------
    str
        Paragraphs, separated by empty lines.

    Examples
    --------
    >>> print(default_methods([]))
    No surface could be analysed.
    """
    if not metadata:
        return "No surface could be analysed."
    versions = _every(metadata, "spectralbrain_version") or __version__
    laplacian = _every(metadata, "laplacian", _LAPLACIANS)
    mass = _every(metadata, "mass")
    boundary = _every(metadata, "boundary", _BOUNDARIES)
    masked = {bool(m.get("masked")) for m in metadata}
    wall = {
        frozenset({True}): "The medial wall was cut out, using the mask named in the sidecar files.",
        frozenset({False}): "Surfaces were used whole; no medial wall was cut out.",
    }.get(frozenset(masked), "The medial wall was cut out of some surfaces, as their tables say.")
    pairs = _every(metadata, "k")
    residual = (
        max(float(m["max_residual"]) for m in metadata if m.get("max_residual") is not None)
        if any(m.get("max_residual") is not None for m in metadata)
        else float("nan")
    )
    checked = (
        "Every eigenpair was verified by its residual, the modes by their orthonormality, and "
        "completeness by counting eigenvalues below the last one with an independent factorisation"
        if all(m.get("verified") for m in metadata)
        else "The solutions of some surfaces did not pass verification; they are marked above"
    )
    return (
        f"Surfaces were analysed with SpectralBrain {versions}. The Laplace-Beltrami operator was "
        f"discretised with {laplacian or 'finite elements'}{f' and a {mass} mass matrix' if mass else ''}, "
        f"with {boundary or 'the boundary as recorded'}. {wall}\n\n"
        f"The {pairs or ''} smallest eigenvalues and eigenmodes were computed. {checked} (largest relative "
        f"residual {number(residual)}). Eigenmodes are orthonormal with respect to the mass matrix; their "
        "signs are fixed by rule, but carry no meaning.\n\n"
        "The estimated discretisation error compares each eigenvalue with what a finer mesh would give; "
        "it bounds the use of high modes, not the accuracy of the solver."
    )


def _every(metadata: Sequence[Mapping[str, Any]], key: str, words: Mapping[str, str] | None = None) -> str:
    found = sorted({str(m[key]) for m in metadata if m.get(key) is not None})
    return " or ".join((words or {}).get(value, value) for value in found)
