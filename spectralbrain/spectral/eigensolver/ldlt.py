"""The numeric half: block LDL^T factorisation of a symmetric, possibly indefinite sparse matrix.

A front with own unknowns 1 and boundary 2 is eliminated by its Schur complement,
S = A22 - A21 A11^-1 A12, which its parent adds to its own entries. Kept are A11^-1 and -A11^-1 A12: a solve
is then two dense products per front and right-hand sides come in blocks. The A12 of a leaf, to which no
other front has added, is sparse and kept instead of -A11^-1 A12. By Sylvester's law of inertia the number
of negative eigenvalues of the matrix is the sum over the fronts of that of A11 (Grimes, Lewis & Simon 1994,
SIAM J. Matrix Anal. Appl. 15, 228-272, section 3).

Pivoting stays inside A11, so the factorisation can lose accuracy where a leading submatrix is close to
singular. That is never assumed away: see :meth:`Factorization.solve_error`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from scipy.linalg.lapack import dsytrf

from spectralbrain.runtime import FloatArray
from spectralbrain.spectral.eigensolver.symbolic import Batch, Links, SymbolicFactorization
from spectralbrain.spectral.eigensolver.threads import Team

T = TypeVar("T")

# Below this boundary width, children are added through one fancy index instead of one per child.
NARROW_BOUNDARY = 80
# Columns that LAPACK's L D L^T works on together.
SYTRF_BLOCK = 64
# Rows that a thread copies at a time.
SPAN = 8192


class Factorization:
    """L D L^T of a symmetric matrix with a given symbolic factorisation.

    Parameters
    ----------
    symbolic : SymbolicFactorization
        Of the matrix' pattern.
    data : (nnz,) array
        Entries in CSR order.
    team : Team
        Threads.

    Attributes
    ----------
    n_negative : int
        Number of negative eigenvalues of the matrix.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a front is exactly singular.
    """

    def __init__(self, symbolic: SymbolicFactorization, data: FloatArray, team: Team) -> None:
        self.symbolic = symbolic
        self.team = team
        self._data = data
        self._blocks: dict[Batch, FloatArray] = {}
        self._couplings: dict[Batch, tuple[Any, Any]] = {}
        self._negative: dict[Batch, int] = {}
        self._rows = symbolic.row[symbolic.order]
        self._padded = np.zeros((symbolic.n_padded + 1, 0))
        schur = team.map(self._eliminate_chain, symbolic.subtrees)
        if symbolic.top:
            width = symbolic.top_width
            stacked = np.zeros((len(schur), width, width))
            for target, found in zip(stacked, schur, strict=True):
                if found is not None:
                    target[: found.shape[1], : found.shape[1]] = found[0]
            self._eliminate_chain(symbolic.top, stacked)
        self.n_negative = sum(self._negative.values())
        del self._data

    def _spread(self, batch: Batch, function: Callable[[slice], T]) -> list[T]:
        """Call a function for runs of fronts: one by one and on all threads above the subtrees."""
        count = len(batch.nodes)
        if batch.in_subtree:
            return [function(slice(0, count))]
        return self.team.map(function, [slice(i, i + 1) for i in range(count)])

    def _eliminate_chain(self, chain: list[Batch], schur: FloatArray | None = None) -> FloatArray | None:
        for batch in chain:
            schur = self._eliminate(batch, schur)
        return schur

    def _eliminate(self, batch: Batch, schur: FloatArray | None) -> FloatArray | None:
        m, own, size = len(batch.nodes), batch.own, batch.size
        flat = np.zeros(m * size * size + 1)  # the last entry takes what belongs nowhere
        fronts = flat[:-1].reshape(m, size, size)
        flat[batch.entry_target] = self._data[batch.entry_source]
        flat[batch.pad_target] = 1.0
        narrow = schur is not None and schur.shape[1] < NARROW_BOUNDARY
        if narrow and schur is not None and batch.children is not None:
            _add_narrow_children(flat, fronts, schur, batch.children)
        if batch.leaf is not None:
            self._couplings[batch] = self._entries(batch.leaf.to_boundary), self._entries(batch.leaf.to_own)
        block = np.empty((m, own, size if batch.leaf is None else own))
        complement = fronts[:, own:, own:]

        def condense(run: slice) -> int:
            if not narrow and schur is not None and batch.children is not None:
                _add_wide_children(fronts, schur, batch.children, run)
            pivots, coupling = fronts[run, :own, :own], fronts[run, :own, own:]
            inverse = np.linalg.inv(pivots)
            inverse += np.ascontiguousarray(inverse.transpose(0, 2, 1))
            inverse *= 0.5
            product = np.matmul(inverse, coupling)
            block[run, :, :own] = inverse
            if batch.leaf is None:
                np.negative(product, out=block[run, :, own:])
            complement[run] -= np.matmul(coupling.transpose(0, 2, 1), product)
            return count_negative(pivots)

        self._negative[batch] = sum(self._spread(batch, condense))
        self._blocks[batch] = block
        return complement if batch.boundary else None

    def _entries(self, numbers: Any) -> Any:
        """Return the negative entries of the matrix in the places of their numbers."""
        return sp.csr_array((-self._data[numbers.data], numbers.indices, numbers.indptr), shape=numbers.shape)

    def solve(self, right: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the solution for an (n, m) block of right-hand sides, in the symbolic order of unknowns.

        Parameters
        ----------
        right : (n, m) array
            Rows ordered as ``symbolic.order``.
        out : (n, m) array, optional
            Where to put the solution; `right` itself will do.

        Returns
        -------
        (n, m) array
        """
        symbolic, team = self.symbolic, self.team
        m = right.shape[1]
        rows = self._rows
        if self._padded.shape[1] != m:  # rows of padding stay zero from one solve to the next
            self._padded = np.zeros((symbolic.n_padded + 1, m))
        padded = self._padded
        out = np.empty((symbolic.n, m)) if out is None else out
        spans = [slice(start, start + SPAN) for start in range(0, symbolic.n, SPAN)]

        def scatter(span: slice) -> None:
            padded[rows[span]] = right[span]

        def gather(span: slice) -> None:
            np.take(padded, rows[span], axis=0, out=out[span], mode="clip")

        team.map(scatter, spans)
        carried = team.map(lambda chain: self._forward(chain, padded, None), symbolic.subtrees)
        if symbolic.top:
            stacked = np.zeros((len(carried), symbolic.top_width, m))
            for target, found in zip(stacked, carried, strict=True):
                if found is not None:
                    target[: len(found)] = found
            self._forward(symbolic.top, padded, stacked.reshape(-1, m))
            self._backward(symbolic.top, padded)
        team.map(lambda chain: self._backward(chain, padded), symbolic.subtrees)
        team.map(gather, spans)
        return out

    def _forward(self, chain: list[Batch], x: FloatArray, carried: FloatArray | None) -> FloatArray | None:
        m = x.shape[1]
        for batch in chain:
            count = len(batch.nodes)
            mine = x[batch.start : batch.start + count * batch.own]
            if carried is not None and batch.children is not None:
                mine += batch.children.to_own @ carried
            if not batch.boundary:
                return None
            if batch in self._couplings:
                to_boundary, _ = self._couplings[batch]
                inner = np.matmul(self._blocks[batch], mine.reshape(count, batch.own, m))
                carried = to_boundary @ inner.reshape(-1, m)
                continue
            coupling = self._blocks[batch][:, :, batch.own :].transpose(0, 2, 1)
            stack, product = mine.reshape(count, batch.own, m), np.empty((count, batch.boundary, m))

            def eliminate(run: slice, a: Any = coupling, b: Any = stack, out: Any = product) -> None:
                np.matmul(a[run], b[run], out=out[run])

            self._spread(batch, eliminate)
            passed = product.reshape(-1, m)
            if carried is not None and batch.children is not None:
                passed += batch.children.to_boundary @ carried
            carried = passed
        return carried

    def _backward(self, chain: list[Batch], x: FloatArray) -> None:
        m = x.shape[1]
        for batch in reversed(chain):
            count = len(batch.nodes)
            mine = x[batch.start : batch.start + count * batch.own].reshape(count, batch.own, m)
            if batch in self._couplings:
                _, to_own = self._couplings[batch]
                right = to_own @ x
                right += mine.reshape(right.shape)
                np.matmul(self._blocks[batch], right.reshape(mine.shape), out=mine)
                continue

            def substitute(run: slice, batch: Batch = batch, out: FloatArray = mine) -> None:
                fronts = np.take(x, batch.rows[run], axis=0, mode="clip")
                np.matmul(self._blocks[batch][run], fronts, out=out[run])

            self._spread(batch, substitute)


def count_negative(blocks: FloatArray) -> int:
    """Return the number of negative eigenvalues of a stack of symmetric matrices.

    Most are positive definite, which a Cholesky factorisation shows at a fraction of the price.

    Examples
    --------
    >>> count_negative(np.array([np.diag([1.0, -2.0]), np.diag([-1.0, -3.0])]))
    3
    """
    try:
        np.linalg.cholesky(blocks)
    except np.linalg.LinAlgError:
        if len(blocks) > 1:
            half = len(blocks) // 2
            return count_negative(blocks[:half]) + count_negative(blocks[half:])
        return _count_negative_pivots(blocks[0])
    return 0


def _count_negative_pivots(matrix: FloatArray) -> int:
    """Return the number of negative eigenvalues by Sylvester's law, from L D L^T (Bunch & Kaufman 1977).

    A pivot of two rows, marked by negative indices, has one negative eigenvalue.
    """
    factors, pivots, _ = dsytrf(matrix, lower=1, lwork=SYTRF_BLOCK * len(matrix))
    single = pivots > 0
    return int((np.diag(factors)[single] < 0).sum()) + int((~single).sum()) // 2


def _add_narrow_children(flat: FloatArray, fronts: FloatArray, schur: FloatArray, links: Links) -> None:
    """Add the children's Schur complements into their parents' fronts, the leading part of `flat`."""
    per_parent, (m, size, _) = links.per_parent, fronts.shape
    nowhere = len(flat) - 1
    position = np.where(links.valid, links.position, nowhere)
    base = (np.arange(m) * size * size)[:, None, None]
    for child in range(per_parent):
        at = position[child::per_parent]
        target = (base + at[:, :, None] * size) + at[:, None, :]
        flat[np.minimum(target, nowhere, out=target)] += schur[child::per_parent]


def _add_wide_children(fronts: FloatArray, schur: FloatArray, links: Links, run: slice) -> None:
    """Add the children's Schur complements into a run of fronts."""
    for child in range(run.start * links.per_parent, run.stop * links.per_parent):
        used = int(links.valid[child].sum())  # padding comes last
        at = links.position[child, :used]
        spread = np.zeros((used, fronts.shape[1]))
        spread[:, at] = schur[child, :used, :used]
        fronts[child // links.per_parent][at] += spread
