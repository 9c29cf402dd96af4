"""The group level on the command line."""

from __future__ import annotations

import sys

from spectralbrain.bids.parameters import Parameters, differences
from spectralbrain.cli import exits
from spectralbrain.cli.settings import Settings
from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.workflows.dataset import read_parameters
from spectralbrain.workflows.group import GroupResult, run_group_level
from spectralbrain.workflows.state import participants_of

SHOWN = 30


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
    parameters = read_parameters(output) or {}
    default = Parameters().as_dict()
    asked = {k: v for k, v in settings.parameters.as_dict().items() if v != default[k]}
    if other := differences(asked, {k: parameters.get(k) for k in asked}):
        text = "the group level uses the results as they are, which were made otherwise"
        return _leave(exits.USAGE, "\n  ".join([f"{output}: {text}:", *other]))
    try:
        result = run_group_level(
            output,
            participants=settings.query.participants,
            sessions=settings.query.sessions,
            normalization=str(parameters.get("normalization", settings.parameters.normalization)),
            threshold=settings.outlier_threshold,
            parameters=parameters,
            report=settings.report,
        )
    except IncompatibleError as error:
        return _leave(exits.DATA, str(error))
    except ArrayError as error:
        return _leave(exits.NO_INPUT, str(error))
    return _say(result, absent, settings.outlier_threshold)


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
