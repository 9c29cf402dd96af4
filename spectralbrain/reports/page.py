"""From figures and tables to one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from spectralbrain._version import __version__
from spectralbrain.io._atomic import write_bytes_atomic, write_text_atomic
from spectralbrain.reports.extras import drawing_module
from spectralbrain.reports.results import ReportFailure, ReportResult
from spectralbrain.reports.style import Figure, slugify
from spectralbrain.runtime import PathLike

_LOGGER = logging.getLogger(__name__)
_DRAWING = ("jinja2", "matplotlib.figure", "PIL.Image")


@dataclass(frozen=True)
class Panel:
    """A figure in the page, or why it is not there."""

    what: str
    figure: Figure | None = None
    failure: ReportFailure | None = None
    anchor: str = ""


@dataclass
class Assembly:
    """What a report has gathered so far.

    Attributes
    ----------
    out_file : Path
        Where the page will be.
    figures_dir : Path or None
        Where each figure is written as a file of its own, too.
    files : list of str
        Written so far.
    failures : list of ReportFailure
        What could not be made so far.
    """

    out_file: Path
    figures_dir: Path | None = None
    files: list[str] = field(default_factory=list)
    failures: list[ReportFailure] = field(default_factory=list)
    _anchors: set[str] = field(default_factory=set)

    def attempt(self, where: str, what: str, make: Callable[[], Figure]) -> Panel:
        """Make a figure; if that fails, say so in its place and go on.

        Parameters
        ----------
        where, what : str
            Section and figure, for people.
        make : callable
            Returns the figure.

        Returns
        -------
        Panel
        """
        figure = self.protect(where, what, make)
        if figure is None:
            return Panel(what, failure=self.failures[-1])
        anchor = self._free_anchor(slugify(f"{where} {figure.slug}"))
        if self.figures_dir is not None:
            name = f"{self.out_file.stem}_{anchor}{figure.suffix}"
            self.files.append(str(write_bytes_atomic(self.figures_dir / name, figure.data)))
        return Panel(what, figure, anchor=anchor)

    def protect(self, where: str, what: str, make: Callable[[], Any]) -> Any:
        """Call `make`; if it raises, record the failure and return None."""
        try:
            return make()
        except Exception as error:  # whatever breaks one figure must not take the report with it
            message = f"{type(error).__name__}: {error}"
            _LOGGER.warning("%s: %s is missing from the report: %s", where, what, message)
            _LOGGER.debug("Why %s is missing", what, exc_info=True)
            self.failures.append(ReportFailure(where, what, message))
            return None

    def write(self, template: str, context: Mapping[str, Any]) -> ReportResult:
        """Render the page and write it."""
        page = render_page(template, {**context, "failures": self.failures})
        path = str(write_text_atomic(self.out_file, page))
        return ReportResult(path, (path, *self.files), tuple(self.failures))

    def _free_anchor(self, wanted: str) -> str:
        anchor, count = wanted, 1
        while anchor in self._anchors:
            count += 1
            anchor = f"{wanted}-{count}"
        self._anchors.add(anchor)
        return anchor


def new_assembly(out_file: PathLike, figures_dir: PathLike | None) -> Assembly:
    """Return an empty assembly, after making sure that all the packages needed are there.

    Raises
    ------
    MissingDependencyError
        If one is not.
    """
    for module in _DRAWING:
        drawing_module(module)
    return Assembly(Path(out_file), Path(figures_dir) if figures_dir is not None else None)


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of the package.

    Parameters
    ----------
    template : str
        Its file name in ``data/report``.
    context : mapping
        Its variables.

    Returns
    -------
    str
        HTML. Everything from `context` is escaped.
    """
    jinja2 = drawing_module("jinja2")
    folder = resources.files("spectralbrain") / "data" / "report"
    loader = jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_url"] = data_url
    environment.filters["slug"] = slugify
    environment.globals["version"] = __version__
    environment.globals["style_sheet"] = (folder / "report.css").read_text(encoding="utf-8")
    environment.globals["viewer_script"] = (folder / "viewer.js").read_text(encoding="utf-8")
    page: str = environment.get_template(template).render(**context)
    return page + "\n"


def data_url(figure: Figure) -> str:
    """Return a figure as a URL that carries the whole file."""
    return f"data:{figure.media_type};base64,{base64.b64encode(figure.data).decode('ascii')}"


def paragraphs(text: str) -> Sequence[str]:
    """Split text at empty lines.

    Examples
    --------
    >>> paragraphs("One\\nline.\\n\\nTwo.")
    ['One line.', 'Two.']
    """
    return [" ".join(block.split()) for block in text.split("\n\n") if block.strip()]
