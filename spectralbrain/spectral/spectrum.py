"""The light half of a decomposition: eigenvalues and metadata, without the eigenvectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.runtime import Eigenvalues, FloatArray, PathLike, as_array
from spectralbrain.spectral._arguments import check_count, check_spectrum


class SpectrumLike(Protocol):
    """What a comparison of spectra needs: a :class:`Spectrum` or a whole decomposition."""

    @property
    def eigenvalues(self) -> Eigenvalues:
        """Ascending eigenvalues, null modes included, (k,) array, mm^-2."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """How the spectrum was computed."""

    @property
    def surface_area(self) -> float:
        """Area of the domain, mm^2."""

    @property
    def n_null_modes(self) -> int:
        """Number of constant modes, counted by topology."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues and metadata of a surface, a few kilobytes where a decomposition is many megabytes.

    Every function that needs no eigenvector (ShapeDNA, WESD, traces, the group tables) takes
    a `Spectrum` or a :class:`~spectralbrain.SpectralDecomposition`.

    Parameters
    ----------
    eigenvalues : (k,) array, mm^-2
        Ascending, null modes included, never normalised.
    metadata : mapping
        As in the decomposition; `n_null_modes` and `surface_area` are needed.

    Raises
    ------
    ArrayError
        If the eigenvalues are not ascending, or `n_null_modes` or `surface_area` is missing or impossible.

    Examples
    --------
    >>> sphere = Spectrum([0, 2, 2, 2], {"n_null_modes": 1, "surface_area": 12.566})
    >>> sphere.k, sphere.n_null_modes
    (4, 1)
    """

    eigenvalues: Eigenvalues
    metadata: Mapping[str, Any]

    def __post_init__(self) -> None:
        values = np.array(as_array(self.eigenvalues, Eigenvalues, name="eigenvalues"))
        if not len(values) or (np.diff(values) < 0).any():
            raise ArrayError("eigenvalues: expected at least one, in ascending order")
        for key in ("n_null_modes", "surface_area"):
            if key not in self.metadata:
                raise ArrayError(f"metadata: expected the key {key!r}, found {sorted(self.metadata)}")
        if not int(self.metadata["n_null_modes"]) >= 0:
            raise ArrayError("metadata: expected n_null_modes >= 0")
        if not float(self.metadata["surface_area"]) > 0:
            raise ArrayError(f"metadata: expected surface_area > 0, found {self.metadata['surface_area']}")
        values.setflags(write=False)
        object.__setattr__(self, "eigenvalues", values)

    @property
    def k(self) -> int:
        """Number of eigenvalues, null modes included."""
        return len(self.eigenvalues)

    @property
    def n_null_modes(self) -> int:
        """Number of constant modes, counted by topology."""
        return int(self.metadata["n_null_modes"])

    @property
    def surface_area(self) -> float:
        """Area of the domain, mm^2."""
        return float(self.metadata["surface_area"])

    @classmethod
    def load(cls, path: PathLike) -> Spectrum:
        """Read eigenvalues and metadata of a decomposition cache, and nothing else.

        Parameters
        ----------
        path : path-like
            An ``.h5`` written by :meth:`SpectralDecomposition.save`.

        Returns
        -------
        Spectrum

        Raises
        ------
        FormatError
            If the file is damaged or holds no eigenvalues.
        """
        from spectralbrain.io.export import open_hdf5

        with open_hdf5(path) as handle:
            if "eigenvalues" not in handle:
                raise FormatError(f"{path}: expected the dataset 'eigenvalues', found none")
            return cls(handle["eigenvalues"][...], dict(handle.metadata))

    @classmethod
    def of(cls, spectrum: SpectrumLike) -> Spectrum:
        """Return the light half of a decomposition.

        Parameters
        ----------
        spectrum : SpectralDecomposition or Spectrum

        Returns
        -------
        Spectrum
        """
        if isinstance(spectrum, Spectrum):
            return spectrum
        metadata = {**spectrum.metadata, "surface_area": spectrum.surface_area}
        return cls(spectrum.eigenvalues, metadata)


def non_null_eigenvalues(spectrum: SpectrumLike, k: int | None = None) -> FloatArray:
    """Return the eigenvalues above the null modes, which are counted by topology, never by a threshold.

    Parameters
    ----------
    spectrum : SpectralDecomposition or Spectrum
        A Dirichlet spectrum has no null mode and loses nothing.
    k : int, optional
        How many to return; all by default.

    Returns
    -------
    (k,) array, mm^-2
        Positive.

    Raises
    ------
    ArrayError
        If fewer than `k` (or none) are there, or one is not positive.

    Examples
    --------
    >>> non_null_eigenvalues(Spectrum([0, 2, 2, 2], {"n_null_modes": 1, "surface_area": 12.566}), k=2)
    array([2., 2.])
    """
    check_spectrum(spectrum, "spectrum")
    values: FloatArray = np.asarray(spectrum.eigenvalues, dtype=float)[spectrum.n_null_modes :]
    if k is not None:
        if check_count(k, "k") > len(values):
            raise ArrayError(f"k: expected at most {len(values)} non-null eigenvalues, found {k}")
        values = values[:k]
    if not len(values):
        raise ArrayError(
            f"eigenvalues: expected at least one above the {spectrum.n_null_modes} null modes, found none"
        )
    if not values[0] > 0:
        raise ArrayError(
            f"eigenvalues: expected positive values above the {spectrum.n_null_modes} null modes, "
            f"found {values[0]:.3g}; the number of null modes in the metadata is wrong"
        )
    return values
