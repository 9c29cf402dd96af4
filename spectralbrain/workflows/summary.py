"""What is made of all the surfaces of a participant: tables and the report."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain._version import __version__
from spectralbrain.bids.citation import methods_text, references_of
from spectralbrain.bids.description import as_json
from spectralbrain.bids.products import sidecar_name, table_name
from spectralbrain.bids.tables import format_tsv
from spectralbrain.errors import MissingDependencyError, SpectralBrainError
from spectralbrain.io._atomic import write_text_atomic
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum
from spectralbrain.workflows.asymmetry import ASYMMETRY_COLUMNS, ASYMMETRY_FIELDS, asymmetry_values
from spectralbrain.workflows.outputs import plain
from spectralbrain.workflows.state import ParticipantState, SurfaceState

EIGENPAIRS = "_eigenpairs.h5"
FLAGGED_ERROR = 0.01  # relative error of an eigenvalue that comes from the mesh alone
MEASURES = (
    *("n_vertices", "n_domain_vertices", "n_faces", "surface_area", "volume", "boundary_length"),
    *("euler_characteristic", "n_components", "n_null_modes", "max_residual"),
)
COLUMNS = {
    "index": {"Description": "Row number"},
    "name": {"Description": "Structure and hemisphere"},
    "hemisphere": {"Description": "L, R, or n/a on the midline"},
    "structure": {"Description": "Analysed structure"},
    "surface": {"Description": "Analysed surface"},
    "space": {"Description": "Space of the surface; n/a: the participant's own"},
    "density": {"Description": "Density label of the surface; n/a: native"},
    "medial_wall": {"Description": "masked or closed"},
    "boundary": {"Description": "Condition on open borders; closed where there is none"},
    "status": {"Description": "ok, flagged (see reason) or failed (no result)"},
    "reason": {"Description": "Why there is no result, or what to look at"},
    "n_vertices": {"Description": "Vertices of the whole surface"},
    "n_domain_vertices": {"Description": "Vertices that were analysed"},
    "n_faces": {"Description": "Triangles of the analysed domain"},
    "surface_area": {"Description": "Area of the analysed domain", "Units": "mm^2"},
    "volume": {"Description": "Enclosed volume, closed surfaces only", "Units": "mm^3"},
    "boundary_length": {"Description": "Length of the domain's border", "Units": "mm"},
    "euler_characteristic": {"Description": "Euler characteristic of the domain (closed hemisphere: 2)"},
    "n_components": {"Description": "Connected components"},
    "n_null_modes": {"Description": "Constant modes, counted by topology"},
    "max_residual": {"Description": "Largest relative residual of an eigenpair"},
}


def eigenpairs_of(state: SurfaceState) -> str:
    """Return the relative path of a surface's decomposition."""
    return next(name for name in state.files if name.endswith(EIGENPAIRS))


def surface_row(
    output: Path, state: SurfaceState, normalization: str, *, shapedna: bool, spectrum: Spectrum | None
) -> dict[str, Any]:
    """Return a surface's row: identity, status, size, topology, spectrum."""
    facts = state.entities
    name = " ".join(p for p in (facts["structure"], facts["hemisphere"], facts["surface"]) if p)
    keys = ("hemisphere", "structure", "surface", "space", "density")
    row: dict[str, Any] = {"name": name, **{key: facts[key] for key in keys}}
    if spectrum is None:
        return {**row, "status": "failed", "reason": state.reason}
    sidecar = json.loads((output / sidecar_name(eigenpairs_of(state))).read_text(encoding="utf-8"))
    flags = [*flags_of(spectrum, sidecar).values(), *([state.reason] if state.reason else [])]
    row |= {"medial_wall": sidecar["MedialWall"], "boundary": spectrum.metadata.get("boundary")}
    row |= {"status": "flagged" if flags else "ok", "reason": "; ".join(flags)}
    row |= {key: plain(spectrum.metadata.get(key)) for key in MEASURES}
    row |= {f"eigenvalue_{i:04d}": float(v) for i, v in enumerate(spectrum.eigenvalues)}
    if shapedna:
        try:
            values = compute_shapedna(spectrum, normalization=normalization)  # type: ignore[arg-type]
        except SpectralBrainError as error:
            row |= {"status": "flagged", "reason": "; ".join([*flags, f"no ShapeDNA: {error}"])}
        else:
            row |= {f"shapedna_{i:04d}": float(v) for i, v in enumerate(values, 1)}
    return row


def flags_of(spectrum: Spectrum, sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return what somebody should look at before trusting a surface's numbers, by the report's codes."""
    metadata, flags = spectrum.metadata, {}
    if metadata.get("verified") is False:
        flags["unverified"] = "eigenpairs could not be verified"
    components = int(metadata.get("n_components", 1))
    if components > 1:
        flags["multiple_components"] = f"{components} connected components"
    euler = metadata.get("euler_characteristic")
    closed = metadata.get("boundary") == "closed"
    if closed and components == 1 and euler not in (None, 2):
        flags["handles"] = f"Euler characteristic {euler} instead of 2: handles"
    error = np.asarray(metadata.get("discretization_error", ()), dtype=float)
    poor = np.flatnonzero(error > FLAGGED_ERROR)
    if poor.size:
        share = f"estimated error above {100 * FLAGGED_ERROR:g} % from mode {poor[0] + 1} on"
        flags["discretization_error"] = f"mesh too coarse for the highest modes: {share}"
    for code in np.atleast_1d(metadata.get("quality_flags", ())).tolist():
        flags.setdefault(str(code), str(code).replace("_", " "))
    stated = sidecar.get("StatedHemisphere")
    if stated:
        flags["other_hemisphere"] = f"the file says that it is of the hemisphere {stated}"
    quality = sidecar.get("Quality") or {}
    for key, text in (("degenerate", "degenerate triangles"), ("duplicate", "duplicate triangles")):
        count = quality.get(f"n_{key}_faces", 0)
        if isinstance(count, int) and count:
            flags[f"n_{key}_faces"] = f"{count} {text}"
    return flags


def write_participant_tables(task: Any, state: ParticipantState) -> list[Path]:
    """Write the ShapeDNA table of each session, with its sidecar.

    Parameters
    ----------
    task : ParticipantTask
        Whose.
    state : ParticipantState
        All of the participant's surfaces, of earlier runs too.

    Returns
    -------
    list of Path
    """
    sessions: dict[str, list[SurfaceState]] = defaultdict(list)
    for key in sorted(state.surfaces):
        sessions[state.surfaces[key].entities["session"]].append(state.surfaces[key])
    written = []
    for session, surfaces in sorted(sessions.items()):
        wants = "shapedna" in task.parameters.descriptors
        found = [
            Spectrum.load(task.output_dir / eigenpairs_of(s)) if s.status != "failed" else None
            for s in surfaces
        ]
        rows = [
            surface_row(task.output_dir, s, task.parameters.normalization, shapedna=wants, spectrum=spectrum)
            for s, spectrum in zip(surfaces, found, strict=True)
        ]
        for i, row in enumerate(rows, 1):
            row["index"] = i
        spectra = sorted({c for row in rows for c in row if c.startswith(("eigenvalue_", "shapedna_"))})
        columns = [*COLUMNS, *spectra]
        name = table_name(task.subject, session, "shapedna")
        sources = [f"bids::{eigenpairs_of(s)}" for s in surfaces if s.status != "failed"]
        written.append(write_text_atomic(task.output_dir / name, format_tsv(rows, columns)))
        document = table_sidecar(spectra, task.parameters.normalization, sources)
        written.append(write_text_atomic(task.output_dir / sidecar_name(name), as_json(document)))
        written += _write_asymmetry(task.output_dir, task.subject, session, surfaces, found)
    return written


def _write_asymmetry(
    output: Path,
    subject: str,
    session: str,
    surfaces: Sequence[SurfaceState],
    spectra: Sequence[Spectrum | None],
) -> list[Path]:
    """Write left against right of each pair of surfaces alike in all but the hemisphere; none: nothing."""
    sides: dict[str, dict[tuple[str, ...], tuple[SurfaceState, Spectrum | None]]] = {"L": {}, "R": {}}
    for state, spectrum in zip(surfaces, spectra, strict=True):
        side = sides.get(state.entities["hemisphere"])
        if side is not None:
            place = tuple(label for key, label in sorted(state.entities.items()) if key != "hemisphere")
            side[place] = state, spectrum
    rows: list[dict[str, Any]] = []
    sources: list[str] = []
    for place in (p for p in sides["L"] if p in sides["R"]):
        (left, left_spectrum), (right, right_spectrum) = sides["L"][place], sides["R"][place]
        facts = {key: left.entities[key] for key in ("structure", "surface", "space", "density")}
        row: dict[str, Any] = {"index": len(rows) + 1, "name": facts["structure"], **facts}
        if left_spectrum is None or right_spectrum is None:
            failed = [state.reason for state in (left, right) if state.status == "failed"]
            row["reason"] = "; ".join(dict.fromkeys(failed))
        else:
            row |= asymmetry_values(left_spectrum, right_spectrum)
        sources += [f"bids::{eigenpairs_of(state)}" for state in (left, right) if state.status != "failed"]
        rows.append(row)
    if not sources:
        return []
    name = table_name(subject, session, "asymmetry")
    columns = ["index", "name", "structure", "surface", "space", "density", *ASYMMETRY_COLUMNS]
    document = {
        "Description": "Left against right: unsigned distance of shape, signed differences of size",
        "Sources": sources,
        **{c: COLUMNS.get(c, {"Description": c}) for c in columns},
        "name": {"Description": "Structure"},
        **ASYMMETRY_FIELDS,
    }
    return [
        write_text_atomic(output / name, format_tsv(rows, columns)),
        write_text_atomic(output / sidecar_name(name), as_json(document)),
    ]


def table_sidecar(spectra: list[str], normalization: str, sources: list[str]) -> dict[str, Any]:
    """Return the sidecar of a ShapeDNA table."""
    document: dict[str, Any] = {
        "Description": "One row per surface: size, topology, Laplace-Beltrami spectrum, status",
        "Sources": sources,
        "EigenvalueNormalization": normalization,
        **COLUMNS,
    }
    units = {"area": "1", "volume": "1", "none": "mm^-2"}[normalization]
    for column in spectra:
        kind, _, number = column.partition("_")
        if kind == "eigenvalue":
            document[column] = {
                "Description": f"Eigenvalue {int(number)}, null modes included",
                "Units": "mm^-2",
            }
        else:
            document[column] = {"Description": f"ShapeDNA, non-null mode {int(number)}", "Units": units}
    return document


def write_participant_report(task: Any, state: ParticipantState) -> tuple[list[Path], list[str], str]:
    """Write ``sub-X.html``.

    Returns
    -------
    files : list of Path
        The report and its figures.
    problems : list of str
        Parts that could not be made.
    note : str
        Why there is no report at all (an extra that is not installed), or ''.
    """
    try:
        from spectralbrain.reports import build_subject_report
    except ImportError as error:
        return [], [], f"no report: {error}"
    out_file = task.output_dir / f"sub-{task.subject}.html"
    surfaces = [_report_surface(task.output_dir, state.surfaces[key]) for key in sorted(state.surfaces)]
    try:
        result = build_subject_report(
            out_file,
            surfaces,
            subject=task.subject,
            parameters={key: value for key, value in task.parameters.as_dict().items() if value is not None},
            methods="\n\n".join(methods_text(task.parameters, __version__)),
            references=[reference.text for reference in references_of(task.parameters)],
        )
    except MissingDependencyError as error:
        return [], [], f"no report: {error}"
    except Exception as error:  # a page that cannot be drawn must not lose the numbers
        return [], [f"{type(error).__name__}: {error}"], ""
    problems = [f"{f.where}, {f.what}: {f.message}" for f in result.failures]
    return [Path(f) for f in result.files], problems, ""


def _report_surface(output: Path, state: SurfaceState) -> dict[str, Any]:
    facts = state.entities
    surface: dict[str, Any] = {
        "hemisphere": facts["hemisphere"] or None,
        "structure": facts["structure"],
        "surface": facts["surface"],
        "session": facts["session"] or None,
        "status": "ok",
    }
    if state.status == "failed":
        return {**surface, "status": "failed", "error": state.reason}
    eigenpairs = eigenpairs_of(state)
    sidecar = json.loads((output / sidecar_name(eigenpairs)).read_text(encoding="utf-8"))
    flags = flags_of(Spectrum.load(output / eigenpairs), sidecar)
    if state.reason:
        flags["partial"] = state.reason
    maps = {
        suffix: str(output / name)
        for suffix in ("hks", "sihks", "wks", "gps", "bks")
        for name in state.files
        if name.endswith(f"_{suffix}.shape.gii")
    }
    matrices = [
        {"file": str(output / name), "title": "Distances between regions", "kind": "distance"}
        for name in state.files
        if name.endswith("_relmat.tsv")
    ]
    return {
        **surface,
        "status": "flagged" if flags else "ok",
        "decomposition": str(output / eigenpairs),
        "descriptors": maps,
        "quality": sidecar.get("Quality") or {},
        "flags": [{"code": code, "severity": "warning", "message": text} for code, text in flags.items()],
        "matrices": matrices,
    }
