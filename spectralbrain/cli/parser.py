"""The command line: parsed and checked without importing anything heavy."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectralbrain.bids.entities import strip_prefix
from spectralbrain.cli.options import Parser, build_parser

__all__ = ["Parser", "build_parser", "parse_args"]
GRIDS = ("hks_times", "wks_energies")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line; usage errors end the process with 64.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    argparse.Namespace
        With labels stripped, files read and paths absolute; ``given`` and ``configured`` name the
        options that stand on the command line and in the ``--config-file``.
    """
    parser = build_parser()
    options = parser.parse_args(argv)
    configured = _config(parser, options.config_file) if options.config_file else {}
    if configured:
        parser.set_defaults(**configured)
        options = parser.parse_args(argv)
    options.given, options.configured = _given(argv), frozenset(configured)
    for name in ("input_dir", "output_dir", "work_dir"):
        setattr(options, name, Path(getattr(options, name)).absolute())
    options.participant_label = _labels(options.participant_label, "sub")
    options.session_label = _labels(options.session_label, "ses")
    _check_datasets(parser, options)
    _check_folders(parser, options)
    only = [n for n in ("reports_only", "boilerplate_only", "dry_run") if getattr(options, n)]
    if len(only) > 1:
        parser.error(
            f"argument --{only[0].replace('_', '-')}: not allowed with --{only[1].replace('_', '-')}"
        )
    if options.reports_only and not options.report:
        parser.error("argument --reports-only: not allowed with --no-report")
    if options.omp_nthreads and options.nprocs and options.omp_nthreads > options.nprocs:
        found = f"found {options.omp_nthreads}"
        parser.error(f"argument --omp-nthreads: expected at most --nprocs ({options.nprocs}), {found}")
    return options


def _given(argv: Sequence[str] | None) -> frozenset[str]:
    """Return the options that stand on the command line, by their names in the namespace."""
    parser = build_parser()
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    return frozenset(vars(parser.parse_args(argv))) - {"input_dir", "output_dir", "analysis_level"}


def _check_datasets(parser: Parser, options: argparse.Namespace) -> None:
    names = [name for name, _ in options.derivatives]
    for name in names:
        if names.count(name) > 1 or name == "input":
            parser.error(f"argument -d/--derivatives: the name {name!r} is taken; write OTHERNAME=PATH")


def _check_folders(parser: Parser, options: argparse.Namespace) -> None:
    source, output, work = (
        Path(getattr(options, n)).resolve() for n in ("input_dir", "output_dir", "work_dir")
    )
    if output == source:
        parser.error("argument OUTPUT: must be another folder than INPUT, which is only read")
    inside = output.is_relative_to(source) and not output.is_relative_to(source / "derivatives")
    if inside:
        parser.error(f"argument OUTPUT: must not lie inside INPUT, unless in {source / 'derivatives'}")
    if work == source or work.is_relative_to(source):
        parser.error("argument -w/--work-dir: must not lie inside INPUT, which is only read")
    if output.exists() and not output.is_dir():
        parser.error(f"argument OUTPUT: expected a folder, found a file at {str(output)!r}")


def _config(parser: Parser, path: Path) -> dict[str, Any]:
    """Read a file of options, check them as the command line would, and return them as defaults.

    ``logs/config.toml`` of an earlier run is such a file.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        parser.error(f"argument --config-file: {path} is not TOML ({error})")
    values: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            values.update(value)
        elif key not in ("version", "configuration_hash"):  # what logs/config.toml says besides
            values[key] = value
    actions = {a.dest: a for a in parser._actions if a.option_strings and a.dest not in ("help", "version")}
    defaults: dict[str, Any] = {}
    for key, value in values.items():
        action = actions.get(key.replace("-", "_"))
        if action is None:
            parser.error(f"argument --config-file: {path} has the unknown option {key!r}")
        defaults[action.dest] = _checked(parser, action, value, path)
    return defaults


def _checked(parser: Parser, action: argparse.Action, value: Any, path: Path) -> Any:
    """Return a value of a configuration file as the command line would have parsed it."""
    flag = action.option_strings[-1]
    if action.dest in GRIDS and isinstance(value, list):
        return value  # the numbers themselves; the command line names a file of them
    if action.nargs == 0 or isinstance(value, bool):
        if action.nargs != 0 or type(value) is not type(action.default):
            parser.error(f"argument --config-file: {path}: {action.dest} cannot be {value!r}")
        return value
    words = [str(v) for v in value] if isinstance(value, list) else [str(value)]
    checked = parser.parse_args([flag, *words, "--", "in", "out", "participant"])
    return getattr(checked, action.dest)


def _labels(values: Sequence[str] | None, key: str) -> tuple[str, ...]:
    """Return labels without prefix; a value that is a file holds one per line."""
    labels: list[str] = []
    for value in values or ():
        path = Path(value)
        lines = path.read_text(encoding="utf-8").split() if path.is_file() else value.split(",")
        labels += [strip_prefix(line.strip(), key) for line in lines if line.strip()]
    return tuple(dict.fromkeys(labels))
