"""Graphs to run and a way to see which nodes ran."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nipype.pipeline.engine as pe
import pytest
from nipype import config, logging

# The toys must be importable in the worker processes too, which inherit sys.path and nothing else.
sys.path.insert(0, str(Path(__file__).parent))

config.set("execution", "poll_sleep_duration", "0.02")
PLUGINS = {
    "Linear": ("Linear", {}),
    "fork": ("MultiProc", {"n_procs": 2, "mp_context": "fork"}),
    "forkserver": ("MultiProc", {"n_procs": 2, "mp_context": "forkserver"}),
}


@pytest.fixture(autouse=True)
def _quiet_nipype() -> None:
    for name in ("nipype.workflow", "nipype.interface", "nipype.utils"):
        logging.getLogger(name).setLevel("CRITICAL")


@pytest.fixture
def ran() -> Callable[[Any], set[str]]:
    """Return a function: the names of the nodes whose interface started after the last call.

    A node that runs empties its folder and writes its report again, so the marker a test leaves in
    each folder tells runs apart without trusting any log.
    """

    def _ran(workflow: pe.Workflow) -> set[str]:
        found = set()
        for result in Path(workflow.base_dir, workflow.name).rglob("result_*.pklz"):
            stamp = result.stat().st_mtime_ns
            if _seen.get(result) != stamp:
                found.add(result.name[len("result_") : -len(".pklz")])
            _seen[result] = stamp
        return found

    _seen: dict[Path, int] = {}
    return _ran


@pytest.fixture(params=["Linear", "fork", "forkserver"])
def run_everywhere(request: pytest.FixtureRequest) -> Callable[[pe.Workflow], Any]:
    """Return a function that runs a workflow under each plugin and start method: slower."""
    plugin, arguments = PLUGINS[request.param]

    def _run(workflow: pe.Workflow) -> Any:
        return workflow.run(plugin=plugin, plugin_args=dict(arguments))

    return _run


@pytest.fixture(params=["Linear", "fork"])
def run(request: pytest.FixtureRequest) -> Callable[[pe.Workflow], Any]:
    """Return a function that runs a workflow under each plugin."""
    plugin, arguments = PLUGINS[request.param]

    def _run(workflow: pe.Workflow) -> Any:
        return workflow.run(plugin=plugin, plugin_args=dict(arguments))

    return _run
