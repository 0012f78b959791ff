"""LONGITUDINAL_DIFFUSION: along.json, which make_along.py wrote by NEURON, what stays, what a file must say and what is refused."""

import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from channelome_nmodl.load import load_all, understood
from channelome_nmodl.report import looked_at, told
from channelome_nmodl.text import NmodlError, source

import channelome as ch
from channelome.authoring import CurrentDensity, General
from channelome.formulas.write import module, names_of
from channelome.maths import FARADAY

HERE = Path(__file__).parent
SHELLS = (HERE / "mods/shells.mod").read_text(encoding="utf-8")
CYLINDER = ch.Morphology.from_table(
    {"unit": "um", "branches": [{"type": "dend", "points": [[0.0, 0.0, 0.0, 2.0], [27.0, 0.0, 0.0, 2.0]]}]}
)
TREE = (
    ch.Morphology.soma("8 um")
    .branch("dend", length="12 um", diameter=("3 um", "1 um"))
    .branch("apical", length="15 um", diameter=("4 um", "2 um"))
)


class Drive(General, ion="ca"):
    """A calcium current that is given."""

    amp: CurrentDensity = 0.0

    def density(self):
        return self.amp + 0.0


def build(comps, ion, amp, **given):
    return ch.MultiCompartment(comps, ion, ICa=Drive(amp=(amp, "uA/cm^2")), celsius=20, C="1e9 uF/cm^2", **given)


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def test_calcium_with_a_mobile_buffer_spreads_as_in_neuron():
    """The default is of second order in time: the limit of two steps is NEURON's to 1e-6 of the largest concentration."""
    theirs = np.asarray(json.loads((HERE / "along.json").read_text(encoding="utf-8")))
    comps = CYLINDER.discretise(ch.per_branch(9))
    cell = build(comps, ch.load_ion(HERE / "mods/shells.mod")(), np.where(np.arange(9) < 3, -10.0, 0.0))
    tables = []
    for dt in (0.1, 0.05):
        run = ch.simulate(cell, "20 ms", dt=(dt, "ms"), record="ca.C_in", every=round(0.5 / dt))
        tables.append(np.asarray(run["ca.C_in"])[[1, 4, 10, 40]])
    coarse, fine = (np.abs(table - theirs).max() / theirs.max() for table in tables)
    assert np.ptp(theirs[-1]) > 0.5 * theirs.max()
    assert fine < 5e-5
    assert coarse / fine == pytest.approx(4, abs=0.6)
    assert np.abs((4 * tables[1] - tables[0]) / 3 - theirs).max() < 1e-6 * theirs.max()


def test_what_diffuses_is_kept_over_shells_and_a_tree_of_many_diameters():
    """Free and bound, in the volume of each shell of each compartment."""
    comps = TREE.discretise(ch.max_length("3 um"))
    ion = ch.load_ion(HERE / "mods/shells.mod")(DCa="5 um^2/ms", cai0_ca_ion=(1e-4 * (1 + np.arange(len(comps))), "mM"))
    cell = build(comps, ion, np.zeros(len(comps)))
    names = [
        f"ca.{one}"
        for one in (
            "C_in",
            "ca_1",
            "ca_2",
            "ca_3",
            "cab_0",
            "cab_1",
            "cab_2",
            "cab_3",
            "cam_0",
            "cam_1",
            "cam_2",
            "cam_3",
        )
    ]
    run = ch.simulate(cell, "40 ms", dt="1 ms", record=names)
    shares = np.pi * np.array([11 / 144, 1 / 9, 1 / 18, 1 / 144])  # of a cylinder of diameter 1
    volume = comps.area * comps.diameter * np.tile(shares, 3)[:, None]
    held = np.sum([np.asarray(run[name]) * v for name, v in zip(names, volume, strict=True)], axis=(0, 2))
    np.testing.assert_allclose(held, held[0], rtol=1e-11)
    assert np.ptp(np.asarray(run["ca.C_in"])[-1]) < 0.9 * np.ptp(np.asarray(run["ca.C_in"])[0])


def test_compartments_have_their_own_diameter_and_a_point_is_given_one():
    (shells,) = load_all(HERE / "mods/shells.mod")
    with pytest.raises(ch.ModelError, match="depends on the diameter, and a point neuron has none: give it one"):
        ch.SingleCompartment(1, shells.cls(), celsius=20)
    point = ch.SingleCompartment(
        1, shells.cls(diameter="2 um"), ICa=Drive(amp="-10 uA/cm^2"), celsius=20, C="1e9 uF/cm^2"
    )
    one = build(CYLINDER.discretise(ch.per_branch(1)), shells.cls(), -10.0)
    a, b = (np.asarray(ch.simulate(cell, "2 ms", dt="0.0125 ms", record="ca.C_in")["ca.C_in"]) for cell in (point, one))
    np.testing.assert_allclose(a, b, rtol=1e-3)  # the second takes its steps in halves
    with pytest.raises(ch.ModelError, match="compartments have their own: leave diameter out"):
        build(CYLINDER.discretise(ch.per_branch(3)), shells.cls(diameter="2 um"), 0.0)
    with pytest.raises(ch.ModelError, match="says itself how it diffuses along a cell, and takes no D"):
        build(CYLINDER.discretise(ch.per_branch(3)), shells.cls(D="1 um^2/ms"), 0.0)


def test_coefficients_are_those_of_the_file_whatever_the_section_is_called():
    (shells,) = load_all(HERE / "mods/shells.mod")
    moves = shells.cls(DCa="0.3 um^2/ms", diameter="5 um").diffusing(5.0)
    assert {name: float(one.D) for name, one in moves.items()} == pytest.approx(
        {"C_in": 0.3, "ca_1": 0.3, "ca_2": 0.3, "ca_3": 0.3}
        | {f"{one}_{i}": 0.05 for one in ("m", "cam") for i in range(4)}
    )
    assert sum(float(moves[name].share) for name in ("C_in", "ca_1", "ca_2", "ca_3")) == pytest.approx(1)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("DCa*diam*diam*vr[i] { ca }", "DCa*diam*diam*vr[i]*ca[0] { ca }", r"line 20: LONGITUDINAL_DIFFUSION of ca\[0\], which diffuses along the cell, depends on ca\[0\]"),
        ("DCa*diam*diam*vr[i] { ca }", "DCa*diam*diam*ica { ca }", "line 20: .* depends on ica: a constant is read"),
        ("i, DB*diam*diam*vr[i] { m cam }", "DB { nothing }", None),
        ("diam*diam*vr[i] { ca b cab m cam }", "0*vr[i] { ca b cab m cam }", "its COMPARTMENT has no volume"),
        ("LONGITUDINAL_DIFFUSION i, DB", "if (diam > 1) { LONGITUDINAL_DIFFUSION i, DB*diam*diam*vr[i] { m } }\n LONGITUDINAL_DIFFUSION i, DB", "line 21: a derivative or a reaction that stands in an if"),
        ("cai = ca[0] }", "cai = ca[0]*diam }", r"line 20: ca\[0\] diffuses along the cell, and the concentration is another multiple of it at each diameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(old, new, reason):
    assert old in SHELLS
    text = source(SHELLS.replace(old, new), "it.mod")
    if reason is None:
        assert understood(text, HERE)
        return
    with pytest.raises(NmodlError, match=reason):
        understood(text, HERE)


def test_a_channel_does_not_depend_on_what_diffuses():
    text = SHELLS.replace("WRITE cai", "WRITE cai, ica").replace("METHOD sparse", "METHOD sparse ica = 1e-3*ca[2]")
    with pytest.raises(NmodlError, match=r"line 20: its current depends on ca\[\d\], which diffuses along the cell"):
        understood(source(text, "it.mod"), HERE)


def test_fluxes_of_a_reaction_are_those_of_the_last_one():
    """A pump's current is what its second reaction moves; what it brings out is not taken out of the cell again."""
    channel, ion = (one.cls for one in load_all(HERE / "mods/pumped.mod"))
    states = {"C_in": 3e-4, "pump": 2e-11, "loaded": 1e-11}
    first, last = 0.5 * 3e-4 * 2e-11 - 2e-4 * 1e-11, 2e-4 * 1e-11 - 1e-7 * 2e-11 * 2  # mol/cm2/ms
    carried = 1e3 * 2 * FARADAY * 1e6 * last  # uA/cm^2
    pump = ion(diameter="2 um")
    around = {"V": np.asarray(-60.0), "celsius": None, "ca": pump.view(states, 20.0)}  # pyright: ignore
    held = {name: np.asarray(value) for name, value in states.items() if name != "C_in"}
    assert float(channel().current(held, around)) == pytest.approx(carried, rel=1e-5)
    assert ion.variables == ("pump", "loaded", "C_in")
    moved = pump.slope({name: np.asarray(x) for name, x in states.items()}, carried)  # pyright: ignore
    assert float(moved["C_in"]) == pytest.approx(-first * 1e10 * 2, rel=1e-5)


def test_a_written_class_holds_no_whole_number_that_32_bits_do_not():
    parts = load_all(HERE / "mods/pumped.mod")
    text = module(names_of([one.plan for one in parts], "IPumped_Test2020"), "0" * 64)
    assert "10000000000.0" in text
    assert not re.search(r"(?<![\d.])\d{10,}(?![\d.])", text.replace("0" * 64, ""))


def test_what_stands_in_no_line_of_the_file_is_told_without_one():
    said = told(looked_at(HERE / "mods/shells.mod"))
    assert "cai0_ca_ion = 5e-05 mM (what NEURON has begun cai with" in said and "line 0" not in said
