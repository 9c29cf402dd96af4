"""Small problems: every eigenpair, by LAPACK."""

from __future__ import annotations

import scipy.linalg

from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil


def dense_pairs(pencil: Pencil) -> Pairs:
    """Return all eigenpairs of a pencil."""
    values, vectors = scipy.linalg.eigh(pencil.stiffness.toarray(), pencil.mass.toarray())
    return Pairs(values, vectors)
