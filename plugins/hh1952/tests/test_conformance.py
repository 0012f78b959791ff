from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-hh1952"
