"""Cells as plain data: equal when read again, through JSON as well, and what is wrong in a table is told."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import channelome as ch

CELLS = sorted((Path(__file__).parent / "cells").glob("*.swc"))
MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="100 um", diameter="2 um")
    .branch("tuft", type="apical", length="100 um", diameter=("2 um", "1 um"), at="dend[0](0.3)")
    .branch("odd", type=7, length="10 um", diameter="1 um")
    .named(far="distance > 50 um")
)


@pytest.mark.parametrize("morph", [*map(ch.Morphology.from_swc, CELLS), MORPH], ids=repr)
def test_a_cell_is_the_same_when_read_again(morph: ch.Morphology):
    assert ch.Morphology.from_table(json.loads(json.dumps(morph.to_table()))) == morph


def changed(*way: Any, to: Any) -> Any:
    """The table of MORPH with another value somewhere; without it where `to` is KeyError."""
    table = copy.deepcopy(MORPH.to_table())
    at: Any = table
    for step in way[:-1]:
        at = at[step]
    if to is KeyError:
        del at[way[-1]]
    else:
        at[way[-1]] = to
    return table


WRONG = {
    "no table": ([], r"a morphology must be a table, not list"),
    "no branches": (changed("branches", to=KeyError), r"a morphology lacks 'branches'"),
    "an empty list": (changed("branches", to=[]), r"needs a list of branches, at least one"),
    "another unit": (changed("unit", to="mm"), r"is in um, not in 'mm'"),
    "an unknown word": (changed("colour", to="red"), r"a morphology has 'colour', which has no meaning there; it may have branches, names, source, unit"),
    "no parent": (changed("branches", 1, "parent", to=KeyError), r"branch 1 of a morphology lacks 'parent'"),
    "a parent of the root": (changed("branches", 0, "parent", to=0), r"branch 0 of a morphology has 'parent', which has no meaning there"),
    "a parent after it": (changed("branches", 1, "parent", to=2), r"the parent of branch 1 of a morphology must be a branch before it, 0 to 0, not 2"),
    "half a parent": (changed("branches", 1, "parent", to=0.5), r"must be a branch before it"),
    "off the parent": (changed("branches", 1, "at", to=1.5), r"branch 1 of a morphology is connected at 1.5"),
    "an unknown type": (changed("branches", 1, "type", to="dnd"), r"the type of branch 1 .* not 'dnd'"),
    "one point": (changed("branches", 1, "points", to=[[0, 0, 0, 1]]), r"at least two of them"),
    "ragged points": (changed("branches", 1, "points", to=[[0, 0, 0, 1], [1]]), r"must be rows of four numbers"),
    "NaN": (changed("branches", 1, "points", 0, 0, to=float("nan")), r"must be finite"),
    "no diameter": (changed("branches", 1, "points", 0, 3, to=0), r"with positive diameters"),
    "no length": (changed("branches", 1, "points", to=[[0, 0, 0, 1], [0, 0, 0, 1]]), r"branch 1 of a morphology has no length"),
    "names that are none": (changed("names", to=[]), r"the names of a morphology must be a table"),
    "a name of a missing branch": (changed("names", "tuft", to=[9]), r"the name 'tuft' .* for branches 0 to 3"),
    "a name with a meaning": (changed("names", "dend", to="soma"), r"'dend' cannot name a part"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_in_a_table_is_told(case: str):
    table, message = WRONG[case]
    with pytest.raises(ch.ModelError, match=message):
        ch.Morphology.from_table(table)


def test_names_given_with_a_file_are_checked_at_once():
    with pytest.raises(ch.ModelError, match=r"nothing of soma_chain.swc is called 'apicl'"):
        ch.Morphology.from_swc(Path(__file__).parent / "cells/soma_chain.swc", names={"tuft": "apicl"})
