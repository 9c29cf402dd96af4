"""A fill-reducing order of a surface's unknowns: nested dissection guided by distances.

Nested dissection (George 1973, SIAM J. Numer. Anal. 10, 345-363) splits a graph by small separators,
recursively. On a surface the splits come from geometry: breadth-first distances to a few landmarks
embed the vertices, and each part is halved at the median of its first principal component. Only the
connectivity enters, so all surfaces of one template share one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching

from spectralbrain.runtime import FloatArray, IntArray

N_LANDMARKS = 6
SMOOTHING_STEPS = 3


@dataclass(frozen=True, eq=False)
class Dissection:
    """A binary tree of separators.

    Attributes
    ----------
    depth : int
        Number of levels of separators; the 2**depth leaves are at level `depth`.
    part : (n,) array of int
        Leaf, 0 .. 2**depth - 1, whose region each unknown lies in.
    level : (n,) array of int
        Level of the separator each unknown belongs to (0 is the root), or `depth` inside a leaf. The
        node of an unknown at level l is ``part >> (depth - l)``.
    """

    depth: int
    part: IntArray
    level: IntArray


def dissect(pattern: Any, leaf_size: int) -> Dissection:
    """Dissect the graph of a symmetric matrix.

    Parameters
    ----------
    pattern : (n, n) sparse CSR array
        Matrix with a symmetric pattern and a connected graph.
    leaf_size : int
        Approximate number of unknowns in a leaf.

    Returns
    -------
    Dissection
    """
    n = pattern.shape[0]
    depth = max(0, round(np.log2(max(1.0, n / leaf_size))))
    part = bisect(landmark_embedding(pattern), depth)
    upper = sp.triu(pattern, 1).tocoo()
    u, v = upper.row, upper.col
    # The separator at `step` cuts edges whose ends part company there: their leaves differ first in that bit.
    _, n_bits = np.frexp(part[u] ^ part[v])
    level = np.full(n, depth)
    gone = np.zeros(n, dtype=bool)
    for step in range(depth):
        shift = depth - 1 - step
        cut = np.flatnonzero(n_bits == shift + 1)
        cut = cut[~(gone[u[cut]] | gone[v[cut]])]
        left, right = u[cut], v[cut]
        swap = (part[left] >> shift) & 1 == 1
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        separator = vertex_cover(left, right)
        level[separator] = step
        gone[separator] = True
    return Dissection(depth, part, level)


def landmark_embedding(pattern: Any) -> FloatArray:
    """Return smoothed breadth-first distances to landmarks, each as far as possible from those before.

    Parameters
    ----------
    pattern : (n, n) sparse CSR array
        Matrix with a symmetric pattern and a connected graph.

    Returns
    -------
    (n, 6) array
        Distances in edges; smoothing over neighbours breaks the ties between integers.
    """
    n = pattern.shape[0]
    graph = sp.csr_array((np.ones(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
    nearest = np.full(n, np.inf)
    source = int(np.argmax(breadth_first_distances(graph, 0)))
    columns = []
    for _ in range(N_LANDMARKS):
        distances = breadth_first_distances(graph, source)
        columns.append(distances)
        nearest = np.minimum(nearest, distances)
        source = int(np.argmax(nearest))
    embedding = np.stack(columns, axis=1)
    neighbours = np.diff(graph.indptr)[:, None]
    for _ in range(SMOOTHING_STEPS):
        embedding = (graph @ embedding) / neighbours
    return embedding


def breadth_first_distances(graph: Any, source: int) -> FloatArray:
    """Return the number of edges from `source` to each vertex of a connected graph, (n,) array."""
    order, parents = breadth_first_order(graph, source, return_predecessors=True)
    position = np.empty(graph.shape[0], dtype=np.int64)
    position[order] = np.arange(len(order))
    parent_position = position[parents[order[1:]]]  # ascending, because the search is a queue
    distance = np.zeros(len(order))
    start, stop, hops = 0, 1, 0
    while stop < len(order):
        start, stop = stop, 1 + int(np.searchsorted(parent_position, stop))
        hops += 1
        distance[start:stop] = hops
    distances = np.empty(graph.shape[0])
    distances[order] = distance
    return distances


def bisect(embedding: FloatArray, depth: int) -> IntArray:
    """Halve all parts `depth` times, at the median of each part's first principal component.

    Parameters
    ----------
    embedding : (n, d) array
        Coordinates.
    depth : int
        Number of halvings.

    Returns
    -------
    (n,) array of int
        Part, 0 .. 2**depth - 1; the leading bits are the earlier halvings.
    """
    n = len(embedding)
    members, sizes = np.arange(n), np.array([n])  # the parts one after another, as long as they are
    for _ in range(depth):
        width = int(sizes.max())
        starts = np.cumsum(sizes) - sizes
        table = members[np.minimum(starts[:, None] + np.arange(width), n - 1)]
        short = sizes < width  # sizes differ by one at most
        points = embedding[table]
        points[short, -1] = 0.0
        total = np.ones((1, width)) @ points
        scatter = points.transpose(0, 2, 1) @ points
        scatter -= total.transpose(0, 2, 1) @ total / np.maximum(sizes, 1)[:, None, None]
        axes = np.linalg.eigh(scatter)[1][:, :, -1:]
        projection = (points @ axes)[:, :, 0]
        projection[short, -1] = np.inf
        # the lower half of a short or a full part, and what a short one does not have
        order = np.argpartition(projection, [(width - 1) // 2, width // 2, width - 1], axis=1)
        is_member = np.ones(table.shape, dtype=bool)
        is_member[short, -1] = False
        members = np.take_along_axis(table, order, axis=1)[is_member]
        sizes = np.stack([sizes // 2, sizes - sizes // 2], axis=1).ravel()
    part = np.empty(n, dtype=np.int64)
    part[members] = np.repeat(np.arange(2**depth), sizes)
    return part


def vertex_cover(left: IntArray, right: IntArray) -> IntArray:
    """Return a smallest set of vertices that touches every edge of a bipartite graph.

    By König's theorem it has the size of a largest matching: with Z the vertices that alternating
    paths reach from unmatched left vertices, it is the left vertices outside Z and the right ones in Z.

    Parameters
    ----------
    left, right : (m,) arrays of int
        Ends of each edge.

    Returns
    -------
    (c,) array of int

    Examples
    --------
    >>> vertex_cover(np.array([0, 1, 2]), np.array([9, 9, 9]))
    array([9])
    """
    left_names, i = np.unique(left, return_inverse=True)
    right_names, j = np.unique(right, return_inverse=True)
    shape = (len(left_names), len(right_names))
    if not len(left):
        return np.empty(0, dtype=np.int64)
    graph = sp.csr_array((np.ones(len(i), np.int8), (i, j)), shape=shape)
    partner_of_left = maximum_bipartite_matching(graph, perm_type="column")
    partner_of_right = np.full(shape[1], -1)
    matched = partner_of_left >= 0
    partner_of_right[partner_of_left[matched]] = np.flatnonzero(matched)
    in_left, in_right = ~matched, np.zeros(shape[1], dtype=bool)
    front = in_left.copy()
    while front.any():
        reached = np.zeros(shape[1], dtype=bool)
        reached[j[front[i]]] = True
        reached &= ~in_right
        in_right |= reached
        back = partner_of_right[reached]
        front = np.zeros(shape[0], dtype=bool)
        front[back[back >= 0]] = True
        front &= ~in_left
        in_left |= front
    return np.concatenate([left_names[~in_left], right_names[in_right]])
