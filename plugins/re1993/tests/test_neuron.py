"""ICaHT_Re1993 against Mainen's ca.mod and Destexhe's IL_gutnick.mod in NEURON."""

from pathlib import Path

from channelome.testing import check_golden


def test_curves_and_currents_are_those_of_both_mod_files_in_neuron():
    # 1e-9: with V held NEURON's integrator is exact at any step, so its error is that of rounding.
    check_golden(Path(__file__).with_name("neuron.json"), ["ICaHT_Re1993"], rtol=1e-9)
