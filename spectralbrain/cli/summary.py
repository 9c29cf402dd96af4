"""The end of a run: table, last line and exit code, all from one state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spectralbrain.cli import exits
from spectralbrain.workflows.processing import Outcome


@dataclass
class RunState:
    """What has happened so far in a run."""

    outcomes: list[Outcome] = field(default_factory=list)
    stopped: str = ""

    @property
    def failed(self) -> list[Outcome]:
        """Participants of whom something failed, in the order of their labels."""
        return [outcome for outcome in self.outcomes if not outcome.ok]

    @property
    def exit_code(self) -> int:
        """0 if nothing failed, else 1."""
        return exits.FAILURES if self.failed or self.stopped else exits.OK

    @property
    def last_line(self) -> str:
        """One sentence that says the same as the exit code."""
        n, bad = len(self.outcomes), self.failed
        if self.exit_code == exits.OK:
            return f"spectralbrain finished: {_count(n, 'participant')}, no failure"
        names = ", ".join(f"sub-{o.subject}" for o in bad)
        stopped = f"{self.stopped}; " if self.stopped else ""
        share = f"{len(bad)} of {_count(n, 'participant')}"
        partly = sum(o.done + o.kept > 0 for o in bad)
        part = f", {partly} of them in part" if partly else ""
        return f"spectralbrain finished with failures: {stopped}{share} ({names}){part}"

    def lines(self) -> list[str]:
        """Return who failed and why, then what was done."""
        lines = [
            f"FAILED sub-{outcome.subject}: {failure.what}: {failure.reason}"
            for outcome in self.failed
            for failure in outcome.failures
        ]
        done, kept = sum(o.done for o in self.outcomes), sum(o.kept for o in self.outcomes)
        files = sum(o.files for o in self.outcomes)
        lines.append(
            f"{_count(done, 'surface')} computed, {kept} kept from before, {_count(files, 'file')} in all"
        )
        return lines


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def failed_outcomes(subjects: Sequence[str], what: str, reason: str) -> list[Outcome]:
    """Return outcomes of participants that never started."""
    from spectralbrain.workflows.processing import Failure

    return [Outcome(subject, failures=(Failure(what, reason),)) for subject in subjects]
