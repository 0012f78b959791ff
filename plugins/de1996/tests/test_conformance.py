from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-de1996"
