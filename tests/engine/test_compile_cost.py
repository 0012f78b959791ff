"""The compiled program grows in proportion to the number of states, and not with the length or the size of a run."""

from typing import Any

import jax
import numpy as np
import pytest

import channelome as ch
from channelome.authoring import Conductance, Gate, Ohmic, Voltage, sigmoid
from channelome.engine.loops import chunk, compiled_begin
from channelome.engine.model import Model
from channelome.engine.prepare import prepared


class Five(Ohmic, ion="k"):
    """A current with five gates."""

    g_max: Conductance = 0.1
    V_half: Voltage = -40.0

    def a(self, V):
        return Gate(sigmoid(V - self.V_half, 5), 1 + sigmoid(V, 9))

    def b(self, V):
        return Gate(sigmoid(self.V_half - V, 6), 2 + sigmoid(V, 8))

    def c(self, V):
        return Gate(sigmoid(V - self.V_half, 7), 3 + sigmoid(V, 7))

    def d(self, V):
        return Gate(sigmoid(self.V_half - V, 8), 4 + sigmoid(V, 6))

    def e(self, V):
        return Gate(sigmoid(V - self.V_half, 9), 5 + sigmoid(V, 5))

    def conductance(self, a, b, c, d, e):
        return self.g_max * a * b * c * d * e


def cell_of(gates: int, size: int = 1) -> ch.SingleCompartment:
    return ch.SingleCompartment(size, "PotassiumFixed", **{f"I{i}": Five for i in range(gates // 5)})


def lines(cell: ch.SingleCompartment, solver: str, length: int = 8, optimised: bool = False) -> int:
    """Lines of the program of a run: of what is handed to XLA, or of what XLA made of it."""
    return lines_of(cell, solver, length, optimised, names=["V"])


def lines_of(
    model: Any,
    solver: str = "staggered",
    length: int = 8,
    optimised: bool = False,
    names: Any = (),
    stimulus: Any = None,
) -> int:
    """The same of any model."""
    run = prepared(
        Model.of(model), solver=ch.solver(solver), stimulus=stimulus, names=list(names), every=1, dt=0.1, origin=0, state=None, mesh=None
    )  # fmt: skip
    compiled: Any = jax.jit(chunk, static_argnums=(0, 1))
    begun = compiled_begin()(run.plan, run.parts, None, run.dt)
    lowered = compiled.lower(run.plan, length, run.parts, begun, run.times, run.dt, np.int32(0), np.int32(length))
    return len((lowered.compile() if optimised else lowered).as_text().splitlines())


@pytest.mark.parametrize("solver", ["staggered", "exp_euler", "rk4", "backward_euler"])
def test_the_program_is_linear_in_the_number_of_gates(solver: str) -> None:
    ten, twenty, forty = (lines(cell_of(gates), solver) for gates in (10, 20, 40))
    assert (forty - twenty) / 20 == pytest.approx((twenty - ten) / 10, rel=0.1)
    assert forty < 4.2 * ten


def test_what_xla_makes_of_it_is_linear_too() -> None:
    ten, twenty, forty = (lines(cell_of(gates), "staggered", optimised=True) for gates in (10, 20, 40))
    assert (forty - twenty) / 20 < 1.5 * (twenty - ten) / 10


def test_the_program_does_not_grow_with_the_length_or_the_size() -> None:
    small = lines(cell_of(10), "staggered")
    assert lines(cell_of(10), "staggered", length=100_000) == small
    assert lines(cell_of(10, size=1000), "staggered") <= 1.05 * small
