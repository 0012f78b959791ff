from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-hm1992"
