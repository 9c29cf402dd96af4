"""A distance between two surfaces, and what it stands for."""

from __future__ import annotations

from typing import Any


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
