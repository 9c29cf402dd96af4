"""Block Lanczos for the shifted and inverted pencil.

With OP = (A - sigma B)^-1 B, which is symmetric in the inner product of B, the block three-term recurrence

    OP Q_j = Q_(j-1) R_j' + Q_j M_j + Q_(j+1) R_(j+1)

builds a B-orthonormal basis and a banded T (Golub & Underwood 1977, The block Lanczos method, in
Mathematical Software III; shifted and inverted: Ericsson & Ruhe 1980, Math. Comp. 35, 1251-1268; in the
form used here: Grimes, Lewis & Simon 1994, SIAM J. Matrix Anal. Appl. 15, 228-272). An eigenpair (theta, s)
of T gives the Ritz value lambda = sigma + 1 / theta and the Ritz vector Q s. After one more step of OP,
which costs nothing because Q_(j+1) is at hand ("purification", ibid. section 2.2), its residual is known
exactly: ||A x - lambda B x|| in the B^-1 norm equals ||R_(j+1) s_last|| / theta^2.

There is no restart. Orthogonality is restored against the whole basis for several blocks at a time,
which keeps T accurate to rounding as long as the loss in between stays below the root of the machine
precision (Simon 1984, Linear Algebra Appl. 61, 101-131); the loss is watched and steers the delay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Basis, Panels, RowSplit
from spectralbrain.spectral.eigensolver.subspace import cholesky, inverse_of

# Growth of the basis between tests for convergence.
TEST_GROWTH = 1.02
# Loss of orthogonality above which blocks are reorthogonalised sooner (half the digits, Simon 1984), and
# the fraction of it below which they are reorthogonalised less often.
ACCEPTED_LOSS = 1.5e-8
NEGLIGIBLE_LOSS = 1e-2
# Ratio of the scales in a block up to which one Cholesky factorisation makes it orthonormal enough for the
# recurrence; reorthogonalisation makes it so to rounding.
WELL_CONDITIONED = 10.0
LONGEST_DELAY = 2
# Loss of orthogonality that T does not survive.
FATAL_LOSS = 1e-6

Wanted = Callable[[FloatArray], IntArray]


@dataclass(frozen=True, eq=False)
class RitzPairs:
    """Approximate eigenpairs.

    Attributes
    ----------
    values : (m,) array
        Ascending.
    vectors : (n, m) array
        B-orthonormal up to the loss of orthogonality.
    residuals : (m,) array
        Estimated residual of each, in the B^-1 norm.
    basis_size : int
        Columns of the basis that was needed.
    """

    values: FloatArray
    vectors: FloatArray
    residuals: FloatArray
    basis_size: int


class BlockLanczos:
    """The recurrence, one block at a time.

    Parameters
    ----------
    panels : Panels
        Row partition.
    mass : RowSplit
        B.
    solve : callable
        Given an (n, b) block Y and room for the result, returns (A - sigma B)^-1 Y.
    shift : float
        sigma.
    width : int
        Number of columns b of a block.
    capacity : int
        Largest number of columns of the basis.
    n_wanted : int
        Largest number of Ritz vectors.
    seed : int
        Of the starting block.
    longest_delay : int
        How many blocks at most are reorthogonalised together.
    """

    def __init__(
        self,
        panels: Panels,
        mass: RowSplit,
        solve: Callable[[FloatArray, FloatArray], FloatArray],
        shift: float,
        width: int,
        capacity: int,
        n_wanted: int,
        seed: int = 0,
        longest_delay: int = LONGEST_DELAY,
    ) -> None:
        self.panels, self.mass, self.solve = panels, mass, solve
        self.shift, self.width = shift, width
        self.capacity = -(-capacity // width) * width
        self.basis = Basis(panels, n_wanted)
        self.projected = np.zeros((self.capacity + (LONGEST_DELAY + 1) * width,) * 2)
        self._buffers, self._mass_buffers = (
            [np.empty((panels.n, LONGEST_DELAY * width)) for _ in range(2)] for _ in range(2)
        )
        self._block, self._product = (np.empty((panels.n, width)) for _ in range(2))
        self.longest_delay = longest_delay
        self.delay = 1
        self.worst_loss = 0.0
        self._open_slab()
        start = np.random.default_rng(seed).standard_normal((panels.n, width))
        start = self.solve(panels.sparse(mass, start, self._product), start)
        self.current, self.mass_current = self._slab, self._mass_slab
        self._normalise(start, self.current, self.mass_current)
        self.basis.append(self.current, np.eye(width))
        self.previous, self.coupling = np.zeros((panels.n, 0)), np.zeros((width, 0))
        self.size = width  # columns of the basis, the current block included
        self._open_slab()

    @property
    def is_settled(self) -> bool:
        """Whether all blocks are orthogonal to all others."""
        return self._filled == 0

    def _open_slab(self) -> None:
        """Make room for the blocks that will be reorthogonalised together."""
        columns = self.delay * self.width
        self._mass_buffers.reverse()  # the others hold what belongs to the previous block
        self._buffers.reverse()
        self._slab, self._filled = self._buffers[0][:, :columns], 0
        self._mass_slab = self._mass_buffers[0][:, :columns]

    def _normalise(self, block: FloatArray, target: FloatArray, mass_target: FloatArray) -> FloatArray:
        """Write a B-orthonormal basis Q of a block's columns, and B Q; return R, block = Q R.

        A Cholesky factorisation of the Gram matrix, repeated where the block is ill conditioned.
        """
        panels = self.panels
        lower = cholesky(panels.sparse_gram(self.mass, block, self._product))
        inverse = inverse_of(lower).T

        def divide(rows: slice) -> None:
            np.matmul(block[rows], inverse, out=target[rows])
            np.matmul(self._product[rows], inverse, out=mass_target[rows])

        panels.each(divide)
        upper: FloatArray = lower.T
        scales = np.diag(lower)
        if scales.max() > WELL_CONDITIONED * scales.min():
            lower_again = cholesky(panels.gram(target, mass_target))
            panels.multiply_right([target, mass_target], inverse_of(lower_again).T)
            upper = lower_again.T @ upper
        return upper

    def step(self) -> None:
        """Append one block."""
        b, j, panels = self.width, self.size, self.panels
        previous, current, mass_current = self.previous, self.current, self.mass_current
        block = self.solve(mass_current, self._block)
        known = self.coupling.T  # what OP brings back of the previous block

        def subtract_previous(rows: slice) -> FloatArray:
            if known.size:
                block[rows] -= previous[rows] @ known
            product: FloatArray = mass_current[rows].T @ block[rows]
            return product

        diagonal = panels.total(subtract_previous)

        def subtract_current(rows: slice) -> None:
            block[rows] -= current[rows] @ diagonal

        panels.each(subtract_current)
        mine = slice(self._filled, self._filled + b)
        target, mass_target = self._slab[:, mine], self._mass_slab[:, mine]
        upper = self._normalise(block, target, mass_target)
        self.projected[j - b : j, j - b : j] = (diagonal + diagonal.T) / 2
        self.projected[j : j + b, j - b : j] = upper
        self.projected[j - b : j, j : j + b] = upper.T
        self.previous, self.current, self.mass_current = current, target, mass_target
        self.coupling = upper
        self.size = j + b
        self._filled += b
        if self._filled == self._slab.shape[1]:
            self.settle()

    def settle(self) -> None:
        """Restore the orthogonality of the open slab to everything before it, and close it."""
        if self.is_settled:
            return
        blocks, mass_blocks = self._slab[:, : self._filled], self._mass_slab[:, : self._filled]
        loss = self.basis.project(mass_blocks)
        largest = float(np.abs(loss).max())
        if not largest < FATAL_LOSS:
            raise ConvergenceError(
                f"block Lanczos: orthogonality was lost by {largest:.0e} in {self.delay} steps"
            )
        self.basis.subtract(loss, blocks)
        inverse = inverse_of(cholesky(self.panels.sparse_gram(self.mass, blocks, mass_blocks)))
        self.panels.multiply_right([mass_blocks], inverse.T)
        self.basis.append(blocks, inverse.T)
        self.worst_loss = max(self.worst_loss, largest)
        if largest > ACCEPTED_LOSS:
            self.delay = max(1, self.delay - 1)
        elif largest < NEGLIGIBLE_LOSS * ACCEPTED_LOSS:
            self.delay = min(self.longest_delay, self.delay + 1)
        self._open_slab()

    def ritz(self, wanted: Wanted) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values, coefficients (with the purifying step) and residual estimates of wanted pairs.

        Parameters
        ----------
        wanted : callable
            Given all Ritz values, returns the indices of those wanted, ascending.
        """
        j, b = self.size - self.width, self.width
        theta, s = np.linalg.eigh(self.projected[:j, :j])
        with np.errstate(divide="ignore"):
            values = self.shift + 1 / theta
        index = wanted(values)
        theta, s = theta[index], s[:, index]
        tail = self.coupling @ s[j - b :]
        residuals = np.linalg.norm(tail, axis=0) / theta**2
        coefficients = np.vstack([s, tail / theta])
        coefficients /= np.linalg.norm(coefficients, axis=0)
        return values[index], coefficients, residuals


def run_lanczos(
    lanczos: BlockLanczos,
    wanted: Wanted,
    count: int,
    accepted: Callable[[FloatArray], FloatArray],
    first_test: float = 0,
) -> RitzPairs:
    """Build the basis until `count` wanted pairs have converged.

    Parameters
    ----------
    lanczos : BlockLanczos
    wanted : callable
        Given all Ritz values, returns the indices of those wanted, ascending.
    count : int
        How many pairs must converge.
    accepted : callable
        Given eigenvalues, returns the largest accepted residual of each.
    first_test : float
        Columns of the basis before which it is not worth looking.

    Returns
    -------
    RitzPairs

    Raises
    ------
    ConvergenceError
        If the capacity of the basis is reached first.
    """
    next_test = max(first_test, count)
    stalled = -1
    while True:
        lanczos.step()
        full = lanczos.size >= lanczos.capacity
        if full:
            lanczos.settle()
        elif lanczos.size - lanczos.width < next_test or not lanczos.is_settled:
            continue
        next_test = max(next_test * TEST_GROWTH, next_test + lanczos.width)
        values, coefficients, residuals = lanczos.ritz(wanted)
        if len(values) >= count and (residuals <= accepted(values)).all():
            break
        far = 2 * lanczos.size > lanczos.capacity
        if far and len(values) < count and (residuals <= accepted(values)).all():
            if stalled == len(values):
                raise ConvergenceError(
                    f"block Lanczos: {stalled} pairs converged where the inertia counts more, "
                    f"which blocks of {lanczos.width} cannot separate"
                )
            stalled = len(values)
        if full:
            raise ConvergenceError(
                f"block Lanczos: {int((residuals <= accepted(values)).sum())} of {count} pairs converged "
                f"in a basis of {lanczos.size}"
            )
    vectors = lanczos.basis.combine(coefficients)
    return RitzPairs(values, vectors, residuals, lanczos.size)
