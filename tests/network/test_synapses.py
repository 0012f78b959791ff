"""Synapses of core beside closed forms and SciPy, and the order with which they enter the cell."""

import itertools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import channelome as ch
from channelome.engine.wires import summable

TIMES = np.array([2.0, 3.2, 11.0])
"""Of the spikes, in ms; each is a whole number of steps."""


def one(synapse, *, weight="2 nS", times=TIMES, **projection) -> ch.Network:
    """One source onto one passive cell: tau 10 ms, 1 nS leak."""
    return ch.Network(
        source=ch.SpikeSource(1, times=times * u.ms, neurons=np.zeros(len(times), int)),
        cell=ch.SingleCompartment(
            1, IL=ch.channel("IL", g_max="0.1 mS/cm^2", E="-60 mV"), area="1000 um^2", V="-60 mV"
        ),
        p=ch.Projection("source", "cell", synapse, ch.one_to_one(), weight=weight, **projection),
    )  # fmt: skip


def states(synapse, *names, duration="30 ms", **projection):
    run = ch.simulate(one(synapse, **projection), duration, dt="0.1 ms", record=[f"p.{name}" for name in names])
    return np.asarray(run.t), *(np.asarray(run[f"p.{name}"])[:, 0] for name in names)


def after(t, shape, times=TIMES):
    """The sum of `shape(time since the spike)` over spikes."""
    since = t[:, None] - np.asarray(times)
    return np.where(since > -1e-9, shape(np.maximum(since, 0)), 0).sum(axis=1)


def test_expon():
    t, g = states(ch.synapse("Expon", tau="5 ms"), "g")
    assert np.allclose(g, 2 * after(t, lambda s: np.exp(-s / 5)), rtol=1e-12)


@pytest.mark.parametrize(("rise", "decay"), [(1.0, 4.0), (0.3, 5.0), (2.5, 7.0), (3.0, 1.5), (2.0, 2.0 + 1e-7)])
def test_dual_expon_peaks_at_the_weight(rise, decay):
    t, g, rising = states(ch.synapse("DualExpon", tau_rise=(rise, "ms"), tau_decay=(decay, "ms")), "g", "rise")
    if abs(rise - decay) < 1e-6:  # what follows is a difference of what is nearly the same, here to 16 digits of 1e-7
        peak, tolerance = 2.0, 1e-6
        shape = after(t, lambda s: s / 2 * np.exp(1 - s / 2))
    else:
        peak, tolerance = np.log(decay / rise) * rise * decay / (decay - rise), 1e-11
        height = np.exp(-peak / decay) - np.exp(-peak / rise)
        shape = after(t, lambda s: (np.exp(-s / decay) - np.exp(-s / rise)) / height)
    assert np.allclose(g, 2 * shape, rtol=tolerance, atol=1e-13)
    assert np.allclose(rising, 2 * after(t, lambda s: np.exp(-s / rise)), rtol=1e-11)
    synapse = ch.synapse("DualExpon", tau_rise=(rise, "ms"), tau_decay=(decay, "ms"))
    start = {"rise": jnp.ones(1), "g": jnp.zeros(1)}
    assert float(synapse.flow(start, jnp.asarray(peak))["g"][0]) == pytest.approx(1.0, rel=1e-9)


def test_dual_expon_of_one_time_is_the_alpha_function_and_so_is_its_slope():
    """It was NaN, and dt was blamed."""
    start = {"rise": jnp.ones(1), "g": jnp.zeros(1)}

    def g(rise, decay=2.5):
        synapse = ch.synapse("DualExpon", tau_rise=(rise, "ms"), tau_decay=(decay, "ms"))
        return synapse.flow(start, jnp.asarray(1.7))["g"][0]

    assert float(g(2.5)) == pytest.approx(1.7 / 2.5 * np.exp(1 - 1.7 / 2.5), rel=1e-14)
    slope = float(jax.grad(g)(2.5))
    assert slope == pytest.approx(float(g(2.5 + 1e-4) - g(2.5 - 1e-4)) / 2e-4, rel=1e-6)
    _, alone = states(ch.synapse("DualExpon", tau_rise="2 ms", tau_decay="2 ms"), "g")
    assert np.allclose(alone, states(ch.synapse("Alpha", tau="2 ms"), "g")[1], rtol=1e-12)


def test_alpha_peaks_at_the_weight_after_tau():
    t, g = states(ch.synapse("Alpha", tau="2 ms"), "g")
    assert np.allclose(g, 2 * after(t, lambda s: s / 2 * np.exp(1 - s / 2)), rtol=1e-11, atol=1e-14)
    alone = after(t, lambda s: s / 2 * np.exp(1 - s / 2), [2.0])
    assert t[alone.argmax()] == pytest.approx(4.0)
    assert alone.max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "alpha", "beta"), [("AMPA", 1.1, 0.19), ("GABAa", 5.0, 0.18), ("NMDA", 0.072, 0.0066)]
)
def test_two_state_receptors_beside_scipy(name, alpha, beta):
    """``s' = alpha T (1 - s) - beta s``, T = 1 mM for 1 ms after a spike; a spike 0.5 ms into a pulse makes it longer."""
    times = np.array([2.0, 2.5, 8.0, 20.0])
    t, bound, unbound = states(ch.synapse(name), "bound", "unbound", times=times)
    pulses = [(2.0, 3.5), (8.0, 9.0), (20.0, 21.0)]
    edges = sorted({0.0, 30.0, *(x for pulse in pulses for x in pulse)})
    s, y = np.zeros_like(t), [0.0]
    for begin, end in itertools.pairwise(edges):
        T = float(any(a <= begin < b for a, b in pulses))
        found = solve_ivp(
            lambda _, y, T=T: alpha * T * (1 - y) - beta * y, (begin, end), y, rtol=1e-12, atol=1e-15, method="DOP853",
            dense_output=True,
        )  # fmt: skip
        here = (t >= begin - 1e-9) & (t <= end + 1e-9)
        s[here] = found.sol(np.clip(t[here], begin, end))[0]
        y = found.y[:, -1]
    assert s.max() > 0.05
    assert np.allclose(bound + unbound, 2 * s, rtol=1e-9, atol=1e-12)


def test_magnesium_blocks_nmda_below_and_not_above():
    """Jahr & Stevens: ``1 / (1 + Mg exp(-0.062 V) / 3.57)``."""
    V = np.array([-80.0, -40.0, 0.0, 40.0])
    for magnesium in (0.0, 1.0, 2.0):
        synapse = ch.synapse("NMDA", Mg=(magnesium, "mM"))
        share = synapse.conductance({"bound": np.full(4, 0.25), "unbound": np.full(4, 0.75)}, V)
        assert np.allclose(share, 1 / (1 + magnesium * np.exp(-0.062 * V) / 3.57), rtol=1e-14)


def test_depression_and_facilitation_beside_the_recurrence():
    """Tsodyks, Pawelzik & Markram: what each spike of a train sends."""
    times = np.array([1.0, 11.0, 21.0, 31.0, 61.0])
    plasticity = ch.plasticity("TsodyksMarkram", U=0.2, tau_rec="100 ms", tau_fac="50 ms")
    _, g = states(ch.synapse("Expon", tau="1e-3 ms"), "g", duration="70 ms", times=times, plasticity=plasticity)
    u_, x, sent, last = 0.0, 1.0, [], None
    for time in times:
        if last is not None:
            u_, x = u_ * np.exp(-(time - last) / 50), 1 - (1 - x) * np.exp(-(time - last) / 100)
        u_ += 0.2 * (1 - u_)
        sent.append(u_ * x)
        x, last = x - u_ * x, time
    assert sent[1] > sent[0]
    assert np.allclose(g[np.rint(times / 0.1).astype(int)], 2 * np.array(sent), rtol=1e-9)


# ---- what reaches the membrane -------------------------------------------------------------------------------------


def passive(t, conductance=None, current=None):
    """V of the passive cell beside SciPy: C = 10 pF, 1 nS leak at -60 mV; a conductance in nS at 0 mV, a current in pA."""
    V, y = np.full_like(t, -60.0), [-60.0]
    for begin, end in itertools.pairwise([0.0, *TIMES, t[-1]]):

        def slope(s, y):
            g = 0.0 if conductance is None else conductance(s)
            I = 0.0 if current is None else current(s)
            return (-(y + 60) - g * y + I) / 10

        found = solve_ivp(
            slope, (begin, end), y, rtol=1e-12, atol=1e-12, method="DOP853", dense_output=True, first_step=1e-4
        )
        here = (t > begin + 1e-9) & (t <= end + 1e-9)
        V[here] = found.sol(np.clip(t[here], begin, end))[0]
        y = found.y[:, -1]
    return V


def decaying(s):
    """Of the spikes before s (a spike counts from its time on), weight 2, tau 5 ms."""
    return float(2 * sum(np.exp(-(s - time) / 5) for time in TIMES if time <= s - 1e-12 or s == time))


def error(dt, weight="2 nS", reference=None, **projection):
    net = one(ch.synapse("Expon", tau="5 ms", E="0 mV"), weight=weight, **projection)
    run = ch.simulate(net, "30 ms", dt=(dt, "ms"), record="cell.V", every=round(0.2 / dt))
    t = np.asarray(run.t)
    return np.abs(np.asarray(run["cell.V"])[:, 0] - passive(t, **(reference or {"conductance": decaying}))).max()


def test_a_conductance_enters_the_cell_with_second_order():
    coarse, fine = error(0.1), error(0.05)
    assert coarse < 3e-3
    assert 3.6 < coarse / fine < 4.4


def test_frozen_is_first_order_as_elsewhere():
    coarse, fine = error(0.1, frozen=True), error(0.05, frozen=True)
    assert 1.8 < coarse / fine < 2.2
    assert coarse > 20 * error(0.1)


@pytest.mark.parametrize("weight", ["2 pA", "0.0002 uA/cm^2"])
def test_a_weight_in_amperes_is_a_current(weight):
    reference = {"current": decaying}
    coarse, fine = error(0.1, weight, reference), error(0.05, weight, reference)
    if "cm" in weight:  # 0.0002 uA/cm^2 of 1,000 um^2 are 2e-3 pA
        small = {"current": lambda s: 1e-3 * decaying(s)}
        coarse, fine = error(0.1, weight, small), error(0.05, weight, small)
    assert coarse < 1e-3
    assert 3.6 < coarse / fine < 4.4


def test_a_conductance_density_is_the_same_per_area():
    # 0.2 mS/cm^2 of 1,000 um^2 are 2 nS
    assert error(0.1, "0.2 mS/cm^2") == pytest.approx(error(0.1), rel=1e-6)


def test_an_absolute_weight_needs_an_area():
    net = ch.Network(
        source=ch.Poisson(1, rate="1 Hz"),
        cell=ch.SingleCompartment(1, IL="IL"),
        p=ch.Projection("source", "cell", "Expon", ch.one_to_one(), weight="2 mS/cm^2"),
    )
    assert ch.simulate(net, "1 ms", dt="0.1 ms").t.size == 11
    path = ch.Projection("source", "cell", "Expon", ch.one_to_one(), weight="2 nS")
    with pytest.raises(ch.ModelError, match="area"):
        ch.Network(source=net.populations["source"], cell=net.populations["cell"], p=path)


# ---- sources -------------------------------------------------------------------------------------------------------


def test_given_spikes_come_in_the_step_that_their_time_is_in():
    source = ch.SpikeSource(3, times=np.array([0.3, 0.25, 0.31, 0.9]) * u.ms, neurons=[0, 1, 2, 0])
    run = ch.simulate(ch.Network(source=source), "1 ms", dt="0.1 ms")
    assert run.spikes["source"].of(0) == pytest.approx([0.3, 0.9])
    assert run.spikes["source"].of(1) == pytest.approx([0.3])
    assert run.spikes["source"].of(2) == pytest.approx([0.4])


# ---- sums over long runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", ["0.37 nS", (np.linspace(0.013, 0.71, 60), "nS")])
@pytest.mark.parametrize("name", ["AMPA", "NMDA"])
def test_receptors_leave_nothing_over(float32, name, weight):
    """1,000 pulses of 60 sources, then silence: in float32 their sums kept up to 1e-4 of a weight for ever, or less than nothing."""
    rng = np.random.default_rng(1)
    times, who = rng.uniform(0, 300, 1000), rng.integers(0, 60, 1000)
    net = ch.Network(
        s=ch.SpikeSource(60, times=(times, "ms"), neurons=who), cell=ch.SingleCompartment(1, IL="IL", area="1e6 um^2"),
        p=ch.Projection("s", "cell", ch.synapse(name, beta="0.19 1/ms"), ch.all_to_all(), weight=weight),
    )  # fmt: skip
    run = ch.simulate(net, "500 ms", dt="0.1 ms", record=["p.active", "p.g"])
    assert run["p.active"].dtype == np.float32
    assert run["p.active"][3100:].tolist() == [[0.0]] * len(run["p.active"][3100:])
    assert run["p.active"].min() == 0
    assert np.abs(run["p.g"][-1]).max() < 1e-12
    weights = np.broadcast_to(weight[0] if isinstance(weight, tuple) else 0.37, 60)
    assert run["p.active"].max() <= weights.sum() * (1 + 1e-5)
    assert np.allclose(net["p"].weight, weights if isinstance(weight, tuple) else 0.37)


def test_the_grid_of_weights_is_far_below_a_weight(float32):
    """Weights of receptors are rounded so that sums are exact: by less than 2^-23 of what all synapses of a target weigh together."""
    weights = np.random.default_rng(2).lognormal(0, 1, 50)
    net = ch.Network(
        s=ch.SpikeSource(50, times="1 ms", neurons=[0]), cell=ch.SingleCompartment(1, IL="IL", area="1e6 um^2"),
        p=ch.Projection("s", "cell", "AMPA", ch.all_to_all(), weight=(weights, "nS")),
    )  # fmt: skip
    found = summable(net["p"])
    assert 0 < np.abs(found - weights).max() < weights.sum() * 2.0**-22
    assert all(float(np.float32(sum(found[:k]))) == sum(found[:k]) for k in range(50))
