"""Robust scores: who lies far from the median of a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, ArrayTypeError
from spectralbrain.spectral.group_entry import is_known

#: Iglewicz & Hoaglin (1993), How to detect and handle outliers: the modified z-score is
#: 0.6745 (x - median) / MAD, and beyond 3.5 it points to an outlier.
MAD_TO_SIGMA = 0.6745
OUTLIER_THRESHOLD = 3.5


def find_outliers(
    values: Mapping[str, float | None], *, measure: str, threshold: float = OUTLIER_THRESHOLD
) -> list[dict[str, Any]]:
    """Return the robust z-score of each participant for one measure, and who lies beyond a threshold.

    Parameters
    ----------
    values : mapping of str to float or None
        Name to value; None and NaN are passed through as missing.
    measure : str
        What the values are; it stands in each row.
    threshold : float
        Absolute robust z beyond which a row is an outlier.

    Returns
    -------
    list of dict
        Columns ``name``, ``measure``, ``value``, ``median``, ``mad``, ``robust_z``, ``threshold``,
        ``outlier`` (bool or None) and ``reason``. Where the median absolute deviation is zero no
        score exists: a value off the median is then an outlier with an empty score.

    Raises
    ------
    ArrayError
        If `threshold` is not positive, or a value is no number.

    Notes
    -----
    The score is z = 0.6745 (x - median) / MAD (Iglewicz & Hoaglin 1993), invariant to the unit of the
    values and to the order of participants.

    Examples
    --------
    >>> rows = find_outliers({"a": 1.0, "b": 1.1, "c": 0.9, "d": 1.0, "e": 9.0}, measure="area")
    >>> [row["name"] for row in rows if row["outlier"]]
    ['e']
    """
    if not threshold > 0:
        raise ArrayError(f"threshold: expected a positive number, found {threshold!r}")
    for name, value in values.items():
        if value is not None and not isinstance(value, (int, float, np.integer, np.floating)):
            raise ArrayTypeError(f"values: expected numbers, found {value!r} for {name}")
    known = np.array([value for value in values.values() if is_known(value)], dtype=float)
    median = float(np.median(known)) if known.size else None
    mad = float(np.median(np.abs(known - median))) if median is not None else None
    rows = []
    for name, value in values.items():
        z, outlier, reason = _score(value, median, mad, threshold, known.size)
        rows.append(
            {
                "name": name,
                "measure": measure,
                "value": value if is_known(value) else None,
                "median": median,
                "mad": mad,
                "robust_z": z,
                "threshold": threshold,
                "outlier": outlier,
                "reason": reason,
            }
        )
    return rows


def _score(
    value: float | None, median: float | None, mad: float | None, threshold: float, count: int
) -> tuple[float | None, bool | None, str | None]:
    if not is_known(value) or value is None or median is None or mad is None:
        return None, None, "no value"
    if count < 3:
        return None, None, f"only {count} values: no spread to compare with"
    if mad == 0:
        reason = "more than half of the values are equal: the median absolute deviation is 0"
        return None, value != median, reason
    z = MAD_TO_SIGMA * (value - median) / mad
    return z, abs(z) > threshold, None
