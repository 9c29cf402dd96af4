"""What the nodes implement, as citations: for duecredit, and for the methods text of a workflow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One publication.

    Attributes
    ----------
    key : str
        Name in a bibliography.
    authors : tuple of str
        Family names, in order.
    year : int
    title, venue : str
        `venue`: journal or proceedings, with volume and pages.
    doi : str
        '' if none.
    """

    key: str
    authors: tuple[str, ...]
    year: int
    title: str
    venue: str
    doi: str = ""

    @property
    def short(self) -> str:
        """Return the citation in a sentence.

        Examples
        --------
        >>> REFERENCES["reuter2006"].short
        'Reuter et al. 2006'
        """
        names = self.authors
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        return f"{who} {self.year}"

    @property
    def text(self) -> str:
        """Return the entry of a list of references."""
        doi = f" https://doi.org/{self.doi}" if self.doi else ""
        return f"{', '.join(self.authors)} ({self.year}). {self.title}. {self.venue}.{doi}"

    @property
    def bibtex(self) -> str:
        """Return the BibTeX entry."""
        fields = {
            "author": " and ".join(self.authors),
            "title": f"{{{self.title}}}",
            "year": str(self.year),
            "howpublished": self.venue,
        }
        if self.doi:
            fields["doi"] = self.doi
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        return f"@misc{{{self.key},\n{lines}\n}}"


_ALL = (
    Reference(
        "gorgolewski2011",
        ("Gorgolewski", "Burns", "Madison", "Clark", "Halchenko", "Waskom", "Ghosh"),
        2011,
        "Nipype: a flexible, lightweight and extensible neuroimaging data processing framework in Python",
        "Frontiers in Neuroinformatics 5, 13",
        "10.3389/fninf.2011.00013",
    ),
    Reference(
        "harris2020",
        ("Harris", "Millman", "van der Walt", "others"),
        2020,
        "Array programming with NumPy",
        "Nature 585, 357-362",
        "10.1038/s41586-020-2649-2",
    ),
    Reference(
        "virtanen2020",
        ("Virtanen", "Gommers", "Oliphant", "others"),
        2020,
        "SciPy 1.0: fundamental algorithms for scientific computing in Python",
        "Nature Methods 17, 261-272",
        "10.1038/s41592-019-0686-2",
    ),
    Reference(
        "reuter2006",
        ("Reuter", "Wolter", "Peinecke"),
        2006,
        "Laplace-Beltrami spectra as 'Shape-DNA' of surfaces and solids",
        "Computer-Aided Design 38, 342-366",
        "10.1016/j.cad.2005.10.011",
    ),
    Reference(
        "sharp2020",
        ("Sharp", "Crane"),
        2020,
        "A Laplacian for nonmanifold triangle meshes",
        "Computer Graphics Forum 39(5), 69-80",
        "10.1111/cgf.14069",
    ),
    Reference(
        "sun2009",
        ("Sun", "Ovsjanikov", "Guibas"),
        2009,
        "A concise and provably informative multi-scale signature based on heat diffusion",
        "Computer Graphics Forum 28(5), 1383-1392",
        "10.1111/j.1467-8659.2009.01515.x",
    ),
    Reference(
        "bronstein2010",
        ("Bronstein", "Kokkinos"),
        2010,
        "Scale-invariant heat kernel signatures for non-rigid shape recognition",
        "IEEE Conference on Computer Vision and Pattern Recognition, 1704-1711",
        "10.1109/CVPR.2010.5539838",
    ),
    Reference(
        "aubry2011",
        ("Aubry", "Schlickewei", "Cremers"),
        2011,
        "The wave kernel signature: a quantum mechanical approach to shape analysis",
        "IEEE International Conference on Computer Vision Workshops, 1626-1633",
        "10.1109/ICCVW.2011.6130444",
    ),
    Reference(
        "rustamov2007",
        ("Rustamov",),
        2007,
        "Laplace-Beltrami eigenfunctions for deformation invariant shape representation",
        "Symposium on Geometry Processing, 225-233",
    ),
    Reference(
        "lipman2010",
        ("Lipman", "Rustamov", "Funkhouser"),
        2010,
        "Biharmonic distance",
        "ACM Transactions on Graphics 29(3), 27",
        "10.1145/1805964.1805971",
    ),
    Reference(
        "bates2011",
        ("Bates", "Pafundi", "Kanel", "Liu", "Mio"),
        2011,
        "Spectral signatures of point clouds and applications to detection of Alzheimer's disease through "
        "neuroimaging",
        "IEEE International Symposium on Biomedical Imaging, 1851-1854",
    ),
    Reference(
        "hammond2011",
        ("Hammond", "Vandergheynst", "Gribonval"),
        2011,
        "Wavelets on graphs via spectral graph theory",
        "Applied and Computational Harmonic Analysis 30, 129-150",
        "10.1016/j.acha.2010.04.005",
    ),
    Reference(
        "coifman2006",
        ("Coifman", "Lafon"),
        2006,
        "Diffusion maps",
        "Applied and Computational Harmonic Analysis 21, 5-30",
        "10.1016/j.acha.2006.04.006",
    ),
    Reference(
        "qiu2007",
        ("Qiu", "Hancock"),
        2007,
        "Clustering and embedding using commute times",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence 29, 1873-1890",
        "10.1109/TPAMI.2007.1103",
    ),
    Reference(
        "konukoglu2013",
        ("Konukoglu", "Glocker", "Criminisi", "Pohl"),
        2013,
        "WESD - weighted spectral distance for measuring shape dissimilarity",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence 35, 2284-2297",
        "10.1109/TPAMI.2012.275",
    ),
    Reference(
        "wachinger2015",
        ("Wachinger", "Golland", "Kremen", "Fischl", "Reuter"),
        2015,
        "BrainPrint: a discriminative characterization of brain morphology",
        "NeuroImage 109, 232-248",
        "10.1016/j.neuroimage.2015.01.032",
    ),
    Reference(
        "koussis2025",
        ("Koussis", "Pang", "Jeganathan", "Paton", "Fornito", "Robinson", "Misic", "Breakspear"),
        2025,
        "Generation of surrogate brain maps preserving spatial autocorrelation through random rotation of "
        "geometric eigenmodes",
        "Imaging Neuroscience",
    ),
    Reference(
        "iglewicz1993",
        ("Iglewicz", "Hoaglin"),
        1993,
        "How to detect and handle outliers",
        "ASQC Quality Press",
    ),
)
REFERENCES: dict[str, Reference] = {reference.key: reference for reference in _ALL}
