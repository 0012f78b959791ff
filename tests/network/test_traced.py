"""Under ``jit`` and ``vmap`` a network goes from spike to spike; differentiated, over all synapses. Same values."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import some_of

import channelome as ch
from channelome.engine import traced


def net(n=60, synapse="Expon", p=0.2, **projection) -> ch.Network:
    given = {"weight": "3 nS", "delay": "1.5 ms"} | projection
    cells = ch.cell("PointNeuron_Brette2007", size=n, V=ch.uniform("-65 mV", "-52 mV", seed=5))
    return ch.Network(
        cells=cells, exc=ch.Projection("cells", "cells", ch.synapse(synapse), ch.fixed_probability(p), **given)
    )


def out(network, scale=1.0, duration="30 ms"):
    weight = network.projections["exc"].weight
    network = network.replace(**{"exc.weight": weight * scale * u.nS})
    run = ch.simulate(network, duration, dt="0.1 ms", record="cells.V", stimulus={"cells": ch.step("0.3 nA")}, every=5)
    counts = jnp.sum(run["cells.spikes"], axis=0) if "cells.spikes" in run.data else run.spikes["cells"].counts
    return run["cells.V"], counts


CASES = {
    "one delay": {},
    "no delay": {"delay": "0 ms"},
    "own delays": {"delay": ch.uniform("0.4 ms", "3 ms", seed=8)},
    "own weights": {"weight": ch.uniform("1 nS", "5 nS", seed=9)},
    "own of both": {"weight": ch.uniform("1 nS", "5 nS", seed=9), "delay": ch.uniform("0.4 ms", "3 ms", seed=8)},
    "an array at each state": {"synapse": "AMPA"},
    "what a source sends changes": {"plasticity": "TsodyksMarkram"},
    "rows of several lengths": {"p": 0.03},
}


@pytest.mark.parametrize("case", some_of(CASES, "one delay", "own of both", "what a source sends changes"))
def test_values_are_those_of_a_run_and_derivatives_those_of_all_synapses(case, monkeypatch):
    network = net(**CASES[case])
    alone = ch.simulate(network, "30 ms", dt="0.1 ms", record="cells.V", stimulus={"cells": ch.step("0.3 nA")}, every=5)
    V, spikes = jax.jit(lambda scale: out(network, scale))(1.0)
    assert len(alone.spikes["cells"]) > 60
    np.testing.assert_allclose(V, alone["cells.V"], atol=1e-9)
    assert np.sum(spikes) == len(alone.spikes["cells"])

    def mean(scale):
        return jnp.mean(out(network, scale, "6 ms")[0] ** 2)

    here = jax.value_and_grad(mean)(1.0)
    monkeypatch.setattr(traced, "_either", lambda by_spikes, over_all, numbers, together: over_all(*numbers))
    np.testing.assert_allclose(here, jax.value_and_grad(mean)(1.0), rtol=1e-9)


def test_nothing_is_as_long_as_the_synapses_unless_a_derivative_is_asked_for():
    network = net(n=300)
    n_synapses = network.projections["exc"].wiring.edges.n

    def program(f):
        return jax.jit(f).lower(1.0).as_text()

    def loss(scale):
        return jnp.sum(out(network, scale, "5 ms")[0])

    assert f"<{n_synapses}xf64>" not in program(loss)
    assert f"<{n_synapses}xf64>" in program(jax.grad(loss))


@pytest.mark.parametrize("few", some_of([True, False], True))
def test_a_batch_is_each_alone(few, monkeypatch):
    network = net(weight=ch.uniform("1 nS", "5 nS", seed=9))
    monkeypatch.setattr(traced, "FEW_SYNAPSES", 10**9 if few else 0)
    scales = jnp.asarray([0.5, 1.0, 2.0])
    V, spikes = jax.vmap(lambda scale: out(network, scale))(scales)
    inside = jax.jit(jax.vmap(lambda scale: out(network, scale)[0]))(scales)
    pairs = jax.vmap(lambda a: jax.vmap(lambda b: out(network, a * b, "5 ms")[1])(scales))(scales)
    for k, scale in enumerate(scales):
        alone = out(network, float(scale))
        np.testing.assert_allclose(V[k], alone[0], atol=1e-9)
        np.testing.assert_allclose(inside[k], alone[0], atol=1e-9)
        np.testing.assert_array_equal(spikes[k], alone[1])
        np.testing.assert_array_equal(pairs[1, k], jax.jit(lambda s: out(network, s, "5 ms")[1])(scale))


def test_a_traced_state_goes_on():
    network = net()

    @jax.jit
    def halves(scale):
        changed = network.replace(**{"exc.weight": 3.0 * scale * u.nS})
        first = ch.simulate(changed, "10 ms", dt="0.1 ms", record="cells.V", stimulus={"cells": ch.step("0.3 nA")})
        second = ch.simulate(
            changed, "10 ms", dt="0.1 ms", record="cells.V", state=first.final, start="10 ms",
            stimulus={"cells": ch.step("0.3 nA")},
        )  # fmt: skip
        return second["cells.V"]

    whole = ch.simulate(network, "20 ms", dt="0.1 ms", record="cells.V", stimulus={"cells": ch.step("0.3 nA")})
    np.testing.assert_allclose(halves(1.0), whole["cells.V"][100:], atol=1e-9)
