"""Numbers that say how far a computed spectrum can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.panels import Panels, room_for
from spectralbrain.spectral.eigensolver.pencil import Pencil

BLOCK = 50


@dataclass(frozen=True, eq=False)
class Examination:
    """What is measured on computed eigenpairs.

    Attributes
    ----------
    residuals : (m,) array
        Upper bound of ||A phi - lambda B phi|| in the B^-1 norm.
    orthonormality : float
        Largest entry of |Phi' B Phi - I|.
    mass_quotients : (2, m) array
        phi' B phi and phi' B2 phi, B2 another mass matrix.
    """

    residuals: FloatArray
    orthonormality: float
    mass_quotients: FloatArray


def examine(
    panels: Panels, pencil: Pencil, other_mass: Any, values: FloatArray, vectors: FloatArray
) -> Examination:
    """Measure eigenpairs against the matrices, independently of how they were computed.

    r' B^-1 r is bounded by a multiple of r' diag(B)^-1 r, see :class:`Pencil`; a lumped matrix is its
    diagonal.

    Parameters
    ----------
    panels : Panels
        Row partition.
    pencil : Pencil
        The eigenproblem.
    other_mass : (n, n) sparse CSR array
        B2, see :class:`Examination`.
    values : (m,) array
        Eigenvalues.
    vectors : (n, m) array
        Eigenvectors.

    Returns
    -------
    Examination
    """
    matrices = [panels.split(matrix) for matrix in (pencil.mass, other_mass, pencil.stiffness)]
    diagonal = pencil.mass.diagonal()[:, None]
    factor = 1.0 if pencil.mass.nnz == pencil.n else pencil.mass_bound
    m = len(values)
    residuals, quotients = np.empty(m), np.empty((2, m))
    worst = 0.0
    copied = room_for(pencil.n, min(BLOCK, m))
    for start in range(0, m, BLOCK):
        block = slice(start, min(start + BLOCK, m))
        phi = panels.copy(vectors[:, block], copied)

        def measure(rows: slice, block: slice = block, phi: FloatArray = phi) -> Any:
            mass_phi, other_phi, rest = (matrix.pieces[rows.start] @ phi for matrix in matrices)
            rest -= mass_phi * values[block]
            pairs = (rest, rest / diagonal[rows]), (phi[rows], other_phi)
            sums = [np.einsum("ij,ij->j", a, b) for a, b in pairs]
            return np.vstack([*sums, vectors[rows, block.start : m].T @ mass_phi])

        total = panels.total(measure)
        gram = total[2:]
        diagonal_entries = np.arange(gram.shape[1])
        residuals[block] = np.sqrt(factor * total[0])
        quotients[:, block] = gram.diagonal(), total[1]
        gram[diagonal_entries, diagonal_entries] -= 1
        worst = max(worst, float(np.abs(gram).max()))
    return Examination(residuals, worst, quotients)


def rounding_floor(pencil: Pencil) -> float:
    """Return about how large the residual of an eigenvector is when its entries are rounded.

    An error eps phi_i gives A_ii eps phi_i, in the B^-1 norm divided by sqrt(B_ii); phi_i^2 is 1 / area on
    average. Only triangles that are nearly flat, with cotangents of a million, make it matter.
    """
    ratios = pencil.stiffness.diagonal() ** 2 / pencil.mass.diagonal()
    return float(np.finfo(float).eps * np.sqrt(ratios.sum() / pencil.area))


def discretization_errors(mass_quotients: FloatArray, *, consistent: bool) -> FloatArray:
    """Return the estimated relative discretisation error of each eigenvalue.

    The consistent mass matrix overestimates an eigenvalue by about as much as the lumped one
    underestimates it (on a line with spacing h: 1 + lambda h^2 / 12 against 1 - lambda h^2 / 12; Strang &
    Fix 1973, section 6.3), so half the relative difference of the two Rayleigh quotients of phi
    estimates the error of either.

    Parameters
    ----------
    mass_quotients : (2, m) array
        phi' B phi with the mass matrix that was used, and with the other of the two.
    consistent : bool
        Whether the consistent matrix was used.

    Returns
    -------
    (m,) array
        Positive where the eigenvalue is too large.

    Examples
    --------
    >>> discretization_errors(np.array([[1.0], [1.02]]), consistent=True).round(4)
    array([0.0099])
    """
    used, other = mass_quotients
    errors: FloatArray = np.abs(other - used) / (used + other)
    return errors if consistent else -errors


def quadratic_errors(mass_quotients: FloatArray) -> FloatArray:
    """Return the estimated relative discretisation error of each eigenvalue of quadratic elements.

    On a line with spacing h it is (lambda h^2)^2 / 720, a fifth of the square of the error lambda h^2 / 12 of
    linear elements, which is estimated from the values at the vertices. On rectangles this is right within
    about a factor of two. The error of flat triangles on a curved surface is not in it.

    Parameters
    ----------
    mass_quotients : (2, m) array
        phi' B phi with the consistent and the lumped mass matrix of linear elements.

    Returns
    -------
    (m,) array
        Not negative: quadratic elements overestimate eigenvalues.

    Examples
    --------
    >>> quadratic_errors(np.array([[1.0], [1.2]])).round(5)
    array([0.00165])
    """
    errors: FloatArray = discretization_errors(mass_quotients, consistent=True) ** 2 / 5
    return errors


def geometry_errors(panels: Panels, lost_area: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the relative error of each eigenvalue because triangles are flat and the surface is curved.

    Parameters
    ----------
    panels : Panels
        Row partition.
    lost_area : (n,) array
        See :func:`spectralbrain.operators.curvature.lost_area`.
    vectors : (n, m) array
        B-orthonormal eigenvectors.

    Returns
    -------
    (m,) array
        Mean of the lost area, weighted with phi^2: positive where the eigenvalue is too large.
    """

    def weigh(rows: slice) -> FloatArray:
        weighted: FloatArray = lost_area[rows] @ vectors[rows] ** 2
        return weighted

    errors: FloatArray = panels.total(weigh)
    return errors
