"""The files at the root of the output: the same whoever writes them, and in whatever order."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectralbrain._version import __version__
from spectralbrain.bids import description as bids
from spectralbrain.bids.citation import citation_bib, citation_md
from spectralbrain.bids.discovery import read_description
from spectralbrain.bids.inventory import Inventory
from spectralbrain.bids.parameters import Parameters, differences
from spectralbrain.errors import BIDSError
from spectralbrain.io._atomic import write_text_atomic

CONFIG = Path("logs", "config.toml")


class ParametersDifferError(BIDSError):
    """The output folder holds results of other parameters."""


def check_parameters(output: Path, parameters: Parameters, *, replace: bool = False) -> list[str]:
    """Refuse to mix results of different parameters in one folder.

    Parameters
    ----------
    output : Path
        The output folder.
    parameters : Parameters
        Of this run.
    replace : bool
        Whether other parameters were asked to be replaced.

    Returns
    -------
    list of str
        What differs; empty where nothing does or nothing is there yet.

    Raises
    ------
    ParametersDifferError
        If something differs and `replace` is False; the message names it.
    """
    earlier = read_parameters(output)
    if earlier is None:
        return []
    lines = differences(parameters.as_dict() | {"version": __version__}, earlier)
    if lines and not replace:
        raise ParametersDifferError(
            f"{output} holds results of other parameters:\n  "
            + "\n  ".join(lines)
            + "\n  write to another folder, or replace them with --replace"
        )
    return lines


def read_parameters(output: Path) -> dict[str, Any] | None:
    """Return the parameters an output folder was made with, None if there are none."""
    try:
        document = tomllib.loads((output / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BIDSError(f"{output / CONFIG}: expected TOML ({error})") from error
    parameters: dict[str, Any] = document.get("parameters", {})
    # TOML has no null: what is not set is not there.
    unset = {key: None for key, value in Parameters().as_dict().items() if value is None}
    return unset | parameters | {"version": document.get("version", "unknown")}


def write_dataset(
    output: Path,
    parameters: Parameters,
    inventory: Inventory,
    *,
    selection: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> list[Path]:
    """Write the files at the root of the output.

    Parameters
    ----------
    output : Path
        The output folder; made if it does not exist.
    parameters : Parameters
        Of this run.
    inventory : Inventory
        What the inputs are.
    selection : mapping, optional
        Options that chose the inputs, for ``logs/config.toml``.
    replace : bool
        See :func:`check_parameters`.

    Returns
    -------
    list of Path

    Raises
    ------
    ParametersDifferError
        See :func:`check_parameters`.
    """
    check_parameters(output, parameters, replace=replace)
    output.mkdir(parents=True, exist_ok=True)
    texts = {
        "dataset_description.json": bids.as_json(_description(output, parameters, inventory)),
        "README.md": bids.readme(__version__),
        ".bidsignore": bids.bidsignore(),
        "descriptions.tsv": bids.descriptions_tsv(),
        "descriptions.json": bids.as_json(bids.DESCRIPTIONS_SIDECAR),
        **citation_files(parameters),
        str(CONFIG): format_config(parameters, selection or {}),
    }
    return [write_if_changed(output / name, text) for name, text in texts.items()]


def citation_files(parameters: Parameters) -> dict[str, str]:
    """Return the texts of ``logs/CITATION.md`` and ``.bib`` by path."""
    return {
        "logs/CITATION.md": citation_md(parameters, __version__),
        "logs/CITATION.bib": citation_bib(parameters),
    }


def write_if_changed(path: Path, text: str) -> Path:
    """Write a text unless the file holds it already: many jobs share these files."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return path
    except (OSError, UnicodeDecodeError):
        pass
    return write_text_atomic(path, text)


def _description(output: Path, parameters: Parameters, inventory: Inventory) -> dict[str, Any]:
    links, inputs = {}, {}
    for key, root in inventory.roots.items():
        links[key] = bids.dataset_link(root, output)
        inputs[key] = read_description(root)
        if not inputs[key] and inventory.layouts.get(key) == "freesurfer":
            inputs[key] = {"GeneratedBy": [{"Name": "FreeSurfer", "Version": freesurfer_version(root)}]}
    return bids.dataset_description(__version__, parameters.configuration_hash, inputs, links)


def freesurfer_version(root: Path) -> str:
    """Return what a SUBJECTS_DIR says of the version that made it, 'unknown' if nothing."""
    try:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries)[:20]
    except OSError:
        return "unknown"
    for name in names:
        stamp = root / name / "scripts" / "build-stamp.txt"
        if stamp.is_file():
            return stamp.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
    return "unknown"


def format_config(parameters: Parameters, selection: Mapping[str, Any]) -> str:
    """Return the text of ``logs/config.toml``; ``--config-file`` takes it back.

    Examples
    --------
    >>> print(format_config(Parameters(modes=50), {"surfaces": ["white"]}).splitlines()[5])
    modes = 50
    """
    lines = [
        "# What determined these results. `spectralbrain ... --config-file` takes this file.",
        f"version = {_toml(__version__)}",
        f"configuration_hash = {_toml(parameters.configuration_hash)}",
        "",
        "[parameters]",
    ]
    lines += [f"{k} = {_toml(v)}" for k, v in parameters.as_dict().items() if v is not None]
    lines += ["", "[selection]"]
    lines += [f"{k} = {_toml(v)}" for k, v in selection.items() if v not in (None, "", [], ())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'
