"""What determines the results of a run: the parameters, their hash, and how two sets differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from spectralbrain.errors import BIDSError

VERTEX_DESCRIPTORS = ("hks", "sihks", "wks", "gps", "bks")
DESCRIPTORS = ("shapedna", *VERTEX_DESCRIPTORS)
DEFAULT_DESCRIPTORS = ("shapedna", "hks", "wks")
NORMALIZATIONS = ("area", "volume", "none")
LAPLACIANS = ("cotangent", "robust", "quadratic")
MASSES = ("consistent", "lumped")
BOUNDARIES = ("neumann", "dirichlet")
MEDIAL_WALLS = ("auto", "masked", "closed")


@dataclass(frozen=True)
class Parameters:
    """Everything that changes what is written, and nothing else.

    Attributes
    ----------
    modes : int
        Number k of eigenpairs of each surface, null modes included.
    descriptors : tuple of str
        Of 'shapedna', 'hks', 'sihks', 'wks', 'gps', 'bks'; in this order.
    scales : int
        Number of times of the HKS and of energies of the WKS.
    written_modes : int
        How many eigenmodes are written as maps.
    normalization : {'area', 'volume', 'none'}
        Of the ShapeDNA.
    laplacian : {'cotangent', 'robust', 'quadratic'}
        Discretisation.
    mass : {'consistent', 'lumped'}
        Mass matrix.
    boundary : {'neumann', 'dirichlet'}
        Condition on open borders (masked cortex, hippocampus).
    medial_wall : {'auto', 'masked', 'closed'}
        'auto': masked where a cortex mask exists.
    region_modes : int
        Eigenvalues of each region.
    write_meshes : bool
        Write the analysed surfaces too.
    hks_times, wks_energies : tuple of float or None
        A grid that enters as a file: t / A, and log(lambda A).

    Examples
    --------
    >>> Parameters(modes=50).differences(Parameters())
    ['modes: 50 here, 100 there']
    """

    modes: int = 100
    descriptors: tuple[str, ...] = DEFAULT_DESCRIPTORS
    scales: int = 20
    written_modes: int = 20
    normalization: str = "area"
    laplacian: str = "cotangent"
    mass: str = "consistent"
    boundary: str = "neumann"
    medial_wall: str = "auto"
    region_modes: int = 30
    write_meshes: bool = False
    hks_times: tuple[float, ...] | None = None
    wks_energies: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        unknown = [d for d in self.descriptors if d not in DESCRIPTORS]
        if unknown:
            raise BIDSError(f"descriptors: expected {', '.join(DESCRIPTORS)}, found {', '.join(unknown)}")
        ordered = tuple(d for d in DESCRIPTORS if d in self.descriptors)
        object.__setattr__(self, "descriptors", ordered)
        if self.modes < 2:
            raise BIDSError(f"modes: expected at least 2, found {self.modes}")
        object.__setattr__(self, "written_modes", min(self.written_modes, self.modes))

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they stand in files."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @property
    def configuration_hash(self) -> str:
        """First 12 digits of the SHA-256 of the parameters that change results."""
        return configuration_hash(self.as_dict())

    def differences(self, other: Parameters) -> list[str]:
        """Name what differs from another set."""
        return differences(self.as_dict(), other.as_dict())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Parameters:
        """Build from plain values; unknown keys (of another version) are an error.

        Raises
        ------
        BIDSError
            If a key is unknown.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise BIDSError(f"parameters: expected {', '.join(sorted(known))}, found {', '.join(unknown)}")
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**given)


def configuration_hash(values: Mapping[str, Any]) -> str:
    """Return the first 12 digits of the SHA-256 of plain values, whatever their order.

    Examples
    --------
    >>> configuration_hash({"a": 1, "b": 2}) == configuration_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Name each key whose value differs, with both values.

    Examples
    --------
    >>> differences({"modes": 50, "mass": "lumped"}, {"modes": 50})
    ["mass: 'lumped' here, not set there"]
    """
    absent = object()
    lines = []
    for key in sorted({*here, *there}):
        a, b = here.get(key, absent), there.get(key, absent)
        if a != b:
            left, right = ("not set" if v is absent else repr(v) for v in (a, b))
            lines.append(f"{key}: {left} here, {right} there")
    return lines
