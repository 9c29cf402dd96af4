"""Eigenstrapping: random maps with the spatial smoothness of a given one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_choice, check_count
from spectralbrain.spectral.maps import decompose_map
from spectralbrain.spectral.measures import check_map
from spectralbrain.spectral.spectrum import SpectrumLike

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


def mode_groups(spectrum: SpectrumLike) -> list[slice]:
    """Return the groups of 2 l + 1 modes, l = 1, 2, ..., that follow the null modes.

    On a sphere these are the eigenspaces; on a surface like one they are nearly so. The last group may be
    incomplete.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> mode_groups(Spectrum([0, 2, 2, 2, 6, 6], {"n_null_modes": 1, "surface_area": 1.0}))
    [slice(1, 4, None), slice(4, 6, None)]
    """
    groups, start, k = [], spectrum.n_null_modes, len(spectrum.eigenvalues)
    size = 3
    while start < k:
        groups.append(slice(start, min(start + size, k)))
        start, size = start + size, size + 2
    return groups


def random_rotation(size: int, rng: np.random.Generator) -> FloatArray:
    """Return a rotation drawn uniformly (Haar measure) from SO(size).

    References
    ----------
    Stewart (1980), SIAM Journal on Numerical Analysis 17, 403-409: QR of a Gaussian matrix with the signs of
    R's diagonal divided out.
    """
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] *= -1
    rotation: FloatArray = q
    return rotation


def _generator(seed: Any) -> np.random.Generator:
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(check_count(seed, "seed", least=0))


def eigenstrap(
    decomposition: SpectralDecomposition,
    values: Any,
    *,
    n_surrogates: int = 1,
    seed: int | np.random.Generator = 0,
    n_modes: int | None = None,
    residual: Literal["drop", "keep", "permute"] = "drop",
    resample: bool = False,
) -> FloatArray:
    """Make surrogate maps by rotating a map's coefficients inside groups of modes.

    In each group of 2 l + 1 modes the coefficients c become c' = L^(-1/2) R L^(1/2) c with a random
    rotation R and L the group's eigenvalues: the group's share of the Dirichlet energy, sum lambda c^2,
    stays, and with it the map's smoothness; where the peaks lie does not.

    Parameters
    ----------
    decomposition : SpectralDecomposition
        Closed or Neumann.
    values : (N,) array
        The map; values outside the domain are ignored.
    n_surrogates : int
        How many maps S.
    seed : int or Generator
        The same seed gives the same maps.
    n_modes : int, optional
        Modes to use, null modes included; all by default. A square number (l + 1)^2 on a connected surface
        ends with a whole group; an incomplete last group is rotated within itself.
    residual : {'drop', 'keep', 'permute'}
        What the modes cannot represent is left out, added back unchanged, or added after a random permutation
        of the vertices of the domain.
    resample : bool
        Give each surrogate the original's values, in the surrogate's order of ranks. The
        histogram is then the map's own, the energies per group are not.

    Returns
    -------
    (N, S) array, unit of the map
        NaN outside the domain. Null modes, and so the mean, are unchanged.

    Raises
    ------
    ArrayError
        If the spectrum has no null mode (Dirichlet boundary), an option is out of range, or a value inside
        the domain is missing.

    References
    ----------
    Koussis, Pang, Phogat, Jeganathan, Paton, Fornito, Robinson, Misic & Breakspear (2025), Imaging
    Neuroscience, doi:10.1162/imag.a.71: random rotation of geometric eigenmodes.

    Notes
    -----
    Invariant to rigid motion, scaling and, but for 'permute', the order of vertices. Other signs or bases of
    the modes give other surrogates for a seed, of the same distribution.
    The authors' program divides modes by sqrt(lambda), rotates them and multiplies by it again, which is this
    map of coefficients. It fits the coefficients to vertices of equal weight, where ours count by area, and
    gives surrogates of mean 0 unless it resamples.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(2).decompose(k=16)
    >>> values = decomposition.mesh.vertices[:, 2] ** 2
    >>> eigenstrap(decomposition, values, n_surrogates=3, seed=1).shape
    (162, 3)
    """
    check_choice(residual, ("drop", "keep", "permute"), "residual")
    count = check_count(n_surrogates, "n_surrogates")
    array = check_map(decomposition, values)
    if array.ndim != 1:
        raise ArrayError(f"values: expected shape (N,), found {array.shape}")
    if not decomposition.n_null_modes:
        raise ArrayError("decomposition: expected a closed or Neumann surface, found a Dirichlet spectrum")
    k = decomposition.eigenvectors.shape[1]
    used = k if n_modes is None else check_count(n_modes, "n_modes", least=decomposition.n_null_modes + 1)
    if used > k:
        raise ArrayError(f"n_modes: expected at most {k}, found {used}")
    rng = _generator(seed)
    coefficients = decompose_map(decomposition, array)[:used]
    vectors = decomposition.eigenvectors[:, :used]
    rest = array - vectors @ coefficients
    inside = np.flatnonzero(decomposition.domain)
    ranked = np.sort(array[inside])
    surrogates = np.full((len(array), count), np.nan)
    roots = np.sqrt(decomposition.eigenvalues[:used].clip(min=0))
    groups = [slice(g.start, min(g.stop, used)) for g in mode_groups(decomposition) if g.start < used]
    for s in range(count):
        turned = coefficients.copy()
        for group in groups:
            rotation = random_rotation(group.stop - group.start, rng)
            turned[group] = rotation @ (roots[group] * coefficients[group]) / roots[group]
        surrogate = (vectors @ turned)[inside]
        if residual != "drop":
            surrogate += rest[inside if residual == "keep" else rng.permutation(inside)]
        if resample:
            surrogate[np.argsort(surrogate, kind="stable")] = ranked.copy()
        surrogates[inside, s] = surrogate
    return surrogates
