"""Ih_De1996: its analytic start, the printed time constant, and calcium that locks it open."""

import numpy as np
import pytest

import channelome as ch

NAME = "Ih_De1996"
V = np.arange(-120.0, 61.0, 5.0)


@pytest.mark.parametrize("C", [1e-6, 2.4e-4, 2e-3, 1.0])
def test_the_analytic_start_is_the_steady_state(C):
    h = ch.channel(NAME).at(36.0)
    rates = h.transitions(V, P1 := C**4 / (C**4 + 2e-3**4))
    a, b, k3 = rates["C", "O"], rates["O", "C"], 0.1
    O = a / (a + a * k3 * P1 / 1e-3 + b)
    found = ch.curves(NAME, (V, "mV"), celsius=36, ions=[ch.ion("CalciumFixed", C_in=(C, "mM"))]).steady_state
    np.testing.assert_allclose(found["P1"], P1, rtol=1e-12)
    np.testing.assert_allclose(found["O"], O, rtol=1e-12)
    np.testing.assert_allclose(found["OL"], k3 * P1 * O / 1e-3, rtol=1e-12)
    np.testing.assert_allclose(found["C"] + found["O"] + found["OL"], 1.0, rtol=1e-12)


def test_at_36_degrees_the_time_constant_is_the_one_printed():
    rates = ch.channel(NAME).at(36.0).transitions(V, 0.0)
    printed = 5.3 + 267 / (np.exp((V + 71.5) / 14.2) + np.exp(-(V + 89) / 11.6))
    np.testing.assert_allclose(1 / (rates["C", "O"] + rates["O", "C"]), printed, rtol=0.011)


def test_calcium_locks_it_open():
    def locked(C: str) -> float:
        cell = ch.SingleCompartment(1, ch.ion("CalciumFixed", C_in=C), celsius=36, V="-75 mV", Ih=NAME)
        traces = ch.simulate(cell, "1 ms", dt="0.1 ms", record=["Ih.O", "Ih.OL"])
        return float(traces["Ih.OL"][-1, 0] / traces["Ih.O"][-1, 0])

    np.testing.assert_allclose(locked("2 uM"), 0.5 / 0.01, rtol=0.02)  # P1 is a half, and OL / O = P1 / P_half
    assert locked("0.24 uM") < 0.03


def test_it_needs_calcium_and_carries_none():
    with pytest.raises(ch.ModelError, match="'ca'"):
        ch.SingleCompartment(1, celsius=36, Ih=NAME)
    assert not type(ch.channel(NAME)).carries
