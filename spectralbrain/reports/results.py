"""What building a report gives back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportFailure:
    """One figure or table that could not be made.

    Attributes
    ----------
    where : str
        The section of the report, for example ``'Left cortex (midthickness)'``.
    what : str
        What is missing there, for example ``'first eigenmodes'``.
    message : str
        Why.
    """

    where: str
    what: str
    message: str


@dataclass(frozen=True)
class ReportResult:
    """The files a report consists of, and what failed in it.

    Attributes
    ----------
    out_file : str
        Absolute path of the HTML page.
    files : tuple of str
        Every file written, the page first.
    failures : tuple of ReportFailure
        Empty if every part of the report could be made.

    Examples
    --------
    >>> ReportResult("/out/sub-01.html", ("/out/sub-01.html",), ()).ok
    True
    """

    out_file: str
    files: tuple[str, ...]
    failures: tuple[ReportFailure, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures
