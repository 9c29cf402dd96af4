"""What was found in the inputs: one record per surface, and the table that is shown before a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spectralbrain.bids.entities import natural_key
from spectralbrain.bids.headers import count_vertices

TABLE_COLUMNS = (
    *("participant_id", "session_id", "hemisphere", "structure", "surface", "space", "density"),
    *("vertices", "mask", "parcellation", "missing"),
)


@dataclass(frozen=True)
class SurfaceInput:
    """One surface to analyse, and the files that belong to it.

    Attributes
    ----------
    subject, session : str
        Labels without prefix; `session` is '' where there is none.
    hemisphere : str
        'L', 'R' or '' (midline structures, plain files that do not say).
    structure : str
        'cortex', 'hipp', 'dentate', or the name of a structure of a label volume.
    surface : str
        'midthickness', 'white', 'pial' ... ; 'boundary' for a structure of a label volume.
    dataset : str
        Key of the dataset the files come from, see DatasetLinks.
    space, density : str
        Entities of the source file, '' where it has none (native).
    acquisition, reconstruction, run : str
        Further entities of the source that tell surfaces of one session apart.
    mesh : Path or None
        The surface file; None where it is computed from `white` and `pial`, or from `volume`.
    white, pial : Path or None
        Surfaces to compute the midthickness from.
    volume : Path or None
        Label volume from which the structure's boundary is extracted.
    volume_labels : tuple of int
        The structure's labels in `volume`.
    mask : Path or None
        Vertices to keep (cortex without medial wall).
    parcellations : tuple of (str, Path)
        Name and file of each parcellation found.
    missing : tuple of str
        What was looked for and is not there; a surface without any geometry cannot be processed.
    """

    subject: str
    session: str
    hemisphere: str
    structure: str
    surface: str
    dataset: str = ""
    space: str = ""
    density: str = ""
    acquisition: str = ""
    reconstruction: str = ""
    run: str = ""
    mesh: Path | None = None
    white: Path | None = None
    pial: Path | None = None
    volume: Path | None = None
    volume_labels: tuple[int, ...] = ()
    mask: Path | None = None
    parcellations: tuple[tuple[str, Path], ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def entities(self) -> dict[str, str]:
        """The entities that name what is made from this surface, without suffix."""
        pairs = {
            "sub": self.subject,
            "ses": self.session,
            "acq": self.acquisition,
            "rec": self.reconstruction,
            "run": self.run,
            "hemi": self.hemisphere,
            "space": self.space,
            "den": self.density,
        }
        return {key: label for key, label in pairs.items() if label}

    @property
    def processable(self) -> bool:
        """Whether there is a geometry to start from."""
        return self.mesh is not None or self.volume is not None or bool(self.white and self.pial)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file the surface's results depend on, geometry first."""
        geometry = (self.mesh,) if self.mesh else (self.white, self.pial, self.volume)
        present = [path for path in (*geometry, self.mask) if path]
        return (*present, *(path for _, path in self.parcellations))

    @property
    def name(self) -> str:
        """A short name for messages, e.g. ``sub-01 ses-pre L cortex midthickness``."""
        session = f"ses-{self.session}" if self.session else ""
        parts = (f"sub-{self.subject}", session, self.hemisphere, self.structure, self.surface)
        return " ".join(part for part in parts if part)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Order of tables and of work."""
        return (
            *(natural_key(self.subject), natural_key(self.session), self.acquisition, self.reconstruction),
            *(natural_key(self.run), self.structure, self.hemisphere, self.surface, self.space, self.density),
        )


@dataclass(frozen=True)
class Inventory:
    """All that discovery found.

    Attributes
    ----------
    layouts : dict
        Dataset key to the layout it was taken for.
    roots : dict
        Dataset key to its folder.
    surfaces : tuple of SurfaceInput
        Sorted by participant, session, structure, hemisphere.
    skipped : tuple of str
        What was seen and left out on purpose, with the reason.
    """

    layouts: dict[str, str] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)
    surfaces: tuple[SurfaceInput, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """Participant labels, in natural order."""
        return tuple(sorted({s.subject for s in self.surfaces}, key=natural_key))

    def of(self, subject: str) -> tuple[SurfaceInput, ...]:
        """Return the surfaces of one participant."""
        return tuple(s for s in self.surfaces if s.subject == subject)


def table_rows(
    surfaces: Iterable[SurfaceInput], *, count: Callable[[Path], int | None] = count_vertices
) -> list[tuple[str, ...]]:
    """Return one row per surface, in the order of :data:`TABLE_COLUMNS`.

    Parameters
    ----------
    surfaces : iterable of SurfaceInput
        What discovery found.
    count : callable
        Number of vertices of a file, None where it is not known without reading it all.

    Returns
    -------
    list of tuple of str
        Missing values are ``n/a``.
    """
    rows = []
    for s in surfaces:
        geometry = s.mesh or s.white
        vertices = count(geometry) if geometry else None
        names = ",".join(name for name, _ in s.parcellations)
        cells = (
            *(f"sub-{s.subject}", f"ses-{s.session}" if s.session else "", s.hemisphere, s.structure),
            *(_surface_cell(s), s.space, s.density, str(vertices or ""), s.mask.name if s.mask else ""),
            *(names, "; ".join(s.missing)),
        )
        rows.append(tuple(cell or "n/a" for cell in cells))
    return rows


def _surface_cell(surface: SurfaceInput) -> str:
    if surface.mesh is None and surface.white and surface.pial:
        return f"{surface.surface} (from white and pial)"
    if surface.volume is not None:
        return f"{surface.surface} (from {surface.volume.name})"
    return surface.surface


def format_table(columns: Iterable[str], rows: list[tuple[str, ...]], *, limit: int | None = None) -> str:
    """Return a plain-text table, columns aligned, columns without any value left out.

    Parameters
    ----------
    columns : iterable of str
        Headers.
    rows : list of tuple of str
        Cells.
    limit : int, optional
        Show no more than this many rows and say how many were left out.

    Returns
    -------
    str

    Examples
    --------
    >>> print(format_table(["id", "mask"], [("sub-1", "n/a"), ("sub-2", "n/a")]))
    id
    sub-1
    sub-2
    """
    headers = list(columns)
    filled = [i for i in range(len(headers)) if any(row[i] != "n/a" for row in rows)] or [0]
    shown = rows if limit is None or len(rows) <= limit else rows[:limit]
    table = [[headers[i] for i in filled], *([row[i] for i in filled] for row in shown)]
    widths = [max(len(line[j]) for line in table) for j in range(len(filled))]
    padded = ("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in table)
    lines = [line.rstrip() for line in padded]
    if len(shown) < len(rows):
        lines.append(f"... and {len(rows) - len(shown)} more")
    return "\n".join(lines)
