"""Process one participant from start to end: keep what is finished, run the rest, say what failed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import Parameters
from spectralbrain.workflows import state as states

REPORT_FILES = (".html", ".png", ".svg")
LOG = logging.getLogger("spectralbrain.app")


@dataclass(frozen=True)
class ParticipantTask:
    """What a worker process needs to process one participant; it can be pickled."""

    subject: str
    surfaces: tuple[SurfaceInput, ...]
    parameters: Parameters
    output_dir: Path
    work_dir: Path
    roots: Mapping[str, Path]
    omp_nthreads: int = 1
    plugin: Mapping[str, Any] | None = None
    report: bool = True
    reports_only: bool = False
    write_graph: bool = False
    stop_on_first_crash: bool = False


@dataclass(frozen=True)
class Failure:
    """What failed, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What became of a participant."""

    subject: str
    done: int = 0
    kept: int = 0
    failures: tuple[Failure, ...] = ()
    files: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def workflow_name(subject: str) -> str:
    """Return the name of a participant's graph, which is that of its folder in the work directory."""
    return re.sub(r"\W", "_", f"sub_{subject}_wf")


def process_participant(task: ParticipantTask) -> Outcome:
    """Process a participant.

    Parameters
    ----------
    task : ParticipantTask
        What to do.

    Returns
    -------
    Outcome
        Failures of surfaces and of the report are in it; they are not raised.
    """
    start = time.monotonic()
    with states.participant_lock(task.output_dir, task.subject) as waited:
        if waited:
            LOG.info("sub-%s: another run worked on it; going on from its results", task.subject)
        state = states.read_state(task.output_dir, task.subject)
        if task.reports_only:
            done, kept, failures = 0, len(state.surfaces), _known_failures(task, state)
        else:
            done, kept, failures = _compute(task, state)
        notes, more = _summarise(task, state) if state.surfaces else ([], [])
        if state.surfaces:
            states.write_state(task.output_dir, task.subject, state)
    files = sum(len(s.files) for s in state.surfaces.values()) + len(state.summaries)
    seconds = time.monotonic() - start
    return Outcome(task.subject, done, kept, (*failures, *more), files, seconds, tuple(notes))


def prepare_surface(task: ParticipantTask) -> None:
    """Do the work of one surface ahead, so that the participant's own process finds it done.

    With fewer participants than processors this spreads a participant's surfaces over processes.
    Only the work directory and the surface's own files are written; whatever goes wrong will go
    wrong again in :func:`process_participant`, which reports it.

    Parameters
    ----------
    task : ParticipantTask
        With one surface.
    """
    from spectralbrain.workflows.participant import branch_name

    (surface,) = task.surfaces
    digest, reason = _digest_or_reason(surface, task.parameters)
    state = states.read_state(task.output_dir, task.subject).surfaces.get(states.surface_key(surface))
    if reason or states.is_finished(state, digest, task.output_dir):
        return
    with (
        states.participant_lock(task.output_dir, task.subject, shared=True),
        states.participant_lock(task.output_dir, f"{task.subject}-{branch_name(surface)}"),
    ):
        workflow, _ = _built_graph(task, task.surfaces, f"{task.subject}-{branch_name(surface)}")
        _run(workflow, task)


def _known_failures(task: ParticipantTask, state: states.ParticipantState) -> list[Failure]:
    """Return what failed in earlier runs, and what was never run."""
    failures = [Failure(key, s.reason) for key, s in state.surfaces.items() if s.status != "ok"]
    never = [s for s in task.surfaces if states.surface_key(s) not in state.surfaces]
    return failures + [Failure(s.name, "no results; run without --reports-only first") for s in never]


def _compute(task: ParticipantTask, state: states.ParticipantState) -> tuple[int, int, list[Failure]]:
    todo: dict[str, tuple[SurfaceInput, str]] = {}
    failures, kept = [], 0
    for surface in task.surfaces:
        key = states.surface_key(surface)
        digest, reason = _digest_or_reason(surface, task.parameters)
        if reason:
            _record_failure(task, state, surface, reason)
            failures.append(Failure(surface.name, reason))
        elif states.is_finished(state.surfaces.get(key), digest, task.output_dir):
            kept += 1
        else:
            todo[key] = (surface, digest)
    if todo:
        failures += _run_graph(task, state, todo)
    done = sum(1 for key in todo if state.surfaces[key].status != "failed")
    return done, kept, failures


def _digest_or_reason(surface: SurfaceInput, parameters: Parameters) -> tuple[str, str]:
    if not surface.processable:
        return "", "; ".join(m for m in surface.missing if m != "no cortex mask") or "no surface"
    if parameters.medial_wall == "masked" and surface.structure == "cortex" and surface.mask is None:
        return "", "no cortex mask, and --medial-wall masked needs one"
    try:
        return states.surface_digest(surface, parameters), ""
    except OSError as error:
        return "", f"{error.filename}: {error.strerror}"


def _record_failure(
    task: ParticipantTask,
    state: states.ParticipantState,
    surface: SurfaceInput,
    reason: str,
    digest: str = "",
) -> None:
    key = states.surface_key(surface)
    earlier = state.surfaces.get(key)
    if earlier is not None:
        states.remove_files(task.output_dir, earlier.files)
    state.surfaces[key] = states.SurfaceState(digest, "failed", reason, facts_of(surface))


def facts_of(surface: SurfaceInput) -> dict[str, str]:
    """Return what identifies a surface in a table."""
    return {
        "session": surface.session,
        "hemisphere": surface.hemisphere,
        "structure": surface.structure,
        "surface": surface.surface,
        "space": surface.space,
        "density": surface.density,
        "acquisition": surface.acquisition,
        "reconstruction": surface.reconstruction,
        "run": surface.run,
    }


def _run_graph(
    task: ParticipantTask, state: states.ParticipantState, todo: Mapping[str, tuple[SurfaceInput, str]]
) -> list[Failure]:
    from spectralbrain.workflows.participant import branch_name

    surfaces = tuple(surface for surface, _ in todo.values())
    workflow, crashes = _built_graph(task, surfaces, task.subject)
    if task.write_graph:
        _write_graph(workflow, task)
    base = task.work_dir
    records = {key: _record_path(base, workflow.name, branch_name(s)) for key, (s, _) in todo.items()}
    for record in records.values():
        record.unlink(missing_ok=True)
    error = _run(workflow, task)
    failures = []
    for key, (surface, digest) in todo.items():
        written, problems = _written(records[key], task.output_dir)
        if written:
            _record_success(task, state, surface, digest, written, problems)
            failures += [Failure(surface.name, problem) for problem in problems]
            continue
        reason = _crash_reason(crashes, branch_name(surface)) or error or "stopped before it was finished"
        reason = _one_line(_without_places(reason, task))
        _record_failure(task, state, surface, reason, digest)
        failures.append(Failure(surface.name, reason))
    return failures


def _built_graph(task: ParticipantTask, surfaces: tuple[SurfaceInput, ...], owner: str) -> tuple[Any, Path]:
    """Return the graph of some surfaces, configured, and the folder of its crash files."""
    from spectralbrain.workflows.participant import init_participant_wf

    crashes = task.work_dir / "crashes" / f"sub-{owner}"
    shutil.rmtree(crashes, ignore_errors=True)
    crashes.mkdir(parents=True, exist_ok=True)
    workflow = init_participant_wf(
        surfaces,
        task.parameters,
        subject=task.subject,
        output_dir=task.output_dir,
        roots=task.roots,
        omp_nthreads=task.omp_nthreads,
    )
    workflow.base_dir = str(task.work_dir)
    workflow.config["execution"] = {
        "crashdump_dir": str(crashes),
        "crashfile_format": "txt",
        "hash_method": "content",
        "stop_on_first_crash": "true" if task.stop_on_first_crash else "false",
        "remove_unnecessary_outputs": "false",
        "create_report": "false",  # a page about the graph, which processes would write together
        "poll_sleep_duration": "0.05",
    }
    return workflow, crashes


def _record_path(base: Path, workflow: str, branch: str) -> Path:
    return base / workflow / branch / "sink" / states.RECORD


def _written(record: Path, output: Path) -> tuple[list[Path], list[str]]:
    """Return what the sink wrote and what it says is missing; nothing if it did not run."""
    try:
        document = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [], []
    return [output / name for name in document["files"]], document["problems"]


def _record_success(
    task: ParticipantTask,
    state: states.ParticipantState,
    surface: SurfaceInput,
    digest: str,
    written: list[Path],
    problems: list[str],
) -> None:
    key = states.surface_key(surface)
    files = states.digests_of(task.output_dir, written)
    earlier = state.surfaces.get(key)
    if earlier is not None:
        states.remove_files(task.output_dir, set(earlier.files) - set(files))
    status = "partial" if problems else "ok"
    state.surfaces[key] = states.SurfaceState(digest, status, "; ".join(problems), facts_of(surface), files)


def _run(workflow: Any, task: ParticipantTask) -> str:
    """Run the graph; return what was raised as one line, '' if nothing was."""
    if task.plugin is not None:
        name, arguments = str(task.plugin["plugin"]), dict(task.plugin.get("plugin_args", {}))
        os.environ.setdefault("LOGNAME", str(os.getuid()))  # Nipype's batch plugins name jobs by it
        if name == "MultiProc":
            arguments.setdefault("mp_context", "forkserver")
    else:
        name, arguments = "Linear", {}
    try:
        with _quiet_nipype():
            workflow.run(plugin=name, plugin_args=arguments)
    except Exception as error:  # whatever a node or plugin raises belongs to this participant alone
        LOG.debug("sub-%s: %s", task.subject, error, exc_info=True)
        return _one_line(str(error)) or type(error).__name__
    return ""


@contextlib.contextmanager
def _quiet_nipype() -> Iterator[None]:
    """Keep Nipype's log out of ours: failures are reported once, by us."""
    names = ("nipype.workflow", "nipype.utils", "nipype.interface", "nipype.filemanip")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    if not LOG.isEnabledFor(logging.DEBUG):
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


_ERROR_LINE = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Warning|Interrupt))(?::\s*(.*))?$")


def _crash_reason(crashes: Path, branch: str) -> str:
    """Return what the crash files say of a branch: the node and the last exception's message."""
    for path in sorted(crashes.glob("crash-*.txt")):
        text = path.read_text(encoding="utf-8", errors="replace")
        node = re.search(r"^Node: \S*?\." + re.escape(branch) + r"\.(\S+)", text, re.MULTILINE)
        if node is None:
            continue
        lines = text.splitlines()
        for i in range(len(lines) - 1, -1, -1):
            found = _ERROR_LINE.match(lines[i].strip())
            if found:
                return f"{node[1].split('.')[-1]}: {found[2] or found[1]}"
        return f"{node[1]}: see {path.name}"
    return ""


def _without_places(text: str, task: ParticipantTask) -> str:
    """Return a message without the folders of this run: a table says the same wherever it was made."""
    places = (*task.roots.values(), task.output_dir, task.work_dir)
    for folder in sorted({str(p) for p in places}, key=len, reverse=True):
        text = text.replace(f"{folder}/", "")
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())[:600]


def _write_graph(workflow: Any, task: ParticipantTask) -> None:
    folder = task.output_dir / "logs" / "graphs"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"sub-{task.subject}.dot"
    kind = "svg" if shutil.which("dot") else "dot"
    with _quiet_nipype(), contextlib.suppress(OSError):
        workflow.write_graph(dotfilename=str(target), graph2use="colored", format=kind, simple_form=True)


def _summarise(task: ParticipantTask, state: states.ParticipantState) -> tuple[list[str], list[Failure]]:
    from spectralbrain.workflows.summary import write_participant_report, write_participant_tables

    notes: list[str] = []
    failures: list[Failure] = []
    tables = write_participant_tables(task, state)
    summaries = states.digests_of(task.output_dir, tables)
    earlier = {k: v for k, v in state.summaries.items() if k.endswith(REPORT_FILES)}
    digest = states.report_digest(state, summaries)
    current = state.report_of == digest and all(
        states.is_whole(task.output_dir / name, sha) for name, sha in earlier.items()
    )
    if not task.report or (earlier and current and not task.reports_only):
        summaries.update(earlier if current else {})
    else:
        reports, problems, missing = write_participant_report(task, state)
        summaries.update(states.digests_of(task.output_dir, reports))
        state.report_of = digest if reports and not problems else ""
        failures += [Failure("report", problem) for problem in problems]
        notes += [missing] if missing else []
    states.remove_files(task.output_dir, set(state.summaries) - set(summaries))
    state.summaries = summaries
    return notes, failures
