"""The symbolic half of a sparse factorisation: which dense blocks there are, and how they connect.

The separator tree is cut into *fronts*. A front eliminates its own unknowns (its separator, or a
leaf) and carries a boundary: the unknowns of ancestors that the elimination couples. Fronts of one
height in one subtree are padded to one shape and kept in a :class:`Batch`, so that the numeric work
is a handful of stacked dense operations instead of a loop over the tree (multifrontal method: Duff &
Reid 1983, ACM Trans. Math. Softw. 9, 302-325).

Everything here depends on the pattern of the matrix only: surfaces of one template share it.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from spectralbrain.runtime import BoolArray, IntArray
from spectralbrain.spectral.eigensolver.ordering import Dissection, dissect

LEAF_SIZE = 40
# Subtrees are the unit of work of a thread: 2 ** MOST_SPLITS of them, unless that makes them lower or higher
# than these numbers of levels.
MOST_SPLITS = 4
LEAST_HEIGHT = 7
LARGEST_HEIGHT = 9
# Levels of separators that are eliminated together inside a subtree.
MERGED_LEVELS = 2
_CACHE_SIZE = 8  # cortices, hippocampi and more of one participant; 5 MB each at 32,492 vertices


@dataclass(eq=False)
class Batch:
    """Fronts of one shape.

    Attributes
    ----------
    nodes : (m,) array of int
        Identifiers of the fronts.
    start : int
        First row of their own unknowns in the padded order; front i owns the `own` rows from
        ``start + i * own``.
    own, boundary : int
        Padded numbers of own and of boundary unknowns.
    rows : (m, own + boundary) array of int
        Padded row of each unknown of each front; the last row of all, which stays zero, for padding.
    entry_target, entry_source : (e,) arrays of int
        Flat position in the (m, own + boundary, own + boundary) stack, and number of the matrix
        entry that goes there.
    pad_target : array of int
        Flat positions of the unit diagonal of padding.
    in_subtree : bool
        Whether the batch belongs to a subtree, which is the work of one thread.
    children : Links or None
        How the boundary of the batch below maps into these fronts; None for leaves.
    leaf : LeafCoupling or None
        The sparse coupling of leaves.
    """

    nodes: IntArray
    start: int
    own: int
    boundary: int
    rows: IntArray
    entry_target: IntArray
    entry_source: IntArray
    pad_target: IntArray
    in_subtree: bool = True
    children: Links | None = None
    leaf: LeafCoupling | None = None

    @property
    def size(self) -> int:
        """Number of unknowns of a front."""
        return self.own + self.boundary


@dataclass(eq=False)
class Links:
    """Where the boundary unknowns of child fronts lie in their parents.

    Attributes
    ----------
    per_parent : int
        Children of each front, consecutive.
    position : (c, b) array of int
        Position in the parent front of each boundary unknown of each child, 0 for padding.
    valid : (c, b) array of bool
        False for padding.
    to_own, to_boundary : sparse CSR arrays
        Sum children's boundary rows (c * b) into the parents' own rows, and boundary rows.
    """

    per_parent: int
    position: IntArray
    valid: BoolArray
    to_own: Any
    to_boundary: Any


@dataclass(eq=False)
class LeafCoupling:
    """Numbers of the matrix entries that couple leaves to their boundaries.

    Attributes
    ----------
    to_boundary : (m * boundary, m * own) sparse CSR array
        From the own unknowns to the boundary unknowns, front by front.
    to_own : (m * own, n_padded + 1) sparse CSR array
        From all padded rows to the own unknowns.
    """

    to_boundary: Any
    to_own: Any


@dataclass(eq=False)
class SymbolicFactorization:
    """Batches of fronts in order of elimination.

    Attributes
    ----------
    n, n_padded : int
        Number of unknowns, and of rows of the padded order.
    row : (n,) array of int
        Padded row of each unknown.
    subtrees : list of lists of Batch
        Independent chains, each from the leaves up.
    top : list of Batch
        The chain above all subtrees; empty if there is one subtree.
    top_width : int
        Padded boundary of a subtree's root.
    order : (n,) array of int
        Unknowns by padded row.
    """

    n: int
    n_padded: int
    row: IntArray
    subtrees: list[list[Batch]]
    top: list[Batch]
    top_width: int
    order: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.order = np.argsort(self.row, kind="stable")

    @property
    def batches(self) -> list[Batch]:
        """All batches."""
        return [batch for chain in [*self.subtrees, self.top] for batch in chain]

    @property
    def flops_per_column(self) -> int:
        """Floating point operations of a solve with one right-hand side, padding included."""
        return 2 * sum(
            len(b.nodes) * b.own * (b.size + b.boundary) if b.leaf is None else 2 * len(b.nodes) * b.own**2
            for b in self.batches
        )


_cache: OrderedDict[bytes, Future[SymbolicFactorization]] = OrderedDict()
_cache_lock = threading.Lock()


def analyse(pattern: Any) -> SymbolicFactorization:
    """Return the symbolic factorisation of a pattern; recent ones are remembered.

    One that another thread is at is waited for.

    Parameters
    ----------
    pattern : (n, n) sparse CSR array
        Symmetric pattern with sorted indices and a full diagonal; its graph is connected.

    Returns
    -------
    SymbolicFactorization
    """
    key = hashlib.sha256(pattern.indptr.tobytes() + pattern.indices.tobytes()).digest()
    with _cache_lock:
        known = _cache.get(key)
        found = _cache[key] = known or Future()
        _cache.move_to_end(key)
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    if known is None:
        try:
            found.set_result(build_symbolic(pattern, dissect(pattern, LEAF_SIZE)))
        except BaseException as error:
            found.set_exception(error)
            with _cache_lock:
                _cache.pop(key, None)
    return found.result()


def build_symbolic(pattern: Any, dissection: Dissection) -> SymbolicFactorization:
    """Build the batches for a dissection: see :func:`analyse`."""
    return _Builder(pattern, dissection).build()


class _Builder:
    """Working state while the batches are built.

    Fronts are numbered group by group; a group is a run of tree levels that are eliminated together,
    `group_top[g]` its uppermost level. Front j of group g has number ``offset[g] + j``.
    """

    def __init__(self, pattern: Any, dissection: Dissection) -> None:
        self.n = pattern.shape[0]
        depth = dissection.depth
        self.subtree_root = subtree_level(depth)
        self.group_top = group_levels(depth, self.subtree_root)
        self.offset = np.concatenate([[0], np.cumsum(2**self.group_top)])
        self.group = np.searchsorted(self.group_top, dissection.level, side="right") - 1
        self.node = self.offset[self.group] + (dissection.part >> (depth - self.group_top[self.group]))
        self.count = np.bincount(self.node, minlength=self.offset[-1])
        entries = pattern.tocoo()
        self.entry_row, self.entry_column = entries.row, entries.col

    def build(self) -> SymbolicFactorization:
        chains = self._layout()
        self._boundaries()
        self._entries()
        subtrees = [self._chain(chain) for chain in chains[:-1]]
        top: list[Batch] = []
        width = 0
        if chains[-1]:
            roots = [chain[-1] for chain in subtrees]
            width = max(root.boundary for root in roots)
            rows = np.full((len(roots), width), self.n_padded)
            for i, root in enumerate(roots):
                rows[i, : root.boundary] = root.rows[0, root.own :]
            top = self._chain(chains[-1], rows)
            for batch in top:
                batch.in_subtree = False
        return SymbolicFactorization(self.n, self.n_padded, self.row, subtrees, top, width)

    def _layout(self) -> list[list[tuple[IntArray, int, int]]]:
        """Give each front its rows; return (nodes, start, own) of each batch, chain by chain."""
        n_groups = len(self.group_top)
        first = int(np.searchsorted(self.group_top, self.subtree_root))
        front_start = np.zeros(self.offset[-1], dtype=np.int64)
        chains: list[list[tuple[IntArray, int, int]]] = []
        start = 0
        for subtree in [*range(2**self.subtree_root), None]:
            groups = range(n_groups - 1, first - 1, -1) if subtree is not None else range(first - 1, -1, -1)
            chain = []
            for g in groups:
                width = 2 ** (self.group_top[g] - (self.subtree_root if subtree is not None else 0))
                nodes = self.offset[g] + (subtree or 0) * width + np.arange(width)
                own = max(1, int(self.count[nodes].max()))
                front_start[nodes] = start + own * np.arange(width)
                chain.append((nodes, start, own))
                start += own * width
            chains.append(chain)
        self.n_padded = start
        by_node = np.argsort(self.node, kind="stable")
        first_of_node = np.cumsum(self.count) - self.count
        rank = np.empty(self.n, dtype=np.int64)
        rank[by_node] = np.arange(self.n) - first_of_node[self.node[by_node]]
        self.row = front_start[self.node] + rank
        return chains

    def _boundaries(self) -> None:
        """Find the boundary rows of every front, from the leaves up."""
        self.stride = self.n_padded + 1
        row_i, row_j = self.row[self.entry_row], self.row[self.entry_column]
        node_i = self.node[self.entry_row]
        group_i, group_j = self.group[self.entry_row], self.group[self.entry_column]
        upward = group_i > group_j
        keys, key_group = (node_i * self.stride + row_j)[upward], group_i[upward]
        node_of_row = np.full(self.n_padded + 1, -1)
        node_of_row[self.row] = self.node
        inherited = np.empty(0, dtype=np.int64)
        found = []
        for g in range(len(self.group_top) - 1, -1, -1):
            here = np.unique(np.concatenate([keys[key_group == g], inherited]))
            found.append(here)
            if g == 0:
                break
            node, row = here // self.stride, here % self.stride
            levels_up = self.group_top[g] - self.group_top[g - 1]
            parent = self.offset[g - 1] + ((node - self.offset[g]) >> levels_up)
            inherited = (parent * self.stride + row)[node_of_row[row] != parent]
        every = np.concatenate(found[::-1])
        self.boundary_rows = every % self.stride
        self.boundary_count = np.bincount(every // self.stride, minlength=self.offset[-1])
        self.boundary_start = np.cumsum(self.boundary_count) - self.boundary_count
        self._kept = (row_i, row_j, node_i, group_i >= group_j)

    def _entries(self) -> None:
        """Sort the matrix entries by the front that assembles them (the front of the deeper end)."""
        row_i, row_j, node_i, mine = self._kept
        index = np.flatnonzero(mine)
        index = index[np.argsort(node_i[index], kind="stable")]
        self.entry_index, self.entry_i, self.entry_j = index, row_i[index], row_j[index]
        counts = np.bincount(node_i[index], minlength=self.offset[-1])
        self.entry_start = np.concatenate([[0], np.cumsum(counts)])

    def _chain(self, chain: list[tuple[IntArray, int, int]], below: IntArray | None = None) -> list[Batch]:
        batches = []
        for nodes, start, own in chain:
            batch, lookup = self._batch(nodes, start, own)
            if below is None:
                batch.leaf = self._couple(batch)
            else:
                batch.children = self._link(batch, lookup, below)
            batches.append(batch)
            below = batch.rows[:, batch.own :]
        return batches

    def _batch(self, nodes: IntArray, start: int, own: int) -> tuple[Batch, _Lookup]:
        m = len(nodes)
        boundary = int(self.boundary_count[nodes].max())
        size = own + boundary
        rows = np.full((m, size), self.n_padded)
        rows[:, :own] = start + np.arange(m * own).reshape(m, own)
        slot = np.arange(boundary)
        used = slot < self.boundary_count[nodes][:, None]
        rows[:, own:][used] = self.boundary_rows[(self.boundary_start[nodes][:, None] + slot)[used]]
        lookup = _Lookup(rows, self.stride)
        ranges = [np.arange(self.entry_start[node], self.entry_start[node + 1]) for node in nodes]
        entries = np.concatenate(ranges)
        front = np.repeat(np.arange(m), [len(r) for r in ranges])
        flat_row = lookup(front, self.entry_i[entries])
        column = lookup(front, self.entry_j[entries]) - front * size
        padding = np.arange(own) >= self.count[nodes][:, None]
        i, j = np.nonzero(padding)
        batch = Batch(
            nodes=nodes,
            start=start,
            own=own,
            boundary=boundary,
            rows=rows,
            entry_target=flat_row * size + column,
            entry_source=self.entry_index[entries],
            pad_target=(i * size + j) * size + j,
        )
        return batch, lookup

    def _couple(self, batch: Batch) -> LeafCoupling:
        m, own, size = len(batch.nodes), batch.own, batch.size
        front, i, j = np.unravel_index(batch.entry_target, (m, size, size))
        upward = j >= own
        front, i, j, numbers = front[upward], i[upward], j[upward], batch.entry_source[upward]
        inner, outer = front * own + i, front * batch.boundary + j - own
        return LeafCoupling(
            _sparse(numbers, outer, inner, (m * batch.boundary, m * own)),
            _sparse(numbers, inner, batch.rows[front, j], (m * own, self.n_padded + 1)),
        )

    def _link(self, batch: Batch, lookup: _Lookup, below: IntArray) -> Links:
        n_children, width = below.shape
        per_parent = n_children // len(batch.nodes)
        parent = np.arange(n_children) // per_parent
        valid = below != self.n_padded
        child, slot = np.nonzero(valid)
        at = lookup(parent[child], below[child, slot]) - parent[child] * batch.size
        position = np.zeros(below.shape, dtype=np.int64)
        position[child, slot] = at
        source = child * width + slot
        to_own = at < batch.own
        own_row = (parent[child] * batch.own + at)[to_own]
        boundary_row = (parent[child] * batch.boundary + at - batch.own)[~to_own]
        m, n_sources = len(batch.nodes), n_children * width
        return Links(
            per_parent,
            position,
            valid,
            _sparse(np.ones(len(own_row)), own_row, source[to_own], (m * batch.own, n_sources)),
            _sparse(
                np.ones(len(boundary_row)), boundary_row, source[~to_own], (m * batch.boundary, n_sources)
            ),
        )


class _Lookup:
    """Finds the flat position (front * size + slot) of a padded row in a stack of fronts."""

    def __init__(self, rows: IntArray, stride: int) -> None:
        keys = (np.arange(len(rows))[:, None] * stride + rows).ravel()
        keys[rows.ravel() == stride - 1] = np.iinfo(np.int64).max
        self.stride = stride
        self.flat = np.argsort(keys, kind="stable")
        self.keys = keys[self.flat]

    def __call__(self, front: IntArray, row: IntArray) -> IntArray:
        found: IntArray = self.flat[np.searchsorted(self.keys, front * self.stride + row)]
        return found


def subtree_level(depth: int) -> int:
    """Return the level of the roots of the subtrees in a tree of some depth.

    Examples
    --------
    >>> [subtree_level(depth) for depth in (5, 8, 10, 12, 15)]
    [0, 1, 3, 4, 6]
    """
    return max(0, min(depth - LEAST_HEIGHT, MOST_SPLITS), depth - LARGEST_HEIGHT)


def group_levels(depth: int, subtree_root: int) -> IntArray:
    """Return the uppermost tree level of each group of levels, ascending; the last group is the leaves.

    Examples
    --------
    >>> group_levels(11, 5).tolist()
    [0, 1, 2, 3, 4, 5, 7, 9, 11]
    """
    tops = [depth]
    level = depth - 1
    while level >= 0:
        inside = level >= subtree_root
        run = min(MERGED_LEVELS, level - subtree_root + 1) if inside else 1
        tops.append(level - run + 1)
        level -= run
    return np.array(tops[::-1])


def _sparse(entries: Any, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> Any:
    """Return a sparse matrix with 32-bit indices."""
    matrix = sp.csr_array((entries, (rows, columns)), shape=shape)
    matrix.indices = matrix.indices.astype(np.int32)
    matrix.indptr = matrix.indptr.astype(np.int32)
    return matrix
