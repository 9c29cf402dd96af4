"""Spectrum slicing: many eigenpairs in windows, each with a shift of its own.

The cost of orthogonality grows with the square of the basis, so several windows of a few hundred pairs
are cheaper than one of a thousand. The inertia at each shift says how many eigenvalues lie below
it, hence how many a window must find between its floor and its shift (Grimes, Lewis & Simon 1994,
SIAM J. Matrix Anal. Appl. 15, 228-272, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectralbrain.runtime import BoolArray, FloatArray, IntArray

# More pairs than this are computed in windows of about WINDOW pairs.
LARGEST_WINDOW = 400
WINDOW = 340
# Pairs at the end of a window among which the floor of the next window is put into the widest gap.
OVERLAP = 10
# Share of a window's pairs below its shift: the first window ends at zero, others lie in between.
FIRST_POSITION = 0.58
INNER_POSITION = 0.62
POSITION_TOLERANCE = 0.2
# Columns of the basis that a window was never seen to do without: per pair, and per column of a block.
LEAST_BASIS = 1.5
LEAST_INNER_BASIS = 1.7
LEAST_BLOCKS = 11


# Relative distance from the last exact eigenvalue from which others may be rough.
ROUGH_DISTANCE = 1e-3


@dataclass(frozen=True)
class Window:
    """A run of consecutive eigenvalues to compute.

    Attributes
    ----------
    n_before : int
        Number of eigenvalues below `floor`.
    floor : float
        A value in a gap; minus infinity for the first window.
    size : int
        Number of pairs to compute.
    n_rough : int
        The last of them that need only show where eigenvalues are.
    """

    n_before: int
    floor: float
    size: int
    n_rough: int = 0

    @property
    def position(self) -> float:
        """Wanted share of the pairs below the shift."""
        return INNER_POSITION if self.n_before else FIRST_POSITION

    def least_basis(self, width: int) -> float:
        """Return how many columns a basis of blocks of some width needs at least, by experience."""
        return (LEAST_INNER_BASIS if self.n_before else LEAST_BASIS) * self.size + LEAST_BLOCKS * width

    def share_below(self, inertia: int) -> float:
        """Return the share of the pairs that lie below a shift with the given inertia."""
        return (inertia - self.n_before) / self.size

    def accepts(self, inertia: int) -> bool:
        """Whether a shift with the given inertia lies well inside."""
        return self.size <= 8 or abs(self.share_below(inertia) - self.position) <= POSITION_TOLERANCE

    def first_shift(self, density: float) -> float:
        """Return a shift for a given number of eigenvalues per unit (Weyl 1911: area / 4 pi)."""
        return max(self.floor, 0.0) + self.position * self.size / density

    def better_shift(self, shift: float, inertia: int) -> float:
        """Return a shift closer to the wanted position, by the inertia at another shift."""
        base = max(self.floor, 0.0)
        factor = self.position / max(self.share_below(inertia), 1e-3)
        return base + (shift - base) * float(np.clip(factor, 0.1, 10.0))

    def is_rough(self, values: FloatArray) -> BoolArray:
        """Say which of the window's pairs may be rough: none that might be in a cluster with an exact one."""
        last_exact = values[-self.n_rough - 1] if self.n_rough < len(values) == self.size else np.inf
        rough: BoolArray = values > (1 + ROUGH_DISTANCE) * last_exact
        return rough

    def select(self, values: FloatArray, shift: float, inertia: int) -> IntArray:
        """Return the indices of the window's Ritz values, ascending; fewer than `size` if some are missing.

        Below the shift, Ritz values interlace the eigenvalues from outside, so there are never more of
        them above the floor than there are eigenvalues.
        """
        floor = self.floor if self.n_before else -1e-6 * shift
        left = np.flatnonzero((values > floor) & (values < shift))
        right = np.flatnonzero(values > shift)
        right = right[np.argsort(values[right], kind="stable")]
        n_left = min(inertia - self.n_before, self.size)
        left = left[np.argsort(values[left], kind="stable")][:n_left]
        if len(left) < n_left:
            return left
        return np.concatenate([left, right[: self.size - n_left]])


def next_window(values: FloatArray, count: int, n_rough: int = 0) -> Window:
    """Return the window that follows eigenvalues which are complete up to their last.

    Parameters
    ----------
    values : (m,) array
        Ascending, complete up to the last; empty at the beginning.
    count : int
        Number of pairs wanted in the end.
    n_rough : int
        How many of the last of these may be rough.

    Returns
    -------
    Window

    Examples
    --------
    >>> next_window(np.empty(0), 1000)
    Window(n_before=0, floor=-inf, size=334, n_rough=0)
    >>> next_window(np.array([1.0, 2.0, 2.1, 5.0, 5.5]), 20, 3)
    Window(n_before=3, floor=3.55, size=17, n_rough=3)
    """
    kept, floor = 0, -np.inf
    if len(values) > 1:
        start = max(1, len(values) - OVERLAP)
        widths = np.diff(values[start - 1 :]) / values[start:]
        kept = start + int(np.argmax(widths))
        floor = float(values[kept - 1] + values[kept]) / 2
    left = count - kept
    n_windows = 1 if left <= LARGEST_WINDOW else -(-left // WINDOW)
    return Window(kept, floor, -(-left // n_windows), n_rough if n_windows == 1 else 0)
