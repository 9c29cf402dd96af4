"""The publications behind the methods: one table for citations of nodes, workflows and the app."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One publication.

    Attributes
    ----------
    key : str
        Name in a bibliography.
    kind : str
        BibTeX's: 'article', 'inproceedings' or 'book'.
    authors : str
        As BibTeX writes them: ``Family, F. and Other, O.``; 'others' stands for the rest.
    year : int
    title : str
    venue : str
        Journal, proceedings or publisher.
    volume, pages, doi : str
        '' if none.
    """

    key: str
    kind: str
    authors: str
    year: int
    title: str
    venue: str
    volume: str = ""
    pages: str = ""
    doi: str = ""

    @property
    def short(self) -> str:
        """Return the citation in a sentence.

        Examples
        --------
        >>> REFERENCES["reuter2006"].short
        'Reuter et al. 2006'
        """
        names = [author.partition(",")[0] for author in self.authors.split(" and ")]
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        return f"{who} {self.year}"

    @property
    def text(self) -> str:
        """Return the entry of a list of references.

        Examples
        --------
        >>> REFERENCES["reuter2006"].text[:68]
        'Reuter, M., Wolter, F.-E. & Peinecke, N. (2006). Laplace-Beltrami sp'
        """
        *first, last = self.authors.split(" and ")
        end = " et al." if last == "others" else f" & {last}" if first else last
        volume = f" {self.volume}" if self.volume else ""
        pages = f", {self.pages.replace('--', '-')}" if self.pages else ""
        doi = f" https://doi.org/{self.doi}" if self.doi else ""
        return f"{', '.join(first)}{end} ({self.year}). {self.title}. {self.venue}{volume}{pages}.{doi}"

    @property
    def bibtex(self) -> str:
        """Return the BibTeX entry."""
        place = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}[self.kind]
        fields = {
            "author": self.authors,
            "title": f"{{{self.title}}}",
            "year": str(self.year),
            place: self.venue,
        }
        fields |= {name: getattr(self, name) for name in ("volume", "pages", "doi")}
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        return f"@{self.kind}{{{self.key},\n{lines}\n}}"


_ALL = (
    Reference(
        "gorgolewski2011",
        "article",
        "Gorgolewski, K. and Burns, C. D. and Madison, C. and Clark, D. and Halchenko, Y. O. and "
        "Waskom, M. L. and Ghosh, S. S.",
        2011,
        "Nipype: a flexible, lightweight and extensible neuroimaging data processing framework in Python",
        "Frontiers in Neuroinformatics",
        volume="5",
        pages="13",
        doi="10.3389/fninf.2011.00013",
    ),
    Reference(
        "harris2020",
        "article",
        "Harris, C. R. and Millman, K. J. and van der Walt, S. J. and others",
        2020,
        "Array programming with NumPy",
        "Nature",
        volume="585",
        pages="357--362",
        doi="10.1038/s41586-020-2649-2",
    ),
    Reference(
        "virtanen2020",
        "article",
        "Virtanen, P. and Gommers, R. and Oliphant, T. E. and others",
        2020,
        "SciPy 1.0: fundamental algorithms for scientific computing in Python",
        "Nature Methods",
        volume="17",
        pages="261--272",
        doi="10.1038/s41592-019-0686-2",
    ),
    Reference(
        "reuter2006",
        "article",
        "Reuter, M. and Wolter, F.-E. and Peinecke, N.",
        2006,
        "Laplace-Beltrami spectra as 'Shape-DNA' of surfaces and solids",
        "Computer-Aided Design",
        volume="38",
        pages="342--366",
        doi="10.1016/j.cad.2005.10.011",
    ),
    Reference(
        "reuter2009",
        "article",
        "Reuter, M. and Wolter, F.-E. and Shenton, M. and Niethammer, M.",
        2009,
        "Laplace-Beltrami eigenvalues and topological features of eigenfunctions for statistical shape "
        "analysis",
        "Computer-Aided Design",
        volume="41",
        pages="739--755",
        doi="10.1016/j.cad.2009.02.007",
    ),
    Reference(
        "sharp2020",
        "article",
        "Sharp, N. and Crane, K.",
        2020,
        "A Laplacian for nonmanifold triangle meshes",
        "Computer Graphics Forum",
        volume="39",
        pages="69--80",
        doi="10.1111/cgf.14069",
    ),
    Reference(
        "sun2009",
        "article",
        "Sun, J. and Ovsjanikov, M. and Guibas, L.",
        2009,
        "A concise and provably informative multi-scale signature based on heat diffusion",
        "Computer Graphics Forum",
        volume="28",
        pages="1383--1392",
        doi="10.1111/j.1467-8659.2009.01515.x",
    ),
    Reference(
        "bronstein2010",
        "inproceedings",
        "Bronstein, M. M. and Kokkinos, I.",
        2010,
        "Scale-invariant heat kernel signatures for non-rigid shape recognition",
        "IEEE Conference on Computer Vision and Pattern Recognition",
        pages="1704--1711",
        doi="10.1109/CVPR.2010.5539838",
    ),
    Reference(
        "aubry2011",
        "inproceedings",
        "Aubry, M. and Schlickewei, U. and Cremers, D.",
        2011,
        "The wave kernel signature: a quantum mechanical approach to shape analysis",
        "IEEE International Conference on Computer Vision Workshops",
        pages="1626--1633",
        doi="10.1109/ICCVW.2011.6130444",
    ),
    Reference(
        "rustamov2007",
        "inproceedings",
        "Rustamov, R. M.",
        2007,
        "Laplace-Beltrami eigenfunctions for deformation invariant shape representation",
        "Eurographics Symposium on Geometry Processing",
        pages="225--233",
    ),
    Reference(
        "lipman2010",
        "article",
        "Lipman, Y. and Rustamov, R. M. and Funkhouser, T. A.",
        2010,
        "Biharmonic distance",
        "ACM Transactions on Graphics",
        volume="29",
        pages="27:1--27:11",
        doi="10.1145/1805964.1805971",
    ),
    Reference(
        "bates2011",
        "inproceedings",
        "Bates, J. and Pafundi, D. and Kanel, P. and Liu, X. and Mio, W.",
        2011,
        "Spectral signatures of point clouds and applications to detection of Alzheimer's disease "
        "through neuroimaging",
        "IEEE International Symposium on Biomedical Imaging",
        pages="1851--1854",
    ),
    Reference(
        "hammond2011",
        "article",
        "Hammond, D. K. and Vandergheynst, P. and Gribonval, R.",
        2011,
        "Wavelets on graphs via spectral graph theory",
        "Applied and Computational Harmonic Analysis",
        volume="30",
        pages="129--150",
        doi="10.1016/j.acha.2010.04.005",
    ),
    Reference(
        "coifman2006",
        "article",
        "Coifman, R. R. and Lafon, S.",
        2006,
        "Diffusion maps",
        "Applied and Computational Harmonic Analysis",
        volume="21",
        pages="5--30",
        doi="10.1016/j.acha.2006.04.006",
    ),
    Reference(
        "qiu2007",
        "article",
        "Qiu, H. and Hancock, E. R.",
        2007,
        "Clustering and embedding using commute times",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence",
        volume="29",
        pages="1873--1890",
        doi="10.1109/TPAMI.2007.1103",
    ),
    Reference(
        "konukoglu2013",
        "article",
        "Konukoglu, E. and Glocker, B. and Criminisi, A. and Pohl, K. M.",
        2013,
        "WESD - weighted spectral distance for measuring shape dissimilarity",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence",
        volume="35",
        pages="2284--2297",
        doi="10.1109/TPAMI.2012.275",
    ),
    Reference(
        "wachinger2015",
        "article",
        "Wachinger, C. and Golland, P. and Kremen, W. and Fischl, B. and Reuter, M.",
        2015,
        "BrainPrint: a discriminative characterization of brain morphology",
        "NeuroImage",
        volume="109",
        pages="232--248",
        doi="10.1016/j.neuroimage.2015.01.032",
    ),
    Reference(
        "koussis2025",
        "article",
        "Koussis, N. C. and Pang, J. C. and Phogat, R. and Jeganathan, J. and Paton, B. and Fornito, A. and "
        "Robinson, P. A. and Misic, B. and Breakspear, M.",
        2025,
        "Generation of surrogate brain maps preserving spatial autocorrelation through random "
        "rotation of geometric eigenmodes",
        "Imaging Neuroscience",
        doi="10.1162/imag.a.71",
    ),
    Reference(
        "iglewicz1993",
        "book",
        "Iglewicz, B. and Hoaglin, D. C.",
        1993,
        "How to detect and handle outliers",
        "ASQC Quality Press",
    ),
    Reference(
        "ovsjanikov2012",
        "article",
        "Ovsjanikov, M. and Ben-Chen, M. and Solomon, J. and Butscher, A. and Guibas, L.",
        2012,
        "Functional maps: a flexible representation of maps between shapes",
        "ACM Transactions on Graphics",
        volume="31",
        pages="30:1--30:11",
        doi="10.1145/2185520.2185526",
    ),
    Reference(
        "melzi2019",
        "article",
        "Melzi, S. and Ren, J. and Rodola, E. and Sharma, A. and Wonka, P. and Ovsjanikov, M.",
        2019,
        "ZoomOut: spectral upsampling for efficient shape correspondence",
        "ACM Transactions on Graphics",
        volume="38",
        pages="155:1--155:14",
        doi="10.1145/3355089.3356524",
    ),
    Reference(
        "rustamov2013",
        "article",
        "Rustamov, R. M. and Ovsjanikov, M. and Azencot, O. and Ben-Chen, M. and Chazal, F. and Guibas, L.",
        2013,
        "Map-based exploration of intrinsic shape differences and variability",
        "ACM Transactions on Graphics",
        volume="32",
        pages="72:1--72:12",
        doi="10.1145/2461912.2461959",
    ),
    Reference(
        "schonemann1966",
        "article",
        "Schönemann, P. H.",
        1966,
        "A generalized solution of the orthogonal Procrustes problem",
        "Psychometrika",
        volume="31",
        pages="1--10",
        doi="10.1007/BF02289451",
    ),
    Reference(
        "szekely2013",
        "article",
        "Székely, G. J. and Rizzo, M. L.",
        2013,
        "Energy statistics: a class of statistics based on distances",
        "Journal of Statistical Planning and Inference",
        volume="143",
        pages="1249--1272",
        doi="10.1016/j.jspi.2013.03.018",
    ),
    Reference(
        "peyre2019",
        "article",
        "Peyré, G. and Cuturi, M.",
        2019,
        "Computational optimal transport",
        "Foundations and Trends in Machine Learning",
        volume="11",
        pages="355--607",
        doi="10.1561/2200000073",
    ),
    Reference(
        "duistermaat1975",
        "article",
        "Duistermaat, J. J. and Guillemin, V. W.",
        1975,
        "The spectrum of positive elliptic operators and periodic bicharacteristics",
        "Inventiones Mathematicae",
        volume="29",
        pages="39--79",
        doi="10.1007/BF01405172",
    ),
    Reference(
        "mckean1967",
        "article",
        "McKean, H. P. and Singer, I. M.",
        1967,
        "Curvature and the eigenvalues of the Laplacian",
        "Journal of Differential Geometry",
        volume="1",
        pages="43--69",
        doi="10.4310/jdg/1214427880",
    ),
    Reference(
        "taubin1995",
        "inproceedings",
        "Taubin, G.",
        1995,
        "A signal processing approach to fair surface design",
        "SIGGRAPH",
        pages="351--358",
        doi="10.1145/218380.218473",
    ),
)
REFERENCES: dict[str, Reference] = {reference.key: reference for reference in _ALL}
