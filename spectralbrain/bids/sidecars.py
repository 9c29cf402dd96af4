"""JSON sidecars: where a file comes from, and what its numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import Parameters

STANDARD_SPACES = ("fsaverage", "fsLR", "fsaverageSym")
BOUNDARY_NAMES = {"neumann": "Neumann", "dirichlet": "Dirichlet", "closed": "None (closed surface)"}
UNITS = {"hks": "mm^-2", "wks": "mm^-2", "sihks": "1", "gps": "1", "bks": "mm^2", "eigenmodes": "mm^-1"}
TITLES = {
    "eigenpairs": "Laplace-Beltrami eigenpairs",
    "eigenmodes": "Laplace-Beltrami eigenfunctions, one map per mode, orthonormal under the mass matrix",
    "hks": "Heat kernel signature (Sun 2009), one map per diffusion time",
    "sihks": "Scale-invariant heat kernel signature (Bronstein and Kokkinos 2010), one map per frequency",
    "wks": "Wave kernel signature (Aubry 2011), one map per energy",
    "gps": "Global point signature (Rustamov 2007), one map per mode; signs of modes are arbitrary",
    "bks": "Diagonal of the biharmonic kernel (Lipman 2010)",
    "mask": "Vertices that were analysed: 1 inside, 0 outside (medial wall)",
    "surface": "The analysed surface",
    "dseg": "The parcellation that was used, one label per vertex",
    "regions": "Size and spectrum of each region of a parcellation, on its own sub-surface",
    "connectome": "Distances between the regions' distributions of a descriptor, weighted by area",
}


def bids_uri(path: Path, roots: Mapping[str, Path]) -> str:
    """Return the BIDS URI of a file of one of the datasets.

    Parameters
    ----------
    path : Path
        The file.
    roots : mapping
        Dataset key to folder; '' for the output itself. The innermost folder wins.

    Returns
    -------
    str
        ``bids:<key>:<relative path>``; a file of no dataset is named by its last part.

    Examples
    --------
    >>> bids_uri(Path("/in/sub-01/anat/a.gii"), {"input": Path("/in")})
    'bids:input:sub-01/anat/a.gii'
    """
    holders = [(key, root) for key, root in roots.items() if path.is_relative_to(root)]
    if not holders:
        return path.name
    key, root = max(holders, key=lambda item: len(item[1].parts))
    return f"bids:{key}:{quote(path.relative_to(root).as_posix())}"


def surface_fields(
    surface: SurfaceInput, parameters: Parameters, metadata: Mapping[str, Any], *, masked: bool
) -> dict[str, Any]:
    """Return what every sidecar of a surface's results says about the surface and the operator."""
    fields: dict[str, Any] = {
        "Structure": surface.structure,
        "Surface": surface.surface,
        "MedialWall": "masked" if masked else "closed",
        "BoundaryCondition": BOUNDARY_NAMES.get(str(metadata.get("boundary")), "unknown"),
        "Laplacian": parameters.laplacian,
        "MassMatrix": parameters.mass,
        "NumberOfModes": int(metadata.get("k", parameters.modes)),
    }
    if surface.space not in STANDARD_SPACES:
        fields["SpatialReference"] = "The participant's own surface, as listed first in Sources"
    if surface.density:
        fields["Density"] = f"{metadata.get('n_vertices', 'unknown number of')} vertices per surface"
    return fields


REGION_COLUMNS: dict[str, dict[str, str]] = {
    "index": {"Description": "Label of the region in the parcellation"},
    "name": {"Description": "Region"},
    "n_vertices": {"Description": "Vertices of the region"},
    "area": {"Description": "Area of the region", "Units": "mm^2"},
    "boundary_length": {"Description": "Length of the region's border", "Units": "mm"},
    "euler_characteristic": {"Description": "Euler characteristic of the region (a disc: 1)"},
    "n_components": {"Description": "Connected components of the region"},
    "k": {"Description": "Eigenpairs computed, null modes included"},
    "status": {"Description": "ok, or n/a where there is no spectrum (see reason)"},
    "reason": {"Description": "Why a value is missing"},
}
MATRIX_FIELDS: dict[str, Any] = {  # BEP017's
    "Directed": False,
    "Weighted": True,
    "ValidDiagonal": True,
    "NonNegative": True,
    "Software": "spectralbrain",
}


def column_sidecar(columns: Iterable[str]) -> dict[str, Any]:
    """Return what the columns of a region table mean."""
    document: dict[str, Any] = {}
    for column in columns:
        kind, _, number = column.partition("_")
        if kind == "lambda" and number.isdecimal():
            document[column] = {"Description": f"Non-null eigenvalue {int(number)}", "Units": "mm^-2"}
        else:
            document[column] = REGION_COLUMNS.get(column, {"Description": column.replace("_", " ")})
    return document


def product_sidecar(
    product: str,
    surface: SurfaceInput,
    parameters: Parameters,
    metadata: Mapping[str, Any],
    sources: list[str],
    *,
    masked: bool,
    **extra: Any,
) -> dict[str, Any]:
    """Return the sidecar of one result of a surface.

    Parameters
    ----------
    product : str
        Key of :data:`TITLES`.
    surface : SurfaceInput
        What it was made from.
    parameters : Parameters
        How.
    metadata : mapping
        Of the decomposition.
    sources : list of str
        BIDS URIs.
    masked : bool
        Whether the medial wall was left out.
    **extra
        Further fields, for example DiffusionTimes; None is left out.

    Returns
    -------
    dict
    """
    document: dict[str, Any] = {"Description": TITLES[product], "Sources": sources}
    document.update(surface_fields(surface, parameters, metadata, masked=masked))
    if product in UNITS:
        document["Units"] = UNITS[product]
    document.update({key: value for key, value in extra.items() if value is not None})
    document["SoftwareVersions"] = {"spectralbrain": str(metadata.get("spectralbrain_version", "unknown"))}
    return document
