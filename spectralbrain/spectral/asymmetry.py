"""Left against right: an unsigned distance of shape, and a signed difference of size apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from spectralbrain.errors import SpectralBrainError
from spectralbrain.spectral._arguments import check_spectrum
from spectralbrain.spectral.shape_distance import Metric, shapedna_distance
from spectralbrain.spectral.spectrum import SpectrumLike


@dataclass(frozen=True)
class Asymmetry:
    """How the left and the right side of a structure differ.

    Attributes
    ----------
    distance : float
        Unsigned ShapeDNA distance of lambda_n A / n; exactly 0 for a surface and its mirror image.
    area_index : float
        (L - R) / (L + R) of the areas, from -1 to 1; positive where the left side is larger.
    volume_index : float or None
        The same of the enclosed volumes; None unless both are closed.
    k : int
        Number of eigenvalues compared.
    metric : str
    """

    distance: float
    area_index: float
    volume_index: float | None
    k: int
    metric: str


def spectral_asymmetry(
    left: SpectrumLike, right: SpectrumLike, *, metric: Metric = "euclidean", k: int | None = None
) -> Asymmetry:
    """Compare a left structure with its right counterpart.

    Shape and size are kept apart: the distance || a_L - a_R || compares spectra normalised for area and index
    (a_n = lambda_n A / n), which do not change with size; the size indices (L - R) / (L + R) are signed.

    Parameters
    ----------
    left, right : SpectralDecomposition or Spectrum
    metric : {'euclidean', 'cosine'}
        See :func:`~spectralbrain.shapedna_distance`.
    k : int, optional
        Number of non-null eigenvalues. Without it both sides must have equally many.

    Returns
    -------
    Asymmetry
        All dimensionless, with `k`.

    Raises
    ------
    ArrayError, IncompatibleError
        As :func:`~spectralbrain.shapedna_distance`.

    References
    ----------
    Wachinger, Golland, Kremen, Fischl & Reuter (2015), NeuroImage 109, 232-248,
    doi:10.1016/j.neuroimage.2015.01.032: lateral asymmetry as the distance of the two sides' ShapeDNA. The
    authors' program leaves normalisation and weights to options, and divides by n + 1 (``index='lapy'`` of
    :func:`~spectralbrain.shapedna_distance`).

    Notes
    -----
    Invariant to rigid motion, reflection, order of vertices and choice of eigenvectors of either side, the
    distance also to the scale of each. Exchanging the sides changes the signs of the indices only.

    Examples
    --------
    >>> from spectralbrain.spectral.spectrum import Spectrum
    >>> left = Spectrum([0, 2, 6], {"n_null_modes": 1, "surface_area": 3.0})
    >>> right = Spectrum([0, 2, 6], {"n_null_modes": 1, "surface_area": 1.0})
    >>> spectral_asymmetry(left, right).area_index
    0.5
    """
    check_spectrum(left, "left")
    check_spectrum(right, "right")
    distance = shapedna_distance(left, right, metric=metric, k=k)
    volumes = [_volume(side) for side in (left, right)]
    return Asymmetry(
        distance=float(distance),
        area_index=_index(left.surface_area, right.surface_area),
        volume_index=_index(*volumes) if None not in volumes else None,
        k=distance.k,
        metric=metric,
    )


def asymmetry_table(
    left: Mapping[Any, SpectrumLike | None],
    right: Mapping[Any, SpectrumLike | None],
    *,
    names: Mapping[Any, str] | None = None,
    metric: Metric = "euclidean",
    k: int | None = None,
) -> list[dict[str, Any]]:
    """Compare many structures, paired by their label id.

    Parameters
    ----------
    left, right : mapping of label id to spectrum, or to None where a side is missing
    names : mapping of label id to name, optional
    metric, k
        As in :func:`spectral_asymmetry`.

    Returns
    -------
    list of dict
        One row per id that either side has, ascending: ``region_id``, ``region``, ``distance``,
        ``area_index``, ``volume_index``, ``k``, ``metric``, ``status`` ('ok' or 'n/a') and
        ``reason``. A pair that cannot be compared is a row of None with its reason.

    Examples
    --------
    >>> asymmetry_table({17: None}, {})[0]["reason"]
    'missing: left, right'
    """
    rows = []
    keys = {*left, *right}
    alike = len({isinstance(key, str) for key in keys}) < 2
    for key in sorted(keys, key=None if alike else str):
        sides = {"left": left.get(key), "right": right.get(key)}
        row: dict[str, Any] = {"region_id": key, "region": (names or {}).get(key, str(key))}
        row |= dict.fromkeys(Asymmetry.__dataclass_fields__) | {"status": "n/a", "reason": None}
        missing = [name for name, side in sides.items() if side is None]
        if missing:
            row["reason"] = f"missing: {', '.join(missing)}"
        else:
            try:
                found = spectral_asymmetry(left[key], right[key], metric=metric, k=k)  # type: ignore[arg-type]
                row |= asdict(found) | {"status": "ok"}
            except SpectralBrainError as error:
                row["reason"] = str(error)
        rows.append(row)
    return rows


def _index(left: float, right: float) -> float:
    return (left - right) / (left + right)


def _volume(spectrum: SpectrumLike) -> Any:
    if spectrum.metadata.get("boundary") != "closed":
        return None
    volume = spectrum.metadata.get("volume")
    return None if volume is None else abs(float(volume))
