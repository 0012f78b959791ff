"""Rules of connection: what they promise, counted."""

import brainunit as u
import numpy as np
import pytest
from scipy import sparse

import channelome as ch
from channelome.errors import ModelError


def edges(connect, pre="cells", post="cells", size=400, grouped=True):
    """Sources and targets of the synapses between two groups, as numbers in `cells`."""
    groups = {"A": "cells[:100]", "B": "cells[100:]", "odd": "cells[1::2]"} if grouped else {}
    path = ch.Projection(pre, post, "Expon", connect=connect, weight="1 nS")
    net = ch.Network(cells=ch.cell("PointNeuron_Brette2007", size=size), **groups, p=path)
    wiring = net.projections["p"].wiring
    return wiring.edges.sources + wiring.pre_first, wiring.edges.targets


def test_fixed_probability_connects_that_share_of_pairs():
    sources, targets = edges(ch.fixed_probability(0.1))
    n = 400 * 399
    assert abs(sources.size - 0.1 * n) < 4 * np.sqrt(n * 0.1 * 0.9)
    assert not np.any(sources == targets)
    assert np.unique(sources * 400 + targets).size == sources.size
    # each of 400 in-degrees is binomial: their variance is p (1 - p) n within its own spread
    variance = np.bincount(targets, minlength=400).var()
    assert abs(variance / (399 * 0.09) - 1) < 4 * np.sqrt(2 / 400)


def test_self_connections_are_explicit():
    sources, targets = edges(ch.fixed_probability(0.5, self_connections=True))
    assert abs(np.sum(sources == targets) - 200) < 4 * 10
    assert not np.any(np.equal(*edges(ch.all_to_all())))
    assert np.sum(np.equal(*edges(ch.all_to_all(self_connections=True)))) == 400


@pytest.mark.parametrize("k", [1, 37, 300, 399])
def test_fixed_indegree_is_exact(k):
    sources, targets = edges(ch.fixed_indegree(k))
    assert np.bincount(targets, minlength=400).tolist() == [k] * 400
    assert not np.any(sources == targets)
    assert np.unique(sources * 400 + targets).size == sources.size
    if k == 37:  # sources are drawn evenly
        assert abs(np.bincount(sources, minlength=400).var() / (37 * (1 - 37 / 399)) - 1) < 4 * np.sqrt(2 / 400)


def test_multapses_are_explicit():
    sources, targets = edges(ch.fixed_indegree(500, multapses=True))
    assert np.bincount(targets, minlength=400).tolist() == [500] * 400
    assert np.unique(sources * 400 + targets).size < sources.size
    with pytest.raises(ModelError, match=r"fixed_indegree\(500\) has only 399 source neurons .* multapses=True"):
        edges(ch.fixed_indegree(500))


def test_one_to_one_and_all_to_all():
    sources, targets = edges(ch.one_to_one(), "cells[:5]", "cells[10:15]")
    assert sources.tolist() == [0, 1, 2, 3, 4]
    assert targets.tolist() == [10, 11, 12, 13, 14]
    with pytest.raises(ModelError, match="groups of one size, but they have 100 and 300"):
        edges(ch.one_to_one(), "A", "B")
    sources, targets = edges(ch.all_to_all(), "A", "B")
    assert sources.size == 100 * 300
    assert (sources.max(), targets.min()) == (99, 100)


def test_distance_dependent_follows_its_kernel():
    """Over a sheet of 30 x 30: the share of pairs at each distance beside ``p exp(-d^2 / 2 sigma^2)``."""
    sources, targets = edges(ch.distance_dependent(0.8, sigma=3.0), size=(30, 30), grouped=False)
    where = np.stack(np.divmod(np.arange(900), 30), axis=1)
    apart = np.sum((where[:, None] - where[None]) ** 2, axis=-1)
    connected = np.zeros((900, 900), bool)
    connected[sources, targets] = True
    assert not connected.diagonal().any()
    for squared in (1, 2, 4, 9, 16, 25):
        pairs = apart == squared
        p = 0.8 * np.exp(-squared / 18)
        n = pairs.sum()
        assert abs(connected[pairs].sum() - n * p) < 4 * np.sqrt(n * p * (1 - p)), squared
    assert connected[apart > 225].sum() < 10


def test_from_arrays_keeps_every_synapse_and_sorts_them():
    sources, targets = edges(ch.from_arrays([3, 0, 3, 3], [1, 2, 0, 1]), "cells[:5]", "cells[5:9]")
    assert sources.tolist() == [0, 3, 3, 3]
    assert targets.tolist() == [7, 5, 6, 6]
    with pytest.raises(ModelError, match="post holds 4, but its group has the neurons 0 to 3"):
        edges(ch.from_arrays([0], [4]), "cells[:5]", "cells[5:9]")
    with pytest.raises(ModelError, match="arrays of one length, got 2 sources and 1 targets"):
        ch.from_arrays([0, 1], [0])
    with pytest.raises(ModelError, match="whole numbers"):
        ch.from_arrays([0.5], [0])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.coo_matrix, sparse.csc_matrix])
def test_from_matrix_takes_weights_from_its_values(form):
    dense = np.zeros((3, 4))
    dense[0, 1], dense[2, 0], dense[2, 3] = 2.0, 0.5, 3.0
    net = ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=8),
        p=ch.Projection("cells[:3]", "cells[4:]", "Expon", connect=ch.from_matrix(form(dense)), weight="10 nS"),
    )
    path = net.projections["p"]
    assert path.wiring.edges.sources.tolist() == [0, 2, 2]
    assert path.wiring.edges.targets.tolist() == [5, 4, 7]
    assert np.asarray(path.weight).tolist() == [20, 5, 30]
    with pytest.raises(ModelError, match=r"the matrix is \(3, 4\), but the groups need \(pre, post\) \(400, 400\)"):
        edges(ch.from_matrix(form(dense)))


def test_a_group_with_gaps_connects_its_own_neurons():
    sources, targets = edges(ch.fixed_indegree(5), "odd", "odd")
    assert np.all(sources % 2 == 1)
    assert np.all(targets % 2 == 1)
    assert np.bincount(targets)[1::2].tolist() == [5] * 200
    assert not np.any(sources == targets)


def test_groups_that_overlap_in_part_have_no_self_connections():
    sources, targets = edges(ch.all_to_all(), "cells[:60]", "cells[40:80]")
    assert sources.size == 60 * 40 - 20
    assert not np.any(sources == targets)


def test_the_same_seed_gives_the_same_network_and_another_label_another():
    def net(seed, label="p"):
        cells = ch.cell("PointNeuron_Brette2007", size=200)
        path = ch.Projection(
            "cells", "cells", "Expon", ch.fixed_probability(0.1), weight=ch.uniform("1 nS", "2 nS", seed=5)
        )
        made = ch.Network(seed=seed, cells=cells, **{label: path}).projections[label]
        return made.wiring.edges.targets, np.asarray(made.weight)

    (first, weights), (again, weights_again) = net(3), net(3)
    assert np.array_equal(first, again)
    assert np.array_equal(weights, weights_again)
    for other in (net(4)[0], net(3, "q")[0]):
        assert other.size != first.size or not np.array_equal(first, other)


def test_weights_and_delays_have_one_entry_per_synapse():
    weights = np.arange(1.0, 4.0) * u.nS
    cells = ch.cell("PointNeuron_Brette2007", size=4)
    net = ch.Network(
        cells=cells,
        p=ch.Projection(
            "cells", "cells", "Expon", ch.from_arrays([0, 1, 2], [3, 3, 3]), weight=weights, delay=weights / u.nS * u.ms
        ),
    )
    assert net.projections["p"].wiring.delay_steps(0.1, "p").tolist() == [10, 20, 30]
    with pytest.raises(
        ModelError, match=r"weight of the projection 'p' has the shape \(3,\), but there are 2 synapses"
    ):
        ch.Network(
            cells=cells, p=ch.Projection("cells", "cells", "Expon", ch.from_arrays([0, 1], [3, 3]), weight=weights)
        )


@pytest.mark.parametrize("k", [1, 37, 300])
def test_fixed_outdegree_is_exact(k):
    sources, targets = edges(ch.fixed_outdegree(k), "A", "cells")
    assert np.bincount(sources, minlength=400).tolist() == [k] * 100 + [0] * 300
    assert not np.any(sources == targets)
    assert np.unique(sources * 400 + targets).size == sources.size
    if k == 37:  # targets are drawn evenly
        mean = 37 * 100 / 400
        assert abs(np.bincount(targets, minlength=400).var() / (mean * (1 - 37 / 400)) - 1) < 4.5 * np.sqrt(2 / 400)


@pytest.mark.parametrize("multapses", [True, False])
def test_fixed_total_number_is_exact(multapses):
    sources, targets = edges(ch.fixed_total_number(5000, multapses=multapses), "A", "cells")
    assert sources.size == 5000
    assert sources.max() < 100
    assert not np.any(sources == targets)
    assert (np.unique(sources * 400 + targets).size == 5000) is not multapses
    for ends, n in ((sources, 100), (targets, 400)):
        assert abs(np.bincount(ends, minlength=n).var() / (5000 / n) - 1) < 5 * np.sqrt(2 / n) + 5000 / 40_000
    whole, _ = edges(ch.fixed_total_number(20 * 19, multapses=False), "cells[:20]", "cells[:20]")
    assert whole.size == 380


def test_numbers_of_numpy_are_numbers():
    assert edges(ch.fixed_probability(np.float32(0.5)))[0].size == edges(ch.fixed_probability(0.5))[0].size
    assert edges(ch.fixed_indegree(np.int64(3)))[0].size == 1200


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ch.fixed_probability(1.5), "a probability from 0 to 1, not 1.5"),
        (lambda: ch.fixed_indegree(-1), "a whole number of synapses, not -1"),
        (lambda: ch.fixed_indegree(2.5), "a whole number of synapses, not 2.5"),
        (lambda: ch.fixed_outdegree(True), "a whole number of synapses, not True"),
        (lambda: edges(ch.fixed_outdegree(400)), r"fixed_outdegree\(400\) has too few target neurons"),
        (lambda: edges(ch.fixed_total_number(381, multapses=False), "cells[:20]", "cells[:20]"), "has only 380 pairs"),
        (lambda: ch.fixed_probability(float("nan")), "a probability from 0 to 1"),
        (lambda: ch.distance_dependent(0.5, sigma=0), "a positive sigma, not 0"),
        (lambda: ch.from_matrix([1, 2]), "needs a matrix, not list of 1 dimensions"),
        (lambda: edges(0.1), "connect must be a rule such as fixed_probability"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(ModelError, match=said):
        make()
