"""The settings of a run: the command line, resolved and frozen."""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectralbrain.bids.entities import strip_prefix, to_label
from spectralbrain.bids.parameters import Parameters
from spectralbrain.bids.query import Query, check_surfaces, read_filters
from spectralbrain.bids.structures import choose_structures
from spectralbrain.errors import BIDSError


@dataclass(frozen=True)
class Settings:
    """What a run does, where and with what resources.

    Attributes
    ----------
    input_dir, output_dir, work_dir : Path
        Absolute.
    level : {'participant', 'group'}
        Analysis level.
    parameters : Parameters
        What determines the results.
    query : Query
        What to take of the inputs.
    datasets : mapping
        Further datasets by name.
    layout : str or None
        Of the input; None: detect.
    nprocs, omp_nthreads : int or None
        Processors in all, threads of one step; None: what is granted.
    mem_gb : float or None
        Memory in all.
    given, configured : frozenset of str
        The options that stand on the command line, and in the configuration file.
    plugin : mapping or None
        ``{'plugin': ..., 'plugin_args': ...}`` of Nipype.
    """

    input_dir: Path
    output_dir: Path
    work_dir: Path
    level: str
    parameters: Parameters
    query: Query
    datasets: Mapping[str, Path] = field(default_factory=dict)
    layout: str | None = None
    nprocs: int | None = None
    omp_nthreads: int | None = None
    mem_gb: float | None = None
    plugin: Mapping[str, Any] | None = None
    clean_workdir: bool = False
    replace: bool = False
    stop_on_first_crash: bool = False
    reports_only: bool = False
    boilerplate_only: bool = False
    write_graph: bool = False
    dry_run: bool = False
    check_inputs: bool = True
    outlier_threshold: float = 3.5
    report: bool = True
    verbose: int = 0
    given: frozenset[str] = frozenset()
    configured: frozenset[str] = frozenset()


def build_settings(options: argparse.Namespace) -> Settings:
    """Resolve a parsed command line.

    Parameters
    ----------
    options : argparse.Namespace
        From :func:`spectralbrain.cli.parser.parse_args`.

    Returns
    -------
    Settings

    Raises
    ------
    BIDSError
        If a file given as an option does not hold what it should, or a name is unknown.
    """
    if options.outlier_threshold <= 0:
        raise BIDSError(f"--outlier-threshold: expected a positive number, found {options.outlier_threshold}")
    return Settings(
        input_dir=options.input_dir,
        output_dir=options.output_dir,
        work_dir=options.work_dir,
        level=options.analysis_level,
        parameters=_parameters(options),
        query=_query(options),
        datasets=dict(options.derivatives),
        layout=options.input_layout,
        nprocs=options.nprocs,
        omp_nthreads=options.omp_nthreads,
        mem_gb=options.mem_gb,
        plugin=_plugin(options.nipype_plugin_file),
        clean_workdir=options.clean_workdir,
        replace=options.replace,
        stop_on_first_crash=options.stop_on_first_crash,
        reports_only=options.reports_only,
        boilerplate_only=options.boilerplate_only,
        write_graph=options.write_graph,
        dry_run=options.dry_run,
        check_inputs=not options.skip_bids_validation,
        outlier_threshold=options.outlier_threshold,
        report=options.report,
        verbose=options.verbose,
        given=options.given,
        configured=options.configured,
    )


def _parameters(options: argparse.Namespace) -> Parameters:
    return Parameters(
        modes=options.modes,
        descriptors=tuple(options.descriptors),
        scales=options.scales,
        written_modes=options.written_modes,
        normalization=options.normalization,
        laplacian=options.laplacian,
        mass=_mass(options.mass, options.laplacian),
        boundary=options.boundary,
        medial_wall=options.medial_wall,
        region_modes=options.region_modes,
        write_meshes=options.write_meshes,
        hks_times=_grid(options.hks_times, "--hks-times", positive=True),
        wks_energies=_grid(options.wks_energies, "--wks-energies", positive=False),
    )


def _mass(mass: str | None, laplacian: str) -> str:
    natural = "lumped" if laplacian == "robust" else "consistent"
    if laplacian == "robust" and mass == "consistent":
        raise BIDSError("--mass: expected lumped with --laplacian robust, found 'consistent'")
    if laplacian == "quadratic" and mass == "lumped":
        raise BIDSError("--mass: expected consistent with --laplacian quadratic, found 'lumped'")
    return mass or natural


def _query(options: argparse.Namespace) -> Query:
    names = tuple(options.parcellation)
    if len(names) > 1 and {"auto", "none"} & set(names):
        raise BIDSError(f"--parcellation: auto and none stand alone, found {' '.join(names)}")
    parcellations = {("auto",): (), ("none",): None}.get(names, names)
    return Query(
        participants=options.participant_label,
        sessions=options.session_label,
        surfaces=check_surfaces(tuple(options.surfaces)),
        structures=choose_structures(options.structures),
        parcellations=parcellations,
        space=options.space,
        density=options.density,
        filters=_filters(options.bids_filter_file),
        mapping=_mapping(options.mapping_file),
        longitudinal=options.longitudinal,
    )


def _filters(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BIDSError(f"--bids-filter-file: {path} is not JSON ({error})") from error
    return read_filters(document)


def _mapping(path: Path | None) -> dict[str, tuple[str, str]]:
    if path is None:
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    mapping: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(rows, 2):
        source, participant = row.get("source_id"), row.get("participant_id")
        if not source or not participant:
            raise BIDSError(f"--mapping-file: {path}, line {number}: expected source_id and participant_id")
        session = row.get("session_id") or ""
        session = "" if session == "n/a" else strip_prefix(session, "ses")
        mapping[source] = (
            to_label(strip_prefix(participant, "sub")),
            to_label(session) if session else "",
        )
    if len(set(mapping.values())) != len(mapping):
        raise BIDSError(f"--mapping-file: {path} gives one participant_id (and session_id) to two sources")
    return mapping


def _grid(path: Path | list[float] | None, flag: str, *, positive: bool) -> tuple[float, ...] | None:
    """Read a grid from its file; a configuration file holds the numbers themselves."""
    if path is None:
        return None
    words = path if isinstance(path, list) else path.read_text(encoding="utf-8").split()
    try:
        values = tuple(float(word) for word in words)
    except ValueError as error:
        raise BIDSError(f"{flag}: {path}: expected one number per line ({error})") from error
    rising = all(a < b for a, b in itertools.pairwise(values))
    if not values or not rising or (positive and values[0] <= 0):
        kind = "positive, increasing" if positive else "increasing"
        raise BIDSError(f"{flag}: {path}: expected {kind} numbers, one per line")
    return values


def _plugin(path: Path | None) -> dict[str, Any] | None:
    """Read a plugin file: YAML as fMRIPrep takes it, JSON, or TOML."""
    if path is None:
        return None
    flag, text, kind = "--nipype-plugin-file", path.read_text(encoding="utf-8"), path.suffix.lower()
    document: Any
    try:
        if kind in (".yml", ".yaml"):
            document = _yaml(text, path)
        else:
            document = json.loads(text) if kind == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise BIDSError(f"{flag}: {path}: expected YAML (.yml), JSON (.json) or TOML ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("plugin"), str):
        raise BIDSError(f"{flag}: {path}: expected the keys plugin and plugin_args")
    if not isinstance(document.get("plugin_args", {}), dict):
        raise BIDSError(f"{flag}: {path}: expected plugin_args to hold names and values")
    return document


def _yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise BIDSError(
            f"--nipype-plugin-file: {path}: YAML needs the package PyYAML: pip install pyyaml "
            "(or write the same as JSON or TOML)"
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
