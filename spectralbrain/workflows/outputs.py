"""The only place where results leave the work directory: named, described, written atomically."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nipype.interfaces.base import (
    BaseInterfaceInputSpec,
    File,
    InputMultiObject,
    SimpleInterface,
    TraitedSpec,
    isdefined,
    traits,
)

from spectralbrain.bids.description import as_json
from spectralbrain.bids.headers import stated_hemisphere
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import VERTEX_DESCRIPTORS, Parameters
from spectralbrain.bids.products import connectome_measure, product_names, sidecar_name
from spectralbrain.bids.sidecars import MATRIX_FIELDS, bids_uri, column_sidecar, product_sidecar
from spectralbrain.bids.tables import format_tsv, parse_tsv
from spectralbrain.errors import SpectralBrainError
from spectralbrain.interfaces.base import is_status_file, read_status
from spectralbrain.io._atomic import write_bytes_atomic
from spectralbrain.io._gifti_surface import write as write_gifti_surface
from spectralbrain.io.export import open_hdf5
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.workflows.labels import mask_gifti, parcellation_files
from spectralbrain.workflows.state import RECORD

WORKBENCH_STRUCTURES = {
    ("cortex", "L"): "CortexLeft",
    ("cortex", "R"): "CortexRight",
    ("hipp", "L"): "HippocampusLeft",
    ("hipp", "R"): "HippocampusRight",
    ("dentate", "L"): "HippocampusDentateLeft",
    ("dentate", "R"): "HippocampusDentateRight",
    ("BrainStem", ""): "BrainStem",
    ("Cerebellum", ""): "Cerebellum",
    **{
        (label, hemi): f"{name}{side}"
        for label, name in {
            **{n: n for n in ("Thalamus", "Caudate", "Putamen", "Pallidum", "Hippocampus", "Amygdala")},
            "Accumbens": "Accumbens",
            "VentralDC": "DiencephalonVentral",
            "CerebellumHemisphere": "Cerebellum",
        }.items()
        for hemi, side in (("L", "Left"), ("R", "Right"))
    },
}


def workbench_structure(surface: SurfaceInput) -> str:
    """Return Connectome Workbench's name of a structure; 'Other' where it has none.

    Examples
    --------
    >>> workbench_structure(SurfaceInput("01", "", "L", "cortex", "white"))
    'CortexLeft'
    """
    return WORKBENCH_STRUCTURES.get((surface.structure, surface.hemisphere), "Other")


class SinkSurfaceInputSpec(BaseInterfaceInputSpec):
    """Inputs of :class:`SinkSurface`."""

    output_dir = traits.Str(mandatory=True, desc="folder of the derivative dataset")
    surface = traits.Any(mandatory=True, desc="the SurfaceInput the results belong to")
    parameters = traits.Any(mandatory=True, desc="the Parameters of the run")
    roots = traits.Dict(mandatory=True, desc="key of each input dataset and its folder")
    masked = traits.Bool(mandatory=True, desc="whether the medial wall was left out")
    quality_file = File(exists=True, desc="quality of the mesh, JSON")
    eigenpairs = File(exists=True, mandatory=True, desc="the decomposition")
    eigenmodes = File(exists=True, desc="the first modes as maps")
    hks = File(exists=True, desc="heat kernel signature as maps")
    sihks = File(exists=True, desc="scale-invariant heat kernel signature as maps")
    wks = File(exists=True, desc="wave kernel signature as maps")
    gps = File(exists=True, desc="global point signature as maps")
    bks = File(exists=True, desc="diagonal of the biharmonic kernel as a map")
    hks_cache = File(exists=True, desc="cache whose metadata hold the times")
    sihks_cache = File(exists=True, desc="cache whose metadata hold the grid")
    wks_cache = File(exists=True, desc="cache whose metadata hold the energies")
    gps_cache = File(exists=True, desc="cache of the global point signature")
    bks_cache = File(exists=True, desc="cache of the biharmonic diagonal")
    regions = InputMultiObject(File(exists=True), desc="region tables, in the order of the parcellations")
    connectomes = InputMultiObject(File(exists=True), desc="region matrices, in the same order")


class SinkSurfaceOutputSpec(TraitedSpec):
    """Outputs of :class:`SinkSurface`."""

    out_file = File(exists=True, desc="JSON: what was written, relative to output_dir, and what could not be")


class SinkSurface(SimpleInterface):
    """Put a surface's results into the dataset, each with its sidecar.

    Everything is prepared first; then each file is written whole or not at all.
    """

    input_spec = SinkSurfaceInputSpec
    output_spec = SinkSurfaceOutputSpec

    def _run_interface(self, runtime: Any) -> Any:
        spec, output = self.inputs, Path(self.inputs.output_dir)
        surface, parameters = spec.surface, spec.parameters
        names = product_names(surface, parameters, masked=spec.masked)
        files, problems = self._files()
        spectrum, domain = spectrum_and_domain(files["eigenpairs"])
        roots = {key: Path(root) for key, root in spec.roots.items()}
        quality = self._quality()
        contents: dict[str, bytes] = {}
        for product, name in names.items():
            if product not in files and product not in ("mask", "surface"):
                continue  # parcellations come below
            columns: list[str] = []
            if product == "mask":
                structure = workbench_structure(surface)
                contents[name] = mask_gifti(domain, surface, structure)
            elif product == "surface":
                contents[name] = surface_gifti(files["eigenpairs"], surface)
            elif product.startswith("regions:"):
                text, columns = region_table(files[product])
                contents[name] = text.encode()
            else:
                contents[name] = files[product].read_bytes()
            document = _sidecar(
                product,
                surface,
                parameters,
                spectrum,
                _sources(product, surface, names, roots),
                masked=spec.masked,
                grid=self._grid(product),
                quality=quality,
            )
            document.update(column_sidecar(columns))
            contents[sidecar_name(name)] = as_json(document).encode()
        contents.update(_parcellations(surface, parameters, names, spectrum, roots, masked=spec.masked))
        for name, data in contents.items():
            write_bytes_atomic(output / name, data)
        record = Path(runtime.cwd, RECORD)
        record.write_text(json.dumps({"files": sorted(contents), "problems": problems}))
        self._results["out_file"] = str(record)
        return runtime

    def _files(self) -> tuple[dict[str, Path], list[str]]:
        """Return the results by product, and what earlier nodes recorded as failed."""
        spec = self.inputs
        problems: list[str] = []
        files = {
            product: Path(getattr(spec, product))
            for product in ("eigenpairs", "eigenmodes", *VERTEX_DESCRIPTORS)
            if isdefined(getattr(spec, product))
        }
        for kind, paths in (("regions", spec.regions), ("connectome", spec.connectomes)):
            for (name, _), path in zip(
                spec.surface.parcellations, paths if isdefined(paths) else [], strict=False
            ):
                if is_status_file(path):
                    problems.append(f"{kind} of {name}: {read_status(path)['reason']}")
                else:
                    files[f"{kind}:{name}"] = Path(path)
        return files, problems

    def _grid(self, product: str) -> Mapping[str, Any]:
        path = getattr(self.inputs, f"{product}_cache", None)
        return read_metadata(path) if isdefined(path) and path else {}

    def _quality(self) -> Any:
        path = self.inputs.quality_file
        return json.loads(Path(path).read_text(encoding="utf-8")) if isdefined(path) else None


def _parcellations(
    surface: SurfaceInput,
    parameters: Parameters,
    names: Mapping[str, str],
    spectrum: Spectrum,
    roots: Mapping[str, Path],
    *,
    masked: bool,
) -> dict[str, bytes]:
    """Return the parcellations that were used, by path; one that does not fit has been reported before."""
    contents: dict[str, bytes] = {}
    n_vertices = int(spectrum.metadata["n_vertices"])
    for name, path in surface.parcellations:
        try:
            gifti, table = parcellation_files(path, name, n_vertices, workbench_structure(surface))
        except (SpectralBrainError, OSError):
            continue
        document = product_sidecar(
            "dseg",
            surface,
            parameters,
            spectrum.metadata,
            [bids_uri(path, roots)],
            masked=masked,
            Parcellation=name,
        )
        place = names[f"dseg:{name}"]
        contents[place] = gifti
        contents[f"{place.removesuffix('.label.gii')}.tsv"] = table
        contents[sidecar_name(place)] = as_json(document).encode()  # BIDS defines the columns itself
    return contents


def region_table(path: Path) -> tuple[str, list[str]]:
    """Return a region table with the column names of BIDS, and its columns."""
    renamed = {"region_id": "index", "region": "name"}
    rows = parse_tsv(path.read_text(encoding="utf-8"))
    rows = [{renamed.get(key, key): value for key, value in row.items()} for row in rows]
    columns = list(rows[0]) if rows else ["index", "name"]
    return format_tsv(rows, columns), columns


def read_metadata(path: Any) -> dict[str, Any]:
    """Return the metadata of a cache, none of its arrays."""
    with open_hdf5(path) as handle:
        return dict(handle.metadata)


def _sources(
    product: str, surface: SurfaceInput, names: Mapping[str, str], roots: Mapping[str, Path]
) -> list[str]:
    """Return the BIDS URIs of what a result was made from."""
    geometry = [path for path in surface.files if path not in {p for _, p in surface.parcellations}]
    if product in ("eigenpairs", "mask", "surface"):
        return [bids_uri(path, roots) for path in geometry]
    own = [f"bids::{names['eigenpairs']}"]
    parcels = dict(surface.parcellations).get(product.partition(":")[2])
    return own + ([bids_uri(parcels, roots)] if parcels else [])


def spectrum_and_domain(path: Path) -> tuple[Spectrum, Any]:
    """Return a decomposition's spectrum, and which vertices were analysed, (N,) array of bool."""
    with open_hdf5(path) as handle:
        spectrum = Spectrum(handle["eigenvalues"][...], dict(handle.metadata))
        return spectrum, ~np.isnan(handle["eigenvectors"][:, 0])


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: no arrays, no NaN."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(v) for v in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


_GRID_FIELDS = {  # metadata key ending -> field of the sidecar
    "times": "DiffusionTimes",
    "energies": "Energies",
    "bandwidth": "Sigma",
    "normalization": "Normalization",
    "time": "TimeConvention",
    "energy": "EnergyConvention",
    "frequencies": "Frequencies",
}


def _sidecar(
    product: str,
    surface: SurfaceInput,
    parameters: Parameters,
    spectrum: Spectrum,
    sources: list[str],
    *,
    masked: bool,
    grid: Mapping[str, Any],
    quality: Any,
) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if product == "eigenpairs":
        keys = ("backend", "verified", "verification", "max_residual", "orthonormality_error")
        extra["Verification"] = {
            key: plain(spectrum.metadata[key]) for key in keys if key in spectrum.metadata
        }
        extra["Eigenvalues"] = plain(spectrum.eigenvalues)
        extra["EigenvalueUnits"] = "mm^-2"
        extra["Quality"] = plain(quality)
        extra["StatedHemisphere"] = other_hemisphere(surface)
    elif product == "eigenmodes":
        extra["Eigenvalues"] = plain(spectrum.eigenvalues[: parameters.written_modes])
    elif product in VERTEX_DESCRIPTORS:
        key = "si_hks" if product == "sihks" else product
        for ending, field in _GRID_FIELDS.items():
            extra[field] = plain(grid.get(f"{key}_{ending}"))
        extra.update(_shared_grid(extra, float(spectrum.metadata["surface_area"])))
    elif ":" in product:
        extra["Parcellation"] = product.partition(":")[2]
        if product.startswith("connectome:"):
            measure = connectome_measure(parameters)
            extra["RelationshipMeasure"] = f"Wasserstein distance of {measure} distributions, area-weighted"
            extra.update(MATRIX_FIELDS)
    kind = product.partition(":")[0]
    return product_sidecar(kind, surface, parameters, spectrum.metadata, sources, masked=masked, **extra)


def other_hemisphere(surface: SurfaceInput) -> str | None:
    """Return the hemisphere that a surface's file names, where that is not the one of its name."""
    for path in (surface.mesh, surface.white, surface.pial):
        stated = stated_hemisphere(path) if path else ""
        if stated and surface.hemisphere and stated != surface.hemisphere:
            return stated
    return None


def _shared_grid(fields: Mapping[str, Any], area: float) -> dict[str, Any]:
    """Return the grid in the units in which it is the same for all participants."""
    shared: dict[str, Any] = {}
    if fields.get("DiffusionTimes") is not None:
        shared["DiffusionTimesOverArea"] = [float(f"{t / area:.12g}") for t in fields["DiffusionTimes"]]
    if fields.get("Energies") is not None:
        shared["EnergiesOfLambdaTimesArea"] = [float(f"{e + np.log(area):.12g}") for e in fields["Energies"]]
    return shared


SECONDARY = {"white": "GrayWhite", "midthickness": "MidThickness", "pial": "Pial"}


def surface_gifti(path: Path, surface: SurfaceInput) -> bytes:
    """Return the bytes of the analysed surface as GIFTI, with the names Workbench looks for."""
    stream = io.BytesIO()
    with open_hdf5(path) as handle:
        write_gifti_surface(
            stream,
            handle["vertices"][...],
            handle["faces"][...],
            structure=workbench_structure(surface),
            secondary=SECONDARY.get(surface.surface),
            geometric_type="Anatomical",
        )
    return stream.getvalue()
