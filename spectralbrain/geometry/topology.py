"""What a triangle mesh is as a surface: edges, boundaries, components, orientation, manifoldness.

Everything is computed with sorted edge tables and sparse graphs; nothing looks at coordinates.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from spectralbrain.runtime import BoolArray, Faces, IntArray


class Topology:
    """The combinatorial structure of a mesh.

    A face that names a vertex twice has no place in a surface: it is left out here, and counted by
    :attr:`collapsed_faces`.

    Parameters
    ----------
    faces : (F, 3) array of int
        Vertex indices, in range.
    n_vertices : int

    Examples
    --------
    >>> disk = Topology(np.array([[0, 1, 2], [0, 2, 3]]), 4)
    >>> disk.euler_characteristic, len(disk.boundary_loops), disk.genus
    (1, 1, 0)
    """

    def __init__(self, faces: Faces, n_vertices: int) -> None:
        a, b, c = faces.T
        self.collapsed_faces: BoolArray = (a == b) | (b == c) | (c == a)
        self.faces = faces[~self.collapsed_faces]
        self.n_vertices = n_vertices

    @cached_property
    def referenced(self) -> BoolArray:
        """Which vertices a face uses, (N,) array of bool."""
        used = np.zeros(self.n_vertices, dtype=bool)
        used[self.faces] = True
        return used

    @cached_property
    def _edge_table(self) -> tuple[IntArray, IntArray, IntArray]:
        """Distinct edges (E, 2), the edge of each half-edge (3F,), the faces per edge (E,).

        Half-edge 3 f + i runs from corner i of face f to corner i + 1.
        """
        start, end = self.faces.ravel(), np.roll(self.faces, -1, axis=1).ravel()
        key = np.minimum(start, end) * np.int64(max(self.n_vertices, 1)) + np.maximum(start, end)
        distinct, edge_of, count = np.unique(key, return_inverse=True, return_counts=True)
        edges = np.column_stack(np.divmod(distinct, max(self.n_vertices, 1)))
        return edges, edge_of.reshape(-1), count

    @property
    def edges(self) -> IntArray:
        """Distinct edges, each with its lower vertex first, (E, 2) array."""
        return self._edge_table[0]

    @property
    def edges_of_faces(self) -> IntArray:
        """The edge from corner i of each face to corner i + 1, (F, 3) array; collapsed faces are left out."""
        return self._edge_table[1].reshape(-1, 3)

    @property
    def faces_per_edge(self) -> IntArray:
        """How many faces share each edge, (E,) array."""
        return self._edge_table[2]

    @property
    def non_manifold_edges(self) -> IntArray:
        """Edges that more than two faces share, (n, 2) array of vertices."""
        return self.edges[self.faces_per_edge > 2]

    @property
    def n_boundary_edges(self) -> int:
        """Number of edges that one face only has."""
        return int((self.faces_per_edge == 1).sum())

    @cached_property
    def _paired(self) -> tuple[IntArray, IntArray]:
        """Half-edges that share an edge of exactly two faces, as two (P,) arrays."""
        _, edge_of, count = self._edge_table
        order = np.argsort(edge_of, kind="stable")
        inner = order[count[edge_of[order]] == 2]
        return inner[::2], inner[1::2]

    @cached_property
    def _same_direction(self) -> BoolArray:
        """Whether two paired half-edges run the same way, which neighbours in one orientation never do."""
        first, second = self._paired
        start = self.faces.ravel()
        same: BoolArray = start[first] == start[second]
        return same

    @property
    def inconsistent_edges(self) -> IntArray:
        """Edges whose two faces disagree in orientation, (n, 2) array of vertices."""
        return self.edges[self._edge_table[1][self._paired[0][self._same_direction]]]

    @cached_property
    def face_components(self) -> IntArray:
        """The connected component of each face (sharing a vertex connects), (F,) array."""
        start, end = self.edges.T
        graph = sp.coo_matrix((np.ones(len(start), dtype=np.int8), (start, end)), (self.n_vertices,) * 2)
        _, of_vertex = connected_components(graph, directed=False)
        _, labels = np.unique(of_vertex[self.faces[:, 0]], return_inverse=True)
        return labels.reshape(-1).astype(np.int64)

    @cached_property
    def vertex_components(self) -> IntArray:
        """The connected component of each vertex, numbered by size, largest first, (N,) array.

        -1 for vertices that no face uses.
        """
        found = np.full(self.n_vertices, -1, dtype=np.int64)
        found[self.faces] = self.face_components[:, None]
        size = np.bincount(found[found >= 0], minlength=self.n_components)
        rank = np.empty(self.n_components, dtype=np.int64)
        rank[np.argsort(-size, kind="stable")] = np.arange(self.n_components)
        used = found >= 0
        found[used] = rank[found[used]]
        return found

    @property
    def n_components(self) -> int:
        """Number of connected components, vertices without a face not counted."""
        return int(self.face_components.max()) + 1 if len(self.faces) else 0

    @cached_property
    def fans(self) -> IntArray:
        """The fan each corner belongs to, (3F,) array.

        A fan is a set of corners at one vertex that are joined across edges of exactly two faces.
        On a surface each vertex has one.
        """
        first, second = self._paired
        n_corners = 3 * len(self.faces)
        # a half-edge starts at its own corner and ends at the next one of the same face
        ends = [np.concatenate([h, h - h % 3 + (h + 1) % 3]) for h in (first, second)]
        flipped = np.concatenate([ends[1][len(second) :], ends[1][: len(second)]])
        same = np.tile(self._same_direction, 2)
        other = np.where(same, ends[1], flipped)
        graph = sp.coo_matrix((np.ones(len(other), dtype=np.int8), (ends[0], other)), (n_corners,) * 2)
        found: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
        return found

    @cached_property
    def non_manifold_vertices(self) -> IntArray:
        """Vertices at which the surface pinches: more than one fan of faces, (n,) array."""
        if not len(self.faces):
            return np.empty(0, dtype=np.int64)
        fans = np.unique(self.fans, return_index=True)[1]
        per_vertex = np.bincount(self.faces.ravel()[fans], minlength=self.n_vertices)
        return np.flatnonzero(per_vertex > 1)

    @cached_property
    def boundary_loops(self) -> tuple[IntArray, ...]:
        """Each boundary as its vertices in order, without repeating the first; longest first.

        At a pinched vertex a boundary follows the faces, as if the vertex were split; at an edge of
        more than two faces it ends.
        """
        _, edge_of, count = self._edge_table
        half = np.flatnonzero(count[edge_of] == 1)
        following = half - half % 3 + (half + 1) % 3
        start, end = self.faces.ravel()[half], self.faces.ravel()[following]
        neighbours: dict[int, list[int]] = {}
        for side in (half, following):
            for number, fan in enumerate(self.fans[side].tolist()):
                neighbours.setdefault(fan, []).append(number)
        fan_ends = list(zip(self.fans[half].tolist(), self.fans[following].tolist(), strict=True))
        loops, done = [], np.zeros(len(half), dtype=bool)
        for seed in range(len(half)):
            if done[seed]:
                continue
            loop, number, leave = [], seed, fan_ends[seed][1]
            while not done[number]:
                done[number] = True
                loop.append(int(start[number] if leave == fan_ends[number][1] else end[number]))
                onward = [n for n in neighbours[leave] if not done[n]]
                if not onward:
                    break
                number = onward[0]
                leave = fan_ends[number][1] if fan_ends[number][0] == leave else fan_ends[number][0]
            loops.append(np.array(loop, dtype=np.int64))
        return tuple(sorted(loops, key=len, reverse=True))

    @property
    def is_edge_manifold(self) -> bool:
        """Whether no edge has more than two faces."""
        return not (self.faces_per_edge > 2).any()

    @property
    def is_manifold(self) -> bool:
        """Whether the neighbourhood of every vertex is a disk or a half-disk."""
        return self.is_edge_manifold and not len(self.non_manifold_vertices)

    @property
    def is_closed(self) -> bool:
        """Whether there are faces, and no edge belongs to one face only."""
        return bool(len(self.faces)) and self.n_boundary_edges == 0

    @property
    def is_oriented(self) -> bool:
        """Whether all neighbouring faces agree in orientation."""
        return not self._same_direction.any()

    @cached_property
    def orientation_flips(self) -> BoolArray | None:
        """Which faces to flip so that all neighbours agree, (F,) array; None if impossible.

        In each connected part the smaller side is flipped. Non-manifold edges connect nothing.
        """
        n_faces = len(self.faces)
        first, second = (half // 3 for half in self._paired)
        same = self._same_direction
        # two copies of each face, as it is and flipped: a surface is orientable if they stay apart
        crossed = np.where(same, n_faces, 0)
        rows = np.concatenate([first, first + n_faces])
        columns = np.concatenate([second + crossed, second + n_faces - crossed])
        graph = sp.coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), (2 * n_faces,) * 2)
        _, sheet = connected_components(graph, directed=False)
        kept, flipped = sheet[:n_faces], sheet[n_faces:]
        if (kept == flipped).any():
            return None
        size = np.bincount(kept, minlength=2 * n_faces)
        flip: BoolArray = (size[kept] < size[flipped]) | ((size[kept] == size[flipped]) & (kept > flipped))
        return flip

    @property
    def is_orientable(self) -> bool:
        """Whether some choice of orientations makes all neighbours agree (a Moebius strip has none)."""
        return self.orientation_flips is not None

    @property
    def euler_characteristic(self) -> int:
        """Referenced vertices - edges + faces."""
        return int(self.referenced.sum()) - len(self.edges) + len(self.faces)

    @property
    def genus(self) -> int | None:
        """Number of handles, over all components; None if not an orientable manifold."""
        if not (len(self.faces) and self.is_manifold and self.is_orientable):
            return None
        return (2 * self.n_components - len(self.boundary_loops) - self.euler_characteristic) // 2
