"""Every channel by name: found under each of its spellings, with the parameters of its paper, and checked by the kit where its pack is.

The channels of all installed first-party packs and of core are tested by being there.
"""

import re
from pathlib import Path

import pytest

import channelome as ch
from channelome.errors import ModelError, UnitError
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion
from channelome.registry import Entry, registry
from channelome.units import Unit

ROOT = Path(__file__).parents[1]
FIRST_PARTY = {"channelome", *(f"channelome-{path.name}" for path in (ROOT / "plugins").iterdir())}
CHANNELS = [e for e in registry.entries(kind="channel") if e.distribution.partition(" ")[0] in FIRST_PARTY]

PARAMETERS = {
    "INa_HH1952": "g_max V_sh phi",
    "INa_TM1991": "g_max V_sh",
    "INa_Ba2002": "g_max V_sh phi",
    "IK_HH1952": "g_max V_sh phi",
    "IK_TM1991": "g_max V_sh",
    "IKDR_Ba2002": "g_max V_sh phi",
    "IKA1_HM1992": "g_max V_sh phi_p phi_q",
    "IKA2_HM1992": "g_max V_sh phi_p phi_q",
    "IKK2A_HM1992": "g_max V_sh phi_p phi_q",
    "IKK2B_HM1992": "g_max V_sh phi_p phi_q",
    "IKNI_Ya1989": "g_max V_sh phi tau_max",
    "IK_Leak": "g_max",
    "ICaT_HM1992": "g_max V_sh phi_p phi_q",
    "ICaHT_HM1992": "g_max V_sh phi_p phi_q",
    "ICaT_HP1992": "g_max V_sh phi_p phi_q",
    "ICaL_IS2008": "g_max V_sh phi_p phi_q",
    "ICaHT_Re1993": "g_max V_sh phi_p phi_q",
    "ICaN_IS2008": "g_max E phi",
    "IAHP_De1994": "g_max alpha beta n phi",
    "Ih_HM1992": "g_max E phi",
    "Ih_De1996": "g_max E g_inc k2 Ca_half k4 V_sh phi",
    "IL": "g_max E",
    "IKL": "g_max E",
    "SodiumFixed": "E C_in C_out",
    "PotassiumFixed": "E C_in C_out",
    "CalciumFixed": "E C_in C_out",
    "CalciumDetailed": "C_out C_rest d tau",
    "CalciumFirstOrder": "C_out alpha beta",
}
"""Every class of the first release, and what a modeller may set of it."""

ALIASES = {
    # braincell 0.1.0, braincell.channel; it drops the leading I and takes the older names too
    "Na_HH1952": "INa_HH1952",
    "Na_TM1991": "INa_TM1991",
    "Na_Ba2002": "INa_Ba2002",
    "K_HH1952": "IK_HH1952",
    "K_TM1991": "IK_TM1991",
    "KDR_Ba2002": "IKDR_Ba2002",
    "KA1_HM1992": "IKA1_HM1992",
    "KA2_HM1992": "IKA2_HM1992",
    "KK2A_HM1992": "IKK2A_HM1992",
    "KK2B_HM1992": "IKK2B_HM1992",
    "KNI_Ya1989": "IKNI_Ya1989",
    "K_Leak": "IK_Leak",
    "CaT_HM1992": "ICaT_HM1992",
    "CaHT_HM1992": "ICaHT_HM1992",
    "CaT_HP1992": "ICaT_HP1992",
    "CaL_IS2008": "ICaL_IS2008",
    "CaHT_Re1993": "ICaHT_Re1993",
    "CaN_IS2008": "ICaN_IS2008",
    "AHP_De1994": "IAHP_De1994",
    "HCN_HM1992": "Ih_HM1992",
    "HCN_De1996": "Ih_De1996",
    # BrainPy 2.8.2, brainpy.dyn: the classes that take E from the ion
    "INa_HH1952v2": "INa_HH1952",
    "INa_TM1991v2": "INa_TM1991",
    "INa_Ba2002v2": "INa_Ba2002",
    "IK_HH1952v2": "IK_HH1952",
    "IK_TM1991v2": "IK_TM1991",
    "IKDR_Ba2002v2": "IKDR_Ba2002",
    "IKA1_HM1992v2": "IKA1_HM1992",
    "IKA2_HM1992v2": "IKA2_HM1992",
    "IKK2A_HM1992v2": "IKK2A_HM1992",
    "IKK2B_HM1992v2": "IKK2B_HM1992",
    "IKNI_Ya1989v2": "IKNI_Ya1989",
    "IAHP_De1994v2": "IAHP_De1994",
}
"""Other projects' spellings; BrainPy's other classes, and braincell's older ones, have our names."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_class_is_found_by_its_name_with_its_parameters(name: str):
    cls = registry.load(name)
    assert cls.__name__ == name
    assert issubclass(cls, Channel | Ion)
    assert set(PARAMETERS[name].split()) <= set(cls.parameters)


@pytest.mark.parametrize(("other", "name"), ALIASES.items())
def test_other_projects_spellings_mean_the_same_class(other: str, name: str):
    assert registry.find(other).name == name
    assert registry.load(other) is registry.load(name)
    assert type(ch.channel(other)) is registry.load(name)


def test_no_channel_and_no_spelling_is_missing_from_the_tables_above():
    channels = {name for name in PARAMETERS if issubclass(registry.load(name), Channel)}
    assert {entry.name for entry in CHANNELS} == channels
    assert {alias.name: entry.name for entry in CHANNELS for alias in entry.aliases} == ALIASES


@pytest.mark.parametrize("distribution", sorted({entry.distribution.partition(" ")[0] for entry in CHANNELS}))
def test_the_kit_checks_every_channel_where_its_pack_is(distribution: str):
    where = ROOT / "plugins" / distribution.removeprefix("channelome-") / "tests/test_conformance.py"
    text = (ROOT / "tests/kit/test_core.py" if distribution == "channelome" else where).read_text(encoding="utf-8")
    assert re.search(rf'\(PackTests\):\n    pack = "{distribution}"', text)


@pytest.mark.parametrize("entry", CHANNELS, ids=lambda entry: entry.name)
def test_a_parameter_without_its_unit_or_in_another_is_an_error_that_names_it(entry: Entry):
    checked = 0
    for parameter in registry.load(entry.name).parameters.values():
        if parameter.unit.is_dimensionless:
            continue
        other = "mM" if parameter.unit.dimension != Unit.parse("mM").dimension else "mV"
        for wrong in (1.0, (1.0, other), f"1 {other}"):
            with pytest.raises(UnitError, match=rf"{parameter.name} of {entry.name} .*{parameter.unit.symbol[:2]}"):
                ch.channel(entry.name, **{parameter.name: wrong})
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("entry", CHANNELS, ids=lambda entry: entry.name)
def test_a_cell_without_an_ion_that_the_channel_needs_is_one_sentence_at_build_time(entry: Entry):
    cls = registry.load(entry.name)
    own_reversal = "E" in cls.parameters
    needed = set(cls.reads) | (set() if own_reversal else set(cls.carries))
    ions = {"na": "SodiumFixed", "k": "PotassiumFixed", "ca": "CalciumFixed"}
    assert needed <= set(ions)
    ch.SingleCompartment(1, *(ions[species] for species in needed), it=entry.name, celsius=36.0)
    for species in needed:
        others = [ions[other] for other in needed - {species}]
        with pytest.raises(ModelError, match=f"'it' .*the ion '{species}', which the cell lacks: add") as error:
            ch.SingleCompartment(1, *others, it=entry.name, celsius=36.0)
        assert "\n" not in str(error.value)
