"""`General` channels: a current of any form, variables with any rate of change, a scheme; against Ohmic ones, closed forms and SciPy."""

from collections.abc import Mapping
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.authoring import Concentration, General, GeneralIon, Markov, Ohmic, Unit, exp, linoid, param, rates
from channelome.mechanisms.implicit import stepped
from channelome.mechanisms.rules import CLIPPED_PADE, EXACT, IMPLICIT

PerMs = Annotated[Any, Unit.parse("1/ms")]


class Gated(Ohmic, ion="k"):
    """Potassium current of the squid axon, as an Ohmic channel."""

    def n(self, V):
        return rates(alpha=0.01 * linoid(-(V + 55), 10), beta=0.125 * exp(-(V + 65) / 80))

    def conductance(self, n):
        return 36.0 * n**4


class Free(General, ion="k"):
    """The same, with its current written out."""

    n = Gated.n

    def density(self, V, k, n):
        return 36.0 * n**4 * (V - k.E)


class Moved(General, ion="k", variables=("n",)):
    """The same, its gate a variable."""

    def rest(self, V):
        return {"n": Gated.n(None, V).steady_state}  # pyright: ignore[reportArgumentType]

    def derivatives(self, V, n):
        return {"n": Gated.n(None, V).slope(n)}  # pyright: ignore[reportArgumentType]

    def density(self, V, k, n):
        return 36.0 * n**4 * (V - k.E)


class Logistic(General, variables=("x", "y")):
    """Two variables that depend on each other, not linear: ``x' = r x (1 - x)``, ``y' = x - y``."""

    r: PerMs = param(0.7, source="our choice")

    def rest(self):
        return {"x": 0.1, "y": 2.0}

    def derivatives(self, x, y):
        return {"x": self.r * x * (1 - x), "y": x - y}

    def density(self, V, x, y):
        return 0.01 * (V + 60) * x * y


def axon(IK: Any, solver: str, dt: str = "0.02 ms") -> np.ndarray:
    ions = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))
    INa = ch.channel("INa_HH1952", phi=1.0)
    leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")
    cell = ch.SingleCompartment(1, *ions, INa=INa, IK=IK, IL=leak)
    return np.asarray(ch.simulate(cell, "20 ms", dt=dt, stimulus="10 uA/cm^2", solver=solver)["V"][:, 0])


@pytest.mark.parametrize("solver", ["staggered", "exp_euler", "rk4", "crank_nicolson"])
def test_a_current_written_out_is_the_ohmic_one(solver: str):
    assert np.abs(axon(Free, solver) - axon(Gated, solver)).max() < 1e-9


@pytest.mark.parametrize(("solver", "most"), [("staggered", 0.2), ("rk4", 1e-9), ("crank_nicolson", 0.5)])
def test_a_gate_as_a_variable_gives_the_same_spikes(solver: str, most: float):
    # mV on a spike of 400 mV/ms; RK4 sees the same equations, the others relax a gate otherwise than a variable
    assert np.abs(axon(Moved, solver) - axon(Gated, solver)).max() < most


def test_variables_move_at_second_order_and_implicitly_at_first():
    channel, V = Logistic(), jnp.asarray([0.0])
    env = {"V": V, "celsius": None}
    start = channel.steady_state(env)
    span = 4.0
    exact = 0.1 * np.exp(0.7 * span) / (0.9 + 0.1 * np.exp(0.7 * span))  # the logistic curve

    def error(rule: Any, n: int) -> float:
        x: Any = start
        for _ in range(n):
            x = channel.relax(x, env, span / n, rule)
        return abs(float(x["x"][0]) - exact)

    for rule, order in ((CLIPPED_PADE, 2), (EXACT, 2), (IMPLICIT, 1)):
        assert np.log2(error(rule, 40) / error(rule, 80)) == pytest.approx(order, abs=0.1)


def test_variables_that_are_no_share_are_not_confined():
    cell = ch.SingleCompartment(1, X=Logistic)
    traces = ch.simulate(cell, "2 ms", dt="0.01 ms", solver="rk4", record=["X.x", "X.y"])
    found = solve_ivp(
        lambda t, s: [0.7 * s[0] * (1 - s[0]), s[0] - s[1]], (0, 2), [0.1, 2.0], rtol=1e-10, atol=1e-12
    ).y[:, -1]
    assert [float(traces[name][-1, 0]) for name in ("X.x", "X.y")] == pytest.approx(list(found), rel=1e-8)


def test_it_has_a_gradient():
    def last(r: Any) -> Any:
        cell = ch.SingleCompartment(1, X=Logistic).replace(**{"X.r": (r, "1/ms")})
        return ch.simulate(cell, "2 ms", dt="0.05 ms", record=["V"])["V"][-1, 0]

    slope, h = jax.grad(last)(0.7), 1e-4
    assert slope == pytest.approx(float(last(0.7 + h) - last(0.7 - h)) / (2 * h), rel=1e-5)


def test_each_species_is_charged_with_its_own_part():
    class Both(General, ion={"ca": None, "k": None}):  # pyright: ignore
        """Calcium in, potassium out."""

        def density(self, V):
            return {"ca": -1.0 + 0 * V, "k": 3.0 + 0 * V, "": 0.5 + 0 * V}

    class Alone(General, ion="ca"):
        """Calcium alone."""

        def density(self, V):
            return -1.0 + 0 * V

    def calcium(cls: Any) -> np.ndarray:
        cell = ch.SingleCompartment(1, "CalciumDetailed", "PotassiumFixed", X=cls, celsius=36)
        traces = ch.simulate(cell, "1 ms", dt="0.1 ms", record=["ca.C_in", "X.current"])
        if cls is Both:
            np.testing.assert_allclose(traces["X.current"], 2.5)
        return np.asarray(traces["ca.C_in"])

    assert np.ptp(calcium(Both)) > 1e-5
    np.testing.assert_allclose(calcium(Both), calcium(Alone), rtol=1e-12)


def test_a_scheme_may_have_any_current():
    class Scheme(Markov, ion="na", states=("C", "O")):
        """Two states."""

        def transitions(self, V):
            return {("C", "O"): exp(V / 20), ("O", "C"): exp(-V / 20)}

        def conductance(self, O):
            return 2.0 * O

    class Of(General, ion="na", states=("C", "O")):
        """The same."""

        transitions = Scheme.transitions

        def density(self, V, na, O):
            return 2.0 * O * (V - na.E)

    runs: Mapping[Any, Any] = {
        cls: ch.simulate(ch.SingleCompartment(1, "SodiumFixed", X=cls), "5 ms", dt="0.05 ms")["V"]
        for cls in (Scheme, Of)
    }
    assert np.abs(runs[Scheme] - runs[Of]).max() < 1e-9


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"rest": lambda self: {"x": 1.0}}, r"derivatives must return \{name: number\} of 'x'"),
        (
            {"derivatives": lambda self, x: {"y": x}},
            r"derivatives must return \{name: number\} of 'x', not of \[\"'y'\"\]",
        ),
        ({"density": lambda self, V: {"zn": V}}, r"density must return \{name: number\} of ''"),
        ({"m": lambda self, x: rates(x, 1.0), "density": lambda self, V, m: m * V}, "asks for the variable 'x'"),
    ],
)
def test_what_is_written_wrong_is_said_where_it_is_defined(methods: dict[str, Any], said: str):
    def derivatives(self):
        return 3.0

    good: dict[str, Any] = {
        "rest": lambda self: {"x": 0.0}, "derivatives": lambda self, x: {"x": -x}, "density": lambda self, V, x: x * V
    }  # fmt: skip
    if "rest" in methods:
        good["derivatives"] = derivatives
    with pytest.raises(ch.DefinitionError, match=said):
        type("Wrong", (General,), {**good, **methods, "__doc__": "A current."}, variables=("x",))


class Cubic(General, ion="k", variables=("x",)):
    """A variable that is no gate: ``x' = (inf(V) - x^3) / 5``."""

    def rest(self):
        return {"x": 0.1}

    def derivatives(self, V, x):
        return {"x": (2 / (1 + exp(-(V + 20) / 10)) - x**3) / 5}

    def density(self, V, k, x):
        return 0.5 * x * (V - k.E)


class Chain(General, ion="k", states=("C1", "C2", "O")):
    """A scheme whose current is written out."""

    def transitions(self, V):
        up = exp((V + 20) / 20)
        return {("C1", "C2"): up, ("C2", "C1"): 0.3 / up, ("C2", "O"): 2 * up, ("O", "C2"): 0.1}

    def density(self, V, k, O):
        return 0.5 * O * (V - k.E)


@pytest.mark.parametrize("cls", [Cubic, Moved, Chain])
def test_currents_under_a_voltage_clamp_are_those_of_scipy(cls: Any):
    """One step to each time was taken for exact."""
    times, V = np.array([0.0, 1.0, 5.0, 20.0, 100.0]), 10.0
    channel = ch.channel(cls)
    found = ch.voltage_clamp(
        channel, (V, "mV"), (times, "ms"), hold="-70 mV", ions=[ch.ion("PotassiumFixed", E="-77 mV")]
    )
    env = {"V": jnp.asarray(V), "celsius": None, "k": ch.ion("PotassiumFixed", E="-77 mV").view({}, None)}
    names = [*cls.variables, *cls.occupancies]
    start = channel.steady_state({**env, "V": jnp.asarray(-70.0)})

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        rates = channel.slope(dict(zip(names, map(jnp.asarray, y), strict=True)), env)
        return np.array([float(rates[name]) for name in names])

    y = solve_ivp(slope, (0, 100), [float(start[name]) for name in names], "LSODA", times, rtol=1e-9, atol=1e-12).y
    states = {name: jnp.asarray(values) for name, values in zip(names, y, strict=True)}
    np.testing.assert_allclose(found, channel.current(states, env), rtol=3e-6)


def test_variables_go_steps_of_their_own():
    """Neurons that are held by commands whose edges are their own go shares of a step of their own."""
    start, lengths = (
        {"x": jnp.asarray([0.1, 0.4, 0.7]), "y": jnp.asarray([2.0, 1.0, 0.0])},
        jnp.asarray([0.0, 0.05, 0.3]),
    )

    def slope(states: Any) -> Any:
        return {"x": 0.7 * states["x"] * (1 - states["x"]), "y": states["x"] - states["y"]}

    found = stepped(slope, start, lengths, EXACT)
    for i, dt in enumerate(lengths):
        alone = stepped(slope, {name: x[i] for name, x in start.items()}, dt, EXACT)
        assert {name: float(x[i]) for name, x in found.items()} == pytest.approx(
            {k: float(x) for k, x in alone.items()}, rel=1e-12
        )


class Whole(General, ion="k", variables=("x", "y")):
    """What starts from 0 and stays 1, said in whole numbers."""

    def rest(self):
        return {"x": 0, "y": 1}

    def derivatives(self, V, x):
        return {"x": (1 - x) * exp(V / 30), "y": 0}

    def density(self, V, x, y):
        return x * y * V


class WholePool(GeneralIon, variables=("C_in", "B"), species="ca"):
    """A concentration that starts from 1, and a buffer that never changes."""

    C_out: Concentration = param(2.0, source="our choice")

    def rest(self):
        return {"C_in": 1, "B": 3}

    def derivatives(self, I, C_in):
        return {"C_in": -0.1 * C_in - 1e-3 * I, "B": 0}


def test_states_said_in_whole_numbers_are_states_like_others():
    V = jnp.linspace(-60.0, 20.0, 5)
    env = {"V": V, "k": None}
    start = Whole().steady_state(env)
    assert {one.dtype for one in start.values()} == {V.dtype}
    after = Whole().relax(start, env, 0.1, CLIPPED_PADE)
    z = 0.1 * np.exp(np.asarray(V) / 30)
    np.testing.assert_allclose(after["x"], z / (1 + z / 2), rtol=1e-6)
    np.testing.assert_allclose(after["y"], 1.0)
    pool = WholePool()
    begun = {name: jnp.broadcast_to(jnp.asarray(x), V.shape) for name, x in pool.initial().items()}
    moved = pool.relax(begun, jnp.zeros_like(V), 0.1, CLIPPED_PADE)
    np.testing.assert_allclose(moved["C_in"], 1 - 0.01 / 1.005, rtol=1e-6)
    np.testing.assert_allclose(moved["B"], 3.0)
