"""What arrives, and when, beside the sum over spikes and synapses written out; for each way of delivery."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.engine import delivery, prepare

DT, STEPS, TAU, PRE, POST = 0.1, 120, 5.0, 300, 70
COUNTS = {5: 1, 6: 0, 7: 64, 8: 65, 9: 300, 30: 33, 31: 2, 90: 300}
"""Sources that spike in some steps: none, one, many, all."""


def spikes() -> tuple[np.ndarray, np.ndarray]:
    """Steps at the end of which sources spike, and who."""
    rng = np.random.default_rng(0)
    who = [rng.choice(PRE, count, replace=False) for count in COUNTS.values()]
    return np.repeat(list(COUNTS), list(COUNTS.values())), np.concatenate(who)


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Synapses: five of each source, and one source with 500, so that it has several rows."""
    rng = np.random.default_rng(1)
    pre = np.concatenate([np.repeat(np.arange(PRE), 5), np.full(500, 17)])
    return pre, rng.integers(0, POST, pre.size)


WEIGHTS = np.random.default_rng(2).uniform(0.5, 1.5, arrays()[0].size)
DELAYS = np.random.default_rng(3).integers(0, 31, arrays()[0].size) * DT
CASES = {
    "one weight": {"weight": "1 nS"},
    "one delay": {"weight": "1 nS", "delay": "1.5 ms"},
    "weights": {"weight": WEIGHTS * u.nS},
    "weights, one delay": {"weight": WEIGHTS * u.nS, "delay": "0.3 ms"},
    "delays": {"weight": "1 nS", "delay": DELAYS * u.ms},
    "weights, delays": {"weight": WEIGHTS * u.nS, "delay": DELAYS * u.ms},
}


def network(case: str, **more) -> ch.Network:
    steps, who = spikes()
    return ch.Network(
        sources=ch.SpikeSource(PRE, times=steps * DT * u.ms, neurons=who),
        cells=ch.SingleCompartment(POST, IL="IL", area="1e6 um^2"),
        exc=ch.Projection(
            "sources", "cells", ch.synapse("Expon", tau=(TAU, "ms")), ch.from_arrays(*arrays()), **CASES[case]
        ),
        **more,
    )


def expected(case: str) -> np.ndarray:
    """Conductances over time, spike by spike and synapse by synapse."""
    pre, post = arrays()
    given = CASES[case]
    weights = WEIGHTS if not isinstance(given["weight"], str) else np.ones(pre.size)
    late = given.get("delay", 0 * u.ms)
    late = (
        np.full(pre.size, float(late.split()[0])) if isinstance(late, str) else np.broadcast_to(late / u.ms, pre.size)
    )
    g, k = np.zeros((STEPS + 1, POST)), np.arange(STEPS + 1)
    for step, source in zip(*spikes(), strict=True):
        for synapse in np.flatnonzero(pre == source):
            arrives = step + round(float(late[synapse]) / DT)
            after = k >= arrives
            g[after, post[synapse]] += weights[synapse] * np.exp(-(k[after] - arrives) * DT / TAU)
    return g


def simulated(net: ch.Network, way: str, monkeypatch, name: str = "exc.g", **options) -> np.ndarray:
    if way == "blocks":
        plan = prepare.Plan
        monkeypatch.setattr(prepare, "Plan", lambda *args, **more: plan(*args, **more)._replace(lanes=True))

    def run(net):
        return ch.simulate(net, (STEPS * DT, "ms"), dt=(DT, "ms"), record=name, **options)[name]

    return np.asarray(jax.jit(run)(net) if way == "product" else run(net))


@pytest.mark.parametrize("way", ["walk", "blocks", "product"])
@pytest.mark.parametrize("case", list(CASES))
def test_every_spike_arrives_once_at_its_time(case, way, monkeypatch):
    found = simulated(network(case), way, monkeypatch)
    assert expected(case).max() > 5
    assert np.allclose(found, expected(case), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case", ["one weight", "weights, delays"])
def test_chunks_do_not_show(case, monkeypatch):
    whole = simulated(network(case), "walk", monkeypatch)
    for length in (1, 7, 119, 500):
        assert np.array_equal(whole, simulated(network(case), "walk", monkeypatch, chunk=length))


@pytest.mark.parametrize("way", ["walk", "blocks", "product"])
def test_several_projections_of_a_pair_and_a_part_of_the_sources(way, monkeypatch):
    more = ch.Projection("sources[40:55]", "cells[10:20]", "Expon", ch.all_to_all(), weight="3 nS", delay="2 ms")
    net = network("one weight", more=more)
    steps, who = spikes()
    own = np.zeros(STEPS + 1)
    for step, source in zip(steps, who, strict=True):
        if 40 <= source < 55:
            after = np.arange(STEPS + 1) >= step + 20
            own[after] += 3 * np.exp(-(np.arange(STEPS + 1)[after] - step - 20) * DT / TAU)
    found = simulated(net, way, monkeypatch, "more.g")
    assert own.max() > 10
    assert np.allclose(found[:, 10:20], own[:, None], rtol=1e-11)
    assert not found[:, :10].any()
    assert not found[:, 20:].any()
    monkeypatch.undo()
    assert np.allclose(simulated(net, way, monkeypatch), expected("one weight"), rtol=1e-11, atol=1e-12)


def test_a_delay_that_is_no_whole_number_of_steps_is_refused(monkeypatch):
    net = network(
        "one weight", late=ch.Projection("sources", "cells", "Expon", ch.all_to_all(), weight="1 nS", delay="0.25 ms")
    )
    with pytest.raises(
        ch.ModelError, match=r"the delay of late, 0\.25 ms, is no whole number of steps of 0\.1 ms: take 0\.2 ms"
    ):
        simulated(net, "walk", monkeypatch)


def test_no_synapses_at_all_is_a_network_too(monkeypatch):
    with pytest.warns(UserWarning, match="'none' has no synapse"):
        net = network(
            "one weight", none=ch.Projection("sources", "cells", "Expon", ch.fixed_probability(0.0), weight="1 nS")
        )
    assert not simulated(net, "walk", monkeypatch, "none.g").any()


def test_a_spike_reaches_its_target_in_the_next_step_without_delay():
    """The target's V first differs at the sample after the one at which the source is seen to spike."""
    cells = ch.cell("PointNeuron_Brette2007", size=2)
    path = ch.Projection("cells[0]", "cells[1]", "Expon", ch.one_to_one(), weight="100 nS")
    stimulus = {"cells": np.array([0.5, 0.0]) * u.nA}
    run = ch.simulate(
        ch.Network(cells=cells, p=path), "20 ms", dt="0.1 ms", stimulus=stimulus, record=["cells.V", "p.g"]
    )
    alone = ch.simulate(ch.Network(cells=cells), "20 ms", dt="0.1 ms", stimulus=stimulus, record=["cells.V"])
    first = round(run.spikes["cells"].of(0)[0] / 0.1)
    g, V, V_alone = run["p.g"][:, 1], run["cells.V"][:, 1], alone["cells.V"][:, 1]
    assert np.flatnonzero(g)[0] == first
    assert np.flatnonzero(V_alone != V)[0] == first + 1


# ---- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "blocks"), [(1, 1), (31, 1), (33, 3), (1025, 1), (700, 3), (33_000, 1), (40_001, 2)])
@pytest.mark.parametrize("share", [0.0, 2e-4, 0.05, 1.0])
def test_set_bits_are_visited_once_in_order_and_unpacked(n, blocks, share):
    """Above 32^3 flags there are several tops; a block's last word may have bits that stand for no flag."""
    flags = np.random.default_rng(n).random((blocks, n)) < share
    words = jnp.concatenate([delivery.pack(jnp.asarray(x)) for x in flags])
    wanted = np.flatnonzero(flags)

    def visit(flag, carry):
        k, seen = carry
        return k + 1, seen.at[k].set(flag)

    start = (jnp.zeros((), jnp.int32), jnp.full(flags.size + 1, -1))
    count, seen = jax.jit(lambda w: delivery.for_each_set(w, visit, start, n if blocks > 1 else None))(words)
    assert count == wanted.size
    assert np.array_equal(seen[: wanted.size], wanted)
    assert np.all(seen[wanted.size :] == -1)
    rows, found = delivery.unpack(np.asarray(words)[None], n)
    assert np.array_equal(found, wanted) and not rows.any()
