"""The smallest eigenpairs of several components together, merged and verified.

Each connected component is solved on its own, so that each has its own exact null mode and equal
components cannot hide each other's eigenvalues; the union is complete up to the smallest of the
components' last values, which is extended until it lies beyond the last pair asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray, IntArray
from spectralbrain.spectral.eigensolver.canonical import clusters
from spectralbrain.spectral.eigensolver.panels import Panels
from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil, PencilSolver, insert_null_mode
from spectralbrain.spectral.eigensolver.threads import Team

# Pairs computed beyond the last one asked for, to find a gap behind its cluster.
EXTRA_PAIRS = 3
# Relative width of a gap that is wide enough for the upper shift.
NARROWEST_GAP = 1e-6
# How often more pairs are asked for where the inertia shows that some were missed.
ATTEMPTS = 3
# The backward error of an inertia count must be below this fraction of the gap around its shift.
FAR_BELOW = 1e-2


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Merged eigenpairs of all pieces, complete below a verified shift.

    Attributes
    ----------
    values : (m,) array
        Ascending, whole clusters: at least as many as wanted.
    owner : (m,) array of int
        Piece of each pair; the pairs of one piece are the first columns of its vectors, in order.
    pairs : list of Pairs
        Eigenpairs of each piece.
    n_wanted : int
        How many of them were asked for.
    upper_shift : float
        A value in a gap just above ``values[-1]``; infinite if the spectrum is exhausted.
    gap : float
        Width of that gap, relative to its upper end.
    inertia_count : int
        Eigenvalues below `upper_shift`, by inertia.
    backward_error : float
        Relative error of the shift for which that count is exact; to be far below `gap`.
    """

    values: FloatArray
    owner: IntArray
    pairs: list[Pairs]
    n_wanted: int
    upper_shift: float
    gap: float
    inertia_count: int
    backward_error: float

    @property
    def first_positive(self) -> float:
        """The first eigenvalue that belongs to no null mode (those are exactly zero)."""
        return min(float(p.values[p.values > 0][0]) for p in self.pairs if (p.values > 0).any())

    @property
    def is_complete(self) -> bool:
        """Whether the inertia confirms that no eigenvalue was missed."""
        return self.inertia_count == len(self.values) and self.backward_error < FAR_BELOW * self.gap


def smallest_pairs(
    pencils: list[Pencil],
    solvers: list[PencilSolver],
    k: int | None,
    cluster_rtol: float,
    team: Team,
    cutoff: float | None = None,
    known: dict[int, Pairs] | None = None,
) -> Spectrum:
    """Return the smallest eigenpairs of the union of pieces, with an inertia count.

    Parameters
    ----------
    pencils, solvers : lists
        One of each per piece.
    k : int or None
        Number of pairs; None if `cutoff` decides.
    cluster_rtol : float
        Neighbours closer than this, relatively, are one multiple eigenvalue.
    team : Team
        Threads.
    cutoff : float, optional
        Return all pairs below this eigenvalue.
    known : dict of Pairs, optional
        Pairs of some pieces that are known already.

    Returns
    -------
    Spectrum

    Raises
    ------
    ArrayError
        If no eigenvalue lies below `cutoff`.
    ConvergenceError
        If a backend does not converge.
    """
    if cutoff is not None:
        k = sum(solver.count_below(cutoff)[0] for solver in solvers)
        if not k:
            raise ArrayError("below: no eigenvalue lies below it")
    assert k is not None
    areas = np.array([pencil.area for pencil in pencils])
    wanted = np.ceil(k * areas / areas.sum()).astype(int) + EXTRA_PAIRS
    for _ in range(ATTEMPTS):
        pairs, known = known or {}, None
        spectrum = _count(_extend_until_gap(pencils, solvers, k, wanted, cluster_rtol, team, pairs), solvers)
        if spectrum.is_complete:
            break
        wanted += EXTRA_PAIRS + abs(spectrum.inertia_count - len(spectrum.values))
    if cutoff is not None:
        spectrum = replace(spectrum, n_wanted=int(np.searchsorted(spectrum.values, cutoff)))
    return spectrum


def _count(spectrum: Spectrum, solvers: list[PencilSolver]) -> Spectrum:
    """Fill in the inertia at the upper shift."""
    if not np.isfinite(spectrum.upper_shift):
        return spectrum
    counts = [solver.count_below(spectrum.upper_shift) for solver in solvers]
    total, worst = sum(count for count, _ in counts), max(error for _, error in counts)
    return replace(spectrum, inertia_count=total, backward_error=worst)


def _extend_until_gap(
    pencils: list[Pencil],
    solvers: list[PencilSolver],
    k: int,
    wanted: IntArray,
    cluster_rtol: float,
    team: Team,
    pairs: dict[int, Pairs],
) -> Spectrum:
    """Ask each piece for more pairs, in place of `wanted`, until a gap behind pair k is known."""
    sizes = np.array([pencil.n for pencil in pencils])
    np.minimum(wanted, sizes, out=wanted)
    while True:
        for i, solver in enumerate(solvers):
            if i not in pairs or len(pairs[i].values) < wanted[i]:
                n_rough = max(0, int(wanted[i]) - k) if len(solvers) == 1 else 0
                known = _exact(pairs.get(i), k)
                lowest = solver.lowest(int(wanted[i]), known, n_rough)
                pairs[i] = insert_null_mode(Panels(pencils[i].n, team), pencils[i], lowest)
        found = [pairs[i] for i in range(len(solvers))]
        open_ended = np.array([len(p.values) for p in found]) < sizes
        last = np.array([p.values[-1] for p in found])
        bound = float(last[open_ended].min()) if open_ended.any() else np.inf
        spectrum = _merge(found, k, bound, cluster_rtol)
        if spectrum is not None:
            return spectrum
        behind = open_ended & (
            last <= np.sort(np.concatenate([p.values for p in found]))[: k + EXTRA_PAIRS][-1]
        )
        behind |= open_ended & (last == bound)  # the piece that limits `bound` must grow, or nothing would
        wanted[behind] = np.minimum(sizes[behind], (1.1 * wanted[behind]).astype(int) + EXTRA_PAIRS)


def _exact(pairs: Pairs | None, k: int) -> Pairs | None:
    """Return known pairs without those behind the k-th, which may be rough."""
    return None if pairs is None else Pairs(pairs.values[:k], pairs.vectors[:, :k])


def _merge(pairs: list[Pairs], k: int, bound: float, cluster_rtol: float) -> Spectrum | None:
    """Merge pairs that are complete up to `bound`, None if no gap behind pair k lies below `bound`."""
    values = np.concatenate([p.values for p in pairs])
    owner = np.repeat(np.arange(len(pairs)), [len(p.values) for p in pairs])
    order = np.argsort(values, kind="stable")
    values, owner = values[order], owner[order]
    for run in clusters(values, cluster_rtol):
        owner[run] = np.sort(owner[run])  # equal eigenvalues of equal pieces: in order of the pieces
    ends = np.array([run.stop for run in clusters(values, max(cluster_rtol, NARROWEST_GAP))])
    inner = ends[(ends >= k) & (ends < len(values))]
    inner = inner[values[inner] <= bound][: EXTRA_PAIRS + 1]
    if len(inner):
        gaps = (values[inner] - values[inner - 1]) / values[inner]
        end = int(inner[np.argmax(gaps)])
        shift = (values[end - 1] + values[end]) / 2
        return Spectrum(values[:end], owner[:end], pairs, k, float(shift), float(gaps.max()), end, 0.0)
    if bound == np.inf:
        return Spectrum(values, owner, pairs, k, np.inf, 1.0, len(values), 0.0)
    return None
