"""What the interactive viewer of a report shows: light surfaces and their overlays, as text in the page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.reports.colors import ColorScale, color_table
from spectralbrain.reports.surfaces import SurfaceMap
from spectralbrain.runtime import FloatArray

_MOST_VERTICES, _MOST_VERTICES_IN_ALL = 12_000, 120_000
_LEAST_VERTICES = 1_000
_LEVEL = 6  # of compression
_STEPS = 255  # a colour map has 256 colours: finer values would only make the page heavier


@dataclass(frozen=True)
class ViewerSurface:
    """A surface in the viewer.

    Attributes
    ----------
    name : str
        What the check box says.
    group : str
        Surfaces of one group share the limits of each overlay.
    mesh : BrainMesh
        The surface, light enough for a page.
    maps : tuple of SurfaceMap
        Overlays, a value for each vertex of `mesh`.
    simplified : bool
        Whether `mesh` is coarser than the surface it stands for.
    """

    name: str
    group: str
    mesh: BrainMesh
    maps: tuple[SurfaceMap, ...]
    simplified: bool = False


def vertex_budget(n_surfaces: int) -> int:
    """Return how many vertices each of `n_surfaces` may have in a page.

    Examples
    --------
    >>> vertex_budget(2), vertex_budget(40)
    (12000, 3000)
    """
    return int(np.clip(_MOST_VERTICES_IN_ALL // max(n_surfaces, 1), _LEAST_VERTICES, _MOST_VERTICES))


def viewer_payload(surfaces: Sequence[ViewerSurface]) -> dict[str, Any]:
    """Return everything the page's script needs, ready for :func:`script_json`.

    Raises
    ------
    ArrayError
        If no surface is given.
    """
    if not surfaces:
        raise ArrayError("surfaces: expected at least one to show, found none")
    scales = _shared_scales(surfaces)
    cmaps = sorted({scale.cmap for scale in scales.values()})
    return {
        "colormaps": {cmap: color_table(cmap).tolist() for cmap in cmaps},
        "overlays": list(dict.fromkeys(_first_line(m.label) for s in surfaces for m in s.maps)),
        "surfaces": [
            {
                "name": surface.name,
                "group": surface.group,
                "mesh": _text(mesh_mz3(surface.mesh)),
                "overlays": [_overlay(surface, shown, scales) for shown in surface.maps],
            }
            for surface in surfaces
        ],
    }


def mesh_mz3(mesh: BrainMesh) -> bytes:
    """Return a surface in Surfice's compressed MZ3 format, coordinates rounded to 0.01 mm."""
    header = np.array([0x5A4D, 1 | 2], dtype="<u2").tobytes()
    sizes = np.array([mesh.n_faces, mesh.n_vertices, 0], dtype="<u4").tobytes()
    return _packed(
        header + sizes + mesh.faces.astype("<i4").tobytes() + mesh.vertices.round(2).astype("<f4").tobytes()
    )


def scalars_mz3(values: npt.NDArray[np.floating[Any]]) -> bytes:
    """Return one value for each vertex in Surfice's compressed MZ3 format."""
    header = (
        np.array([0x5A4D, 8], dtype="<u2").tobytes() + np.array([0, len(values), 0], dtype="<u4").tobytes()
    )
    return _packed(header + np.asarray(values).astype("<f4").tobytes())


def script_json(payload: Any) -> str:
    """Return data as JSON that can stand inside a script element.

    Examples
    --------
    >>> script_json({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    text = json.dumps(payload, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def niivue_source() -> str:
    """Return NiiVue's code, checked against its recorded checksum and safe inside a script element.

    Raises
    ------
    FormatError
        If the file that is installed is not the one recorded.
    """
    folder = resources.files("spectralbrain") / "data" / "report" / "niivue"
    record = json.loads((folder / "VERSION.json").read_text(encoding="utf-8"))
    code = (folder / "niivue.umd.js").read_bytes()
    found = hashlib.sha256(code).hexdigest()
    if found != record["sha256"]:
        raise FormatError(f"niivue.umd.js: expected SHA-256 {record['sha256']}, found {found}")
    return code.decode("utf-8").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _overlay(
    surface: ViewerSurface, shown: SurfaceMap, scales: Mapping[tuple[str, str], ColorScale]
) -> dict[str, Any]:
    name = _first_line(shown.label)
    scale = scales[surface.group, name]
    return {
        "name": name,
        "detail": shown.label.replace("\n", ", "),
        "colormap": scale.cmap,
        "low": scale.low,
        "high": scale.high,
        "units": shown.units,
        "values": _text(scalars_mz3(coded(shown.values, scale))),
    }


def coded(values: FloatArray, scale: ColorScale) -> FloatArray:
    """Return values as numbers of colours, 0 to 255; -1 where there is none.

    NiiVue draws NaN black and leaves out what lies below the lower limit: so missing values go there.

    Examples
    --------
    >>> coded(np.array([-1.0, 0.5, 9.0, np.nan]), ColorScale("viridis", 0.0, 1.0)).tolist()
    [0.0, 128.0, 255.0, -1.0]
    """
    position = np.rint(np.clip((values - scale.low) / (scale.high - scale.low), 0, 1) * _STEPS)
    return np.where(np.isfinite(values), position, -1.0)


def _shared_scales(surfaces: Sequence[ViewerSurface]) -> dict[tuple[str, str], ColorScale]:
    scales: dict[tuple[str, str], ColorScale] = {}
    for surface in surfaces:
        for shown in surface.maps:
            key = surface.group, _first_line(shown.label)
            other = scales.get(key, shown.scale)
            scales[key] = ColorScale(
                shown.scale.cmap, min(other.low, shown.scale.low), max(other.high, shown.scale.high)
            )
    return scales


def _first_line(label: str) -> str:
    return label.partition("\n")[0]


def _packed(data: bytes) -> bytes:
    import deflate

    return bytes(deflate.gzip_compress(data, _LEVEL))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
