"""GABAb: the conductance is no linear function of the spikes, so every source is followed; against SciPy."""

import itertools

import brainunit as u
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.engine import prepare
from channelome.networks import rows

K1, K2, K3, K4, KD, T_MAX, T_DUR = 0.09, 0.0012, 0.18, 0.034, 100.0, 0.5, 0.3
DT, STEPS = 0.1, 2000


def conductance(spikes: list[float]) -> np.ndarray:
    """Of one synapse of weight 1 on the grid, by an integration from pulse to pulse."""
    pulses: list[list[float]] = []
    for time in spikes:
        if pulses and time <= pulses[-1][1] + 1e-9:
            pulses[-1][1] = time + T_DUR
        else:
            pulses.append([time, time + T_DUR])
    edges = sorted({0.0, DT * STEPS, *(edge for pulse in pulses for edge in pulse)})
    grid, out, y = np.arange(STEPS + 1) * DT, np.zeros(STEPS + 1), np.zeros(2)
    for begin, end in itertools.pairwise(edges):
        T = T_MAX * any(first - 1e-9 <= begin and end <= last + 1e-9 for first, last in pulses)
        here = (grid >= begin - 1e-9) & (grid <= end + 1e-9)
        found = solve_ivp(
            lambda _, y, T=T: [K1 * T * (1 - y[0]) - K2 * y[0], K3 * y[0] - K4 * y[1]], (begin, end), y,
            method="DOP853", rtol=1e-12, atol=1e-15, dense_output=True,
        )  # fmt: skip
        out[here] = found.sol(np.clip(grid[here], begin, end))[1]
        y = found.y[:, -1]
    return out**4 / (out**4 + KD)


def network(delay="0 ms") -> ch.Network:
    times, neurons = np.array([5, 5.2, 8, 11, 30.0, 30.0]) * u.ms, [0, 0, 0, 0, 0, 1]
    return ch.Network(
        sources=ch.SpikeSource(2, times=times, neurons=neurons),
        cells=ch.SingleCompartment(3, area="1000 um^2", IL="IL"),
        slow=ch.Projection("sources", "cells", "GABAb", connect=ch.all_to_all(), weight="2 nS", delay=delay),
    )


def expected() -> np.ndarray:
    return 2 * (conductance([5, 5.2, 8, 11, 30]) + conductance([30]))


def test_against_scipy():
    run = ch.simulate(network(), f"{DT * STEPS} ms", dt=f"{DT} ms", record="slow.g")
    g = np.asarray(run["slow.g"])
    assert expected().max() > 1e-4
    assert np.allclose(g, expected()[:, None], rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("delay", ["3 ms", "own"])
def test_delays_move_it_by_whole_steps(delay):
    given = ch.uniform("3 ms", "3.0001 ms", seed=1) if delay == "own" else delay
    run = ch.simulate(network(given), f"{DT * STEPS} ms", dt=f"{DT} ms", record="slow.g")
    g = np.asarray(run["slow.g"])
    assert not g[:30].any()
    assert np.allclose(g[30:], expected()[:-30, None], rtol=1e-9, atol=1e-18)


def test_the_conductance_between_steps_follows_its_slope():
    """Second order in dt: what a cell sees in the middle of its step is not what stood at its beginning."""
    net = network()

    def V(dt: float) -> np.ndarray:
        run = ch.simulate(net, "200 ms", dt=f"{dt} ms", every=round(1 / dt), record="cells.V")
        return np.asarray(run["cells.V"])

    exact = V(0.0125)
    assert np.abs(V(0.1) - exact).max() / np.abs(V(0.05) - exact).max() > 3.3


def test_initial_and_plasticity_are_refused():
    cells, source = ch.SingleCompartment(3, area="1000 um^2", IL="IL"), ch.Poisson(2, rate="10 Hz")

    def net(**given) -> ch.Network:
        return ch.Network(
            s=source, c=cells, slow=ch.Projection("s", "c", "GABAb", connect=ch.all_to_all(), weight="1 nS", **given)
        )

    with pytest.raises(ch.ModelError, match=r"'slow'.*GABAb.*no initial"):
        net(initial="1 nS")
    with pytest.raises(ch.ModelError, match=r"'slow'.*GABAb.*no plasticity"):
        net(plasticity="TsodyksMarkram")


@pytest.mark.parametrize("way", ["walk", "blocks"])
@pytest.mark.parametrize("weight", ["2 nS", "own"])
@pytest.mark.parametrize("delay", ["0 ms", "2 ms"])
def test_gathered_by_targets_it_is_what_it_is_by_sources(weight, delay, way, monkeypatch):
    """A few of 40 sources send from 5 ms on, which goes by sources; from 12 ms on most do, which is gathered. Some have no synapse, and a
    part of a population stands behind the first of its block."""
    if way == "blocks":
        plan = prepare.Plan
        monkeypatch.setattr(prepare, "Plan", lambda *args, **more: plan(*args, **more)._replace(lanes=True))
    first, n = 3, 40
    trains = [[5.0, 30.0]] * 6 + [[12.0]] * 30 + [[]] * 4
    rng = np.random.default_rng(2)
    pre, post = rng.integers(0, n - first - 2, 150), rng.integers(0, 7, 150)
    weights = rng.uniform(1, 3, 150) if weight == "own" else np.full(150, 2.0)
    net = ch.Network(
        seen=ch.SpikeSource(n, times=(trains, "ms")),
        cells=ch.SingleCompartment(9, area="1000 um^2", IL="IL"),
        slow=ch.Projection(
            f"seen[{first}:]", "cells[2:]", "GABAb", ch.from_arrays(pre, post),
            weight=weights * u.nS if weight == "own" else weight, delay=delay,
        ),
    )  # fmt: skip
    run = ch.simulate(net, "40 ms", dt=f"{DT} ms", record="slow.g")
    by_train = {tuple(train): conductance(train) for train in map(tuple, trains)}
    wanted = np.zeros((401, 9))
    for source, target, one in zip(pre, post, weights, strict=True):
        wanted[:, target + 2] += one * by_train[tuple(trains[source + first])][:401]
    late = round(float(delay.split()[0]) / DT)
    wanted = np.concatenate([np.zeros((late, 9)), wanted])[:401]
    assert wanted[110].max() > 0 and wanted.max() > 10 * wanted[110].max()
    assert np.allclose(run["slow.g"], wanted, rtol=1e-8, atol=1e-18)
    begun = ch.simulate(net, "15 ms", dt=f"{DT} ms")
    gone_on = ch.simulate(net, "25 ms", dt=f"{DT} ms", record="slow.g", state=begun.final, start="15 ms")
    assert np.array_equal(gone_on["slow.g"], run["slow.g"][150:])


def test_synapses_that_lie_too_unevenly_stay_by_sources():
    shape = rows.by_target(np.repeat([0, 1, 2], [3, 0, 2]), 4)
    assert shape is not None and shape.shape == (3, 4)
    assert shape.laid_out(np.array([4, 5, 6, 7, 8]), 9).T.tolist() == [[4, 5, 6], [9, 9, 9], [7, 8, 9], [9, 9, 9]]
    assert rows.by_target(np.zeros(500, int), 100) is None and rows.by_target(np.zeros(0, int), 3) is None
