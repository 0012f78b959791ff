"""A network that is changed between two runs: what becomes of the spikes under way, and what is refused."""

import jax
import numpy as np
import pytest
from cases import some_of

import channelome as ch

P = ch.Projection
N = 6
OWN = np.random.default_rng(1).integers(0, 25, N * N) * 0.1
WEIGHTS = np.random.default_rng(2).integers(1, 9, N * N) * 0.5
TIMES = np.array([0.5, 1.2, 1.9, 2.0, 2.7]), np.array([0, 3, 3, 5, 1])
DT, FIRST, LAST = "0.1 ms", 2.0, 8.0


def net(weight=(2.0, "nS"), delay="1 ms", synapse="Expon", source=None, connect=None, **more) -> ch.Network:
    held = {"tau": "1e9 ms"} if synapse == "Expon" else {}
    source = source or ch.SpikeSource(N, times=(TIMES[0], "ms"), neurons=TIMES[1])
    given = {name: more.pop(name) for name in ("plasticity", "seed") if name in more}
    p = P("s", "c", ch.synapse(synapse, **held), connect or ch.all_to_all(), weight=weight, delay=delay, **given)
    return ch.Network(s=source, c=ch.cell("PointNeuron_Brette2007", size=N), p=p, **more)


def on(before: ch.Network, after: ch.Network, record=("p.g",), first=FIRST, last=LAST, change=lambda state: state):
    state = change(ch.simulate(before, (first, "ms"), dt=DT, record=record).final)
    return ch.simulate(after, (last - first, "ms"), dt=DT, record=record, state=state, start=(first, "ms"))


def arrived(before, after, delay, first=FIRST) -> np.ndarray:
    """By target, what all synapses of all spikes have added, each with its weight of when it arrived."""
    steps = np.rint(np.broadcast_to(delay, N * N) / 0.1).reshape(N, N)
    then, now = (np.broadcast_to(w, N * N).reshape(N, N) for w in (before, after))
    total = np.zeros(N)
    for time, source in zip(*TIMES, strict=True):
        arrives = round(time / 0.1) + steps[source]
        total += np.where(arrives <= round(first / 0.1), then[source], now[source])
    return total


KINDS = {"one": 2.0, "another": 5.0, "none": 0.0, "own": WEIGHTS, "other own": WEIGHTS[::-1] + 1}


@pytest.mark.parametrize("delay", [1.0, OWN], ids=["one delay", "own delays"])
@pytest.mark.parametrize(("before", "after"), [("one", "another"), ("one", "own"), ("own", "one"), ("own", "other own"), ("none", "own")])  # fmt: skip
def test_a_spike_under_way_weighs_what_its_synapse_does_when_it_arrives(before, after, delay):
    """Numbers of spikes, of one weight, were taken for amounts, of own weights, and the other way round: 2 nS became 1."""
    a, b = KINDS[before], KINDS[after]
    begun = net((a, "nS"), (delay, "ms"))
    run = on(begun, begun.replace(**{"p.weight": (b, "nS")}))
    np.testing.assert_allclose(run["p.g"][-1], arrived(a, b, delay), rtol=1e-6)


SORTS = {
    "plain": {},
    "several spikes a step": {"source": ch.Poisson(N, rate="15 kHz")},
    "plastic": {"plasticity": ch.plasticity("TsodyksMarkram", tau_rec="5 ms", tau_fac="5 ms")},
    **{name: {"synapse": name} for name in ("AMPA", "GABAb")},
}
FORMS = {
    "one weight as an array": ({"weight": (2.0, "nS")}, {"weight": (np.full(N * N, 2.0), "nS")}, OWN),
    "an array as one weight": ({"weight": (np.full(N * N, 2.0), "nS")}, {"weight": (2.0, "nS")}, 1.0),
    "one delay as an array": ({"delay": "1 ms"}, {"delay": (np.full(N * N, 1.0), "ms")}, None),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sort", SORTS)
def test_the_same_in_another_form_goes_on_as_one_run(sort, form):
    before, after, late = FORMS[form]
    given = SORTS[sort] | ({} if late is None else {"delay": (late, "ms")})
    one, other = net(**given | before), net(**given | after)
    whole = ch.simulate(one, (LAST, "ms"), dt=DT, record="p.g")["p.g"]
    assert whole.max() > 0
    np.testing.assert_allclose(on(one, other)["p.g"], whole[20:], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "delay"), [("AMPA", "0 ms"), ("GABAa", "1 ms"), ("AMPA", (OWN, "ms"))], ids=["none", "one", "own"]
)
def test_receptors_weigh_at_once_what_their_synapses_do(name, delay):
    """A pulse that was begun with 2 nS and ended with 1 left a conductance of 1.7 nS for ever."""
    begun = net("2 nS", delay, name)
    for weight in ("1 nS", (np.full(N * N, 3.0), "nS")):
        changed = begun.replace(**{"p.weight": weight})
        whole = ch.simulate(changed, (LAST, "ms"), dt=DT, record="p.g")["p.g"]
        for first in (1.0, 2.3):
            run = on(begun, changed, first=first)["p.g"]
            np.testing.assert_allclose(run, whole[round(first * 10) :], rtol=1e-6, atol=1e-9)


def test_pulses_that_would_end_otherwise_than_they_began_are_refused():
    begun = net((WEIGHTS, "nS"), "0 ms", "AMPA")
    with pytest.raises(ch.ModelError, match=r"the weights of 'p' are others.*pulses of transmitter"):
        on(begun, begun.replace(**{"p.weight": (WEIGHTS[::-1], "nS")}))
    silent = net("0 nS", "0 ms", "AMPA")
    with pytest.raises(ch.ModelError, match="neither of them 0"):
        on(silent, silent.replace(**{"p.weight": "1 nS"}))
    few = net("1 nS", "0 ms", "AMPA", connect=ch.fixed_probability(0.5))
    with pytest.raises(ch.ModelError, match="the synapses of 'p' are others"):
        on(few, few.replace(seed=3))
    for one in (begun, silent, few):  # between two pulses
        changed = one.replace(**{"p.weight": (np.linspace(1, 2, one["p"].edges.targets.size), "nS")})
        assert np.isfinite(on(one, changed, first=6.0)["p.g"]).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda: net(delay=(OWN, "ms")).replace(**{"p.delay": (OWN[::-1], "ms")}),
        lambda: net(delay=(OWN * 2, "ms")),
        lambda: net(delay="2.4 ms"),
        lambda: net(delay="0 ms"),
        lambda: net(delay=(OWN, "ms"), connect=ch.from_arrays(np.repeat(range(N), N), np.zeros(N * N, int))),
        lambda: net(delay=(OWN[:12], "ms"), connect=ch.fixed_total_number(12)),
    ],
    ids=["other delays, as long", "longer", "one delay, as long", "none", "other targets", "fewer synapses"],
)
def test_spikes_under_way_with_other_delays_are_refused(change):
    begun = net(delay=(OWN, "ms"))
    with pytest.raises(ch.ModelError, match="spikes under way in 'p' with other delays, another dt"):
        on(begun, change())
    run = on(begun, change(), change=lambda state: state._replace(rings={}))
    assert run["p.g"][-1].sum() < on(begun, begun)["p.g"][-1].sum() + 99


def test_without_what_is_under_way_only_later_spikes_arrive():
    begun = net(delay=(OWN, "ms"))
    run = on(begun, begun, change=lambda state: state._replace(rings={}))["p.g"]
    late = net(delay=(OWN, "ms"), source=ch.SpikeSource(N, times=(TIMES[0][4:], "ms"), neurons=TIMES[1][4:]))
    alone = on(late, late)["p.g"]
    np.testing.assert_allclose(run[-1] - run[0], alone[-1] - alone[0], rtol=1e-6)
    receptors = net(delay="1 ms", synapse="AMPA")
    with pytest.raises(ch.ModelError, match="among which are the ends of pulses of transmitter"):
        on(receptors, receptors, change=lambda state: state._replace(rings={}))


def test_other_delays_are_no_matter_where_nothing_is_under_way():
    begun = net(delay=(OWN, "ms"))
    for other in (net(delay="0 ms"), net(delay=(OWN[::-1], "ms")), net(delay="9 ms")):
        assert np.array_equal(
            on(begun, other, first=6.0)["p.g"][-1], ch.simulate(begun, "8 ms", dt=DT, record="p.g")["p.g"][-1]
        )
    sooner = net(delay="0 ms")
    np.testing.assert_allclose(on(sooner, net(delay="2 ms"))["p.g"][-1], arrived(2.0, 2.0, 1.0))


def test_a_state_of_another_unit_is_refused():
    with pytest.raises(ch.ModelError, match="the weight of 'p' had another unit there"):
        on(net("2 nS"), net("2 pA"))


def both(order: str, delays, **more) -> ch.Network:
    given = {
        "p": P("s", "c", ch.synapse("Expon", tau="9 ms"), ch.all_to_all(), weight="2 nS", delay=delays[0]),
        "q": P("c", "c", ch.synapse("Expon", tau="9 ms"), ch.all_to_all(), weight="1 nS", delay=delays[1]),
        "r": P("d", "c", ch.synapse("Expon", tau="9 ms"), ch.all_to_all(), weight="3 nS", delay=delays[1]),
    }
    source = ch.Poisson(N, rate="600 Hz")
    cells = {
        k: ch.cell("PointNeuron_Brette2007", size=n, V=ch.uniform("-70 mV", "-52 mV", seed=n))
        for k, n in (("c", N), ("d", 2 * N))
    }
    return ch.Network(s=source, **cells, **{k: given[k] for k in order}, **more)


DRAWN = ch.uniform("0 ms", "2 ms", seed=3)


@pytest.mark.parametrize(
    "delays",
    some_of([("0.7 ms", "0.7 ms"), ("0.7 ms", "1.5 ms"), ("0.7 ms", DRAWN)], ("0.7 ms", "0.7 ms"), ("0.7 ms", DRAWN)),
)
def test_projections_in_any_order_added_up_or_apart_go_on_as_one_run(delays):
    given = {"stimulus": {"c": "1 nA", "d": "1 nA"}, "dt": DT}
    whole = ch.simulate(both("pqr", delays), "14 ms", record="c.V", **given)
    assert len(whole.spikes["c"]) > 5
    for order, apart, later in (("rqp", [], []), ("prq", ["p.g", "q.g", "r.g"], []), ("pqr", ["q.g"], ["q.g"])):
        first = ch.simulate(both("pqr", delays), "9 ms", record=["c.V", *apart], **given)
        assert any(np.any(ring) for ring in first.final.rings.values())
        second = ch.simulate(
            both(order, delays), "5 ms", record=["c.V", *later], state=first.final, start="9 ms", **given
        )
        np.testing.assert_allclose(second["c.V"], whole["c.V"][90:], atol=1e-7)
        changed = both(order, delays).replace(**{"q.weight": "4 nS"})  # no more one weight for all that are added up
        assert np.ptp(ch.simulate(changed, "5 ms", state=first.final, record="c.V", **given)["c.V"]) > 0


def test_projections_of_one_path_have_the_same_spikes_under_way():
    """What one of two that are added up has under way goes along the synapses of both, so both have it or none."""
    two = {label: P("s", "c", ch.synapse("Expon", tau="9 ms"), ch.all_to_all(), weight="2 nS", delay=late) for label, late in (("q", "1 ms"), ("r", "2 ms"))}  # fmt: skip
    made = net(**two)
    state = ch.simulate(made, (FIRST, "ms"), dt=DT).final
    whole = ch.simulate(made, (LAST, "ms"), dt=DT, record="c.V")["c.V"][20:]
    np.testing.assert_allclose(
        ch.simulate(made, "6 ms", dt=DT, record="c.V", state=state, start=(FIRST, "ms"))["c.V"], whole, atol=1e-7
    )
    for label in "qr":
        with pytest.raises(ch.ModelError, match="other spikes of 's' under way in 'r' than in 'q'"):
            ch.simulate(
                made, "1 ms", dt=DT, state=state._replace(rings={"p": state.rings["p"], label: state.rings[label]})
            )


@pytest.mark.parametrize("sort", ["plain", "plastic", "AMPA"])
@pytest.mark.parametrize("delay", ["1 ms", (OWN, "ms")], ids=["one", "own"])
def test_a_state_from_a_trace_or_a_file_goes_on_anywhere(sort, delay, tmp_path):
    made = net(delay=delay, **SORTS[sort])
    run = ch.simulate(made, (FIRST, "ms"), dt=DT)
    run.save(tmp_path / "run.npz")
    kept = ch.Activity.load(tmp_path / "run.npz").final
    traced = jax.jit(lambda: ch.simulate(made, (FIRST, "ms"), dt=DT).final)()
    assert jax.tree.structure(kept) == jax.tree.structure(traced) == jax.tree.structure(run.final)

    def go_on(state):
        return ch.simulate(made, "6 ms", dt=DT, record="p.g", state=state, start=(FIRST, "ms"))["p.g"]

    whole = ch.simulate(made, (LAST, "ms"), dt=DT, record="p.g")["p.g"][20:]
    for state in (run.final, kept, traced):
        np.testing.assert_allclose(go_on(state), whole, rtol=1e-9)
        np.testing.assert_allclose(jax.jit(go_on)(state), whole, rtol=1e-9)


def test_under_a_trace_a_state_with_other_delays_gives_nan_and_no_wrong_number():
    begun, other = net(delay=(OWN, "ms")), net(delay=(OWN[::-1], "ms"))
    state = ch.simulate(begun, (FIRST, "ms"), dt=DT).final
    V = {
        made: jax.jit(lambda x, made=made: ch.simulate(made, "1 ms", dt=DT, record="c.V", state=x)["c.V"])(state)
        for made in (begun, other)
    }
    assert np.isfinite(V[begun]).all() and np.isnan(V[other]).all()


def test_populations_that_lie_in_rows_go_on_apart():
    """Of 2,100 cells the last row is filled up; under a trace they lie as they are written."""
    late = ch.uniform("0 ms", "2 ms", seed=1)
    made = ch.Network(
        a=ch.cell("PointNeuron_Brette2007", size=2100, V=ch.uniform("-70 mV", "-50 mV")), b=ch.cell("PointNeuron_Brette2007", size=50),
        p=P("a", "b", "Expon", ch.fixed_indegree(100), weight="1 nS", delay=late), q=P("b", "a", "Expon", ch.fixed_indegree(5), weight="1 nS", delay="1 ms"),
    )  # fmt: skip
    given = {"dt": DT, "stimulus": {"a": "0.5 nA"}, "record": ["b.V", "p.g"]}
    whole = ch.simulate(made, "8 ms", **given)
    state = ch.simulate(made, "5 ms", **given).final
    second = jax.jit(lambda x: ch.simulate(made, "3 ms", state=x, start="5 ms", **given).data)(state)
    assert whole["p.g"].max() > 5
    for name in ("b.V", "p.g"):
        np.testing.assert_allclose(second[name], whole[name][50:], rtol=1e-6)


@pytest.mark.parametrize("synapse", ["Expon", "AMPA"])
def test_gradients_pass_spikes_under_way(synapse):
    """Of a run that goes on from a state; the slope by finite differences."""
    made = net(delay=(OWN, "ms"), synapse=synapse)
    state = ch.simulate(made, (FIRST, "ms"), dt=DT).final

    def last(weight):
        changed = made.replace(**{"p.weight": (weight, "nS")})
        return ch.simulate(changed, "2 ms", dt=DT, state=state, record="c.V")["c.V"][-1].sum()

    assert jax.grad(last)(2.0) == pytest.approx((last(2.001) - last(1.999)) / 0.002, rel=1e-5)
