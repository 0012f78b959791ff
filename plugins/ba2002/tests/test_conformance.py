from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-ba2002"
