"""Citing: each work once, in BibTeX that LaTeX can read."""

import json
import re
import warnings
from pathlib import Path

import citeproc
import citeproc.formatter.plain
import citeproc.source.json
import jsonschema
import pytest
from pybtex import format_from_string
from pybtex.database import parse_string

from channelome.registry import cite, registry
from channelome.registry.bibliography import work
from channelome.registry.manifest import Entry, Manifest, Reference
from channelome.registry.store import Registry


def registry_of(*references: Reference) -> Registry:
    entries = [
        Entry(f"I{k}_X1", "channel", 1, "X1", "pack-x 1", "x:y", references=(reference,))
        for k, reference in enumerate(references)
    ]
    return Registry([Manifest("X1", "", "", "pack-x 1", Path("pack.toml"), tuple(entries), references)])


def test_a_work_is_cited_once_however_its_doi_is_spelt():
    registry = registry_of(
        Reference("A2020", "equations", "A", "10.1/ABC"), Reference("B", "parameters", "A", "10.1/abc")
    )
    assert [reference.key for reference in cite.references(registry, registry)] == ["A2020"]


def test_keys_of_different_works_differ_and_are_words():
    works = [Reference(key, "equations", key, doi) for key, doi in (("A 2020, b", "1"), ("K", "2"), ("k", "3"))]
    keys = re.findall(r"^@misc\{(.*),$", cite.bibtex(works), flags=re.M)
    assert keys == ["A2020b", "K", "k-2"]


def test_what_latex_would_read_as_a_command_is_escaped():
    text = cite.bibtex([Reference("K", "equations", "Traub & Miles: 100% of {x}_1 ~ #2 \\input", "10.1/a_b")])
    assert r"title = {{Traub \& Miles: 100\% of x\_1 \textasciitilde{} \#2 input}}" in text
    assert "doi = {10.1/a_b}" in text


# ---- every reference of every pack, by readers that are not ours -----------------------------------------------------


def ours() -> list[Reference]:
    return [reference for manifest in registry.manifests for reference in manifest.references]


HODGKIN = Reference(
    "HH1952",
    "equations",
    "Hodgkin AL, Huxley AF (1952). A quantitative description of membrane current. J Physiol 117:500-544.",
    "10.1/x",
)
WORKS = [
    (HODGKIN, "article", {"journal": "J Physiol", "volume": "117", "pages": "500--544", "year": "1952", "doi": "10.1/x"}, 2),
    (Reference("B", "equations", "Brette R et al. (2007). Networks: a review of tools. J Comput Neurosci 23:349-398. Table 1."), "article",
     {"journal": "J Comput Neurosci", "volume": "23", "note": "Table 1"}, 2),
    (Reference("T", "equations", "Traub RD, Miles R (1991). Neuronal Networks. Cambridge University Press."), "book", {"publisher": "Cambridge University Press"}, 2),
    (Reference("Y", "equations", "Yamada WM, Koch C (1989). Multiple channels. In Koch C, Segev I (eds), Methods: From Synapses, pp. 97-133. MIT Press. ISBN 0-262-11133-0."),
     "incollection", {"booktitle": "Methods: From Synapses", "pages": "97--133", "publisher": "MIT Press", "isbn": "0-262-11133-0"}, 2),
    (Reference("K", "equations", "Kidger P (2021). On Neural Differential Equations. PhD thesis, University of Oxford. arXiv:2202.02435."), "phdthesis",
     {"school": "University of Oxford", "note": "arXiv:2202.02435"}, 1),
    (Reference("D", "implementation", "Destexhe A, IT.mod, ModelDB 3817: the T current."), "software", {"title": "{IT.mod}", "note": "ModelDB 3817: the T current"}, 1),
    (Reference("P", "implementation", "BrainPy 2.8.2, brainpy/dyn: V_sh."), "software", {"title": "{BrainPy}", "version": "2.8.2"}, 0),
    (Reference("O", "equations", "A letter"), "misc", {"title": "{A letter}"}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "kind", "fields", "authors"), WORKS, ids=lambda x: getattr(x, "key", ""))
def test_a_reference_is_taken_apart(reference: Reference, kind: str, fields: dict[str, str], authors: int):
    (entry,) = parse_string(cite.bibtex([reference]), "bibtex").entries.values()
    assert entry.type == kind
    assert dict(entry.fields) | fields == dict(entry.fields)
    assert len(entry.persons.get("author", [])) == authors


def test_authors_have_family_names_and_initials():
    (entry,) = parse_string(cite.bibtex([HODGKIN]), "bibtex").entries.values()
    first, second = entry.persons["author"]
    assert (first.last_names, [*first.first_names, *first.middle_names]) == (["Hodgkin"], ["A.", "L."])
    assert second.last_names == ["Huxley"]


def test_pybtex_reads_every_reference_and_knows_the_work_of_each_paper():
    works = cite.once(ours())
    entries = parse_string(cite.bibtex(works), "bibtex").entries
    assert len(entries) == len(works) > 30
    articles = [entry for entry in entries.values() if entry.type == "article"]
    assert len(articles) >= 20
    for entry in articles:
        assert {"title", "journal", "year", "volume", "pages"} <= set(entry.fields), entry
        assert entry.persons["author"]
    for reference, entry in zip(works, entries.values(), strict=True):
        if reference.role == "equations":  # each paper is one, in full
            assert entry.type in ("article", "book", "incollection", "phdthesis"), reference.text
            assert "year" in entry.fields
            assert entry.fields["year"] in reference.text


def test_pybtex_sets_every_paper_in_a_style_of_bibtex():
    papers = [reference for reference in cite.once(ours()) if work(reference).year]
    said = format_from_string(cite.bibtex(papers), style="plain", output_backend="plaintext")
    assert said.count("[") >= len(papers)
    assert "Hodgkin" in said and "500–544" in said


# The types and variables of CSL 1.0.2 that we write, and the form of each.
TEXTS = ("title", "container-title", "volume", "page", "publisher", "genre", "version", "ISBN", "note", "DOI")
NAMES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {key: {"type": "string"} for key in ("family", "given", "literal")},
    },
}
CSL = {
    "type": "array",
    "items": {
        "type": "object", "required": ["id", "type", "title"], "additionalProperties": False,
        "properties": {
            "id": {"type": "string"},
            "type": {"enum": ["article-journal", "book", "chapter", "thesis", "software", "document"]},
            "author": NAMES, "editor": NAMES,
            "issued": {"type": "object", "additionalProperties": False, "required": ["date-parts"], "properties": {
                "date-parts": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "integer"}}}}},
            **{key: {"type": "string", "minLength": 1} for key in TEXTS},
        },
    },
}  # fmt: skip


def test_csl_json_is_of_the_form_and_citeproc_sets_it():
    works = cite.once(ours())
    items = json.loads(cite.csl_json(works))
    jsonschema.Draft202012Validator(CSL).validate(items)
    assert {"article-journal", "book", "chapter", "thesis", "software"} <= {item["type"] for item in items}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        source = citeproc.source.json.CiteProcJSON(items)
        style = citeproc.CitationStylesStyle("harvard-cite-them-right", validate=False)
        shelf = citeproc.CitationStylesBibliography(style, source, citeproc.formatter.plain)
        for item in items:
            shelf.register(citeproc.Citation([citeproc.CitationItem(item["id"])]))
        said = [str(entry) for entry in shelf.bibliography()]
    assert len(said) == len(items)
    hodgkin = next(text for text in said if "Hodgkin" in text)
    assert all(word in hodgkin for word in ("Huxley", "1952", "J Physiol", "117", "500"))
