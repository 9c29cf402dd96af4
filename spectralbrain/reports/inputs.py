"""What a report is made from: files the pipeline wrote, read once and checked."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io.export import load_connectome, load_gifti_func, load_hdf5
from spectralbrain.reports.matrices import LabelledMatrix, MatrixKind
from spectralbrain.reports.style import number
from spectralbrain.reports.surfaces import DescriptorMaps
from spectralbrain.reports.views import Hemisphere
from spectralbrain.reports.words import Flag, canonical_key, descriptor_words, flag_from
from spectralbrain.runtime import FloatArray, PathLike

MISSING = "n/a"
_SIDES = {"L": "Left", "R": "Right"}
_NAMES = {"cortex": "cortex", "hipp": "hippocampus", "dentate": "dentate gyrus"}
_MATRIX_KEYS = ("file", "values", "labels", "title", "units", "caption", "kind")
_STATES = ("ok", "flagged", "failed")


@dataclass(frozen=True)
class SurfaceInput:
    """One surface of a subject: see ``build_subject_report`` for the meaning of each field."""

    name: str
    hemisphere: Hemisphere | None = None
    structure: str = ""
    surface: str = ""
    session: str | None = None
    decomposition: Path | None = None
    mesh: Path | None = None
    descriptors: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    status: str = "ok"
    error: str = ""
    matrices: tuple[Mapping[str, Any], ...] = ()

    @property
    def pair_key(self) -> tuple[str, str, str]:
        """What left and right partners have in common."""
        return self.structure, self.surface, self.session or ""


_SURFACE_KEYS = tuple(SurfaceInput.__dataclass_fields__)


def surface_input(given: Mapping[str, Any], place: str) -> SurfaceInput:
    """Check one surface mapping.

    Parameters
    ----------
    given : mapping
        As described in :func:`spectralbrain.reports.build_subject_report`.
    place : str
        Its place among the arguments, for messages.

    Returns
    -------
    SurfaceInput

    Raises
    ------
    FormatError
        If a key or a value is unknown.

    Examples
    --------
    >>> surface_input({"hemisphere": "L", "structure": "cortex", "surface": "white"}, "surfaces[0]").name
    'Left cortex (white)'
    """
    _refuse_unknown(given, _SURFACE_KEYS, place)
    hemisphere = given.get("hemisphere")
    if hemisphere not in ("L", "R", None):
        raise FormatError(f"{place}: expected hemisphere 'L', 'R' or None, found {hemisphere!r}")
    status = given.get("status") or "ok"
    if status not in _STATES:
        raise FormatError(f"{place}: expected status {', '.join(_STATES)}, found {status!r}")
    name = given.get("name") or _name_of(given)
    if not name:
        raise FormatError(f"{place}: expected a name or a structure, found neither")
    paths = {key: Path(given[key]) if given.get(key) else None for key in ("decomposition", "mesh")}
    return SurfaceInput(
        name=name,
        hemisphere=hemisphere,
        structure=given.get("structure") or "",
        surface=given.get("surface") or "",
        session=given.get("session"),
        descriptors=dict(given.get("descriptors") or {}),
        quality=dict(given.get("quality") or {}),
        flags=tuple(flag_from(flag) for flag in given.get("flags") or ()),
        status=status,
        error=str(given.get("error") or ""),
        matrices=tuple(given.get("matrices") or ()),
        **paths,
    )


def load_descriptor(key: str, given: Any) -> DescriptorMaps:
    """Read a per-vertex descriptor at all its scales.

    Parameters
    ----------
    key : str
        Its short name, for example ``'hks'``.
    given : path or mapping
        A ``.h5`` descriptor cache or a GIFTI file, or a mapping with ``file`` and, optionally,
        ``title``, ``units`` and ``scales``.

    Returns
    -------
    DescriptorMaps

    Raises
    ------
    FormatError
        If the file does not hold the descriptor, or the names do not fit its columns.
    """
    options = dict(given) if isinstance(given, Mapping) else {"file": given}
    _refuse_unknown(options, ("file", "title", "units", "scales"), f"descriptors[{key!r}]")
    path, words = Path(options["file"]), descriptor_words(key)
    values, facts = _gifti_maps(path, key) if path.name.endswith(".gii") else _cached_maps(path, key)
    values = values[:, None] if values.ndim == 1 else values
    scales = options.get("scales") or facts.get("names") or scale_names(key, values.shape[1], facts)
    if len(scales) != values.shape[1]:
        raise FormatError(f"{path}: expected {values.shape[1]} names of scales, found {len(scales)}")
    units = next((u for u in (options.get("units"), facts.get("units")) if u is not None), words.units)
    title = options.get("title") or words.title
    return DescriptorMaps(key, title, pretty_units(str(units)), values, tuple(map(str, scales)))


def scale_names(key: str, n_scales: int, facts: Mapping[str, Any]) -> list[str]:
    r"""Return what the columns of a descriptor are, from its grid.

    Parameters
    ----------
    key : str
        Short name of the descriptor.
    n_scales : int
        Number of columns.
    facts : mapping
        ``times`` (mm^2) or ``energies`` (log mm^-2) if known.

    Returns
    -------
    list of str
        The first line is the name, a second one helps to picture it.

    Examples
    --------
    >>> scale_names("hks", 1, {"times": [800.0]})
    ['t = 800 mm²\nspread √(2t) = 40 mm']
    >>> scale_names("gps", 2, {})
    ['mode 1 of 2', 'mode 2 of 2']
    """
    times, energies = (np.ravel(facts.get(grid, ())) for grid in ("times", "energies"))
    if times.size == n_scales:
        return [f"t = {number(t)} mm²\nspread √(2t) = {number(float(np.sqrt(2 * t)))} mm" for t in times]
    if energies.size == n_scales:
        lengths = 2 * np.pi / np.exp(energies / 2)
        return [
            f"log energy {energy:.2f}\nwavelength {number(float(length))} mm".replace("-", "−")
            for energy, length in zip(energies, lengths, strict=True)
        ]
    words = descriptor_words(key)
    if n_scales == 1:
        return [words.title]
    return [f"{words.scale or 'map'} {index + 1} of {n_scales}" for index in range(n_scales)]


def load_matrix(given: Any, place: str) -> LabelledMatrix:
    """Read a matrix and its labels from a mapping with ``file``, or with ``values`` and ``labels``.

    Raises
    ------
    FormatError
        If the mapping is not as described, or the file is no square matrix.
    """
    if not isinstance(given, Mapping):
        raise FormatError(f"{place}: expected a mapping with file or values, found {type(given).__name__}")
    _refuse_unknown(given, _MATRIX_KEYS, place)
    kind: MatrixKind = given.get("kind") or "distance"
    if kind not in get_args(MatrixKind):
        raise FormatError(f"{place}: expected kind distance, similarity or correlation, found {kind!r}")
    if given.get("file") is not None:
        values, labels = load_connectome(given["file"])
        title = given.get("title") or Path(given["file"]).name
    elif given.get("values") is not None:
        values, labels = np.asarray(given["values"], dtype=float), None
        title = given.get("title") or place
    else:
        raise FormatError(f"{place}: expected file or values, found neither")
    labels = given.get("labels") or labels or [str(index + 1) for index in range(len(values))]
    return LabelledMatrix(
        values,
        tuple(str(label) for label in labels),
        str(title),
        pretty_units(str(given.get("units") or "")),
        str(given.get("caption") or ""),
        kind,
    )


def load_table(given: PathLike | Iterable[Mapping[str, Any]] | None, place: str) -> list[dict[str, str]]:
    """Read a table from a TSV file, or from a list of mappings; missing values become ``n/a``.

    Raises
    ------
    FormatError
        If a row of the file has more or fewer cells than its header, or the last one no end.
    """
    if given is None:
        return []
    if not isinstance(given, str | os.PathLike):
        return [{str(k): cell_text(v) for k, v in row.items()} for row in given]
    path = Path(given)
    with path.open(newline="", encoding="utf-8-sig") as stream:
        text = stream.read()
    lines = [row for row in csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    if not lines:
        raise FormatError(f"{place}: {path}: expected a header, found an empty file")
    if not text.endswith("\n"):
        raise FormatError(f"{place}: {path}: expected a line feed after the last line, is it truncated?")
    header, rows = lines[0], lines[1:]
    for number_of_line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise FormatError(
                f"{place}: {path}, line {number_of_line}: expected {len(header)} cells, found {len(row)}"
            )
    return [dict(zip(header, row, strict=True)) for row in rows]


def cell_text(value: Any) -> str:
    """Return a table cell as text.

    Examples
    --------
    >>> cell_text(None), cell_text(float("nan")), cell_text(1234.5678), cell_text("x")
    ('n/a', 'n/a', '1234.57', 'x')
    """
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return MISSING
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)


def as_number(text: Any) -> float:
    """Return a table cell as a number; NaN for what is none.

    Examples
    --------
    >>> as_number("2.5"), as_number("n/a")
    (2.5, nan)
    """
    try:
        value = float(text)
    except (TypeError, ValueError):
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def pretty_units(units: str) -> str:
    """Return a unit with raised exponents.

    Examples
    --------
    >>> pretty_units("mm^-2"), pretty_units("1")
    ('mm⁻²', '')
    """
    if units in ("1", "none", "None"):
        return ""
    for plain, raised in (("^-1", "⁻¹"), ("^-2", "⁻²"), ("^2", "²"), ("^3", "³")):
        units = units.replace(plain, raised)
    return units


def _cached_maps(path: Path, key: str) -> tuple[FloatArray, Mapping[str, Any]]:
    contents = load_hdf5(path)
    descriptors, metadata = contents["descriptors"], contents["metadata"]
    held = next((name for name in (key, canonical_key(key)) if name in descriptors), None)
    if held is None:
        raise FormatError(
            f"{path}: expected descriptor {key!r}, found {', '.join(sorted(descriptors)) or 'none'}"
        )
    values = np.asarray(descriptors[held], dtype=float)
    if values.ndim not in (1, 2):
        raise FormatError(f"{path}: expected a map for each vertex, found shape {values.shape}")
    return values, {
        name: metadata.get(f"{held}_{name}")
        for name in ("times", "energies", "units")
        if f"{held}_{name}" in metadata
    }


def _gifti_maps(path: Path, key: str) -> tuple[FloatArray, Mapping[str, Any]]:
    import nibabel

    values = np.asarray(load_gifti_func(path), dtype=float)
    meta = [array.meta for array in nibabel.load(path).darrays]
    facts: dict[str, Any] = {}
    beside = path.with_name(
        path.name.removesuffix(".gii").removesuffix(".shape").removesuffix(".func") + ".json"
    )
    if beside.is_file():
        sidecar = json.loads(beside.read_text(encoding="utf-8"))
        known = {"times": "DiffusionTimes", "energies": "Energies", "units": "Units"}
        facts = {name: sidecar[field] for name, field in known.items() if sidecar.get(field) is not None}
    if units := {m.get("Units") for m in meta} - {None}:
        facts["units"] = units.pop()
    if meta and all(m.get("Name") for m in meta) and not {"times", "energies"} & set(facts):
        facts["names"] = [m["Name"] for m in meta]
    return values, facts


def _name_of(given: Mapping[str, Any]) -> str:
    structure = given.get("structure")
    if not structure:
        return ""
    words = [_SIDES.get(given.get("hemisphere") or "", ""), _NAMES.get(structure, structure)]
    name = " ".join(word for word in words if word)
    if given.get("surface"):
        name += f" ({given['surface']})"
    if given.get("session"):
        name += f", session {given['session']}"
    return name


def _refuse_unknown(given: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise FormatError(f"{place}: unknown {', '.join(unknown)}; expected {', '.join(known)}")
