"""IKNI_Ya1989 against its paper's formulas, and as every channel."""

from pathlib import Path

import channelome as ch
from channelome.testing import check_finite, check_golden, check_relaxation

NAME = "IKNI_Ya1989"


def test_curves_and_currents_are_those_of_the_formulas():
    check_golden(Path(__file__).with_name("golden.json"), [NAME])


def test_it_is_finite_in_value_and_slope():
    check_finite(NAME)


def test_it_relaxes_to_its_steady_state():
    check_relaxation(NAME)


def test_tau_max_scales_the_time_constant():
    slow, fast = (ch.curves(ch.channel(NAME, tau_max=tau), "-35 mV").tau["p"] for tau in ("4 s", "1 s"))
    assert slow == 4 * fast
    assert abs(slow - 4000 / 4.3) < 1e-9
