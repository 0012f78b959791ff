"""The thalamic channels against .mod files that follow their papers, in NEURON. ICaHT has none: it is no paper's."""

from pathlib import Path

from channelome.testing import check_golden

NAMES = ["ICaT_HM1992", "IKA1_HM1992", "IKA2_HM1992", "IKK2A_HM1992", "IKK2B_HM1992", "Ih_HM1992"]


def test_curves_and_currents_are_those_of_the_mod_files_in_neuron():
    # 1e-9: with V held NEURON's integrator is exact at any step, so its error is that of rounding.
    check_golden(Path(__file__).with_name("neuron.json"), NAMES, rtol=1e-9)
