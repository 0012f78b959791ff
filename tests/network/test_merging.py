"""Populations of one structure run as one array and projections of one kind as one path; no label notices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch

CELL = "PointNeuron_Brette2007"


def cell(size, **given):
    return ch.cell(CELL, size=size, **{"V": ch.uniform("-75 mV", "-52 mV", seed=1)} | given)


def network(**more) -> ch.Network:
    """Populations of three sizes and shapes, two of them with other parameters, and projections of every kind."""
    expon = ch.synapse("Expon", tau="4 ms")
    parts = {
        "a": cell(40),
        "b": cell((5, 7), **{"INa.g_max": "90 mS/cm^2"}),
        "c": cell(33, **{"IL.E": ch.normal("-60 mV", "1 mV", seed=4)}),
        "leaky": ch.SingleCompartment(9, IL="IL", area="20000 um^2", V_th="-69 mV"),
        "noise": ch.Poisson(30, rate="300 Hz"),
        "ab": ch.Projection("a", "b", expon, ch.fixed_probability(0.2), weight="3 nS", delay="0.5 ms"),
        "cb": ch.Projection("c[3:]", "b", expon, ch.fixed_probability(0.2), weight="3 nS", delay="0.5 ms", initial="1 nS"),
        "nb": ch.Projection("noise", "b", expon, ch.fixed_probability(0.3), weight="5 nS", delay="0.5 ms"),
        "ba": ch.Projection("b", "a", expon, ch.fixed_probability(0.2), weight=ch.uniform("1 nS", "4 nS", seed=2), delay="0.5 ms"),
        "ca": ch.Projection("c", "a", expon, ch.fixed_probability(0.2), weight="2 nS", delay=ch.uniform("0 ms", "2 ms", seed=3)),
        "na": ch.Projection("noise", "a", ch.synapse("Expon", tau="9 ms"), ch.fixed_probability(0.3), weight="4 nS"),
        "bc": ch.Projection("b", "c", ch.synapse("Expon", tau="4 ms", E="-80 mV"), ch.one_to_one() if False else ch.fixed_probability(0.3), weight="8 nS"),
        "al": ch.Projection("a", "leaky", "AMPA", ch.fixed_probability(0.3), weight="2 nS", delay="1 ms"),
        "td": ch.Projection("noise", "c", expon, ch.fixed_probability(0.3), weight="6 nS", plasticity="TsodyksMarkram"),
        "gap": ch.Projection("leaky", "leaky", "GapJunction", ch.fixed_probability(0.3), weight="0.3 nS"),
        "some": "c[4:20:2]",
    }  # fmt: skip
    return ch.Network(seed=5, **(parts | more))


STIMULUS = {
    "a": ch.step("0.3 nA", start="0.7 ms"),
    "b": ch.step("0.2 nA", start="1.2 ms", stop="6 ms"),
    "leaky": ch.noise("0 nA", "0.02 nA", key=3),
}
RECORD = ["a.V", "b.INa.m", "c[2:9].V", "some.V", "leaky.V", "ba.g", "al.bound", "cb.g"]
OPTIONS = {"dt": "0.1 ms", "stimulus": STIMULUS}


@pytest.fixture(scope="module")
def net() -> ch.Network:
    return network()


def apart(net: ch.Network, record, duration="8 ms", **options):
    """The same network with every population and projection on its own, as it runs under a trace."""
    options = {**OPTIONS, **options}
    return jax.jit(lambda net: ch.simulate(net, duration, record=record, **options).data)(net)


@pytest.mark.parametrize("record", [RECORD, RECORD[:5]], ids=["synapses recorded", "added up"])
def test_merged_is_what_was_written(net, record) -> None:
    merged, alone = ch.simulate(net, "8 ms", record=record, **OPTIONS), apart(net, record)
    for name in record:
        assert merged[name].shape == alone[name].shape
        np.testing.assert_allclose(merged[name], alone[name], atol=2e-8, err_msg=name)
    for name in ("a", "b", "c", "leaky", "noise"):
        counts = np.asarray(alone[f"{name}.spikes"]).sum(axis=0)
        assert np.array_equal(merged.spikes[name].counts, counts)
    assert sum(len(merged.spikes[name]) for name in ("a", "b", "c")) > 30
    assert np.array_equal(merged.spikes["some"].counts, merged.spikes["c"].counts[4:20:2])


@pytest.mark.parametrize(
    "stimulus",
    [
        {"a": ch.sine("0.3 nA", period="5 ms"), "b": ch.step("0.3 nA"), "c": "1 uA/cm^2"},
        {"b": ch.step((np.linspace(0, 0.5, 35).reshape(5, 7), "nA"), start="1.03 ms"), "c": ch.step("0.3 nA", start="2.07 ms")},
        {"a": ch.samples((np.linspace(0, 0.4, 80).reshape(2, 40), "nA"), dt="6 ms"), "c": ch.noise("0.2 nA", "0.1 nA", key=1, size=33)},
    ],
    ids=["other kinds", "arrays", "samples and noise"],
)  # fmt: skip
def test_stimuli_of_any_kinds_reach_their_populations(net, stimulus) -> None:
    record = ["a.V", "b.V", "c.V"]
    merged = ch.simulate(net, "6 ms", dt="0.1 ms", stimulus=stimulus, record=record)
    alone = apart(net, record, "6 ms", stimulus=stimulus)
    for name in record:
        np.testing.assert_allclose(merged[name], alone[name], atol=2e-8, err_msg=name)


def test_many_sets_of_parameters_share_a_path_in_lanes() -> None:
    """More than a few have lanes of arrays; each keeps its own time constant and reversal potential."""
    more = {
        f"x{i}": ch.Projection(
            ("a", "b", "c", "noise")[i % 4], ("a", "b", "c")[i % 3], ch.synapse("Expon", tau=(2.0 + i, "ms"), E=(-10.0 * i, "mV")),
            ch.fixed_probability(0.2), weight=(1.0 + i, "nS"), delay=(0.1 * (i % 3), "ms"), initial=(0.5 * i, "nS"),
        )
        for i in range(9)
    }  # fmt: skip
    net = network(**more)
    record = ["a.V", "b.V", "c.V"]
    merged, alone = ch.simulate(net, "6 ms", record=record, **OPTIONS), apart(net, record, "6 ms")
    for name in record:
        np.testing.assert_allclose(merged[name], alone[name], atol=2e-8, err_msg=name)


def test_a_first_state_onto_one_population_is_that_of_this_one_alone() -> None:
    """Also where it is the only projection onto a block of several."""
    net = ch.Network(
        a=cell(4), b=cell(3), noise=ch.Poisson(2, rate="0 Hz"),
        nb=ch.Projection("noise", "b", "Expon", ch.all_to_all(), weight="2 nS", initial="7 nS"),
    )  # fmt: skip
    run = ch.simulate(net, "0.2 ms", dt="0.1 ms", record=["a.V", "nb.g"])
    assert np.all(run["nb.g"][0] == 7)
    alone = ch.simulate(ch.Network(a=cell(4)), "0.2 ms", dt="0.1 ms", record="a.V")
    np.testing.assert_allclose(run["a.V"], alone["a.V"], rtol=1e-12)


def test_the_state_is_that_of_labels_and_goes_on_bitwise(net) -> None:
    record = ["a.V", "b.V", "c.V", "leaky.V"]
    whole = ch.simulate(net, "8 ms", record=record, **OPTIONS)
    first = ch.simulate(net, "3 ms", record=record, **OPTIONS)
    final = first.final
    assert list(final.cells) == ["a", "b", "c", "leaky"]
    assert final.cells["b"].V.shape == (5, 7) and final.cells["b"].channels["INa"]["m"].shape == (5, 7)
    assert final.synapses["ab+cb"]["g"].shape == (5, 7) and final.synapses["na"]["g"].shape == (40,)
    second = ch.simulate(net, "5 ms", record=record, state=final, start="3 ms", **OPTIONS)
    for name in record:
        assert np.array_equal(np.concatenate([first[name], second[name][1:]]), whole[name]), name


def test_states_kept_apart_are_added_up_and_sums_are_not_torn_apart(net) -> None:
    record = ["a.V", "b.V"]
    together = ch.simulate(net, "3 ms", record=record, **OPTIONS).final
    kept = ch.simulate(net, "3 ms", record=[*record, "ab.g", "cb.g"], **OPTIONS).final
    total = sum(np.asarray(kept.synapses[name]["g"]) for name in ("ab", "cb"))
    np.testing.assert_allclose(total, together.synapses["ab+cb"]["g"], rtol=1e-9)
    on, off = (ch.simulate(net, "3 ms", record=record, state=x, start="3 ms", **OPTIONS) for x in (together, kept))
    np.testing.assert_allclose(on["b.V"], off["b.V"], atol=1e-8)
    with pytest.raises(ch.ModelError, match=r"holds the sum of the synapses ab, cb.*record=\['ab.g'"):
        ch.simulate(net, "3 ms", record=["ab.g"], state=together, **OPTIONS)
    with pytest.raises(ch.ModelError, match="holds the sum of the synapses ab, cb"):
        ch.simulate(net.replace(**{"ab.tau": "5 ms"}), "3 ms", state=together, **OPTIONS)


def test_a_parameter_that_is_changed_in_one_population_changes_it_alone(net) -> None:
    changed = net.replace(**{"c.IK.g_max": "25 mS/cm^2", "cb.weight": "9 nS", "ab.E": "-70 mV"})
    merged = ch.simulate(changed, "6 ms", record=["a.V", "b.V", "c.V"], **OPTIONS)
    alone = apart(changed, ["a.V", "b.V", "c.V"], "6 ms")
    for name in ("a.V", "b.V", "c.V"):
        np.testing.assert_allclose(merged[name], alone[name], atol=2e-8)


def test_synapses_are_laid_out_anew_where_the_blocks_are_others() -> None:
    """Two populations of one structure are a block; when one gets another channel they are two, and places move."""
    late = ch.uniform("0 ms", "2 ms", seed=1)
    net = ch.Network(
        a=cell(20), b=cell(30),
        ab=ch.Projection("a", "b", "Expon", ch.fixed_probability(0.5), weight="8 nS", delay=late),
        ba=ch.Projection("b", "a", "Expon", ch.fixed_probability(0.5), weight="8 nS", delay=late),
    )  # fmt: skip
    stimulus = {"a": "0.4 nA", "b": "0.4 nA"}
    for one in (net, net.replace(**{"b.IK": "IK_Leak"}), net):
        run = ch.simulate(one, "8 ms", dt="0.1 ms", record=["a.V", "b.V"], stimulus=stimulus)
        alone = apart(one, ["a.V", "b.V"], stimulus=stimulus)
        for name in ("a.V", "b.V"):
            np.testing.assert_allclose(run[name], alone[name], atol=1e-7)


def compilations(run_some) -> int:
    count = 0

    def listen(event: str, _: float, **__: object) -> None:
        nonlocal count
        count += event == "/jax/core/compile/backend_compile_duration"

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        run_some()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return count


def many(populations: int, projections: int) -> ch.Network:
    rng = np.random.default_rng(0)
    ends = rng.integers(0, populations, (projections, 2))
    parts: dict = {f"p{i}": cell(20) for i in range(populations)}
    for j, (pre, post) in enumerate(ends):
        parts[f"j{j}"] = ch.Projection(
            f"p{pre}", f"p{post}", "Expon", ch.fixed_probability(0.1), weight="2 nS", delay="1 ms"
        )
    return ch.Network(**parts)


def test_a_program_costs_what_its_kinds_cost_and_serves_any_duration() -> None:
    few, more = many(3, 4), many(30, 90)
    ch.simulate(few, "1 ms", dt="0.1 ms")
    n = compilations(lambda: ch.simulate(more, "1 ms", dt="0.1 ms", stimulus={"p3": "0.3 nA", "p7": "0.2 nA"}))
    assert n <= 3

    def again():
        return [
            ch.simulate(more, T, dt="0.1 ms", stimulus={"p3": "0.3 nA", "p7": "0.2 nA"})
            for T in ("3 ms", "7 ms", "0.1 ms")
        ]

    assert compilations(again) == 0


def test_long_records_have_one_more_program_and_no_third() -> None:
    net = many(3, 4)
    runs = lambda *T: [ch.simulate(net, t, dt="0.1 ms", record="p1.V") for t in T]  # noqa: E731
    runs("1 ms", "500 ms")
    assert compilations(lambda: runs("2 ms", "700 ms", "1200 ms")) == 0


def test_gradients_reach_every_label() -> None:
    net = ch.Network(a=cell(4), c=cell(5))

    def mean(g: jax.Array) -> jax.Array:
        changed = net.replace(**{"c.INa.g_max": (g, "mS/cm^2")})
        return ch.simulate(changed, "2 ms", dt="0.1 ms", record=["c.V"])["c.V"].mean()

    slope, h = jax.grad(mean)(jnp.asarray(100.0)), 1e-3
    assert slope == pytest.approx((mean(jnp.asarray(100 + h)) - mean(jnp.asarray(100 - h))) / (2 * h), rel=1e-4)


def test_stimuli_of_one_kind_are_traced_once_however_many_populations_have_one(monkeypatch):
    """A trace for each took longer than a run of a hundred milliseconds."""
    traced = []

    def counting(*arguments, **keywords):
        traced.append(arguments)
        return shapes(*arguments, **keywords)

    shapes = jax.eval_shape
    monkeypatch.setattr(jax, "eval_shape", counting)

    def traces(populations: int) -> int:
        net = ch.Network(**{f"p{i}": cell(3) for i in range(populations)})
        given = {f"p{i}": ch.step(f"{0.2 + 0.01 * i} nA", start=f"{i} ms") for i in range(populations)}
        ch.simulate(net, "1 ms", dt="0.1 ms", stimulus=given)
        del traced[:]
        ch.simulate(net, "1 ms", dt="0.1 ms", stimulus=given)
        return len(traced)

    assert traces(12) == traces(2)
