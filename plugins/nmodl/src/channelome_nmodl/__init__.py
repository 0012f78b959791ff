"""Channels from NEURON's .mod files: read, understood, compared, written in the house style."""
