"""The cell that comes with the package."""

import numpy as np

import channelome as ch


def test_it_is_a_pyramidal_cell_of_all_four_types():
    morph = ch.Morphology.example()
    assert repr(morph) == (
        "Morphology(pyramidal.swc: soma (1), axon (1), dend (20), apical (35); 4021.2 um, 12502 um^2)"
    )
    assert morph.notes == ()
    assert morph.distances[:, 1].max() > 600


def test_it_is_not_symmetric():
    morph = ch.Morphology.example()
    assert len(np.unique(np.round(morph.areas, 3))) == len(morph)
