"""Poisson sources and given spikes: as many as asked for, at every rate, and all of them delivered."""

import jax
import numpy as np
import pytest
from scipy import stats

import channelome as ch
from channelome.engine.delivery import several
from channelome.networks.counts import _inverse, poisson, threefry
from channelome.networks.sources import Poisson
from channelome.sampled import Sampled


def counts(source: Poisson, steps: int, dt: float = 0.1) -> np.ndarray:
    """How many spikes each source has in each step: (steps, sources)."""
    trains = ch.simulate(ch.Network(s=source), (steps * dt, "ms"), dt=(dt, "ms")).spikes["s"]
    found = np.zeros((steps, int(np.prod(source.size))), int)
    np.add.at(found, (np.rint(trains.times / dt).astype(int) - 1, trains.neurons), 1)
    return found


def drawn(mean, size: int, steps: int, key: int = 7) -> np.ndarray:
    one = jax.jit(lambda n: poisson((np.uint32(key), np.uint32(1)), n, np.asarray(mean, np.float32), size))
    return np.asarray(jax.lax.map(one, np.arange(steps, dtype=np.uint32)))


def test_the_words_are_those_of_threefry():
    """Known answers of Random123 (Salmon et al. 2011), 20 rounds."""
    zero, all_ones = np.zeros(1, np.uint32), np.full(1, 0xFFFFFFFF, np.uint32)
    assert [int(x[0]) for x in threefry((zero[0], zero[0]), zero, zero)] == [0x6B200159, 0x99BA4EFE]
    with np.errstate(over="ignore"):
        found = threefry((all_ones[0], all_ones[0]), all_ones, all_ones)
    assert [int(x[0]) for x in found] == [0x1CB996FC, 0xBB002BE7]


@pytest.mark.parametrize(
    ("mean", "size", "steps"),
    [(1e-3, 50, 4000), (0.05, 64, 1000), (0.3, 50, 400), (2.0, 50, 200), (31.0, 20, 200), (150.0, 20, 100)],
)
def test_numbers_are_poisson_distributed(mean, size, steps):
    """Together below 1/8 a step, each above, in parts above 32: a chi-square of their distribution, seeded."""
    found = drawn(mean, size, steps).ravel()
    low, high = stats.poisson.ppf([1e-3, 1 - 1e-3], mean).astype(int)
    edges = np.unique(np.linspace(low, high + 1, min(high - low + 2, 12)).astype(int))
    expected = np.diff(np.concatenate([[0], stats.poisson.cdf(edges - 1, mean), [1]])) * found.size
    got = np.histogram(found, np.concatenate([[-1], edges - 0.5, [10**6]]))[0]
    there = expected > 5
    assert got[~there].sum() <= expected[~there].sum() + 5 * np.sqrt(expected[~there].sum() + 1)
    assert stats.chi2.sf(np.sum((got - expected)[there] ** 2 / expected[there]), there.sum() - 1) > 1e-4
    assert abs(found.var() / mean - 1) < 5 * np.sqrt((2 + 1 / mean) / found.size)


def test_sources_of_other_rates_have_their_own():
    mean = np.array([0.0, 0.001, 0.02, 0.1] * 8)
    for factor in (1.0, 30.0):  # together, and each
        found = drawn(mean * factor, 32, 1500)
        total, expected = found.sum(axis=0), mean * factor * 1500
        assert np.all(np.abs(total - expected) < 5 * np.sqrt(expected) + 1e-9)
        between = np.corrcoef(found[:, 3::4].T)[np.triu_indices(8, 1)]
        assert np.all(np.abs(between) < 5 / np.sqrt(1500))


@pytest.mark.parametrize(("rate", "size", "steps"), [(1e3, 20, 4000), (2e4, 8, 2000), (0.01, 100_000, 200)])
def test_rates_are_delivered_in_single_precision(rate, size, steps):
    """1 kHz delivered 952 Hz and 20 kHz 8,670 at 0.1 ms; 0.01 Hz 5 % too many."""
    with jax.enable_x64(False):
        trains = ch.simulate(
            ch.Network(s=ch.Poisson(size, rate=(rate, "Hz"))), (steps * 0.1, "ms"), dt="0.1 ms"
        ).spikes["s"]
    expected = rate * 1e-4 * steps * size
    assert abs(len(trains) - expected) < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("mean", [1e-9, 1e-7, 1e-4, 0.1, 3.0, 30.0])
def test_chances_keep_their_digits(mean):
    """At 1e-5 Hz and 0.1 ms a step has a chance of 1e-9, less than the last digit of 1: what is inverted is that of more than k."""
    for k in {int(mean), int(mean + 2 * np.sqrt(mean))}:
        chance = stats.poisson.sf(k, mean)
        even = np.asarray([chance * (1 - 1e-4), chance * (1 + 1e-4)], np.float32)
        assert _inverse(even, np.float32(mean)).tolist() == [k + 1, k], k


def test_a_rate_may_change_in_time():
    steps = 2000
    rate = ch.step("2 kHz", start="100 ms", stop="150 ms") + ch.sine("100 Hz", period="200 ms", offset="50 Hz")
    found = counts(ch.Poisson(40, rate=rate), steps).sum(axis=1).reshape(20, 100).sum(axis=1)
    t = (np.arange(steps) + 0.5) * 0.1
    hertz = np.maximum(2000 * ((t > 100) & (t < 150)) + 50 + 100 * np.sin(2 * np.pi * t / 200), 0)
    expected = (hertz * 1e-4 * 40).reshape(20, 100).sum(axis=1)
    assert np.all(np.abs(found - expected) < 5 * np.sqrt(expected) + 1)
    assert found[expected == 0].sum() == 0


def test_a_rate_may_be_sampled_in_time_for_each_source_or_a_function():
    values = np.array([[0.0, 4000.0], [4000.0, 0.0], [0.0, 0.0]])
    found = (
        counts(ch.Poisson(2, rate=ch.samples((values, "Hz"), dt="10 ms", hold=True)), 300)
        .reshape(3, 100, 2)
        .sum(axis=1)
    )
    assert np.all((found > 0) == (values > 0))
    assert abs(found.sum() - 80) < 5 * np.sqrt(80)
    found = counts(ch.Poisson(50, rate=ch.function(lambda t: 100.0 * t, unit="Hz")), 200).sum(axis=1)
    for part, expected in (
        (found[:100], 250),
        (found[100:], 750),
    ):  # 50 sources with 500 and 1,500 Hz on the mean for 10 ms
        assert abs(part.sum() - expected) < 4.5 * np.sqrt(expected)


def test_several_spikes_in_a_step_are_delivered_as_weight():
    """A sum that never decays counts what arrived; recorded spikes say the same, with and without delays, merged and not."""
    forever = ch.synapse("Expon", tau="1e9 ms")
    parts = {
        "a": ch.Poisson(3, rate="20 kHz"),
        "b": ch.Poisson(40, rate="5 kHz"),
        "c": ch.SpikeSource(2, times=([[1.01, 1.02, 1.03, 2], [2.0, 2.0]], "ms")),
    }
    weights = {"a": 0.5, "b": 0.25, "c": 2.0}
    cell = ch.SingleCompartment(1, IL="IL", area="1e9 um^2")
    for delay in ("0 ms", "0.3 ms", ch.uniform("0 ms", "0.3 ms")):
        net = ch.Network(
            **parts, cell=cell,
            **{f"p{x}": ch.Projection(x, "cell", forever, ch.all_to_all(), weight=(w, "nS"), delay=delay) for x, w in weights.items()},
        )  # fmt: skip
        apart = ch.simulate(net, "5 ms", dt="0.1 ms", record=["pa.g", "pb.g", "pc.g"])
        for x, w in weights.items():
            sent = apart.spikes[x].times
            assert apart[f"p{x}.g"][-1, 0] <= w * len(sent)
            if not isinstance(delay, Sampled):
                arrived = np.sum(sent <= 5 - float(delay.split()[0]) + 1e-9)
                assert apart[f"p{x}.g"][-1, 0] == pytest.approx(w * arrived, rel=1e-6), (x, delay)
        merged = ch.simulate(net, "5 ms", dt="0.1 ms").final.synapses["pa+pb+pc"]["g"]
        assert float(merged[0]) == pytest.approx(sum(apart[f"p{x}.g"][-1, 0] for x in weights), rel=1e-9)
        traced = jax.jit(lambda net=net: ch.simulate(net, "5 ms", dt="0.1 ms", record=["pa.g", "pb.g", "pc.g"]))()
        for x in weights:
            assert np.allclose(traced[f"p{x}.g"], apart[f"p{x}.g"], rtol=1e-9)
            assert traced[f"{x}.spikes"].sum() == len(apart.spikes[x])
        first = ch.simulate(net, "2 ms", dt="0.1 ms")
        again = ch.simulate(net, "3 ms", dt="0.1 ms", state=first.final, start="2 ms").final.synapses["pa+pb+pc"]["g"]
        assert np.array_equal(again, merged)


def test_brunels_drive_is_one_source_for_each_neuron():
    """1,000 external inputs at 20 Hz each: mean and variance of the input are those of their sum."""
    sums = counts(ch.Poisson(60, rate="20 kHz"), 1000)
    assert abs(sums.mean() / 2 - 1) < 4.5 / np.sqrt(2 * sums.size)
    assert abs(sums.var() / 2 - 1) < 4.5 * np.sqrt(2.5 / sums.size)


@pytest.mark.parametrize("shape", [(50, 41), (3, 2), (5, 0), (0, 4)])
@pytest.mark.parametrize("mean", [0.002, 0.05, 3.0])
def test_recorded_numbers_come_back_one_by_one(shape, mean):
    numbers = np.random.default_rng(1).poisson(mean, shape).astype(np.uint16)
    rows, columns = several(numbers)
    found = np.zeros(shape, int)
    np.add.at(found, (rows, columns), 1)
    assert np.array_equal(found, numbers)
    assert np.all(np.diff(rows) >= 0)


def test_trains_may_be_given_one_for_each_source():
    run = ch.simulate(ch.Network(s=ch.SpikeSource(3, times=([[2.0, 0.5], [], [1.0]], "ms"))), "3 ms", dt="0.1 ms")
    assert run.spikes["s"].of(0) == pytest.approx([0.5, 2.0])
    assert len(run.spikes["s"].of(1)) == 0
    late = ch.simulate(ch.Network(s=ch.SpikeSource(1, times="12 ms", neurons=[0])), "5 ms", dt="0.1 ms", start="10 ms")
    assert late.spikes["s"].times == pytest.approx([12.0])


def test_noise_in_rates_and_commands_is_of_each_label_and_of_the_networks_seed():
    """It was one for all: sources of which each has a noisy rate rose and fell together, whatever the seed, as did clamps."""
    rate = ch.step("9 kHz") + ch.noise("0 Hz", "5 kHz", dt="1 ms")
    clamp = ch.voltage_clamp(ch.command("-65 mV") + ch.noise("0 mV", "5 mV", dt="1 ms"))
    cell = ch.SingleCompartment(1, IL="IL")
    net = ch.Network(a=cell, b=cell, p=ch.Poisson(30, rate=rate), q=ch.Poisson(30, rate=rate))
    counts, held = [], []
    for seed in (0, 1):
        run = ch.simulate(
            net.replace(seed=seed), "30 ms", dt="0.5 ms", stimulus={"a": clamp, "b": clamp}, record=["a.V", "b.V"]
        )
        counts += [np.histogram(run.spikes[name].times, 30, (0.1, 30.1))[0] for name in "pq"]
        held += [run["a.V"][1:, 0], run["b.V"][1:, 0]]
    for of in (counts, held):
        assert np.abs(np.corrcoef(of) - np.eye(4)).max() < 0.65


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ch.Poisson(3, rate=([1, 2], "Hz")), r"the rate of Poisson has the shape \(2,\), but its size is \(3,\)"),
        (lambda: ch.Poisson(3, rate="-1 Hz"), "at least 0 Hz"),
        (lambda: ch.Poisson(3, rate=ch.step("1 nA")), "is a frequency, such as '20 Hz', not a current in nA"),
        (lambda: ch.Poisson(0, rate="1 Hz"), "the size of Poisson must be a positive number"),
        (lambda: ch.Poisson(3, rate="1 Hz", seed=2.5), "the seed of Poisson must be a whole number from 0"),
        (lambda: ch.Poisson(3, rate="1 Hz").replace(sed=3), "no parameter 'sed'. It has rate and seed"),
        (lambda: ch.simulate(ch.Network(s=ch.Poisson(1, rate="1e9 Hz")), "1 ms", dt="0.1 ms"), "share it among several"),
        (lambda: ch.simulate(ch.Network(s=ch.Poisson(2, rate=ch.samples(([1, 2], "Hz"), dt="0.01 ms"))), "1 ms", dt="0.1 ms"), "finest detail of the rate"),
        (lambda: ch.SpikeSource(3, times=([[1.0], [2.0]], "ms")), "3 trains with a unit"),
        (lambda: ch.SpikeSource(3, times="1 ms"), "needs neurons="),
        (lambda: ch.SpikeSource((2, 2), times="1 ms", neurons=[0]), "must be one number"),
        (lambda: ch.simulate(ch.cell("PointNeuron_Brette2007"), "1 ms", dt="0.1 ms", stimulus=ch.step("1 Hz")), "for the rate of a source"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(make, said):
    with pytest.raises((ch.ModelError, ch.UnitError), match=said):
        make()


def test_sources_that_never_spike_are_silent():
    """It was a raw error about slices."""
    for given in ({"times": ([[], []], "ms")}, {"times": ([], "ms"), "neurons": []}):
        net = ch.Network(s=ch.SpikeSource(2, **given))
        assert len(ch.simulate(net, "1 ms", dt="0.1 ms").spikes["s"]) == 0
