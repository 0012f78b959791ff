"""Ions, synapses, plasticities and solvers with mistakes that shipped simulators make, or that the checks are there for."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from kit.planted import Defect, collector, stated

from channelome.authoring import (
    FARADAY,
    Array,
    Concentration,
    Factor,
    Length,
    Linear,
    Pool,
    PositiveTime,
    Rate,
    Release,
    Synapse,
    Voltage,
    maximum,
)
from channelome.engine.solvers import solver

PARTS: list[Defect] = []
ion, synapse, method = (collector(kind, PARTS) for kind in ("ion", "synapse", "solver"))


# ---- ions ----------------------------------------------------------------------------------------------------------


class Shell(Pool, species="ca"):
    """A calcium pool that is right: a shell under the membrane, and its pump."""

    C_out: Concentration = stated(2.0)
    C_rest: Concentration = stated(2.4e-4)
    d: Length = stated(1.0)
    tau: PositiveTime = stated(5.0)

    def balance(self, I: Any) -> Linear:
        return Linear(self.C_rest / self.tau + maximum(-10 * I / (2 * FARADAY * self.d), 0), 1 / self.tau)


@ion("calcium never rises: max(-I, 0) of a current that is inward positive", "influx", "BrainPy")
class Deaf(Shell):
    """A pool that outward currents fill."""

    def balance(self, I: Any) -> Linear:
        return Linear(self.C_rest / self.tau + maximum(10 * I / (2 * FARADAY * self.d), 0), 1 / self.tau)


@ion("a factor of 100 between uA/cm^2 and the shell", "influx", "BrainPy")
class Scaled(Shell):
    """A pool whose charge is off by its units."""

    def balance(self, I: Any) -> Linear:
        return Linear(self.C_rest / self.tau + maximum(-0.1 * I / (2 * FARADAY * self.d), 0), 1 / self.tau)


@ion("concentrations below zero", "pool steps")
class Drained(Shell):
    """A pool that outward currents empty."""

    def balance(self, I: Any) -> Linear:
        return Linear(self.C_rest / self.tau - 10 * I / (2 * FARADAY * self.d), 1 / self.tau)


@ion("a parameter without effect", "ion parameters")
class Depthless(Shell):
    """A pool with a field that nothing reads."""

    alpha: Factor = stated(1.0)


@ion("E does not follow the concentration", "potential")
class Fixed(Shell):
    """A pool whose reversal potential stays."""

    def view(self, states: Any, celsius: Any) -> Any:
        return super().view({"C_in": jnp.full_like(states["C_in"], 1e-4)}, celsius)


# ---- synapses ------------------------------------------------------------------------------------------------------


class Decaying(Synapse, states=("g",)):
    """A synapse that is right: a conductance that decays."""

    tau: PositiveTime = stated(5.0)
    E: Voltage = stated(0.0)

    def flow(self, s: Any, dt: Any) -> Any:
        return {"g": s["g"] * jnp.exp(-dt / self.tau)}

    def receive(self, s: Any, arrived: Any) -> Any:
        return {"g": s["g"] + arrived}

    def conductance(self, s: Any, V: Array) -> Array:
        return s["g"]


@synapse("a spike lowers the conductance below zero", "response")
class Subtracting(Decaying):
    """A synapse with the sign of its weight lost."""

    def receive(self, s: Any, arrived: Any) -> Any:
        return {"g": s["g"] - arrived}


@synapse("a step of forward Euler in place of the solution", "exact")
class Stepped(Decaying):
    """A synapse whose decay depends on dt."""

    def flow(self, s: Any, dt: Any) -> Any:
        return {"g": s["g"] * (1 - dt / self.tau)}


@synapse("saturation: two synapses of one projection do not add up", "linear")
class Saturating(Decaying):
    """A synapse with a ceiling over the sum of all."""

    def receive(self, s: Any, arrived: Any) -> Any:
        return {"g": s["g"] + arrived * (1 - 0.1 * s["g"])}


@synapse("a block that is 0/0 at one potential", "voltages")
class Blocked(Decaying):
    """A synapse whose block by magnesium is a naive quotient."""

    def conductance(self, s: Any, V: Array) -> Array:
        return s["g"] * (V + 40) / (jnp.exp((V + 40) / 10) - 1)


@synapse("a time constant without effect", "synapse parameters")
class Idle(Decaying):
    """A synapse with a field that nothing reads."""

    tau_rise: PositiveTime = stated(1.0)


@synapse("a parameter made a Python number", "programs")
class Converted(Decaying):
    """A synapse that turns its time constant into a float."""

    def flow(self, s: Any, dt: Any) -> Any:
        return {"g": s["g"] * jnp.exp(-dt / float(self.tau))}


@synapse("a spike sends more than there is", "response")
class Boosting(Release, states={"x": 1.0}):
    """Resources that spikes add to."""

    rate: Rate = stated(0.01)

    def flow(self, s: Any, dt: Any) -> Any:
        return {"x": 1 - (1 - s["x"]) * jnp.exp(-dt * self.rate)}

    def release(self, s: Any, spiked: Array) -> tuple[Any, Array]:
        return {"x": s["x"] + spiked}, s["x"]


# ---- solvers -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Around:
    """A solver made of another one."""

    inner: Any
    order: int

    def start(self, cell: Any, state: Any, dt: Any) -> Any:
        return self.inner.start(cell, state, dt)

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        return self.inner.step(cell, carry, n, dt, drive)

    def voltage(self, carry: Any) -> Any:
        return self.inner.voltage(carry)

    def state(self, cell: Any, carry: Any, n: Any, dt: Any) -> Any:
        return self.inner.state(cell, carry, n, dt)


@dataclasses.dataclass(frozen=True)
class Alone(Around):
    """The voltage and the channels, each by the method while the other waits."""

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        V = self.inner.step(cell, carry, n, dt, drive).V
        rest = self.inner.step(cell, carry._replace(V=V), n, dt, drive)
        return rest._replace(V=V)


class Raising(Around):
    """A method that is registered and not written."""

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        raise NotImplementedError("implicit_rk is not implemented for this target")


class Unconverged(Around):
    """The implicit midpoint rule, by an iteration whose stop test is the wrong way round."""

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        def after(slope: Any, by: Any) -> Any:
            return jax.tree.map(lambda y, dy: y + by * dy, carry, slope)

        def again(loop: Any) -> Any:
            slope, _ = loop
            new = cell.derivative(after(slope, dt / 2), drive.at(0.5))
            return new, jnp.max(jnp.abs(new.V - slope.V))

        first = cell.derivative(carry, drive.at(0.0))
        slope, _ = jax.lax.while_loop(lambda loop: loop[1] < 1e-9, again, (first, jnp.asarray(1.0)))
        return after(slope, dt)


class Late(Around):
    """The right states, under the time of the step before."""

    def start(self, cell: Any, state: Any, dt: Any) -> Any:
        return (state, state), 0

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        return carry[1], self.inner.step(cell, carry[1], n, dt, drive)

    def voltage(self, carry: Any) -> Any:
        return carry[0].V

    def state(self, cell: Any, carry: Any, n: Any, dt: Any) -> Any:
        return carry[0]


class Unconfined(Around):
    """Forward Euler for the gates, whatever they reach."""

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        return jax.tree.map(lambda y, dy: y + dt * dy, carry, cell.derivative(carry, drive.at(0.0)))


class Silent:
    """A method that says no order and cannot start."""

    def step(self, cell: Any, carry: Any, n: Any, dt: Any, drive: Any) -> Any:
        return carry


method('method="rk4" on a composed model integrates each part alone', "converges", "BrainPy")(Alone(solver("rk4"), 4))
method("implicit Euler that is the trapezoid rule", "converges", "braincell")(Around(solver("crank_nicolson"), 1))
method("a registered solver that raises on every target", "converges", "braincell")(Raising(solver("rk4"), 4))
method("an iteration whose stop test is inverted", "converges", "braincell")(Unconverged(solver("rk4"), 2))
method("t[k] labels the state of another time", "converges", "BrainPy")(Late(solver("rk4"), 4))
method("large steps take gates out of [0, 1]", "gates in range")(Unconfined(solver("euler"), 1))
method("a method that cannot be called as one", "methods")(Silent())
