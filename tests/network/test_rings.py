"""What waits in rings: that nothing is lost where many arrive at once, and that no ring is copied in a step."""

import re

import brainunit as u
import jax
import numpy as np
import pytest

import channelome as ch
from channelome.engine import loops, run

N = 300


def network(synapse: str, several: int = 1, **values) -> ch.Network:
    """Cells onto themselves; of each source so many synapses onto the first target."""
    pre = np.concatenate([np.repeat(np.arange(N), 5), np.zeros(several, int)])
    post = np.concatenate([np.random.default_rng(1).integers(1, N, 5 * N), np.zeros(several, int)])
    cells = ch.cell("PointNeuron_Brette2007", size=N)
    given = {name: value(pre.size) if callable(value) else value for name, value in values.items()}
    return ch.Network(cells=cells, p=ch.Projection("cells", "cells", synapse, ch.from_arrays(pre, post), **given))


def own(n: int):
    return np.random.default_rng(2).integers(3, 20, n) * 0.1 * u.ms


def some(n: int):
    return np.random.default_rng(3).uniform(0.5e-3, 1.5e-3, n) * u.nS


CASES = {
    "one delay": ("Expon", {"weight": "1 pS", "delay": "1 ms"}),
    "own delays": ("Expon", {"weight": "1 pS", "delay": own}),
    "own delays and weights": ("Expon", {"weight": some, "delay": own}),
    "a receptor, one delay": ("AMPA", {"weight": "1 pS", "delay": "1 ms"}),
    "a receptor, own delays": ("AMPA", {"weight": some, "delay": own}),
    "more synapses onto a target than 255": ("Expon", {"weight": "1 pS", "delay": own, "several": 300}),
}


def program(net: ch.Network, monkeypatch) -> tuple[str, list[tuple[int, ...]]]:
    """The compiled loop of a run, and the shapes of its rings."""
    loop, seen = loops.compiled_chunk(), []
    monkeypatch.setattr(run, "compiled_chunk", lambda lone: lambda *given: (seen.append(given), loop(*given))[1])
    ch.simulate(net, "1 ms", dt="0.1 ms", stimulus={"cells": "0.3 nA"})
    rings = [x.shape for x in jax.tree.leaves(seen[0][3].carry.rings)]
    return loop.lower(*seen[0]).compile().as_text(), rings


def copied(text: str) -> list[int]:
    """How many numbers each copy outside of the program's outermost computation has."""
    inner = text[: text.index("\nENTRY ")]
    shapes = re.findall(r"= \w+\[([\d,]*)\]\S* copy\(", inner)
    return [int(np.prod([int(n) for n in shape.split(",") if n], dtype=int)) for shape in shapes]


@pytest.mark.parametrize("case", list(CASES))
def test_no_ring_is_copied_in_a_step(case, monkeypatch):
    synapse, values = CASES[case]
    text, rings = program(network(synapse, **values), monkeypatch)
    assert len(rings) == 1 and copied(text)
    assert int(np.prod(rings[0])) not in copied(text)


@pytest.mark.parametrize("several", [1, 127, 128, 70_000])
def test_so_many_synapses_of_a_pair_weigh_so_much(several):
    """All of their spikes arrive in one step; 2.5 ms later, as their delay says. Two other delays, so that each has its own."""
    pre, post = np.zeros(several + 2, int), np.concatenate([np.ones(several, int), [2, 2]])
    late = np.concatenate([np.full(several, 2.5), [0.7, 4.0]])
    net = ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=3),
        p=ch.Projection("cells", "cells", "Expon", ch.from_arrays(pre, post), weight="1 pS", delay=late * u.ms),
    )
    stimulus = {"cells": np.array([0.5, 0, 0]) * u.nA}
    whole = ch.simulate(net, "20 ms", dt="0.1 ms", stimulus=stimulus, record="p.g")
    first = round(whole.spikes["cells"].of(0)[0] / 0.1)
    g = whole["p.g"][:, 1]
    assert not g[: first + 25].any()
    assert g[first + 25] == pytest.approx(several * 1e-3, rel=1e-12)
    begun = ch.simulate(net, ((first + 1) * 0.1, "ms"), dt="0.1 ms", stimulus=stimulus)
    gone_on = ch.simulate(net, "10 ms", dt="0.1 ms", stimulus=stimulus, record="p.g", state=begun.final)
    assert np.array_equal(gone_on["p.g"], whole["p.g"][first + 1 : first + 102])
