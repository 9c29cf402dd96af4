"""Block Lanczos for the shifted and inverted pencil.

With OP = (A - sigma B)^-1 B, which is symmetric in the inner product of B, the block three-term recurrence

    OP Q_j = Q_(j-1) R_j' + Q_j M_j + Q_(j+1) R_(j+1)

builds a B-orthonormal basis and a banded T (Golub & Underwood 1977, The block Lanczos method, in
Mathematical Software III; shifted and inverted: Ericsson & Ruhe 1980, Math. Comp. 35, 1251-1268; in the
form used here: Grimes, Lewis & Simon 1994, SIAM J. Matrix Anal. Appl. 15, 228-272). An eigenpair (theta, s)
of T gives the Ritz value lambda = sigma + 1 / theta and the Ritz vector Q s. After one more step of OP,
which costs nothing because Q_(j+1) is at hand ("purification", ibid. section 2.2), its residual is known
exactly: ||A x - lambda B x|| in the B^-1 norm equals ||R_(j+1) s_last|| / theta^2.

There is no restart. Orthogonality against the whole basis is restored for several blocks at a time, which
keeps T accurate to rounding as long as the loss in between stays below the root of the machine precision
(Simon 1984, Linear Algebra Appl. 61, 101-131); the loss is measured and steers the delay. What feeds the
recurrence are the last two blocks, so only they are corrected; for the others the loss is remembered, and the
Gram-Schmidt step that they were spared is applied to the coefficients of the Ritz vectors. The loss grows
fastest along the eigenvectors closest to the shift, which converge first: once their Ritz vectors are known
they are kept out of every other block, and what the block in between has of them does not grow (selective
orthogonalisation: Parlett & Scott 1979, Math. Comp. 33, 217-238).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectralbrain.errors import ConvergenceError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.panels import Basis, Columns, Memory, Panels, RowSplit
from spectralbrain.spectral.eigensolver.subspace import cholesky, inverse_of

# Growth of the basis between tests for convergence.
TEST_GROWTH = 1.02
# Loss of orthogonality above which blocks are reorthogonalised sooner (half the digits, Simon 1984); if that
# of one more block would stay below, later. How it grows per block, where that cannot be seen.
ACCEPTED_LOSS = 1.5e-8
EXPECTED_GROWTH = 100.0
# Ratio of the scales in a block up to which one Cholesky factorisation makes it orthonormal enough for the
# recurrence; reorthogonalisation makes it so to rounding.
WELL_CONDITIONED = 10.0
LONGEST_DELAY = 4
# Blocks after which Ritz vectors closest to the shift are kept out of some that follow; how many blocks of
# them; how many blocks are reorthogonalised together before that and just after; and how many are corrected.
SELECT_AFTER = 12
SELECTED = 2
UNSELECTIVE_DELAY = 2
SELECTIVE_DELAY = 3
CORRECTED = 2
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
    first_width : int
        Columns of the basis in whose place Ritz vectors may be put.
    seed : int
        Of the starting block.
    longest_delay : int
        How many blocks at most are reorthogonalised together.
    known : (n, d) array, optional
        Eigenvectors, B-orthonormal, to whose complement the recurrence is restricted.
    memory : Memory, optional
        Of an earlier recurrence.
    """

    def __init__(
        self,
        panels: Panels,
        mass: RowSplit,
        solve: Callable[[FloatArray, FloatArray], FloatArray],
        shift: float,
        width: int,
        capacity: int,
        first_width: int = 0,
        seed: int = 0,
        longest_delay: int = LONGEST_DELAY,
        known: FloatArray | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.panels, self.mass, self.solve = panels, mass, solve
        self.shift, self.width = shift, width
        self.capacity = -(-capacity // width) * width
        self.longest_delay = longest_delay
        memory = memory or Memory()
        self.basis = Basis(panels, memory, first_width, known)
        self.n_known = self.basis.size
        room = self.capacity + (longest_delay + 1) * width
        self.projected = np.zeros((room, room))
        self.gram_schmidt = np.eye(self.n_known + room)
        self._mass_blocks = [
            memory.take(f"mass times open block {i}", panels.n, width) for i in range(longest_delay)
        ]
        self._carried = memory.take("mass times last block", panels.n, width)
        self._mass_raw = memory.take("mass times raw block", panels.n, width)
        self._selected: tuple[FloatArray, FloatArray] | None = None  # Ritz vectors, and B times them
        self.delay = 1
        self.worst_loss = 0.0
        self.size = 0  # columns of the basis, the current block included
        self._open: list[Columns] = []  # blocks not yet reorthogonalised
        start = np.random.default_rng(seed).standard_normal((panels.n, width))
        self._block = self.solve(panels.sparse(mass, start, self._carried), start)
        if known is not None:
            start -= known @ panels.gram(known, panels.sparse(mass, start, self._carried))
        self.coupling = np.zeros((width, 0))
        self._append()
        self.settle()

    def _append(self) -> FloatArray:
        """Add a B-orthonormal basis Q of the raw block W to the basis; return R, W = Q R.

        A Cholesky factorisation of the Gram matrix, repeated where the block is ill conditioned. Of every
        other open block but the last, which is reorthogonalised at once, the selected vectors are removed.
        """
        panels, b, raw, mass_raw = self.panels, self.width, self._block, self._mass_raw
        target = self.basis.extend(b)
        n_open = len(self._open)
        mass_target = self._mass_blocks[n_open]
        purge = self._selected if n_open % 2 and n_open + 1 < self.delay else None
        left = [raw] if purge is None else [raw, purge[0]]
        products = panels.sparse_products(self.mass, raw, mass_raw, left)
        gram, overlaps = products[:b], products[b:]
        lower = cholesky(gram - overlaps.T @ overlaps)
        inverse = inverse_of(lower).T
        removed = overlaps @ inverse

        def divide(rows: slice) -> None:
            np.matmul(raw[rows], inverse, out=target[rows])
            np.matmul(mass_raw[rows], inverse, out=mass_target[rows])
            if purge is not None:
                target[rows] -= purge[0][rows] @ removed
                mass_target[rows] -= purge[1][rows] @ removed

        panels.each(divide)
        upper: FloatArray = lower.T
        scales = np.diag(lower)
        if scales.max() > WELL_CONDITIONED * scales.min():
            lower_again = cholesky(panels.gram(target, mass_target))
            panels.multiply_right([target, mass_target], inverse_of(lower_again).T)
            upper = lower_again.T @ upper
        self.current, self.mass_current = target, mass_target
        self._open.append(target)
        self.size += b
        return upper

    def step(self) -> None:
        """Append one block."""
        b, j, panels = self.width, self.size, self.panels
        block = self._block = self.solve(self.mass_current, self._block)
        diagonal = panels.gram(self.mass_current, block)
        # what OP brings back of the last two blocks
        recent = self.basis.last(np.vstack([self.coupling.T, diagonal]))

        def subtract(rows: slice) -> None:
            for columns, part in recent:
                block[rows] -= columns[rows] @ part

        panels.each(subtract)
        self.coupling = upper = self._append()
        self.projected[j - b : j, j - b : j] = (diagonal + diagonal.T) / 2
        self.projected[j : j + b, j - b : j] = upper
        self.projected[j - b : j, j : j + b] = upper.T
        if len(self._open) >= self.delay:
            self.settle()

    def settle(self, correct: bool = True) -> None:
        """Restore the orthogonality of the open blocks to everything before them.

        Parameters
        ----------
        correct : bool
            Whether the last blocks are corrected themselves, as the recurrence needs them.
        """
        if not self._open:
            return
        b, panels, n_open = self.width, self.panels, len(self._open)
        overlaps = self.basis.project(self._mass_blocks[:n_open])
        loss = overlaps.copy()
        loss[-n_open * b :] -= np.eye(n_open * b)
        losses = np.abs(loss).reshape(-1, n_open, b).max(axis=(0, 2))
        largest = float(losses.max())
        growth = float(losses[-1] / losses[-2]) if n_open > 1 else EXPECTED_GROWTH
        if not largest < FATAL_LOSS:
            raise ConvergenceError(
                f"block Lanczos: orthogonality was lost by {largest:.0e} in {self.delay} steps"
            )
        n_corrected = min(CORRECTED, n_open) if correct else 0
        n_kept = n_open - n_corrected
        first = self.basis.size - n_open * b
        if n_kept:
            self._remember(slice(first, first + n_kept * b), overlaps[:, : n_kept * b])
        if n_corrected:
            start = self.basis.size - n_corrected * b
            late = overlaps[:, n_kept * b :]
            before, within = late[:start], late[start:]
            factor = inverse_of(cholesky(within - before.T @ before)).T
            self.basis.subtract(before, self._open[n_kept:], factor)
        block, current = self._block, self.current

        def gather(rows: slice) -> None:
            block[rows] = current[rows]

        panels.each(gather)
        self.mass_current = panels.sparse(self.mass, block, self._carried)
        self._open = []
        self.worst_loss = max(self.worst_loss, largest)
        if largest > ACCEPTED_LOSS:
            self.delay = max(1, self.delay - 1)
        elif largest * growth < ACCEPTED_LOSS:
            longest = self.longest_delay if self._selected else min(self.longest_delay, UNSELECTIVE_DELAY)
            self.delay = min(longest, self.delay + 1)
        if not self._selected and self.size > SELECT_AFTER * b and self.longest_delay > UNSELECTIVE_DELAY:
            self._select()

    def _remember(self, columns: slice, overlaps: FloatArray) -> None:
        """Keep the Gram-Schmidt step of some columns, given their B-products with the whole basis."""
        before, within = overlaps[: columns.start], overlaps[columns]
        factor = inverse_of(cholesky(within - before.T @ before)).T
        self.gram_schmidt[columns, columns] = factor
        self.gram_schmidt[: columns.start, columns] = -before @ factor

    def _select(self) -> None:
        """Find the Ritz vectors closest to the shift."""
        j, b, panels = self.size - self.width, self.width, self.panels
        theta, s = np.linalg.eigh(self.projected[:j, :j])
        index = np.argsort(-np.abs(theta), kind="stable")[: SELECTED * b]
        coefficients = np.vstack([s[:, index], np.zeros((b, len(index)))])
        vectors = self.basis.combine(self._in_basis(coefficients))
        self._selected = vectors, panels.sparse(self.mass, vectors, np.empty_like(vectors))
        self.delay = min(SELECTIVE_DELAY, self.longest_delay)

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

    def vectors(self, coefficients: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the Ritz vectors with some coefficients, in `out` if given, which ends the recurrence."""
        self.settle(correct=False)
        return self.basis.finish(self._in_basis(coefficients), out)

    def _in_basis(self, coefficients: FloatArray) -> FloatArray:
        """Turn coefficients of the orthonormal basis into those of the basis that is stored."""
        stored, first = self.basis.size, self.n_known
        turned: FloatArray = self.gram_schmidt[:stored, first : first + self.size] @ coefficients
        return turned


def run_lanczos(
    lanczos: BlockLanczos,
    wanted: Wanted,
    count: int,
    accepted: Callable[[FloatArray], FloatArray],
    first_test: float = 0,
    out: FloatArray | None = None,
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
    out : (n, m) array, optional
        Where to put the Ritz vectors; without it, they are in the place of the basis.

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
        if lanczos.size - lanczos.width < next_test and not full:
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
    return RitzPairs(values, lanczos.vectors(coefficients, out), residuals, lanczos.size)
