"""Numbers that no mechanism has, where a whole number, a size or a power stands: an error with the line, and neither a raw error nor a hang."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from channelome_nmodl.load import understood
from channelome_nmodl.text import NmodlError, source

from channelome.formulas import expression as x
from channelome.formulas.numeric import values
from channelome.formulas.write import module

TEXT = """NEURON {{ SUFFIX q NONSPECIFIC_CURRENT i {ion} RANGE g }}
PARAMETER {{ g = 0.01 (S/cm2) {parameter} }}
ASSIGNED {{ v (mV) i (mA/cm2) {assigned} }}
STATE {{ m {state} }}
INITIAL {{ m = 0.5 }}
BREAKPOINT {{ SOLVE s METHOD cnexp {statement} i = g*m*(v + 60){factor} }}
DERIVATIVE s {{ m' = (0.5 - m)/5 }}
{more}
"""
PARTS = ("ion", "parameter", "assigned", "state", "statement", "factor", "more")
REFUSED = {
    "states of 10^9": ({"state": "z[1000000000]"}, "line 4: the size of an array"),
    "DEFINE of infinity": ({"more": "DEFINE N 1e999"}, "line 8: DEFINE N 1e999 is no whole number"),
    "DEFINE of a half": ({"more": "DEFINE N 2.5"}, "line 8: DEFINE N 2.5 is no whole number"),
    "states of DEFINE": ({"more": "DEFINE N 1000000000", "state": "z[N]"}, "line 4: the size of an array"),
    "an index of infinity": ({"assigned": "a[3]", "factor": "*a[1e999]"}, "an index or the bound of a loop"),
    "a loop to infinity": ({"statement": "FROM k = 0 TO 1e999 { g = 1 }"}, "line 6: an index or the bound of a loop"),
    "a long loop": ({"statement": "FROM k = -1e308 TO 1e308 { g = 1 }"}, "line 6: the loop has more than 10000 rounds"),
    "a valence of infinity": ({"ion": "USEION xx WRITE ixx VALENCE 1e999", "assigned": "ixx (mA/cm2)", "statement": "ixx = 0.1*m"}, "line 1: the VALENCE of xx"),
}  # fmt: skip
TAKEN = {
    "a power of infinity": {"factor": "*2^(1e308*10)"},
    "a large power": {"factor": "*2^1e308"},
    "a parameter of infinity": {"parameter": "b = 1e400", "factor": "+ 0*b*m"},
    "a power of a large number in a branch": {
        "assigned": "a",
        "statement": "if (v > 0) { a = (1e200*v)^3 } else { a = 1 }",
        "factor": "*a",
    },
    "an array of 10^9 that nothing is put into": {"assigned": "a[1000000000]", "factor": "*(1 + a[0])"},
}


def text(parts: dict[str, str]) -> str:
    return TEXT.format(**dict.fromkeys(PARTS, "") | parts)


@pytest.mark.parametrize("what", REFUSED)
def test_a_number_that_cannot_be_meant_is_refused_with_its_line(what: str):
    parts, said = REFUSED[what]
    with pytest.raises(NmodlError, match=f"q.mod.*{said}"):
        understood(source(text(parts), "q.mod"), None)


@pytest.mark.parametrize("what", TAKEN)
def test_a_number_beyond_all_numbers_is_in_the_class_and_in_its_text(what: str):
    found = understood(source(text(TAKEN[what]), "q.mod"), None)
    assert "class IX_Test2020" in module({"IX_Test2020": found[0].plan}, "0" * 64)


def test_numbers_that_overflow_where_formulas_are_tried_are_no_warnings():
    """Warnings are errors in these tests."""
    stepped = (Path(__file__).parent / "mods/stepped.mod").read_text(encoding="utf-8")
    assert "Exp(x/y) - 1" in stepped
    with pytest.raises(NmodlError, match="tinc is used, and is not declared"):
        understood(source(stepped.replace("Exp(x/y) - 1", "Exp(tinc/y) - 1"), "far.mod"), None)


def test_conditions_are_numbers_where_numbers_stand():
    """As in C: what is true is 1, of two that are true the sum is 2, and -(a < b) is -1."""
    parts = {
        "assigned": "above",
        "statement": "above = v > -50",
        "factor": "*(above + (v > -20) - -(v > 10) + !(v > 10)*(3 > 2 && v > -70))",
    }
    (one,) = understood(source(text(parts), "q.mod"), None)
    V = jnp.asarray([-80.0, -60.5, -40.0, 0.0, 20.0])
    above = (V > -50).astype(float) + (V > -20) + (V > 10) + (V <= 10) * (V > -70)
    found = one.cls().current({"m": jnp.full(5, 0.5)}, {"V": V, "celsius": 20.0})
    np.testing.assert_allclose(found, 10.0 * 0.5 * (V + 60) * above, rtol=1e-12)


def test_a_weight_that_nothing_is_known_of_is_no_raw_error():
    text = (Path(__file__).parent / "mods/expsyn.mod").read_text(encoding="utf-8")
    assert "NET_RECEIVE" in text
    changed = text.replace("NET_RECEIVE", "NET_RECEIVE (weight (uS)) { INITIAL { weight = 1 } }\nPROCEDURE unused", 1)
    with pytest.raises(NmodlError):
        understood(source(changed, "syn.mod"), None)


def test_a_singular_form_with_a_slope_of_0_is_not_a_number_and_no_raw_error():
    """A guard is looked at by trying numbers: ``(v - h)/(1 - exp(-(v - h)/k))`` with k = 0 ended with Python's ZeroDivisionError."""
    form = x.call("linoid", x.symbol("v"), x.symbol("k"))
    for V in (0.0, 1.5, -3.0):
        (found,) = values([form], {"v": V, "k": 0.0})
        assert not np.isfinite(found) or found == 0
