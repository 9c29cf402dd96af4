"""What to cite: a methods text and the references of what a set of parameters uses."""

from __future__ import annotations

from spectralbrain.bids.parameters import Parameters
from spectralbrain.bids.references import REFERENCES, Reference

_USED_BY = {
    "shapedna": ("reuter2006", "wachinger2015"),
    "hks": ("sun2009",),
    "sihks": ("bronstein2010",),
    "wks": ("aubry2011",),
    "gps": ("rustamov2007",),
    "bks": ("lipman2010",),
}
_SENTENCES = {
    "shapedna": "ShapeDNA (Reuter et al., 2006) is the sequence of eigenvalues, {normalization}.",
    "hks": "The heat kernel signature (Sun et al., 2009) was computed at {hks}.",
    "sihks": "The scale-invariant heat kernel signature (Bronstein and Kokkinos, 2010) kept six frequencies.",
    "wks": "The wave kernel signature (Aubry et al., 2011) was computed at {wks}.",
    "gps": "The global point signature (Rustamov, 2007) is each vertex's eigenfunctions over sqrt(lambda).",
    "bks": "The diagonal of the biharmonic kernel (Lipman et al., 2010) was computed at each vertex.",
}
_NORMALIZATIONS = {
    "area": "multiplied by the surface's area",
    "volume": "multiplied by the enclosed volume to the power of 2/3",
    "none": "not normalised for size",
}
_LAPLACIANS = {
    "cotangent": "linear finite elements (cotangent stiffness",
    "quadratic": "quadratic finite elements on flat triangles (stiffness",
    "robust": "the intrinsic Delaunay Laplacian of the tufted cover (Sharp and Crane, 2020",
}


def references_of(parameters: Parameters) -> list[Reference]:
    """Return the references of what the parameters use, in the order of the text."""
    keys = [key for name in parameters.descriptors for key in _USED_BY[name]]
    keys += ["sharp2020"] if parameters.laplacian == "robust" else []
    keys += ["konukoglu2013", "gorgolewski2011", "virtanen2020"]
    return [REFERENCES[key] for key in dict.fromkeys(keys)]


def methods_text(parameters: Parameters, version: str) -> list[str]:
    """Return the paragraphs of a methods section for the parameters.

    Parameters
    ----------
    parameters : Parameters
        Of the run.
    version : str
        Ours.

    Returns
    -------
    list of str

    Examples
    --------
    >>> methods_text(Parameters(modes=50), "1.0")[0][:47]
    'Surfaces were analysed with spectralbrain 1.0, '
    """
    boundary = {"neumann": "Neumann", "dirichlet": "Dirichlet"}[parameters.boundary]
    wall = {
        "auto": "The medial wall was left out where a cortex mask exists.",
        "masked": "The medial wall was left out.",
        "closed": "Hemispheres were analysed as closed surfaces, medial wall included.",
    }[parameters.medial_wall]
    first = (
        f"Surfaces were analysed with spectralbrain {version}, built on Nipype (Gorgolewski et al., 2011) "
        f"and SciPy (Virtanen et al., 2020). The {parameters.modes} smallest eigenvalues and eigenfunctions "
        "of the Laplace-Beltrami operator of each surface were computed with "
        f"{_LAPLACIANS[parameters.laplacian]}, {parameters.mass} mass matrix) and {boundary} conditions on "
        f"open borders; residuals and completeness of the spectrum were verified. {wall}"
    )
    given = {
        "normalization": _NORMALIZATIONS[parameters.normalization],
        "hks": f"{len(parameters.hks_times)} given diffusion times"
        if parameters.hks_times
        else f"{parameters.scales} diffusion times fixed in t / area",
        "wks": f"{len(parameters.wks_energies)} given energies"
        if parameters.wks_energies
        else f"{parameters.scales} energies fixed in log(lambda area)",
    }
    second = " ".join(_SENTENCES[name].format(**given) for name in parameters.descriptors)
    third = (
        "Participants were compared by the Euclidean distance of their spectra, normalised for area and "
        "index (Wachinger et al., 2015), and by the weighted spectral distance (Konukoglu et al., 2013)."
    )
    return [paragraph for paragraph in (first, second, third) if paragraph]


def citation_md(parameters: Parameters, version: str) -> str:
    """Return the text of ``logs/CITATION.md``."""
    paragraphs = methods_text(parameters, version)
    references = [f"- {reference.text}" for reference in references_of(parameters)]
    return "# Methods\n\n" + "\n\n".join(paragraphs) + "\n\n## References\n\n" + "\n".join(references) + "\n"


def citation_bib(parameters: Parameters) -> str:
    """Return the text of ``logs/CITATION.bib``."""
    return "\n\n".join(reference.bibtex for reference in references_of(parameters)) + "\n"
