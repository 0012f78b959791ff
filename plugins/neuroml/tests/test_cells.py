"""Cells beside NEURON, to which jNeuroML exports them; and what a cell cannot be."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from channelome_neuroml.cells import load_cell

import channelome as ch

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "neuron.json").read_text(encoding="utf-8"))
NML = HERE / "nml"
GIVEN, DENSITIES = KNOWN["given"], KNOWN["densities"]
LONE = json.loads((HERE / "lone_cells.json").read_text(encoding="utf-8"))


def run(cell, dt: float, record: list[str], stimulus) -> list[np.ndarray]:
    traces = ch.simulate(cell, "60 ms", dt=(dt, "ms"), stimulus=stimulus, record=record)
    every = round(0.5 / dt)
    return [np.squeeze(traces[name])[::every] for name in record]


def refined(cell, record: list[str], stimulus, dt: float) -> list[np.ndarray]:
    """Traces without the error of the step that goes with its square."""
    one, two = (run(cell, step, record, stimulus) for step in (dt, dt / 2))
    return [(4 * b - a) / 3 for a, b in zip(one, two, strict=True)]


def test_a_cell_of_one_segment_is_that_of_neuron():
    cell = ch.load(NML / "ball.cell.nml")
    assert isinstance(cell, ch.SingleCompartment)
    stimulus = ch.step("0.15 nA", start="10 ms", stop="50 ms")
    (V,) = refined(cell, ["V"], stimulus, 0.02)
    compared(V, "ball", "soma(0.5)._ref_v", 0.01)


def compared(found: np.ndarray, cell: str, what: str, tolerance: float) -> None:
    theirs = np.asarray(KNOWN[cell][what])
    assert np.ptp(theirs) > 100 * tolerance
    np.testing.assert_allclose(found[: len(theirs)], theirs, rtol=0, atol=tolerance)


def test_a_branched_cell_is_that_of_neuron():
    cell = load_cell(NML / "branched.cell.nml", discretise=ch.per_branch([1, 5, 7, 7]))
    stimulus = ch.at("soma", ch.step("0.3 nA", start="5 ms", stop="45 ms"))
    V, tip, calcium = refined(cell, ["soma.V", "dend[2](0.5).V", "ca.C_in"], stimulus, 0.02)
    compared(V, "branched", "soma_0(0.5)._ref_v", 0.01)
    compared(tip, "branched", "dend_2(0.5)._ref_v", 0.01)
    compared(calcium, "branched", "soma_0(0.5)._ref_cai", 1e-8)


@pytest.mark.parametrize("name", ["driven", *DENSITIES])
def test_densities_by_ghk_by_nernst_shifted_and_varied_are_those_of_neuron(name: str, tmp_path: Path):
    """channelDensityVShift and channelDensityNernst at the soma; in the dendrite channelDensityGHK, or one of Nernst or GHK that varies along it."""
    text = (NML / "driven.cell.nml").read_text(encoding="utf-8")
    assert GIVEN in text
    (tmp_path / "kv.channel.nml").write_bytes((NML / "kv.channel.nml").read_bytes())
    (tmp_path / "cell.nml").write_text(text.replace(GIVEN, DENSITIES.get(name, GIVEN)), encoding="utf-8")
    cell = load_cell(tmp_path / "cell.nml", discretise=ch.per_branch([1, 7]))
    stimulus = ch.at("soma", ch.step("0.5 nA", start="5 ms", stop="45 ms"))
    places = {"soma": "soma_0(0.5)", "dend(0.5)": "dend_0(0.5)"}
    records = [f"{place}.{what}" for what in ("V", "ca.C_in") for place in places]
    for record, found in zip(records, refined(cell, records, stimulus, 0.02), strict=True):
        place, what, tolerance = (
            (record.removesuffix(".V"), "_ref_v", 1e-3) if record.endswith("V") else (record[:-8], "_ref_cai", 1e-8)
        )
        compared(found, name, f"{places[place]}.{what}", tolerance)


def test_the_current_of_ghk2_is_that_of_its_definition(tmp_path: Path):
    """Jaffe et al. (1994) as NeuroML has it; jNeuroML's export of it to NEURON does not compile."""
    text = (NML / "driven.cell.nml").read_text(encoding="utf-8")
    ghk2 = GIVEN.replace("GHK", "GHK2").replace('permeability="2e-5 cm_per_s"', 'condDensity="0.4 mS_per_cm2"')
    (tmp_path / "kv.channel.nml").write_bytes((NML / "kv.channel.nml").read_bytes())
    (tmp_path / "cell.nml").write_text(text.replace(GIVEN, ghk2), encoding="utf-8")
    part = load_cell(tmp_path / "cell.nml").channels["caDend"]
    V, T, C_in, C_out = np.array([-91.3, -40.0, 0.7, 30.0]), 293.15 + 4, 3e-4, 2.0
    ca = ch.ion("CalciumFixed", C_in=(C_in, "mM"), C_out=(C_out, "mM")).view({}, T - 273.15)
    m = jnp.array([0.1, 0.4, 0.7, 0.9])
    half = 25 * T / 293.15 / 2
    driving = -half * (1 - C_in / C_out * np.exp(V / half)) * (V / half) / np.expm1(V / half)
    found = part.current({"m": m}, {"V": V, "celsius": T - 273.15, "ca": ca})
    np.testing.assert_allclose(found, 0.4 * m**2 * driving, rtol=1e-9)


@pytest.mark.parametrize("name", [one for one in LONE if one != "t"])
def test_shifts_and_numbers_of_channels_on_a_cell_of_one_segment_are_those_of_jlems(name: str):
    """Explicit steps of 0.001 ms are off by some 0.01 mV where V rises 50 mV."""
    with jax.enable_x64(True):
        traces = ch.simulate(load_cell(NML / "shifts.cell.nml", id=name), "40 ms", dt="0.01 ms", record=["V"])
    V = np.squeeze(traces["V"])[::200]
    assert np.ptp(V) > 0.1
    np.testing.assert_allclose(V, LONE[name][: len(V)], rtol=0, atol=0.02)


def test_a_shift_on_which_simulators_disagree_is_refused(tmp_path: Path):
    text = (NML / "shifts.cell.nml").read_text(encoding="utf-8")
    (tmp_path / "cell.nml").write_text(text.replace('vShift="17 mV" ion', 'vShift="23 mV" ion'), encoding="utf-8")
    with pytest.raises(
        ch.ModelError, match=r"vShift 23 mV, and its channel 'own' that of 17 mV: jLEMS takes the channel's"
    ):
        load_cell(tmp_path / "cell.nml", id="own_same")


def peopled(tmp_path: Path, population: str, **given):
    text = (NML / "driven.cell.nml").read_text(encoding="utf-8").replace(GIVEN, population)
    (tmp_path / "kv.channel.nml").write_bytes((NML / "kv.channel.nml").read_bytes())
    (tmp_path / "cell.nml").write_text(text, encoding="utf-8")
    return load_cell(tmp_path / "cell.nml", **given)


@pytest.mark.parametrize(
    ("where", "share"),
    [
        ('segment="1"', [0, 1]),
        ('segmentGroup="dendrite_group"', [0, 1]),
        ('segmentGroup="soma_group"', [1, 0]),
        ("", [1, 1]),
    ],
)
def test_a_number_of_channels_is_spread_evenly_over_its_part_of_a_cell(tmp_path: Path, where: str, share: list[int]):
    """What it lets through is that number times the conductance of one, and the cell is that with the density that this is."""
    population = (
        f'<channelPopulation id="some" ionChannel="leaky" number="20000" erev="-40mV" ion="non_specific" {where}/>'
    )
    cell = peopled(tmp_path, population, discretise=ch.per_branch([1, 7]))
    soma, dendrite = np.pi * 20 * 20, np.pi * 3 * 150
    area = float(np.dot(share, [soma, dendrite]))  # um^2; 20,000 of 10 pS are 0.2 uS
    density = f'<channelDensity id="some" ionChannel="leaky" condDensity="{2e4 / area!r} mS_per_cm2" erev="-40mV" ion="non_specific" {where}/>'
    same = peopled(tmp_path, density, discretise=ch.per_branch([1, 7]))
    one, other = (
        np.asarray(ch.simulate(each, "5 ms", dt="0.025 ms", record=["soma.V", "dend(0.5).V"])["soma.V"])
        for each in (cell, same)
    )
    assert np.ptp(one) > 1
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('number="5" segment="9"', "there is no segment 9"),
        ('number="5" segment="1" segmentGroup="soma_group"', "is on a segment and on a segmentGroup: say one"),
        ('number="-5"', "has -5 channels"),
        ('number="few"', "number"),
    ],
)
def test_a_number_of_channels_that_is_none_is_refused(tmp_path: Path, more: str, reason: str):
    with pytest.raises(ch.ModelError, match=reason):
        peopled(tmp_path, f'<channelPopulation id="some" ionChannel="leaky" erev="-40mV" ion="non_specific" {more}/>')
