"""`GeneralIon`: against the pool that it also could be, the conservation of what is bound, SciPy, and wrong definitions."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.authoring import (
    FARADAY,
    Concentration,
    GeneralIon,
    Length,
    PositiveTime,
    Rate,
    Unit,
    log,
    maximum,
    param,
)
from channelome.mechanisms.rules import CLIPPED_PADE, IMPLICIT

Binding = Annotated[Any, Unit.parse("1/(mM*ms)")]


class Shell(GeneralIon, species="ca", variables=("C_in",)):
    """`CalciumDetailed`, with its one concentration a variable."""

    d: Length = param(1.0, source="our choice")
    tau: PositiveTime = param(5.0, source="our choice")
    C_rest: Concentration = param(2.4e-4, source="our choice")
    C_out: Concentration = param(2.0, source="our choice")

    def rest(self):
        return {"C_in": self.C_rest}

    def derivatives(self, I, C_in):
        return {"C_in": maximum(-10 * I / (2 * FARADAY * self.d), 0.0) + (self.C_rest - C_in) / self.tau}


class Buffered(GeneralIon, species="ca", variables=("C_in", "B", "CaB")):
    """Calcium that a buffer binds."""

    on: Binding = param(100.0, source="our choice")
    off: Rate = param(0.05, source="our choice")
    C_out: Concentration = param(2.0, source="our choice")

    def rest(self):
        return {"C_in": 1e-4, "B": 0.02, "CaB": 0.001}

    def derivatives(self, I, C_in, B, CaB):
        flow = self.on * C_in * B - self.off * CaB
        return {"C_in": -1e-4 * I - flow, "B": -flow, "CaB": flow}


class Reversed(GeneralIon, species="k"):
    """Potassium that reverses where a formula says."""

    C_in: Concentration = param(140.0, source="our choice")
    C_out: Concentration = param(3.5, source="our choice")

    def potential(self, C_in, C_out):
        return 26.0 * log(C_out / C_in)


def neuron(ion: Any):
    return ch.SingleCompartment(
        3, ion, ICa=ch.channel("ICaHT_HM1992", g_max="2 mS/cm^2"), IL="IL", V=([-70.0, -40.0, -20.0], "mV"), celsius=36
    )


def test_a_pool_and_the_same_with_its_concentration_a_variable_run_alike():
    runs = [
        ch.simulate(neuron(ion), "40 ms", dt="0.0125 ms", stimulus="2 uA/cm^2", record=["V", "ca.C_in", "ca.E"])
        for ion in (ch.ion("CalciumDetailed"), Shell())
    ]
    assert np.ptp(runs[0]["ca.C_in"]) > 1e-4
    for name in ("V", "ca.C_in", "ca.E"):
        np.testing.assert_allclose(runs[1][name], runs[0][name], rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("solver", ["staggered", "staggered4", "exp_euler", "rk4", "backward_euler"])
def test_what_is_bound_is_neither_made_nor_lost(solver: str):
    run = ch.simulate(
        neuron(Buffered()), "20 ms", dt="0.01 ms", solver=solver, stimulus="2 uA/cm^2", record=["ca.C_in", "ca.B"]
    )
    assert np.all(np.isfinite(run["ca.C_in"]))
    np.testing.assert_allclose(run["ca.B"][-1], run.final.ions["ca"]["B"])
    state = run.final.ions["ca"]
    np.testing.assert_allclose(state["B"] + state["CaB"], 0.021, rtol=1e-9)
    assert np.all(np.abs(np.asarray(state["CaB"]) - 0.001) > 1e-6)


@pytest.mark.parametrize(("rule", "order"), [(CLIPPED_PADE, 2.0), (IMPLICIT, 1.0)])
def test_a_step_has_the_order_of_its_rule(rule: Any, order: float):
    ion = Buffered()
    start = {name: jnp.asarray([value]) for name, value in ion.initial().items()}

    def slope(t: float, y: Any) -> Any:
        moved = ion.slope({name: jnp.asarray([v]) for name, v in zip(start, y, strict=True)}, -30.0)
        return [float(v[0]) for v in moved.values()]

    exact = solve_ivp(slope, (0, 2.0), [float(v[0]) for v in start.values()], "LSODA", rtol=1e-11, atol=1e-15).y[:, -1]
    errors = []
    for steps in (40, 80):
        states = start
        for _ in range(steps):
            states = ion.relax(states, -30.0, 2.0 / steps, rule)
        errors.append(max(abs(float(v[0]) - e) for v, e in zip(states.values(), exact, strict=True)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


def test_a_formula_takes_the_place_of_nernst():
    cell = ch.SingleCompartment(1, Reversed(), IK="IK_TM1991", IL="IL")
    run = ch.simulate(cell, "1 ms", dt="0.1 ms", record=["k.E"])
    np.testing.assert_allclose(run["k.E"], 26.0 * np.log(3.5 / 140.0))
    assert not Reversed.needs_celsius


def test_gradients_go_through_the_buffer():
    def end(on: Any) -> Any:
        ion = Buffered().replace(on=(on, "1/(mM*ms)"))
        states = {name: jnp.asarray(value) for name, value in ion.initial().items()}
        for _ in range(20):
            states = ion.relax(states, -20.0, 0.1, CLIPPED_PADE)
        return states["C_in"]

    found = jax.grad(end)(100.0)
    assert float(found) == pytest.approx(float(end(100.01) - end(99.99)) / 0.02, rel=1e-4)


def test_definitions_that_cannot_be_name_the_way_out():
    with pytest.raises(ch.DefinitionError, match=r"has variables and needs a method derivatives\(self, ...\)"):

        class Half(GeneralIon, species="ca", variables=("C_in",)):  # pyright: ignore[reportUnusedClass]
            def rest(self):
                return {"C_in": 1e-4}

    with pytest.raises(ch.DefinitionError, match=r"derivatives asks for 'V', and may ask for I, C_in, C_out"):

        class Asks(GeneralIon, species="ca", variables=("C_in",)):  # pyright: ignore[reportUnusedClass]
            def rest(self):
                return {"C_in": 1e-4}

            def derivatives(self, V, C_in):
                return {"C_in": V}


def test_channels_see_what_there_is_and_are_told_what_there_is_not():
    class Bare(GeneralIon, species="ca", variables=("C_in",)):
        """Calcium without an outside."""

        def rest(self):
            return {"C_in": 1e-4}

        def derivatives(self, C_in):
            return {"C_in": -C_in}

    view = Bare().view({"C_in": jnp.asarray(2e-4)}, 36.0)
    assert float(view.C_in) == pytest.approx(2e-4)
    with pytest.raises(ch.ModelError, match="built without: give it E"):
        _ = view.E
