"""Whatever is written, the answer is a cell, a region, a place, or an error of ours."""

import contextlib
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import channelome as ch
from channelome.morphology.swc import parse

SETTINGS = settings(max_examples=150, deadline=None)
NUMBERS = st.one_of(
    st.integers(-3, 12).map(str), st.floats().map(str), st.sampled_from(["1", "-1", "nan", "x", "1e400", "0"])
)
LINES = st.lists(st.lists(NUMBERS, min_size=5, max_size=9).map(" ".join), max_size=8)
COMPS = ch.Morphology.from_swc(Path(__file__).parent / "cells/pyramidal.swc").discretise(ch.per_branch(2))
NAMES = "soma dend apical all branch subtree distance diameter order terminals branch_points in um x"
SIGNS = "( ) [ ] | & - , : < <= > >= = 0 1 0.5 3 100 1e3 %"
WORDS = st.sampled_from([*NAMES.split(), *SIGNS.split()])


def mended(points) -> ch.Morphology | None:
    with contextlib.suppress(ch.ChannelomeError):
        return ch.Morphology.from_points(points, repair="all")
    return None


@SETTINGS
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_text_is_a_cell_or_an_error_of_ours(lines: list[str], end: str):
    with contextlib.suppress(ch.ChannelomeError):
        mended(parse(end.join(lines), "text"))


@st.composite
def trees(draw: st.DrawFn) -> str:
    """Points in any order with any parents, most of them trees."""
    n = draw(st.integers(1, 14))
    rows = []
    for i in range(n):
        parent = -1 if i == 0 else draw(st.integers(1, i))
        kind = draw(st.sampled_from([1, 1, 2, 3, 3, 3, 4, 7, 0]))
        x, y, z = (draw(st.integers(-40, 40)) for _ in range(3))
        rows.append(f"{i + 1} {kind} {x} {y} {z} {draw(st.sampled_from([0.5, 1, 3]))} {parent}")
    return "\n".join(draw(st.permutations(rows)) if draw(st.booleans()) else rows)


@SETTINGS
@given(trees())
def test_any_tree_keeps_its_membrane_and_is_a_tree_of_compartments(text: str):
    morph = mended(parse(text, "text"))
    if morph is None:
        return
    comps = morph.discretise(ch.max_length("7 um"))
    np.testing.assert_allclose(comps.area.sum(), morph.areas.sum(), rtol=1e-10)
    assert (comps.area > 0).all()
    assert (comps.parent[1:] >= 0).all()
    assert (comps.tree.parent[1:] < np.arange(1, len(comps.tree))).all()
    assert np.isfinite(comps.axial_resistance(100.0)[1:]).all()
    assert np.isfinite(comps.distance).all()
    assert comps.mask("subtree(branch[0])").all()
    assert morph.report()


@SETTINGS
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_words_are_a_region_or_an_error_of_ours(text: str):
    with contextlib.suppress(ch.ModelError):
        assert COMPS.mask(text).any()


@SETTINGS
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_words_are_places_or_an_error_of_ours(text: str):
    with contextlib.suppress(ch.ModelError):
        found = COMPS.places(text)
        assert ((found.x >= 0) & (found.x <= 1)).all()
        assert ((COMPS.indices(text) >= 0) & (COMPS.indices(text) < len(COMPS))).all()


@SETTINGS
@given(st.text(max_size=30))
def test_any_characters_are_a_region_or_an_error_of_ours(text: str):
    with contextlib.suppress(ch.ModelError):
        COMPS.mask(text)
