"""What the user wants of the inputs: participants, sessions, surfaces, and entity filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spectralbrain.bids.entities import ENTITY_ORDER, LONG_NAMES, Name
from spectralbrain.bids.structures import ALL_SURFACES, StructureChoice
from spectralbrain.errors import BIDSError

DEFAULT_SURFACE = "midthickness"
# These are maps of the cortex, not its shape: their spectra describe the projection.
REFUSED_SURFACES = frozenset(
    {"inflated", "vinflated", "veryinflated", "sphere", "sphere.reg", "flat", "unfold"}
)
NATIVE_SPACES = frozenset({"", "fsnative", "T1w", "T2w"})
FILTER_QUERIES = ("surface", "mask", "parcellation")
ANY = "*"


@dataclass(frozen=True)
class Query:
    """A choice among the inputs; the defaults take everything that is native and anatomical.

    Attributes
    ----------
    participants, sessions : tuple of str
        Labels without prefix; empty: all.
    surfaces : tuple of str
        Empty: midthickness, or in a plain folder every anatomical surface.
    structures : StructureChoice
        Which structures.
    parcellations : tuple of str or None
        Names; empty: the first of each structure's usual ones that is found; None: do not look.
    space, density : str
        '': the native surface, and the layout's usual density.
    filters : mapping
        ``{query: {entity: value}}`` of a filter file, see :func:`read_filters`.
    mapping : mapping
        Foreign id to (participant, session) label.
    longitudinal : {'auto', 'only', 'ignore'}
        Whether FreeSurfer's longitudinal runs replace the cross-sectional ones of a participant.
    """

    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    structures: StructureChoice = ALL_SURFACES
    parcellations: tuple[str, ...] | None = ()
    space: str = ""
    density: str = ""
    filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mapping: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    longitudinal: str = "auto"

    @property
    def wanted_surfaces(self) -> tuple[str, ...]:
        """The surfaces to look for where the layout names them."""
        return self.surfaces or (DEFAULT_SURFACE,)

    def wants(self, subject: str, session: str = "") -> bool:
        """Tell whether a participant's session is asked for; a file without session always is."""
        if self.participants and subject not in self.participants:
            return False
        return not (self.sessions and session and session not in self.sessions)

    def accepts(self, name: Name, query: str = "surface") -> bool:
        """Tell whether a file passes the filter file's entry for its kind."""
        return all(_passes(name, key, value) for key, value in self.filters.get(query, {}).items())

    def accepts_space(self, name: Name) -> bool:
        """Tell whether a surface lies in the space and density asked for."""
        space, density = name.entities.get("space", ""), name.entities.get("den", "")
        if "space" in self.filters.get("surface", {}):
            return True
        in_space = space == self.space if self.space else space in NATIVE_SPACES
        return in_space and (not self.density or density == self.density)


def read_filters(document: Any) -> dict[str, dict[str, Any]]:
    """Check the content of a ``--bids-filter-file``.

    Parameters
    ----------
    document : object
        As parsed from JSON: ``{"surface": {"session": "pre", "run": null}}``. Keys are 'surface',
        'mask', 'parcellation'; entities by their short or long names, or 'suffix', 'extension'.
        A value is a label, a list of labels, null (the entity must be absent) or ``"*"`` (present).

    Returns
    -------
    dict

    Raises
    ------
    BIDSError
        If a query or an entity is unknown, or a value is of another kind.

    Examples
    --------
    >>> read_filters({"surface": {"session": ["pre", "post"], "acquisition": None}})
    {'surface': {'ses': ['pre', 'post'], 'acq': None}}
    """
    if not isinstance(document, dict):
        raise BIDSError(f"filter file: expected an object, found {type(document).__name__}")
    checked: dict[str, dict[str, Any]] = {}
    for query, entities in document.items():
        if query not in FILTER_QUERIES:
            raise BIDSError(f"filter file: expected {', '.join(FILTER_QUERIES)}, found {query!r}")
        if not isinstance(entities, dict):
            raise BIDSError(f"filter file[{query!r}]: expected an object, found {type(entities).__name__}")
        checked[query] = dict(_checked_filter(query, key, value) for key, value in entities.items())
    return checked


def _checked_filter(query: str, key: str, value: Any) -> tuple[str, Any]:
    short = LONG_NAMES.get(key, key)
    if short not in (*ENTITY_ORDER, "suffix", "extension"):
        raise BIDSError(f"filter file[{query!r}]: expected an entity of BIDS, found {key!r}")
    values = value if isinstance(value, list) else [value]
    if not all(v is None or isinstance(v, str | int) for v in values):
        raise BIDSError(f"filter file[{query!r}][{key!r}]: expected labels, null or '*', found {value!r}")
    return short, value


def _passes(name: Name, key: str, value: Any) -> bool:
    found = {"suffix": name.suffix, "extension": name.extension}.get(key, name.entities.get(key))
    if value == ANY:
        return found is not None
    values = value if isinstance(value, list) else [value]
    return any(_same(found, v) for v in values)


def _same(found: str | None, wanted: str | int | None) -> bool:
    if isinstance(wanted, int) and found is not None and found.isdecimal():
        return int(found) == wanted
    return found == (None if wanted is None else str(wanted))


def check_surfaces(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse surfaces whose spectrum does not describe the anatomy.

    Parameters
    ----------
    names : tuple of str
        As asked for.

    Returns
    -------
    tuple of str
        The same.

    Raises
    ------
    BIDSError
        For inflated, sphere and flat surfaces.

    Examples
    --------
    >>> check_surfaces(("white", "pial"))
    ('white', 'pial')
    """
    refused = [name for name in names if name in REFUSED_SURFACES]
    if refused:
        raise BIDSError(
            "surfaces: expected anatomical surfaces (midthickness, white, pial), "
            f"found {', '.join(refused)}, whose spectrum describes a projection of the brain, not its shape"
        )
    return names
