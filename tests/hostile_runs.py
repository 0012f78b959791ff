"""Files of runs that were changed by hand or by chance: each is a run, or a `ModelError`, and takes no more than its room."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import channelome as ch


def example() -> ch.Traces:
    """A run of five squid axons, with spikes, a record of a gate and the last state."""
    axon = ch.cell("SquidAxon_HH1952", size=5)
    return ch.simulate(axon, "4 ms", dt="0.1 ms", stimulus="30 uA/cm^2", record=["V", "INa.m", "spikes"])


def network_example() -> ch.Activity:
    """A run of a network, with delayed spikes under way."""
    cells = ch.cell("PointNeuron_Brette2007", size=8)
    exc = ch.Projection(
        "cells", "cells", ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.all_to_all(), weight="6 nS", delay="1 ms"
    )
    net = ch.Network(cells=cells, E="cells[:4]", noise=ch.Poisson(3, rate="200 Hz", seed=1), exc=exc)
    return ch.simulate(net, "20 ms", dt="0.1 ms", stimulus={"cells": "0.5 nA"}, record=["cells.V"])


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def edited(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Rewrite the npz at `path`, its metadata and its arrays changed in place."""
    arrays: dict[str, Any] = arrays_of(path)
    metadata = json.loads(str(arrays.pop("metadata")))
    change(metadata, arrays)
    np.savez_compressed(path, metadata=np.array(json.dumps(metadata)), **arrays)


def with_member(path: Path, name: str, raw: bytes) -> None:
    """Rewrite the npz at `path` with these bytes in place of an array."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in (members | {name: raw}).items():
            archive.writestr(member, content)


def header(text: str) -> bytes:
    """An array of NumPy whose header is this text, without numbers."""
    raw = text.encode("latin1") + b"\n"
    return b"\x93NUMPY\x02\x00" + len(raw).to_bytes(4, "little") + raw


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """One to eight bits turned, a piece taken away or doubled."""
    found = bytearray(raw)
    for _ in range(int(rng.integers(1, 9))):
        found[int(rng.integers(len(found)))] ^= 1 << int(rng.integers(8))
    first = int(rng.integers(len(found)))
    piece = found[first : first + int(rng.integers(1, 40))]
    how = rng.integers(6)
    if how == 0:
        del found[first : first + len(piece)]
    elif how == 1:
        found[first:first] = piece
    return bytes(found)


def rewritten(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bits turned inside an array or the metadata, in an archive that is whole: its sums are those of what it holds now."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        one = names[int(rng.integers(len(names)))]
        for name in names:
            content = old.read(name)
            new.writestr(name, damaged(content, rng) if name == one else content)
    return out.getvalue()
