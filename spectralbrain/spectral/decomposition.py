"""The spectral decomposition of a surface: what it holds, and how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.runtime import BoolArray, Eigenvalues, Eigenvectors, FloatArray, PathLike

Laplacian = Literal["cotangent", "robust", "quadratic"]
Mass = Literal["consistent", "lumped"]
Boundary = Literal["neumann", "dirichlet"]
OnUnverified = Literal["raise", "flag"]

_PER_MODE = ("residuals", "discretization_error", "edges_per_wavelength")


@dataclass(frozen=True, eq=False)
class SpectralDecomposition:
    """Laplace-Beltrami eigenpairs of a surface.

    Attributes
    ----------
    eigenvalues : (k,) array, mm^-2
        Ascending, null modes included.
    eigenvectors : (N, k) array, mm^-1
        One column per mode, orthonormal with respect to `mass`; rows of vertices outside the
        domain (medial wall) are NaN.
    mass : (N, N) sparse CSR array, mm^2
        Rows and columns of vertices outside the domain are empty.
    mesh : BrainMesh
        The whole surface, masked vertices included.
    metadata : mapping
        How it was computed and verified; see :func:`decompose`.
    """

    eigenvalues: Eigenvalues
    eigenvectors: Eigenvectors
    mass: Any
    mesh: BrainMesh
    metadata: Mapping[str, Any]

    def __post_init__(self) -> None:
        shape = (self.mesh.n_vertices, len(self.eigenvalues))
        if self.eigenvectors.shape != shape:
            raise ArrayError(f"eigenvectors: expected shape {shape}, found {self.eigenvectors.shape}")
        if self.mass.shape != (shape[0], shape[0]):
            raise ArrayError(f"mass: expected shape {(shape[0],) * 2}, found {self.mass.shape}")
        for array in (self.eigenvalues, self.eigenvectors):
            array.setflags(write=False)

    @property
    def k(self) -> int:
        """Number of modes, null modes included."""
        return len(self.eigenvalues)

    @property
    def domain(self) -> BoolArray:
        """Which vertices belong to the domain, (N,) array of bool."""
        return ~np.isnan(self.eigenvectors[:, 0])

    @property
    def surface_area(self) -> float:
        """Area of the domain, mm^2."""
        return float(self.metadata["surface_area"])

    @property
    def n_null_modes(self) -> int:
        """Number of constant modes, counted by topology: components without a Dirichlet edge."""
        return int(self.metadata["n_null_modes"])

    def truncate(self, k: int) -> SpectralDecomposition:
        """Return the first k modes.

        Parameters
        ----------
        k : int
            Number of modes to keep, from 1 to the number at hand.

        Returns
        -------
        SpectralDecomposition

        Raises
        ------
        ArrayError
            If `k` is out of range.

        Examples
        --------
        >>> from spectralbrain.geometry.mesh import BrainMesh
        >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
        >>> tetrahedron = BrainMesh(corners, [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
        >>> decompose(tetrahedron, k=3).truncate(2).k
        2
        """
        from spectralbrain.spectral.eigensolver.flags import quality_flags

        k = _whole_number(k, "k", 1, self.k)
        metadata = dict(self.metadata)
        for name in _PER_MODE:
            if name in metadata:
                metadata[name] = np.array(metadata[name][:k])
        metadata["k"] = k
        metadata["n_null_modes"] = min(k, self.n_null_modes)
        if "residuals" in metadata:
            metadata["max_residual"] = float(np.max(metadata["residuals"]))
        if "quality_flags" in metadata:
            metadata["quality_flags"] = quality_flags(None, metadata)
        values, vectors = self.eigenvalues[:k].copy(), self.eigenvectors[:, :k].copy()
        return replace(self, eigenvalues=values, eigenvectors=vectors, metadata=metadata)

    def extend(self, k: int, *, n_threads: int | None = None) -> SpectralDecomposition:
        """Return the decomposition with k modes, without computing those at hand again.

        With quadratic elements all are computed again: values on the edges are not kept.

        Parameters
        ----------
        k : int
            Number of modes, at least as many as at hand.
        n_threads : int, optional
            See :func:`decompose`.

        Returns
        -------
        SpectralDecomposition

        Raises
        ------
        ArrayError
            If `k` is below the number at hand or not below the number of vertices.
        ConvergenceError
            If the new pairs cannot be verified.
        """
        from spectralbrain.spectral.eigensolver.surface import solve_surface

        k = _whole_number(k, "k", self.k, self.mesh.n_vertices)
        return solve_surface(self.mesh, k, n_threads=n_threads, known=self, **self._options())

    def save(self, path: PathLike) -> Path:
        """Write the decomposition to an HDF5 file and return its absolute path.

        Parameters
        ----------
        path : path
            File to write, ending in ``.h5``.

        Returns
        -------
        Path

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from spectralbrain.io.export import save_hdf5

        written: Path = save_hdf5(
            path,
            eigenvalues=self.eigenvalues,
            eigenvectors=self.eigenvectors,
            vertices=self.mesh.vertices,
            faces=self.mesh.faces,
            metadata=dict(self.metadata),
            mass=self.mass,
        )
        return written

    @classmethod
    def load(cls, path: PathLike) -> SpectralDecomposition:
        """Read a decomposition that :meth:`save` wrote.

        Parameters
        ----------
        path : path
            HDF5 file.

        Returns
        -------
        SpectralDecomposition

        Raises
        ------
        FormatError
            If the file is damaged or holds no decomposition.
        OSError
            If the file cannot be read.
        """
        from spectralbrain.io.export import load_hdf5

        content = load_hdf5(path)
        needed = ("eigenvalues", "eigenvectors", "vertices", "faces", "mass", "metadata")
        missing = [name for name in needed if content.get(name) is None]
        if missing:
            raise FormatError(f"{path}: expected a decomposition, found no {', '.join(missing)}")
        mesh = BrainMesh(content["vertices"], content["faces"])
        values, vectors = np.array(content["eigenvalues"]), np.array(content["eigenvectors"])
        return cls(values, vectors, sp.csr_array(content["mass"]), mesh, content["metadata"])

    def _options(self) -> dict[str, Any]:
        """Return the options of :func:`decompose` that made this."""
        stored = self.metadata
        boundary = "neumann" if stored["boundary"] == "closed" else stored["boundary"]
        return {
            "mask": self.domain if stored["masked"] else None,
            "laplacian": stored["laplacian"],
            "mass": stored["mass"],
            "boundary": boundary,
            "backend": stored["backend_requested"],
            "tol": stored["tol"],
            "on_unverified": "raise" if stored["verified"] else "flag",
            "weight": stored.get("weight"),
        }


def decompose(
    mesh: BrainMesh,
    k: int | None = None,
    *,
    mask: BoolArray | None = None,
    laplacian: Laplacian = "cotangent",
    mass: Mass | None = None,
    boundary: Boundary = "neumann",
    weight: FloatArray | None = None,
    below: float | None = None,
    backend: str = "auto",
    tol: float = 1e-8,
    n_threads: int | None = None,
    on_unverified: OnUnverified = "raise",
) -> SpectralDecomposition:
    """Compute the smallest eigenpairs of the Laplace-Beltrami operator, verified complete.

    Solves -div(w grad phi) = lambda phi, w = 1 unless `weight` is given, as A phi = lambda B phi with
    stiffness A, mass B and phi' B phi = 1.

    Parameters
    ----------
    mesh : BrainMesh
        Surface, mm. Without triangles, ``BrainMesh(points, [])``, it is a point cloud: choose
        ``laplacian='robust'``. Its area is an estimate, the errors of its eigenvalues are unknown (NaN; 1 to
        2 % on thousands of random points, more where folds are closer than the points), and
        ``metadata['point_cloud']`` is True; see :mod:`spectralbrain.operators.point_cloud`.
    k : int, optional
        Number of modes, null modes included, from 1 to N - 1. Default 100, unless `below` is given.
    mask : (N,) array of bool, optional
        Vertices to keep (for example, all but the medial wall); a triangle is kept if its three
        vertices are.
    laplacian : {'cotangent', 'robust', 'quadratic'}
        'cotangent': linear finite elements on the mesh as it is. 'robust': on its intrinsic Delaunay tufted
        cover (Sharp & Crane 2020), for poor meshes; needs the package robust_laplacian. 'quadratic':
        quadratic elements on the flat triangles, with unknowns on the edges too (about four times as
        many): on flat surfaces the error falls with the fourth power of the edge length instead of the
        second; on curved ones the flat triangles keep it at the second. Eigenvectors are returned at the
        vertices, where `mass`, that of linear elements, holds them orthonormal only up to interpolation.
    mass : {'consistent', 'lumped'}, optional
        Mass matrix. Default 'consistent'; with ``laplacian='robust'`` 'lumped', the only one it has.
        'quadratic' needs 'consistent'.
    boundary : {'neumann', 'dirichlet'}
        Condition on boundary edges, where there are any.
    weight : (N,) array, optional
        Positive scalar field that multiplies the stiffness (local conductivity).
    below : float, optional
        Instead of `k`: return all modes with an eigenvalue below this, mm^-2. For a wavelength w
        that is (2 pi / w)^2.
    backend : str
        'auto' or a name of :func:`spectralbrain.spectral.eigensolver.backends.available_backends`.
    tol : float
        Largest residual accepted, ||A phi - lambda B phi|| in the B^-1 norm relative to
        max(lambda, lambda_1), lambda_1 the first non-null eigenvalue; from 1e-10 to 1e-3.
    n_threads : int, optional
        Threads to use; see :func:`spectralbrain.resources.resolve_threads`. The result does not
        depend on it.
    on_unverified : {'raise', 'flag'}
        What to do if the result cannot be verified: raise, or return it with
        ``metadata['verified']`` False.

    Returns
    -------
    SpectralDecomposition
        Eigenvalues in mm^-2, eigenvectors in mm^-1.
        Its metadata hold every option above, the sizes of the domain, the verification (``verified``,
        ``verification``, ``residuals``, ``orthonormality_error``, ``inertia_count``, ...), the estimated
        relative ``discretization_error`` of each eigenvalue (elements, and flat triangles on a curved
        surface) with ``edges_per_wavelength``, and ``quality_flags``, a list of codes: 'point_cloud',
        'pinched_vertices', 'inconsistent_orientation', 'discretization_error' (above 1 % for some mode),
        'unverified'.

    Raises
    ------
    ArrayError
        If an argument has a wrong value.
    MeshError
        If the surface cannot be trusted: see :func:`spectralbrain.operators.domain.build_domain`.
    ConvergenceError
        If the pairs could not be computed or verified.
    MissingDependencyError
        If a named backend or the robust Laplacian is not installed.

    References
    ----------
    Reuter, Wolter & Peinecke (2006), Computer-Aided Design 38, 342-366, doi:10.1016/j.cad.2005.10.011: finite
    elements for the spectrum, mass and stiffness.
    Sharp & Crane (2020), Computer Graphics Forum 39(5), 69-80, doi:10.1111/cgf.14069: 'robust'.

    Notes
    -----
    Eigenvalues are invariant to rigid motion, reflection and the order of vertices; scaling by s multiplies
    them by s^-2 and eigenvectors by s^-1. The sign of an eigenvector, and the basis inside an eigenspace, are
    a choice.

    Examples
    --------
    >>> from spectralbrain.geometry.mesh import BrainMesh
    >>> octahedron = BrainMesh(
    ...     [[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]],
    ...     [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 5], [2, 1, 5], [3, 2, 5], [0, 3, 5]],
    ... )
    >>> decomposition = decompose(octahedron, k=4)
    >>> decomposition.eigenvalues.round(6)
    array([0., 4., 4., 4.])
    """
    from spectralbrain.spectral.eigensolver.surface import solve_surface

    return solve_surface(
        mesh,
        k,
        mask=mask,
        laplacian=laplacian,
        mass=mass,
        boundary=boundary,
        weight=weight,
        below=below,
        backend=backend,
        tol=tol,
        n_threads=n_threads,
        on_unverified=on_unverified,
    )


def _whole_number(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ArrayError(f"{name}: expected a whole number from {low} to {high}, found {value!r}")
    return int(value)
