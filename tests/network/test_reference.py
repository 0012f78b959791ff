"""A network of 400 neurons, spike by spike, beside one that was written without channelome."""

import cobahh_numpy
import numpy as np

import channelome as ch


def network() -> ch.Network:
    return ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=400, V=ch.normal("-65 mV", "5 mV", seed=1)),
        E="cells[:320]",
        I="cells[320:]",
        exc=ch.Projection(
            "E", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.fixed_probability(0.2),
            weight="6 nS", initial=ch.normal("40 nS", "15 nS", seed=2),
        ),
        inh=ch.Projection(
            "I", "cells", ch.synapse("Expon", tau="10 ms", E="-80 mV"), ch.fixed_probability(0.2),
            weight="67 nS", initial=ch.normal("200 nS", "120 nS", seed=3),
        ),
    )  # fmt: skip


def test_spike_trains_equal_those_of_an_independent_program():
    net, dt, steps = network(), 0.1, 500
    run = ch.simulate(net, "50 ms", dt="0.1 ms", solver="exp_euler", record=["cells.V"])
    wiring = {label: path.wiring for label, path in net.projections.items()}
    given = (
        np.asarray(net.populations["cells"].V, float),
        {label: np.asarray(path.initial, float) for label, path in net.projections.items()},
        {label: w.edges.sources + w.pre_first for label, w in wiring.items()},
        {label: w.edges.targets for label, w in wiring.items()},
        {"exc": 6.0, "inh": 67.0},
        dt,
    )
    spikes, V = cobahh_numpy.run(*given, steps)
    trains = run.spikes["cells"]
    ours = sorted(zip((np.rint(trains.times / dt).astype(int) - 1).tolist(), trains.neurons.tolist(), strict=True))
    assert len(spikes) > 200
    assert ours == sorted(spikes)
    # rounding grows as spikes begin: 3e-11 mV after 10 ms, up to 1e-9 at any one time after 50
    assert np.abs(np.asarray(run["cells.V"])[100] - cobahh_numpy.run(*given, 100)[1]).max() < 1e-9
    assert np.abs(np.asarray(run["cells.V"])[-1] - V).max() < 1e-8
