"""Cells from NeuroMorpho.org: a server on this machine answers as it does. What is fetched once is kept, checked, and never changes unseen."""

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import channelome as ch

TEXT = (Path(__file__).parent / "cells/pyramidal.swc").read_bytes()
ABOUT = {"neuron_id": 1, "neuron_name": "n120", "archive": "Turner", "species": "rat", "reference_doi": ["10.1000/x"]}


class Server:
    """What the server has, and what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {
            "/api/neuron/name/n120": json.dumps(ABOUT).encode(),
            "/dableFiles/turner/CNG%20version/n120.CNG.swc": TEXT,
        }
        self.asked: list[str] = []
        self.status = 200
        self.missing = 0
        """Bytes that are announced and do not come."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                page = outer.pages.get(self.path)
                status = 404 if page is None else outer.status
                self.send_response(status)
                self.send_header("Content-Length", str(len(page or b"") + outer.missing))
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    thread = threading.Thread(target=one.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.http.shutdown()
    thread.join()
    one.http.server_close()


def fetch(server: Server, cache: Path, name: str = "n120", **options: object) -> ch.Morphology:
    return ch.Morphology.from_neuromorpho(name, cache=cache, server=server.address, **options)  # pyright: ignore[reportArgumentType]


def test_a_cell_is_fetched_once_and_then_read_from_the_cache(server: Server, tmp_path: Path):
    morph = fetch(server, tmp_path)
    assert morph == ch.Morphology.from_swc(Path(__file__).parent / "cells/pyramidal.swc")
    assert server.asked == list(server.pages)
    server.http.shutdown()
    assert fetch(server, tmp_path) == morph
    record = json.loads((tmp_path / "n120.json").read_text())
    assert record["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert record["reference_doi"] == ["10.1000/x"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["n120.CNG.swc", "n120.json"]


def test_the_checksum_of_a_published_model_is_held(server: Server, tmp_path: Path):
    right = hashlib.sha256(TEXT).hexdigest()
    assert len(fetch(server, tmp_path, sha256=right.upper())) > 10
    with pytest.raises(
        ch.ModelError, match=rf"the cached file '.*n120.CNG.swc' has the SHA-256 {right}, not abc. Use refresh=True"
    ):
        fetch(server, tmp_path, sha256="abc")


def test_a_file_that_changed_on_the_server_is_not_kept(server: Server, tmp_path: Path):
    with pytest.raises(
        ch.ModelError, match=r"NeuroMorpho.org's file of 'n120' has the SHA-256 .*, not abc. It has changed there"
    ):
        fetch(server, tmp_path, sha256="abc")
    assert list(tmp_path.iterdir()) == []


def test_a_cached_file_that_was_edited_is_not_read(server: Server, tmp_path: Path):
    fetch(server, tmp_path)
    file = tmp_path / "n120.CNG.swc"
    file.write_bytes(TEXT.replace(b"8.5", b"9.5"))
    with pytest.raises(ch.ModelError, match=r"It was damaged or edited since it was fetched: use refresh=True"):
        fetch(server, tmp_path)
    assert len(fetch(server, tmp_path, refresh=True)) > 10
    assert file.read_bytes() == TEXT
    (tmp_path / "n120.json").write_text("{")
    with pytest.raises(ch.ModelError, match=r"the record '.*n120.json' of a cached reconstruction cannot be read"):
        fetch(server, tmp_path)


def test_the_cache_is_in_the_users_cache_folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ch.Morphology.from_neuromorpho("n120", server=server.address)
    assert (tmp_path / "channelome/neuromorpho/n120.CNG.swc").is_file()


def test_an_unknown_neuron_is_named(server: Server, tmp_path: Path):
    with pytest.raises(ch.ModelError, match=r"NeuroMorpho.org knows no neuron 'n121'"):
        fetch(server, tmp_path, "n121")


def test_a_neuron_without_a_file_is_named(server: Server, tmp_path: Path):
    del server.pages["/dableFiles/turner/CNG%20version/n120.CNG.swc"]
    with pytest.raises(ch.ModelError, match=r"has no standardised file of 'n120'"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_trouble_is_told(server: Server, tmp_path: Path):
    server.status = 503
    with pytest.raises(ch.ModelError, match=r"answered 503"):
        fetch(server, tmp_path)
    server.status = 200
    server.pages["/api/neuron/name/n120"] = b"<html>"
    with pytest.raises(ch.ModelError, match=r"answered something that does not describe a neuron"):
        fetch(server, tmp_path)


def test_a_file_that_breaks_off_or_is_none_is_not_kept(server: Server, tmp_path: Path):
    server.missing = 10
    with pytest.raises(ch.ModelError, match=r"broke off after \d+ of \d+ bytes: try again"):
        fetch(server, tmp_path)
    server.missing = 0
    server.pages["/dableFiles/turner/CNG%20version/n120.CNG.swc"] = b"<html>Sign in to this network</html>"
    with pytest.raises(ch.ModelError, match=r"n120.CNG.swc, line 1: 5 columns in '<html>Sign in"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(
        ch.ModelError, match=r"cannot be reached: .*A file that you have is read by Morphology.from_swc"
    ):
        ch.Morphology.from_neuromorpho("n120", cache=tmp_path, server="http://127.0.0.1:9")


@pytest.mark.parametrize("name", ["../n120", "a/b", "", ".hidden", "n120?x", None])
def test_a_name_that_is_none_asks_nobody(name: Any, server: Server, tmp_path: Path):
    with pytest.raises(ch.ModelError, match="is no name of a neuron"):
        fetch(server, tmp_path, name)
    assert server.asked == []


def test_an_address_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(ch.ModelError, match=r"server='file:///etc' is no address"):
        ch.Morphology.from_neuromorpho("n120", cache=tmp_path, server="file:///etc")


def test_names_with_blanks_are_quoted(server: Server, tmp_path: Path):
    server.pages = {
        "/api/neuron/name/" + urllib.parse.quote("cell 1+a"): json.dumps(ABOUT | {"neuron_name": "cell 1+a"}).encode(),
        "/dableFiles/turner/CNG%20version/" + urllib.parse.quote("cell 1+a") + ".CNG.swc": TEXT,
    }
    assert len(fetch(server, tmp_path, "cell 1+a")) > 10
