from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-li2017"
