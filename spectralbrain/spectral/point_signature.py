"""Point signatures without a scale: the global point signature and the biharmonic diagonal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_modes
from spectralbrain.spectral._blocks import sum_of_squares
from spectralbrain.spectral.spectrum import non_null_eigenvalues

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition


def compute_gps(decomposition: SpectralDecomposition, *, k: int | None = None) -> FloatArray:
    """Compute the global point signature.

    GPS(x) = (phi_1(x) / sqrt(lambda_1), phi_2(x) / sqrt(lambda_2), ...).

    Its columns depend on the signs of eigenvectors and on the choice of basis in multiple
    eigenspaces: compare distances between signatures, never single columns across surfaces. The Euclidean
    distance between two rows is the commute-time distance.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    k : int, optional
        Number of coordinates; all non-null modes by default. Distances grow like sqrt(log k), so compare
        equal k only.

    Returns
    -------
    (N, k) array, dimensionless
        NaN outside the domain; does not change with size.

    Raises
    ------
    ArrayError
        If fewer than `k` non-null modes are there.

    References
    ----------
    Rustamov (2007), Symposium on Geometry Processing, 225-233: definition of the GPS, an embedding in
    which the inner product of two points is Green's function sum_i phi_i(x) phi_i(y) / lambda_i.

    Notes
    -----
    Invariant to rigid motion, the order of vertices and scaling; distances between rows also to signs and to
    rotations inside an eigenspace.
    SpectralBrain 0.1.0 agrees on a connected closed or Neumann surface; it always drops one mode, of a
    Dirichlet spectrum too, and sets coordinates with lambda < 1e-10 mm^-2 to zero.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> decomposition = sphere(3).decompose(k=9)
    >>> compute_gps(decomposition).shape == (decomposition.mesh.n_vertices, 8)
    True
    """
    check_modes(decomposition)
    values = non_null_eigenvalues(decomposition, k)
    first = decomposition.n_null_modes
    gps: FloatArray = decomposition.eigenvectors[:, first : first + len(values)] / np.sqrt(values)
    return gps


def compute_bks(decomposition: SpectralDecomposition, *, n_threads: int | None = None) -> FloatArray:
    """Compute BKS(x) = sum_i phi_i(x)^2 / lambda_i^2, the diagonal of the biharmonic kernel.

    Lipman et al. define the biharmonic kernel, Green's function of the squared Laplacian, and the
    distance made from it; they do not call its diagonal a signature. The name biharmonic kernel signature is
    later usage, kept here because the field knows it.

    Parameters
    ----------
    decomposition : SpectralDecomposition
    n_threads : int, optional
        Threads; the bytes of the result do not depend on them.

    Returns
    -------
    (N,) array, mm^2
        NaN outside the domain. Scaling by s multiplies it by s^2. Null modes are left out.

    Raises
    ------
    ArrayError
        If there is no non-null mode.

    References
    ----------
    Lipman, Rustamov & Funkhouser (2010), ACM Transactions on Graphics 29(3), 27,
    doi:10.1145/1805964.1805971: the kernel g(x, y) = sum_i phi_i(x) phi_i(y) / lambda_i^2 and the distance
    d(x, y)^2 = g(x, x) + g(y, y) - 2 g(x, y).

    Notes
    -----
    Invariant to rigid motion, to the order of vertices, to signs and to rotations inside an eigenspace. The
    sum converges quickly: terms fall like n^-2. SpectralBrain 0.1.0 agrees where lambda_1 > 1e-10 mm^-2.
    The "improved" signature (IBKS) that it also has is not offered: no published definition was found that is
    deterministic.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> bks = compute_bks(sphere(4).decompose(k=16))
    >>> exact = sum((2 * l + 1) / (l * (l + 1)) ** 2 for l in (1, 2, 3)) / (4 * np.pi)
    >>> bool(np.allclose(bks, exact, rtol=0.05))
    True
    """
    check_modes(decomposition)
    weights = non_null_eigenvalues(decomposition)[:, None] ** -2.0
    vectors = decomposition.eigenvectors[:, decomposition.n_null_modes :]
    return sum_of_squares(vectors, weights, n_threads)[:, 0]
