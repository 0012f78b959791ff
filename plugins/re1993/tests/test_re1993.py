"""ICaHT_Re1993: its speeds."""

import channelome as ch

NAME = "ICaHT_Re1993"


def test_the_speeds_are_one_at_23_degrees_and_can_be_given():
    warm = ch.curves(NAME, "-20 mV", celsius=23.0)
    given = ch.curves(ch.channel(NAME, phi_p=1.0, phi_q=2.0), "-20 mV")
    assert given.tau["p"] == warm.tau["p"]
    assert 2 * given.tau["q"] == warm.tau["q"]
