"""IAHP_De1994: calcium opens it and potassium carries it."""

import numpy as np
import pytest

import channelome as ch

NAME = "IAHP_De1994"


def test_half_of_the_gates_are_open_at_25_micromolar():
    ions = [ch.ion("CalciumFixed", C_in="25 uM")]
    assert abs(ch.curves(NAME, "0 mV", ions=ions).steady_state["p"] - 0.5) < 1e-12


def test_it_needs_both_ions():
    with pytest.raises(ch.ModelError, match="'ca'"):
        ch.SingleCompartment(1, "PotassiumFixed", IAHP=NAME)
    with pytest.raises(ch.ModelError, match="'k'"):
        ch.SingleCompartment(1, "CalciumFixed", IAHP=NAME)


def test_its_charge_is_no_calcium():
    cell = ch.SingleCompartment(1, "PotassiumFixed", "CalciumDetailed", celsius=36, V="0 mV", IAHP=NAME)
    traces = ch.simulate(cell, "20 ms", dt="0.1 ms", record=["ca.C_in", "IAHP.p"])
    np.testing.assert_allclose(traces["ca.C_in"], 2.4e-4, rtol=1e-12)


def test_alpha_has_the_unit_of_two_binding_sites():
    assert ch.channel(NAME, alpha="0.048 1/(us*mM^2)").alpha == pytest.approx(48.0)
    with pytest.raises(ch.UnitError, match="alpha"):
        ch.channel(NAME, alpha="48 1/ms")
