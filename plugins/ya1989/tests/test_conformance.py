from channelome.testing import PackTests


class TestPack(PackTests):
    pack = "channelome-ya1989"
