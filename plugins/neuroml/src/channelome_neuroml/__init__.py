"""NeuroML 2: channels, ions, synapses and cells."""
