"""Small decompositions made by dense linear algebra, so that these tests do not test the eigensolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.csgraph
from scipy.spatial import ConvexHull

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.spectral.decomposition import SpectralDecomposition


def icosphere(subdivisions: int, radius: float = 1.0) -> BrainMesh:
    golden = (1 + 5**0.5) / 2
    corners = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    points = [np.roll(c, s) for s in range(3) for c in corners]
    vertices = np.array(points, float)
    faces = ConvexHull(vertices).simplices
    for _ in range(subdivisions):
        edges: dict[tuple[int, int], int] = {}
        grown = list(vertices)
        triangles = []
        for a, b, c in faces:
            middle = []
            for i, j in ((a, b), (b, c), (c, a)):
                key = (min(i, j), max(i, j))
                if key not in edges:
                    edges[key] = len(grown)
                    grown.append((vertices[i] + vertices[j]) / 2)
                middle.append(edges[key])
            ab, bc, ca = middle
            triangles += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        vertices, faces = np.array(grown), np.array(triangles)
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    normals = np.cross(
        vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]]
    )
    inward = np.einsum("fx,fx->f", normals, vertices[faces].mean(axis=1)) < 0
    faces = np.where(inward[:, None], faces[:, ::-1], faces)
    return BrainMesh(vertices * radius, faces)


def grid(nx: int, ny: int, a: float = 1.0, b: float = 1.0) -> BrainMesh:
    x, y = np.meshgrid(np.linspace(0, a, nx + 1), np.linspace(0, b, ny + 1), indexing="ij")
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    i, j = (g.ravel() for g in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
    p, q, r, s = (u * (ny + 1) + v for u, v in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)))
    return BrainMesh(vertices, np.vstack([np.column_stack([p, q, r]), np.column_stack([p, r, s])]))


def dense(
    mesh: BrainMesh, k: int, *, mask: Any = None, boundary: str = "neumann", lumped: bool = False
) -> SpectralDecomposition:
    """Solve the whole generalised problem densely and keep k pairs."""
    keep = np.ones(mesh.n_vertices, bool) if mask is None else np.asarray(mask)
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    part = BrainMesh(mesh.vertices, faces)
    stiffness, mass = stiffness_matrix(part), mass_matrix(part, lumped=lumped)
    edges = np.sort(np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.unique(unique[count == 1])
    free = keep.copy()
    if boundary == "dirichlet":
        free[rim] = False
    index = np.flatnonzero(free)
    values, inner = scipy.linalg.eigh(
        stiffness[index][:, index].toarray(), mass[index][:, index].toarray(), subset_by_index=[0, k - 1]
    )
    vectors = np.where(keep[:, None], 0.0, np.nan) * np.ones(k)
    vectors[index] = inner
    kind = boundary if boundary == "dirichlet" else ("neumann" if len(rim) else "closed")
    graph = sp.csr_matrix((np.ones(len(edges)), edges.T), shape=(mesh.n_vertices,) * 2)
    n_components = len(np.unique(sp.csgraph.connected_components(graph, directed=False)[1][keep]))
    nulls = 0 if boundary == "dirichlet" else n_components
    values[:nulls] = 0.0
    metadata = {"n_null_modes": nulls, "boundary": kind, "n_components": n_components, "k": k}
    metadata["surface_area"] = float(mass.sum())
    return SpectralDecomposition(values, vectors, mass, mesh, metadata)


@pytest.fixture(scope="session")
def make_sphere() -> Callable[..., BrainMesh]:
    return icosphere


@pytest.fixture(scope="session")
def make_grid() -> Callable[..., BrainMesh]:
    return grid


@pytest.fixture(scope="session")
def solve() -> Callable[..., SpectralDecomposition]:
    return dense


def bumpy(subdivisions: int = 2, seed: int = 3) -> BrainMesh:
    """A closed surface without any symmetry, about the size of a hippocampus."""
    ball = icosphere(subdivisions)
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(6, 3)) * 2
    swell = 1 + 0.15 * np.cos(ball.vertices @ waves.T + rng.uniform(0, 6, 6)).sum(axis=1) / 2
    return BrainMesh(ball.vertices * swell[:, None] * [20.0, 12.0, 9.0], ball.faces)


@pytest.fixture(scope="session")
def make_bumpy() -> Callable[..., BrainMesh]:
    return bumpy


@pytest.fixture(scope="session")
def closed() -> SpectralDecomposition:
    return dense(bumpy(), 40)


@pytest.fixture(scope="session")
def masked() -> SpectralDecomposition:
    """A surface with a hole: 15 % of its vertices outside the domain."""
    mesh = bumpy()
    order = np.argsort(mesh.vertices[:, 0])
    mask = np.ones(mesh.n_vertices, bool)
    mask[order[: mesh.n_vertices // 7]] = False
    used = np.unique(mesh.faces[mask[mesh.faces].all(axis=1)])
    return dense(mesh, 30, mask=np.isin(np.arange(mesh.n_vertices), used))


@pytest.fixture(scope="session")
def pinned(make_grid: Callable[..., BrainMesh]) -> SpectralDecomposition:
    """A rectangle with Dirichlet boundary: no null mode."""
    return dense(make_grid(16, 12, 4.0, 3.0), 20, boundary="dirichlet")


@pytest.fixture(scope="session")
def two_parts(make_grid: Callable[..., BrainMesh]) -> SpectralDecomposition:
    """Two rectangles apart: two null modes."""
    first, second = make_grid(10, 8, 5.0, 4.0), make_grid(8, 8, 3.0, 3.0)
    both = BrainMesh(
        np.vstack([first.vertices, second.vertices + 10]),
        np.vstack([first.faces, second.faces + first.n_vertices]),
    )
    return dense(both, 20)


@pytest.fixture(scope="session")
def change() -> Callable[..., SpectralDecomposition]:
    """Replace fields of a decomposition."""

    def replace(decomposition: SpectralDecomposition, **fields: Any) -> SpectralDecomposition:
        names = ("eigenvalues", "eigenvectors", "mass", "mesh", "metadata")
        return SpectralDecomposition(**{n: fields.get(n, getattr(decomposition, n)) for n in names})

    return replace


@pytest.fixture(scope="session")
def rescale() -> Callable[..., SpectralDecomposition]:
    """Scale the surface under a decomposition by s: exact, no second solve."""

    def scale(decomposition: SpectralDecomposition, s: float) -> SpectralDecomposition:
        d = decomposition
        mesh = BrainMesh(d.mesh.vertices * s, d.mesh.faces)
        facts = {**d.metadata, "surface_area": d.surface_area * s**2}
        return SpectralDecomposition(d.eigenvalues / s**2, d.eigenvectors / s, d.mass * s**2, mesh, facts)

    return scale
