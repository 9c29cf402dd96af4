"""ShapeDNA: the spectrum as a fingerprint of the surface."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import also_accepts, check_choice, check_spectrum
from spectralbrain.spectral.spectrum import SpectrumLike, non_null_eigenvalues

Normalization = Literal["area", "volume", "none"]
Index = Literal["weyl", "lapy"]


@also_accepts(normalize="normalization")
def compute_shapedna(
    decomposition: SpectrumLike,
    *,
    normalization: Normalization = "area",
    index: Index | None = None,
    k: int | None = None,
) -> FloatArray:
    """Return the non-null eigenvalues, normalised for size and, if asked for, for growth.

    The n-th value is a_n = lambda_n c / w_n, with n = 1 for the first non-null eigenvalue of
    -Delta phi = lambda phi; c = A, V^(2/3) or 1 (`normalization`), w_n = 1, n or n + 1 (`index`).

    Parameters
    ----------
    decomposition : SpectralDecomposition or Spectrum
        Its eigenvalues are raw by definition, and the result is a plain array, so that nothing can
        be normalised twice.
    normalization : {'area', 'volume', 'none'}
        'area': lambda A, the same for a surface and its scaled copy; 'volume': lambda V^(2/3),
        closed surfaces only; 'none': lambda.
    index : {None, 'weyl', 'lapy'}
        'weyl': divide the n-th non-null eigenvalue by n, so that by Weyl's law the values level off
        (lambda_n A / n -> 4 pi) and no part of the spectrum outweighs another (Wachinger et al. 2015).
        'lapy': divide by n + 1 instead, as the authors' programs do (LaPy's `reweight_ev`, BrainPrint's
        post-processing): they count the null mode as the first, so the first non-null one is halved.
    k : int, optional
        Number of values; all non-null eigenvalues by default.

    Returns
    -------
    (k,) array, dimensionless, or mm^-2 with ``normalization='none'``
        Null modes, counted by topology, are left out; a Dirichlet spectrum has none.

    Raises
    ------
    ArrayError
        If an array is given, fewer than `k` non-null eigenvalues are there, an option is unknown, or the
        enclosed volume is.
    MeshError
        If 'volume' is asked for a surface that is not closed.

    References
    ----------
    Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366, doi:10.1016/j.cad.2005.10.011: the
    spectrum as fingerprint, and its normalisation by area or volume.
    Reuter, Wolter, Shenton & Niethammer (2009), Computer-Aided Design 41, 739-755,
    doi:10.1016/j.cad.2009.02.007: the same for statistics of shape.
    Wachinger, Golland, Kremen, Fischl & Reuter (2015), NeuroImage 109, 232-248,
    doi:10.1016/j.neuroimage.2015.01.032: lambda_n / n.

    Notes
    -----
    Invariant to rigid motion, reflection, the order of vertices and the choice of eigenvectors; 'area' and
    'volume' also to scaling, 'none' scales with s^-2.
    SpectralBrain 0.1.0 gives the same numbers for 'area' and 'none' on a connected closed or Neumann
    surface. It drops exactly one eigenvalue always (also of a Dirichlet spectrum, and only one of
    several null modes), has no index reweighting, and raises for 'volume'. Its 'fiedler' (lambda_n /
    lambda_1) is not offered: the error of one eigenvalue would enter all. Its name `normalize` is
    accepted.

    Examples
    --------
    A sphere has l(l + 1) / r^2, each 2 l + 1 times, and area 4 pi r^2:

    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(5, radius=50.0).decompose(k=9)
    >>> (compute_shapedna(decomposition) / (4 * np.pi)).round(1)
    array([2., 2., 2., 6., 6., 6., 6., 6.])
    """
    check_spectrum(decomposition)
    check_choice(normalization, ("area", "volume", "none"), "normalization")
    check_choice(index, (None, "weyl", "lapy"), "index")
    values = non_null_eigenvalues(decomposition, k)
    if normalization == "area":
        values = values * decomposition.surface_area
    elif normalization == "volume":
        values = values * enclosed_volume(decomposition) ** (2 / 3)
    if index is not None:
        values = values / (np.arange(len(values)) + (1 if index == "weyl" else 2))
    return np.array(values)


def enclosed_volume(decomposition: SpectrumLike) -> float:
    """Return the volume inside a closed surface, mm^3.

    Raises
    ------
    MeshError
        If the domain is not a closed surface.
    ArrayError
        If its volume is unknown or zero.
    """
    boundary = decomposition.metadata.get("boundary")
    mesh: Any = getattr(decomposition, "mesh", None)
    if boundary is None and mesh is not None:
        boundary = "closed" if mesh.is_closed and decomposition.domain.all() else "open"  # type: ignore[attr-defined]
    if boundary != "closed":
        raise MeshError(f"normalization: 'volume' needs a closed surface, found boundary {boundary!r}")
    volume = decomposition.metadata.get("volume")
    if volume is None and mesh is not None:
        volume = mesh.volume
    if volume is None or not np.isfinite(volume) or not abs(volume) > 0:
        raise ArrayError(f"metadata: expected the enclosed volume of a closed surface, found {volume!r}")
    return abs(float(volume))
