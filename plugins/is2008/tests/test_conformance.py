from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-is2008"
