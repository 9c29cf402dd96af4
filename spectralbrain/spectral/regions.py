"""Regions of a surface: parcels, and the spectrum of each on its own sub-surface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, SpectralBrainError
from spectralbrain.geometry.mesh import BrainMesh, submesh
from spectralbrain.geometry.quality import mesh_quality
from spectralbrain.runtime import BoolArray, VertexLabels, VertexMask, as_array
from spectralbrain.spectral._arguments import check_count
from spectralbrain.spectral.decomposition import SpectralDecomposition, decompose
from spectralbrain.spectral.distance import DistanceArray
from spectralbrain.spectral.shape_distance import Metric, shapedna_distance_matrix, wesd_matrix
from spectralbrain.spectral.spectrum import Spectrum

#: Names, in lower case, of labels that are no regions: what is left of the medial wall, and background.
NOT_REGIONS = frozenset(
    {
        "unknown",
        "???",
        "background",
        "corpuscallosum",
        "medial wall",
        "medial_wall",
        "medialwall",
        "freesurfer_defined_medial_wall",
        "background+freesurfer_defined_medial_wall",
    }
)


@dataclass(frozen=True, eq=False)
class Region:
    """One region of a parcellation.

    Attributes
    ----------
    key : int
        Label id.
    name : str
    mask : (N,) array of bool
        Its vertices.
    area : float, mm^2
        Of the triangles with all three vertices in the region; what lies between regions is in none.
    """

    key: int
    name: str
    mask: BoolArray
    area: float

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return int(self.mask.sum())


@dataclass(frozen=True, eq=False)
class RegionSpectrum:
    """The spectrum of one region, or why there is none.

    Attributes
    ----------
    region : Region
    spectrum : Spectrum or None
    quality : dict
        What :func:`~spectralbrain.geometry.quality.mesh_quality` says of the sub-surface.
    status : {'ok', 'n/a'}
    reason : str or None
        Why the spectrum is missing.
    decomposition : SpectralDecomposition or None
        With modes, on the sub-surface, if they were asked for.
    index : (n,) array of int or None
        Vertices of the whole surface that the sub-surface consists of.
    """

    region: Region
    spectrum: Spectrum | None
    quality: dict[str, Any]
    status: str
    reason: str | None = None
    decomposition: SpectralDecomposition | None = None
    index: Any = None


def region_keys(
    labels: Any, names: Mapping[int, str] | None = None, exclude: Iterable[int | str] | None = None
) -> tuple[Any, dict[int, str]]:
    """Return the label of each vertex, and the regions' names by ascending key.

    Parameters
    ----------
    labels : SurfaceLabels or (N,) array of int
        As :func:`~spectralbrain.load_labels` returns them, or plain ids.
    names : mapping of id to name, optional
        Instead of the labels' own table.
    exclude : iterable of ids or names, optional
        Labels that are no regions. By default: negative ids, id 0 if it has no name, and names such as
        'unknown' and 'Medial_wall' (:data:`NOT_REGIONS`).

    Returns
    -------
    keys : (N,) array of int
    regions : dict of int to str
        Also regions that the table names but no vertex has.

    Raises
    ------
    ArrayError
        If the labels are not whole numbers.
    """
    table = dict(names if names is not None else getattr(labels, "table", {}))
    keys = as_array(getattr(labels, "keys", labels), VertexLabels, name="labels")
    found = {int(key): str(table.get(int(key), key)) for key in sorted({*np.unique(keys).tolist(), *table})}
    if exclude is None:
        kept = {
            key: name
            for key, name in found.items()
            if key >= 0 and not (key == 0 and 0 not in table) and name.lower() not in NOT_REGIONS
        }
    else:
        banned = set(exclude)
        kept = {key: name for key, name in found.items() if key not in banned and name not in banned}
    return keys, kept


def parcellate(
    mesh: BrainMesh,
    labels: Any,
    *,
    names: Mapping[int, str] | None = None,
    exclude: Iterable[int | str] | None = None,
) -> list[Region]:
    """Divide a surface into the regions of a parcellation.

    Parameters
    ----------
    mesh : BrainMesh
    labels, names, exclude
        As in :func:`region_keys`.

    Returns
    -------
    list of Region
        By ascending key, which is the same order for every subject of a parcellation; a region that the
        table names and no vertex has is there with an empty mask.

    Raises
    ------
    ArrayError
        If there are not as many labels as vertices, or no region is left.

    Notes
    -----
    The SpectralBrain 0.1.0 function of this name fetches an atlas and projects it onto a subject. Here labels
    come as a file (:func:`~spectralbrain.load_labels`), so that the atlas is the user's own choice.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(2)
    >>> north = (ball.vertices[:, 2] > 0).astype(int)
    >>> [region.name for region in parcellate(ball, north, names={1: "north", 2: "none"})]
    ['north', 'none']
    """
    keys, regions = region_keys(labels, names, exclude)
    if len(keys) != mesh.n_vertices:
        raise ArrayError(f"labels: expected {mesh.n_vertices}, one per vertex, found {len(keys)}")
    if not regions:
        raise ArrayError("labels: expected at least one region, found none besides background")
    corners = keys[mesh.faces]
    whole = (corners == corners[:, :1]).all(axis=1)
    areas = mesh.face_areas
    return [
        Region(key, name, keys == key, float(areas[whole & (corners[:, 0] == key)].sum()))
        for key, name in regions.items()
    ]


def compute_region_spectra(
    mesh: BrainMesh,
    labels: Any,
    k: int = 30,
    *,
    names: Mapping[int, str] | None = None,
    exclude: Iterable[int | str] | None = None,
    mask: Any = None,
    keep_modes: bool = False,
    **options: Any,
) -> list[RegionSpectrum]:
    """Compute the spectrum of each region on its own sub-surface.

    Parameters
    ----------
    mesh : BrainMesh
    labels, names, exclude
        As in :func:`parcellate`.
    k : int
        Modes per region, null modes included.
    mask : (N,) array of bool, optional
        Vertices to keep, for example all but the medial wall.
    keep_modes : bool
        Keep each region's decomposition as well; otherwise only its spectrum.
    **options
        Further arguments of :func:`~spectralbrain.decompose`, such as ``boundary='dirichlet'``.

    Returns
    -------
    list of RegionSpectrum
        One per region of :func:`parcellate`, in its order. A region that is too small or too broken has
        status 'n/a' and a reason; it never stops the others.

    Raises
    ------
    ArrayError
        If labels or mask do not fit the mesh, or k is not a positive whole number.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(3)
    >>> caps = np.where(ball.vertices[:, 2] > 0.5, 1, np.where(ball.vertices[:, 2] < -0.98, 2, 0))
    >>> [(s.region.name, s.status) for s in compute_region_spectra(ball, caps, k=10)]
    [('1', 'ok'), ('2', 'n/a')]
    """
    modes = check_count(k, "k")
    keep = None if mask is None else as_array(mask, VertexMask, name="mask", sizes={"N": mesh.n_vertices})
    regions = parcellate(mesh, labels, names=names, exclude=exclude)
    return [_region_spectrum(mesh, region, keep, modes, keep_modes, options) for region in regions]


def region_table(
    spectra: Sequence[RegionSpectrum], *, n_eigenvalues: int | None = None
) -> list[dict[str, Any]]:
    """Return one row per region.

    Parameters
    ----------
    spectra : sequence of RegionSpectrum
    n_eigenvalues : int, optional
        How many non-null eigenvalues become columns ``lambda_0001`` ...; by default as many as the region
        with most has.

    Returns
    -------
    list of dict
        ``region_id``, ``region``, ``n_vertices``, ``area`` (mm^2), ``boundary_length`` (mm),
        ``euler_characteristic``, ``n_components``, ``k``, the eigenvalues (mm^-2), ``status``, ``reason``.
        Missing values are None.

    Raises
    ------
    ArrayError
        If `n_eigenvalues` is no whole number, or negative.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(3)
    >>> halves = np.where(ball.vertices[:, 2] > 0, 1, 2)
    >>> spectra = compute_region_spectra(ball, halves, k=10)
    >>> [(row["region_id"], row["status"]) for row in region_table(spectra)]
    [(1, 'ok'), (2, 'ok')]
    """
    counts = [s.spectrum.k - s.spectrum.n_null_modes for s in spectra if s.spectrum is not None]
    width = (
        max(counts, default=0)
        if n_eigenvalues is None
        else check_count(n_eigenvalues, "n_eigenvalues", least=0)
    )
    rows = []
    for entry in spectra:
        values: Any = (
            [] if entry.spectrum is None else entry.spectrum.eigenvalues[entry.spectrum.n_null_modes :]
        )
        row = {
            "region_id": entry.region.key,
            "region": entry.region.name,
            "n_vertices": entry.region.n_vertices,
            "area": entry.region.area,
            **{
                key: entry.quality.get(key)
                for key in ("boundary_length", "euler_characteristic", "n_components")
            },
            "k": None if entry.spectrum is None else entry.spectrum.k,
        }
        row |= {f"lambda_{i + 1:04d}": float(values[i]) if i < len(values) else None for i in range(width)}
        rows.append(row | {"status": entry.status, "reason": entry.reason})
    return rows


def region_distance_matrix(
    spectra: Sequence[RegionSpectrum],
    *,
    method: str = "shapedna",
    metric: Metric = "euclidean",
    p: float = 2.0,
    k: int | None = None,
) -> DistanceArray:
    """Return the distance between the spectra of every two regions.

    Parameters
    ----------
    spectra : sequence of RegionSpectrum
    method : {'shapedna', 'wesd'}
        'shapedna': lambda_n A / n, see :func:`~spectralbrain.shapedna_distance`; 'wesd':
        :func:`~spectralbrain.wesd`.
    metric, p
        As in these functions.
    k : int, optional
        Number of non-null eigenvalues compared; by default as many as all regions have.

    Returns
    -------
    (R, R) DistanceArray, dimensionless ('shapedna') or mm^2 ('wesd')
        With `k`, `unit` and `method`. NaN in rows and columns of regions without a spectrum.

    Raises
    ------
    ArrayError
        If no region has a spectrum, or fewer than `k` eigenvalues.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(3)
    >>> caps = np.where(ball.vertices[:, 2] > 0.2, 1, 2)
    >>> region_distance_matrix(compute_region_spectra(ball, caps, k=10)).shape
    (2, 2)
    """
    if method not in ("shapedna", "wesd"):
        raise ArrayError(f"method: expected 'shapedna' or 'wesd', found {method!r}")
    there = [i for i, s in enumerate(spectra) if s.spectrum is not None]
    members = [s.spectrum for s in spectra if s.spectrum is not None]
    if not members:
        raise ArrayError("spectra: expected at least one region with a spectrum, found none")
    count = min(m.k - m.n_null_modes for m in members) if k is None else k
    matrix = np.full((len(spectra), len(spectra)), np.nan)
    found = (
        shapedna_distance_matrix(members, metric=metric, k=count)
        if method == "shapedna"
        else wesd_matrix(members, p=p, k=count)
    )
    matrix[np.ix_(there, there)] = found
    return DistanceArray(matrix, k=found.k, unit=found.unit, method=found.method)


def _region_spectrum(
    mesh: BrainMesh, region: Region, keep: BoolArray | None, k: int, keep_modes: bool, options: dict[str, Any]
) -> RegionSpectrum:
    inside = region.mask if keep is None else region.mask & keep
    whole = inside[mesh.faces].all(axis=1)
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[mesh.faces[whole].ravel()] = True  # a vertex without a whole triangle carries no area
    if not region.n_vertices:
        return RegionSpectrum(region, None, {}, "n/a", "no vertex has this label")
    if used.sum() <= k:
        reason = (
            f"too small: {int(used.sum())} vertices in whole triangles (of {region.n_vertices}), "
            f"more than k = {k} are needed"
        )
        return RegionSpectrum(region, None, {}, "n/a", reason)
    part, index = submesh(mesh, used)
    quality = mesh_quality(part)
    try:
        decomposition = decompose(part, k, **options)
    except SpectralBrainError as error:
        return RegionSpectrum(region, None, quality, "n/a", str(error), index=index)
    if decomposition.n_null_modes == k > 1:
        pieces = decomposition.metadata["n_components"]
        reason = f"in {pieces} pieces: all k = {k} modes are constant, more are needed"
        return RegionSpectrum(region, None, quality, "n/a", reason, index=index)
    return RegionSpectrum(
        region,
        Spectrum.of(decomposition),
        quality,
        "ok",
        decomposition=decomposition if keep_modes else None,
        index=index,
    )
