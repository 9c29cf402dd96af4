"""The wave kernel signature: how likely a particle of given energy is found at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import also_accepts, check_choice, check_modes
from spectralbrain.spectral._blocks import sum_of_squares
from spectralbrain.spectral.grids import TimeUnit, resolve_energies
from spectralbrain.spectral.measures import area_norm
from spectralbrain.spectral.spectrum import non_null_eigenvalues

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


@also_accepts(e_values="energies", normalize="normalization")
def compute_wks(
    decomposition: SpectralDecomposition,
    energies: Any = None,
    *,
    n_energies: int = 100,
    sigma: float | None = None,
    energy: TimeUnit | None = None,
    normalization: Literal["none", "area", "l2"] = "none",
    n_threads: int | None = None,
) -> FloatArray:
    """Compute WKS(x, e) = C_e sum_i phi_i(x)^2 exp(-(e - log lambda_i)^2 / (2 sigma^2)).

    C_e = 1 / sum_i exp(-(e - log lambda_i)^2 / (2 sigma^2)), so that each energy integrates to 1 over
    the surface (summed with the vertex areas: exactly with lumped mass, to the accuracy of the mesh
    with consistent mass).

    Parameters
    ----------
    decomposition : SpectralDecomposition
    energies : (M,) array, optional
        Energies e = log(lambda / mm^-2), see `energy`. If omitted, the published grid on this
        spectrum: M energies from log lambda_1 + 2 sigma to log lambda_k - 2 sigma with sigma seven steps
        of the grid, hence steps of log(lambda_k / lambda_1) / (M + 27).
    n_energies : int
        Length M of the default grid.
    sigma : float, optional
        Bandwidth in log lambda. If omitted, seven steps of the grid.
    energy : {'raw', 'area'}, optional
        Unit of `energies`: 'raw' is log lambda (default), 'area' is log(lambda A). Without
        `energies`, 'area' selects :func:`~spectralbrain.wks_energies`, the same for all surfaces:
        take it to compare surfaces.
    normalization : {'none', 'area', 'l2'}
        'none': as published. 'area': times A, dimensionless. 'l2': each energy has unit L2 norm over the
        surface.
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N, M) array, mm^-2 ('none'), 1 ('area') or mm^-1 ('l2')
        NaN outside the domain.

    Raises
    ------
    ArrayError
        If the spectrum spans no interval, or an argument is out of range.

    References
    ----------
    Aubry, Schlickewei & Cremers (2011), ICCV Workshops, 1626-1633, doi:10.1109/ICCVW.2011.6130444: the
    wave kernel signature in the eigenbasis, C_e, and the choice of energies and sigma.

    Notes
    -----
    Null modes (log 0) are left out, counted by topology. Invariant to rigid motion, order of vertices,
    signs and rotations inside eigenspaces; scaling by s shifts e by -2 log s and multiplies by s^-2.
    The authors' own program takes another grid: on a surface scaled to area 1, energies from log lambda_1 to
    log(lambda_k) / 1.02 and sigma of six steps; the null mode stays in, at log 1e-6, where it weighs nothing.
    Give `energies` in log(lambda A) with ``energy='area'``, `sigma` and ``normalization='area'`` to compare.
    Programs that use its grid without scaling to area 1 depend on the unit of length.
    SpectralBrain 0.1.0 agrees with its ``normalize=False`` for given `e_values` and `sigma` (both names
    accepted); its default divides each energy by a norm over vertices, and its default bandwidth, 7 / M of
    the range, differs from the published condition and changes abruptly below M = 28.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(3).decompose(k=16, mass="lumped")
    >>> wks = compute_wks(decomposition, n_energies=10)
    >>> bool(np.allclose((decomposition.mass @ wks).sum(axis=0), 1))
    True
    """
    check_modes(decomposition)
    scheme = ("l2" if normalization else "none") if isinstance(normalization, bool) else normalization
    check_choice(scheme, ("none", "area", "l2"), "normalization")
    grid, width = resolve_energies(decomposition, energies, n_energies=n_energies, sigma=sigma, energy=energy)
    logs = np.log(non_null_eigenvalues(decomposition))
    exponents = -((grid[None, :] - logs[:, None]) ** 2) / (2 * width**2)
    # Far outside the spectrum every weight underflows; relative to the largest they keep their ratio.
    weights = np.exp(exponents - exponents.max(axis=0))
    weights /= weights.sum(axis=0)
    if scheme == "area":
        weights *= decomposition.surface_area
    wks = sum_of_squares(decomposition.eigenvectors[:, decomposition.n_null_modes :], weights, n_threads)
    if scheme == "l2":
        for column in range(wks.shape[1]):
            wks[:, column] /= area_norm(decomposition, wks[:, column])
    return wks
