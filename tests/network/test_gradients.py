"""Derivatives of what a network does, beside finite differences."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import channelome as ch
from channelome.engine.spike import BLUR


def feedforward(n=40, **projection) -> ch.Network:
    """60 Poisson sources onto `n` cells, of which none spikes with the default weight."""
    given = {"weight": "0.1 nS", "delay": "0.5 ms"} | projection
    cells = ch.cell("PointNeuron_Brette2007", size=n, V=ch.normal("-70 mV", "3 mV", seed=1))
    return ch.Network(
        noise=ch.Poisson(60, rate="100 Hz", seed=3),
        cells=cells.replace(**{"IL.E": "-70 mV"}),
        exc=ch.Projection("noise", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.fixed_indegree(20), **given),
    )


def mean_voltage(net: ch.Network, weight, field="exc.weight", unit=u.nS):
    run = ch.simulate(net.replace(**{field: weight * unit}), "15 ms", dt="0.1 ms", record="cells.V")
    return jnp.mean(run["cells.V"][-1])


@pytest.mark.parametrize(
    ("field", "unit", "at"),
    [("exc.weight", u.nS, 0.1), ("exc.tau", u.ms, 5.0), ("cells.IL.g_max", u.mS / u.cm**2, 0.05)],
)
def test_below_threshold_a_gradient_is_that_of_finite_differences(field, unit, at):
    net = feedforward()
    slope = jax.grad(lambda x: mean_voltage(net, x, field, unit))(at)
    h = 1e-4 * at
    both = [float(mean_voltage(net, at + sign * h, field, unit)) for sign in (1, -1)]
    assert abs(slope) > 1e-3
    assert float(slope) == pytest.approx((both[0] - both[1]) / (2 * h), rel=1e-5)


def test_of_each_synapse_the_gradient_is_its_own():
    net = feedforward(weight=ch.uniform("0.05 nS", "0.15 nS", seed=2))
    weights = np.asarray(net.projections["exc"].weight)
    slopes = np.asarray(jax.grad(lambda w: mean_voltage(net, w))(weights))
    assert slopes.shape == weights.shape
    assert np.all(slopes >= 0)
    for synapse in np.argsort(slopes)[[-1, -100, 400]]:
        h = np.zeros_like(weights)
        h[synapse] = 1e-4
        both = [float(mean_voltage(net, weights + sign * h)) for sign in (1, -1)]
        assert slopes[synapse] == pytest.approx((both[0] - both[1]) / 2e-4, rel=1e-4, abs=1e-9)


def test_segments_change_memory_and_not_the_gradient():
    net = feedforward()

    def loss(w, segment):
        run = ch.simulate(
            net.replace(**{"exc.weight": w * u.nS}), "15 ms", dt="0.1 ms", record="cells.V", segment=segment
        )
        return jnp.mean(run["cells.V"][-1])

    whole = float(jax.grad(loss)(0.1, 150))
    assert float(jax.grad(loss)(0.1, 10)) == pytest.approx(whole, rel=1e-12)


def test_a_rate_has_a_gradient_of_the_sign_and_size_of_its_smoothed_difference():
    """The number of spikes is a staircase: its slope is taken over a range of weights in which many steps lie.

    A neuron either spikes or not, so few of them are near enough to either to have a slope: it is of the right size, not exact.
    """
    net, duration = feedforward(n=300, weight="8 nS"), "50 ms"

    def count(w):
        return len(ch.simulate(net.replace(**{"exc.weight": w * u.nS}), duration, dt="0.1 ms").spikes["cells"])

    def total(w):
        return jnp.sum(
            ch.simulate(net.replace(**{"exc.weight": w * u.nS}), duration, dt="0.1 ms", record=())["cells.spikes"]
        )

    value, slope = jax.jvp(total, (8.0,), (1.0,))
    assert int(value) == count(8.0) > 1000
    around = np.linspace(-2, 2, 9)
    smoothed = np.polyfit(around, [count(8.0 + x) for x in around], 1)[0]
    assert smoothed > 50
    assert 0.3 < float(slope) / smoothed < 2


def test_a_rate_has_exactly_the_gradient_of_its_smoothed_count():
    """The count over normally distributed thresholds, by finite differences: what the surrogate stands for."""
    net = feedforward(weight="8 nS")

    def run(w):
        return ch.simulate(net.replace(**{"exc.weight": w * u.nS}), "50 ms", dt="0.1 ms", record="cells.V")

    def smoothed(w):
        F = norm.cdf(np.asarray(run(w)["cells.V"]), -20.0, BLUR)
        return np.sum(np.maximum(np.diff(F, axis=0), 0))

    derivative = jax.jit(jax.jacfwd(lambda w: jnp.sum(run(w)["cells.spikes"])))
    for at in (2.0, 8.0):
        slope, h = derivative(at), 1e-7 * at
        assert abs(float(slope)) > 0.1
        assert float(slope) == pytest.approx((smoothed(at + h) - smoothed(at - h)) / (2 * h), rel=1e-4)


def test_inhibition_lowers_the_rate():
    given = {"connect": ch.fixed_indegree(20), "weight": "8 nS"}
    both = ch.Network(
        noise=ch.Poisson(60, rate="100 Hz", seed=3),
        cells=ch.cell("PointNeuron_Brette2007", size=100, V=ch.normal("-70 mV", "3 mV", seed=1)),
        exc=ch.Projection("noise", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), **given),
        inh=ch.Projection("noise", "cells", ch.synapse("Expon", tau="10 ms", E="-80 mV"), **given),
    )

    def total(w):
        return jnp.sum(
            ch.simulate(both.replace(**{"inh.weight": w * u.nS}), "50 ms", dt="0.1 ms", record=())["cells.spikes"]
        )

    _, slope = jax.jvp(total, (8.0,), (1.0,))
    assert float(slope) < 0


def test_a_gradient_goes_through_spikes_to_what_comes_before_them():
    """Through two synapses in a row: the first one's weight moves the second target."""
    cells = ch.cell("PointNeuron_Brette2007", size=3)
    one, two = (
        ch.Projection(
            f"cells[{k}]", f"cells[{k + 1}]", ch.synapse("Expon", tau="5 ms"), ch.one_to_one(), weight="60 nS"
        )
        for k in (0, 1)
    )
    net = ch.Network(cells=cells, one=one, two=two)
    stimulus = {"cells": np.array([0.4, 0, 0]) * u.nA}

    def last(w):
        run = ch.simulate(
            net.replace(**{"one.weight": w * u.nS}), "30 ms", dt="0.1 ms", stimulus=stimulus, record="cells.V"
        )
        return jnp.mean(run["cells.V"][:, 2])

    slope = float(jax.grad(last)(60.0))
    assert np.isfinite(slope)
    assert slope != 0


def test_vmap_over_weights_is_each_alone():
    net, weights = feedforward(), np.array([0.5, 1.0, 2.0])
    together = jax.vmap(lambda w: mean_voltage(net, w))(weights)
    assert np.allclose(together, [mean_voltage(net, w) for w in weights], rtol=1e-12)
