"""What an author writes: channels, ions, synapses, and the linear kinetics that they are made of."""
