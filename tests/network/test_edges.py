"""Synapses one by one: in whose order arrays are, what `replace` and `save` keep, junctions of pairs."""

import numpy as np
import pytest
from scipy import sparse

import channelome as ch


def cells(n=8, **more):
    return ch.cell("PointNeuron_Brette2007", size=n, **more)


def net(connect, synapse="Expon", n=8, pre="cells", post="cells", **given) -> ch.Network:
    return ch.Network(cells=cells(n), p=ch.Projection(pre, post, synapse, connect, **{"weight": "1 nS"} | given))


def table(net) -> dict[tuple[int, int], tuple[float, float]]:
    e = net["p"].edges
    return {
        (int(s), int(t)): (float(w), float(d))
        for s, t, w, d in zip(e.sources, e.targets, e.weights, e.delays, strict=True)
    }


def test_arrays_beside_edges_are_in_the_order_of_the_edges_given():
    """[7, 2, 5] -> [1, 2, 3] with 70, 20, 50 nS gave 2 -> 2 the 70."""
    wanted = {(7, 1): (70, 7), (2, 2): (20, 2), (5, 3): (50, 5)}
    weight, delay = ([70, 20, 50], "nS"), ([7, 2, 5], "ms")
    rule = ch.from_arrays([7, 2, 5], [1, 2, 3])
    assert table(net(rule, weight=weight, delay=delay)) == wanted
    assert table(net(ch.from_arrays([7, 2, 5], [1, 2, 3], weights=[7, 2, 5], delays=delay), weight="10 nS")) == wanted
    changed = net(rule, weight="1 nS").replace(**{"p.weight": weight, "p.delay": delay})
    assert table(changed) == wanted
    assert net(rule, weight=weight)["p"].edges.unit == "nS"
    shifted = net(rule, weight=weight, delay=delay, pre="cells[:8]", post="cells[2:6]")
    assert table(shifted) == {(s, t + 2): x for (s, t), x in wanted.items()}


def test_they_are_delivered_so():
    given = ch.SpikeSource(8, times=([1.0, 1.0, 1.0], "ms"), neurons=[7, 2, 5])
    made = ch.Network(
        s=given, cells=cells(),
        p=ch.Projection("s", "cells", ch.synapse("Expon", tau="1e9 ms"), ch.from_arrays([7, 2, 5], [1, 2, 3]), weight=([70, 20, 50], "nS"), delay=([0.7, 0.2, 0.5], "ms")),
    )  # fmt: skip
    g = ch.simulate(made, "2 ms", dt="0.1 ms", record="p.g")["p.g"]
    for target, weight, arrives in ((1, 70, 17), (2, 20, 12), (3, 50, 15)):
        assert g[arrives - 1, target] == 0
        assert g[arrives:, target] == pytest.approx(weight, rel=1e-7)


def matrix(form):
    dense = np.zeros((8, 8))
    dense[0, 3], dense[5, 1], dense[2, 2] = 1.0, 2.0, 3.0
    return ch.from_matrix(form(dense)), {(0, 3): 1.0, (5, 1): 2.0, (2, 2): 3.0}


@pytest.mark.parametrize(
    "rule",
    [
        lambda: (ch.from_arrays([5, 0, 2], [1, 3, 2], weights=[2, 1, 3]), matrix(np.asarray)[1]),
        lambda: matrix(np.asarray),
        lambda: matrix(sparse.csr_array),
    ],
)
def test_factors_stay_when_the_weight_is_another(rule, tmp_path):
    """2.0 for all stood in place of [2, 4, 6]: a sweep over a scale flattened a connectome."""
    connect, factors = rule()
    made = net(connect)
    for scale in (2.0, 0.5):
        changed = made.replace(**{"p.weight": (scale, "nS")})
        assert {k: w for k, (w, _) in table(changed).items()} == {k: scale * f for k, f in factors.items()}
        again = changed.replace(**{"p.weight": "3 nS"})
        assert {k: w for k, (w, _) in table(again).items()} == {k: 3 * f for k, f in factors.items()}
    ch.save(changed, tmp_path / "net.toml")
    loaded = ch.load(tmp_path / "net.toml")
    assert table(loaded) == table(changed)
    assert table(loaded.replace(**{"p.weight": "2 nS"})) == table(made.replace(**{"p.weight": "2 nS"}))
    sampled = made.replace(**{"p.weight": ch.lognormal("1 nS", "0.1 nS")})
    ratio = sampled["p"].weight / np.asarray([factors[k] for k in table(sampled)])
    assert np.ptp(ratio) > 0
    assert np.allclose(ratio, 1, atol=0.5)
    ch.save(sampled, tmp_path / "net.json")
    assert table(ch.load(tmp_path / "net.json")) == table(sampled)


def test_a_table_follows_what_is_changed_and_is_kept(tmp_path):
    made = net(ch.fixed_probability(0.4), weight=ch.uniform("1 nS", "2 nS"), delay=ch.uniform("1 ms", "2 ms"))
    ch.save(made, tmp_path / "net.toml")
    assert table(ch.load(tmp_path / "net.toml")) == table(made)
    changed = made.replace(**{"p.weight": "5 nS", "p.delay": "3 ms"})
    assert set(table(changed).values()) == {(5.0, 3.0)}
    assert table(changed).keys() == table(made).keys()
    for name, rule in {
        "out": ch.fixed_outdegree(3),
        "total": ch.fixed_total_number(9, multapses=False),
        "far": ch.distance_dependent(0.9, sigma=2, kernel="linear", periodic=True),
    }.items():
        own = net(rule)
        ch.save(own, tmp_path / f"{name}.toml")
        assert "from_arrays" not in (tmp_path / f"{name}.toml").read_text()
        assert table(ch.load(tmp_path / f"{name}.toml")) == table(own)
    placed = ch.Network(
        cells=cells(),
        positions={"cells": ch.grid(spacing="9 um")},
        p=ch.Projection("cells", "cells", "Expon", ch.distance_dependent(0.9, sigma="20 um"), weight="1 nS"),
    )
    ch.save(placed, tmp_path / "placed.toml")
    assert table(ch.load(tmp_path / "placed.toml")) == table(placed)


def test_what_is_not_there_is_said():
    with pytest.raises(ch.ModelError, match=r"the network has no 'q'\. It has cells, p"):
        net(ch.all_to_all())["q"]


# ---- junctions -----------------------------------------------------------------------------------------------------


def pairs(made) -> list[tuple[int, int]]:
    e = made["p"].edges
    return [(min(s, t), max(s, t)) for s, t in zip(e.sources.tolist(), e.targets.tolist(), strict=True)]


def junctions(rule, n=20, **given):
    return net(rule, "GapJunction", n=n, **given)


def test_a_pair_has_one_junction():
    """All of 20 to all were 380 of 190 pairs, of twice the conductance."""
    found = pairs(junctions(ch.all_to_all()))
    assert len(found) == len(set(found)) == 190
    found = pairs(junctions(ch.fixed_probability(0.3), n=100))
    assert len(found) == len(set(found))
    assert abs(len(found) - 0.3 * 4950) < 4.5 * np.sqrt(4950 * 0.21)
    for rule in (
        ch.fixed_indegree(6),
        ch.distance_dependent(0.8, sigma=3.0),
        ch.fixed_total_number(60, multapses=False),
    ):
        found = pairs(junctions(rule))
        assert len(found) == len(set(found)) > 20
    part = pairs(junctions(ch.all_to_all(), pre="cells[:12]", post="cells[8:]"))
    assert len(part) == len(set(part)) == 12 * 12 - 4 - 6  # four neurons are in both, their six pairs came twice


def test_a_matrix_of_junctions_is_symmetric():
    one = np.zeros((20, 20))
    one[2, 5], one[7, 3] = 4.0, 2.0
    assert sorted(pairs(junctions(ch.from_matrix(one + one.T)))) == [(2, 5), (3, 7)]
    assert sorted(pairs(junctions(ch.from_matrix(one)))) == [(2, 5), (3, 7)]
    with pytest.raises(ch.ModelError, match="other values above its diagonal than below"):
        junctions(ch.from_matrix(one + 2 * one.T))
    with pytest.raises(ch.ModelError, match="between the neurons 1 and 4 is given twice"):
        junctions(ch.from_arrays([1, 4], [4, 1]))


def test_an_array_on_synapses_that_are_drawn_anew_is_refused_with_a_way_out():
    """The error said no more than that there are 698 synapses and not 702."""
    given = net(ch.fixed_probability(0.3), n=40)
    n = given["p"].wiring.edges.n
    own = given.replace(**{"p.weight": (np.linspace(1, 3, n), "nS"), "p.delay": (np.linspace(0, 3, n), "ms")})
    with pytest.raises(ch.ModelError, match=rf"synapses of 'p' anew, but its weight and delay is an array for the {n}"):
        own.replace(seed=5)
    one = own.replace(**{"p.weight": "2 nS", "p.delay": ch.uniform("0 ms", "1 ms")}).replace(seed=5)  # the ways out
    assert one["p"].wiring.edges.n != n
    kept = net(ch.fixed_probability(0.3), n=40, seed=1)
    weights = np.linspace(1, 3, kept["p"].wiring.edges.n)
    kept = kept.replace(**{"p.weight": (weights, "nS")}).replace(seed=5)
    assert np.array_equal(kept["p"].edges.weights, weights)


def test_what_a_matrix_holds_is_what_there_is():
    """Zeros that a sparse matrix stores are no synapses, and what it stores twice is a sum, as in the dense one."""
    ij = np.array([0, 3, 3, 5]), np.array([1, 2, 2, 5])
    stored = sparse.coo_array((np.array([0.0, 1.0, 2.0, 4.0]), ij), shape=(8, 8))
    for form in (stored, stored.tocsr(), stored.toarray(), stored.toarray().tolist()):
        assert table(net(ch.from_matrix(form))) == {(3, 2): (3, 0), (5, 5): (4, 0)}
    assert table(net(ch.from_matrix(sparse.coo_array((np.ones(4, bool), ij), shape=(8, 8)))))[3, 2] == (1, 0)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda: ch.from_matrix(np.full((8, 8), np.nan)), "a matrix of finite numbers"),
        (lambda: ch.from_matrix(sparse.csr_array(np.diag([np.inf] * 8))), "a matrix of finite numbers"),
        (lambda: ch.from_matrix(np.eye(8) * 1j), "are bare numbers, by which"),
        (lambda: ch.from_matrix(sparse.csr_array(np.eye(8) * 1j)), "a matrix of finite numbers"),
        (lambda: ch.from_matrix(np.eye(8).astype(str)), "are bare numbers"),
        (lambda: ch.from_matrix([[1, 2], [3]]), "are bare numbers"),
        (lambda: ch.from_matrix([1, 2]), "not list of 1 dimensions"),
        (lambda: ch.from_arrays([1], [2], weights=([1.0], "nS")), "which has the unit, is multiplied"),
        (lambda: ch.from_arrays([1], [2], weights=["a"]), "which has the unit, is multiplied"),
    ],
)
def test_what_is_no_matrix_is_said(rule, said):
    with pytest.raises(ch.ModelError, match=said):
        rule()
