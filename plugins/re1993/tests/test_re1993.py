"""ICaHT_Re1993 against its paper's formulas, and as every channel."""

from pathlib import Path

import channelome as ch
from channelome.testing import check_finite, check_golden, check_relaxation

NAME = "ICaHT_Re1993"


def test_curves_and_currents_are_those_of_the_formulas():
    check_golden(Path(__file__).with_name("golden.json"), [NAME])


def test_it_is_finite_in_value_and_slope():
    check_finite(NAME)


def test_it_relaxes_to_its_steady_state():
    check_relaxation(NAME)


def test_the_speeds_are_one_at_23_degrees_and_can_be_given():
    warm = ch.curves(NAME, "-20 mV", celsius=23.0)
    given = ch.curves(ch.channel(NAME, phi_p=1.0, phi_q=2.0), "-20 mV")
    assert given.tau["p"] == warm.tau["p"]
    assert 2 * given.tau["q"] == warm.tau["q"]
