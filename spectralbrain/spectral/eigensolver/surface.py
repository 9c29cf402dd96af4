"""From a surface and options to a verified decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from spectralbrain._version import __version__
from spectralbrain.errors import ArrayError, ConvergenceError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.operators.curvature import lost_area
from spectralbrain.operators.domain import Domain, build_domain
from spectralbrain.operators.laplacian import (
    LAPLACIANS,
    MASSES,
    Discretization,
    default_mass,
    discretize,
)
from spectralbrain.operators.point_cloud import PointDomain, discretize_points
from spectralbrain.resources import resolve_threads
from spectralbrain.runtime import FloatArray, IntArray, ScalarMap, as_array
from spectralbrain.spectral.eigensolver.backends import make_solver
from spectralbrain.spectral.eigensolver.canonical import fix_basis
from spectralbrain.spectral.eigensolver.flags import quality_flags, surface_flags
from spectralbrain.spectral.eigensolver.panels import Panels, room_for
from spectralbrain.spectral.eigensolver.pencil import Pairs, Pencil, PencilSolver, insert_null_mode
from spectralbrain.spectral.eigensolver.problem import (
    Problem,
    build_problem,
    in_order,
    linear_pattern,
    restrict,
)
from spectralbrain.spectral.eigensolver.solver import Spectrum, smallest_pairs
from spectralbrain.spectral.eigensolver.symbolic import analyse
from spectralbrain.spectral.eigensolver.threads import Team
from spectralbrain.spectral.eigensolver.verification import (
    discretization_errors,
    examine,
    geometry_errors,
    quadratic_errors,
    rounding_floor,
)

if TYPE_CHECKING:
    from spectralbrain.spectral.decomposition import SpectralDecomposition

DEFAULT_K = 100
# How often a backend may improve pairs whose residual is above half the tolerance.
REFINEMENTS = 3
_CHOICES = {
    "laplacian": LAPLACIANS,
    "mass": MASSES,
    "boundary": ("neumann", "dirichlet"),
    "on_unverified": ("raise", "flag"),
}


def solve_surface(
    mesh: BrainMesh,
    k: int | None = None,
    *,
    mask: Any = None,
    laplacian: str = "cotangent",
    mass: str | None = None,
    boundary: str = "neumann",
    weight: Any = None,
    below: float | None = None,
    backend: str = "auto",
    tol: float = 1e-8,
    n_threads: int | None = None,
    on_unverified: str = "raise",
    known: SpectralDecomposition | None = None,
) -> SpectralDecomposition:
    """Compute a decomposition: see :func:`spectralbrain.spectral.decomposition.decompose`.

    Pairs of `known`, a decomposition of the same mesh with the same options, are not computed again.
    """
    from spectralbrain.spectral.decomposition import SpectralDecomposition

    mass = default_mass(laplacian) if mass is None else mass
    given = {"laplacian": laplacian, "mass": mass, "boundary": boundary, "on_unverified": on_unverified}
    _check_choices(given)
    if isinstance(tol, bool) or not isinstance(tol, int | float) or not 1e-10 <= tol <= 1e-3:
        raise ArrayError(f"tol: expected a number from 1e-10 to 1e-3, found {tol!r}")
    threads = resolve_threads(n_threads)
    field = None if weight is None else _check_weight(weight, mesh.n_vertices)
    with Team(threads) as team:
        domain: Domain
        if mesh.n_faces:
            native = backend in ("auto", "native") and laplacian == "cotangent" and boundary == "neumann"
            if native and mask is None:
                team.start(lambda: _order(mesh))
            domain = build_domain(mesh, mask, allow_nonmanifold=laplacian == "robust")
            if native and mask is not None:
                team.start(lambda: _order(domain.surface))
            team.start(lambda: (surface_flags(domain), domain.volume))
            local_field = None if field is None else field[domain.index]
            discretization = discretize(domain, laplacian, mass, local_field)
            bending = lost_area(domain.surface)
        else:
            domain, discretization = discretize_points(
                mesh, mask, laplacian=laplacian, mass=mass, boundary=boundary, weight=field
            )
            bending = None
        problem = build_problem(domain, discretization, boundary)
        cutoff = None if below is None else _check_below(below) * domain.unit**2
        count = _check_k(k, below, problem)
        solvers = [make_solver(backend, pencil, tol, team) for pencil in problem.pencils]
        problem = in_order(problem, solvers)
        pairs = _known_pairs(problem, known)
        spectrum = smallest_pairs(problem.pencils, solvers, count, tol / 10, team, cutoff, pairs)
        count = spectrum.n_wanted
        full = _blank_vectors(problem, mesh.n_vertices, count)
        report = _finish(problem, solvers, spectrum, tol, full, bending, team)
    metadata = _describe(domain, problem, count, boundary) | {
        "laplacian": laplacian,
        "mass": mass,
        "masked": mask is not None,
        "backend": solvers[0].name,
        "backend_requested": backend,
        "tol": float(tol),
        "n_vertices": mesh.n_vertices,
        **report,
    }
    metadata["quality_flags"] = quality_flags(domain, metadata)
    if field is not None:
        metadata["weight"] = field
    if not metadata["verified"] and on_unverified == "raise":
        raise ConvergenceError(f"decompose: {metadata['verification']}")
    values = spectrum.values[:count] / domain.unit**2
    return SpectralDecomposition(values, full, _scatter_mass(problem, mesh.n_vertices), mesh, metadata)


def _order(surface: BrainMesh) -> None:
    """Order the unknowns of linear elements on a connected surface, before their matrices are known."""
    pattern = linear_pattern(surface)
    if connected_components(pattern, directed=False)[0] == 1:
        analyse(pattern)


def _finish(
    problem: Problem,
    solvers: list[PencilSolver],
    spectrum: Spectrum,
    tol: float,
    full: FloatArray,
    bending: FloatArray | None,
    team: Team,
) -> dict[str, Any]:
    """Write the (N, k) eigenvectors in their fixed basis, in mm^-1, and return the verification.

    `bending` is the area that flat triangles lose around each vertex; a point cloud has none.
    """
    disc, domain = problem.discretization, problem.domain
    k = full.shape[1]
    scale = np.maximum(spectrum.values, spectrum.first_positive)
    residuals, errors = np.empty(k), np.empty(k)
    orthonormality = 0.0
    for i, (unknowns, pencil) in enumerate(zip(problem.pieces, problem.pencils, strict=True)):
        mine = np.flatnonzero(spectrum.owner == i)
        panels = Panels(pencil.n, team)
        is_vertex = unknowns < domain.surface.n_vertices
        vertices = unknowns[is_vertex]
        other = pencil.mass
        if not disc.is_quadratic and disc.consistent_mass is not None:
            other = restrict(disc.lumped_mass if disc.is_consistent else disc.consistent_mass, unknowns)
        weights = np.asarray(pencil.mass.sum(axis=1)).ravel()
        for attempt in range(REFINEMENTS + 1):
            pairs = spectrum.pairs[i]
            values, vectors = spectrum.values[mine], pairs.vectors
            fix_basis(panels, values, vectors, weights, unknowns, tol / 10)
            wanted = int((mine < k).sum())
            seen = examine(panels, pencil, other, values[:wanted], vectors[:, :wanted])
            relative = seen.residuals / scale[mine[:wanted]]
            late = np.flatnonzero(relative > tol / 2)
            if not len(late) or attempt == REFINEMENTS:
                break
            refined = insert_null_mode(panels, pencil, solvers[i].refine(pairs, late))
            spectrum.pairs[i] = refined
            spectrum.values[mine] = refined.values[: len(mine)]
        mine = mine[mine < k]
        residuals[mine] = relative
        orthonormality = max(orthonormality, seen.orthonormality)
        if disc.is_quadratic:
            at_vertices = vectors[is_vertex, : len(mine)]
            errors[mine] = quadratic_errors(_linear_quotients(disc, vertices, at_vertices))
            full[np.ix_(domain.index[vertices], mine)] = at_vertices / domain.unit
        else:
            at_vertices = vectors[:, : len(mine)]
            errors[mine] = discretization_errors(seen.mass_quotients, consistent=disc.is_consistent)
            if isinstance(domain, PointDomain):
                errors[mine] = np.nan  # without a consistent mass matrix there is nothing to compare with
            _scatter_vectors(panels, vectors, domain.index[vertices], mine, 1 / domain.unit, full)
        if bending is not None:
            geometric = geometry_errors(Panels(len(vertices), team), bending[vertices], at_vertices)
            errors[mine] += np.where(spectrum.values[mine] > 0, geometric, 0.0)
        spectrum.pairs[i] = Pairs(pairs.values, np.empty((0, len(pairs.values))))
    report = _verdict(problem.pencils, spectrum, residuals, orthonormality, tol)
    with np.errstate(divide="ignore"):
        wavelengths = 2 * np.pi / np.sqrt(spectrum.values[:k])
    return report | {
        "upper_shift": spectrum.upper_shift / domain.unit**2,
        "discretization_error": errors,
        "edges_per_wavelength": wavelengths / domain.edge_lengths.mean(),
    }


def _linear_quotients(disc: Discretization, vertices: IntArray, values: FloatArray) -> FloatArray:
    """Return phi' B phi of values at the vertices with the two mass matrices of linear elements, (2, m)."""
    masses = (restrict(matrix, vertices) for matrix in (disc.consistent_mass, disc.lumped_mass))
    return np.array([np.einsum("nk,nk->k", values, mass @ values) for mass in masses])


def _known_pairs(problem: Problem, known: SpectralDecomposition | None) -> dict[int, Pairs] | None:
    """Return the pairs of each piece of a decomposition of the same problem, in normalised units.

    With quadratic elements there are none: a decomposition does not hold the values on the edges.
    """
    if known is None or problem.discretization.is_quadratic:
        return None
    domain = problem.domain
    values, vectors = known.eigenvalues * domain.unit**2, known.eigenvectors[domain.index]
    pairs = {}
    for i, piece in enumerate(problem.pieces):
        mine = np.abs(vectors[piece]).max(axis=0) > 0
        if mine.any():
            pairs[i] = Pairs(values[mine], vectors[np.ix_(piece, np.flatnonzero(mine))] * domain.unit)
    return pairs


def _blank_vectors(problem: Problem, n: int, k: int) -> FloatArray:
    """Return room for the (N, k) eigenvectors: NaN outside the domain, zero where a piece will not write."""
    full, index = room_for(n, k), problem.domain.index
    if len(index) < n:
        outside = np.ones(n, dtype=bool)
        outside[index] = False
        full[outside] = np.nan
    n_written = np.count_nonzero(problem.pieces[0] < len(index))
    if len(problem.pieces) > 1 or n_written < len(index):
        full[index] = 0.0
    return full


def _scatter_vectors(
    panels: Panels, vectors: FloatArray, rows: IntArray, columns: IntArray, factor: float, out: FloatArray
) -> None:
    """Write the leading columns of `vectors` into the given rows and columns of `out`."""
    width = len(columns)
    contiguous = width == out.shape[1]

    def write(part: slice) -> None:
        scaled = vectors[part, :width] * factor
        if contiguous:
            out[rows[part]] = scaled
        else:
            out[np.ix_(rows[part], columns)] = scaled

    panels.each(write)


def _verdict(
    pencils: list[Pencil], spectrum: Spectrum, residuals: FloatArray, orthonormality: float, tol: float
) -> dict[str, Any]:
    """Say whether the result is verified, and by what."""
    problems = []
    if not residuals.max() <= tol:
        floor = max(rounding_floor(pencil) for pencil in pencils) / spectrum.first_positive
        hint = f"; thin triangles alone cause up to {floor:.0e}: raise tol, repair the mesh"
        hint += " or use laplacian='robust'"
        problems.append(
            f"largest residual {residuals.max():.1e} exceeds tol {tol:.0e}"
            + (hint if floor > tol / 10 else "")
        )
    if not orthonormality <= tol:
        problems.append(f"orthonormality error {orthonormality:.1e} exceeds tol {tol:.0e}")
    if spectrum.inertia_count != len(spectrum.values):
        problems.append(
            f"{len(spectrum.values)} pairs were found below the upper shift, "
            f"inertia counts {spectrum.inertia_count}"
        )
    elif not spectrum.is_complete:
        problems.append(
            f"backward error {spectrum.backward_error:.1e} of the inertia is not far below "
            f"the gap {spectrum.gap:.1e}"
        )
    passed = "residuals, orthonormality, " + (
        "inertia in a gap behind the last cluster"
        if np.isfinite(spectrum.upper_shift)
        else "whole spectrum at hand"
    )
    return {
        "verified": not problems,
        "verification": "not verified: " + "; ".join(problems) if problems else passed,
        "residuals": residuals,
        "max_residual": float(residuals.max()),
        "orthonormality_error": orthonormality,
        "inertia_count": spectrum.inertia_count,
        "inertia_backward_error": spectrum.backward_error,
        "spectral_gap": spectrum.gap,
    }


def _describe(domain: Domain, problem: Problem, k: int, boundary: str) -> dict[str, Any]:
    """Return the metadata that say what the problem is."""
    metadata: dict[str, Any] = {
        "software": "spectralbrain",
        "spectralbrain_version": __version__,
        "k": k,
        "n_domain_vertices": domain.surface.n_vertices,
        "n_faces": domain.surface.n_faces,
        "n_stray_vertices": domain.n_stray_vertices,
        "boundary": "closed" if domain.is_closed else boundary,
        "n_components": domain.n_components,
        "n_null_modes": min(k, problem.n_null_modes),
        "surface_area": float(problem.discretization.mass.sum()) * domain.unit**2,
    }
    if isinstance(domain, PointDomain):
        return metadata | {"point_cloud": True, "stiffness_factor": domain.stiffness_factor}
    metadata["boundary_length"] = domain.boundary_length
    metadata["euler_characteristic"] = domain.euler_characteristic
    if domain.volume is not None:
        metadata["volume"] = domain.volume
    return metadata


def _scatter_mass(problem: Problem, n: int) -> Any:
    """Return B with rows and columns of the whole mesh, mm^2."""
    entries = problem.discretization.vertex_mass.tocoo()
    index = problem.domain.index
    data = entries.data * problem.domain.unit**2
    matrix = sp.coo_array((data, (index[entries.row], index[entries.col])), shape=(n, n)).tocsr()
    matrix.sort_indices()
    return matrix


def _check_choices(given: dict[str, str]) -> None:
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise ArrayError(f"{name}: expected one of {', '.join(_CHOICES[name])}, found {value!r}")


def _check_weight(weight: Any, n: int) -> FloatArray:
    field = as_array(weight, ScalarMap, name="weight", sizes={"N": n})
    if not (field > 0).all():
        raise ArrayError("weight: expected positive finite values at every vertex")
    return field


def _check_below(below: float) -> float:
    if isinstance(below, bool) or not isinstance(below, int | float) or not 0 < below < np.inf:
        raise ArrayError(f"below: expected a positive eigenvalue in mm^-2, found {below!r}")
    return float(below)


def _check_k(k: Any, below: float | None, problem: Problem) -> int | None:
    """Return the number of pairs, None if `below` decides."""
    if below is not None:
        if k is not None:
            raise ArrayError(f"k: expected no k together with below, found {k!r}")
        return None
    k = DEFAULT_K if k is None else k
    largest = min(problem.n_unknowns, problem.domain.surface.n_vertices) - 1
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise ArrayError(f"k: expected a whole number, found {k!r}")
    if not 1 <= k <= largest:
        raise ArrayError(f"k: expected 1 <= k <= {largest} ({problem.n_unknowns} unknowns), found {k}")
    return int(k)
