"""Left against right in a table: of one participant, or of a cohort."""

from __future__ import annotations

from typing import Any

from spectralbrain.errors import SpectralBrainError
from spectralbrain.spectral.asymmetry import spectral_asymmetry
from spectralbrain.spectral.spectrum import Spectrum

ASYMMETRY_COLUMNS = ("distance", "area_index", "volume_index", "k", "reason")
ASYMMETRY_FIELDS: dict[str, dict[str, str]] = {
    "distance": {"Description": "Euclidean distance of ShapeDNA, lambda A / n", "Units": "1"},
    "area_index": {"Description": "(L - R) / (L + R) of the areas", "Units": "1"},
    "volume_index": {"Description": "(L - R) / (L + R) of the volumes", "Units": "1"},
    "k": {"Description": "Eigenvalues compared"},
    "reason": {"Description": "Why a value is missing"},
}


def asymmetry_values(left: Spectrum, right: Spectrum) -> dict[str, Any]:
    """Return the cells of :data:`ASYMMETRY_COLUMNS`; two sides that cannot be compared say why.

    Examples
    --------
    >>> left = Spectrum([0, 2, 6], {"n_null_modes": 1, "surface_area": 3.0})
    >>> right = Spectrum([0, 2, 6], {"n_null_modes": 1, "surface_area": 1.0})
    >>> asymmetry_values(left, right)["area_index"]
    0.5
    """
    try:
        found = spectral_asymmetry(left, right)
    except SpectralBrainError as error:
        return {"reason": str(error)}
    reason = None if found.volume_index is not None else "volume_index: a surface is not closed"
    return {
        "distance": found.distance,
        "area_index": found.area_index,
        "volume_index": found.volume_index,
        "k": found.k,
        "reason": reason,
    }
