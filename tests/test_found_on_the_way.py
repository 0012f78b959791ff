"""What a new user stumbles over says what is wrong and how to go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from engine.models import hippocampal, squid

import channelome as ch
from channelome.authoring import (
    Array,
    Conductance,
    Factor,
    IonView,
    Ohmic,
    Permeability,
    Permeable,
    Rates,
    exp,
    param,
    rates,
    sigmoid,
)
from channelome.cli.main import main
from channelome.mechanisms.ions import CalciumDetailed, CalciumFixed, Nernst
from channelome.mechanisms.leak import IL
from channelome.testing import check_channel
from channelome.units import Unit, convert

MV = Unit.parse("mV")


# ---- names of the cell ---------------------------------------------------------------------------------------------


def build(**parts: Any) -> ch.SingleCompartment:
    return ch.SingleCompartment(2, "SodiumFixed", **parts)


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [
        ("V0", "-65 mV", "The initial voltage is V="),
        ("v_init", "-65 mV", "The initial voltage is V="),
        ("Cm", "1 uF/cm^2", "The capacitance is C="),
        ("temperature", "36 degC", "The temperature is celsius="),
        ("threshold", "-20 mV", "The threshold of spikes is V_th="),
        ("V0", -65.0, "The initial voltage is V="),
        ("g_max", "1 mS/cm^2", "Its own are size .*V_th.*celsius"),
    ],
)
def test_a_quantity_under_a_name_that_the_cell_has_not_is_told_the_name_that_it_has(label: str, value: Any, says: str):
    with pytest.raises(ch.ModelError, match=rf"'{label}' is no parameter of the cell.*{str(value)[:3]}.*{says}"):
        build(**{label: value})


@pytest.mark.parametrize("own", ["C", "V", "V_th", "area", "celsius", "size"])
@pytest.mark.parametrize("channel", ["INa_TM1991", IL, IL()], ids=["name", "class", "instance"])
def test_a_channel_under_a_name_that_is_the_cells_own_is_told_so(own: str, channel: Any):
    with pytest.raises(ch.ModelError, match=rf"'{own}' is the .* of the cell, and cannot be the label of the channel"):
        build(**{own: channel})


def test_a_size_given_twice_is_an_error_that_shows_both():
    with pytest.raises(ch.ModelError, match="size is given twice, as 2 and as size=3"):
        build(size=3)


def test_a_channel_in_place_of_the_capacitance_is_refused_by_replace_too():
    with pytest.raises(ch.ModelError, match="'C' is the capacitance of the cell"):
        squid().replace(C="IL")
    with pytest.raises(ch.ModelError, match=r"the cell has no 'V0'\. The initial voltage is V="):
        squid().replace(V0="-65 mV")


@pytest.mark.parametrize("label", ["self", "cls"])
def test_a_name_that_python_uses_is_a_label_like_any_other(label: str):
    assert build(**{label: "INa_TM1991"}).channels[label] == build(INa="INa_TM1991").channels["INa"]


# ---- units as they are printed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        ("\u00b5A/cm\u00b2", "uA/cm^2"),
        ("\u03bcA/cm^2", "uA/cm^2"),
        ("mS\u00b7cm\u207b\u00b2", "mS*cm^-2"),
        ("\u00b5m\u00b3", "um^3"),
        ("s\u207b\u00b9", "s^-1"),
        ("k\u03a9*cm\u00b2", "kohm*cm^2"),
        ("M\u2126", "Mohm"),
        ("\u00b0C", "degC"),
        ("\u2103", "degC"),
    ],
)
def test_a_unit_as_it_is_printed_is_the_plain_one(printed: str, plain: str):
    assert Unit.parse(printed) == Unit.parse(plain)


def test_printed_units_are_taken_wherever_a_unit_is_read(tmp_path: Path):
    assert convert("\u221265 mV", MV, "V") == -65.0
    assert IL(g_max="0.3 mS\u00b7cm\u207b\u00b2") == IL(g_max="0.3 mS/cm^2")
    assert ch.step("10 \u00b5A/cm\u00b2") == ch.step("10 uA/cm^2")
    assert squid(celsius="36 \u00b0C").celsius == squid(celsius=36.0).celsius == 36.0
    assert ch.simulate(squid(), "1000 \u00b5s", dt="0.1 ms").t[-1] == 1.0
    assert ch.function(lambda t: t, unit="\u00b5A/cm\u00b2").unit == "uA/cm^2"
    ch.save(squid(), tmp_path / "cell.toml")
    text = (tmp_path / "cell.toml").read_text().replace("uF/cm^2", "\u00b5F/cm\u00b2")
    (tmp_path / "cell.toml").write_text(text, encoding="utf-8")
    assert ch.load(tmp_path / "cell.toml").C == 1.0


# ---- temperatures and concentrations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("celsius", "says"),
    [(-300, "more than -273.15 degC"), (-273.15, "more than -273.15"), (309.15, "write '309.15 K'")],
)
def test_a_temperature_that_no_neuron_has_is_an_error(celsius: float, says: str):
    for make in (lambda: squid(celsius=celsius), lambda: squid().replace(celsius=celsius)):
        with pytest.raises(ch.UnitError, match=rf"celsius of SingleCompartment.*{says}"):
            make()
    with pytest.raises(ch.UnitError, match=says):
        ch.curves("INa_HH1952", (np.array([-65.0]), "mV"), celsius=celsius)


def test_a_temperature_in_kelvin_is_one_in_degrees():
    assert squid(celsius="309.15 K").celsius == pytest.approx(36.0, abs=1e-12)


def test_a_spread_of_temperatures_in_kelvin_is_one_in_degrees():
    warm = ch.normal("36 degC", "1 degC", seed=1)
    for same in (ch.normal("309.15 K", "1 K", seed=1), ch.normal("36 °C", "1000 mK", seed=1)):
        np.testing.assert_allclose(squid(3, celsius=same).celsius, squid(3, celsius=warm).celsius, rtol=1e-12)


def test_a_temperature_on_the_command_line_has_a_unit_or_none(tmp_path: Path):
    for given, says in (("400 K", "got 126.85"), ("309.15", "write '309.15 K'"), ("-300 °C", "more than -273.15 degC")):
        ran = CliRunner().invoke(main, ["plot", "IK_HH1952", f"--celsius={given}", "-o", str(tmp_path / "a.png")])
        assert ran.exit_code == 2 and says in ran.output


class ICaOpen(Permeable, ion="ca"):
    """A calcium leak by the GHK equation."""

    p_max: Permeability = 1e-5

    def permeability(self) -> Array:
        return self.p_max


CONCENTRATIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "Nernst, inside": (lambda: Nernst(species="k", C_in="0 mM", C_out="3 mM"), "C_in of Nernst must be more than 0 mM"),
    "Nernst, outside": (lambda: Nernst(species="k", C_in="140 mM", C_out="0 mM"), "C_out of Nernst"),
    "a pool at rest": (
        lambda: ch.SingleCompartment(1, CalciumDetailed(C_rest="0 mM"), IL=IL(), celsius=36),
        "C_rest of the ion 'ca'.*CalciumDetailed.*Nernst potential",
    ),
    "GHK, inside": (
        lambda: ch.SingleCompartment(1, CalciumFixed(C_in="0 mM"), ICa=ICaOpen, celsius=36),
        "C_in of the ion 'ca'.*GHK current of the channel 'ICa'",
    ),
    "GHK, outside, of one of two": (
        lambda: ch.SingleCompartment(2, CalciumFixed(C_out=([2.0, 0.0], "mM")), ICa=ICaOpen, celsius=36),
        "C_out of the ion 'ca'",
    ),
}


@pytest.mark.parametrize("case", CONCENTRATIONS)
def test_concentrations_of_0_have_no_nernst_potential_and_no_ghk_current(case: str):
    make, says = CONCENTRATIONS[case]
    with pytest.raises(ch.ChannelomeError, match=says):
        make()


# ---- sampled parameters of synapses --------------------------------------------------------------------------------


def pair(n_more: int = 0, **projection: Any) -> ch.Network:
    """Sources onto cells, beside `n_more` cells of the same structure, which become one block with them."""
    given = {"synapse": "Expon", "connect": ch.one_to_one(), "weight": "20 nS", "seed": 1} | projection
    parts: dict[str, Any] = {"more": hippocampal(n_more)} if n_more else {}
    source = ch.SpikeSource(3, times=([1.0, 1.0, 1.0], "ms"), neurons=[0, 1, 2])
    return ch.Network(source=source, **parts, cells=hippocampal(3), exc=ch.Projection("source", "cells", **given))


def V_of(net: ch.Network) -> np.ndarray:
    return ch.simulate(net, "10 ms", dt="0.1 ms", record="cells.V")["cells.V"]


SAMPLED = ch.synapse("Expon", E=ch.normal("-65 mV", "20 mV", seed=1), tau=ch.uniform("2 ms", "8 ms", seed=2))


@pytest.mark.parametrize("n_more", [0, 2])
def test_a_synapse_with_sampled_parameters_runs_as_each_of_its_cells_alone(n_more: int):
    net = pair(n_more, synapse=SAMPLED)
    synapse = net.projections["exc"].synapse
    assert np.ptp(synapse.E) > 1
    np.testing.assert_array_equal(synapse.E, pair(synapse=SAMPLED).projections["exc"].synapse.E)
    together = V_of(net)
    for i in range(3):
        alone = ch.synapse("Expon", E=(synapse.E[i], "mV"), tau=(synapse.tau[i], "ms"))
        np.testing.assert_allclose(together[:, i], V_of(pair(synapse=alone))[:, i], rtol=0, atol=1e-12)


def test_a_synapse_with_sampled_parameters_is_saved_as_the_sample_and_loaded_equal(tmp_path: Path):
    net = pair(synapse=SAMPLED)
    ch.save(net, tmp_path / "net.toml")
    assert 'sample = "normal"' in (tmp_path / "net.toml").read_text()
    again = ch.load(tmp_path / "net.toml")
    assert again.projections["exc"].synapse == net.projections["exc"].synapse
    np.testing.assert_array_equal(V_of(again), V_of(net))


def test_replaced_parameters_may_be_sampled_too(tmp_path: Path):
    net = pair(initial="1 nS").replace(
        **{
            "exc.E": ch.normal("-65 mV", "20 mV", seed=1),
            "exc.weight": ch.uniform("10 nS", "20 nS", seed=3),
            "exc.initial": ch.uniform("1 nS", "2 nS", seed=4),
        }
    )
    assert np.shape(net.projections["exc"].synapse.E) == (3,)
    assert len(np.unique(V_of(net)[-1])) == 3
    ch.save(net, tmp_path / "net.toml")
    np.testing.assert_array_equal(V_of(ch.load(tmp_path / "net.toml")), V_of(net))


def test_plasticity_with_a_sampled_parameter_has_one_for_each_source():
    U = ch.uniform("0.1", "0.9", seed=5)
    net = pair(plasticity=ch.plasticity("TsodyksMarkram", U=U))
    drawn = net.projections["exc"].plasticity.U
    fixed = [pair(plasticity=ch.plasticity("TsodyksMarkram", U=u)) for u in drawn]
    alone = np.stack([V_of(net)[:, i] for i, net in enumerate(fixed)], -1)
    np.testing.assert_allclose(V_of(net), alone, rtol=0, atol=1e-12)


def test_a_parameter_that_is_followed_at_the_sources_cannot_be_sampled():
    with pytest.raises(ch.ModelError, match="the synapse of the projection 'exc': beta of AMPA is one number for all"):
        pair(synapse=ch.synapse("AMPA", beta=ch.uniform("0.1 1/ms", "0.2 1/ms", seed=1)))
    net = pair(synapse=ch.synapse("AMPA", E=ch.normal("0 mV", "5 mV", seed=1)))
    assert len(np.unique(V_of(net)[-1])) == 3


def test_an_array_that_is_not_over_the_targets_is_refused():
    with pytest.raises(ch.ModelError, match=r"E has the shape \(2,\), but it belongs to each of \(3,\) neurons"):
        pair(synapse=ch.synapse("Expon", E=([0.0, 1.0], "mV")))


# ---- spikes of a lone cell -----------------------------------------------------------------------------------------

RUN: dict[str, Any] = {"dt": "0.05 ms", "stimulus": ([0.0, 10.0, 20.0], "uA/cm^2")}


@pytest.mark.parametrize(("record", "every"), [([], 1), ([], 10), (["INa.m"], 1), (["V"], 10)])
def test_spikes_of_a_lone_cell_are_always_there(record: list[str], every: int):
    asked = ch.simulate(squid(3), "50 ms", record=["spikes"], **RUN)
    traces = ch.simulate(squid(3), "50 ms", record=record, every=every, **RUN)
    assert traces.spikes == asked.spikes
    assert len(traces.spikes) > 5 and "spikes" not in traces


def test_spikes_that_nobody_recorded_are_those_of_the_run_also_in_its_second_part():
    first = ch.simulate(squid(3), "20 ms", record=[], **RUN)
    then = ch.simulate(squid(3), "30 ms", record=[], state=first.final, start="20 ms", **RUN)
    whole = ch.simulate(squid(3), "50 ms", record=["spikes"], **RUN).spikes
    both = np.concatenate([first.spikes.times, then.spikes.times])
    np.testing.assert_allclose(both, whole.times, rtol=0, atol=1e-9)
    assert then.spikes is then.spikes, "found once"


def test_a_cell_and_a_network_have_the_same_verbs():
    traces = ch.simulate(squid(3), "50 ms", record=[], **RUN)
    activity = ch.simulate(
        ch.Network(cells=squid(3)), "50 ms", dt="0.05 ms", stimulus={"cells": RUN["stimulus"]}, record=[]
    )
    np.testing.assert_array_equal(traces.counts(), activity.counts("cells"))
    np.testing.assert_array_equal(traces.counts(), traces.spikes.counts)
    np.testing.assert_array_equal(traces.rates(), activity.rates("cells"))
    np.testing.assert_array_equal(traces.rates(), traces.counts() * 20.0)
    # a network's spikes stand at the ends of their steps, a lone cell's are interpolated
    np.testing.assert_allclose(traces.intervals(), activity.intervals("cells"), rtol=0, atol=0.05)
    one = traces.spikes.of(1)
    np.testing.assert_allclose(traces.intervals()[: len(one) - 1], np.diff(one), rtol=0, atol=1e-12)


def test_traces_from_a_transformation_say_that_their_spikes_are_lost():
    traces = jax.jit(lambda: ch.simulate(squid(), "1 ms", dt="0.1 ms"))()
    for verb in (traces.rates, traces.counts, traces.intervals):
        with pytest.raises(ch.ModelError, match="lost in a JAX transformation"):
            verb()


# ---- what authors write --------------------------------------------------------------------------------------------


def test_an_instantaneous_gate_is_told_how_it_is_written():
    with pytest.raises(
        ch.DefinitionError,
        match=r"Instant\.m must return rates.*not an array.*at once has no state.*def conductance\(self, V",
    ):

        class Instant(Ohmic, ion="na"):
            """A gate without a state."""

            g_max: Conductance = 1.0

            def m(self, V: Array) -> Any:
                return sigmoid(V + 40, 5)

            def conductance(self, m: Array) -> Array:
                return self.g_max * m


class Moczydlowski(Ohmic, ion="k"):
    """A BK channel whose calcium binding depends on voltage by z F V / (R T).

    Moczydlowski & Latorre (1983), doi:10.1085/jgp.82.4.511.
    """

    g_max: Conductance = param(1.0, source="our choice")
    d1: Factor = param(0.84, source="Moczydlowski & Latorre 1983, doi:10.1085/jgp.82.4.511")
    d2: Factor = param(1.0, source="Moczydlowski & Latorre 1983, doi:10.1085/jgp.82.4.511")

    def o(self, V: Array, ca: IonView, celsius: Any) -> Rates:
        v = V * 96.48533 / (8.314463 * (273.15 + celsius))
        open_ = 0.28 * ca.C_in / (ca.C_in + 0.48e-3 * exp(-2 * self.d1 * v))
        return rates(alpha=open_, beta=0.48 / (1 + ca.C_in / (0.13e-6 * exp(-2 * self.d2 * v))))

    def conductance(self, o: Array) -> Array:
        return self.g_max * o


def findings(cls: Any, check: str) -> list[str]:
    return [
        finding.message
        for finding in check_channel(cls).findings
        if finding.check == check and finding.status == "failed"
    ]


def test_rates_that_hold_z_f_over_r_t_are_no_mistake_of_temperature():
    assert findings(Moczydlowski, "temperature") == []


def test_a_docstring_of_one_word_is_told_that_it_is_too_short():
    class Short(Moczydlowski):
        """Persistent."""

    (message,) = findings(Short, "docstring")
    assert "'Persistent.', is too short" in message


# ---- stimuli -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.zeros(100), [0.0, 1.0], np.zeros((100, 1))], ids=["array", "list", "two axes"])
def test_a_bare_array_says_samples(values: Any):
    with pytest.raises(ch.UnitError, match=r"without a unit and a time.*samples\(\(values, 'nA'\), dt='0.1 ms'\)"):
        ch.simulate(squid(), "10 ms", dt="0.1 ms", stimulus=values)


def test_an_array_over_time_with_a_unit_alone_says_samples():
    with pytest.raises(ch.ModelError, match=r"the shape \(100,\), but the population has \(1,\).*samples\("):
        ch.simulate(squid(), "10 ms", dt="0.1 ms", stimulus=(np.zeros(100), "uA/cm^2"))


def test_an_empty_list_is_no_stimulus():
    with pytest.raises(ch.ModelError, match=r"the stimulus is empty.*leave stimulus= away"):
        ch.simulate(squid(), "10 ms", dt="0.1 ms", stimulus=[])


@pytest.mark.parametrize("other", [1, 2.5, "1 nA", (3.0, "nA")], ids=str)
def test_a_number_that_is_added_to_a_stimulus_says_step(other: Any):
    stimulus = ch.step("1 nA")
    for add in (lambda: stimulus + other, lambda: other + stimulus, lambda: stimulus - other, lambda: other - stimulus):
        with pytest.raises(
            ch.UnitError, match=r"a stimulus is added to another stimulus, and .* is none.*step\('2 nA'\)"
        ):
            add()
    assert sum([stimulus, stimulus]) == stimulus + stimulus
    with pytest.raises(TypeError, match="unsupported operand"):
        stimulus + squid()  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]


# ---- cells ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["size", "discretise"])
def test_what_is_said_when_a_cell_is_made_is_not_replaced(name: str):
    cell = ch.MultiCompartment(ch.Morphology.ball_and_stick(), IL="IL")
    with pytest.raises(ch.ModelError, match=f"no '{name}'. '{name}' is said when a cell is made.*make another"):
        cell.replace(**{name: 2})


def test_what_is_on_a_region_and_rules_of_discretising_can_be_hashed_and_compared():
    one, other = (ch.on("soma", "IL", g_max=(np.array([1.0, 2.0]), "mS/cm^2")) for _ in range(2))
    assert one == other and hash(one) == hash(other) and one != ch.on("soma", "IL")
    assert len({ch.per_branch(3, soma=1), ch.per_branch(3, soma=1), ch.per_branch(3, soma=2)}) == 2


def test_a_source_of_spikes_says_how_many_it_has():
    assert repr(ch.SpikeSource(3, times=([1.0, 2.0], "ms"), neurons=[0, 1])) == "SpikeSource(3, 2 spikes)"
