"""Citing: each work once, in BibTeX that LaTeX can read."""

import re
from pathlib import Path

from channelome.registry import cite
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
    keys = re.findall(r"^@misc{(.*),$", cite.bibtex(works), flags=re.M)
    assert keys == ["A2020b", "K", "k-2"]


def test_what_latex_would_read_as_a_command_is_escaped():
    text = cite.bibtex([Reference("K", "equations", "Traub & Miles: 100% of {x}_1 ~ #2 \\input", "10.1/a_b")])
    assert r"note = {Traub \& Miles: 100\% of x\_1 \textasciitilde{} \#2 input}" in text
    assert "doi = {10.1/a_b}" in text
