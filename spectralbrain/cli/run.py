"""The run itself: discover, show, process, sum up."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import shlex
import shutil
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from spectralbrain.bids.discovery import INPUT, candidate_datasets, discover, read_description
from spectralbrain.bids.entities import natural_key
from spectralbrain.bids.inventory import TABLE_COLUMNS, Inventory, format_table, table_rows
from spectralbrain.bids.tables import format_tsv
from spectralbrain.cli import exits
from spectralbrain.cli.machine import OWN_GB, granted_memory_gb, worker_count
from spectralbrain.cli.pool import Died, run_isolated
from spectralbrain.cli.progress import Progress
from spectralbrain.cli.settings import Settings, build_settings
from spectralbrain.cli.summary import RunState, failed_outcomes
from spectralbrain.errors import BIDSError
from spectralbrain.resources import resolve_threads
from spectralbrain.workflows.dataset import ParametersDifferError, check_parameters, write_dataset
from spectralbrain.workflows.processing import (
    Failure,
    Outcome,
    ParticipantTask,
    prepare_surface,
    process_participant,
    workflow_name,
)
from spectralbrain.workflows.state import participants_of

LOG = logging.getLogger("spectralbrain.app")
LOG_HANDLER = "spectralbrain-app"
PRELOAD_REPORTS = "SPECTRALBRAIN_PRELOAD_REPORTS"  # read by spectralbrain.cli.preload
SHOWN_ROWS = 60


def run_app(options: argparse.Namespace) -> int:
    """Run the app on a parsed command line and return its exit code.

    Parameters
    ----------
    options : argparse.Namespace
        From :func:`spectralbrain.cli.parser.parse_args`.

    Returns
    -------
    int
        One of :mod:`spectralbrain.cli.exits`.
    """
    try:
        settings = build_settings(options)
    except (BIDSError, OSError, UnicodeDecodeError) as error:
        return _leave(exits.USAGE, str(error))
    configure_logging(settings.verbose)
    if not settings.input_dir.is_dir():
        what = "a file" if settings.input_dir.exists() else "nothing"
        return _leave(exits.NO_INPUT, f"INPUT: expected a folder, found {what} at {settings.input_dir}")
    if settings.report:
        keep_fonts(settings.work_dir)
    try:
        if settings.level == "group":
            from spectralbrain.cli.group import run_group

            return run_group(settings)
        return run_participants(settings)
    except ParametersDifferError as error:
        return _leave(exits.USAGE, str(error))
    except BIDSError as error:
        return _leave(exits.DATA, str(error))
    except OSError as error:
        return _leave(exits.IO_ERROR, f"{error} (as user {os.geteuid()})")
    except Exception as error:
        LOG.info("internal error", exc_info=True)
        more = "" if settings.verbose else " (-v tells more)"
        return _leave(exits.SOFTWARE, f"internal error: {type(error).__name__}: {error}{more}")


def _leave(code: int, message: str) -> int:
    print(f"spectralbrain: error: {message}", file=sys.stderr)
    return code


def configure_logging(verbose: int) -> None:
    """Send our log to stderr: warnings, with -v steps, with -vv everything."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    root = logging.getLogger("spectralbrain")
    root.setLevel(level)
    for handler in [h for h in root.handlers if h.get_name() == LOG_HANDLER]:
        root.removeHandler(handler)  # an earlier run in this process may have had another stderr
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(LOG_HANDLER)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    root.addHandler(handler)
    root.propagate = False


def run_participants(settings: Settings) -> int:
    """Run the participant level."""
    start = time.monotonic()
    if settings.parameters.laplacian == "robust" and find_spec("robust_laplacian") is None:
        needs = 'the package robust_laplacian: pip install "spectralbrain[robust]"'
        return _leave(exits.USAGE, f"argument --laplacian: robust needs {needs}")
    inventory = discover(
        settings.input_dir, settings.query, datasets=settings.datasets, layout=settings.layout
    )
    show(inventory, settings, time.monotonic() - start)
    absent = [s for s in settings.query.participants if s not in inventory.subjects]
    if not any(s.processable for s in inventory.surfaces):
        return _leave(exits.NO_INPUT, nothing_found(inventory, settings))
    if settings.dry_run:
        return exits.OK
    if settings.reports_only and not participants_of(settings.output_dir):
        return _leave(exits.NO_INPUT, f"{settings.output_dir}: there are no results to report on")
    check_parameters(settings.output_dir, settings.parameters, replace=settings.replace)
    write_dataset(
        settings.output_dir,
        settings.parameters,
        inventory,
        selection=selection_of(settings),
        replace=settings.replace,
    )
    if settings.boilerplate_only:
        print(f"wrote {settings.output_dir / 'logs' / 'CITATION.md'}")
        return exits.OK
    state = RunState(failed_outcomes(absent, "input", "not found in the inputs"))
    process_all(settings, inventory, state)
    for line in state.lines():
        print(line)
    if settings.clean_workdir and state.exit_code == exits.OK:
        clean_work(settings, inventory)
    print(state.last_line, flush=True)
    return state.exit_code


def selection_of(settings: Settings) -> dict[str, object]:
    """Return the options that chose the inputs, by the names of their flags."""
    query = settings.query
    structures = [*query.structures.surfaces, *dict.fromkeys(v.label for v in query.structures.volumes)]
    return {
        "surfaces": list(query.surfaces),
        "structures": [f"aseg:{s}" if s == "Hippocampus" else s for s in structures],
        "parcellation": ["none"] if query.parcellations is None else list(query.parcellations) or ["auto"],
        "space": query.space,
        "density": query.density,
        "longitudinal": query.longitudinal,
    }


def show(inventory: Inventory, settings: Settings, seconds: float) -> None:
    """Print what was found, and keep the whole table in the work directory."""
    rows = table_rows(inventory.surfaces)
    for key, layout in inventory.layouts.items():
        name = "INPUT" if key == INPUT else key
        print(f"{name}: {inventory.roots[key]} ({layout})")
    if rows:
        print(format_table(TABLE_COLUMNS, rows, limit=SHOWN_ROWS))
    for line in inventory.skipped[:20]:
        print(f"left out: {line}")
    if len(inventory.skipped) > 20:
        print(f"... and {len(inventory.skipped) - 20} more left out")
    participants = len(inventory.subjects)
    print(f"{len(rows)} surfaces of {participants} participants found in {seconds:.1f} s", flush=True)
    if settings.check_inputs:
        for key, layout in inventory.layouts.items():
            if layout in ("bids", "fmriprep", "hippunfold") and not read_description(inventory.roots[key]):
                print(f"warning: {inventory.roots[key]} has no valid dataset_description.json", flush=True)
    if len(rows) > SHOWN_ROWS and not settings.dry_run:
        settings.work_dir.mkdir(parents=True, exist_ok=True)
        table = settings.work_dir / "inputs.tsv"
        cells = [dict(zip(TABLE_COLUMNS, row, strict=True)) for row in rows]
        table.write_text(format_tsv(cells, TABLE_COLUMNS), encoding="utf-8")
        print(f"the whole table is in {table}", flush=True)


def nothing_found(inventory: Inventory, settings: Settings) -> str:
    """Say why there is nothing to do, and what could help."""
    layout = inventory.layouts[INPUT]
    if settings.query.participants and not inventory.surfaces:
        labels = " ".join(settings.query.participants)
        return f"none of the participants asked for is in {settings.input_dir}: {labels}"
    if layout == "bids":
        found = candidate_datasets(settings.input_dir)
        hint = " ".join(shlex.quote(f"{path.name}={path}") for path in found) or "NAME=PATH"
        return (
            f"{settings.input_dir} is a raw BIDS dataset; name the derivatives with the surfaces: -d {hint}"
        )
    reasons = dict.fromkeys(m for s in inventory.surfaces for m in s.missing)
    why = f": {'; '.join(reasons)}" if reasons else ""
    return f"no surface to analyse in {settings.input_dir} (taken for: {layout}){why}"


def process_all(settings: Settings, inventory: Inventory, state: RunState) -> None:
    """Process the participants, each alone in a process, and collect what became of them."""
    subjects = inventory.subjects
    nprocs = resolve_threads(settings.nprocs)
    omp = settings.omp_nthreads or 1
    memory = settings.mem_gb or granted_memory_gb()
    need = max(need_gb(inventory, subject, settings) for subject in subjects)
    workers = worker_count(nprocs, omp, memory, need)
    if need + OWN_GB > memory:
        text = "one participant needs about %.1f GB, %.1f GB are granted: it may fail"
        LOG.warning(text, need + OWN_GB, memory)
    LOG.info("%d processes for %d participants", workers, len(subjects))
    work = settings.work_dir / f"spectralbrain-{settings.parameters.configuration_hash}"
    tasks = [
        ParticipantTask(
            subject=subject,
            surfaces=inventory.of(subject),
            parameters=settings.parameters,
            output_dir=settings.output_dir,
            work_dir=work,
            roots=inventory.roots,
            omp_nthreads=omp,
            plugin=settings.plugin,
            report=settings.report,
            reports_only=settings.reports_only,
            write_graph=settings.write_graph,
            stop_on_first_crash=settings.stop_on_first_crash,
        )
        for subject in subjects
    ]
    if settings.report:
        os.environ[PRELOAD_REPORTS] = "1"
    initializer = functools.partial(configure_logging, settings.verbose)
    if len(subjects) < workers and not settings.reports_only and settings.plugin is None:
        ahead = [replace(t, surfaces=(s,)) for t in tasks for s in t.surfaces if s.processable]
        for _ in run_isolated(prepare_surface, ahead, workers, initializer):
            pass  # what went wrong is found again, and reported, by the participant's own process
    with Progress(len(tasks), "participants") as progress:
        results = run_isolated(process_participant, tasks, workers, initializer)
        notes: set[str] = set()
        for task, answer in results:
            outcome = answer if isinstance(answer, Outcome) else _died(task, answer)
            state.outcomes.append(outcome)
            progress.done(_describe(outcome), failed=not outcome.ok)
            for note in outcome.notes:
                if note not in notes:
                    notes.add(note)
                    progress.say(f"note: {note}")
            if settings.stop_on_first_crash and not outcome.ok:
                state.stopped = f"stopped at the first failure, {len(tasks) - len(state.outcomes)} not run"
                results.close()
                break
    state.outcomes.sort(key=lambda outcome: natural_key(outcome.subject))


def keep_fonts(work_dir: Path) -> None:
    """Let Matplotlib keep its list of fonts in the work directory where HOME cannot be written to."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "matplotlib")
        existing = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
        usable = os.access(existing, os.W_OK)
    except (OSError, RuntimeError):  # no name and no home, as in a container
        usable = False
    if not usable:
        os.environ.setdefault("MPLCONFIGDIR", str(work_dir / "matplotlib"))


def need_gb(inventory: Inventory, subject: str, settings: Settings) -> float:
    """Return an estimate of the memory of a participant's largest step, GB."""
    from spectralbrain.workflows.memory import surface_mem_gb

    return max((surface_mem_gb(s, settings.parameters) for s in inventory.of(subject)), default=0.5)


def _died(task: ParticipantTask, answer: Died) -> Outcome:
    return Outcome(task.subject, failures=(Failure("participant", answer.reason.splitlines()[0]),))


def _describe(outcome: Outcome) -> str:
    if outcome.failures:
        what = "; ".join(f"{f.what}: {f.reason}" for f in outcome.failures)
        return f"sub-{outcome.subject}: FAILED: {what}"
    kept = f", {outcome.kept} kept" if outcome.kept else ""
    return f"sub-{outcome.subject}: {outcome.done} surfaces computed{kept} ({outcome.seconds:.1f} s)"


def clean_work(settings: Settings, inventory: Inventory) -> None:
    """Remove this run's intermediate files; other runs' stay."""
    work = settings.work_dir / f"spectralbrain-{settings.parameters.configuration_hash}"
    for subject in inventory.subjects:
        shutil.rmtree(work / workflow_name(subject), ignore_errors=True)
    for folder in (work, settings.work_dir):
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    leftovers = [
        p
        for p in folder.glob("*")
        if p.name not in ("crashes", "inputs.tsv", ".spectralbrain-digests", "matplotlib")
    ]
    if not leftovers and folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
