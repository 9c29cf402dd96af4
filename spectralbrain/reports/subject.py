"""The report of one participant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import resources
from typing import Any

from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.io.load import load_mesh
from spectralbrain.reports.asymmetry import asymmetry_rows, hemisphere_pairs, plot_asymmetry
from spectralbrain.reports.inputs import (
    SurfaceInput,
    cell_text,
    load_descriptor,
    load_matrix,
    surface_input,
)
from spectralbrain.reports.matrices import plot_matrix
from spectralbrain.reports.methods import default_methods
from spectralbrain.reports.page import Assembly, Panel, new_assembly, paragraphs
from spectralbrain.reports.rasterizer import Rasterizer
from spectralbrain.reports.render import surface_renderer
from spectralbrain.reports.results import ReportResult
from spectralbrain.reports.simplify import simplify
from spectralbrain.reports.spectrum import plot_resolution, plot_spectrum, weyl_law_of
from spectralbrain.reports.style import Figure, number, slugify
from spectralbrain.reports.surfaces import (
    DescriptorMaps,
    descriptor_figure,
    descriptor_maps,
    mode_maps,
    modes_figure,
    plain_figure,
)
from spectralbrain.reports.viewer import (
    ViewerSurface,
    niivue_source,
    script_json,
    vertex_budget,
    viewer_payload,
)
from spectralbrain.reports.words import (
    Flag,
    descriptor_words,
    facts,
    listed,
    metadata_flags,
    quality_flags,
    verification_facts,
)
from spectralbrain.runtime import PathLike
from spectralbrain.spectral.decomposition import SpectralDecomposition
from spectralbrain.spectral.spectrum import Spectrum

_STATE_WORDS = {"ok": "computed", "flagged": "computed, with remarks", "failed": "failed"}
_VIEWER_MODES = 8


@dataclass
class _SurfaceSection:
    """One surface in the page."""

    name: str
    anchor: str
    state: str
    error: str
    flags: list[Flag]
    facts: list[tuple[str, str]] = field(default_factory=list)
    verification: list[tuple[str, str, str]] = field(default_factory=list)
    quality: list[tuple[str, str]] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    vertices: str = "n/a"
    area: str = "n/a"
    modes: str = "n/a"
    verified: str = "n/a"

    @property
    def state_words(self) -> str:
        return _STATE_WORDS[self.state]


@dataclass
class _Loaded:
    """What was read of one surface; None or empty where reading failed or there was nothing."""

    given: SurfaceInput
    decomposition: SpectralDecomposition | None = None
    mesh: BrainMesh | None = None
    descriptors: list[DescriptorMaps] = field(default_factory=list)
    unread: list[Panel] = field(default_factory=list)


def build_subject_report(
    out_file: PathLike,
    surfaces: Sequence[Mapping[str, Any]],
    *,
    subject: str,
    session: str | None = None,
    matrices: Sequence[Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    methods: str | None = None,
    references: Sequence[str] = (),
    missing: Iterable[Mapping[str, Any]] = (),
    n_modes: int = 4,
    n_scales: int = 3,
    viewer: bool = True,
    figures_dir: PathLike | None = None,
) -> ReportResult:
    """Write the report of one participant: one HTML page that needs nothing else.

    A figure that cannot be drawn leaves its reason in the page, and in the result.

    Parameters
    ----------
    out_file : path
        The page.
    surfaces : sequence of mappings
        One for each surface, failed ones too. Keys, all but `name` or `structure` optional:
        ``name``, ``hemisphere`` ('L', 'R'), ``structure``, ``surface``, ``session``;
        ``decomposition`` (the .h5 cache), ``mesh`` (drawn if there is no decomposition),
        ``descriptors`` (key to file, or to a mapping with file, title, units, scales),
        ``quality`` (mapping), ``flags`` (codes, or mappings with code, severity, message),
        ``status`` ('ok', 'flagged', 'failed'), ``error`` (why it failed), ``matrices``.
    subject : str
        Label, without ``sub-``.
    session : str, optional
        Label, without ``ses-``, if the report is of one session.
    matrices : sequence of mappings
        ``file``, or ``values`` and ``labels``; ``title``, ``units``, ``caption``, and ``kind``
        ('distance', 'similarity', 'correlation').
    parameters : mapping, optional
        Shown as a table.
    methods : str, optional
        Paragraphs, separated by empty lines; by default written from the files' metadata.
    references : sequence of str
        Listed after the methods.
    missing : iterable of mappings
        ``what`` is not there and for which ``reason``.
    n_modes, n_scales : int
        How many non-constant modes, and scales of a descriptor, are drawn.
    viewer : bool
        Whether the page holds the interactive viewer.
    figures_dir : path, optional
        Where each figure is written as a file of its own, too.

    Returns
    -------
    ReportResult

    Raises
    ------
    FormatError
        If an argument is not as described.
    MissingDependencyError
        If the extra ``app`` is not installed.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import ellipsoid
    >>> surfaces = [{"name": "ellipsoid", "decomposition": ellipsoid(3).decompose(k=20).save("ellipsoid.h5")}]
    >>> build_subject_report("sub-01.html", surfaces, subject="01", viewer=False).ok
    True
    """
    given = [surface_input(surface, f"surfaces[{index}]") for index, surface in enumerate(surfaces)]
    assembly = new_assembly(out_file, figures_dir)
    sections, shown = [], []
    spectra: dict[int, Spectrum] = {}
    for index, surface in enumerate(given):  # one at a time: eigenvectors are large
        read = _load(surface, assembly)
        sections.append(_surface_section(read, assembly, n_modes, n_scales))
        if viewer:
            shown += _viewer_surface(read, vertex_budget(len(given)), n_scales, assembly)
        if read.decomposition is not None:
            spectra[index] = Spectrum(read.decomposition.eigenvalues, read.decomposition.metadata)
    asymmetries = [
        _asymmetry(given[left], spectra[left], spectra[right], assembly)
        for left, right in hemisphere_pairs(given)
        if left in spectra and right in spectra
    ]
    panels = [
        _matrix_panel(matrix, f"matrices[{i}]", "Matrices", assembly) for i, matrix in enumerate(matrices)
    ]
    heading = f"sub-{subject}" + (f", ses-{session}" if session else "")
    metadata = [spectrum.metadata for spectrum in spectra.values()]
    absent = [{"What": cell_text(row["what"]), "Reason": cell_text(row["reason"])} for row in missing]
    return assembly.write(
        "subject.html.j2",
        {
            "heading": heading,
            "surfaces": sections,
            "verdict": _verdict(sections, absent),
            "missing": absent,
            "viewer": _viewer(shown, assembly) if viewer else None,
            "asymmetries": asymmetries,
            "matrices": panels,
            "methods": paragraphs(methods if methods is not None else default_methods(metadata)),
            "references": list(references),
            "parameters": {str(k): cell_text(v) for k, v in (parameters or {}).items()},
        },
    )


def _load(surface: SurfaceInput, assembly: Assembly) -> _Loaded:
    read = _Loaded(surface)

    def attempt(what: str, make: Callable[[], Any]) -> Any:
        found = assembly.protect(surface.name, what, make)
        if found is None:
            read.unread.append(Panel(what, failure=assembly.failures[-1]))
        return found

    if (path := surface.decomposition) is not None:
        read.decomposition = attempt("the decomposition", lambda: SpectralDecomposition.load(path))
    if read.decomposition is not None:
        read.mesh = read.decomposition.mesh
    elif (mesh := surface.mesh) is not None:
        read.mesh = attempt("the surface", lambda: load_mesh(mesh))
    for key, source in surface.descriptors.items():
        maps = attempt(descriptor_words(key).title, partial(load_descriptor, key, source))
        if maps is not None:
            read.descriptors.append(maps)
    return read


def _surface_section(read: _Loaded, assembly: Assembly, n_modes: int, n_scales: int) -> _SurfaceSection:
    given, decomposition = read.given, read.decomposition
    section = _SurfaceSection(given.name, slugify(given.name), given.status, given.error, list(given.flags))
    found = quality_flags(given.quality)
    if decomposition is not None:
        found += metadata_flags(decomposition.metadata)
    known = {flag.code for flag in given.flags}
    section.flags += [flag for flag in found if flag.code not in known]
    section.quality = listed(given.quality)
    if decomposition is not None:
        metadata = decomposition.metadata
        section.facts, section.verification = facts(metadata), verification_facts(metadata)
        section.vertices = f"{decomposition.mesh.n_vertices:,}"
        section.area = number(decomposition.surface_area, 4)
        section.modes = str(len(decomposition.eigenvalues))
        section.verified = "yes" if metadata.get("verified") else "no"
    elif read.mesh is not None:
        section.vertices = f"{read.mesh.n_vertices:,}"
    if decomposition is None:
        section.state = "failed"
        section.error = section.error or "No eigenpairs were computed for this surface."
    elif section.state == "ok" and any(flag.severity != "info" for flag in section.flags):
        section.state = "flagged"
    section.panels = [*read.unread, *_panels(read, assembly, n_modes, n_scales)]
    return section


def _panels(read: _Loaded, assembly: Assembly, n_modes: int, n_scales: int) -> list[Panel]:
    given, decomposition = read.given, read.decomposition
    panels = _pictures(read, assembly, n_modes, n_scales) if read.mesh is not None else []
    if decomposition is not None:
        law = weyl_law_of(decomposition)
        plots: dict[str, Callable[..., Figure]] = {
            "the spectrum": partial(plot_spectrum, decomposition.eigenvalues, law),
            "the resolution of the mesh": partial(plot_resolution, decomposition),
        }
        panels += [
            assembly.attempt(given.name, what, partial(plot, name=given.name)) for what, plot in plots.items()
        ]
    panels += [
        _matrix_panel(matrix, f"{given.name}, matrix {index + 1}", given.name, assembly)
        for index, matrix in enumerate(given.matrices)
    ]
    return panels


def _pictures(read: _Loaded, assembly: Assembly, n_modes: int, n_scales: int) -> list[Panel]:
    mesh, name = read.mesh, read.given.name
    assert mesh is not None
    whose: dict[str, Any] = {"name": name, "hemisphere": read.given.hemisphere}
    renderer: Rasterizer | None = assembly.protect(
        name, "pictures of the surface", lambda: surface_renderer(mesh)
    )
    if renderer is None:
        return [Panel("pictures of the surface", failure=assembly.failures[-1])]
    with renderer:
        if read.decomposition is not None:
            first = partial(modes_figure, renderer, read.decomposition, n_modes=n_modes, **whose)
            panels = [assembly.attempt(name, "first eigenmodes", first)]
        else:
            panels = [
                assembly.attempt(name, "the surface", partial(plain_figure, renderer, mesh.vertices, **whose))
            ]
        for maps in read.descriptors:
            explanation = descriptor_words(maps.key).explanation
            draw = partial(
                descriptor_figure,
                renderer,
                mesh.vertices,
                maps,
                n_scales=n_scales,
                explanation=explanation,
                **whose,
            )
            panels.append(assembly.attempt(name, maps.title, draw))
    return panels


def _matrix_panel(given: Mapping[str, Any], place: str, where: str, assembly: Assembly) -> Panel:
    title = str(given.get("title") or place) if isinstance(given, Mapping) else place
    return assembly.attempt(where, title, lambda: plot_matrix(load_matrix(given, place), slug=slugify(title)))


def _viewer_surface(read: _Loaded, budget: int, n_scales: int, assembly: Assembly) -> list[ViewerSurface]:
    if read.mesh is None:
        return []
    mesh = read.mesh

    def make() -> ViewerSurface:
        light, origin = simplify(mesh, budget)
        maps = mode_maps(read.decomposition, _VIEWER_MODES) if read.decomposition is not None else []
        for descriptor in read.descriptors:
            short = descriptor.title.rpartition("(")[2].rstrip(")")
            maps += [
                replace(
                    shown, label=shown.label if shown.label == descriptor.title else f"{short}, {shown.label}"
                )
                for shown in descriptor_maps(descriptor, n_scales)
            ]
        group = read.given.name.removeprefix("Left ").removeprefix("Right ")
        return ViewerSurface(
            name=read.given.name,
            group=group[:1].upper() + group[1:],
            mesh=light,
            maps=tuple(replace(shown, values=shown.values[origin]) for shown in maps),
            simplified=light is not mesh,
        )

    made = assembly.protect(read.given.name, "the surface in the 3D viewer", make)
    return [made] if made is not None else []


def _viewer(shown: list[ViewerSurface], assembly: Assembly) -> dict[str, Any] | None:
    if not shown:
        return None

    def make() -> dict[str, Any]:
        folder = resources.files("spectralbrain") / "data" / "report" / "niivue"
        record = json.loads((folder / "VERSION.json").read_text(encoding="utf-8"))
        remark = "Large surfaces are simplified for this view; the pictures below show every triangle."
        return {
            "source": niivue_source(),
            "data": script_json(viewer_payload(shown)),
            "niivue": record["version"],
            "remark": remark if any(surface.simplified for surface in shown) else "",
            "failure": None,
        }

    made: dict[str, Any] | None = assembly.protect("3D viewer", "the 3D viewer", make)
    return made if made is not None else {"failure": assembly.failures[-1]}


def _asymmetry(given: SurfaceInput, left: Spectrum, right: Spectrum, assembly: Assembly) -> dict[str, Any]:
    name = given.name.removeprefix("Left ")
    name = name[:1].upper() + name[1:]
    return {
        "name": name,
        "rows": asymmetry_rows(left, right),
        "panel": assembly.attempt("Left and right", name, lambda: plot_asymmetry(left, right, name=name)),
    }


def _verdict(sections: Sequence[_SurfaceSection], missing: Sequence[Any]) -> dict[str, str]:
    counts = {state: [s.name for s in sections if s.state == state] for state in _STATE_WORDS}
    total = len(sections)
    if not total:
        return {"state": "failed", "text": "No surface was found for this participant."}
    parts = []
    if counts["failed"]:
        parts.append(f"{len(counts['failed'])} of {total} surfaces failed: {'; '.join(counts['failed'])}.")
    if counts["flagged"]:
        parts.append(f"Look at the remarks on {'; '.join(counts['flagged'])} before using them.")
    if not parts:
        one = "The surface was" if total == 1 else f"All {total} surfaces were"
        parts.append(f"{one} computed and verified, without remarks.")
    if missing:
        parts.append(
            f"{len(missing)} expected item{'s are' if len(missing) > 1 else ' is'} not there, see below."
        )
    state = "failed" if counts["failed"] else "flagged" if counts["flagged"] or missing else "ok"
    return {"state": state, "text": " ".join(parts)}
