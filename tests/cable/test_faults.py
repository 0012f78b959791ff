"""A cell that leaves the numbers: V of all compartments is solved for at once, and yet the one in which it began is named."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.authoring import Conductance, Gate, Ohmic, Voltage, param

MORPH = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="200 um", diameter="2 um")
    .branch("apical", length="300 um", diameter="2 um")
)


class IRoot_Own(Ohmic):
    """A conductance that is no number above -60 mV. Our own."""

    g_max: Conductance = param(1.0, source="our choice")
    E: Voltage = param(0.0, source="our choice")

    def conductance(self, V):
        return self.g_max * jnp.sqrt(-60.0 - V)


class IGate_Own(Ohmic):
    """A gate that is no number above -60 mV. Our own."""

    g_max: Conductance = param(0.01, source="our choice")
    E: Voltage = param(0.0, source="our choice")

    def m(self, V):
        return Gate(inf=0.1 * jnp.sqrt(-60.0 - V), tau=1.0)

    def conductance(self, m):
        return self.g_max * m


def cell(part: type = IRoot_Own, **given: Any) -> ch.MultiCompartment:
    leak = ch.channel("IL", g_max="0.1 mS/cm^2", E="-65 mV")
    return ch.MultiCompartment(MORPH, IL=leak, X=ch.on("apical[0](0.6, 0.66)", part), **given)


@pytest.mark.parametrize(
    ("part", "what", "solver"), [(IRoot_Own, "X.current", "staggered"), (IGate_Own, "X.m", "crank_nicolson")]
)
def test_the_compartment_in_which_it_began_is_named(part: type, what: str, solver: str):
    with pytest.raises(ch.SimulationError) as caught:
        ch.simulate(cell(part), "20 ms", dt="0.1 ms", stimulus=ch.at("soma", ch.step("0.3 nA")), solver=solver)
    assert f"{what} of apical[0]" in str(caught.value)


def test_of_several_cells_the_one_is_named_too():
    V = (np.array([-65.0, -65.0, -59.0])[:, None], "mV")
    net = ch.Network(pyr=cell(size=3, V=V))
    with pytest.raises(ch.SimulationError, match=r"pyr.X.current of apical\[0\]\(0.6\d*\) of neuron 2 became"):
        ch.simulate(net, "1 ms", dt="0.025 ms")


def test_where_it_cannot_be_told_no_compartment_is_blamed():
    nowhere = ch.at("dend(1)", ch.function(lambda t: jnp.where(t > 0.5, jnp.nan, 0.0), unit="nA"))
    with pytest.raises(ch.SimulationError, match=r"^V became NaN in all compartments at once at t = 0.5\d* ms"):
        ch.simulate(cell(), "1 ms", dt="0.025 ms", stimulus=nowhere)
