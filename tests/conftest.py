"""What every test shares: the checkout, data beside it, and the rule about skips.

A skip must say why, and the reason must be listed in ``allowed_skips.txt``; any other skip fails
the run, so that a test cannot quietly stop testing.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("NIPYPE_NO_ET", "1")  # Nipype would look for a newer version on the network
os.environ.setdefault("MPLBACKEND", "Agg")

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED_DATA = CHECKOUT.parent / "shared" / "data"
CLUSTER = "tests/cluster/"
DAEMONS = (CLUSTER + "test_slurm", CLUSTER)  # the tests of Slurm share one, all others an engine
ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the source tree."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that developers keep beside their checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("shared data folder is not beside the checkout")
    return SHARED_DATA


def allowed_reasons(text: str) -> list[str]:
    """Return the patterns of ``allowed_skips.txt``: one a line, shell wildcards, ``#`` comments."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason a skipped test or module gave, '' if none."""
    detail = report.longrepr
    reason = detail[2] if isinstance(detail, tuple) else str(detail or "")
    return reason.removeprefix("Skipped: ").strip()


def is_allowed(reason: str, patterns: list[str]) -> bool:
    """Tell whether a skip may happen."""
    return any(fnmatchcase(reason, pattern) for pattern in patterns)


class SkipRule:
    """Collects the skips whose reason is not on the list, and fails the run for them."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self.offences: list[str] = []

    def _look(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = reason_of(report)
            if not is_allowed(reason, self.patterns):
                self.offences.append(f"{report.nodeid}: {reason!r}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._look(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._look(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.offences and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.offences:
            terminalreporter.section("skips that tests/allowed_skips.txt does not allow", red=True)
            for offence in self.offences:
                terminalreporter.line(offence)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the cluster, which waits most, first."""
    items.sort(key=lambda item: not item.nodeid.startswith(CLUSTER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a module on one worker, and modules that share daemons."""
    from xdist.scheduler import LoadScopeScheduling

    class ModuleScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::", 1)[0]
            return next((daemons for daemons in DAEMONS if module.startswith(daemons)), module)

    config.option.loadscopereorder = False  # the order of collection instead
    return ModuleScheduling(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Install the rule about skips in the process that reports (not in the workers of xdist)."""
    if not hasattr(config, "workerinput"):
        patterns = allowed_reasons(ALLOWED_SKIPS.read_text(encoding="utf-8"))
        config.pluginmanager.register(SkipRule(patterns), "skip-rule")
