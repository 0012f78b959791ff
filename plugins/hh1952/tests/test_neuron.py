"""The squid axon's channels against the hh mechanism in NEURON."""

from pathlib import Path

from channelome.testing import check_golden


def test_curves_and_currents_are_those_of_hh_in_neuron():
    # 1e-9: with V held NEURON's integrator is exact at any step, so its error is that of rounding.
    check_golden(Path(__file__).with_name("neuron.json"), ["INa_HH1952", "IK_HH1952"], rtol=1e-9)
