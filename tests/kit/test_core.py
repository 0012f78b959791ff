"""The channels, ions, synapses and solvers of core pass what packs must pass."""

from channelome.testing import PackTests


class TestCore(PackTests):
    pack = "channelome"
