"""Reading what strangers wrote, with a limit of memory: a process of its own that a blow-up ends, and that says what it cost.

    python tests/models/watched.py large
    python tests/models/watched.py fuzz [SECONDS [SEED]]

`large` reads each of `large_files.py`; `fuzz` reads documents that Hypothesis makes, and damaged files of runs, until the time is over.
Each document is read and built as ``channelome.load`` does: it is a model, or a `ChannelomeError`. Any other exception, one document that takes more than 2 s of
processor time, and memory that grows by more than 300 MB end the process with an error that shows the document. In the end it
prints how many documents there were, and the worst time and memory.
"""

import contextlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from hostile_runs import damaged as damaged_run
from hostile_runs import example, network_example, rewritten
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from models.documents import MODELS, broken
from models.large_files import files

from channelome.errors import ChannelomeError
from channelome.models.build import build
from channelome.registry.document import dump, parse_document
from channelome.registry.provenance import Model
from channelome.registry.schema import check_form

RUNS: list[tuple[bytes, Any]] = []
"""Two saved runs, and what loads them."""
SECONDS, MEMORY = 2.0, 300e6
SAVED = [(suffix, dump(table, suffix).encode()) for table in MODELS for suffix in (".toml", ".json")]


class Worst:
    """What reading has cost so far."""

    documents = 0
    seconds = 0.0
    title = ""


def resident(what: str = "VmRSS") -> float:
    """Memory of this process in bytes: now, or at its height (``VmHWM``)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(what))


class TooSlow(AssertionError):
    """A document that takes longer than it may."""


def read(suffix: str, raw: bytes, title: str = "") -> str:
    """Read one document: what it is, or what was said of it."""
    began, said = time.process_time(), "a model"
    try:
        table = parse_document(raw, suffix, "x")
        check_form(table, "x")
        build(Model(table, "x"))
    except ChannelomeError as error:
        said = str(error)
    except BaseException as error:
        raise AssertionError(f"{title or raw[:2000]!r}: {type(error).__name__}") from error
    took = time.process_time() - began
    Worst.documents += 1
    if took > Worst.seconds:
        Worst.seconds, Worst.title = took, title or repr(raw[:200])
    if took >= SECONDS:
        raise TooSlow(f"{title or raw[:2000]!r}: {took:.2f} s")
    assert said == "a model" or said.startswith("x"), said
    assert len(said) < 2_000, said
    return said


def large() -> None:
    for title, suffix, raw in files():
        before = resident()
        Path("/proc/self/clear_refs").write_text("5")  # the height is that of this one
        try:
            said = read(suffix, raw, title)
        except TooSlow:  # whose machine has other work: once more
            said = read(suffix, raw, title)
        print(
            f"{title + suffix:<36}{len(raw) / 1e6:6.2f} MB  {(resident('VmHWM') - before) / 1e6:5.0f} MB  {said[:100]}"
        )


TOKENS = st.sampled_from(
    ["[", "]", "{", "}", ",", ".", "=", ":", "\n", " ", "#", '"', "'", '"""', "'''", "\\", "\\u", "\\ud800", "0x", "0b", "0o", "_", "e", "-",
     "1", "9", "f", "a", "a.", "[a]", "[[a]]", "a=", '"a":', "1e", "nan", "inf", "true", "null", "1979-05-27", "\x00", "é", "\ufeff", "\r\n"]
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Pieces of the two languages, some of them many times over, up to about 300 kB."""
    pieces = draw(
        st.lists(
            st.tuples(st.lists(TOKENS, min_size=1, max_size=6), st.sampled_from([1, 1, 2, 17, 500, 50_000])), max_size=6
        )
    )
    return "".join("".join(unit) * min(times, 300_000 // len("".join(unit))) for unit, times in pieces).encode()[
        :1_000_000
    ]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A saved model some of whose bytes are others, gone, or there many times."""
    suffix, raw = draw(st.sampled_from(SAVED))
    found = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, max(len(found) - 1, 0)))
        last = min(first + draw(st.integers(0, 30)), len(found))
        piece = bytes(found[first:last])
        found[first:last] = draw(
            st.sampled_from([b"", piece * 2, piece * 5_000]) | st.binary(max_size=4) | TOKENS.map(str.encode)
        )
    return suffix, bytes(found[:1_000_000])


def wild() -> st.SearchStrategy[tuple[str, bytes]]:
    suffixes = st.sampled_from([".toml", ".json"])
    tables = st.sampled_from(MODELS).flatmap(broken).map(lambda table: (".json", json.dumps(table).encode()))
    return damaged() | st.tuples(suffixes, texts()) | tables | st.tuples(suffixes, st.binary(max_size=300))


def fuzz(seconds: float, first: int) -> None:
    began = time.monotonic()
    number = first
    while time.monotonic() - began < seconds:
        print(f"seed {number}", flush=True)
        some = settings(
            max_examples=100,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        runs(number, 50)
        seed(number)(some(given(wild())(lambda document: read(*document) and None)))()
        number += 1


def runs(first: int, n: int) -> None:
    """Read n damaged files of runs, of cells and of networks by turns."""
    rng = np.random.default_rng(first)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.npz")
        for k in range(n):
            raw, load = RUNS[k % 2]
            path.write_bytes((damaged_run if k % 4 < 2 else rewritten)(raw, rng))
            began = time.process_time()
            with contextlib.suppress(ChannelomeError):
                load(path)
            took = time.process_time() - began
            Worst.documents += 1
            assert took < SECONDS, f"run {k} of seed {first}: {took:.2f} s"


def main(what: str, *options: str) -> None:
    read(*SAVED[2])  # all that is imported late is there
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.npz")
        for run in (example(), network_example()) if what == "fuzz" else ():
            run.save(path)
            RUNS.append((path.read_bytes(), type(run).load))
    before = resident()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (int(pages * resource.getpagesize() + MEMORY),) * 2)
    began = time.monotonic()
    if what == "large":
        large()
    else:
        fuzz(*map(float, options[:1] or ("60",)), *map(int, options[1:] or ("0",)))
    print(
        f"{Worst.documents} documents in {time.monotonic() - began:.0f} s, at worst {Worst.seconds:.2f} s of one ({Worst.title}), "
        f"memory grew by {(resident('VmHWM') - before) / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("large", "fuzz"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
