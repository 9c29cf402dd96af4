"""Distances, and what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np


class Distance(float):
    """A distance that remembers how many eigenvalues it compares and in which unit it is.

    Behaves as a float in every respect.

    Attributes
    ----------
    k : int
        Number of non-null eigenvalues compared; distances of different k are not comparable.
    unit : str
    method : str

    Examples
    --------
    >>> d = Distance(2.5, k=10, unit="mm^2", method="wesd")
    >>> d * 2, d.k, d.unit
    (5.0, 10, 'mm^2')
    """

    k: int
    unit: str
    method: str

    def __new__(cls, value: float, *, k: int, unit: str, method: str) -> Distance:
        """Make the float and attach how it was made."""
        self = super().__new__(cls, value)
        self.k, self.unit, self.method = k, unit, method
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[float], dict[str, Any]]:
        return (float(self),), {"k": self.k, "unit": self.unit, "method": self.method}

    def __repr__(self) -> str:
        return f"Distance({float(self)!r}, k={self.k}, unit={self.unit!r}, method={self.method!r})"


class DistanceArray(np.ndarray):
    """Distances that remember how many modes they compare and in which unit they are.

    An array in every respect; slices remember too, results of computations are plain arrays.

    Attributes
    ----------
    k : int
        Number of non-null modes compared; distances of different k are not comparable.
    unit : str
    method : str

    Examples
    --------
    >>> d = DistanceArray([[0.0, 2.0], [2.0, 0.0]], k=10, unit="mm^2", method="wesd")
    >>> d[0].k, type(2 * d).__name__
    (10, 'ndarray')
    """

    k: int
    unit: str
    method: str

    def __new__(cls, values: Any, *, k: int, unit: str, method: str) -> DistanceArray:
        """View an array of distances and attach how they were made."""
        self = np.asarray(values, dtype=np.float64).view(cls)
        self.k, self.unit, self.method = int(k), unit, method
        return self

    def __array_finalize__(self, whole: Any) -> None:
        for name in ("k", "unit", "method"):
            setattr(self, name, getattr(whole, name, None))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

    def __reduce__(self) -> Any:
        return _unpickle, (np.asarray(self), {"k": self.k, "unit": self.unit, "method": self.method})

    def __repr__(self) -> str:
        return f"DistanceArray({np.asarray(self)!r}, k={self.k}, unit={self.unit!r}, method={self.method!r})"


def _unpickle(values: Any, facts: dict[str, Any]) -> DistanceArray:
    return DistanceArray(values, **facts)
