"""Topology against surfaces whose topology is known, against trimesh, and under relabelling."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings, strategies as st

from spectralbrain.geometry import solids
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.topology import Topology

# mesh, Euler characteristic, genus, boundary loops, components
KNOWN = [
    (solids.sphere(2), 2, 0, 0, 1),
    (solids.ellipsoid(1), 2, 0, 0, 1),
    (solids.torus(8, 6), 0, 1, 0, 1),
    (solids.rectangle(4, 3), 1, 0, 1, 1),
    (solids.disk(4), 1, 0, 1, 1),
    (solids.annulus(3), 0, 0, 2, 1),
]


def together(*meshes: BrainMesh) -> BrainMesh:
    offsets = np.cumsum([0, *(m.n_vertices for m in meshes)])
    return BrainMesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + o for m, o in zip(meshes, offsets, strict=False)]),
    )


def moebius(n: int = 12) -> BrainMesh:
    angle = np.arange(n) * 2 * np.pi / n
    low = np.column_stack([np.cos(angle), np.sin(angle), -np.ones(n)])
    vertices = np.concatenate([low, low + np.array([0, 0, 2])])
    faces = []
    for i in range(n):
        j = (i + 1) % n
        a, b, c, d = (i, j, j + n, i + n) if j else (i, n, 0, i + n)  # the last cell is twisted
        faces += [[a, b, c], [a, c, d]]
    return BrainMesh(vertices, faces)


@pytest.mark.parametrize(("mesh", "euler", "genus", "loops", "components"), KNOWN)
def test_known_surfaces(mesh: BrainMesh, euler: int, genus: int, loops: int, components: int) -> None:
    assert mesh.euler_characteristic == euler
    assert mesh.genus == genus
    assert len(mesh.boundary_loops) == loops
    assert mesh.n_components == components
    assert mesh.is_manifold
    assert mesh.is_oriented
    assert mesh.is_closed == (loops == 0)


@pytest.mark.parametrize("mesh", [known[0] for known in KNOWN])
def test_trimesh_agrees(mesh: BrainMesh) -> None:
    peer = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert peer.euler_number == mesh.euler_characteristic
    assert peer.is_watertight == mesh.is_closed
    assert peer.is_winding_consistent == mesh.is_oriented
    assert len(peer.edges_unique) == len(mesh.edges)
    assert peer.area == pytest.approx(mesh.area, rel=1e-12)
    if mesh.is_closed:
        assert peer.volume == pytest.approx(mesh.signed_volume, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 7)] * 3), min_size=0, max_size=14),
)
def test_definitions_hold_on_any_set_of_triangles(rows: list[tuple[int, int, int]]) -> None:
    """Count everything the slow way, straight from the definitions."""
    faces = np.array(rows, dtype=np.int64).reshape(-1, 3)
    topology = Topology(faces, 8)
    real = [row for row in rows if len(set(row)) == 3]
    per_edge: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in real:
        for i in range(3):
            directed = row[i], row[(i + 1) % 3]
            per_edge.setdefault((min(directed), max(directed)), []).append(directed)
    assert topology.edges.tolist() == [list(edge) for edge in sorted(per_edge)]
    assert topology.n_boundary_edges == sum(len(v) == 1 for v in per_edge.values())
    assert len(topology.non_manifold_edges) == sum(len(v) > 2 for v in per_edge.values())
    disagree = sum(len(v) == 2 and v[0] == v[1] for v in per_edge.values())
    assert len(topology.inconsistent_edges) == disagree
    assert topology.non_manifold_vertices.tolist() == [v for v in range(8) if _fans(real, per_edge, v) > 1]
    assert topology.n_components == _count_components(real)
    flat = [v for loop in topology.boundary_loops for v in loop.tolist()]
    if topology.is_edge_manifold:
        assert len(flat) == topology.n_boundary_edges


def _fans(rows: list[tuple[int, int, int]], per_edge: dict, vertex: int) -> int:
    """Groups of the faces around a vertex, joined across edges of exactly two faces."""
    around = [n for n, row in enumerate(rows) if vertex in row]
    groups = {n: n for n in around}

    def root(n: int) -> int:
        while groups[n] != n:
            n = groups[n]
        return n

    for edge, halves in per_edge.items():
        if vertex in edge and len(halves) == 2:
            first, second = (n for n in around if set(edge) <= set(rows[n]))
            groups[root(first)] = root(second)
    return len({root(n) for n in around})


def _count_components(rows: list[tuple[int, int, int]]) -> int:
    sets: list[set[int]] = []
    for row in rows:
        touching = [s for s in sets if s & set(row)]
        sets = [s for s in sets if not s & set(row)] + [set(row).union(*touching)]
    return len(sets)


@pytest.mark.parametrize("seed", range(4))
def test_numbering_does_not_matter(seed: int) -> None:
    mesh = together(solids.torus(8, 6), solids.annulus(2), solids.sphere(1))
    rng = np.random.default_rng(seed)
    order = rng.permutation(mesh.n_vertices)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    faces = place[mesh.faces][rng.permutation(mesh.n_faces)]
    faces = np.take_along_axis(faces, (np.arange(3) + rng.integers(3, size=(len(faces), 1))) % 3, axis=1)
    shuffled = BrainMesh(mesh.vertices[order], faces)
    assert shuffled.euler_characteristic == mesh.euler_characteristic == 2
    assert shuffled.n_components == 3
    assert shuffled.genus == mesh.genus == 1
    assert [len(x) for x in shuffled.boundary_loops] == [len(x) for x in mesh.boundary_loops]
    assert shuffled.boundary_length == pytest.approx(mesh.boundary_length)


def test_components_are_numbered_by_size_and_leave_out_unused_vertices() -> None:
    mesh = together(solids.sphere(0), solids.sphere(2), solids.sphere(1))
    mesh = BrainMesh(np.concatenate([mesh.vertices, [[9, 9, 9]]]), mesh.faces)
    assert np.bincount(mesh.components + 1).tolist() == [1, 162, 42, 12]
    assert mesh.components[:12].tolist() == [2] * 12
    assert mesh.n_components == 3


def test_boundary_loop_runs_along_the_edges() -> None:
    mesh = solids.rectangle(5, 3)
    (loop,) = mesh.boundary_loops
    edges = {tuple(edge) for edge in mesh.edges[mesh.topology.faces_per_edge == 1].tolist()}
    walked = {(min(a, b), max(a, b)) for a, b in zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True)}
    assert walked == edges


def test_boundary_at_a_pinched_vertex_follows_the_faces() -> None:
    mesh = solids.rectangle(6, 6)
    centre = 3 * 7 + 3
    holes = [(2, 2), (3, 3)]  # two cells that share the centre vertex only
    kept = [f for f in mesh.faces.tolist() if not any(_in_cell(f, i, j) for i, j in holes)]
    pinched = BrainMesh(mesh.vertices, kept)
    assert [len(loop) for loop in pinched.boundary_loops] == [24, 8]
    assert pinched.topology.non_manifold_vertices.tolist() == [centre]
    assert pinched.genus is None


def _in_cell(face: list[int], i: int, j: int) -> bool:
    return set(face) <= {i * 7 + j, (i + 1) * 7 + j, (i + 1) * 7 + j + 1, i * 7 + j + 1}


def test_moebius_strip_cannot_be_oriented() -> None:
    strip = moebius()
    assert not strip.topology.is_orientable
    assert strip.euler_characteristic == 0
    assert len(strip.boundary_loops) == 1
    assert strip.is_manifold
    assert strip.genus is None


def test_three_pages_of_a_book_name_the_edge() -> None:
    vertices = [[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, -1, 0]]
    book = BrainMesh(vertices, [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    assert book.topology.non_manifold_edges.tolist() == [[0, 1]]
    assert not book.is_manifold
    assert book.genus is None


def test_two_cones_that_touch_name_the_vertex() -> None:
    cone = [[0, 1, 2], [0, 2, 3], [0, 3, 1]]
    other = [[0, 4, 5], [0, 5, 6], [0, 6, 4]]
    mesh = BrainMesh(np.random.default_rng(0).standard_normal((7, 3)), cone + other)
    assert mesh.topology.is_edge_manifold
    assert mesh.topology.non_manifold_vertices.tolist() == [0]
    assert not mesh.is_manifold
    assert mesh.n_components == 1


def test_no_faces() -> None:
    empty = BrainMesh(np.zeros((3, 3)), [])
    assert empty.n_components == 0
    assert empty.boundary_loops == ()
    assert empty.euler_characteristic == 0
    assert empty.genus is None
    assert not empty.is_closed
    assert empty.components.tolist() == [-1, -1, -1]
