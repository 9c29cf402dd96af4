"""The docstring of every public function that computes a number states what can be checked.

Its equation, the unit of what it returns, what it is invariant to, its errors, a runnable example and, where
the formula is published, the paper: as it stands in the table of references, doi included. The manual's page
of definitions says where each was read: it has every such function, every paper, and every number cited.
"""

from __future__ import annotations

import inspect
import re

import pytest

import spectralbrain as sb
from spectralbrain.bids.references import REFERENCES, Reference

# They pair, list or cut what other functions compute.
BOOKKEEPING = {
    "asymmetry_table",
    "check_compatible",
    "compute_region_spectra",
    "distance_matrix",
    "longitudinal_differences",
    "pair_sessions",
    "parcellate",
    "participants_table",
    "region_distance_matrix",
    "region_table",
    "shapedna_table",
}
# Means, projections and distances that need no paper.
ELEMENTARY = {
    "area_histogram",
    "area_mean",
    "decompose_map",
    "filter_map",
    "mode_wavelengths",
    "reconstruct_map",
    "reconstruction_error",
    "shapedna_deviations",
    "vertex_areas",
}

SYMBOLS = r"(?:lambda|phi|Phi|sum_|sqrt\(|\|\||integral|log\(|median|U V'|C' C|L\^)"
EQUATION = re.compile(rf"{SYMBOLS}.*=|=.*{SYMBOLS}")
UNIT = re.compile(r"\bmm\b|dimensionless|unit of|t / A|log\(lambda|descriptor's unit")
CITATION = re.compile(r"(?:^|\. |; |: )\s*([A-ZÅÖ][\w-]+)(?:, [^().;:]*| & [^().;:]*)? \((\d{4})\)", re.M)
DOI = re.compile(r"doi:(10\.\d+/[^\s,:;]+[^\s,:;.])")


def public_functions() -> dict[str, str]:
    found = {}
    for name in sb.__all__:
        value = getattr(sb, name)
        if inspect.isfunction(value) and value.__module__.startswith("spectralbrain.spectral."):
            found[name] = inspect.getdoc(value) or ""
    return found


FUNCTIONS = public_functions()
COMPUTE = sorted(set(FUNCTIONS) - BOOKKEEPING)
CITING = sorted(set(COMPUTE) - ELEMENTARY)
SOFTWARE = {"gorgolewski2011", "harris2020", "virtanen2020"}
NUMBER = re.compile(r"\b(?:equation|eq\.|remark|theorem|lemma) (\d+(?:\.\d+)*)", re.I)


def section(doc: str, title: str) -> str:
    parts = re.split(r"^(\w+)\n-{3,}\n", doc, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "")


def problems(name: str, doc: str) -> list[str]:
    found = []
    formulas = re.split(r"^(?:References|Examples)\n-{3,}\n", doc, flags=re.M)[0] + section(doc, "Notes")
    if not EQUATION.search(formulas):
        found.append("no equation")
    if name != "find_outliers" and not UNIT.search(section(doc, "Returns")):
        found.append("no unit")
    if not re.search(r"\b[Ii]nvariant to\b", doc):
        found.append("no invariance")
    for title, mark in (("Raises", "Error"), ("Examples", ">>> ")):
        if mark not in section(doc, title):
            found.append(f"no {title}")
    return found


def cited(text: str) -> list[Reference]:
    """Return the references of the table that a text cites, by family name and year."""
    known = {}
    for reference in REFERENCES.values():
        known[reference.authors.partition(",")[0], reference.year] = reference
    return [known[key] for name, year in CITATION.findall(text) if (key := (name, int(year))) in known]


@pytest.mark.parametrize("name", COMPUTE)
def test_docstring_states_what_can_be_checked(name):
    assert problems(name, FUNCTIONS[name]) == []


@pytest.mark.parametrize("name", sorted(set(COMPUTE) - ELEMENTARY - {"find_outliers"}))
def test_docstring_cites_the_paper_with_its_doi(name):
    text = section(FUNCTIONS[name], "References")
    papers = cited(text)
    assert papers, "no paper of the table of references"
    assert {p.doi for p in papers if p.doi} == set(DOI.findall(text))


def test_lists_name_functions_that_exist():
    assert set(FUNCTIONS) >= BOOKKEEPING | ELEMENTARY
    assert len(COMPUTE) > 35


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("h(x, t) = sum_i exp(-lambda_i t) phi_i(x)^2", "the usual way", "no equation"),
        ("mm^-2 ('none', 'trace'), 1 ('area') or mm^-1 ('l2')", "as asked for", "no unit"),
        ("Invariant to", "Well behaved under", "no invariance"),
        (">>> ", "> ", "no Examples"),
    ],
)
def test_a_docstring_without_one_is_found(old, new, missing):
    whole = FUNCTIONS["compute_hks"]
    assert old in whole
    assert missing in problems("compute_hks", whole.replace(old, new))


def test_a_wrong_doi_is_found():
    text = section(FUNCTIONS["compute_gps"], "References") + section(FUNCTIONS["compute_hks"], "References")
    assert [paper.key for paper in cited(text)] == ["rustamov2007", "sun2009"]
    assert DOI.findall(text) == [REFERENCES["sun2009"].doi]


@pytest.fixture(scope="module")
def rows(checkout):
    lines = (checkout / "docs" / "definitions.md").read_text(encoding="utf-8").splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0].strip() != "functions"]


def row_papers(row):
    return set(re.findall(r"([\w-]+) (\d{4})", row[1]))


@pytest.mark.parametrize("name", CITING)
def test_function_stands_with_its_papers(rows, name):
    mine = [row for row in rows if f"`{name}`" in row[0]]
    assert mine
    papers = cited(section(FUNCTIONS[name], "References"))
    listed = set().union(*map(row_papers, mine))
    for paper in papers:
        assert (paper.authors.partition(",")[0], str(paper.year)) in listed


def test_every_paper_of_a_method_is_on_the_page(rows):
    listed = set().union(*map(row_papers, rows))
    for key in set(REFERENCES) - SOFTWARE:
        paper = REFERENCES[key]
        assert (paper.authors.partition(",")[0], str(paper.year)) in listed, key


@pytest.mark.parametrize("name", CITING)
def test_no_equation_is_cited_that_was_not_seen(rows, name):
    seen = " ".join(cell for row in rows if f"`{name}`" in row[0] for cell in row)
    numbers = set(re.findall(r"\*\*equation (\d+(?:\.\d+)*)\*\*", seen))
    assert set(NUMBER.findall(FUNCTIONS[name])) <= numbers


def test_every_row_says_what_was_read(rows):
    assert len(rows) > 20
    for row in rows:
        assert len(row) == 4
        assert re.search(r"\b(?:text|program|others)\b", row[2])
