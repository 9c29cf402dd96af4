"""What descriptors, measures and quality flags mean, in words for a reader of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.reports.style import number

GOOD_ERROR = 0.01  # relative error of an eigenvalue that comes from the mesh alone

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class DescriptorWords:
    """Title, unit and explanation of a descriptor; `scale` names what its columns run over."""

    title: str
    units: str
    explanation: str
    scale: str = ""


@dataclass(frozen=True)
class Flag:
    """A remark about a surface: machine-readable code, weight, text for people."""

    code: str
    severity: Severity
    message: str


_DESCRIPTORS = {
    "hks": DescriptorWords(
        "Heat kernel signature (HKS)",
        "mm⁻²",
        "How much of the heat put on a point is still there after time t. It stays where heat cannot "
        "spread: tips of gyri and poles are high, flat or saddle-like places low. Short times show local "
        "folding, long times the global shape.",
        "time",
    ),
    "si_hks": DescriptorWords(
        "Scale-invariant heat kernel signature (SI-HKS)",
        "",
        "The heat kernel signature made independent of size, as Fourier magnitudes over logarithmic time; "
        "low frequencies first.",
        "frequency",
    ),
    "wks": DescriptorWords(
        "Wave kernel signature (WKS)",
        "mm⁻²",
        "How likely a quantum particle of a given energy is found at a point. Low energies show the "
        "global shape, high energies local detail.",
        "energy",
    ),
    "gps": DescriptorWords(
        "Global point signature (GPS)",
        "",
        "Each eigenmode divided by the root of its eigenvalue: coordinates of every point in shape space, "
        "slow modes first.",
        "mode",
    ),
    "bks": DescriptorWords(
        "Biharmonic kernel signature (BKS)",
        "mm²",
        "The biharmonic distance of a point from the whole: poles and tips are high, the middle of the "
        "surface is low.",
    ),
    "bates": DescriptorWords(
        "Bates signatures",
        "",
        "Symmetric polynomials of the weighted modes of a diffusion, order by order and time by time.",
        "term",
    ),
    "wavelets": DescriptorWords(
        "Spectral graph wavelets",
        "mm⁻²",
        "The response of a wavelet centred on each point to that point: local folding at one spatial scale.",
        "scale",
    ),
}
_ALIASES = {"sihks": "si_hks", "bates_signatures": "bates", "wavelet": "wavelets"}

# key of a quality report: (weight if the value is bad, the good value, sentence)
_QUALITY: dict[str, tuple[Severity, Any, str]] = {
    "n_degenerate_faces": ("error", 0, "{} triangles have no area; operators on them are ill-defined."),
    "n_duplicate_faces": ("error", 0, "{} triangles occur twice."),
    "n_unreferenced_vertices": ("info", 0, "{} vertices belong to no triangle; they are left out."),
    "n_non_manifold_edges": ("error", 0, "{} edges are shared by more than two triangles: sheets are glued."),
    "n_non_manifold_vertices": ("error", 0, "At {} vertices two sheets touch in a single point."),
    "n_inconsistent_edges": ("warning", 0, "At {} edges the triangles on either side face opposite ways."),
    "n_self_intersections": ("warning", 0, "The surface cuts through itself at {} pairs of triangles."),
    "is_orientable": ("error", True, "The surface has only one side, like a Moebius strip."),
    "faces_look_inwards": ("info", False, "The triangles face inwards; this changes no result."),
}

_FLAGS: dict[str, tuple[Severity, str]] = {
    "failed": ("error", "Nothing could be computed on this surface."),
    "unverified": ("error", "The eigenpairs did not pass the check of the solution; do not use them."),
    "open": ("info", "The surface has a boundary, as one with the medial wall cut out must."),
    "no_mask": ("warning", "No cortex mask was found: the medial wall was treated as if it were cortex."),
    "multiple_components": (
        "warning",
        "The surface falls apart into several pieces; each has its own constant mode.",
    ),
    "discretization_error": (
        "warning",
        "The mesh is too coarse for the highest modes; see the plot of resolution.",
    ),
    "point_cloud": ("warning", "The surface is known by points only; no error could be estimated."),
    "pinched_vertices": ("warning", "At some vertices parts of the surface touch in a point only."),
    "inconsistent_orientation": ("warning", "The triangles do not agree which side is outside."),
    "other_hemisphere": ("error", "The file says that it is of the other hemisphere."),
    "holes": ("warning", "The surface has holes."),
    "handles": ("warning", "The surface has handles: its topology was not fully corrected."),
}


def canonical_key(key: str) -> str:
    """Return the name under which this library stores a descriptor.

    Examples
    --------
    >>> canonical_key("sihks")
    'si_hks'
    """
    return _ALIASES.get(key, key)


def descriptor_words(key: str) -> DescriptorWords:
    """Return title, unit and explanation of a descriptor, from its key.

    Examples
    --------
    >>> descriptor_words("hks").title
    'Heat kernel signature (HKS)'
    >>> descriptor_words("my_map").title
    'my map'
    """
    known = _DESCRIPTORS.get(canonical_key(key))
    return known or DescriptorWords(key.replace("_", " "), "", "", "map")


def flag_from(value: Any) -> Flag:
    """Return a flag from what a caller gives: a code, or a mapping with code, severity and message.

    Raises
    ------
    FormatError
        If it is neither, or its severity is unknown.

    Examples
    --------
    >>> flag_from("no_mask").severity
    'warning'
    >>> flag_from({"code": "thin", "severity": "info", "message": "Thin."}).message
    'Thin.'
    """
    if isinstance(value, str):
        severity, message = _FLAGS.get(value, ("warning", value.replace("_", " ")))
        return Flag(value, severity, message)
    if not isinstance(value, Mapping) or "code" not in value:
        raise FormatError(
            f"flags: expected codes or mappings with code, severity and message, found {value!r}"
        )
    code = str(value["code"])
    default = flag_from(code)
    severity = value.get("severity") or default.severity
    if severity not in SEVERITIES:
        raise FormatError(f"flags: expected severity {', '.join(SEVERITIES)}, found {severity!r}")
    return Flag(code, severity, str(value.get("message") or default.message))


def quality_flags(quality: Mapping[str, Any]) -> list[Flag]:
    """Return a flag for each measure of mesh quality that is not as it should be.

    Examples
    --------
    >>> [flag.message for flag in quality_flags({"n_duplicate_faces": 2, "is_manifold": True})]
    ['2 triangles occur twice.']
    """
    return [
        Flag(key, severity, sentence.format(quality[key]))
        for key, (severity, good, sentence) in _QUALITY.items()
        if quality.get(key) is not None and quality[key] != good
    ]


def metadata_flags(metadata: Mapping[str, Any]) -> list[Flag]:
    """Return a flag for each fact about a solution that a reader must know.

    Examples
    --------
    >>> [flag.code for flag in metadata_flags({"verified": False, "n_null_modes": 1})]
    ['unverified']
    """
    flags = []
    if not metadata.get("verified", False):
        why = str(metadata.get("verification") or "the file holds no verification")
        flags.append(Flag("unverified", "error", f"The eigenpairs are not verified: {why}."))
    components = int(metadata.get("n_components", 1))
    if components > 1:
        message = f"The surface falls apart into {components} pieces; each has a constant mode of its own."
        flags.append(Flag("multiple_components", "warning", message))
    stray = int(metadata.get("n_stray_vertices", 0) or 0)
    if stray:
        message = f"{stray} vertices inside the mask belong to no kept triangle; they are left out."
        flags.append(Flag("stray_vertices", "info", message))
    flags += _resolution_flags(metadata)
    known = {flag.code for flag in flags}
    codes = np.atleast_1d(metadata.get("quality_flags", ())).tolist()
    return flags + [flag_from(str(code)) for code in codes if str(code) not in known]


def _resolution_flags(metadata: Mapping[str, Any]) -> list[Flag]:
    error = np.asarray(metadata.get("discretization_error", ()), dtype=float).ravel()
    poor = np.flatnonzero(error > GOOD_ERROR)
    if not poor.size:
        return []
    message = (
        f"From mode {poor[0] + 1} on the mesh is too coarse: the estimated error of the eigenvalue exceeds "
        f"{100 * GOOD_ERROR:g} % ({poor.size} of {error.size} modes)."
    )
    return [Flag("discretization_error", "warning", message)]


def facts(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of a surface and its solution, as pairs of words and values.

    Examples
    --------
    >>> facts({"surface_area": 91234.5, "n_vertices": 10242})
    [('Vertices', '10,242'), ('Area', '91,234 mm²')]
    """
    rows = []
    for key, words, unit in _FACTS:
        if (value := metadata.get(key)) is not None:
            rows.append((words, f"{_plain(value)}{unit}"))
    return rows


_FACTS = (
    ("n_vertices", "Vertices", ""),
    ("n_domain_vertices", "Vertices in the domain", ""),
    ("n_faces", "Triangles in the domain", ""),
    ("surface_area", "Area", " mm²"),
    ("volume", "Enclosed volume", " mm³"),
    ("boundary_length", "Boundary length", " mm"),
    ("euler_characteristic", "Euler characteristic", ""),
    ("n_components", "Pieces", ""),
    ("k", "Modes", ""),
    ("n_null_modes", "Constant modes", ""),
    ("laplacian", "Laplacian", ""),
    ("mass", "Mass matrix", ""),
    ("boundary", "Boundary condition", ""),
    ("masked", "Medial wall cut out", ""),
    ("backend", "Solver", ""),
    ("tol", "Tolerance asked for", ""),
)


def verification_facts(metadata: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return how a solution was verified: what, value, meaning.

    Examples
    --------
    >>> verification_facts({"max_residual": 2e-12})[0][:2]
    ('Largest residual', '2 × 10⁻¹²')
    """
    rows = []
    meanings = (
        (
            "max_residual",
            "Largest residual",
            "how far the worst pair is from solving the equation; zero would be exact",
        ),
        (
            "orthonormality_error",
            "Orthonormality error",
            "how far the modes are from being independent; 0 is exact",
        ),
        ("inertia_count", "Eigenvalues counted", "an independent count below the last one: none was missed"),
    )
    for key, words, meaning in meanings:
        value = metadata.get(key)
        if value is not None and np.isfinite(float(value)):
            rows.append((words, _plain(value), meaning))
    return rows


def listed(quality: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return measures of quality as pairs of words and values."""
    rows = []
    for key, value in quality.items():
        words = key.replace("_", " ")
        words = f"number of {words[2:]}" if words.startswith("n ") else words
        if isinstance(value, Mapping):
            rows += [(f"{words}, {part}", _plain(each)) for part, each in value.items()]
        elif isinstance(value, str | int | float | np.generic) or value is None:
            rows.append((words, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return number(value, 4)
    return str(value)
