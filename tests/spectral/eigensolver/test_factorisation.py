"""The order, the symbolic and the numeric factorisation, against dense linear algebra."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import cache

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from hypothesis import assume, given, settings, strategies as st
from threadpoolctl import threadpool_limits

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.solids import annulus, rectangle, sphere, torus
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.spectral.decomposition import decompose
from spectralbrain.spectral.eigensolver import symbolic
from spectralbrain.spectral.eigensolver.ldlt import Factorization, count_negative
from spectralbrain.spectral.eigensolver.native import union_pattern
from spectralbrain.spectral.eigensolver.ordering import (
    Dissection,
    bisect,
    breadth_first_distances,
    dissect,
    landmark_embedding,
    vertex_cover,
)
from spectralbrain.spectral.eigensolver.problem import linear_pattern
from spectralbrain.spectral.eigensolver.symbolic import SymbolicFactorization, analyse, build_symbolic
from spectralbrain.spectral.eigensolver.threads import Team

MESHES = {
    "sphere": sphere(3),
    "rectangle": rectangle(30, 15, 2.0, 1.0),
    "annulus": annulus(8),
    "torus": torus(40, 20),
}


def shifted(mesh: BrainMesh, shift: float) -> sp.csr_array:
    matrix = sp.csr_array(stiffness_matrix(mesh) - shift * mass_matrix(mesh))
    matrix.sort_indices()
    return matrix


@cache
def eigenvalues(name: str) -> np.ndarray:
    mesh = MESHES[name]
    with threadpool_limits(1):
        return scipy.linalg.eigh(
            stiffness_matrix(mesh).toarray(), mass_matrix(mesh).toarray(), eigvals_only=True
        )


def solve(factor: Factorization, symbolic: SymbolicFactorization, right: np.ndarray) -> np.ndarray:
    out = np.empty_like(right)
    out[symbolic.order] = factor.solve(right[symbolic.order])
    return out


@pytest.mark.parametrize("name", MESHES)
def test_separators_separate(name: str) -> None:
    pattern = mass_matrix(MESHES[name])
    found = dissect(pattern, leaf_size=40)
    assert found.depth >= 3
    entries = pattern.tocoo()
    i, j = entries.row, entries.col
    for level in range(found.depth):
        shift = found.depth - 1 - level
        below = (found.level[i] > level) & (found.level[j] > level)
        sides = found.part >> shift
        assert (sides[i] == sides[j])[below].all()


@pytest.mark.parametrize("name", MESHES)
def test_separators_are_short_and_leaves_even(name: str) -> None:
    found = dissect(mass_matrix(MESHES[name]), leaf_size=40)
    n = len(found.part)
    assert (found.level == 0).sum() < 4 * np.sqrt(n)
    sizes = np.bincount(found.part)
    assert sizes.max() - sizes.min() <= found.depth


def test_breadth_first_distances_count_edges() -> None:
    path = sp.diags_array([np.ones(5), np.ones(6), np.ones(5)], offsets=[-1, 0, 1], format="csr")
    np.testing.assert_array_equal(breadth_first_distances(path, 2), [2, 1, 0, 1, 2, 3])


def test_landmarks_see_the_length_of_a_strip() -> None:
    strip = rectangle(60, 4, 15.0, 1.0)
    embedding = landmark_embedding(mass_matrix(strip))
    x = strip.vertices[:, 0]
    assert abs(np.corrcoef(embedding[:, 0], x)[0, 1]) > 0.99
    halves = bisect(embedding, 1)
    assert max(x[halves == 0].max(), x[halves == 1].max()) == 15.0
    assert np.ptp(x[halves == 0]) < 9
    assert np.ptp(x[halves == 1]) < 9


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25, unique=True))
def test_a_vertex_cover_touches_every_edge_and_is_smallest(edges: list[tuple[int, int]]) -> None:
    left = np.array([a for a, _ in edges], dtype=np.int64)
    right = np.array([100 + b for _, b in edges], dtype=np.int64)
    cover = set(vertex_cover(left, right).tolist())
    assert all(a in cover or b in cover for a, b in zip(left, right, strict=True))
    matrix = sp.csr_array((np.ones(len(edges)), (left, right - 100)), shape=(8, 8))
    matching = sp.csgraph.maximum_bipartite_matching(matrix, perm_type="column")
    assert len(cover) == (matching >= 0).sum()


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("leaf_size", [3, 10, 80, 10**6])
@pytest.mark.parametrize("columns", [1, 7])
def test_solves_and_inertia_agree_with_dense(name: str, leaf_size: int, columns: int) -> None:
    matrix = shifted(MESHES[name], 30.3)
    symbolic = build_symbolic(matrix, dissect(matrix, leaf_size))
    right = np.random.default_rng(0).standard_normal((matrix.shape[0], columns))
    with Team(2) as team:
        factor = Factorization(symbolic, matrix.data, team)
        found = solve(factor, symbolic, right)
    np.testing.assert_allclose(matrix @ found, right, atol=1e-9)
    assert factor.n_negative == (eigenvalues(name) < 30.3).sum() > 5


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 400.0))
def test_inertia_counts_the_eigenvalues_below_any_shift(shift: float) -> None:
    values = eigenvalues("sphere")
    assume(np.abs(values / shift - 1).min() > 1e-9)
    matrix = shifted(MESHES["sphere"], shift)
    with Team(1) as team:
        assert Factorization(analyse(matrix), matrix.data, team).n_negative == (values < shift).sum()


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    matrix = shifted(MESHES["torus"], 3.3)
    symbolic = build_symbolic(matrix, dissect(matrix, 3))
    assert len(symbolic.subtrees) > 1
    right = np.random.default_rng(0).standard_normal((matrix.shape[0], 5))
    found = []
    for threads in (1, 2, 5):
        with Team(threads) as team:
            found.append(Factorization(symbolic, matrix.data, team).solve(right).tobytes())
    assert found[0] == found[1] == found[2]


def test_a_template_is_analysed_once() -> None:
    mesh = MESHES["annulus"]
    other = BrainMesh(mesh.vertices * [1.0, 2.0, 1.0], mesh.faces)
    assert analyse(mass_matrix(mesh)) is analyse(mass_matrix(other))
    assert analyse(mass_matrix(mesh)) is not analyse(mass_matrix(MESHES["torus"]))


def test_what_another_thread_analyses_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = mass_matrix(sphere(2))
    begun, calls = threading.Event(), []

    def slow(*arguments: object) -> SymbolicFactorization:
        calls.append(arguments)
        begun.set()
        time.sleep(0.2)
        return build_symbolic(*arguments)

    monkeypatch.setattr(symbolic, "build_symbolic", slow)
    monkeypatch.setattr(symbolic, "_cache", OrderedDict())
    with Team(2) as team:
        team.start(lambda: analyse(pattern))
        assert begun.wait(60)
        analyse(pattern)
    assert len(calls) == 1


def test_an_analysis_that_fails_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = mass_matrix(sphere(2))

    def fail(*arguments: object) -> None:
        raise MemoryError("none left")

    with monkeypatch.context() as patch:
        patch.setattr(symbolic, "_cache", OrderedDict())
        patch.setattr(symbolic, "build_symbolic", fail)
        with pytest.raises(MemoryError, match="none left"):
            analyse(pattern)
        patch.undo()
    assert analyse(pattern).n == 162


def test_a_busy_thread_is_not_waited_for() -> None:
    done = threading.Event()
    with Team(2) as team:
        team.start(lambda: done.wait(60))
        assert team.map(abs, [-1, 2, -3]) == [1, 2, 3]
        assert not done.is_set()
        done.set()


@pytest.mark.parametrize("name", MESHES)
def test_the_pattern_is_known_before_the_matrices(name: str) -> None:
    mesh = MESHES[name]
    matrix = union_pattern(stiffness_matrix(mesh), mass_matrix(mesh))
    assert analyse(linear_pattern(mesh)) is analyse(matrix)


@pytest.mark.parametrize("n_components", [1, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_each_component_is_ordered_once(
    n_components: int, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of a connected surface is begun before its matrices are known, and used."""
    symbolic._cache.clear()
    sizes: list[int] = []

    def recorded(pattern: sp.csr_array, leaf_size: int) -> Dissection:
        sizes.append(pattern.shape[0])
        return dissect(pattern, leaf_size)

    monkeypatch.setattr(symbolic, "dissect", recorded)
    parts = [sphere(3), rectangle(30, 15, 2.0, 1.0)][:n_components]
    shift = np.cumsum([0, *(part.n_vertices for part in parts)])
    vertices = np.concatenate([part.vertices + 10.0 * i for i, part in enumerate(parts)])
    mesh = BrainMesh(
        vertices, np.concatenate([part.faces + first for part, first in zip(parts, shift, strict=False)])
    )
    kept = np.arange(mesh.n_vertices) > 0 if masked else None
    decompose(mesh, 20, mask=kept, n_threads=2)
    expected = [part.n_vertices for part in parts]
    expected[0] -= masked
    assert sorted(sizes) == sorted(expected)


def test_negative_eigenvalues_are_counted_across_a_stack() -> None:
    rng = np.random.default_rng(0)
    stack = rng.standard_normal((9, 6, 6))
    stack += stack.transpose(0, 2, 1)
    stack[3] = np.eye(6)
    assert count_negative(stack) == (np.linalg.eigvalsh(stack) < 0).sum()


def test_an_exactly_singular_matrix_is_an_error() -> None:
    matrix = sp.csr_array(np.ones((4, 4)))
    with Team(1) as team, pytest.raises(np.linalg.LinAlgError):
        Factorization(build_symbolic(matrix, dissect(matrix, 80)), matrix.data, team)
