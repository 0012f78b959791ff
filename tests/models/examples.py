"""Models that tests of files share: small, and between them with everything that a file can hold."""

from typing import Any

import jax
import numpy as np

import channelome as ch


def small_network(**changes: Any) -> ch.Network:
    """Every kind of population and rule, sampled and given weights and delays, plasticity, gap junctions, seeds."""
    cells = ch.cell("PointNeuron_Brette2007", size=20, V=ch.normal("-65 mV", "5 mV", seed=1))
    two = np.array([[0, 1.5], [0.5, 0], [0, 2.0]])
    parts: dict[str, Any] = {
        "cells": cells,
        "sheet": ch.SingleCompartment((2, 3), IL=ch.channel("IL", g_max=(np.full((2, 3), 0.1), "mS/cm^2")), area="1e-5 mm^2"),
        "noise": ch.Poisson(3, rate=(np.array([1.0, 2.0, 3.0]), "Hz"), seed=4),
        "given": ch.SpikeSource(2, times=([3.0, 0.1], "ms"), neurons=[1, 0]),
        "E": "cells[:16]",
        "I": "cells[16:]",
        "odd": "E[1::2]",
        "exc": ch.Projection(
            "E", "cells", ch.synapse("Expon", tau="4 ms"), ch.fixed_probability(0.3, self_connections=True),
            weight=ch.normal("6 nS", "1 nS", seed=5), delay=ch.uniform("0 ms", "2 ms", seed=6),
            initial=ch.normal("40 nS", "15 nS", seed=7), plasticity=ch.plasticity("TsodyksMarkram", U=0.3), seed=8,
        ),
        "inh": ch.Projection("I", "odd", "GABAa", ch.fixed_indegree(3), weight="67 nS", delay="0.5 ms"),
        "near": ch.Projection("sheet", "sheet", "Alpha", ch.distance_dependent(0.8, sigma=1.5), weight="20 pA", frozen=True),
        "all": ch.Projection("noise", "sheet", "DualExpon", ch.all_to_all(), weight="0.1 mS/cm^2"),
        "one": ch.Projection("given", "cells[:2]", "NMDA", ch.one_to_one(), weight=(np.array([1.0, 2.0]), "nS")),
        "gap": ch.Projection("cells[:3]", "cells[3:5]", "GapJunction", ch.from_matrix(two), weight="1 nS"),
        "listed": ch.Projection("noise", "cells", "AMPA", ch.from_arrays([2, 0], [5, 6]), weight="1 nS", delay=([1.0, 2.0], "ms")),
    }  # fmt: skip
    return ch.Network(seed=3, **(parts | changes))


def reconstructed(**changes: Any) -> ch.MultiCompartment:
    """Parts everywhere, on regions, on several with other values and along the cell, an ion on a region, a cut that no rule makes."""
    morph = (
        ch.Morphology.soma("20 um")
        .branch("dend", length="100 um", diameter="2 um")
        .branch("apical", length="300 um", diameter=("4 um", "2 um"))
        .branch("tuft", type="apical", length="100 um", diameter="1 um", at="apical[0](1)")
        .branch("spiny", type=7, length="50 um", diameter="1 um", at="apical[0](0.5)")
        .named(far="distance > 200 um", most="far | apical")
    )
    parts: dict[str, Any] = {
        "INa": ch.on("soma | far", "INa_HH1952", g_max="100 mS/cm^2"),
        "IK": "IK_HH1952",
        "IL": [ch.on("soma", "IL", g_max="0.3 mS/cm^2"), ch.on("all - soma", "IL", g_max=ch.by_distance(lambda x: 0.1 + x / 1e3, "mS/cm^2"))],
        "Itip": ch.on("most", "IL", g_max=ch.normal("0.1 mS/cm^2", "0.02 mS/cm^2")),
        "Itwo": [ch.on("soma", "IL", E="-60 mV"), ch.on("tuft", "IL", E="-70 mV")],
        "ca": ch.on("dend | apical", "CalciumDetailed"),
    }  # fmt: skip
    options: dict[str, Any] = {
        "Ra": "150 ohm*cm", "C": "0.9 uF/cm^2", "V": ch.normal("-65 mV", "3 mV", seed=2), "V_th": "-10 mV", "celsius": 6.3,
        "size": 3, "discretise": ch.per_branch([1, 3, 5, 2, 1]), "spikes_at": "apical[0](0.9)",
    }  # fmt: skip
    return ch.MultiCompartment(
        morph, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"), **(options | parts | changes)
    )


def reconstructed_network(weight: Any = "1 nS") -> ch.Network:
    """Reconstructed cells among others, synapses at a place, at several and over a region."""
    listed = ch.from_arrays([0, 2], [1, 1], weights=[1.0, 2.0])
    return ch.Network(
        seed=5,
        pyr=reconstructed(),
        points=ch.cell("PointNeuron_Brette2007", size=4),
        noise=ch.Poisson(3, rate="200 Hz"),
        some="pyr[1:]",
        at=ch.Projection("noise", "some.apical[0](0.7)", "Expon", ch.all_to_all(), weight="1 nS", delay="0.5 ms"),
        tips=ch.Projection("points", "pyr.terminals", "AMPA", ch.fixed_probability(0.8), weight=weight),
        over=ch.Projection("noise", "pyr[:2].spread(dend | apical)", "GABAa", listed, weight="2 nS"),
        back=ch.Projection("pyr", "points", "AMPA", ch.all_to_all(), weight="1 nS"),
    )


def same(a: Any, b: Any) -> bool:
    """Whether two models are equal to the last bit: parameters, structure, connections."""
    leaves = [jax.tree.leaves(x) for x in (a, b)]
    numbers = len(leaves[0]) == len(leaves[1]) and all(map(np.array_equal, *leaves))
    if not isinstance(a, ch.Network):
        return numbers and jax.tree.structure(a) == jax.tree.structure(b)
    rest = (a.groups, a.seed, a.about, list(a.populations)) == (b.groups, b.seed, b.about, list(b.populations))
    return numbers and rest and all(_same_path(path, b.projections[label]) for label, path in a.projections.items())


def _same_path(a: Any, b: Any) -> bool:
    """Whether two pathways have the same connections, delays and kinds; their numbers are leaves of the network."""
    kinds = [(p.unit, p.frozen, p.wiring.pre, p.wiring.post, p.wiring.pre_first, type(p.synapse)) for p in (a, b)]
    arrays = [(p.wiring.edges.counts, p.wiring.edges.targets, np.asarray(p.wiring.delay)) for p in (a, b)]
    return kinds[0] == kinds[1] and all(map(np.array_equal, *arrays))
