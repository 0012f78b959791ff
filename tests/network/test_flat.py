"""Synapses with weights of their own lie flat: the same as in rows, in no more memory than they are."""

from typing import Any

import jax
import numpy as np
import pytest
from cases import some_of

import channelome as ch
from channelome import sampled
from channelome.engine import wires
from channelome.sampled import Drawn
from channelome.streams import Stream

N = 300
LATE = {"delay": ch.uniform("0.5 ms", "5 ms")}
OWN = {"weight": ch.uniform("1 nS", "5 nS")}
SKEWED = ch.from_arrays(np.r_[np.zeros(250, int), np.arange(240)], np.r_[np.arange(250), np.arange(240)])
"""One source has most of the synapses, so that they are read in several turns."""
CASES: dict[str, dict[str, Any]] = {
    "no delay": {},
    "one delay": {"delay": "1 ms"},
    "own delays": LATE,
    "one source with many": {"connect": SKEWED},
    "plasticity": {"plasticity": ch.plasticity("TsodyksMarkram")},
    "AMPA": {"synapse": ch.synapse("AMPA")},
    "graded, by target": {"synapse": ch.synapse("GABAb")},
    "a source that sends several at once": {"pre": "noise"},
}
"""With weights of their own."""


def network(**given: Any) -> ch.Network:
    usual: dict[str, Any] = {
        "pre": "cells[:240]", "post": "cells", "synapse": "Expon", "connect": ch.fixed_probability(0.1), "weight": "3 nS",
    }  # fmt: skip
    return ch.Network(
        seed=5,
        cells=ch.cell("PointNeuron_Brette2007", size=N, V=ch.normal("-65 mV", "5 mV")),
        noise=ch.Poisson(40, rate="20 kHz"),
        exc=ch.Projection(**usual | given),
    )


def run(net: ch.Network, **given: Any) -> Any:
    return ch.simulate(
        net, "20 ms", dt="0.1 ms", stimulus={"cells": "0.3 nA"}, record="cells.V", progress=False, **given
    )


@pytest.mark.parametrize("case", some_of(CASES, "no delay", "own delays", "plasticity"))
def test_flat_synapses_do_what_those_in_rows_do(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(**CASES[case] | OWN)
    flat = run(net)
    assert net.projections["exc"].wiring.kept["rows"][1].starts is not None
    monkeypatch.setattr(wires, "_lies_flat", lambda path, lanes: False)
    in_rows = run(network(**CASES[case] | OWN))
    assert len(in_rows.spikes["cells"]) > 100
    assert np.array_equal(flat["cells.V"], in_rows["cells.V"])


def test_flat_synapses_are_walked_under_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.linspace(1, 5, network().projections["exc"].wiring.edges.n)

    @jax.jit
    def V(weights: Any) -> Any:
        return run(network().replace(**{"exc.weight": (weights, "nS")}))["cells.V"]

    flat = V(weights)
    jax.clear_caches()
    monkeypatch.setattr(wires, "_lies_flat", lambda path, lanes: False)
    assert np.array_equal(V(weights), flat)


def test_weights_and_delays_of_their_own_take_at_most_16_bytes_a_synapse() -> None:
    with jax.enable_x64(False):
        net = network(connect=ch.fixed_probability(0.5), **LATE, **OWN)
        run(net)
        path = net.projections["exc"]
        rows, weights = path.wiring.kept["rows"][1], path.wiring.kept["weights"][1][0]
        assert weights.unsafe_buffer_pointer() == path.weight.ctypes.data  # one memory for both
        held = path.wiring.edges.targets.nbytes + rows.targets.nbytes + weights.nbytes
        assert isinstance(path.wiring.delay, Drawn)
        assert held / path.wiring.edges.n < 14


def test_what_is_drawn_piece_by_piece_is_what_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "PIECE", 7)
    stream = Stream(3, "exc", "delay")
    width = np.sqrt(np.log1p((0.5 / 2) ** 2))
    cases = [
        (ch.uniform(1.0, 3.0), lambda rng: 1 + 2 * rng.random(100)),
        (ch.normal(2.0, 0.5), lambda rng: 2 + 0.5 * rng.standard_normal(100)),
        (ch.lognormal(2.0, 0.5), lambda rng: np.exp(np.log(2) - width**2 / 2 + width * rng.standard_normal(100))),
    ]
    for given, at_once in cases:
        drawn = Drawn(given, stream, 100)
        np.testing.assert_allclose(np.asarray(drawn), at_once(stream.generator()), rtol=1e-14)
        assert (drawn.lowest, drawn.highest) == (np.asarray(drawn).min(), np.asarray(drawn).max())
    bounded = ch.normal(2.0, 0.5, low=1.5, high=2.2)
    pieces = np.concatenate(list(bounded.pieces(100, stream)))
    monkeypatch.setattr(sampled, "PIECE", 1000)
    assert np.array_equal(pieces, bounded.over((100,), stream))


def test_delays_are_drawn_again_and_the_same() -> None:
    net = network(**LATE)
    first, second = net.projections["exc"].edges.delays, net.projections["exc"].edges.delays
    assert first is not second
    assert np.array_equal(first, second)
    assert 0.5 <= first.min() < 1 < 4.5 < first.max() <= 5
    with pytest.raises(ch.ModelError, match="at least 0 ms, got -"):
        network(delay=ch.normal("1 ms", "1 ms"))


def test_weights_of_a_seed_are_the_same_in_both_precisions_up_to_rounding() -> None:
    double = network(**OWN).projections["exc"].weight
    with jax.enable_x64(False):
        single = network(**OWN).projections["exc"].weight
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    assert np.array_equal(double.astype(np.float32), single)
