"""The only place where results leave the work directory: named, described, written atomically."""

from __future__ import annotations

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
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import VERTEX_DESCRIPTORS, Parameters
from spectralbrain.bids.products import product_names, sidecar_name
from spectralbrain.bids.sidecars import bids_uri, product_sidecar
from spectralbrain.io._atomic import write_bytes_atomic, write_text_atomic
from spectralbrain.io.export import load_hdf5
from spectralbrain.spectral.spectrum import Spectrum

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
RECORD = "record.json"


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
    products = traits.List(traits.Str, mandatory=True, desc="product of each of the files, in order")
    files = InputMultiObject(File(exists=True), mandatory=True, desc="the results, in the order of products")
    quality_file = File(exists=True, desc="JSON with the quality of the mesh")
    descriptor_files = InputMultiObject(File(exists=True), desc="caches whose metadata hold the grids")


class SinkSurfaceOutputSpec(TraitedSpec):
    """Outputs of :class:`SinkSurface`."""

    out_file = File(exists=True, desc="JSON list of what was written, relative to output_dir")


class SinkSurface(SimpleInterface):
    """Put a surface's results into the dataset, each with its sidecar.

    Everything is prepared first; then each file is written whole or not at all.
    """

    input_spec = SinkSurfaceInputSpec
    output_spec = SinkSurfaceOutputSpec

    def _run_interface(self, runtime: Any) -> Any:
        spec = self.inputs
        surface, parameters, output = spec.surface, spec.parameters, Path(spec.output_dir)
        files = dict(zip(spec.products, map(Path, spec.files), strict=True))
        spectrum = Spectrum.load(files["eigenpairs"])
        grids = grids_of(spec.descriptor_files if isdefined(spec.descriptor_files) else [])
        quality = json.loads(Path(spec.quality_file).read_text()) if isdefined(spec.quality_file) else None
        names = product_names(surface, parameters, masked=spec.masked)
        roots = {key: Path(root) for key, root in spec.roots.items()}
        sources = [bids_uri(path, roots) for path in surface.files]
        contents = {names[product]: path.read_bytes() for product, path in files.items()}
        documents = {}
        for product, name in names.items():
            uris = (
                sources
                if product in ("eigenpairs", "mask", "surface")
                else [f"bids::{names['eigenpairs']}", *sources[-len(surface.parcellations) or len(sources) :]]
                if ":" in product
                else [f"bids::{names['eigenpairs']}"]
            )
            documents[sidecar_name(name)] = _sidecar(
                product, surface, parameters, spectrum, uris, masked=spec.masked, grids=grids, quality=quality
            )
        if spec.masked:
            contents[names["mask"]] = mask_gifti(domain_of(files["eigenpairs"]), surface)
        written = [write_bytes_atomic(output / name, data) for name, data in contents.items()]
        written += [write_text_atomic(output / name, as_json(d)) for name, d in documents.items()]
        record = Path(runtime.cwd, RECORD)
        record.write_text(json.dumps(sorted(p.relative_to(output.absolute()).as_posix() for p in written)))
        self._results["out_file"] = str(record)
        return runtime


def domain_of(path: Path) -> Any:
    """Return which vertices of a decomposition cache were analysed, (N,) array of bool."""
    return ~np.isnan(np.asarray(load_hdf5(path)["eigenvectors"])[:, 0])


def grids_of(paths: list[str]) -> dict[str, Any]:
    """Return the metadata of descriptor caches that sidecars repeat, by descriptor."""
    grids: dict[str, Any] = {}
    for path in paths:
        loaded = load_hdf5(path)
        for name in loaded.get("descriptors", {}):
            grids[name] = loaded.get("metadata", {})
    return grids


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
    "sigma": "Sigma",
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
    grids: Mapping[str, Any],
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
    elif product == "eigenmodes":
        extra["Eigenvalues"] = plain(spectrum.eigenvalues[: parameters.written_modes])
    elif product in VERTEX_DESCRIPTORS:
        metadata = grids.get(product, {})
        for ending, field in _GRID_FIELDS.items():
            extra[field] = plain(metadata.get(f"{product}_{ending}"))
    elif ":" in product:
        extra["Parcellation"] = product.partition(":")[2]
    kind = product.partition(":")[0]
    return product_sidecar(kind, surface, parameters, spectrum.metadata, sources, masked=masked, **extra)


def mask_gifti(domain: Any, surface: SurfaceInput) -> bytes:
    """Return the bytes of a label GIFTI: 1 inside the analysed domain, 0 outside."""
    from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable, GiftiMetaData

    table = GiftiLabelTable()
    for key, name, rgba in (
        (0, "outside", (0.0, 0.0, 0.0, 0.0)),
        (1, surface.structure, (0.2, 0.6, 0.9, 1.0)),
    ):
        label = GiftiLabel(key, *rgba)
        label.label = name
        table.labels.append(label)
    array = GiftiDataArray(
        np.asarray(domain).astype(np.int32),
        intent="NIFTI_INTENT_LABEL",
        datatype="NIFTI_TYPE_INT32",
        meta=GiftiMetaData({"Name": f"{surface.structure} mask"}),
    )
    meta = GiftiMetaData({"AnatomicalStructurePrimary": workbench_structure(surface)})
    image = GiftiImage(darrays=[array], labeltable=table, meta=meta)
    data: bytes = image.to_bytes()
    return data
