"""Reconstructions from NeuroMorpho.org, Ascoli et al. (2007), doi:10.1523/JNEUROSCI.2055-07.2007: fetched once, kept with a checksum."""

import hashlib
import http.client
import json
import os
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .swc import decoded, parse

_TIMEOUT, _MOST = 30.0, 100 * 2**20
"""Seconds to wait for an answer; bytes that a reconstruction may have."""


def fetched(name: str, *, sha256: str | None, cache: str | Path | None, refresh: bool, server: str) -> Path:
    """The file of a neuron in the cache, fetched if it is not there; see `Morphology.from_neuromorpho`."""
    if not isinstance(name, str) or not re.fullmatch(r"[\w.+ -]+", name) or name.startswith("."):
        raise ModelError(f"'{name}' is no name of a neuron: letters, digits, - _ + . and spaces are.")
    if not isinstance(server, str) or not re.match(r"https?://", server):
        raise ModelError(f"server='{server}' is no address: it begins with https:// or http://.")
    folder = Path(cache) if cache is not None else _folder()
    path, record = folder / f"{name}.CNG.swc", folder / f"{name}.json"
    if refresh or not (path.is_file() and record.is_file()):
        about, data = _download(name, server.rstrip("/"))
        if sha256 is not None:
            _check(
                data,
                sha256,
                f"NeuroMorpho.org's file of '{name}'",
                "It has changed there, or sha256= is not that of this neuron.",
            )
        parse(decoded(data), about["url"])  # a page that says something else is not kept
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, data)
        _write(record, json.dumps({**about, "sha256": hashlib.sha256(data).hexdigest()}, indent=1).encode())
        return path
    data, kept = path.read_bytes(), _kept(record)
    _check(data, kept, f"the cached file '{path}'", "It was damaged or edited since it was fetched: use refresh=True.")
    if sha256 is not None:
        _check(data, sha256, f"the cached file '{path}'", "Use refresh=True, or correct sha256=.")
    return path


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "channelome" / "neuromorpho"


def _kept(record: Path) -> str:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(
            f"the record '{record}' of a cached reconstruction cannot be read: use refresh=True."
        ) from None


def _check(data: bytes, wanted: str, what: str, way: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != wanted.lower():
        raise ModelError(f"{what} has the SHA-256 {found}, not {wanted}. {way}")


def _download(name: str, server: str) -> tuple[dict[str, Any], bytes]:
    """What the server says of a neuron, and its standardised SWC file."""
    address = f"{server}/api/neuron/name/{urllib.parse.quote(name)}"
    answer = _get(address, f"NeuroMorpho.org knows no neuron '{name}': names are those of its pages, such as 'n120'.")
    try:
        about = json.loads(answer)
        archive, proper = str(about["archive"]), str(about["neuron_name"])
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{address} answered something that does not describe a neuron.") from None
    known = {
        key: about.get(key)
        for key in ("neuron_id", "neuron_name", "archive", "species", "reference_doi", "reference_pmid")
    }
    file = (
        f"{server}/dableFiles/{urllib.parse.quote(archive.lower())}/CNG%20version/{urllib.parse.quote(proper)}.CNG.swc"
    )
    return {**known, "url": file}, _get(file, f"NeuroMorpho.org has no standardised file of '{name}' at {file}.")


def _get(address: str, unknown: str) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": "channelome"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            data = answer.read(_MOST + 1)
            length = answer.headers.get("Content-Length", "")
    except urllib.error.HTTPError as error:
        code = error.code
        error.close()
        raise ModelError(unknown if code in (400, 404) else f"{address} answered {code} {error.reason}.") from None
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", str(error) or type(error).__name__)
        raise ModelError(
            f"{address} cannot be reached: {reason}. A file that you have is read by Morphology.from_swc."
        ) from None
    if len(data) > _MOST:
        raise ModelError(f"{address} sends more than {_MOST // 2**20} MiB, which is no reconstruction.")
    if length.isdigit() and len(data) < int(length):
        raise ModelError(f"{address} broke off after {len(data)} of {length} bytes: try again.")
    return data


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also where two processes do it at once."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    os.replace(file.name, path)
