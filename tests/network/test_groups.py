"""Groups by lists and unions; what is recorded of a projection and of a part; stimuli to groups; what is refused."""

import jax
import numpy as np
import pytest

import channelome as ch

P = ch.Projection


def cells(n=20, **more):
    return ch.cell("PointNeuron_Brette2007", size=n, **more)


def net(**more) -> ch.Network:
    parts = {
        "c": cells(V=ch.normal("-65 mV", "3 mV")),
        "d": cells(6),
        "s": ch.SpikeSource(3, times=([[1.0, 4.0], [1.0], [2.5]], "ms")),
    }
    return ch.Network(**(parts | more))


def test_groups_are_lists_unions_and_arrays():
    made = net(A="c[3, 5, 8]", B="c[:2] + c[10:12] + c[-1]", C=("c", np.array([8, 3])), D="A + B[1:]", E="c[1::2]")
    wanted = {
        "A": [3, 5, 8],
        "B": [0, 1, 10, 11, 19],
        "C": [3, 8],
        "D": [1, 3, 5, 8, 10, 11, 19],
        "E": list(range(1, 20, 2)),
    }
    for name, index in wanted.items():
        assert made.indices(name) == ("c", pytest.approx(index))
    run = ch.simulate(
        made,
        "20 ms",
        dt="0.1 ms",
        stimulus={"c": "0.4 nA"},
        record=["c.V", *(f"{name}.V" for name in wanted), "c[7, 2].V"],
    )
    for name, index in wanted.items():
        assert np.array_equal(run[f"{name}.V"], run["c.V"][:, index])
        assert run.spikes[name].size == (len(index),)
        assert len(run.spikes[name])
        for k, neuron in enumerate(index):
            assert np.array_equal(run.spikes[name].of(k), run.spikes["c"].of(neuron))
    assert np.array_equal(run["c[7, 2].V"], run["c.V"][:, [2, 7]])
    joined = ch.Network(
        **dict(made.populations), A="c[3, 5, 8]", p=P("A", "d", "Expon", ch.all_to_all(), weight="1 nS")
    )
    assert set(joined["p"].edges.sources.tolist()) == {3, 5, 8}


def test_a_group_may_be_stimulated():
    one = net(A="c[3, 5]", B="c[2::4]")
    amounts = np.zeros(20)
    amounts[[3, 5]] += 0.3
    amounts[2::4] += np.linspace(0.1, 0.5, 5)
    amounts += 0.02
    given = {
        "A": ch.step("0.3 nA", start="0.33 ms"),
        "B": (np.linspace(0.1, 0.5, 5), "nA"),
        "c": "0.02 nA",
        "c[3, 5]": ch.step("-0.3 nA", stop="0.33 ms") + ch.step("0.3 nA", stop="0.33 ms"),
    }
    late = np.isin(np.arange(20), [3, 5])
    whole = ch.step((np.where(late, 0.3, 0.0), "nA"), start="0.33 ms") + ch.step((np.where(late, 0.02, amounts), "nA"))
    a, b = (ch.simulate(one, "5 ms", dt="0.1 ms", stimulus=x, record=["c.V", "d.V"]) for x in (given, {"c": whole}))
    for name in ("c.V", "d.V"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-12)
    assert np.array_equal(a["d.V"][:, 0], a["d.V"][:, 1])


def test_stimuli_of_one_shape_to_two_populations_stay_apart():
    """Both are of one structure and run as one array."""
    made = ch.Network(c=cells(5), d=cells(5))
    values = ch.samples((np.arange(10.0).reshape(2, 5), "nA"), dt="5 ms")
    for given in (values, {"c[:2]": "1 nA", "d[:2]": "1 nA"}):
        stimulus = given if isinstance(given, dict) else {"c": given, "d": given}
        run = ch.simulate(made, "2 ms", dt="0.1 ms", stimulus=stimulus, record=["c.V", "d.V"])
        assert np.array_equal(run["c.V"], run["d.V"])
        assert np.ptp(run["c.V"][-1]) > 1


def test_an_area_of_each_neuron_is_that_of_the_group():
    area = np.linspace(1e4, 3e4, 20)
    made = ch.Network(c=cells(20, area=(area, "um^2")))
    a = ch.simulate(made, "2 ms", dt="0.1 ms", stimulus={"c[4, 9]": "0.2 nA"}, record="c.V")["c.V"]
    some = np.isin(np.arange(20), [4, 9])
    b = ch.simulate(made, "2 ms", dt="0.1 ms", stimulus={"c": (np.where(some, 0.2, 0), "nA")}, record="c.V")["c.V"]
    np.testing.assert_allclose(a, b, rtol=1e-12)


SYNAPSES = {"Expon": {}, "DualExpon": {}, "Alpha": {}, "AMPA": {}, "GABAa": {}, "NMDA": {}, "GABAb": {}}


@pytest.mark.parametrize("name", SYNAPSES)
def test_conductance_and_current_of_any_synapse(name):
    made = net(
        p=P("s", "c", name, ch.all_to_all(), weight="3 nS"), q=P("s", "d", name, ch.all_to_all(), weight="0.2 mS/cm^2")
    )
    asked = ["p.g", "p.current", "p[3, 7].g", "p[:5].current", "q.current", "q.g", "c.V", "d.V"]
    run = ch.simulate(made, "8 ms", dt="0.1 ms", record=asked)
    E, V, W = made["p"].synapse.E, run["c.V"], run["d.V"]
    assert run["p.g"].max() > 1e-9
    block = 1 / (1 + np.exp(-0.062 * V) / 3.57) if name == "NMDA" else 1.0
    own = {"NMDA": ("bound", "unbound"), "AMPA": ("bound", "unbound"), "GABAa": ("bound", "unbound")}.get(name, ("g",))
    states = ch.simulate(made, "8 ms", dt="0.1 ms", record=[f"p.{x}" for x in own])
    assert np.allclose(run["p.g"], sum(states[f"p.{x}"] for x in own) * block, rtol=1e-9, atol=1e-15)
    assert np.allclose(run["p.current"], run["p.g"] * (E - V) * 1e-3, rtol=1e-9, atol=1e-15)
    assert np.allclose(run["q.current"], run["q.g"] * (E - W), rtol=1e-9, atol=1e-15)
    assert np.array_equal(run["p[3, 7].g"], run["p.g"][:, [3, 7]])
    assert np.array_equal(run["p[:5].current"], run["p.current"][:, :5])
    assert [run.units[x] for x in ("p.g", "p.current", "q.g", "q.current")] == ["nS", "nA", "mS/cm^2", "uA/cm^2"]
    traced = jax.jit(lambda: ch.simulate(made, "8 ms", dt="0.1 ms", record=asked).data)()
    for x in asked:
        assert np.allclose(traced[x], run[x], rtol=1e-6, atol=1e-9), x


def test_a_weight_that_is_a_current_is_recorded_as_one():
    made = net(p=P("s", "c", "Expon", ch.all_to_all(), weight="-40 pA"))
    run = ch.simulate(made, "3 ms", dt="0.1 ms", record=["p.current", "p.g"])
    assert np.array_equal(run["p.current"], run["p.g"])
    assert run["p.current"][9:11, 4] == pytest.approx([0, -0.08])
    assert run.units["p.current"] == "nA"


def test_projections_in_lanes_are_recorded_each():
    """Many sets of parameters share a path; each has its own conductance and driving force."""
    parts = {
        f"p{i}": P(
            "c",
            "d",
            ch.synapse("DualExpon", tau_rise=(1.0 + i, "ms"), E=(-10.0 * i, "mV")),
            ch.all_to_all(),
            weight=(1.0 + i, "nS"),
            initial=(2.0 + i, "nS"),
        )
        for i in range(6)
    }
    made = net(**parts)
    run = ch.simulate(
        made, "2 ms", dt="0.1 ms", record=["d.V", *(f"p{i}.{x}" for i in range(6) for x in ("g", "current", "rise"))]
    )
    for i in range(6):
        assert run[f"p{i}.rise"][0].tolist() == [2.0 + i] * 6
        assert np.allclose(
            run[f"p{i}.current"], run[f"p{i}.g"] * (-10.0 * i - run["d.V"]) * 1e-3, rtol=1e-9, atol=1e-15
        )


def test_u_and_x_of_a_plastic_projection():
    made = net(
        p=P(
            "s",
            "c",
            "Expon",
            ch.all_to_all(),
            weight="1 nS",
            plasticity=ch.plasticity("TsodyksMarkram", U=0.3, tau_rec="50 ms", tau_fac="20 ms"),
        )
    )
    run = ch.simulate(made, "5 ms", dt="0.1 ms", record=["p.u", "p[1].x", "p.x"])
    assert run["p.u"].shape == (51, 3)
    assert run["p.u"][9].tolist() == [0, 0, 0]
    assert run["p.u"][10] == pytest.approx([0.3, 0.3, 0])
    assert run["p.x"][10] == pytest.approx([0.7, 0.7, 1])
    assert run["p.u"][40, 0] == pytest.approx(0.3 * np.exp(-3 / 20) * 0.7 + 0.3)
    assert np.array_equal(run["p[1].x"][:, 0], run["p.x"][:, 1])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: net(A="c[:200]"), r"the group 'A': 'c\[:200\]' goes to 200, but there are 20 neurons"),
        (lambda: net(A="c[20]"), "has the neuron 20, but there are 20: 0 to 19"),
        (lambda: net(A="c[3, 3]"), "names a neuron twice"),
        (lambda: net(A="c[5:5]"), "has no neurons"),
        (lambda: net(A="c[::0]"), "a step of 0"),
        (lambda: net(A="c[x]"), "numbers of neurons"),
        (lambda: net(A="c + d"), "lies in c and d; a group is part of one population"),
        (lambda: net(A="B", B="C", C="A"), "the groups A -> B -> C -> A go in a circle"),
        (lambda: net(A=("c", [0.5])), "with a list of its neurons"),
        (lambda: ch.Network(**{"c.d": cells()}), r"'c.d' cannot be a label"),
        (lambda: net(p=P("c", "d", ch.all_to_all(), "Expon", weight="1 nS")), "synapse and connect have changed places"),
        (lambda: net(p=P("c", "d", "TsodyksMarkram", ch.all_to_all(), weight="1 nS")), "is no synapse but short-term plasticity"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS", plasticity="Expon")), "plasticity"),
        (lambda: ch.synapse("TsodyksMarkram"), r"made by plasticity\(...\)"),
        (lambda: ch.plasticity("Expon"), r"made by synapse\(...\)"),
        (lambda: ch.plasticity("TsodyksMarkram", U=2), "U of TsodyksMarkram must be at most 1, got 2"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="-1 nS")), "is a conductance and at least 0, got -1 nS"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight=ch.normal("1 nS", "1 nS"))), r"use lognormal\(...\)"),
        (lambda: net(p=P("c", "d", "Expon", ch.from_arrays([0], [1], weights=[-2]), weight="1 nS")), "at least 0, got -2 nS"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS")).replace(**{"p.weight": "-1 nS"}), "at least 0, got -1 nS"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS", initial="-1 nS")), "initial of the projection 'p' is a conductance and at least 0"),
        (lambda: net(p=P("c", "d", ch.synapse("Expon", tau=ch.normal("-1 ms", "1 ms")), ch.all_to_all(), weight="1 nS")), "tau of Expon must be more than 0 ms"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS")).replace(**{"p.tau": ch.normal("-1 ms", "1 ms")}), "tau of Expon must be more than 0 ms"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS", plasticity=ch.plasticity("TsodyksMarkram", U=ch.normal(0.5, 1.0)))), "U of TsodyksMarkram must be at"),
        (lambda: net(p=P("c", "c", "GapJunction", ch.all_to_all(), weight="1 nS")).replace(**{"p.delay": "1 ms"}), "GapJunction takes no delay"),
        (lambda: net(p=P("c", "d", "GABAb", ch.all_to_all(), weight="1 nS")).replace(**{"p.initial": "1 nS"}), "GABAb takes no initial"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS", frozen="no")), "frozen must be True or False, not 'no'"),
        (lambda: ch.simulate(net(), "1 ms", dt="0.1 ms", record=3), "record is a name such as 'V', or a list of names, not 3"),
        (lambda: ch.simulate(net(), "1 ms", dt="0.1 ms")[3], "'3' was not recorded"),
        (lambda: net(p=P("c", "d", "Expon", ch.all_to_all(), weight="1 nS", seed=2.5)), "the seed of the projection 'p' must be a whole number"),
        (lambda: net(p=P("c", "d", "Expon", ch.from_arrays([0], [1], delays=([1], "ms")), weight="1 nS", delay="2 ms")), "leave one of them out"),
        (lambda: ch.simulate(net(p=P("s", "c", ch.synapse("AMPA", T_dur="0.05 ms"), ch.all_to_all(), weight="1 nS")), "1 ms", dt="0.1 ms"), r"longer than the pulse of transmitter of 'p' \(AMPA\), 0.05 ms"),
        (lambda: ch.simulate(net(), "1 ms", dt="0.1 ms", record="c.spikes"), r"run.spikes\['c'\]"),
        (lambda: ch.simulate(net(), "1 ms", dt="0.1 ms").spikes["x"], "no spikes of 'x'; there are those of c, d, s"),
        (lambda: ch.simulate(net(), "1 ms", dt="0.1 ms", stimulus={"s": "1 nA"}), "no population of cells 's' to stimulate"),
        (lambda: ch.simulate(net(p=P("s", "c", "AMPA", ch.all_to_all(), weight="1 nS")), "1 ms", dt="0.1 ms", record="p.u"), "the projection 'p' has p.g, p.current, p.unbound"),
        (lambda: ch.simulate(net(p=P("s", "c", "AMPA", ch.all_to_all(), weight="1 nS")), "1 ms", dt="0.1 ms", record="p[20].g"), r"cannot record 'p\[20\].g'.*there are 20"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(make, said):
    with pytest.raises((ch.ModelError, ch.UnitError, ch.UnknownName), match=said):
        make()


def test_a_projection_without_a_synapse_is_said():
    with pytest.warns(UserWarning, match="the projection 'p' has no synapse: its rule finds none"):
        made = net(p=P("c", "d", "Expon", ch.fixed_probability(0.0), weight="1 nS"))
    assert ch.simulate(made, "1 ms", dt="0.1 ms", record="p.g")["p.g"].max() == 0
