from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-tm1991"
