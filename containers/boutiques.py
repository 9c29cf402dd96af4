"""Write the Boutiques descriptor from the app's own parser: ``python containers/boutiques.py``.

The descriptor, ``containers/spectralbrain.json``, is committed; a test compares it with what this writes.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import spectralbrain

DESCRIPTOR = Path(__file__).with_name("spectralbrain.json")
FILES = {
    "input_dir",
    "bids_filter_file",
    "mapping_file",
    "hks_times",
    "wks_energies",
    "nipype_plugin_file",
    "config_file",
}
LEFT_OUT = {"help", "help_resources", "version"}  # they print and stop: nothing to run


def identifier(action: argparse.Action) -> str:
    """Return the descriptor's name of an argument: of the option as typed, if it is one."""
    name = (
        max(action.option_strings, key=lambda s: s.startswith("--")) if action.option_strings else action.dest
    )
    return re.sub(r"\W", "_", name.lstrip("-"))


def describe(action: argparse.Action) -> dict[str, Any]:
    """Return the Boutiques entry of one argument."""
    name = identifier(action)
    entry: dict[str, Any] = {"id": name, "name": name, "value-key": f"[{name.upper()}]"}
    entry["description"] = re.sub(r"\s+", " ", (action.help or "").replace("%%", "%"))
    if isinstance(action, argparse._StoreTrueAction | argparse._StoreFalseAction | argparse._CountAction):
        entry["type"] = "Flag"
    else:
        entry["type"] = "File" if action.dest in FILES else "String"
        if action.nargs in ("+", "*"):
            entry["list"] = True
        if action.choices:
            entry["value-choices"] = list(action.choices)
    if action.option_strings:
        flag = next(s for s in action.option_strings if s.startswith("--"))
        entry |= {"command-line-flag": flag, "optional": True}
    else:
        entry["optional"] = False
    return entry


def descriptor(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the whole descriptor."""
    actions = [action for action in parser._actions if action.dest not in LEFT_OUT]
    positional = [describe(action) for action in actions if not action.option_strings]
    options = [describe(action) for action in actions if action.option_strings]
    keys = " ".join(entry["value-key"] for entry in [*positional, *options])
    return {
        "name": "SpectralBrain",
        "description": "Spectral shape descriptors of brain surfaces (BIDS App)",
        "tool-version": spectralbrain.__version__,
        "author": "The SpectralBrain developers",
        "schema-version": "0.5",
        "command-line": f"spectralbrain {keys}",
        "container-image": {"type": "docker", "image": f"spectralbrain:{spectralbrain.__version__}"},
        "inputs": [*positional, *options],
        "output-files": [
            {
                "id": "results",
                "name": "results",
                "description": "BIDS derivatives dataset",
                "path-template": f"{positional[1]['value-key']}/dataset_description.json",
                "optional": True,
            }
        ],
        "tags": {"domain": ["neuroinformatics"], "type": ["bids-app"]},
        "error-codes": [
            {"code": 1, "description": "some participant failed"},
            {"code": 64, "description": "usage"},
            {"code": 65, "description": "bad data"},
            {"code": 66, "description": "no input"},
            {"code": 70, "description": "internal error"},
        ],
    }


def render() -> str:
    """Return the text of the descriptor."""
    from spectralbrain.cli.parser import build_parser

    return json.dumps(descriptor(build_parser()), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DESCRIPTOR.write_text(render(), encoding="utf-8")
