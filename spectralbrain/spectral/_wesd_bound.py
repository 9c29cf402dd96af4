"""The bound of the weighted spectral distance between flat domains with Dirichlet boundary."""

from __future__ import annotations

import numpy as np
from scipy.special import zeta

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray

DIMENSION = 2
SECOND_GAP = DIMENSION / (DIMENSION + 4)  # lambda_2 <= (1 + 4 / d) lambda_1
LATER_GAP = DIMENSION / (DIMENSION + 2.64)  # lambda_(n+1) <= (1 + 2.64 / d) n^(2/d) lambda_1


def dirichlet_bound(first: FloatArray, second: FloatArray, area: float, p: float) -> float:
    """Return {C + K [zeta(2p/d) - 1 - 2^(-2p/d)]}^(1/p), which no distance of two domains exceeds.

    Per mode, 1 / lambda_n is at most (d + 2) / (4 pi^2 d) (B_d V / n)^(2/d), here V / (2 pi n), by Li and
    Yau, and at least 1 / mu times 1, d / (d + 4) and then d / (d + 2.64) n^(-2/d), by universal
    inequalities, with mu = max(lambda_1, xi_1). The difference of two inverses is at most that of the two
    bounds; C holds the first two modes, K the rest.

    Parameters
    ----------
    first, second : (k,) array, mm^-2
        Eigenvalues, ascending.
    area : float, mm^2
        The larger of the two areas V.
    p : float
        Exponent, more than 1.

    Returns
    -------
    float, mm^2

    Raises
    ------
    ArrayError
        If an eigenvalue violates the inequalities, as those of a curved surface can.

    References
    ----------
    Konukoglu, Glocker, Criminisi & Pohl (2013), IEEE Trans. Pattern Analysis and Machine Intelligence 35(9),
    2284-2297, doi:10.1109/TPAMI.2012.275.
    Li & Yau (1983), Comm. Math. Phys. 88, 309-318. Cheng & Yang (2007), Math. Ann. 337, 159-175.
    """
    level = max(first[0], second[0])
    index = np.arange(1, len(first) + 1)
    upper = area / (2 * np.pi * index)
    lower = np.where(index == 1, 1.0, np.where(index == 2, SECOND_GAP, LATER_GAP / index)) / level
    for values in (first, second):
        if (1 / values > upper).any() or (1 / values < lower).any():
            raise ArrayError(
                "score: a surface is curved so that its spectrum violates the bounds of flat domains; "
                "use score=False"
            )
    head = np.array([area / (2 * np.pi) - 1 / level, area / (4 * np.pi) - SECOND_GAP / level])
    tail = area / (2 * np.pi) - LATER_GAP / level
    rest = zeta(2 * p / DIMENSION) - 1 - 2.0 ** (-2 * p / DIMENSION)
    return float(((head**p).sum() + tail**p * rest) ** (1 / p))
