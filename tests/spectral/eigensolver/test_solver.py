"""The default backend: spectra that are known, invariances, and sabotage."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.special
from hypothesis import given, settings, strategies as st
from threadpoolctl import threadpool_limits

from spectralbrain.errors import ConvergenceError, MissingDependencyError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.geometry.solids import disk, rectangle, sphere, torus
from spectralbrain.operators.domain import build_domain
from spectralbrain.operators.fem import mass_matrix, stiffness_matrix
from spectralbrain.operators.laplacian import discretize
from spectralbrain.spectral.decomposition import SpectralDecomposition, decompose
from spectralbrain.spectral.eigensolver import backends, foreign, native, slicing, subspace
from spectralbrain.spectral.eigensolver.canonical import clusters, pivoted_basis
from spectralbrain.spectral.eigensolver.ldlt import Factorization
from spectralbrain.spectral.eigensolver.panels import Panels
from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil
from spectralbrain.spectral.eigensolver.problem import build_problem
from spectralbrain.spectral.eigensolver.slicing import next_window
from spectralbrain.spectral.eigensolver.threads import Team
from spectralbrain.spectral.eigensolver.verification import examine


def bumpy(subdivisions: int) -> BrainMesh:
    """A closed surface without symmetry, about 100 mm across."""
    mesh = sphere(subdivisions)
    x, y, z = mesh.vertices.T
    radius = 50 * (1 + 0.3 * x * y + 0.2 * z**3 + 0.1 * np.sin(3 * x + y))
    return BrainMesh(mesh.vertices * radius[:, None], mesh.faces)


def union(*meshes: BrainMesh) -> BrainMesh:
    offsets = np.cumsum([0] + [mesh.n_vertices for mesh in meshes])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)]
    return BrainMesh(np.vstack([mesh.vertices for mesh in meshes]), np.vstack(faces))


def dense(mesh: BrainMesh, *, lumped: bool = False) -> np.ndarray:
    """Return all eigenvalues, by LAPACK."""
    a, b = stiffness_matrix(mesh).toarray(), mass_matrix(mesh, lumped=lumped).toarray()
    with threadpool_limits(1):
        return scipy.linalg.eigh(a, b, eigvals_only=True)


@pytest.fixture(scope="module")
def surface() -> BrainMesh:
    mesh = torus(60, 20, 40.0, 15.0)  # 1,200 vertices: not a dense problem
    x, y, z = mesh.vertices.T / 40
    return BrainMesh(mesh.vertices * (1 + 0.2 * x * y + 0.1 * np.sin(3 * x + y + z))[:, None], mesh.faces)


@pytest.fixture(scope="module")
def oracle(surface: BrainMesh) -> np.ndarray:
    return dense(surface)


@pytest.fixture(scope="module")
def decomposition(surface: BrainMesh) -> SpectralDecomposition:
    return decompose(surface, k=60)


# Known answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 7, 60, 150, 230, 400])
def test_agrees_with_lapack_at_any_k(surface: BrainMesh, oracle: np.ndarray, k: int) -> None:
    found = decompose(surface, k=k)
    np.testing.assert_allclose(found.eigenvalues[1:], oracle[1:k], rtol=1e-9)
    assert found.eigenvalues[0] == 0
    assert found.metadata["verified"]


@pytest.mark.parametrize("mass", ["consistent", "lumped"])
def test_sphere_has_its_multiplets(mass: str) -> None:
    found = decompose(sphere(4), k=64, mass=mass)
    degree = np.repeat(np.arange(8), 2 * np.arange(8) + 1)
    exact = degree * (degree + 1)
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=2.4e-2, atol=1e-12)
    error = found.eigenvalues[1:] / exact[1:] - 1
    assert (error > 0).all() == (mass == "consistent")
    estimate = found.metadata["discretization_error"][1:]
    assert (np.sign(estimate) == (1 if mass == "consistent" else -1)).all()
    np.testing.assert_allclose(estimate, error, rtol=0.35, atol=2e-5)


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_rectangle_converges_at_second_order(boundary: str) -> None:
    a, b = 1.7, 1.0
    start = 0 if boundary == "neumann" else 1
    m, n = np.meshgrid(np.arange(start, 30), np.arange(start, 30))
    exact = np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())[:20]
    errors = []
    for size in (24, 48):
        found = decompose(rectangle(round(1.7 * size), size, a, b), k=20, boundary=boundary)
        assert found.metadata["boundary"] == boundary
        assert found.n_null_modes == 1 - start
        errors.append(np.abs(found.eigenvalues - exact)[1:] / exact[1:])
    rates = np.log2(errors[0] / errors[1])
    assert rates.min() > 1.8
    assert rates.max() < 2.2


def test_disk_has_the_zeros_of_bessel_functions() -> None:
    found = decompose(disk(40), k=12, boundary="dirichlet")
    zeros = np.concatenate([np.repeat(scipy.special.jn_zeros(n, 3), 1 if n == 0 else 2) for n in range(6)])
    np.testing.assert_allclose(found.eigenvalues, np.sort(zeros)[:12] ** 2, rtol=8e-3)


# Verification -------------------------------------------------------------------------------------


def test_every_promise_holds_when_recomputed(
    surface: BrainMesh, decomposition: SpectralDecomposition
) -> None:
    a, b = stiffness_matrix(surface), mass_matrix(surface)
    phi, values, metadata = decomposition.eigenvectors, decomposition.eigenvalues, decomposition.metadata
    residual = a @ phi - (b @ phi) * values
    weighted = scipy.sparse.linalg.spsolve(sp.csc_array(b), residual)
    norms = np.sqrt((residual * weighted).sum(axis=0)) / np.maximum(values, values[1])
    assert norms.max() < 1e-8
    assert (norms <= metadata["residuals"] * 1.001 + 1e-12).all()
    np.testing.assert_allclose(phi.T @ (b @ phi), np.eye(60), atol=1e-12)
    assert metadata["orthonormality_error"] < 1e-12
    assert metadata["upper_shift"] > values[-1]
    assert metadata["inertia_backward_error"] < 1e-2 * metadata["spectral_gap"]
    assert metadata["backend"] == "native"


@pytest.mark.parametrize("tol", [1e-10, 1e-5])
def test_the_tolerance_is_met(surface: BrainMesh, tol: float) -> None:
    assert decompose(surface, k=80, tol=tol).metadata["max_residual"] <= tol


def sabotage_solve(monkeypatch: pytest.MonkeyPatch, error: float) -> None:
    honest = Factorization.solve

    def wrong(self: Factorization, right: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        found = honest(self, right, out)
        found[: len(found) // 2] *= 1 + error
        return found

    monkeypatch.setattr(Factorization, "solve", wrong)


@pytest.mark.parametrize("error", [1e-2, 1e-6])
def test_a_wrong_solve_is_caught(surface: BrainMesh, monkeypatch: pytest.MonkeyPatch, error: float) -> None:
    sabotage_solve(monkeypatch, error)
    with pytest.raises(ConvergenceError):
        decompose(surface, k=20)


def test_a_wrong_solve_in_the_verification_alone_is_caught(
    surface: BrainMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = native.NativeSolver.count_below

    def with_bad_factor(self: native.NativeSolver, shift: float) -> tuple[int, float]:
        with monkeypatch.context() as patch:
            sabotage_solve(patch, 1e-2)
            return honest(self, shift)

    monkeypatch.setattr(native.NativeSolver, "count_below", with_bad_factor)
    with pytest.raises(ConvergenceError, match="not far below the gap"):
        decompose(surface, k=20)
    flagged = decompose(surface, k=20, on_unverified="flag")
    assert not flagged.metadata["verified"]
    assert flagged.metadata["verification"].startswith("not verified")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_inertia_is_caught(surface: BrainMesh, monkeypatch: pytest.MonkeyPatch, change: int) -> None:
    honest = native.NativeSolver.count_below
    monkeypatch.setattr(
        native.NativeSolver,
        "count_below",
        lambda self, shift: (honest(self, shift)[0] + change, honest(self, shift)[1]),
    )
    with pytest.raises(ConvergenceError, match="inertia counts"):
        decompose(surface, k=20)


def test_a_lost_eigenvector_is_caught(surface: BrainMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = native.NativeSolver.lowest

    def forgetful(self: native.NativeSolver, count: int, *_: object) -> object:
        pairs = honest(self, count + 1)
        keep = np.arange(len(pairs.values)) != 11
        return type(pairs)(pairs.values[keep], np.ascontiguousarray(pairs.vectors[:, keep]))

    monkeypatch.setattr(native.NativeSolver, "lowest", forgetful)
    with pytest.raises(ConvergenceError, match="inertia counts"):
        decompose(surface, k=20)


# Multiplicity -------------------------------------------------------------------------------------


def test_multiplicity_above_the_block_width_is_complete() -> None:
    """Twenty equal blocks in one pencil that the solver takes for one piece; blocks begin 8 wide."""
    mesh = bumpy(2)
    problem = build_problem(build_domain(mesh), discretize(build_domain(mesh)), "neumann")
    one = problem.pencils[0]
    copies = 20
    eye = sp.eye_array(copies, format="csr")
    stiffness = sp.csr_array(sp.kron(eye, one.stiffness + one.mass, format="csr"))
    mass = sp.csr_array(sp.kron(eye, one.mass, format="csr"))
    order = np.arange(copies * one.n).reshape(copies, one.n)
    rows, columns = order[:-1, 0], order[1:, 0]
    bridge = sp.coo_array((np.full(copies - 1, 1e-300), (rows, columns)), shape=stiffness.shape)
    stiffness = sp.csr_array(stiffness + bridge + bridge.T)
    for matrix in (stiffness, mass):
        matrix.sort_indices()
    single = 1 + scipy.linalg.eigh(one.stiffness.toarray(), one.mass.toarray(), eigvals_only=True)
    expected = np.sort(np.tile(single, copies))[:50]
    with Team(2) as team:
        solver = native.NativeSolver(Pencil(stiffness, mass, has_null_mode=False), 1e-8, team)
        found = solver.lowest(50)
    np.testing.assert_allclose(found.values[:50], expected, rtol=1e-9)


def test_equal_pieces_keep_their_order_and_their_pairs() -> None:
    one = bumpy(3)
    pair = union(one, BrainMesh(one.vertices + np.array([500.0, 0, 0]), one.faces))
    found = decompose(pair, k=41)
    expected = np.repeat(dense(one)[:21], 2)[:41]
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-9, atol=1e-15)
    first = found.eigenvectors[: one.n_vertices]
    assert (np.abs(first).max(axis=0) > 0).tolist() == [True, False] * 20 + [True]


def test_the_basis_of_a_multiple_eigenvalue_does_not_depend_on_how_it_was_found() -> None:
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.standard_normal((50, 4)))[0]
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    numbers = np.arange(50)
    found = pivoted_basis(basis, numbers)
    np.testing.assert_allclose(pivoted_basis(basis @ rotation, numbers), found, atol=1e-13)
    order = rng.permutation(50)
    np.testing.assert_allclose(pivoted_basis(basis[order], order), found[order], atol=1e-13)


def test_backends_agree_to_the_last_eigenvector() -> None:
    mesh = sphere(4)
    ours, theirs = decompose(mesh, k=36), decompose(mesh, k=36, backend="arpack")
    assert theirs.metadata["backend"] == "arpack"
    np.testing.assert_allclose(ours.eigenvalues, theirs.eigenvalues, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.eigenvectors, theirs.eigenvectors, atol=1e-6)


def test_search_goes_on_when_the_first_pairs_end_inside_a_cluster() -> None:
    """k + 4 pairs of the sphere end with a whole multiplet: the gap behind it needs more pairs."""
    found = decompose(sphere(4), k=21, mass="lumped")
    assert found.k == 21
    assert found.metadata["verified"]


def test_clusters_are_runs_of_close_neighbours() -> None:
    values = np.array([0.0, 1.0, 1 + 1e-12, 1 + 2e-12, 2.0])
    assert clusters(values, 1e-9) == [slice(0, 1), slice(1, 4), slice(4, 5)]
    assert clusters(np.empty(0), 1e-9) == []


# Invariances --------------------------------------------------------------------------------------


def test_the_bytes_do_not_depend_on_the_number_of_threads(surface: BrainMesh) -> None:
    found = [decompose(surface, k=40, n_threads=n) for n in (1, 2, 3)]
    assert (
        found[0].eigenvectors.tobytes() == found[1].eigenvectors.tobytes() == found[2].eigenvectors.tobytes()
    )
    assert found[0].eigenvalues.tobytes() == found[2].eigenvalues.tobytes()
    for name in ("residuals", "discretization_error"):
        assert found[0].metadata[name].tobytes() == found[1].metadata[name].tobytes()


def test_one_thread_means_that_no_other_one_works(
    surface: BrainMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLAS threads and our own are seen in the processor time of the process beyond the caller's."""

    def share_of_others(n_threads: int | None) -> float:
        process, caller = time.process_time(), time.thread_time()
        decompose(surface, k=40, n_threads=n_threads)
        total = time.process_time() - process
        return 1 - (time.thread_time() - caller) / total

    assert share_of_others(1) < 0.05
    assert share_of_others(2) > 0.05
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert share_of_others(None) < 0.05


@pytest.mark.parametrize("scale", [1e-9, 3e-3, 7.0, 1e9])
def test_scaling_scales(surface: BrainMesh, decomposition: SpectralDecomposition, scale: float) -> None:
    found = decompose(BrainMesh(surface.vertices * scale, surface.faces), k=60)
    expected = decomposition.eigenvalues / scale**2
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-10, atol=0)
    np.testing.assert_allclose(found.eigenvectors * scale, decomposition.eigenvectors, atol=1e-8)
    assert found.metadata["verified"]


def test_scaling_by_a_power_of_two_changes_no_bit(
    surface: BrainMesh, decomposition: SpectralDecomposition
) -> None:
    found = decompose(BrainMesh(surface.vertices * 2.0**20, surface.faces), k=60)
    assert (found.eigenvalues * 2.0**40).tobytes() == decomposition.eigenvalues.tobytes()
    assert (found.eigenvectors * 2.0**20).tobytes() == decomposition.eigenvectors.tobytes()


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_relabelling_and_rigid_motion_change_nothing_beyond_rounding(
    surface: BrainMesh, decomposition: SpectralDecomposition, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(surface.n_vertices)
    rank = np.argsort(order)
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    moved = surface.vertices[order] @ rotation.T + rng.standard_normal(3) * 100
    faces = rng.permutation(rank[surface.faces])
    found = decompose(BrainMesh(moved, faces), k=30)
    reference = decomposition.truncate(30)
    np.testing.assert_allclose(found.eigenvalues, reference.eigenvalues, rtol=1e-9, atol=0)
    np.testing.assert_allclose(found.eigenvectors[rank], reference.eigenvectors, atol=1e-8)


# Robustness ---------------------------------------------------------------------------------------


def with_slivers(mesh: BrainMesh, height: float) -> BrainMesh:
    """Move a corner of some triangles almost onto the opposite edge."""
    rng = np.random.default_rng(0)
    vertices = mesh.vertices.copy()
    chosen = rng.choice(len(mesh.faces), len(mesh.faces) // 40, replace=False)
    for a, b, c in mesh.faces[chosen]:
        middle = (vertices[b] + vertices[c]) / 2
        vertices[a] = middle + height * (vertices[a] - middle)
    return BrainMesh(vertices, mesh.faces)


@pytest.mark.parametrize(("height", "tol"), [(1e-3, 1e-8), (1e-6, 1e-6)])
def test_slivers_are_solved_and_verified(surface: BrainMesh, height: float, tol: float) -> None:
    mesh = with_slivers(surface, height)
    found = decompose(mesh, k=30, tol=tol)
    assert found.metadata["verified"]
    np.testing.assert_allclose(found.eigenvalues[1:], dense(mesh)[1:30], rtol=100 * tol)


def test_where_rounding_limits_the_residual_the_error_says_so(surface: BrainMesh) -> None:
    with pytest.raises(ConvergenceError, match="thin triangles alone cause"):
        decompose(with_slivers(surface, 1e-6), k=30, tol=1e-10)


def test_a_long_thin_surface_is_complete() -> None:
    """Weyl's law is far off here, so the first shift must be mended by its inertia."""
    length = 400.0
    found = decompose(rectangle(2000, 2, length, 0.5), k=50)
    exact = (np.pi * np.arange(50) / length) ** 2
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=2e-3, atol=1e-15)


@pytest.mark.parametrize("mesh", [sphere(0), rectangle(1, 4), sphere(1)], ids=["12", "10", "42"])
def test_the_smallest_meshes(mesh: BrainMesh) -> None:
    for k in (1, mesh.n_vertices - 1):
        found = decompose(mesh, k=k)
        np.testing.assert_allclose(found.eigenvalues, dense(mesh)[:k], rtol=1e-9, atol=1e-12)
        assert found.metadata["verified"]


def test_weight_multiplies_the_operator(surface: BrainMesh, oracle: np.ndarray) -> None:
    twice = decompose(surface, k=20, weight=np.full(surface.n_vertices, 2.0))
    np.testing.assert_allclose(twice.eigenvalues[1:], 2 * oracle[1:20], rtol=1e-9)
    np.testing.assert_array_equal(twice.metadata["weight"], 2.0)


# Many pairs, more pairs ---------------------------------------------------------------------------


def test_slices_add_up(surface: BrainMesh, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spectralbrain.spectral.eigensolver.slicing.LARGEST_WINDOW", 60)
    monkeypatch.setattr("spectralbrain.spectral.eigensolver.slicing.WINDOW", 50)
    found = decompose(surface, k=210)
    np.testing.assert_allclose(found.eigenvalues[1:], oracle[1:210], rtol=1e-9)
    assert found.metadata["orthonormality_error"] < 1e-12


def test_the_floor_of_the_next_window_lies_in_the_widest_gap_near_the_end() -> None:
    values = np.concatenate([np.arange(100.0), [100.5, 103.0, 103.1]])
    window = next_window(values, 120)
    assert (window.n_before, window.floor, window.size) == (101, 101.75, 19)
    assert next_window(values, 2000).size == 317  # six windows


def test_extension_agrees_with_a_fresh_start(
    surface: BrainMesh, oracle: np.ndarray, decomposition: SpectralDecomposition
) -> None:
    longer = decomposition.extend(140)
    fresh = decompose(surface, k=140)
    np.testing.assert_allclose(longer.eigenvalues, fresh.eigenvalues, rtol=1e-10, atol=0)
    np.testing.assert_allclose(longer.eigenvectors, fresh.eigenvectors, atol=1e-8)
    assert longer.metadata["verified"]


def test_extension_solves_for_the_new_pairs_only(
    decomposition: SpectralDecomposition, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    honest = native.NativeSolver._window

    def recorded(self: native.NativeSolver, window: native.Window, *room: object) -> object:
        sizes.append(window.size)
        return honest(self, window, *room)

    monkeypatch.setattr(native.NativeSolver, "_window", recorded)
    decomposition.extend(100)
    assert len(sizes) == 1
    assert sizes[0] < 60


def test_only_pairs_clearly_behind_the_exact_ones_may_be_rough() -> None:
    values = np.array([1.0, 2.0, 3.0, 3.001, 3.5])
    window = native.Window(0, -np.inf, 5, n_rough=2)
    assert window.is_rough(values).tolist() == [False, False, False, False, True]
    assert not window.is_rough(values[:4]).any()  # one was not found yet: who is the last?
    assert not native.Window(0, -np.inf, 5).is_rough(values).any()


def test_rough_pairs_are_near_eigenvalues_and_not_taken_for_known(
    oracle: np.ndarray, surface: BrainMesh
) -> None:
    found = []
    honest = native.NativeSolver.lowest

    def recorded(self: native.NativeSolver, count: int, known: object = None, n_rough: int = 0) -> object:
        pairs = honest(self, count, known, n_rough)  # type: ignore[arg-type]
        found.append((len(pairs.values), n_rough, pairs.values))
        return pairs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native.NativeSolver, "lowest", recorded)
        first = decompose(surface, k=47)
    ((size, n_rough, values),) = found
    assert (size, n_rough) == (50, 3)
    np.testing.assert_allclose(values[1:] * oracle[20] / values[20], oracle[1:50], rtol=1e-6)
    second = first.extend(60)
    assert second.metadata["max_residual"] < 1e-8
    np.testing.assert_allclose(second.eigenvalues[1:], oracle[1:60], rtol=1e-9)


def test_windows_that_overlap_by_more_than_rounding_are_joined_all_the_same(
    surface: BrainMesh, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slicing, "LARGEST_WINDOW", 30)
    monkeypatch.setattr(slicing, "WINDOW", 20)
    monkeypatch.setattr(native, "N_KNOWN", 10)
    monkeypatch.setattr(subspace, "SMALL_OVERLAP", 0.0)
    found = decompose(surface, k=70)
    np.testing.assert_allclose(found.eigenvalues[1:], oracle[1:70], rtol=1e-9)
    assert found.metadata["orthonormality_error"] < 1e-12


def test_interval_query_counts_by_inertia(surface: BrainMesh, oracle: np.ndarray) -> None:
    bound = float(oracle[70] + oracle[71]) / 2
    found = decompose(surface, below=bound)
    assert found.k == 71
    assert found.eigenvalues[-1] < bound


# Other factorisations -----------------------------------------------------------------------------


class Cholmod:
    """Stands in for the module cholespy."""

    class MatrixType:
        COO = "coo"

    class CholeskySolverD:
        def __init__(
            self, n: int, rows: np.ndarray, columns: np.ndarray, data: np.ndarray, kind: str
        ) -> None:
            assert kind == "coo"
            self.lower = np.linalg.cholesky(sp.coo_array((data, (rows, columns)), shape=(n, n)).toarray())

        def solve(self, right: np.ndarray, out: np.ndarray) -> None:
            out[:] = scipy.linalg.cho_solve((self.lower, True), right)


class Pardiso:
    """Stands in for the module pypardiso."""

    class PyPardisoSolver:
        libmkl = type("Library", (), {"MKL_Set_Num_Threads": staticmethod(lambda threads: None)})
        wrong = 0

        def __init__(self, mtype: int) -> None:
            assert mtype == -2

        def factorize(self, upper: sp.csr_array) -> None:
            full = (upper + sp.triu(upper, 1).T).toarray()
            self.inverse = np.linalg.inv(full)
            self.n_negative = int((np.linalg.eigvalsh(full) < 0).sum())

        def get_iparm(self, place: int) -> int:
            return {23: self.n_negative + self.wrong, 14: 0}[place]

        def solve(self, upper: sp.csr_array, right: np.ndarray) -> np.ndarray:
            return self.inverse @ right

        def free_memory(self, everything: bool) -> None:
            assert everything


@pytest.fixture(scope="module")
def small() -> BrainMesh:
    mesh = torus(30, 16, 40.0, 15.0)  # 480 vertices: just not a dense problem
    x, y, _ = mesh.vertices.T / 40
    return BrainMesh(mesh.vertices * (1 + 0.2 * x * y + 0.1 * x)[:, None], mesh.faces)


@pytest.mark.parametrize(("backend", "module"), [("cholespy", Cholmod), ("pardiso", Pardiso)])
def test_other_factorisations_give_the_same_pairs(
    backend: str, module: type, small: BrainMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "import_backend", lambda name: module)
    expected = decompose(small, k=20)
    with threadpool_limits(1):
        found = decompose(small, k=20, backend=backend)
    assert (found.metadata["backend"], expected.metadata["backend"]) == (backend, "native")
    assert found.metadata["verified"]
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(found.eigenvectors, expected.eigenvectors, atol=1e-8)


def test_a_wrong_inertia_of_another_package_is_caught(
    small: BrainMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "import_backend", lambda name: Pardiso)
    monkeypatch.setattr(Pardiso.PyPardisoSolver, "wrong", 1)
    with pytest.raises(ConvergenceError), threadpool_limits(1):
        decompose(small, k=10, backend="pardiso")


@pytest.mark.parametrize("backend", ["pardiso", "cholespy"])
def test_a_backend_that_is_not_installed_names_its_package(
    surface: BrainMesh, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = foreign.PACKAGES[backend]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=f"pip install {package}"):
        decompose(surface, k=3, backend=backend)


def test_only_installed_backends_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    assert backends.available_backends() == ["auto", "native", "arpack"]
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: object())
    assert backends.available_backends() == ["auto", "native", "arpack", "pardiso", "cholespy"]


@pytest.mark.parametrize("count", [20, 700])
def test_refining_repairs_rough_pairs(surface: BrainMesh, count: int) -> None:
    """Of a part of the spectrum, and of nearly the whole, which LAPACK computed."""
    with Team(1) as team:
        domain = build_domain(surface)
        (pencil,) = build_problem(domain, discretize(domain), "neumann").pencils
        solver = native.NativeSolver(pencil, 1e-9, team)
        pairs = solver.lowest(count)
        count = len(pairs.values)
        assert (count < pencil.n) == (count == 20)
        late = np.array([3, 4, 11])
        worse = pairs.vectors.copy()
        worse[:, late] += 1e-6 * pairs.vectors[:, [7, 9, 2]]
        panels, mass = Panels(pencil.n, team), solver.pencil.mass

        def residuals(vectors: np.ndarray) -> np.ndarray:
            return examine(panels, solver.pencil, mass, pairs.values, vectors).residuals

        repaired = solver.refine(Pairs(pairs.values, worse.copy()), late)
    assert residuals(worse)[late].min() > 1e-7 * pairs.values[1]
    np.testing.assert_allclose(repaired.values, pairs.values, rtol=1e-10, atol=1e-10)
    assert (residuals(repaired.vectors) < 1e-9 * np.maximum(pairs.values, pairs.values[1])).all()
