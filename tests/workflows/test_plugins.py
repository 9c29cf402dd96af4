"""How the app hands its graphs to Nipype's plugins."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spectralbrain.bids.parameters import Parameters
from spectralbrain.workflows.processing import ParticipantTask, _run


@pytest.mark.parametrize(
    ("given", "context"), [({"n_procs": 2}, "forkserver"), ({"n_procs": 2, "mp_context": "fork"}, "fork")]
)
def test_multiproc_starts_its_workers_from_a_fork_server(
    tmp_path: Path, given: dict[str, Any], context: str
) -> None:
    seen: list[Any] = []
    workflow = SimpleNamespace(run=lambda **how: seen.append(how))
    task = ParticipantTask(
        *("01", (), Parameters(), tmp_path, tmp_path, {}),
        plugin={"plugin": "MultiProc", "plugin_args": given},
    )
    assert _run(workflow, task) == ""
    assert seen == [{"plugin": "MultiProc", "plugin_args": {"n_procs": 2, "mp_context": context}}]


def test_batch_plugins_find_a_name_for_their_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nipype's plugins for batch systems read LOGNAME, which cron jobs and containers do not have."""
    monkeypatch.setenv("LOGNAME", "somebody")  # so that the end of the test restores it
    seen: list[str] = []
    workflow = SimpleNamespace(run=lambda **how: seen.append(os.environ["LOGNAME"]))
    task = ParticipantTask(
        *("01", (), Parameters(), tmp_path, tmp_path, {}), plugin={"plugin": "SLURM", "plugin_args": {}}
    )
    assert _run(workflow, task) == ""
    monkeypatch.delenv("LOGNAME")
    assert _run(workflow, task) == ""
    assert seen == ["somebody", str(os.getuid())]
