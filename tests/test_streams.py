"""Everything random follows from a seed, a label and a role, and from nothing else; streams are independent."""

import itertools

import jax
import numpy as np
import pytest

import channelome as ch
from channelome.streams import Stream, from_floats, in_floats

N = 400


def network(seed: int = 0, **more) -> ch.Network:
    """Whatever can be random, none of it with a seed of its own."""
    cells = ch.cell(
        "PointNeuron_Brette2007", size=N, V=ch.normal("-65 mV", "5 mV"), **{"INa.g_max": ch.uniform("90 mS/cm^2", "110 mS/cm^2")}
    )  # fmt: skip
    parts = {
        "cells": cells,
        "others": cells,
        "noise": ch.Poisson(N, rate="20 Hz"),
        "more": ch.Poisson(N, rate="20 Hz"),
        "slow": ch.Poisson(N, rate="10 Hz"),
        "p": ch.Projection(
            "noise", "cells", "Expon", ch.one_to_one(), weight=ch.normal("6 nS", "1 nS"), delay=ch.uniform("1 ms", "2 ms"),
            initial=ch.lognormal("5 nS", "2 nS"),
        ),
        "q": ch.Projection("more", "cells", "Expon", ch.one_to_one(), weight=ch.normal("6 nS", "1 nS")),
        "r": ch.Projection("cells", "others", "Expon", ch.fixed_probability(0.05), weight="1 nS"),
    }  # fmt: skip
    return ch.Network(seed=seed, **(parts | more))


def all_drawn(net: ch.Network) -> dict[str, np.ndarray]:
    """Everything that was drawn when it was built, N numbers each."""
    p, q = net["p"], net["q"]
    return {
        "V": net["cells"].V, "other V": net["others"].V, "g": net["cells"].channels["INa"].g_max, "weight": p.weight,
        "delay": p.wiring.delay, "initial": p.initial, "q": q.weight, "outdegree": net["r"].wiring.edges.counts,
    }  # fmt: skip


def spikes(net: ch.Network, **options) -> dict[str, np.ndarray]:
    run = ch.simulate(net, "1000 ms", dt="1 ms", **options)
    found = {}
    for name in ("noise", "more", "slow"):
        found[name] = np.zeros((1001, N))
        np.add.at(found[name], (np.rint(run.spikes[name].times).astype(int), run.spikes[name].neurons), 1)
    return found


SOURCES = {name: ch.Poisson(N, rate=rate) for name, rate in (("noise", "20 Hz"), ("more", "20 Hz"), ("slow", "10 Hz"))}


def correlation(a, b) -> float:
    return abs(float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]))


def test_streams_of_one_network_are_independent():
    drawn = all_drawn(network())
    for (one, a), (two, b) in itertools.combinations(drawn.items(), 2):
        assert correlation(a, b) < 4.5 / np.sqrt(N), (one, two)


def test_sources_of_one_network_are_independent():
    """Two of 20 Hz were one train, and one of 10 Hz a part of it."""
    found = spikes(ch.Network(**SOURCES))
    for one, two in itertools.combinations(found, 2):
        assert correlation(found[one], found[two]) < 4.5 / np.sqrt(found[one].size)
        assert correlation(found[one].sum(axis=0), found[two].sum(axis=0)) < 4.5 / np.sqrt(N)


def test_another_seed_of_the_network_changes_all_of_it():
    one, two = network(seed=1), network(seed=99)
    for name, a in all_drawn(one).items():
        assert correlation(a, all_drawn(two)[name]) < 4.5 / np.sqrt(N), name
    found = [spikes(ch.Network(seed=seed, **SOURCES)) for seed in (1, 99)]
    for name in SOURCES:
        assert correlation(found[0][name], found[1][name]) < 4.5 / np.sqrt(found[0][name].size)


def test_replace_with_a_seed_is_the_network_of_that_seed():
    built, changed = network(seed=7), network(seed=3).replace(seed=7)
    for name, a in all_drawn(built).items():
        assert np.array_equal(a, all_drawn(changed)[name]), name
    assert np.array_equal(built["r"].edges.targets, changed["r"].edges.targets)
    assert built["noise"] == changed["noise"]
    kept = network(
        seed=3,
        **{"q": ch.Projection("more", "cells", "Expon", ch.one_to_one(), weight=ch.normal("6 nS", "1 nS"), seed=4)},
    )
    assert np.array_equal(kept["q"].weight, kept.replace(seed=7)["q"].weight)
    assert not np.array_equal(kept["p"].weight, kept.replace(seed=7)["p"].weight)


def test_what_was_changed_stays_when_another_seed_is_taken():
    net = network(
        **{"e": ch.Projection("cells", "cells", "Expon", ch.from_arrays([3, 1], [0, 1], weights=[2, 5]), weight="1 nS")}
    )
    changed = net.replace(**{"r.weight": "3 nS", "p.tau": "9 ms", "noise.rate": "7 Hz", "e.weight": "2 nS"}).replace(
        seed=7
    )
    assert (changed["r"].weight, changed["p"].synapse.tau, changed["noise"].rate) == (3.0, 9.0, 7.0)
    assert changed["e"].weight.tolist() == [10.0, 4.0]
    assert not np.array_equal(changed["r"].edges.targets[:200], net["r"].edges.targets[:200])


def test_a_source_may_have_a_seed_and_another_one():
    net = ch.Network(**SOURCES | {"noise": ch.Poisson(N, rate="20 Hz", seed=4)})
    assert (net["noise"].seed, net["more"].seed) == (4, None)
    assert net["noise"] == net.replace(seed=8)["noise"]
    found = [spikes(x)["noise"] for x in (net, net.replace(**{"noise.seed": 5}), net.replace(**{"noise.seed": 4}))]
    assert np.array_equal(found[0], found[2])
    assert correlation(found[0], found[1]) < 4.5 / np.sqrt(found[0].size)


def test_noise_without_a_key_follows_from_the_network_and_the_label():
    def current(seed, label="a", key=None):
        leaky = ch.SingleCompartment(50, IL=ch.channel("IL", g_max="0.1 mS/cm^2"))
        net = ch.Network(seed=seed, a=leaky, b=leaky)
        noise = ch.noise("0 uA/cm^2", "1 uA/cm^2", size=50, key=key)
        run = ch.simulate(net, "20 ms", dt="0.1 ms", stimulus={"a": noise, "b": noise}, record=[f"{label}.V"])
        return np.diff(run[f"{label}.V"], axis=0)

    assert np.array_equal(current(1), current(1))
    for other in (current(2), current(1, "b"), current(1, key=3)):
        assert correlation(current(1), other) < 4.5 / np.sqrt(current(1).size)
    assert np.array_equal(current(1, key=3), current(2, "b", key=3))


def test_single_precision_draws_the_same():
    options = {"rate": ch.step("3 kHz", start="4 ms", stop="9 ms")}
    net = ch.Network(
        **SOURCES,
        fast=ch.Poisson(20, rate="9 kHz"),
        varied=ch.Poisson(20, rate=(np.linspace(0, 3e3, 20), "Hz")),
        late=ch.Poisson(9, **options),
    )
    noise = ch.noise("0 uA/cm^2", "1 uA/cm^2", size=5)
    values, runs = [], []
    for x64 in (False, True):
        with jax.enable_x64(x64):
            runs.append(ch.simulate(net, "20 ms", dt="0.1 ms").spikes)
            values.append(np.asarray(noise.counted(0.1, np.float64 if x64 else np.float32).mean(7), np.float32))
    for name in net.populations:
        assert np.array_equal(runs[0][name].neurons, runs[1][name].neurons), name
    assert np.array_equal(*values)


def test_a_seed_given_to_two_parameters_gives_them_streams_of_their_own():
    """Weights and delays of one seed were the same numbers."""
    cells = ch.cell("PointNeuron_Brette2007", size=N)
    path = ch.Projection(
        "cells",
        "cells",
        "Expon",
        ch.one_to_one(),
        weight=ch.normal("6 nS", "1 nS", seed=1),
        delay=ch.normal("6 ms", "1 ms", seed=1),
    )
    for net in (ch.Network(cells=cells, p=path), ch.Network(seed=3, cells=cells, p=path)):
        assert correlation(net["p"].weight, net["p"].wiring.delay) < 4.5 / np.sqrt(N)
        assert np.array_equal(net["p"].weight, ch.Network(cells=cells, p=path)["p"].weight)


def test_a_cell_alone_has_streams_by_parameter():
    def cell():
        return ch.cell(
            "PointNeuron_Brette2007",
            size=N,
            V=ch.normal("-65 mV", "5 mV"),
            **{"INa.g_max": ch.normal("90 mS/cm^2", "1 mS/cm^2"), "IK.g_max": ch.normal("30 mS/cm^2", "1 mS/cm^2")},
        )

    values = [cell().V, cell().channels["INa"].g_max, cell().channels["IK"].g_max]
    assert np.array_equal(values[0], cell().V)
    assert all(correlation(a, b) < 4.5 / np.sqrt(N) for a, b in itertools.combinations(values, 2))


def test_a_number_of_64_bits_goes_through_floats():
    for number in (0, 1, 2**53 + 1, 2**64 - 1, Stream(5, "a", "b").number()):
        assert from_floats(in_floats(number)) == number


def test_another_seed_compiles_nothing():
    def net(seed, own):
        return ch.Network(
            seed=seed, cells=ch.cell("PointNeuron_Brette2007", size=200, V=ch.normal("-65 mV", "5 mV")), noise=ch.Poisson(20, rate="20 Hz"),
            given=ch.Poisson(20, rate="20 Hz", seed=own),
            p=ch.Projection("noise", "cells", "Expon", ch.fixed_outdegree(30), weight="6 nS"),
            r=ch.Projection("cells", "cells", "Expon", ch.fixed_outdegree(20), weight=ch.lognormal("1 nS", "1 nS")),
        )  # fmt: skip

    noise = ch.noise("0 nA", "0.1 nA")
    ch.simulate(net(1, 1), "3 ms", dt="0.1 ms", stimulus={"cells": noise})
    compiled: list[str] = []

    def listen(event: str, _: float, **__: object) -> None:
        compiled.extend([event] * ("backend_compile" in event))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        ch.simulate(net(2, 7), "3 ms", dt="0.1 ms", stimulus={"cells": noise})
        ch.simulate(net(1, 1).replace(**{"given.seed": 9}), "3 ms", dt="0.1 ms", stimulus={"cells": noise})
        assert compiled == []
        jax.jit(lambda x: x + 17)(1.0)
        assert compiled  # it hears
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_a_seed_in_jit_is_an_argument():
    run = jax.jit(lambda net: ch.simulate(net, "3 ms", dt="0.1 ms")["given.spikes"].sum())
    net = ch.Network(given=ch.Poisson(50, rate="2 kHz", seed=3))
    counts = {int(run(net.replace(**{"given.seed": seed}))) for seed in range(5)}
    assert len(counts) > 1
    assert run._cache_size() == 1  # pyright: ignore


@pytest.mark.parametrize("seed", [2.5, -1, "1", True, 2**64])
def test_what_is_no_seed_is_said(seed):
    for make in (
        lambda: ch.Network(seed=seed, a=ch.Poisson(1, rate="1 Hz")),
        lambda: ch.Poisson(1, rate="1 Hz", seed=seed),
        lambda: ch.normal("1 mV", "1 mV", seed=seed),
        lambda: ch.noise("1 nA", "1 nA", key=seed),
    ):
        with pytest.raises(ch.ModelError, match=r"the seed of .* must be a whole number from 0"):
            make()
