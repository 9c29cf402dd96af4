"""The block Lanczos recurrence on its own, and the sets of eigenvectors it finds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.linalg as sla
import scipy.sparse as sp
import trimesh

from spectralbrain.errors import ConvergenceError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.domain import build_domain
from spectralbrain.operators.laplacian import discretize
from spectralbrain.spectral.eigensolver.krylov import SELECTIVE_DELAY, BlockLanczos, run_lanczos
from spectralbrain.spectral.eigensolver.panels import (
    SLAB,
    SMALLEST_PANEL,
    Basis,
    Memory,
    Panels,
    RowSplit,
)
from spectralbrain.spectral.eigensolver.subspace import orthonormalise_sets
from spectralbrain.spectral.eigensolver.threads import Team

COUNT, WIDTH = 80, 4


class Problem:
    """A small pencil with all its eigenpairs, and a shift in a gap after forty of them."""

    def __init__(self, team: Team) -> None:
        sphere = trimesh.creation.icosphere(3)
        vertices = sphere.vertices * [1.0, 1.3, 1.7] + 0.05 * np.sin(5 * sphere.vertices[:, [1, 2, 0]])
        discretization = discretize(
            build_domain(BrainMesh(vertices, sphere.faces)), "cotangent", "consistent"
        )
        self.stiffness, self.mass = discretization.stiffness, discretization.mass
        self.values, self.vectors = sla.eigh(self.stiffness.toarray(), self.mass.toarray())
        self.shift = float(self.values[39:41].mean())
        self.panels = Panels(self.mass.shape[0], team)
        self.split: RowSplit = self.panels.split(self.mass)
        self._factor = sp.linalg.splu(sp.csc_array(self.stiffness - self.shift * self.mass))

    def solve(self, right: np.ndarray, out: np.ndarray) -> np.ndarray:
        out[:] = self._factor.solve(np.ascontiguousarray(right))
        return out

    def lanczos(self, known: np.ndarray | None = None) -> BlockLanczos:
        return BlockLanczos(self.panels, self.split, self.solve, self.shift, WIDTH, 400, known=known)

    def nearest(self, values: np.ndarray) -> np.ndarray:
        return np.argsort(abs(values - self.shift))[:COUNT]

    def overlaps(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        products: np.ndarray = left.T @ (self.mass @ right)
        return products


@pytest.fixture(scope="module")
def problem() -> Iterator[Problem]:
    with Team(1) as team:
        yield Problem(team)


def orthonormality_error(problem: Problem, lanczos: BlockLanczos) -> float:
    found = run_lanczos(lanczos, problem.nearest, COUNT, lambda values: np.full(len(values), 1e-9))
    return float(abs(problem.overlaps(found.vectors, found.vectors) - np.eye(COUNT)).max())


def test_gram_schmidt_that_blocks_were_spared_reaches_the_ritz_vectors(problem: Problem) -> None:
    lanczos, forgetful = problem.lanczos(), problem.lanczos()
    forgetful._in_basis = lambda coefficients: coefficients  # type: ignore[method-assign]
    error = orthonormality_error(problem, lanczos)
    assert lanczos.worst_loss > 1e-11  # there was something to remember
    assert error < 1e-14
    assert orthonormality_error(problem, forgetful) > 5 * error


def test_known_eigenvectors_are_not_found_again(problem: Problem) -> None:
    known = np.ascontiguousarray(problem.vectors[:, 20:60])
    rest = np.delete(problem.values, np.s_[20:60])
    lanczos = problem.lanczos(known)
    found = run_lanczos(lanczos, problem.nearest, COUNT, lambda values: np.full(len(values), 1e-9))
    expected = np.sort(rest[np.argsort(abs(rest - problem.shift))[:COUNT]])
    np.testing.assert_allclose(np.sort(found.values), expected, rtol=1e-10, atol=1e-12)
    assert abs(problem.overlaps(known, found.vectors)).max() < 1e-13


def test_removing_ritz_vectors_from_every_other_block_keeps_orthogonality(problem: Problem) -> None:
    def loss(lanczos: BlockLanczos) -> float:
        while lanczos.size < 100:
            lanczos.step()
        lanczos.settle()
        return lanczos.worst_loss

    kept_out, left_in = problem.lanczos(), problem.lanczos()
    left_in._select = lambda: setattr(left_in, "delay", SELECTIVE_DELAY)  # type: ignore[method-assign]
    assert loss(left_in) > 5 * loss(kept_out)


def test_a_combination_may_take_the_place_of_the_basis() -> None:
    rng = np.random.default_rng(1)
    n, m = 2 * SMALLEST_PANEL + 345, SLAB + 10
    columns, coefficients = rng.standard_normal((n, m)), rng.standard_normal((m, SLAB))
    with Team(2) as team:
        panels = Panels(n, team)
        basis = Basis(panels, Memory())
        for start in range(0, m, 2):
            target = basis.extend(2)
            for rows in panels.rows:
                target[rows] = columns[rows, start : start + 2]
        blocks = [np.ascontiguousarray(columns[:, :3]), np.ascontiguousarray(columns[:, 3:7])]
        np.testing.assert_allclose(basis.project(blocks), columns.T @ columns[:, :7], atol=1e-9)
        apart = basis.combine(coefficients)
        in_place = basis.finish(coefficients)
    np.testing.assert_allclose(apart, columns @ coefficients, atol=1e-9)
    np.testing.assert_array_equal(in_place, apart)
    assert np.shares_memory(in_place, basis._slabs[0])


def test_ritz_vectors_go_where_they_are_wanted(problem: Problem) -> None:
    out = np.empty((problem.panels.n, COUNT))
    found = run_lanczos(
        problem.lanczos(), problem.nearest, COUNT, lambda values: np.full(len(values), 1e-9), out=out
    )
    assert found.vectors is out


def test_the_last_columns_of_a_basis_may_lie_in_two_slabs() -> None:
    rng = np.random.default_rng(0)
    with Team(1) as team:
        basis = Basis(Panels(50, team), Memory())
        columns = rng.standard_normal((50, SLAB + 4))
        everything = slice(0, 50)
        for start in range(0, SLAB + 4, 4):
            basis.extend(4)[everything] = columns[:, start : start + 4]
        coefficients = rng.standard_normal((8, 3))
        parts = basis.last(coefficients)
    assert [part.shape for _, part in parts] == [(4, 3), (4, 3)]
    product = sum(slab[everything] @ part for slab, part in parts)
    np.testing.assert_allclose(product, columns[:, -8:] @ coefficients, rtol=1e-12)


def test_of_two_vectors_that_overlap_the_worse_one_gives_way(problem: Problem) -> None:
    vectors = problem.vectors[:, :30].copy()
    vectors[:, 25] += 1e-9 * problem.vectors[:, 2]
    vectors[:, 3] += 1e-13 * problem.vectors[:, 27]
    errors = np.where(np.arange(30) < 10, 1e-4, 1.0)
    assert abs(problem.overlaps(vectors, vectors) - np.eye(30)).max() > 9e-10
    orthonormalise_sets(problem.panels, problem.split, vectors, [0, 10, 20], 0, errors)
    assert abs(problem.overlaps(vectors, vectors) - np.eye(30)).max() < 1e-14
    turned = abs(problem.overlaps(problem.vectors[:, :30], vectors) - np.eye(30))
    assert turned[:, :10].max() < 2e-13  # what was nearly right stays so
    assert turned.max() < 2e-13


def test_vectors_that_are_not_nearly_orthogonal_are_refused(problem: Problem) -> None:
    vectors = problem.vectors[:, :20].copy()
    vectors[:, 15] += 1e-5 * problem.vectors[:, 2]
    with pytest.raises(ConvergenceError, match="overlap by 1e-05"):
        orthonormalise_sets(problem.panels, problem.split, vectors, [0, 10], 0, np.ones(20))


def test_memory_of_large_arrays_belongs_to_one_process() -> None:
    """A node's process forks: what its child writes into an array must not reach the parent's."""
    program = """
import os
from spectralbrain.spectral.eigensolver.panels import room_for
room = room_for(3, 2)
assert room.shape == (3, 2) and room.flags.c_contiguous and room.flags.writeable
room[:] = 1.0
child = os.fork()
if not child:
    room[:] = 2.0
    os._exit(0)
os.waitpid(child, 0)
assert (room == 1.0).all()
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
