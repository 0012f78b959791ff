"""Documents for tests of files: models with mistakes, any table, any text of the kind that stands in files."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from models.examples import reconstructed, reconstructed_network, small_network

import channelome as ch
from channelome.models.table import table_of

CELL = table_of(ch.cell("HTC_Li2017", size=2))
NETWORK = table_of(small_network())
RECONSTRUCTED = table_of(reconstructed())
PLACED = table_of(reconstructed_network())
MODELS = [CELL, NETWORK, RECONSTRUCTED, PLACED]

texts = st.text(st.characters(exclude_characters="\n"), max_size=12)  # Python's $ also stands before a last newline
keys = st.sampled_from(
    ["use", "value", "unit", "sample", "mean", "std", "seed", "q10", "reference", "rule", "p", "k", "pre", "post", "size", "kind", "self",
     "V", "C", "E", "g_max", "cells", "E", "species", "valence", "__class__", "__init__", "import", "object", "file", "times", "weights", "on", "Ra", "morphology",
     "swc", "branches", "points", "names", "discretise", "per_branch", "max_length", "d_lambda", "regions", "spikes_at", "parent", "at", "type"]
) | texts  # fmt: skip
scalars = (
    st.sampled_from(["mV", "1", "nS", "IL", "Expon", "INa_HH1952", "cells[:2]", "cells", "Network", "Poisson", "10 mV", "normal", "na", "soma", "dend",
         "MultiCompartment", "cell.swc", "apical & distance > 10 um", "far", "most", "pyr.dend(0.5)", "20 um"])
    | texts
    | st.booleans()
    | st.integers(-3, 30)
    | st.integers()
    | st.floats()
    | st.none()
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a table."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*way, key)
        yield from places(inner, (*way, key))


@st.composite
def broken(draw: st.DrawFn, model: dict[str, Any]) -> dict[str, Any]:
    """The model with one to three things in it replaced, taken away, moved or added."""
    table = copy.deepcopy(model)
    for _ in range(draw(st.integers(1, 3))):
        ways = list(places(table)) or [("schema",)]
        *way, last = draw(st.sampled_from(ways))
        inner = table
        for key in way:
            inner = inner[key]
        what = draw(st.sampled_from(["replace", "take", "add", "move"]))
        if what == "take" or (what == "move" and isinstance(inner, list)):
            if last in inner or isinstance(inner, list):
                del inner[last]
        elif what == "move":
            inner[draw(keys)] = inner.pop(last, 1)
        elif what == "add" and isinstance(inner, dict):
            inner[draw(keys)] = draw(anything)
        else:
            inner[last] = draw(anything)
    return table
