"""Large blocks lie in rows, so that threads share whole ones; nothing of the neurons that fill the last row is seen."""

import jax
import numpy as np
import pytest

import channelome as ch
from channelome.engine import layout
from channelome.errors import SimulationError

N = 2500  # 39 rows and 4 neurons
RECORD = ["a.V", "b.V", "some.V", "b.INa.m", "a[7].V", "e.g", "h.g", "h.u", "f.g"]
OPTIONS = {"dt": "0.1 ms", "record": RECORD}


@pytest.fixture(scope="module")
def net() -> ch.Network:
    V = ch.uniform("-65 mV", "-52 mV")
    strong = (np.linspace(90, 110, 31 * 17).reshape(31, 17), "mS/cm^2")
    return ch.Network(
        a=ch.cell("PointNeuron_Brette2007", size=N, V=V),
        b=ch.cell("PointNeuron_Brette2007", size=(31, 17), V=V).replace(**{"INa.g_max": strong}),
        some="a[5:2000:3]",
        noise=ch.Poisson(100, rate="300 Hz"),
        e=ch.Projection("a", "b", "Expon", ch.fixed_probability(0.01), weight="3 nS", delay="1 ms"),
        f=ch.Projection("b", "a", "AMPA", ch.fixed_probability(0.01), weight="3 nS", delay=ch.uniform("0.5 ms", "3 ms")),
        h=ch.Projection(
            "a", "a", "DualExpon", ch.fixed_probability(0.005), weight=ch.uniform("0.1 nS", "1 nS"), plasticity="TsodyksMarkram"
        ),
        q=ch.Projection("noise", "a", "Expon", ch.fixed_probability(0.1), weight="2 nS"),
    )  # fmt: skip


STIMULI = {
    "alike": {"a": ch.step((np.linspace(0, 0.4, N), "nA"), start="1.03 ms"), "b": ch.step("0.2 nA", start="2 ms")},
    "of two kinds": {"a": ch.step((np.linspace(0, 0.4, N), "nA")), "b": ch.noise("0.2 nA", "0.1 nA", size=(31, 17))},
}


def rows(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setenv("PJRT_NPROC", str(threads))


@pytest.mark.parametrize("stimulus", STIMULI.values(), ids=STIMULI.keys())
def test_a_network_in_rows_is_what_was_written(net: ch.Network, stimulus, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(monkeypatch, 1)
    flat = ch.simulate(net, "15 ms", stimulus=stimulus, **OPTIONS)
    rows(monkeypatch, 8)
    run = ch.simulate(net, "15 ms", stimulus=stimulus, **OPTIONS)
    for name in RECORD:
        assert run[name].shape == flat[name].shape
        np.testing.assert_allclose(run[name], flat[name], rtol=0, atol=1e-8, err_msg=name)
    for name in ("a", "b", "some", "noise"):
        np.testing.assert_array_equal(run.spikes[name].neurons, flat.spikes[name].neurons)
        assert run.spikes[name].size == flat.spikes[name].size
    assert len(run.spikes["a"]) > N
    assert jax.tree.structure(run.final) == jax.tree.structure(flat.final)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=1e-8), run.final, flat.final)
    first = ch.simulate(net, "6 ms", stimulus=stimulus, **OPTIONS)
    second = ch.simulate(net, "9 ms", stimulus=stimulus, state=first.final, start="6 ms", **OPTIONS)
    for name in RECORD:
        np.testing.assert_array_equal(second[name][-1], run[name][-1], err_msg=name)


@pytest.mark.parametrize("size", [(N,), (50, 50), (64, 33)])
def test_a_population_in_rows_is_what_was_written(size, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last neuron fires, and those beyond it, which are as it is, are not counted."""
    cells = ch.cell("PointNeuron_Brette2007", size=size, V=ch.uniform("-65 mV", "-52 mV", seed=3))
    drive = np.linspace(0, 3, N if size != (64, 33) else 64 * 33).reshape(size)
    stimulus = ch.step((drive, "uA/cm^2")) + ch.noise("0 uA/cm^2", "1 uA/cm^2", key=2, size=size)
    found = []
    for threads in (1, 8):
        rows(monkeypatch, threads)
        found.append(ch.simulate(cells, "30 ms", dt="0.1 ms", stimulus=stimulus, record=["V", "INa.m"]))
    flat, run = found
    for name in ("V", "INa.m"):
        assert run[name].shape == (301, *size)
        np.testing.assert_allclose(run[name], flat[name], rtol=0, atol=1e-8)
    assert run.spikes.size == size and run.spikes.neurons.max() == drive.size - 1
    np.testing.assert_array_equal(run.spikes.neurons, flat.spikes.neurons)
    np.testing.assert_allclose(run.spikes.times, flat.spikes.times, rtol=0, atol=1e-8)


def test_rows_are_for_large_blocks_and_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(n: int) -> tuple[int, ...]:
        populations = {"a": ch.cell("PointNeuron_Brette2007", size=n)}
        return layout.layout_of(populations, {}, 0.1, recorded=set(), together=True).places["a"].whole

    rows(monkeypatch, 2)
    assert (whole(N), whole(N + 60), whole(N + 61), whole(500)) == ((40, 64), (40, 64), (41, 64), (500,))
    rows(monkeypatch, 1)
    assert whole(N) == (N,)


def test_a_fault_names_a_neuron_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows(monkeypatch, 8)
    g = np.full(N, 100.0)
    g[-1] = 1e30
    cells = ch.cell("PointNeuron_Brette2007", size=N).replace(**{"INa.g_max": (g, "mS/cm^2")})
    with pytest.raises(SimulationError, match=f"neuron {N - 1} became"):
        ch.simulate(cells, "2 ms", dt="0.1 ms", stimulus="5 uA/cm^2", solver="rk4")


@pytest.mark.parametrize("size", [(5, 4), (2, 3, 2), (1, 7)])
def test_a_sheet_runs_as_a_line(size) -> None:
    """XLA makes vectors along the last axis, which of a sheet is short: its neurons lie along one. They are told as they were written."""
    n = int(np.prod(size))
    V, drive, strong = np.linspace(-65, -52, n), np.linspace(0, 3, n), np.linspace(90, 110, n)

    def run(shape):
        cells = ch.cell("PointNeuron_Brette2007", size=shape, V=(V.reshape(shape), "mV"))
        cells = cells.replace(**{"INa.g_max": (strong.reshape(shape), "mS/cm^2")})
        stimulus = ch.step((drive.reshape(shape), "uA/cm^2")) + ch.noise("0 uA/cm^2", "1 uA/cm^2", key=2, size=shape)
        return ch.simulate(cells, "30 ms", dt="0.1 ms", stimulus=stimulus, record=["V", "INa.m", "spikes"]), cells

    sheet, cells = run(size)
    line, _ = run((n,))
    assert sheet["V"].shape == (301, *size) and sheet.final.V.shape == size and sheet.spikes.size == size
    for name in ("V", "INa.m"):
        np.testing.assert_array_equal(np.reshape(sheet[name], (301, n)), line[name])
    assert len(line.spikes) > 0
    np.testing.assert_array_equal(sheet.spikes.neurons, line.spikes.neurons)
    np.testing.assert_array_equal(sheet.spikes.times, line.spikes.times)
    on = ch.simulate(cells, "1 ms", dt="0.1 ms", state=sheet.final, start="30 ms")
    assert on["V"].shape == (11, *size)
    np.testing.assert_array_equal(on["V"][0], sheet["V"][-1])
