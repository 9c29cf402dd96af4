"""Pairs of sessions and within-subject differences; models of change belong to other tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spectralbrain.spectral.group_entry import GroupEntry, check_compatible, is_known
from spectralbrain.spectral.shape_distance import shapedna_distance


def pair_sessions(entries: Sequence[GroupEntry]) -> list[tuple[GroupEntry, GroupEntry]]:
    """Pair each participant's first session with each of the later ones.

    Parameters
    ----------
    entries : sequence of GroupEntry
        With the entities ``participant_id`` and ``session_id``; the order within a participant is
        the order of the sessions.

    Returns
    -------
    list of (baseline, follow-up)

    Examples
    --------
    >>> labels = [{"participant_id": "sub-01", "session_id": f"ses-{session}"} for session in (1, 2, 3)]
    >>> visits = [GroupEntry("_".join(label.values()), None, label, "not computed") for label in labels]
    >>> [(before.name, after.name) for before, after in pair_sessions(visits)]
    [('sub-01_ses-1', 'sub-01_ses-2'), ('sub-01_ses-1', 'sub-01_ses-3')]
    """
    sessions: dict[str, list[GroupEntry]] = {}
    for entry in entries:
        if "session_id" in entry.entities:
            sessions.setdefault(entry.entities["participant_id"], []).append(entry)
    return [(found[0], later) for found in sessions.values() for later in found[1:]]


def longitudinal_differences(
    pairs: Sequence[tuple[GroupEntry, GroupEntry]], *, k: int | None = None
) -> list[dict[str, Any]]:
    """Return within-subject differences, one row per pair.

    Parameters
    ----------
    pairs : sequence of (baseline, follow-up)
        See :func:`pair_sessions`.
    k : int, optional
        How many eigenvalues enter the distance; all by default.

    Returns
    -------
    list of dict
        ``baseline``, ``followup``, ``area_change`` and ``volume_change`` (follow-up minus baseline,
        relative to the baseline), ``shapedna_distance`` (Euclidean, lambda A / n), ``k``, ``reason``.

    Raises
    ------
    IncompatibleError
        If the spectra of a pair were computed in different ways.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> visits = [sphere(2, radius=radius).decompose(k=9) for radius in (10.0, 9.0)]
    >>> spectra = [Spectrum(visit.eigenvalues, visit.metadata) for visit in visits]
    >>> pair = tuple(GroupEntry(f"ses-{n}", spectrum) for n, spectrum in enumerate(spectra))
    >>> (row,) = longitudinal_differences([pair])
    >>> round(row["area_change"], 3), round(row["shapedna_distance"], 6)
    (-0.19, 0.0)
    """
    rows = []
    for before, after in pairs:
        check_compatible([before, after])
        row: dict[str, Any] = {"baseline": before.name, "followup": after.name}
        row["area_change"] = _relative_change(before, after, "surface_area")
        row["volume_change"] = _relative_change(before, after, "volume")
        if before.spectrum is None or after.spectrum is None:
            reasons = (f"{e.name}: {e.reason}" for e in (before, after) if e.spectrum is None)
            row |= {"shapedna_distance": None, "k": None, "reason": "; ".join(reasons)}
        else:
            distance = shapedna_distance(before.spectrum, after.spectrum, k=k)
            row |= {"shapedna_distance": float(distance), "k": distance.k, "reason": None}
        rows.append(row)
    return rows


def _relative_change(before: GroupEntry, after: GroupEntry, key: str) -> float | None:
    first, second = before.fact(key), after.fact(key)
    if not is_known(first) or not is_known(second) or first == 0:
        return None
    return float((second - first) / first)
