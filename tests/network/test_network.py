"""Networks as users put them together: groups, what is refused, change, continuation, seeds."""

import brainunit as u
import jax
import numpy as np
import pytest

import channelome as ch
from channelome.errors import ModelError, UnitError, UnknownName


def cells(n=100, **more):
    return ch.cell("PointNeuron_Brette2007", size=n, V=ch.normal("-65 mV", "5 mV", seed=1), **more)


def excitation(pre="cells", post="cells", **given):
    options = {"connect": ch.fixed_probability(0.2), "weight": "20 nS", "delay": "1 ms"} | given
    return ch.Projection(pre, post, ch.synapse("Expon", tau="5 ms"), **options)


def network(**more) -> ch.Network:
    return ch.Network(cells=cells(), E="cells[:80]", I="cells[80:]", exc=excitation("E"), **more)


STIMULUS = {"cells": "0.3 nA"}


def test_groups_have_their_spikes_numbered_from_zero():
    run = ch.simulate(network(some="cells[3:90:3]"), "30 ms", dt="0.1 ms", stimulus=STIMULUS)
    whole = run.spikes["cells"]
    assert len(whole) > 100
    assert len(run.spikes["E"]) + len(run.spikes["I"]) == len(whole)
    for name, members in (("E", range(80)), ("I", range(80, 100)), ("some", range(3, 90, 3))):
        assert run.spikes[name].size == (len(members),)
        for k, neuron in enumerate(members):
            assert np.array_equal(run.spikes[name].of(k), whole.of(neuron))


def test_records_of_parts_are_parts_of_the_record():
    record = ["cells.V", "cells[5:50:5].V", "I.INa.m", "cells[7].V", "exc.g"]
    run = ch.simulate(network(), "5 ms", dt="0.1 ms", stimulus=STIMULUS, record=record)
    assert np.array_equal(run["cells[5:50:5].V"], run["cells.V"][:, 5:50:5])
    assert np.array_equal(run["cells[7].V"][:, 0], run["cells.V"][:, 7])
    assert run["I.INa.m"].shape == (51, 20)
    assert run["exc.g"].shape == (51, 100)
    assert run.units["exc.g"] == "nS"


def test_every_keeps_every_kth_sample_and_all_spikes():
    kept = [ch.simulate(network(), "20 ms", dt="0.1 ms", stimulus=STIMULUS, record="cells.V", every=k) for k in (1, 4)]
    assert np.array_equal(kept[0]["cells.V"][::4], kept[1]["cells.V"])
    assert np.array_equal(kept[0].spikes["cells"].times, kept[1].spikes["cells"].times)


@pytest.mark.parametrize("solver", ["exp_euler", "staggered"])
@pytest.mark.parametrize("delay", ["0 ms", "1 ms", "own"])
def test_a_run_in_two_parts_is_the_run(delay, solver):
    """The default solver keeps gates half a step from V, so that a start costs it an error of second order."""
    own = ch.uniform("0 ms", "2 ms", seed=2)
    net = ch.Network(
        cells=cells(),
        noise=ch.Poisson(100, rate="200 Hz", seed=3),
        exc=excitation(delay=own if delay == "own" else delay, plasticity="TsodyksMarkram"),
        kick=excitation("noise", "cells", connect=ch.one_to_one()),
    )
    common = {"dt": "0.1 ms", "stimulus": STIMULUS, "record": ["cells.V", "exc.g"], "solver": solver}
    whole = ch.simulate(net, "30 ms", **common)
    first = ch.simulate(net, "12.3 ms", **common)
    second = ch.simulate(net, "17.7 ms", state=first.final, **common)
    for name in ("cells.V", "exc.g"):
        both = np.concatenate([first[name], second[name][1:]])
        if solver == "exp_euler":
            assert np.array_equal(both, whole[name]), name
        else:
            assert np.median(np.abs(both - whole[name])[-1]) < 0.05, name
    for name in ("cells", "noise"):
        assert len(first.spikes[name]) + len(second.spikes[name]) == len(whole.spikes[name])
    assert second.final.steps == whole.final.steps == 300


def test_populations_of_different_cells_are_coupled():
    net = ch.Network(
        thalamus=ch.cell("HTC_Li2017", size=3), cortex=cells(50),
        up=excitation("thalamus", "cortex", connect=ch.all_to_all(), weight="50 nS"),
        down=excitation("cortex", "thalamus", connect=ch.fixed_indegree(5), weight="0.01 mS/cm^2"),
    )  # fmt: skip
    run = ch.simulate(
        net, "60 ms", dt="0.05 ms", stimulus={"thalamus": "100 pA"}, record=["thalamus.V", "thalamus.ca.C_in"]
    )
    assert len(run.spikes["thalamus"])
    assert len(run.spikes["cortex"])
    assert run["thalamus.ca.C_in"].shape == (1201, 3)


def test_replace_reaches_every_part():
    net = network()
    for name, value in (("exc.weight", "5 nS"), ("exc.tau", "9 ms"), ("cells.INa.g_max", "90 mS/cm^2")):
        changed = net.replace(**{name: value})
        runs = [ch.simulate(x, "20 ms", dt="0.1 ms", stimulus=STIMULUS, record="cells.V") for x in (net, changed)]
        assert not np.array_equal(runs[0]["cells.V"], runs[1]["cells.V"]), name
    assert changed.projections["exc"].wiring is net.projections["exc"].wiring


def test_other_numbers_do_not_compile_again():
    net = network()
    ch.simulate(net, "3 ms", dt="0.1 ms", stimulus=STIMULUS)
    with jax.log_compiles(True), pytest.MonkeyPatch.context() as patch:
        compiled = []
        from jax._src import compiler

        own = compiler.backend_compile_and_load if hasattr(compiler, "backend_compile_and_load") else None
        if own is not None:
            patch.setattr(compiler, "backend_compile_and_load", lambda *a, **k: compiled.append(1) or own(*a, **k))
        ch.simulate(
            net.replace(**{"exc.weight": "7 nS", "cells.IK.g_max": "20 mS/cm^2"}),
            "3 ms",
            dt="0.1 ms",
            stimulus={"cells": "0.1 nA"},
        )
    assert compiled == []


def test_single_precision_has_the_same_spikes_at_first(float32):
    run = ch.simulate(network(), "10 ms", dt="0.1 ms", stimulus=STIMULUS, record=["cells.V", "exc.g"])
    assert run["cells.V"].dtype == np.float32
    assert run["exc.g"].dtype == np.float32
    assert len(run.spikes["cells"])


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"exc": excitation("nobody")}, "nobody"),
        ({"exc": excitation("cells[:20]", "cells[90:]", connect=ch.one_to_one())}, "they have 20 and 10 neurons"),
        ({"E": "cells[::"}, "cells"),
        ({"exc": excitation(weight="20 mV")}, "weight of the projection 'exc' must be a conductance or a current"),
        ({"exc": excitation(delay="-1 ms")}, "delay of the projection 'exc' must be at least 0 ms"),
        ({"exc": excitation(delay="1 mV")}, "delay of the projection 'exc'"),
        ({"exc": ch.Projection("cells", "cells", "Expo", ch.all_to_all(), weight="1 nS")}, "Expo"),
        ({"exc": excitation(initial="3 mS/cm^2")}, "initial of the projection 'exc'"),
        (
            {"exc": ch.Projection("cells", "cells", "GapJunction", ch.all_to_all(), weight="1 nS", delay="1 ms")},
            "takes no delay",
        ),
        ({"other": 3}, "other"),
    ],
)
def test_a_part_that_does_not_fit_is_named(parts, said):
    with pytest.raises((ModelError, UnitError, UnknownName), match=said):
        ch.Network(cells=cells(), **parts)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stimulus": "1 nA"}, "given by population: stimulus={'cells'"),
        ({"stimulus": {"X": "1 nA"}}, "no population of cells 'X'"),
        ({"record": "cells.W"}, "cannot record 'cells.W'"),
        ({"record": "exc.h"}, r"the projection 'exc' has exc\.g"),
        ({"record": "noise.V"}, "'noise' sends spikes only"),
        ({"dt": "0.3 ms"}, "delay of exc"),
        ({"devices": 64}, "devices=64, but JAX sees"),
    ],
)
def test_a_run_that_cannot_be_is_refused(options, said):
    net = network(noise=ch.Poisson(2, rate="1 Hz"))
    with pytest.raises((ModelError, UnitError, UnknownName), match=said):
        ch.simulate(net, "3 ms", **{"dt": "0.1 ms"} | options)


def test_a_run_that_becomes_infinite_says_where_and_when():
    net = network(loop=excitation("I", weight="1e30 mS/cm^2"))
    with pytest.raises(ch.SimulationError, match=r"cells\.\S+ of neuron \d+ became (NaN|infinite) at t = "):
        ch.simulate(net, "20 ms", dt="0.1 ms", stimulus={"cells": "1 nA"}, solver="rk4")


def test_a_population_and_a_network_print_what_they_are():
    text = repr(network())
    assert "cells: SingleCompartment 100" in text
    assert "x Expon(E=0 mV, tau=5 ms), weight 20 nS" in text


def test_units_of_weights_are_converted():
    g = [np.asarray(network().replace(**{"exc.weight": w}).projections["exc"].weight) for w in ("20 nS", 0.02 * u.uS)]
    assert g[0] == pytest.approx(g[1])


# ---- a state that is not this network's ------------------------------------------------------------------------------


def other(**changes):
    return ch.Network(**{"cells": cells(20), "p": excitation(delay="1 ms")} | changes)


@pytest.mark.parametrize(
    ("begun", "options", "said"),
    [
        (lambda: cells(20).initial_state(), {}, "`final` of one of its runs, not State"),
        (lambda: final(ch.Network(cells=cells(20))), {}, "its synapses are none, and this network's p"),
        (lambda: final(other(cells=cells(30))), {}, r"cells\.cells\..* has the shape \(30,\), not \(20,\)"),
        (lambda: final(other()), {"dt": "0.05 ms"}, "spikes under way in 'p' with other delays, another dt"),
    ],
)
def test_a_state_that_is_not_of_this_network_is_refused_by_name(begun, options, said):
    with pytest.raises(ModelError, match=said):
        ch.simulate(other(), "2 ms", **{"dt": "0.1 ms"} | options, state=begun())


def final(net):
    return ch.simulate(net, "2 ms", dt="0.1 ms", record=()).final


def test_a_state_continues_at_another_step_where_no_spikes_are_under_way():
    net = other(p=excitation(delay="0 ms"))
    assert ch.simulate(net, "2 ms", dt="0.05 ms", state=final(net)).t[-1] == pytest.approx(2.0)
