"""Label files of the dataset: the analysed domain, and the parcellations that were used."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.tables import format_tsv
from spectralbrain.io.load import load_labels

Label = tuple[int, str, tuple[float, float, float, float]]  # key, name, red, green, blue, alpha
DSEG_COLUMNS = ("index", "name", "color")  # as BIDS defines them
UNASSIGNED = "unassigned"
_GOLDEN = 0.618034  # steps of the hue: neighbours in the table differ most


def mask_gifti(domain: Any, surface: SurfaceInput, structure: str) -> bytes:
    """Return the bytes of a label GIFTI: 1 inside the analysed domain, 0 outside."""
    labels: list[Label] = [
        (0, "outside", (0.0, 0.0, 0.0, 0.0)),
        (1, surface.structure, (0.2, 0.6, 0.9, 1.0)),
    ]
    return label_gifti(np.asarray(domain), labels, f"{surface.structure} mask", structure)


def parcellation_files(path: Path, name: str, n_vertices: int, structure: str) -> tuple[bytes, bytes]:
    """Return a parcellation as BIDS stores it: a label GIFTI, and a table of its regions.

    Parameters
    ----------
    path : Path
        Annotation, label GIFTI or the like.
    name : str
        Of the parcellation.
    n_vertices : int
        Of the surface.
    structure : str
        Workbench's name.

    Returns
    -------
    gifti, table : bytes
        ``_dseg.label.gii`` and ``_dseg.tsv``: index, name, color.

    Raises
    ------
    FormatError
        If the file does not hold labels of so many vertices.
    """
    found = load_labels(path, n_vertices=n_vertices)
    keys = np.array(found.keys)
    names = dict(sorted(found.table.items()))
    if (keys < 0).any():
        spare = max(names, default=-1) + 1
        names[spare] = UNASSIGNED
        keys[keys < 0] = spare
    labels = [(key, text, (*colour_of(i), 1.0)) for i, (key, text) in enumerate(names.items())]
    rows = [
        {"index": key, "name": text, "color": "#" + "".join(f"{round(255 * c):02x}" for c in rgba[:3])}
        for key, text, rgba in labels
    ]
    table = format_tsv(rows, DSEG_COLUMNS).encode()
    return label_gifti(keys, labels, name, structure), table


def colour_of(position: int) -> tuple[float, float, float]:
    """Return the colour of the region at a position of the table, each part from 0 to 1.

    Examples
    --------
    >>> [round(part, 2) for part in colour_of(0)]
    [0.9, 0.36, 0.36]
    """
    return colorsys.hsv_to_rgb(position * _GOLDEN % 1.0, 0.6, 0.9)


def label_gifti(keys: Any, labels: Sequence[Label], name: str, structure: str) -> bytes:
    """Return the bytes of a label GIFTI with one map.

    Parameters
    ----------
    keys : (N,) array
        Label of each vertex.
    labels : sequence of (key, name, (red, green, blue, alpha))
        The table.
    name : str
        Of the map.
    structure : str
        Workbench's name of the anatomical structure.

    Returns
    -------
    bytes
    """
    from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable, GiftiMetaData

    table = GiftiLabelTable()
    for key, text, rgba in labels:
        label = GiftiLabel(key, *rgba)
        label.label = text
        table.labels.append(label)
    array = GiftiDataArray(
        np.asarray(keys).astype(np.int32),
        intent="NIFTI_INTENT_LABEL",
        datatype="NIFTI_TYPE_INT32",
        meta=GiftiMetaData({"Name": name}),
    )
    meta: Mapping[str, str] = {"AnatomicalStructurePrimary": structure}
    image = GiftiImage(darrays=[array], labeltable=table, meta=GiftiMetaData(meta))
    data: bytes = image.to_bytes()
    return data
