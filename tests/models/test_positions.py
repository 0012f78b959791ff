"""Where neurons stand, in a file: a network that is read draws what the one that was saved draws."""

import numpy as np
import pytest

import channelome as ch


def network(**projections: ch.Projection) -> ch.Network:
    cell, spread = ch.cell("PointNeuron_Brette2007"), np.random.default_rng(0).uniform(-500, 500, (40, 2))
    return ch.Network(
        seed=3, a=ch.cell("PointNeuron_Brette2007", size=(12, 10)), b=ch.cell("PointNeuron_Brette2007", size=40), c=cell,
        positions={"a": ch.grid(extent="1 mm", centre=("7 um", "-3 um")), "b": (spread, "um")}, **projections,
    )  # fmt: skip


def same(one: ch.Network, other: ch.Network) -> bool:
    return all(
        np.array_equal(x, y)
        for label in one.projections
        for x, y in zip(one[label].edges, other[label].edges, strict=True)
    )


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_positions_and_rules_in_um_are_kept_and_drawn_again_with_another_seed(suffix, tmp_path):
    near = ch.distance_dependent(0.8, sigma="150 um", reach="0.4 mm", kernel="exponential")
    sent = network(
        p=ch.Projection("a", "b", "Expon", near, weight=ch.lognormal("2 nS", "1 nS")),
        q=ch.Projection("a", "a", "Expon", ch.distance_dependent(0.8, sigma="150 um", periodic=True), weight="1 nS"),
    )
    ch.save(sent, tmp_path / f"net{suffix}")
    there = ch.load(tmp_path / f"net{suffix}")
    assert same(there, sent) and there["p"].wiring.given.connect == near
    assert same(there.replace(seed=5), sent.replace(seed=5)) and not same(there.replace(seed=5), sent)
    assert "distance_dependent" in (tmp_path / f"net{suffix}").read_text()


def test_of_functions_of_the_distance_a_file_holds_what_they_made(tmp_path):
    """The synapses too, since the values are theirs: another seed draws no others."""
    near = ch.distance_dependent(0.8, sigma="150 um")
    sent = network(
        p=ch.Projection("a", "b", "Expon", near, weight=ch.by_distance(lambda d: 1 + d / 100, "nS")),
        q=ch.Projection(
            "a", "b", "Expon", near, weight="1 nS", delay=ch.by_distance(lambda d: 0.5 + d / 300, "ms"), seed=4
        ),
        r=ch.Projection(
            "a", "b", "Expon", ch.distance_dependent(0.5, kernel=lambda d: np.exp(-d / 90), reach="300 um"), weight="1 nS"
        ),
    )  # fmt: skip
    ch.save(sent, tmp_path / "net.toml")
    there = ch.load(tmp_path / "net.toml")
    assert same(there, sent) and same(there.replace(seed=5), sent)
    assert np.ptp(there["p"].edges.weights) > 1 and np.ptp(there["q"].edges.delays) > 0.5


@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ('d = { spacing = "1 um" }', "there is no population 'd'"),
        ('a = { spacing = "1 mV" }', "positions"),
        ('a = { spacing = "1 um", extent = "1 um" }', r"positions.a: grid\(\) needs a spacing or an extent"),
        ("a = { x = [1, 2, 3] }", "unit"),
        ("a = { x = [1, 2, 3], y = [1, 2], unit = 'um' }", "positions.a cannot be built"),
        ("a = { x = [[1, 2, 3]], unit = 'um' }", "positions of 'a'"),
        ("a = { x = [1, 2], y = [3, 4], unit = 'um' }", "one row of 1 to 3 coordinates for each of 3 neurons"),
        ('a = { width = "1 um" }', "width"),
    ],
)
def test_positions_that_cannot_be_are_refused_by_name(positions, said, tmp_path):
    file = tmp_path / "net.toml"
    file.write_text(
        f'schema = 1\nkind = "Network"\n[populations]\na = {{ use = "PointNeuron_Brette2007", size = 3 }}\n[positions]\n{positions}\n'
    )
    with pytest.raises((ch.ModelError, ch.UnitError), match=said):
        ch.load(file)


def test_coordinates_of_many_neurons_are_no_more_lists_than_a_file_may_hold(tmp_path):
    points = np.random.default_rng(1).normal(size=(40_000, 3))
    sent = ch.Network(a=ch.cell("PointNeuron_Brette2007", size=40_000), positions={"a": (points, "mm")})
    ch.save(sent, tmp_path / "net.json")
    assert np.array_equal(ch.load(tmp_path / "net.json")._where["a"].points, sent._where["a"].points)
