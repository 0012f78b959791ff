"""Numbers and pictures of activity, against spike trains written by hand."""

import jax
import matplotlib as mpl
import neo
import numpy as np
import pytest

import channelome as ch
from channelome.errors import ModelError, UnknownName
from channelome.results.activity import Activity
from channelome.results.spikes import SpikeTrains

mpl.use("Agg")


def trains(spikes: dict[int, list[float]], n: int) -> SpikeTrains:
    pairs = sorted((time, neuron) for neuron, times in spikes.items() for time in times)
    times, neurons = (
        (np.array(column) for column in zip(*pairs, strict=True)) if pairs else (np.array([]), np.array([], int))
    )
    return SpikeTrains(times, neurons.astype(int), (n,))


SPIKES = {0: [10.0, 20.0, 30.0, 40.0], 1: [5.0, 15.0, 45.0], 3: [50.0]}
"""Neuron 0 regular, 1 with intervals of 10 and 30 ms, 2 silent, 3 once."""


@pytest.fixture
def activity() -> Activity:
    t = np.arange(101) * 1.0
    data = {"cells.V": np.outer(t, np.arange(4.0)), "exc.g": np.zeros((101, 4)), "cells[:1].INa.m": np.ones((101, 1))}
    units = {"cells.V": "mV", "exc.g": "mS/cm^2", "cells[:1].INa.m": "1"}
    whole = trains(SPIKES, 4)
    groups = {"cells": whole, "E": trains({0: SPIKES[0], 1: SPIKES[1]}, 2), "nobody": trains({}, 3)}
    return Activity(t, data, units, groups, provenance={"group E": "cells[:2]", "solver": "Staggered"})


def test_rates(activity):
    assert activity.rates("cells").tolist() == [40.0, 30.0, 0.0, 10.0]
    assert activity.rates("nobody").tolist() == [0.0, 0.0, 0.0]


def test_the_rate_over_time_counts_a_spike_at_an_edge_in_the_bin_that_ends_there(activity):
    middles, rate = activity.rate("cells", "10 ms")
    assert middles.tolist() == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]
    # ends of steps: 10.0 belongs to (0, 10]
    assert np.allclose(rate, np.array([2, 2, 1, 1, 2, 0, 0, 0, 0, 0]) * 1e3 / 10 / 4)
    assert rate.mean() == pytest.approx(activity.rates("cells").mean())


@pytest.mark.parametrize(("width", "middles"), [("60 ms", [30]), ("40 ms", [20, 60]), ("30 ms", [15, 45, 75])])
def test_bins_are_whole_and_a_steady_rate_is_steady(activity, width, middles):
    steady = Activity(activity.t, {}, {}, {"cells": trains({0: list(range(5, 100, 10))}, 1)})
    at, rate = steady.rate("cells", width)
    assert at.tolist() == middles
    assert np.allclose(rate, 100.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_run_of_whole_bins_has_them_all_in_either_precision(dtype):
    run = Activity((np.arange(1001) * 0.1).astype(dtype), {}, {}, {"cells": trains({0: [99.9]}, 1)})
    middles, rate = run.rate("cells", "0.1 ms")
    assert len(middles) == 1000
    assert rate[-2:].tolist() == [10_000, 0]


@pytest.mark.parametrize("width", ["0 ms", "101 ms"])
def test_bins_that_do_not_fit_are_refused(activity, width):
    with pytest.raises(ModelError, match="bins must be longer than 0 and no longer than the run, 100 ms"):
        activity.rate("cells", width)


def test_intervals_are_those_of_one_neuron_each(activity):
    assert sorted(activity.intervals("cells")) == [10, 10, 10, 10, 30]
    assert activity.intervals("nobody").size == 0


def test_cv(activity):
    regular, irregular, silent, once = activity.cv("cells")
    assert regular == pytest.approx(0, abs=1e-6)
    assert irregular == pytest.approx(np.std([10, 30]) / 20)
    assert np.isnan(silent)
    assert np.isnan(once)
    assert np.isnan(activity.cv("nobody")).all()


def test_a_group_that_is_not_there_is_named_with_those_that_are(activity):
    with pytest.raises(UnknownName, match="no spikes of 'I'; there are those of cells, E, nobody"):
        activity.rates("I")


def test_poisson_trains_have_the_rate_and_cv_of_poisson_trains():
    net = ch.Network(noise=ch.Poisson(400, rate="20 Hz"))
    run = ch.simulate(net, "5000 ms", dt="0.1 ms")
    expected = 400 * 20 * 5
    assert abs(len(run.spikes["noise"]) - expected) < 4 * np.sqrt(expected)
    assert np.nanmean(run.cv("noise")) == pytest.approx(1.0, abs=0.03)


# ---- pictures ------------------------------------------------------------------------------------------------------


def test_a_raster_stacks_groups(activity):
    (panel,) = activity.plot_raster("E", "nobody").axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["E\n2", "nobody\n3"]
    assert panel.get_ylim() == (-0.5, 4.5)
    assert panel.get_xlim() == (0, 100)
    assert panel.get_title(loc="left") == "7 spikes of 5 neurons"
    marks = panel.lines[0]
    assert sorted(marks.get_xdata()) == [5, 10, 15, 20, 30, 40, 45]


def test_groups_are_drawn_in_place_of_their_population(activity):
    (panel,) = activity.plot_raster().axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["E\n2", "nobody\n3"]


def test_curves_of_the_rate(activity):
    (panel,) = activity.plot_rate("cells", "E", width="10 ms").axes
    assert panel.lines[0].get_ydata().tolist() == activity.rate("cells", "10 ms")[1].tolist()
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["cells", "E"]
    assert panel.get_ylabel() == "rate (Hz)"


def test_histograms_count_everything(activity):
    (panel,) = activity.plot_intervals("cells", bins=4).axes
    values, edges, _ = panel.patches[0].get_data()
    assert values.tolist() == [4, 0, 0, 1]
    assert np.allclose(edges, 10 * 3 ** np.array([0, 0.25, 0.5, 0.75, 1]))
    (panel,) = activity.plot_cv("cells").axes
    assert panel.patches[0].get_data()[0].sum() == 2


def test_nothing_at_all_can_be_drawn(activity):
    for draw in (activity.plot_raster, activity.plot_rate, activity.plot_intervals, activity.plot_cv):
        assert draw("nobody").axes


def test_pictures_go_into_given_axes(activity):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(2)
    activity.plot_raster("cells", ax=axes[0])
    activity.plot_rate("cells", ax=axes[1])
    assert all(panel.lines for panel in axes)
    plt.close("all")


# ---- to Neo --------------------------------------------------------------------------------------------------------


def test_neo_has_every_neuron_and_record(activity):
    block = activity.to_neo()
    assert isinstance(block, neo.Block)
    assert block.annotations["solver"] == "Staggered"
    (segment,) = block.segments
    assert len(segment.spiketrains) == 4 + 2 + 3
    regular = next(one for one in segment.spiketrains if one.name == "cells[0]")
    assert regular.rescale("ms").magnitude.tolist() == SPIKES[0]
    assert regular.annotations == {"population": "cells", "neuron": 0}
    assert float(regular.t_stop.rescale("s")) == pytest.approx(0.1)
    V, g, m = segment.analogsignals
    assert (V.name, V.shape, V.dimensionality.string) == ("cells.V", (101, 4), "mV")
    assert float(V.sampling_period.rescale("ms")) == 1.0
    assert np.array_equal(V.magnitude, activity["cells.V"])
    assert float((1 * g.units).rescale("S/m**2")) == pytest.approx(10)
    assert m.dimensionality.string == "dimensionless"


def test_a_real_run_goes_to_neo_with_its_units():
    net = ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=3),
        noise=ch.Poisson(20, rate="200 Hz"),
        exc=ch.Projection("noise", "cells", ch.synapse("Expon", tau="5 ms"), ch.all_to_all(), weight="20 nS"),
    )
    run = ch.simulate(net, "50 ms", dt="0.1 ms", record=["cells.V", "exc.g", "cells[:2].INa.current"])
    (segment,) = run.to_neo().segments
    assert len(run.spikes["cells"])
    assert sum(len(one) for one in segment.spiketrains) == sum(len(one) for one in run.spikes.values())
    assert [signal.units.dimensionality.string for signal in segment.analogsignals] == ["mV", "nS", "uA/cm**2"]


def test_without_neo_the_way_to_it_is_said(activity, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "neo", None)
    with pytest.raises(ImportError, match=r'pip install "channelome\[neo\]"'):
        activity.to_neo()


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def net() -> ch.Network:
    """With everything that a last state can hold: delays for all and for each, plasticity, receptors followed at the source."""
    common = {"connect": ch.fixed_probability(0.3), "weight": "20 nS"}
    return ch.Network(
        noise=ch.Poisson(20, rate="300 Hz", seed=1),
        cells=ch.cell("PointNeuron_Brette2007", size=20),
        some="cells[:5]",
        plain=ch.Projection("noise", "cells", "Expon", delay="1 ms", **common),
        own=ch.Projection("noise", "cells", "Alpha", delay=ch.uniform("0 ms", "2 ms", seed=2), **common),
        plastic=ch.Projection("cells", "cells", "Expon", plasticity="TsodyksMarkram", **common),
        pulses=ch.Projection("cells", "some", "AMPA", **common),
    )


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_what_is_saved_is_loaded_back_equal_and_goes_on_as_before(net, suffix, tmp_path):
    common = {"dt": "0.1 ms", "record": ["cells.V", "some.INa.m", "plastic.g"], "solver": "exp_euler"}
    run = ch.simulate(net, "20 ms", **common)
    assert len(run.spikes["cells"]) > 10
    run.save(tmp_path / f"run{suffix}")
    again = ch.Activity.load(tmp_path / f"run{suffix}")
    same = jax.tree.map(lambda x, y: x.dtype == y.dtype and np.array_equal(x, y), run, again)
    assert jax.tree.all(same)  # also that trees, units and provenance are equal
    assert run.spikes.keys() == again.spikes.keys()
    for name, trains in run.spikes.items():
        assert trains.size == again.spikes[name].size
        assert np.array_equal(trains.times, again.spikes[name].times)
        assert np.array_equal(trains.neurons, again.spikes[name].neurons)
    on, on_again = (ch.simulate(net, "10 ms", state=x.final, **common) for x in (run, again))
    assert np.array_equal(on["cells.V"], on_again["cells.V"])


def test_a_networks_file_is_no_traces_and_the_other_way_round(net, tmp_path):
    ch.simulate(net, "1 ms", dt="0.1 ms").save(tmp_path / "network.npz")
    with pytest.raises(ModelError, match=r"channelome\.Activity\.load"):
        ch.Traces.load(tmp_path / "network.npz")
    ch.simulate(net.populations["cells"], "1 ms", dt="0.1 ms").save(tmp_path / "cell.npz")
    with pytest.raises(ModelError, match=r"channelome\.Traces\.load"):
        ch.Activity.load(tmp_path / "cell.npz")


@pytest.mark.parametrize("lost", ["spikes/cells/times", "final/cells/cells/V", "final/rings/plain", "final/steps"])
def test_a_damaged_file_is_refused_and_what_it_lacks_named(net, lost, tmp_path):
    path = tmp_path / "run.npz"
    ch.simulate(net, "1 ms", dt="0.1 ms").save(path)
    with np.load(path) as file:
        np.savez(path, **{name: file[name] for name in file.files if name != lost})
    with pytest.raises(ModelError, match=f"run.npz cannot be read as activity: it lacks '{lost}'"):
        ch.Activity.load(path)
