"""``dataset_description.json`` and the other files at the root of a derivative dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectralbrain.bids.tables import format_tsv

BIDS_VERSION = "1.11.1"
NAME = "spectralbrain"
# What a container's build may set to say what it is; an empty value means: not in a container.
CONTAINER_VARIABLES = {
    "docker": "SPECTRALBRAIN_DOCKER_TAG",
    "apptainer": "SPECTRALBRAIN_APPTAINER_URL",
}
# Tested with bids-validator-deno 3.0.2. `figures` must stand without a slash: the validator ignores
# a pattern with one for the folder itself (bids-validator issue 291).
BIDSIGNORE = (
    *("*.html", "figures", "*.surf.gii", "*.shape.gii", "*.func.gii", "*.surf.json", "*.shape.json"),
    *("*_eigenpairs.*", "*_eigenmodes.*", "*_hks.*", "*_wks.*", "*_sihks.*", "*_gps.*", "*_bks.*"),
    *("*_morph.*", "*_relmat.*", "*_nodeindices.*", "*_mask.label.gii", "*_mask.json"),
    *("*_midthickness.json", "*_white.json", "*_pial.json", "*_inner.json", "*_outer.json"),
    *("*_boundary.json", "*_surface.json", "*_smoothwm.json", "*_graymid.json", "*_orig.json"),
)


def as_json(document: Mapping[str, Any]) -> str:
    """Return the text of a JSON file: two spaces, UTF-8, final newline, NaN refused."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def container_of(environment: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """Return the Container object of BIDS, None outside a container.

    Examples
    --------
    >>> container_of({"SPECTRALBRAIN_DOCKER_TAG": "spectralbrain:0.2.0"})
    {'Type': 'docker', 'Tag': 'spectralbrain:0.2.0'}
    """
    variables = os.environ if environment is None else environment
    url = variables.get(CONTAINER_VARIABLES["apptainer"], "")
    if url:
        return {"Type": "apptainer", "URI": url}
    tag = variables.get(CONTAINER_VARIABLES["docker"], "")
    return {"Type": "docker", "Tag": tag} if tag else None


def dataset_description(
    version: str,
    configuration_hash: str,
    inputs: Mapping[str, Mapping[str, Any]],
    links: Mapping[str, str],
    *,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the content of ``dataset_description.json``.

    Parameters
    ----------
    version : str
        Ours.
    configuration_hash : str
        Of the parameters.
    inputs : mapping
        Dataset key to the content of its ``dataset_description.json`` ({} if it has none).
    links : mapping
        Dataset key to its location relative to the output, for ``bids:<key>:...`` URIs.
    environment : mapping, optional
        Environment variables; those of the process by default.

    Returns
    -------
    dict
        GeneratedBy starts with us and goes on with what made the inputs: a chain of provenance.
    """
    ours: dict[str, Any] = {"Name": NAME, "Version": version}
    container = container_of(environment)
    if container:
        ours["Container"] = container
    ours["ConfigurationHash"] = configuration_hash
    description: dict[str, Any] = {
        "Name": "SpectralBrain: spectral shape descriptors",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
    }
    licenses = dict.fromkeys(str(d["License"]) for d in inputs.values() if d.get("License"))
    if len(licenses) == 1:
        description["License"] = next(iter(licenses))
    description["GeneratedBy"] = [ours, *_chain(inputs)]
    description["HowToAcknowledge"] = "Please cite what logs/CITATION.md lists."
    sources = _sources(inputs)
    if sources:
        description["SourceDatasets"] = sources
    if links:
        description["DatasetLinks"] = dict(links)
    return description


def _chain(inputs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    chain: list[dict[str, Any]] = []
    for description in inputs.values():
        entries = description.get("GeneratedBy", [])
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("Name") and entry not in chain:
                chain.append(entry)
    return chain


def _sources(inputs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    for description in inputs.values():
        entries = description.get("SourceDatasets", [])
        found = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        doi = description.get("DatasetDOI")
        if doi:
            found.append({"DOI": str(doi)})
        sources += [e for e in found if e not in sources]
    return sources


def dataset_link(target: Path, output: Path) -> str:
    """Return where a dataset lies as seen from the output: relative where they share a folder.

    Examples
    --------
    >>> dataset_link(Path("/data/fmriprep"), Path("/data/spectralbrain"))
    '../fmriprep'
    """
    relative = os.path.relpath(target.resolve(), output.resolve())
    return Path(relative).as_posix()


DESCRIPTIONS = {
    "midthickness": "Computed on the surface halfway between white and pial",
    "white": "Computed on the boundary of grey and white matter",
    "pial": "Computed on the pial surface",
    "inner": "Computed on the inner hippocampal surface",
    "outer": "Computed on the outer hippocampal surface",
    "boundary": "Computed on the boundary of a structure of a label volume",
    "shapedna": "Spectrum, size and quality of each surface of a participant",
    "regions": "Spectrum, size and quality of each region of a parcellation",
    "cortex": "Vertices of the cortex, without the medial wall",
    "longitudinal": "Differences of later sessions against the first of each participant",
    "outliers": "Robust z of each measure of each participant",
    "asymmetry": "Difference of left and right spectra, and of sizes",
}


def descriptions_tsv(labels: Mapping[str, str] | None = None) -> str:
    """Return ``descriptions.tsv``: what each desc- label of the dataset means."""
    entries = {**DESCRIPTIONS, **(labels or {})}
    rows = [{"desc_id": f"desc-{label}", "description": text} for label, text in sorted(entries.items())]
    return format_tsv(rows, ["desc_id", "description"])


DESCRIPTIONS_SIDECAR: dict[str, Any] = {
    "Description": "What each label of the desc entity means in this dataset",
    "desc_id": {"Description": "Label of the desc entity, with its key"},
    "description": {"Description": "What files with this label hold"},
}

README = """# SpectralBrain derivatives

Shape of brain surfaces, described by the eigenvalues and eigenfunctions of the Laplace-Beltrami operator.
Written by spectralbrain {version}.

| file | what it holds |
|---|---|
| `dataset_description.json`, `README.md`, `.bidsignore`, `descriptions.tsv` | what this dataset is |
| `sub-*/anat/*_eigenpairs.h5` | eigenvalues (mm^-2), eigenvectors, the mass matrix, the surface |
| `sub-*/anat/*_eigenmodes.shape.gii` | the first eigenfunctions as maps |
| `sub-*/anat/*_hks.shape.gii`, `*_sihks.shape.gii`, `*_wks.shape.gii` | a descriptor, one map per scale |
| `sub-*/anat/*_gps.shape.gii`, `*_bks.shape.gii` | a descriptor, one map per mode; one map |
| `sub-*/anat/*_desc-shapedna_morph.tsv` | one row per surface: size, topology, spectrum, quality, status |
| `sub-*/anat/*_seg-*_morph.tsv` | one row per region of a parcellation: size, spectrum, status |
| `sub-*/anat/*_seg-*_relmat.tsv` | region by region distances |
| `sub-*/anat/*_desc-asymmetry_morph.tsv` | left against right: spectra and sizes of each pair |
| `sub-*/anat/*_mask.label.gii` | the vertices that were analysed |
| `sub-*/anat/*_dseg.label.gii`, `*_dseg.tsv` | the parcellations that were used |
| `sub-*/anat/*.surf.gii` | the analysed surface (with `--write-meshes`) |
| `sub-*.html`, `group.html` | reports |
| `desc-*_morph.tsv`, `seg-*_desc-regions_morph.tsv` | the group's tables |
| `*_meas-*_relmat.tsv` | distances between the surfaces of all participants |
| `logs/` | references (CITATION), parameters (config.toml), state of each participant |

Where there are sessions, `sub-*/anat` is `sub-*/ses-*/anat`. Every table, map and matrix has a JSON sidecar
of the same name, with its sources and parameters.

Vertices outside the analysed domain (the medial wall) are NaN in maps; missing values are `n/a` in tables.
Files that BIDS has no names for yet are listed in `.bidsignore`.
"""


def readme(version: str) -> str:
    """Return the text of the dataset's README.md."""
    return README.format(version=version)


def bidsignore() -> str:
    """Return the text of ``.bidsignore``."""
    return "\n".join(BIDSIGNORE) + "\n"
