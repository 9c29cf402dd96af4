"""Group level: one tidy row per participant, distances between participants, outliers.

Everything here reads spectra only, never eigenvectors, so that a cohort of any size fits in memory.
Numbers are compared only where they were computed in the same way; :func:`check_compatible` names
what differs. A value that is missing is ``None``, and the row's ``reason`` says why.

Statistics beyond this (harmonisation, linear models, covariates) belong to other tools: the tables
are made to be read by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.runtime import FloatArray
from spectralbrain.spectral._arguments import check_count
from spectralbrain.spectral.distance import Distance, DistanceArray
from spectralbrain.spectral.group_entry import COMPATIBLE_KEYS, GroupEntry, check_compatible
from spectralbrain.spectral.longitudinal import longitudinal_differences, pair_sessions
from spectralbrain.spectral.outliers import MAD_TO_SIGMA, OUTLIER_THRESHOLD, find_outliers
from spectralbrain.spectral.shape_distance import shapedna_distance_matrix, wesd_matrix
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum

__all__ = [
    "COMPATIBLE_KEYS",
    "MAD_TO_SIGMA",
    "OUTLIER_THRESHOLD",
    "GroupEntry",
    "check_compatible",
    "distance_matrix",
    "find_outliers",
    "longitudinal_differences",
    "pair_sessions",
    "participants_table",
    "shapedna_deviations",
    "shapedna_table",
]

Row: TypeAlias = dict[str, Any]
Normalization: TypeAlias = Literal["area", "volume", "none"]
Index: TypeAlias = Literal["weyl", "lapy"] | None

_MEASURES = ("n_vertices", "surface_area", "volume", "boundary_length", "euler_characteristic")


def participants_table(entries: Sequence[GroupEntry], *, n_eigenvalues: int | None = None) -> list[Row]:
    """Return sizes, topology and eigenvalues, one row per entry.

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of the rows.
    n_eigenvalues : int, optional
        How many non-null eigenvalues become columns ``lambda_0001`` ... (mm^-2); all by default.

    Returns
    -------
    list of dict
        Columns: the entities, ``n_vertices``, ``surface_area`` (mm^2), ``volume`` (mm^3, closed
        surfaces only), ``boundary_length`` (mm), ``euler_characteristic``, the eigenvalues, and
        ``reason``.

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.
    ArrayError
        If `n_eigenvalues` exceeds what the spectra hold.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> modes = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.1, 1.5)]
    >>> spectra = [Spectrum(found.eigenvalues, found.metadata) for found in modes]
    >>> entries = [GroupEntry(f"sub-{number}", spectrum) for number, spectrum in enumerate(spectra, start=1)]
    >>> [row["n_vertices"] for row in participants_table(entries)]
    [162, 162, 162]
    """
    check_compatible(entries)
    width = _width(entries, n_eigenvalues)
    rows = []
    for entry in entries:
        measures = {key: entry.fact(key) for key in _MEASURES}
        values = _non_null(entry.spectrum)[:width] if entry.spectrum is not None else None
        rows.append(_identity(entry) | measures | _spread("lambda", values, width) | _why(entry, measures))
    return rows


def shapedna_table(
    entries: Sequence[GroupEntry],
    *,
    normalization: Normalization = "area",
    index: Index = "weyl",
    k: int | None = None,
) -> list[Row]:
    """Return ShapeDNA, one row per entry, columns ``shapedna_0001`` ...

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of the rows.
    normalization, index, k
        See :func:`spectralbrain.compute_shapedna`.

    Returns
    -------
    list of dict

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> modes = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.1, 1.5)]
    >>> spectra = [Spectrum(found.eigenvalues, found.metadata) for found in modes]
    >>> entries = [GroupEntry(f"sub-{number}", spectrum) for number, spectrum in enumerate(spectra, start=1)]
    >>> len(shapedna_table(entries, k=5))
    3
    """
    check_compatible(entries)
    spectra = {
        entry.name: compute_shapedna(entry.spectrum, normalization=normalization, index=index, k=k)
        for entry in entries
        if entry.spectrum is not None
    }
    width = min((len(values) for values in spectra.values()), default=0)
    return [
        _identity(entry) | _spread("shapedna", spectra.get(entry.name), width) | {"reason": entry.reason}
        for entry in entries
    ]


def distance_matrix(
    entries: Sequence[GroupEntry],
    *,
    method: Literal["shapedna", "wesd"] = "shapedna",
    k: int | None = None,
    **options: Any,
) -> tuple[DistanceArray, list[str]]:
    """Return the distances between all participants.

    Parameters
    ----------
    entries : sequence of GroupEntry
        In the order of rows and columns.
    method : {'shapedna', 'wesd'}
        Euclidean distance of lambda A / n by default, or Konukoglu's weighted spectral distance.
    k : int, optional
        How many eigenvalues enter; all by default.
    **options
        Passed to :func:`spectralbrain.shapedna_distance_matrix` or :func:`spectralbrain.wesd_matrix`.

    Returns
    -------
    matrix : (P, P) DistanceArray, dimensionless ('shapedna') or mm^2 ('wesd')
        With `k`, `unit` and `method`. NaN in the rows and columns of entries without a spectrum.
    names : list of str

    Raises
    ------
    IncompatibleError
        If the spectra were computed in different ways.
    ArrayError
        If `method` is unknown.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> modes = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.1, 1.5)]
    >>> spectra = [Spectrum(found.eigenvalues, found.metadata) for found in modes]
    >>> entries = [GroupEntry(f"sub-{number}", spectrum) for number, spectrum in enumerate(spectra, start=1)]
    >>> matrix, names = distance_matrix(entries)
    >>> bool(matrix[0, 1] < matrix[0, 2]), names
    (True, ['sub-1', 'sub-2', 'sub-3'])
    """
    check_compatible(entries)
    functions: dict[str, Callable[..., DistanceArray]] = {
        "shapedna": shapedna_distance_matrix,
        "wesd": wesd_matrix,
    }
    if method not in functions:
        raise ArrayError(f"method: expected one of {sorted(functions)}, found {method!r}")
    present = [i for i, entry in enumerate(entries) if entry.spectrum is not None]
    matrix = np.full((len(entries), len(entries)), np.nan)
    names = [entry.name for entry in entries]
    if not present:
        return DistanceArray(matrix, k=0, unit="", method=method), names
    found = functions[method]([entries[i].spectrum for i in present], k=k, **options)
    matrix[np.ix_(present, present)] = found
    return DistanceArray(matrix, k=found.k, unit=found.unit, method=method), names


def shapedna_deviations(
    entries: Sequence[GroupEntry],
    *,
    normalization: Normalization = "area",
    index: Index = "weyl",
    k: int | None = None,
) -> dict[str, Distance | None]:
    """Return each participant's Euclidean distance from the group's median ShapeDNA.

    d = || a - m || with a_n = lambda_n A / n and m the median of each a_n over the group.

    Parameters
    ----------
    entries : sequence of GroupEntry
        The group.
    normalization, index, k
        See :func:`spectralbrain.compute_shapedna`.

    Returns
    -------
    dict
        Name to Distance, with `k` and `unit` (dimensionless by default); None without a spectrum.

    Raises
    ------
    ArrayError, MeshError
        As :func:`spectralbrain.compute_shapedna`.
    IncompatibleError
        As :func:`check_compatible`.

    Notes
    -----
    Invariant to all that ShapeDNA is, and to the order of participants.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> modes = [ellipsoid(2, (1.0, 1.0, length)).decompose(k=9) for length in (1.0, 1.1, 1.5)]
    >>> spectra = [Spectrum(found.eigenvalues, found.metadata) for found in modes]
    >>> entries = [GroupEntry(f"sub-{number}", spectrum) for number, spectrum in enumerate(spectra, start=1)]
    >>> deviations = shapedna_deviations(entries)
    >>> max(deviations, key=deviations.get), deviations["sub-3"].k
    ('sub-3', 8)
    """
    check_compatible(entries)
    names = [entry.name for entry in entries if entry.spectrum is not None]
    if not names:
        return {entry.name: None for entry in entries}
    values = np.array(
        [
            compute_shapedna(entry.spectrum, normalization=normalization, index=index, k=k)
            for entry in entries
            if entry.spectrum is not None
        ]
    )
    norms = np.linalg.norm(values - np.median(values, axis=0), axis=1)
    facts = {"k": values.shape[1], "unit": "mm^-2" if normalization == "none" else "1", "method": "shapedna"}
    found = {name: Distance(norm, **facts) for name, norm in zip(names, norms, strict=True)}
    return {entry.name: found.get(entry.name) for entry in entries}


def _identity(entry: GroupEntry) -> Row:
    return {"participant_id": entry.name, **entry.entities}


def _non_null(spectrum: Spectrum) -> FloatArray:
    return spectrum.eigenvalues[spectrum.n_null_modes :]


def _width(entries: Sequence[GroupEntry], wanted: int | None) -> int:
    held = min((len(_non_null(e.spectrum)) for e in entries if e.spectrum is not None), default=0)
    if (
        wanted is not None
        and check_count(wanted, "n_eigenvalues", least=0) > held
        and any(e.spectrum is not None for e in entries)
    ):
        raise ArrayError(f"n_eigenvalues: expected at most {held}, found {wanted}")
    return held if wanted is None else wanted


def _spread(prefix: str, values: FloatArray | None, width: int) -> Row:
    columns = [f"{prefix}_{i:04d}" for i in range(1, width + 1)]
    cells = [None] * width if values is None else [float(value) for value in values[:width]]
    return dict(zip(columns, cells, strict=True))


def _why(entry: GroupEntry, measures: Row) -> Row:
    if entry.reason:
        return {"reason": entry.reason}
    if measures["volume"] is None:
        return {"reason": "volume: the surface is not closed"}
    return {"reason": None}
