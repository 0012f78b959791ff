"""ICaT_HP1992 against Destexhe's IT2.mod in NEURON."""

from pathlib import Path

from channelome.testing import check_golden


def test_curves_and_currents_are_those_of_the_mod_file_in_neuron():
    # 1e-9: with V held NEURON's integrator is exact at any step, so its error is that of rounding.
    check_golden(Path(__file__).with_name("neuron.json"), ["ICaT_HP1992"], rtol=1e-9)
