"""Read the surface part of CIFTI-2 files (.dscalar.nii, .dlabel.nii, .dtseries.nii)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import FormatError
from spectralbrain.io._xml import parse_xml

_CIFTI_EXTENSION = 32
_NIFTI2_HEADER_SIZE = 540


def cifti_maps(content: bytes, path: Path, structure: str | None) -> npt.NDArray[Any]:
    """Return the maps of one surface, NaN where the file has no value (the medial wall)."""
    image = _load(content, path)
    model = _surface_model(image, path, structure)
    data = _data(image, model, path)
    found = np.full((model.surface_number_of_vertices, len(data)), np.nan)
    found[_vertices(model, path)] = data.T
    return found[:, 0] if found.shape[1] == 1 else found


def cifti_labels(
    content: bytes, path: Path, structure: str | None, name: str | None
) -> tuple[npt.NDArray[Any], dict[int, str]]:
    """Return the keys of one surface, -1 where the file has none, and the table of a label map."""
    image = _load(content, path)
    model = _surface_model(image, path, structure)
    axis = image.header.matrix.get_index_map(0)
    maps = list(axis.named_maps) if axis.indices_map_to_data_type == "CIFTI_INDEX_TYPE_LABELS" else []
    chosen = [i for i, item in enumerate(maps) if name is None or item.map_name == name]
    if len(chosen) != 1:
        raise FormatError(
            f"{path}: expected one CIFTI label map named {name!r}, found maps "
            f"{[item.map_name for item in maps]}: choose by name"
        )
    values = _data(image, model, path)[chosen[0]]
    keys = np.full(model.surface_number_of_vertices, -1, dtype=np.int64)
    keys[_vertices(model, path)] = np.round(values).astype(np.int64)
    return keys, {int(key): label.label for key, label in maps[chosen[0]].label_table.items()}


def _load(content: bytes, path: Path) -> Any:
    """Hand the file to nibabel once its XML is known to be harmless."""
    _check_extensions(content, path)
    import nibabel as nib

    try:
        return nib.Cifti2Image.from_bytes(content)
    except Exception as error:  # nibabel raises a dozen types on damaged files
        raise FormatError(f"{path}: cannot read the CIFTI file ({type(error).__name__}: {error})") from error


def _check_extensions(content: bytes, path: Path) -> None:
    position, endian = _NIFTI2_HEADER_SIZE + 4, "<" if content[:4] == b"\x1c\x02\0\0" else ">"
    while len(content) - position >= 8:
        size, code = struct.unpack(f"{endian}ii", content[position : position + 8])
        if size < 8 or size > len(content) - position:
            break
        if code == _CIFTI_EXTENSION:
            xml = content[position + 8 : position + size].rstrip(b"\0")
            parse_xml(xml, path, start=lambda *_: None, end=lambda *_: None)
            return
        position += size
    raise FormatError(
        f"{path}: expected a CIFTI-2 extension, found none: the file is damaged, or plain NIfTI-2"
    )


def _surface_model(image: Any, path: Path, structure: str | None) -> Any:
    """Return the brain model of the wanted surface, by name and never by position."""
    try:
        models = list(image.header.matrix.get_index_map(1).brain_models or [])
    except Exception as error:
        raise FormatError(f"{path}: the CIFTI file has no dense axis ({error})") from error
    surfaces = {
        model.brain_structure: model
        for model in models
        if model.model_type == "CIFTI_MODEL_TYPE_SURFACE" and model.surface_number_of_vertices
    }
    wanted = _cifti_name(structure) if structure else None
    if wanted is None and len(surfaces) == 1:
        return next(iter(surfaces.values()))
    if wanted not in surfaces:
        raise FormatError(
            f"{path}: expected the surface of structure {structure!r}, found "
            f"{sorted(surfaces)}: name one of them"
        )
    return surfaces[wanted]


def _cifti_name(structure: str) -> str:
    """Return CIFTI's name for Workbench's: 'CIFTI_STRUCTURE_CORTEX_LEFT' for 'CortexLeft'."""
    if structure.startswith("CIFTI_STRUCTURE_"):
        return structure
    words = "".join("_" + letter if letter.isupper() else letter for letter in structure)
    return "CIFTI_STRUCTURE_" + words.strip("_").upper()


def _vertices(model: Any, path: Path) -> npt.NDArray[np.int64]:
    index = np.array(list(model.vertex_indices or []), dtype=np.int64)
    if len(index) != model.index_count or (
        len(index) and not 0 <= index.min() <= index.max() < model.surface_number_of_vertices
    ):
        raise FormatError(f"{path}: the CIFTI surface lists vertices that it does not have")
    return index


def _data(image: Any, model: Any, path: Path) -> npt.NDArray[Any]:
    try:
        data = np.asarray(image.dataobj)
        return data[:, model.index_offset : model.index_offset + model.index_count]
    except Exception as error:
        raise FormatError(f"{path}: cannot read the CIFTI data: truncated? ({error})") from error
