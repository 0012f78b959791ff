"""What a run returns: times and labels, every k-th step, chunks, continuation; and how often it compiles."""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine.models import MODELS, everything, hippocampal, model, run, squid

import channelome as ch
from channelome.engine.loops import compiled_chunk
from channelome.mechanisms.leak import IL

OPTIONS = {"stimulus": "10 uA/cm^2", "record": ["V", "INa.m", "INa.current"]}
AXON = model("squid")


def test_the_first_sample_is_the_initial_state_at_0_and_sample_k_is_at_k_dt() -> None:
    traces = ch.simulate(AXON, "2 ms", dt="0.1 ms", **OPTIONS)
    initial = AXON.initial_state()
    np.testing.assert_array_equal(traces.t, np.arange(21) * 0.1)
    np.testing.assert_array_equal(traces["V"][0], initial.V)
    np.testing.assert_array_equal(traces["INa.m"][0], initial.channels["INa"]["m"])
    np.testing.assert_array_equal(traces["INa.current"][0], AXON.currents(initial)["INa"])
    assert traces["V"].shape == (21, 1) and traces.units == {"V": "mV", "INa.m": "1", "INa.current": "uA/cm^2"}


@pytest.mark.parametrize("solver", ["staggered", "crank_nicolson", "heun"])
def test_a_recorded_gate_is_that_of_its_label_and_not_half_a_step_off(solver: str) -> None:
    options = {"stimulus": "10 uA/cm^2", "record": everything(AXON), "chunk": 1024}
    gate, true = (ch.simulate(AXON, "2.56 ms", dt="0.02 ms", solver=s, **options)["INa.m"] for s in (solver, "rk4"))
    assert np.abs(gate - true).max() < 0.05 * np.abs(np.diff(true[:, 0])).max(), "of what one step changes"


def test_a_passive_cell_charges_as_its_closed_form_says_at_every_label() -> None:
    cell = ch.SingleCompartment(1, IL=IL(g_max="0.1 mS/cm^2", E="-65 mV"))
    traces = ch.simulate(cell, "10 ms", dt="0.1 ms", stimulus="1 uA/cm^2", solver="exp_euler")
    np.testing.assert_allclose(traces["V"][:, 0], -65 + 10 * (1 - np.exp(-traces.t / 10)), rtol=1e-13)


@pytest.mark.parametrize("every", [2, 5, 20])
def test_every_keeps_each_so_manyth_sample_and_all_spikes(every: int) -> None:
    options = OPTIONS | {"record": ["V", "INa.m", "spikes"]}
    full = ch.simulate(AXON, "20 ms", dt="0.1 ms", **options)
    some = ch.simulate(AXON, "20 ms", dt="0.1 ms", every=every, **options)
    np.testing.assert_allclose(some.t, full.t[::every], rtol=1e-13)
    for name in ("V", "INa.m"):
        np.testing.assert_allclose(some[name], full[name][::every], rtol=1e-10)
    assert len(full.spikes) > 0
    np.testing.assert_allclose(some.spikes.times, full.spikes.times, rtol=1e-10)
    assert some["spikes"].sum() == full["spikes"].sum() == len(full.spikes)


@pytest.mark.parametrize("chunk", [1, 7, 200])
def test_chunks_give_the_same_as_one_piece(chunk: int) -> None:
    options = OPTIONS | {"record": ["V", "INa.m", "spikes"]}
    whole = ch.simulate(AXON, "20 ms", dt="0.1 ms", **options)
    parts = ch.simulate(AXON, "20 ms", dt="0.1 ms", chunk=chunk, **options)
    np.testing.assert_array_equal(parts.t, whole.t)
    for name in ("V", "INa.m", "spikes"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9)
    np.testing.assert_allclose(parts.spikes.times, whole.spikes.times, rtol=1e-9)
    for part, all_of_it in zip(jax.tree.leaves(parts.final), jax.tree.leaves(whole.final), strict=True):
        np.testing.assert_allclose(part, all_of_it, rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("solver", "tolerance"), [("rk4", 1e-9), ("exp_euler", 1e-9), ("staggered", 1e-3)])
def test_continuing_from_the_final_state_goes_on(name: str, solver: str, tolerance: float) -> None:
    constant = ch.step("0.5 uA/cm^2")
    whole = run(name, solver, 0.02, 200, stimulus=constant)
    first = run(name, solver, 0.02, 100, stimulus=constant)
    second = run(name, solver, 0.02, 100, stimulus=constant, state=first.final)
    for record in everything(model(name)):
        np.testing.assert_array_equal(second[record][0], first[record][-1])
        np.testing.assert_allclose(second[record], whole[record][100:], rtol=tolerance)


def test_the_final_state_is_the_last_sample() -> None:
    traces = ch.simulate(AXON, "2 ms", dt="0.1 ms", **OPTIONS)
    np.testing.assert_allclose(traces.final.V, traces["V"][-1], rtol=1e-13)
    np.testing.assert_allclose(traces.final.channels["INa"]["m"], traces["INa.m"][-1], rtol=1e-13)


def test_the_final_state_can_be_clamped_and_started_from() -> None:
    zero = AXON.initial_state()._replace(V=jnp.full(1, -20.0))
    traces = ch.simulate(AXON, "2 ms", dt="0.1 ms", state=zero, **OPTIONS)
    assert traces["V"][0, 0] == -20.0


def test_recording_is_what_was_asked_for_and_in_that_order() -> None:
    traces = ch.simulate(AXON, "1 ms", dt="0.1 ms", record=["IK.n", "V", "IK.n"])
    assert list(traces) == ["IK.n", "V"]
    assert list(ch.simulate(AXON, "1 ms", dt="0.1 ms", record="spikes")) == ["spikes"]


def test_the_precision_is_that_of_jax() -> None:
    assert ch.simulate(AXON, "1 ms", dt="0.1 ms")["V"].dtype == np.float64
    with jax.enable_x64(False):
        traces = ch.simulate(
            squid(V=(np.float64(-65), "mV")), "1 ms", dt="0.1 ms", stimulus=(np.float64(10), "uA/cm^2")
        )
    assert traces["V"].dtype == np.float32


def test_ctrl_c_returns_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def once(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    real = compiled_chunk(lone=True)
    monkeypatch.setattr("channelome.engine.run.compiled_chunk", lambda lone: once)
    with pytest.warns(UserWarning, match=r"interrupted after 1 ms"):
        traces = ch.simulate(AXON, "2 ms", dt="0.1 ms", chunk=5, stimulus="10 uA/cm^2")
    assert traces.interrupted and traces.t[-1] == pytest.approx(1.0) and traces["V"].shape == (11, 1)
    monkeypatch.undo()
    whole = ch.simulate(AXON, "2 ms", dt="0.1 ms", chunk=5, stimulus="10 uA/cm^2")
    np.testing.assert_allclose(traces["V"], whole["V"][:11], rtol=1e-12)


def test_ctrl_c_while_a_chunk_is_put_away_counts_no_spike_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bar(contextlib.nullcontext):
        """Interrupted when the second chunk has been put away, and before that is known."""

        calls = 0

        def update(self, _: int) -> None:
            self.calls += 1
            if self.calls == 2:
                raise KeyboardInterrupt

    options = {"dt": "0.1 ms", "chunk": 50, "stimulus": "10 uA/cm^2", "record": ["spikes"]}
    whole = ch.simulate(AXON, "40 ms", **options).spikes
    monkeypatch.setattr("channelome.engine.run._bar", lambda *_: Bar())
    with pytest.warns(UserWarning, match="interrupted after 1"):
        part = ch.simulate(AXON, "40 ms", **options)
    np.testing.assert_array_equal(part.spikes.times, whole.times[whole.times <= part.t[-1]])
    assert len(part.spikes) == 1


@pytest.mark.parametrize(("duration", "chunk"), [("1 ms", None), ("400 ms", None), ("2 ms", 5)])
def test_records_are_read_only_and_hold_on_to_no_more_than_twice_what_they_show(
    duration: str, chunk: int | None
) -> None:
    V = ch.simulate(AXON, duration, dt="0.01 ms", chunk=chunk)["V"]
    with pytest.raises(ValueError, match="read-only"):
        V[0] = 0.0
    held = V
    while getattr(held, "base", None) is not None:
        held = held.base
    assert np.asarray(held).nbytes <= 2 * V.nbytes


# ---- compilation ---------------------------------------------------------------------------------------------------


def compilations(run_some: object) -> int:
    """How many programs XLA compiled while `run_some` ran."""
    count = 0

    def listen(event: str, _: float, **__: object) -> None:
        nonlocal count
        count += event == "/jax/core/compile/backend_compile_duration"

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        run_some()  # pyright: ignore
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return count


def sweep(
    *cells: ch.SingleCompartment,
    stimuli: tuple = ("3 uA/cm^2",),
    dts: tuple = ("0.1 ms",),
    durations: tuple = ("2 ms",),
) -> None:
    for cell in cells:
        for stimulus in stimuli:
            for dt in dts:
                for duration in durations:
                    ch.simulate(cell, duration, dt=dt, stimulus=stimulus, record=["V", "INa.h"])


def test_a_sweep_over_parameters_and_stimuli_compiles_nothing_new() -> None:
    base = hippocampal(2)
    sweep(base)
    cells = [base.replace(**{"INa.g_max": f"{g} mS/cm^2", "C": f"{c} uF/cm^2"}) for g in (80, 90) for c in (1, 1.2)]
    cells += [base.replace(V="-70 mV"), base.replace(**{"IK.V_sh": "-60 mV", "na.E": "55 mV"}), hippocampal(2)]
    assert (
        compilations(lambda: sweep(*cells, stimuli=("1 uA/cm^2", "2.5 uA/cm^2", ch.step("4 uA/cm^2", start="1 ms"))))
        == 0
    )


def test_another_step_of_the_same_number_of_steps_compiles_nothing_new() -> None:
    sweep(hippocampal(2))
    assert compilations(lambda: sweep(hippocampal(2), dts=("0.05 ms",), durations=("1 ms",))) == 0


def test_another_duration_or_step_compiles_nothing_new() -> None:
    sweep(hippocampal(2))
    again = lambda: sweep(hippocampal(2), dts=("0.1 ms", "0.05 ms"), durations=("2 ms", "3 ms", "7 ms"))  # noqa: E731
    assert compilations(again) == 0


def test_a_whole_sweep_compiles_a_beginning_and_a_loop() -> None:
    cell = hippocampal(5)

    def runs() -> None:
        for amplitude in (1.0, 2.0, 3.0):
            ch.simulate(cell, "2 ms", dt="0.1 ms", stimulus=(amplitude, "uA/cm^2"))

    assert compilations(runs) == 2


@pytest.mark.parametrize("of", [jax.value_and_grad, jax.vmap])
def test_a_derivative_or_a_batch_outside_jit_is_compiled_once(of: Any) -> None:
    """Its loop was compiled at each call."""
    base = hippocampal(2)

    def last(g: Any) -> Any:
        return ch.simulate(base.replace(**{"INa.g_max": (g, "mS/cm^2")}), "1 ms", dt="0.1 ms")["V"][-1, 0]

    g = jnp.linspace(80.0, 90.0, 3) if of is jax.vmap else jnp.asarray(80.0)
    another = g + 1
    of(last)(g)
    assert compilations(lambda: of(last)(another)) == 0


def test_building_a_cell_compiles_nothing_and_puts_nothing_on_a_device() -> None:
    before = len(jax.live_arrays())
    assert compilations(lambda: hippocampal(1000, V=ch.normal("-65 mV", "5 mV", seed=0))) == 0
    assert len(jax.live_arrays()) == before


def test_the_stimulus_bump_of_these_tests_elicits_no_spike() -> None:
    for name in MODELS:
        assert run(name, "rk4", 0.02, 256)["V"].max() < -40
