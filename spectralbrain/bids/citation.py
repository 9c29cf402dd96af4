"""What to cite: a methods text and the references of what a set of parameters uses."""

from __future__ import annotations

from dataclasses import dataclass

from spectralbrain.bids.parameters import Parameters


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes
    ----------
    key : str
        BibTeX key.
    kind : str
        'article' or 'inproceedings'.
    fields : dict
        BibTeX fields.
    """

    key: str
    kind: str
    fields: dict[str, str]

    def as_text(self) -> str:
        """Return the reference as one line of text."""
        f = self.fields
        where = f.get("journal") or f.get("booktitle", "")
        volume = f" {f['volume']}" if "volume" in f else ""
        pages = f", {f['pages'].replace('--', '-')}" if "pages" in f else ""
        doi = f" https://doi.org/{f['doi']}" if "doi" in f else ""
        return f"{f['author']} ({f['year']}). {f['title']}. {where}{volume}{pages}.{doi}"

    def as_bibtex(self) -> str:
        """Return the reference as a BibTeX entry."""
        lines = [f"  {name} = {{{value}}}" for name, value in self.fields.items()]
        return f"@{self.kind}{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


def _reference(key: str, kind: str, **fields: str) -> Reference:
    return Reference(key, kind, fields)


REFERENCES = {
    r.key: r
    for r in (
        _reference(
            "reuter2006",
            "article",
            author="Reuter, M. and Wolter, F.-E. and Peinecke, N.",
            title="Laplace-Beltrami spectra as 'Shape-DNA' of surfaces and solids",
            journal="Computer-Aided Design",
            volume="38",
            pages="342--366",
            year="2006",
            doi="10.1016/j.cad.2005.10.011",
        ),
        _reference(
            "wachinger2015",
            "article",
            author="Wachinger, C. and Golland, P. and Kremen, W. and Fischl, B. and Reuter, M.",
            title="BrainPrint: A discriminative characterization of brain morphology",
            journal="NeuroImage",
            volume="109",
            pages="232--248",
            year="2015",
            doi="10.1016/j.neuroimage.2015.01.032",
        ),
        _reference(
            "sun2009",
            "article",
            author="Sun, J. and Ovsjanikov, M. and Guibas, L.",
            title="A concise and provably informative multi-scale signature based on heat diffusion",
            journal="Computer Graphics Forum",
            volume="28",
            pages="1383--1392",
            year="2009",
            doi="10.1111/j.1467-8659.2009.01515.x",
        ),
        _reference(
            "bronstein2010",
            "inproceedings",
            author="Bronstein, M. M. and Kokkinos, I.",
            title="Scale-invariant heat kernel signatures for non-rigid shape recognition",
            booktitle="IEEE Conference on Computer Vision and Pattern Recognition",
            pages="1704--1711",
            year="2010",
            doi="10.1109/CVPR.2010.5539838",
        ),
        _reference(
            "aubry2011",
            "inproceedings",
            author="Aubry, M. and Schlickewei, U. and Cremers, D.",
            title="The wave kernel signature: A quantum mechanical approach to shape analysis",
            booktitle="IEEE International Conference on Computer Vision Workshops",
            pages="1626--1633",
            year="2011",
            doi="10.1109/ICCVW.2011.6130444",
        ),
        _reference(
            "rustamov2007",
            "inproceedings",
            author="Rustamov, R. M.",
            title="Laplace-Beltrami eigenfunctions for deformation invariant shape representation",
            booktitle="Eurographics Symposium on Geometry Processing",
            pages="225--233",
            year="2007",
        ),
        _reference(
            "lipman2010",
            "article",
            author="Lipman, Y. and Rustamov, R. M. and Funkhouser, T. A.",
            title="Biharmonic distance",
            journal="ACM Transactions on Graphics",
            volume="29",
            pages="27:1--27:11",
            year="2010",
            doi="10.1145/1805964.1805971",
        ),
        _reference(
            "konukoglu2013",
            "article",
            author="Konukoglu, E. and Glocker, B. and Criminisi, A. and Pohl, K. M.",
            title="WESD - Weighted spectral distance for measuring shape dissimilarity",
            journal="IEEE Transactions on Pattern Analysis and Machine Intelligence",
            volume="35",
            pages="2284--2297",
            year="2013",
            doi="10.1109/TPAMI.2012.275",
        ),
        _reference(
            "sharp2020",
            "article",
            author="Sharp, N. and Crane, K.",
            title="A Laplacian for nonmanifold triangle meshes",
            journal="Computer Graphics Forum",
            volume="39",
            pages="69--80",
            year="2020",
            doi="10.1111/cgf.14069",
        ),
        _reference(
            "gorgolewski2011",
            "article",
            author="Gorgolewski, K. and others",
            title="Nipype: a flexible, lightweight and extensible neuroimaging data processing framework "
            "in Python",
            journal="Frontiers in Neuroinformatics",
            volume="5",
            pages="13",
            year="2011",
            doi="10.3389/fninf.2011.00013",
        ),
        _reference(
            "virtanen2020",
            "article",
            author="Virtanen, P. and others",
            title="SciPy 1.0: fundamental algorithms for scientific computing in Python",
            journal="Nature Methods",
            volume="17",
            pages="261--272",
            year="2020",
            doi="10.1038/s41592-019-0686-2",
        ),
    )
}
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
    references = [f"- {reference.as_text()}" for reference in references_of(parameters)]
    return "# Methods\n\n" + "\n\n".join(paragraphs) + "\n\n## References\n\n" + "\n".join(references) + "\n"


def citation_bib(parameters: Parameters) -> str:
    """Return the text of ``logs/CITATION.bib``."""
    return "\n".join(reference.as_bibtex() for reference in references_of(parameters))
