"""Where each result of a surface goes, relative to the output folder."""

from __future__ import annotations

from collections.abc import Iterable

from spectralbrain.bids.entities import build_name, to_label
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import VERTEX_DESCRIPTORS, Parameters
from spectralbrain.bids.structures import CORTEX

DATATYPE = "anat"
_SUFFIX_EXTENSION = {
    "eigenpairs": ".h5",
    "eigenmodes": ".shape.gii",
    **dict.fromkeys(VERTEX_DESCRIPTORS, ".shape.gii"),
}


def participant_folder(subject: str, session: str = "") -> str:
    """Return ``sub-X[/ses-Y]/anat``.

    Examples
    --------
    >>> participant_folder("01", "pre")
    'sub-01/ses-pre/anat'
    """
    return "/".join([f"sub-{subject}", *([f"ses-{session}"] if session else []), DATATYPE])


def surface_entities(surface: SurfaceInput, *, masked: bool) -> dict[str, str]:
    """Return the entities of a surface's results.

    ``label`` names the analysed domain; a whole closed hemisphere has none. ``desc`` names the surface.
    """
    label = surface.structure if masked or surface.structure != CORTEX else ""
    return {**surface.entities, "label": to_label(label) if label else "", "desc": to_label(surface.surface)}


def product_names(surface: SurfaceInput, parameters: Parameters, *, masked: bool) -> dict[str, str]:
    """Return the path of each result of a surface by product.

    Parameters
    ----------
    surface : SurfaceInput
        The surface.
    parameters : Parameters
        Which products there are.
    masked : bool
        Whether the medial wall is left out.

    Returns
    -------
    dict
        Keys: 'eigenpairs', 'eigenmodes', per-vertex descriptors, 'mask', 'surface', and
        'dseg:NAME', 'regions:NAME' and 'connectome:NAME' for each parcellation.
    """
    folder = participant_folder(surface.subject, surface.session)
    entities = surface_entities(surface, masked=masked)
    names = {}
    for suffix in _suffixes(parameters):
        names[suffix] = f"{folder}/{build_name(entities, suffix, _SUFFIX_EXTENSION[suffix])}"
    if masked:
        mask = {**surface.entities, "desc": CORTEX}
        names["mask"] = f"{folder}/{build_name(mask, 'mask', '.label.gii')}"
    if parameters.write_meshes:
        bare = {**surface.entities, "label": "" if surface.structure == CORTEX else entities["label"]}
        suffix = to_label(surface.surface)
        names["surface"] = f"{folder}/{build_name(bare, suffix, '.surf.gii')}"
    for parcellation, _ in surface.parcellations:
        own = {**surface.entities, "label": "" if surface.structure == CORTEX else entities["label"]}
        dseg = build_name({**own, "seg": to_label(parcellation)}, "dseg", ".label.gii")
        names[f"dseg:{parcellation}"] = f"{folder}/{dseg}"
        parts = {**entities, "seg": to_label(parcellation)}
        names[f"regions:{parcellation}"] = f"{folder}/{build_name(parts, 'morph', '.tsv')}"
        measure = connectome_measure(parameters)
        if measure:
            matrix = {**parts, "meas": f"{measure}distance"}
            names[f"connectome:{parcellation}"] = f"{folder}/{build_name(matrix, 'relmat', '.tsv')}"
    return names


def _suffixes(parameters: Parameters) -> Iterable[str]:
    yield "eigenpairs"
    yield "eigenmodes"
    yield from (d for d in parameters.descriptors if d in VERTEX_DESCRIPTORS)


def connectome_measure(parameters: Parameters) -> str:
    """Return the descriptor whose distributions the regions are compared by, '' if there is none."""
    return next((d for d in ("hks", "wks", "sihks", "bks") if d in parameters.descriptors), "")


def sidecar_name(name: str) -> str:
    """Return the JSON beside a file.

    Examples
    --------
    >>> sidecar_name("sub-01_hks.shape.gii")
    'sub-01_hks.json'
    """
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}{base.partition('.')[0]}.json"


def table_name(surface_or_subject: str, session: str, desc: str) -> str:
    """Return the path of a participant's table.

    Examples
    --------
    >>> table_name("01", "", "shapedna")
    'sub-01/anat/sub-01_desc-shapedna_morph.tsv'
    """
    entities = {"sub": surface_or_subject, "ses": session, "desc": desc}
    return f"{participant_folder(surface_or_subject, session)}/{build_name(entities, 'morph', '.tsv')}"
