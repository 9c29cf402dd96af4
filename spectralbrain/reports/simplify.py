"""Light surfaces to look at: the cells of evenly spread vertices, joined where three of them meet."""

from __future__ import annotations

import numpy as np

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import IntArray

_ROUNDS = 2


def simplify(mesh: BrainMesh, n_vertices: int) -> tuple[BrainMesh, IntArray]:
    """Return a coarser surface whose vertices are vertices of the surface.

    Each vertex belongs to the nearest of `n_vertices` seeds, by way of the edges; a triangle whose
    corners belong to three seeds joins them (the dual of a geodesic Voronoi diagram; Peyre and Cohen
    2006, Int. J. Comput. Vis. 69, 145-156). For pictures only: rare small holes are left.

    Parameters
    ----------
    mesh : BrainMesh
        The full surface.
    n_vertices : int
        How many vertices are wanted, at least 4; a surface with no more is returned as it is.

    Returns
    -------
    light : BrainMesh
        About as many vertices, evenly spread.
    origin : (n,) array of int
        Which vertex of `mesh` each of them is.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> light, origin = simplify(sphere(4), 500)
    >>> light.n_vertices <= 500, bool((sphere(4).vertices[origin] == light.vertices).all())
    (True, True)
    """
    if mesh.n_vertices <= n_vertices:
        return mesh, np.arange(mesh.n_vertices)
    from scipy import sparse
    from scipy.sparse.csgraph import dijkstra

    first, second = mesh.edges.T
    lengths = np.maximum(mesh.edge_lengths, np.finfo(float).tiny)  # a stored 0 would be no edge
    graph = sparse.csr_matrix((lengths, (first, second)), (mesh.n_vertices, mesh.n_vertices))
    graph = graph + graph.T
    seeds = np.linspace(0, mesh.n_vertices - 1, n_vertices).astype(np.int64)
    for _ in range(_ROUNDS):
        seeds = _central(mesh, dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)[2])
    owner = dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)[2]
    faces = owner[mesh.faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (a != c) & (faces >= 0).all(axis=1)]
    _, once = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    origin, corners = np.unique(faces[np.sort(once)], return_inverse=True)
    return BrainMesh(mesh.vertices[origin], corners.reshape(-1, 3)), origin


def _central(mesh: BrainMesh, owner: IntArray) -> IntArray:
    """Return, for each cell, the vertex nearest to its centre; vertices that no seed reaches are left out."""
    reached = np.flatnonzero(owner >= 0)
    _, cell = np.unique(owner[reached], return_inverse=True)
    vertices = mesh.vertices[reached]
    sizes = np.bincount(cell)
    centres = np.stack([np.bincount(cell, vertices[:, i]) / sizes for i in range(3)], axis=1)
    away = ((vertices - centres[cell]) ** 2).sum(axis=1)
    order = np.lexsort((away, cell))
    return reached[order[np.unique(cell[order], return_index=True)[1]]]
