"""One participant's surface in a group, and what must agree before a group is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.spectral.spectrum import Spectrum

#: What has to agree before two spectra may be compared.
COMPATIBLE_KEYS = (
    "structure",
    "surface",
    "space",
    "density",
    "masked",
    "boundary",
    "laplacian",
    "mass",
    "k",
)


@dataclass(frozen=True)
class GroupEntry:
    """One participant's surface in a group.

    Attributes
    ----------
    name : str
        Unique in the group, for example ``sub-01`` or ``sub-01_ses-pre``.
    spectrum : Spectrum or None
        None where it could not be computed; then `reason` is needed.
    entities : mapping
        Columns that identify the row (``participant_id``, ``session_id``) and facts that metadata
        lack (``space``, ``density``).
    reason : str, optional
        Why the spectrum is missing.

    Raises
    ------
    ArrayError
        If a missing spectrum comes without a reason.
    """

    name: str
    spectrum: Spectrum | None
    entities: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.spectrum is None and not self.reason:
            raise ArrayError(f"reason: expected why {self.name} has no spectrum, found {self.reason!r}")

    def fact(self, key: str) -> Any:
        """Return an entity or, failing that, a metadata value; None where there is neither."""
        if key in self.entities:
            return self.entities[key]
        return None if self.spectrum is None else self.spectrum.metadata.get(key)


def check_compatible(entries: Sequence[GroupEntry], *, keys: Iterable[str] = COMPATIBLE_KEYS) -> None:
    """Refuse to go on where spectra were computed in different ways.

    Parameters
    ----------
    entries : sequence of GroupEntry
        Entries without a spectrum are passed over.
    keys : iterable of str
        The facts that must agree.

    Raises
    ------
    IncompatibleError
        If a fact differs; the message names each fact, its values and who has them.
    ArrayError
        If two entries have the same name.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> modes = [sphere(2).decompose(k=k) for k in (9, 10)]
    >>> entries = [GroupEntry(f"sub-{m.metadata['k']}", Spectrum(m.eigenvalues, m.metadata)) for m in modes]
    >>> check_compatible(entries)
    Traceback (most recent call last):
        ...
    spectralbrain.errors.IncompatibleError: entries: ... found k: 10 in sub-10, 9 in sub-9
    """
    names = [entry.name for entry in entries]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ArrayError(f"entries: expected unique names, found {', '.join(doubled)} more than once")
    present = [entry for entry in entries if entry.spectrum is not None]
    differences = [text for key in keys if (text := _difference(present, key))]
    if differences:
        raise IncompatibleError("entries: expected spectra computed alike, found " + "; ".join(differences))


def _difference(entries: Sequence[GroupEntry], key: str) -> str:
    holders: dict[str, list[str]] = {}
    for entry in entries:
        holders.setdefault(str(entry.fact(key)), []).append(entry.name)
    if len(holders) < 2:
        return ""
    parts = (f"{value} in {_some(names)}" for value, names in sorted(holders.items()))
    return f"{key}: " + ", ".join(parts)


def _some(names: Sequence[str], most: int = 3) -> str:
    rest = len(names) - most
    return " ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def is_known(value: Any) -> bool:
    """Return whether a value is there: neither None nor NaN."""
    return value is not None and bool(np.isfinite(value))
