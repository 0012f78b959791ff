"""The channels of this pack against golden data, and against what every channel must do."""

from pathlib import Path

import pytest

from channelome.testing import check_finite, check_golden, check_relaxation

NAMES = ["ICaL_IS2008", "ICaN_IS2008"]


def test_channels_are_those_of_the_golden_data():
    check_golden(Path(__file__).parent / "golden.json", NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes_are_finite(name):
    check_finite(name)


@pytest.mark.parametrize("name", NAMES)
def test_steady_state_is_where_gates_stay_and_go(name):
    check_relaxation(name)
