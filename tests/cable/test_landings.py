"""Projections onto places of cells, whatever their shapes, run as one path: the same as each alone, in one program."""

import jax
import numpy as np

import channelome as ch

SHAPES = [
    ch.Morphology.soma("20 um").branch("dend", length=(150.0 + 40 * i, "um"), diameter="2 um").branch("apical", length="90 um", diameter="1 um")
    for i in range(3)
]  # fmt: skip


def cells(i, size):
    leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")
    ions = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))
    return ch.MultiCompartment(
        SHAPES[i].discretise(ch.max_length("30 um")), *ions, INa="INa_HH1952", IK="IK_HH1952", IL=leak, celsius=6.3, size=size
    )  # fmt: skip


def onto(pre, post, rule=None, synapse="Expon", **given):
    given = {"weight": "0.3 nS", "delay": "0.5 ms"} | given
    return ch.Projection(pre, post, synapse, rule or ch.fixed_probability(0.7), **given)


def net(some=None):
    """Populations of (2, 2), 2 and 6 cells, so that two lie across a node; all that can differ between projections of one kind does."""
    taus = [ch.synapse("Expon", E="-80 mV", tau=((2.0 + np.arange(n)).reshape(shape), "ms")) for n, shape in ((4, (2, 2)), (2, (2,)), (6, (6,)))]  # fmt: skip
    weights = ch.uniform("0.1 nS", "0.9 nS")
    inhibition = [onto("b", f"{x}.soma", synapse=ch.synapse("Expon", E="-75 mV", tau=(t, "ms"))) for x, t in zip("abcab", range(3, 8), strict=True)]  # fmt: skip
    parts = {
        "na": onto("noise", "a.spread(apical)"), "nb": onto("noise", "b.soma", weight="0.5 nS"), "nc": onto("noise", "c.terminals"),
        "own_a": onto("noise", "a.dend(0.3)", weight=weights), "own_c": onto("noise", "c.soma", delay="1 ms", initial="2 nS"),
        "la": onto("a", "b.dend(1)", delay=ch.uniform("0.2 ms", "1.1 ms")), "lb": onto("c", "a.spread(dend)", delay=ch.uniform("0.1 ms", "0.6 ms")),
        "wa": onto("points", "a.soma", weight=weights), "wc": onto("a", "c.terminals", weight=weights), "ta": onto("c", "a.soma", synapse=taus[0]),
        "tc": onto("a", "c.spread(all)", synapse=taus[2]), "tb": onto("c", "b.apical(0.5)", synapse=taus[1]),
        "da": onto("noise", "a.soma", synapse="Alpha", weight="0.02 nA"),
        "db": onto("noise", "b.apical(1)", synapse="Alpha", weight="0.02 nA"),
        **{f"i{k}": one for k, one in enumerate(inhibition)},
    }  # fmt: skip
    chosen = parts if some is None else {k: parts[k] for k in some}
    points = ch.cell("PointNeuron_Brette2007", size=5)
    return ch.Network(
        a=cells(0, (2, 2)), b=cells(1, 2), c=cells(2, 6), noise=ch.Poisson(20, rate="800 Hz"), points=points, **chosen
    )


LABELS = list(net().projections)
RECORD = [f"{k}.{of}" for k in LABELS for of in ("g", "current") if not (k[0] == "d" and of == "g")] + [
    "own_a[1].g",
    "i1.g",
    "a.V",
    "b.V",
    "c.V",
]


def go(net, duration="6 ms", **given):
    into = {x: ch.at("soma", ch.step("0.6 nA", start="0.2 ms")) for x in "ac"}
    into["points"] = ch.step("0.5 nA")
    return ch.simulate(net, duration, dt="0.05 ms", stimulus=into, record=given.pop("record", RECORD), every=2, **given)


def apart(monkeypatch):
    """As if no two projections were alike."""
    from channelome.engine import layout

    monkeypatch.setattr(layout, "_alike", lambda group: [[one] for one in group])


def paths(net):
    from channelome.engine.model import Model
    from channelome.engine.prepare import prepared

    run = prepared(
        Model.of(net), solver=ch.solver("staggered"), stimulus=None, names=[], every=1, dt=0.05, origin=0, state=None, mesh=None
    )  # fmt: skip
    return [tuple(member.label for member in bundle.members) for bundle in run.layout.bundles.values()]


def test_projections_of_one_kind_are_one_path_whatever_shapes_they_are_onto():
    assert paths(net()) == [
        ("na", "nb", "nc", "own_a"),
        ("own_c",),  # of another delay
        ("la", "lb"),  # of delays of their own
        (
            "wa",
            "wc",
            "ta",
            "tc",
            "tb",
            "i0",
            "i1",
            "i2",
            "i3",
            "i4",
        ),  # from cells and points; of many parameters, which are arrays over them
        ("da", "db"),
    ]
    assert paths(net(["na", "nb", "ta", "tb"])) == [
        ("na", "nb"),
        ("ta",),
        ("tb",),
    ]  # of few parameters, which are numbers


def test_they_are_the_same_as_each_alone_and_go_on_in_either_way(monkeypatch):
    whole, first = go(net()), go(net(), "2 ms")
    on = go(net(), "4 ms", state=first.final, start="2 ms")
    for name in RECORD:
        np.testing.assert_array_equal(on[name], whole[name][20:], err_msg=name)
    with monkeypatch.context() as patch:
        apart(patch)
        assert all(len(labels) == 1 for labels in paths(net()))
        other, begun = go(net()), go(net(), "2 ms")
        after = go(net(), "4 ms", state=first.final, start="2 ms")
    back = go(net(), "4 ms", state=begun.final, start="2 ms")
    for name in RECORD:
        assert whole[name].shape == other[name].shape
        np.testing.assert_allclose(whole[name], other[name], rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(after[name], on[name], rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(back[name], on[name], rtol=1e-9, atol=1e-9, err_msg=name)
        assert np.ptp(whole[name]) > 0, name
    for label in LABELS:
        for field, x in whole.final.synapses[label].items():
            np.testing.assert_allclose(x, other.final.synapses[label][field], rtol=1e-9, atol=1e-12)
    assert jax.tree.structure(whole.final) == jax.tree.structure(other.final)


def test_a_population_of_one_shape_has_one_path_for_its_places(monkeypatch):
    one = net(["na", "own_a", "ta", "da"])
    assert ("na", "own_a") in paths(one)
    names = ["na.g", "own_a.current", "a.soma.V"]
    whole = go(one, "3 ms", record=names)
    apart(monkeypatch)
    for name in names:
        np.testing.assert_allclose(whole[name], go(one, "3 ms", record=names)[name], rtol=1e-9, atol=1e-9)


def test_the_program_does_not_grow_with_the_shapes_that_are_projected_onto():
    from engine.test_compile_cost import lines_of

    def of(count):
        shapes = {f"p{i}": cells(0, 2) if i == 0 else cells(1 + i % 2, 2 + 2 * (i // 3)) for i in range(count)}
        wires = {f"s{i}": onto("noise", f"p{i}.dend(0.5)", ch.all_to_all()) for i in range(count)}
        return ch.Network(**shapes, noise=ch.Poisson(4, rate="100 Hz"), **wires)

    made = {count: lines_of(of(count), optimised=True) for count in (2, 6)}
    assert made[6] <= 1.05 * made[2], made


def test_float32_is_float64():
    names = ["na.g", "tc.current", "a.soma.V"]
    wide = go(net(), "3 ms", record=names)
    with jax.enable_x64(False):
        narrow = go(net(), "3 ms", record=names)
    for name in names:
        assert narrow[name].dtype == np.float32
        np.testing.assert_allclose(narrow[name], wide[name], rtol=2e-3, atol=2e-3)
