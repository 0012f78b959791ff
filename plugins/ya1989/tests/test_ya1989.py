"""IKNI_Ya1989: its time constant."""

import channelome as ch

NAME = "IKNI_Ya1989"


def test_tau_max_scales_the_time_constant():
    slow, fast = (ch.curves(ch.channel(NAME, tau_max=tau), "-35 mV").tau["p"] for tau in ("4 s", "1 s"))
    assert slow == 4 * fast
    assert abs(slow - 4000 / 4.3) < 1e-9
