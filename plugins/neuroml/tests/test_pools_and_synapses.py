"""Concentration models and synapses beside the differential equations that NeuroML defines them by, solved by SciPy in SI units."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch

NML = Path(__file__).parent / "nml"
F, PI = 96485.3, 3.14159
"""As NeuroML's definition has them."""
AREA, CURRENT = 700e-12, 0.04
"""m2, and A/m2 inward: 4 uA/cm^2."""


def pool(id: str):
    from channelome_neuroml.load import classes

    (cls,) = [one for one in classes(NML / "pools.nml") if one.__name__ == id]
    given = {"C_out": "2 mM", "area": (AREA * 1e12, "um^2"), "C_rest": "1e-4 mM"}
    return cls(**{name: value for name, value in given.items() if name in cls.parameters})


def shell(c: float) -> float:
    r = np.sqrt(AREA / (4 * PI))
    volume = 4 * PI / 3 * (r**3 - (r - 1e-7) ** 3)
    return AREA * CURRENT / (2 * F * volume) - (c - 5e-5) / 0.02


FLOWS = {
    "shell": shell,
    "thin": lambda c: CURRENT * 0.03 - (c - 5e-5) / 0.018,
    "traub": lambda c: CURRENT * 1e-9 * 5e7 - c * 20,
    "pumped": lambda c: CURRENT / (2 * F * 0.2e-6) - 0.02 * (c - 5e-5) / (c - 5e-5 + 2e-4),
}
"""mol/m3 per s, of mol/m3."""


@pytest.mark.parametrize("id", FLOWS)
def test_a_pool_fills_at_the_rate_of_its_definition(id: str):
    for c in (1e-4, 7e-4, 3e-3):
        found = pool(id).slope({"C_in": jnp.asarray([c])}, jnp.asarray([-100 * CURRENT]))["C_in"][0]
        assert float(found) == pytest.approx(1e-3 * FLOWS[id](c), rel=1e-12)
    assert float(jnp.squeeze(pool(id).initial()["C_in"])) == 1e-4


def synapse(id: str):
    from channelome_neuroml.load import classes

    found = [one for one in classes(NML / "synapses.nml") if one.__name__ == id]
    return [one() for one in found]


def followed(rates, jump, states: int, spikes=(1.0, 6.0, 9.0), last=20.0) -> np.ndarray:
    """States at the end, of an ODE with a jump at each spike."""
    y, t = np.zeros(states), 0.0
    for begin, end in zip((0.0, *spikes), (*spikes, last), strict=True):
        y = solve_ivp(lambda _, y: rates(y), (begin, end), y, rtol=1e-11, atol=1e-14).y[:, -1]
        y = jump(y) if end != last else y
        t = end
    assert t == last
    return y


def passed(one, spikes=(1.0, 6.0, 9.0), last=20.0) -> float:
    """The conductance at the end, at -40 mV, of spikes of weight 1."""
    s = one.initial((1,), float)
    for begin, end in zip((0.0, *spikes), (*spikes, last), strict=True):
        s = one.flow(s, end - begin)
        s = one.receive(s, jnp.asarray([1.0])) if end != last else s
    return float(one.conductance(s, jnp.asarray([-40.0]))[0])


def test_synapses_are_those_of_their_equations():
    (ampa,) = synapse("ampa")
    assert passed(ampa) == pytest.approx(followed(lambda y: -y / 2, lambda y: y + 1, 1)[0], rel=1e-8)
    (alpha,) = synapse("alpha")
    wanted = followed(lambda y: np.array([(np.e * y[1] - y[0]) / 3, -y[1] / 3]), lambda y: y + np.array([0.0, 1.0]), 2)
    assert passed(alpha) == pytest.approx(wanted[0], rel=1e-8)
    assert alpha.E == -10.0
    for id, rise, decay, block in (
        ("gaba", 0.7, 9.0, 1.0),
        ("nmda", 2.0, 40.0, 1 / (1 + 1.2 / 1.92 * np.exp(40 / 16))),
    ):
        one = synapse(id)[0]
        t = np.linspace(0, 60, 600001)
        factor = 1 / np.max(np.exp(-t / decay) - np.exp(-t / rise))  # the peak of one spike is 1
        wanted = followed(lambda y, a=rise, b=decay: -y / [a, b], lambda y, f=factor: y + f, 2)
        assert passed(one) == pytest.approx(block * (wanted[1] - wanted[0]), rel=1e-8)


def test_plasticity_is_that_of_tsodyks_and_markram():
    for id, U0, rec, fac in (("nmda", 0.3, 100.0, 50.0), ("tired", 0.5, 120.0, None)):
        one = synapse(id)[1]
        s = one.initial((1,), float)
        R, U = 1.0, U0
        for wait in (3.0, 11.0, 40.0, 2.0):
            R, U = 1 + (R - 1) * np.exp(-wait / rec), U0 + (U - U0) * np.exp(-wait / fac) if fac else U0
            s, sent = one.release(one.flow(s, wait), jnp.asarray([1.0]))
            assert float(sent[0]) == pytest.approx(R * U, rel=1e-12)
            R, U = R * (1 - U), U + U0 * (1 - U) if fac else U0


def test_a_network_has_a_synapse_of_a_file(tmp_path: Path):
    (tmp_path / "ampa.nml").write_text(
        '<neuroml><expOneSynapse id="ampa" gbase="2 nS" erev="0 mV" tauDecay="3 ms"/></neuroml>'
    )
    net = ch.Network(
        cells=ch.SingleCompartment(1, IL=ch.channel("IL"), area="1000 um^2"),
        input=ch.SpikeSource(1, times=([5.0], "ms"), neurons=[0]),
        syn=ch.Projection("input", "cells", ch.load_synapse(tmp_path / "ampa.nml"), ch.all_to_all(), weight="2 nS"),
    )  # fmt: skip
    run = ch.simulate(net, "10 ms", dt="0.1 ms", record=["syn.g"])
    assert float(np.squeeze(run["syn.g"])[-1]) == pytest.approx(2 * np.exp(-5 / 3), rel=1e-4)
