"""Ih_De1996 against the authors' Ih.mod in NEURON."""

from pathlib import Path

from channelome.testing import check_golden


def test_curves_and_currents_are_those_of_the_authors_mod_file_in_neuron():
    # 1e-8: NEURON's implicit steps are of first order; extrapolated from 0.1, 0.05 and 0.025 ms they err by less than that.
    check_golden(Path(__file__).with_name("neuron.json"), ["Ih_De1996"], rtol=1e-8)
