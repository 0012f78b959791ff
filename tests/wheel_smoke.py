"""Run by CI with the wheels alone: what an editable install hides, such as a manifest left out of a wheel, fails here."""

import channelome as ch
from channelome.registry import registry

assert not list(registry.problems), list(registry.problems)
axon = ch.cell("SquidAxon_HH1952")
spikes = ch.simulate(axon, "100 ms", dt="0.025 ms", stimulus="10 uA/cm^2").spikes
assert spikes is not None
assert len(spikes) == 7, spikes
assert abs(spikes.times[6] - 90.018) < 0.01, spikes.times
cells = ch.cell("PointNeuron_Brette2007", size=10)
assert len(ch.simulate(cells, "50 ms", dt="0.1 ms", stimulus="0.4 nA").spikes) > 0
print("wheels work:", len(spikes), "spikes")
