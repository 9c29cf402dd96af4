"""The group level on the command line."""

from __future__ import annotations

import sys
from collections.abc import Collection

from spectralbrain.bids.parameters import Parameters
from spectralbrain.cli import exits
from spectralbrain.cli.options import flags_of
from spectralbrain.cli.settings import Settings
from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.workflows.dataset import citation_files, read_parameters, write_if_changed
from spectralbrain.workflows.group import GroupResult, run_group_level
from spectralbrain.workflows.state import participants_of

SHOWN = 30
NO_EFFECT = (  # the limits of processors and memory are kept: it is one process
    *("derivatives", "bids_filter_file", "input_layout", "mapping_file", "longitudinal"),
    *("skip_bids_validation", "nipype_plugin_file", "replace", "stop_on_first_crash", "write_graph"),
)


def run_group(settings: Settings) -> int:
    """Run the group level and return its exit code."""
    output = settings.output_dir
    subjects = participants_of(output, settings.query.participants)
    absent = [s for s in settings.query.participants if s not in subjects]
    if not subjects:
        return _leave(
            exits.NO_INPUT,
            f"{output} has no results of the participant level"
            f"{' for ' + ' '.join(absent) if absent else ''}; run that first",
        )
    print(f"{len(subjects)} participants in {output}")
    if settings.dry_run:
        print("\n".join(f"sub-{s}" for s in subjects))
        return exits.OK
    recorded = read_parameters(output) or {}
    made_with = Parameters.from_dict({k: v for k, v in recorded.items() if k != "version"})
    if other := _asked(settings, made_with).differences(made_with):
        text = "the group level uses the results as they are, which were made otherwise"
        return _leave(exits.USAGE, "\n  ".join([f"{output}: {text}:", *other]))
    if idle := sorted(settings.given.intersection(NO_EFFECT)):
        print(f"note: without effect at the group level, which reads OUTPUT alone: {flags_of(idle)}")
    if settings.boilerplate_only:
        for name, text in citation_files(made_with).items():
            write_if_changed(output / name, text)
        print(f"wrote {output / 'logs' / 'CITATION.md'}")
        return exits.OK
    query = settings.query
    try:
        result = run_group_level(
            output,
            participants=query.participants,
            only=_chosen(settings),
            parcellations=() if query.parcellations is None else query.parcellations or None,
            normalization=made_with.normalization,
            threshold=settings.outlier_threshold,
            parameters=recorded,
            report=settings.report,
        )
    except IncompatibleError as error:
        return _leave(exits.DATA, f"{error}; leave some out (--participant-label) or process all alike")
    except ArrayError as error:
        return _leave(exits.NO_INPUT, str(error))
    return _say(result, absent, settings.outlier_threshold)


def _asked(settings: Settings, made_with: Parameters) -> Parameters:
    """Return the parameters of the results, replaced by those that were asked for."""
    named = settings.given | settings.configured
    asked = {k: v for k, v in settings.parameters.as_dict().items() if k in named}
    return Parameters.from_dict(made_with.as_dict() | asked)


def _chosen(settings: Settings) -> dict[str, Collection[str]]:
    """Return the labels to compare of each entity of a surface, for the options that were given."""
    query = settings.query
    structures = (*query.structures.surfaces, *(v.label for v in query.structures.volumes))
    options = {
        "session_label": ("session", ("", *query.sessions)),  # what has no session belongs to all
        "structures": ("structure", structures),
        "surfaces": ("surface", query.surfaces),
        "space": ("space", (query.space,)),
        "density": ("density", (query.density,)),
    }
    return {entity: frozenset(labels) for name, (entity, labels) in options.items() if name in settings.given}


def _say(result: GroupResult, absent: list[str], threshold: float) -> int:
    for name, count in result.sets.items():
        print(f"{name}: {count} participants compared")
    for row in result.missing[:SHOWN]:
        print(f"n/a: {row['participant_id']}, {row['what']}: {row['reason']}")
    if len(result.missing) > SHOWN:
        print(f"... and {len(result.missing) - SHOWN} more n/a")
    print(f"{len(result.outliers)} values beyond a robust z of {threshold:g}")
    for row in result.outliers[:SHOWN]:
        z = "no z, MAD is 0" if row["robust_z"] is None else f"z = {row['robust_z']:+.1f}"
        side = {"L": "left ", "R": "right "}.get(row["hemisphere"], "")
        where = f"{side}{row['structure']} ({row['surface']})"
        print(f"outlier: {row['name']}, {where}, {row['measure']} = {row['value']:.6g} ({z})")
    if result.note:
        print(f"note: {result.note}")
    failures = [*result.problems, *(f"sub-{s}: no results of the participant level" for s in absent)]
    for failure in failures:
        print(f"FAILED {failure}")
    end = f"spectralbrain finished: group level, {len(result.files)} files written, "
    print(end + (f"{len(failures)} failures" if failures else "no failure"), flush=True)
    return exits.FAILURES if failures else exits.OK


def _leave(code: int, message: str) -> int:
    print(f"spectralbrain: error: {message}", file=sys.stderr)
    return code
