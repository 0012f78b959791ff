"""Bad input is a clear error with the way out: when the model is built, or before anything is compiled."""

from collections.abc import Callable
from typing import Any

import brainunit as u
import jax
import numpy as np
import pytest
from engine.models import calcium, hippocampal, squid

import channelome as ch
from channelome.mechanisms.leak import IL
from channelome.state import State

LEAKY = ch.SingleCompartment(3, IL=IL)


def leaky(duration: Any = "1 ms", dt: Any = "0.1 ms", **options: Any) -> ch.Traces:
    return ch.simulate(LEAKY, duration, dt=dt, **options)


def build(*ions: Any, **parts: Any) -> ch.SingleCompartment:
    return ch.SingleCompartment(3, *ions, **parts)


BAD: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    "an ion that carries a current is absent": (
        lambda: build("SodiumFixed", IK="IK_TM1991"),
        ch.ModelError,
        ("'IK'", "IK_TM1991", "is carried by the ion 'k'", "ion('PotassiumFixed')"),
    ),
    "an ion that a channel reads is absent": (
        lambda: build("PotassiumFixed", KCa=type(calcium().channels["KCa"])),
        ch.ModelError,
        ("'KCa'", "reads the ion 'ca'", "ion('CalciumFixed' or 'CalciumDetailed')"),
    ),
    "an ion is given twice": (lambda: build("SodiumFixed", "SodiumFixed"), ch.ModelError, ("'na' is given twice",)),
    "a label is an ion's species": (lambda: build("SodiumFixed", na=IL), ch.ModelError, ("'na' cannot be a channel's label",)),
    "a label is taken": (lambda: build(spikes=IL), ch.ModelError, ("'spikes' cannot be",)),
    "a label is no name": (lambda: build(**{"I L": IL}), ch.ModelError, ("'I L' cannot be",)),
    "a label has a dot": (lambda: build(**{"I.L": IL}), ch.ModelError, ("'I.L' cannot be",)),
    "a channel where an ion goes": (lambda: build(IL()), ch.ModelError, ("an ion must be", "Ion")),
    "an ion where a channel goes": (lambda: build(X=ch.ion("SodiumFixed")), ch.ModelError, ("the channel 'X' must be",)),
    "a number where a channel goes": (lambda: build(X=3), ch.ModelError, ("the channel 'X' must be", "not 3")),
    "an unknown channel": (lambda: build(X="INa_TM1992"), ch.UnknownName, ("INa_TM1992", "INa_TM1991")),
    "an ion's name for a channel": (lambda: build(X="SodiumFixed"), ch.UnknownName, ("is an ion, not a channel",)),
    "a parameter of another shape": (
        lambda: build(IL=IL(g_max=([1, 2], "mS/cm^2"))),
        ch.ModelError,
        ("IL.g_max has the shape (2,)", "the population has (3,)", "array of shape (3,)"),
    ),
    "a V of another shape": (lambda: build(IL=IL, V=(np.zeros(2), "mV")), ch.ModelError, ("V has the shape (2,)",)),
    "a NaN conductance": (lambda: IL(g_max=(np.nan, "mS/cm^2")), ch.ChannelomeError, ("g_max of IL must be finite",)),
    "an infinite conductance": (lambda: IL(g_max=([1, np.inf], "mS/cm^2")), ch.ChannelomeError, ("must be finite",)),
    "a negative conductance": (lambda: IL(g_max="-1 mS/cm^2"), ch.UnitError, ("g_max of IL must be at least 0 mS/cm^2",)),
    "one negative conductance of many": (lambda: IL(g_max=([1, -1], "mS/cm^2")), ch.UnitError, ("must be at least 0",)),
    "a negative conductance by replace": (lambda: IL().replace(g_max="-1 mS/cm^2"), ch.UnitError, ("at least 0",)),
    "no capacitance": (lambda: build(IL=IL, C="0 uF/cm^2"), ch.UnitError, ("C of SingleCompartment must be more than 0",)),
    "no area": (lambda: build(IL=IL, area="0 um^2"), ch.UnitError, ("area", "more than 0 um^2")),
    "a NaN initial voltage": (lambda: build(IL=IL, V=(np.nan, "mV")), ch.ChannelomeError, ("V", "must be finite")),
    "no neurons": (lambda: ch.SingleCompartment(0, IL=IL), ch.ModelError, ("size must be a positive number",)),
    "half a neuron": (lambda: ch.SingleCompartment((1.5,), IL=IL), ch.ModelError, ("size",)),
    "a duration without unit": (lambda: leaky(1.0), ch.UnitError, ("the duration needs a unit", "ms")),
    "a step without unit": (lambda: leaky(dt=0.1), ch.UnitError, ("the step dt needs a unit",)),
    "a step in mV": (lambda: leaky(dt=0.1 * u.mV), ch.UnitError, ("the step dt is in ms",)),
    "a step of zero": (lambda: leaky(dt="0 ms"), ch.ModelError, ("the step dt must be one positive number",)),
    "a negative duration": (lambda: leaky("-1 ms"), ch.ModelError, ("the duration must be one positive number",)),
    "a duration that is no number of steps": (
        lambda: leaky("1.05 ms"), ch.ModelError, ("not a whole number of steps of 0.1 ms", "take 1")
    ),
    "a duration shorter than a step": (lambda: leaky("0.01 ms"), ch.ModelError, ("not a whole number of steps", "take 0.1 ms")),
    "a number of steps that every does not divide": (
        lambda: leaky(every=3), ch.ModelError, ("not a whole number of 3 steps", "take 0.9 ms")
    ),
    "every of zero": (lambda: leaky(every=0), ch.ModelError, ("every must be a whole number of steps",)),
    "half an every": (lambda: leaky(every=0.5), ch.ModelError, ("every must be a whole number",)),
    "every of True": (lambda: leaky(every=True), ch.ModelError, ("every must be a whole number", "got True")),
    "a chunk below 0": (lambda: leaky(chunk=-5), ch.ModelError, ("chunk must be a whole number of samples, at least 1, got -5",)),
    "half a chunk": (lambda: leaky(chunk=2.5), ch.ModelError, ("chunk must be a whole number of samples",)),
    "no segment": (lambda: leaky(segment=0), ch.ModelError, ("segment must be a whole number of samples",)),
    "more steps than floats": (
        lambda: leaky("1e300 ms", "1e-300 ms"), ch.ModelError, ("a run of inf steps of 1e-300 ms is longer than one can be",)
    ),
    "a start beyond all steps": (
        lambda: leaky(start="1e308 ms"), ch.ModelError, ("times are known for 2,143,289,344",)
    ),
    "half a device": (
        lambda: ch.simulate(ch.Network(a=LEAKY), "1 ms", dt="0.1 ms", devices=2.5), ch.ModelError, ("a number of devices, or a list", "2.5")
    ),
    "devices that are none": (
        lambda: ch.simulate(ch.Network(a=LEAKY), "1 ms", dt="0.1 ms", devices=["cpu"]), ch.ModelError, ("a list of JAX's, not ['cpu']",)
    ),
    "an unknown record": (lambda: leaky(record="IL.m"), ch.UnknownName, ("'IL.m'", "IL.current")),
    "an unknown record of another name": (lambda: leaky(record="xyz"), ch.UnknownName, ("'xyz'", "It has V, ", "spikes")),
    "an unknown solver": (lambda: leaky(solver="rk44"), ch.UnknownName, ("rk44", "rk4")),
    "an object that is no solver": (lambda: leaky(solver=object()), ch.ModelError, ("a registered name", "start",)),
    "a stimulus without unit": (lambda: leaky(stimulus=1.0), ch.UnitError, ("current density", "got 1.0")),
    "a stimulus in mV": (lambda: leaky(stimulus="1 mV"), ch.UnitError, ("current density",)),
    "a bare function as stimulus": (lambda: leaky(stimulus=lambda t: t), ch.ModelError, ("function(f, unit='nA')",)),
    "an absolute current without area": (lambda: leaky(stimulus="1 nA"), ch.UnitError, ("has no area", "area=...")),
    "a stimulus of another shape": (
        lambda: leaky(stimulus=(np.ones(2), "uA/cm^2")), ch.ModelError, ("stimulus has the shape (2,)", "(3,)")
    ),
    "a step longer than a pulse": (
        lambda: leaky(stimulus=ch.pulses("1 uA/cm^2", times="0.2 ms", width="0.05 ms")),
        ch.ModelError,
        ("step of 0.1 ms is longer than the finest detail of the stimulus, 0.05 ms", "dt of at most 0.05 ms"),
    ),
    "a step longer than the interval of samples": (
        lambda: leaky(stimulus=ch.samples((np.ones(9), "uA/cm^2"), dt="0.02 ms")), ch.ModelError, ("0.02 ms",)
    ),
    "a step longer than the finest of a sum": (
        lambda: leaky(stimulus=ch.step("1 uA/cm^2") + ch.step("1 uA/cm^2", start="0 ms", stop="0.07 ms")),
        ch.ModelError,
        ("0.07 ms",),
    ),
    "a name in place of a model": (
        lambda: ch.simulate("SquidAxon_HH1952", "1 ms", dt="0.1 ms"), ch.ModelError, ("a cell or a Network", "cell('SquidAxon_HH1952')")
    ),
    "a channel in place of a model": (lambda: ch.simulate(IL(), "1 ms", dt="0.1 ms"), ch.ModelError, ("not IL(",)),
    "a state that is a dictionary": (lambda: leaky(state={"V": np.zeros(3)}), ch.ModelError, ("must be a State",)),
    "a state of another cell": (lambda: leaky(state=squid(3).initial_state()), ch.ModelError, ("not one of this cell",)),
    "a state of another size": (
        lambda: leaky(state=State(np.zeros(2), {"IL": {}}, {})), ch.ModelError, ("state.V has the shape (2,)", "(3,)")
    ),
    "a state of another precision": (
        lambda: leaky(state=State(np.zeros(3, np.float32), {"IL": {}}, {})),
        ch.ModelError,
        ("state.V is float32", "JAX runs in float64", "jax_enable_x64"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_clear_error(case: str) -> None:
    wrong, kind, words = BAD[case]
    with pytest.raises(kind) as caught:
        wrong()
    for word in words:
        assert word in str(caught.value)


def test_numbers_of_numpy_are_numbers_and_a_chunk_beyond_the_end_takes_no_memory() -> None:
    """It was an error, and 8 TB."""
    run = leaky(every=np.int64(2), chunk=np.int64(10**12))
    assert np.array_equal(run["V"], leaky(every=2)["V"]) and len(run.t) == 6


def test_a_float64_state_where_jax_runs_in_float32_is_an_error() -> None:
    state = LEAKY.initial_state()
    with jax.enable_x64(False), pytest.raises(ch.ModelError, match="is float64, but JAX runs in float32"):
        leaky(state=state)


@pytest.mark.parametrize("chunk", [None, 4])
def test_a_nan_during_a_run_is_reported_with_time_and_state(chunk: int | None) -> None:
    stimulus = ch.function(lambda t: jax.numpy.where(t > 0.55, jax.numpy.nan, 1.0), unit="uA/cm^2")
    with pytest.raises(ch.SimulationError) as caught:
        leaky(stimulus=stimulus, solver="euler", chunk=chunk)
    message = str(caught.value)
    assert "V of neuron 0 became NaN at t = 0.6 ms" in message and "step dt = 0.1 ms" in message


def test_the_neuron_that_left_the_numbers_is_named() -> None:
    cell = hippocampal((2, 2), C=([[1, 1], [1e-9, 1]], "uF/cm^2"))
    with pytest.raises(ch.SimulationError, match=r"of neuron \(1, 0\) became (NaN|infinite) at t = "):
        ch.simulate(cell, "5 ms", dt="0.1 ms", solver="euler", stimulus="10 uA/cm^2")


def test_a_nan_at_the_start_is_reported_as_such() -> None:
    state = LEAKY.initial_state()._replace(V=jax.numpy.asarray([0.0, np.nan, 0.0]))
    with pytest.raises(ch.SimulationError, match="V is NaN at the start, t = 0"):
        leaky(state=state)


def test_the_check_can_be_left_out() -> None:
    state = LEAKY.initial_state()._replace(V=jax.numpy.asarray([0.0, np.nan, 0.0]))
    V = leaky(state=state, check=False)["V"]
    assert np.all(np.isnan(V[:, 1])) and np.all(np.isfinite(V[:, [0, 2]]))


def test_a_ghk_channel_whose_ion_has_no_concentrations_is_named_when_the_cell_is_built() -> None:
    from channelome.authoring import Array, Permeability, Permeable, param

    class IZn(Permeable, ion="ca"):
        P_max: Permeability = param(1e-4)

        def permeability(self) -> Array:
            return self.P_max

    with pytest.raises(
        ch.ModelError, match=r"the channel 'X' .*needs the concentrations of the ion 'ca'.*C_in=..., C_out"
    ):
        ch.SingleCompartment(1, ch.ion("Fixed", species="ca", E="120 mV"), X=IZn, celsius=36)
