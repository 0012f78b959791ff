"""Paths onto a population that deliver at once share a walk; nothing of it is seen but the time."""

from typing import Any

import jax
import numpy as np
import pytest
from network.test_merging import compilations

import channelome as ch
from channelome.engine import abreast

N = 300
OFTEN = ch.fixed_probability(0.1)
FAST, SLOW, INHIBITING = (
    ch.synapse("Expon", tau=tau, E=E) for tau, E in (("2 ms", "0 mV"), ("20 ms", "0 mV"), ("10 ms", "-80 mV"))
)


def network(**projections: ch.Projection) -> ch.Network:
    cell = ch.cell("PointNeuron_Brette2007", size=N, V=ch.uniform("-65 mV", "-52 mV"))
    return ch.Network(
        c=cell, other=cell.replace(C="1.5 uF/cm^2"), far=ch.cell("SquidAxon_HH1952", size=20, area="2e4 um^2"),
        E="c[:240]", I="c[240:]", noise=ch.Poisson(50, rate="300 Hz"), **projections,
    )  # fmt: skip


def projection(pre: str, post: str = "c", synapse: Any = FAST, rule: Any = OFTEN, **more: Any) -> ch.Projection:
    return ch.Projection(pre, post, synapse, rule, **{"weight": "4 nS", "initial": ch.uniform("0 nS", "30 nS")} | more)


NETWORKS: dict[str, tuple[tuple[str, ...], dict[str, ch.Projection]]] = {
    "excitation and inhibition": (("e+i",), {"e": projection("E"), "i": projection("I", synapse=INHIBITING)}),
    "two receptors of one source": (("e+s",), {"e": projection("E"), "s": projection("E", synapse=SLOW, rule=ch.fixed_indegree(3))}),
    "three kinds, one added to another": (
        ("e+i+s",), {
            "e": projection("E"), "more": projection("I", weight="4 nS"), "i": projection("I", synapse=INHIBITING), "s": projection("c", synapse=SLOW),
        },
    ),
    "counts beyond a byte": (("e+i",), {"e": projection("c", rule=ch.all_to_all()), "i": projection("I", synapse=INHIBITING)}),
    "sources of two populations": (
        ("e+s",), {
            "e": projection("c"), "e2": projection("other"), "s": projection("c", synapse=SLOW), "s2": projection("other", synapse=SLOW),
        },
    ),
    "from one population, onto two": (
        ("e+i", "a+b"), {
            "e": projection("c"), "i": projection("c", synapse=INHIBITING), "a": projection("c", "far"), "b": projection("c", "far", INHIBITING),
        },
    ),
    "only those at once and alike": (
        (), {
            "e": projection("E"), "late": projection("E", synapse=SLOW, delay="1 ms"),
            "own": projection("E", synapse=INHIBITING, weight=ch.uniform("1 nS", "4 nS")),
            "spread": projection("E", synapse=ch.synapse("Expon", tau="3 ms"), delay=ch.uniform("0.5 ms", "2 ms")),
            "tired": projection("E", synapse="DualExpon", plasticity="TsodyksMarkram"), "from": projection("noise", synapse=SLOW),
        },
    ),
}  # fmt: skip


def both(net: ch.Network, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[tuple[str, ...], Any, Any]:
    """By which names walks were shared, a run, and one whose paths have a walk each."""
    found: tuple[str, ...] = ()
    rows = abreast.rows_abreast

    def spied(layout: Any, shared: Any, dtype: Any) -> Any:
        nonlocal found
        found = (*found, shared.path.label)
        return rows(layout, shared, dtype)

    monkeypatch.setattr("channelome.engine.prepare.rows_abreast", spied)
    run = ch.simulate(net, "20 ms", dt="0.1 ms", **options)
    monkeypatch.setattr(abreast, "MOST", 0)
    shared, found = found, ()
    alone = ch.simulate(net, "20 ms", dt="0.1 ms", **options)
    assert found == ()
    return shared, run, alone


@pytest.mark.parametrize(("shared", "projections"), NETWORKS.values(), ids=NETWORKS)
def test_a_walk_that_is_shared_delivers_what_each_would(
    shared: tuple[str, ...], projections: dict[str, ch.Projection], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(**projections)
    names = ["c.V", "other.V", "far.V", *(f"{label}.g" for label in projections)]
    found, run, alone = both(net, monkeypatch, record=names)
    assert found == shared
    for name in names:
        np.testing.assert_allclose(run[name], alone[name], rtol=0, atol=1e-9, err_msg=name)
    np.testing.assert_array_equal(run.spikes["c"].neurons, alone.spikes["c"].neurons)
    assert len(run.spikes["c"]) > N // 2
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=1e-9), run.final, alone.final)


def test_a_run_that_goes_on_shares_them_too() -> None:
    net = network(e=projection("E"), i=projection("I", synapse=INHIBITING))
    whole = ch.simulate(net, "20 ms", dt="0.1 ms", record="c.V")
    first = ch.simulate(net, "8 ms", dt="0.1 ms", record="c.V")
    second = ch.simulate(net, "12 ms", dt="0.1 ms", record="c.V", state=first.final, start="8 ms")
    np.testing.assert_array_equal(second["c.V"], whole["c.V"][80:])


def test_other_weights_and_seeds_compile_nothing() -> None:
    to_many = ch.fixed_outdegree(30)
    net = network(e=projection("E", rule=to_many), i=projection("I", synapse=INHIBITING, rule=to_many))
    nets = [net.replace(seed=seed) for seed in (1, 2)]
    ch.simulate(nets[0], "5 ms", dt="0.1 ms")
    changed = nets[1].replace(**{"e.weight": "5 nS"})
    assert compilations(lambda: ch.simulate(changed, "5 ms", dt="0.1 ms")) == 0
