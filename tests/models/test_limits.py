"""Limits that fit what they guard: bytes, digits, depth, neurons and synapses against the memory that is there."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models.documents import CELL, NETWORK

import channelome as ch
from channelome import memory
from channelome.models import extent
from channelome.networks.connect import Ends
from channelome.registry.hooks import hookimpl, plugged

WATCHED = Path(__file__).with_name("watched.py")
needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the limit of memory is Linux's")


def watched(*words: str, timeout: float) -> str:
    done = subprocess.run([sys.executable, WATCHED, *words], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@needs_proc
def test_any_file_of_a_megabyte_takes_less_than_2_s_and_300_MB():
    assert "documents in" in watched("large", timeout=300).splitlines()[-1]


@needs_proc
@pytest.mark.slow
def test_what_hypothesis_makes_takes_no_time_and_no_memory():
    last = watched("fuzz", "15", timeout=300).splitlines()[-1]
    assert int(last.split()[0]) >= 30, last


def network(**projection: Any) -> dict[str, Any]:
    """A network of 44,000 cells and one projection among them."""
    cells = {"size": 44_000, "C": "1 uF/cm^2", "V": "-65 mV"}
    given = {"pre": "a", "post": "a", "synapse": {"use": "Expon", "tau": "5 ms", "E": "0 mV"}, "weight": "1 mS/cm^2"}
    return {"schema": 1, "kind": "Network", "populations": {"a": cells}, "projections": {"p": given | projection}}


def test_synapses_that_no_memory_holds_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extent, "available", lambda: 16.0 * 2**30)
    table = network(connect={"rule": "all_to_all"})
    with pytest.raises(
        ch.ModelError, match=r"44,000 neurons and 1.94e\+09 synapses take about 21.6 GiB to build, and 16 GiB are free"
    ):
        ch.network(table)
    table = network(
        connect={"rule": "fixed_indegree", "k": 20_000},
        delay={"sample": "uniform", "low": 0, "high": 1, "unit": "ms", "seed": 1},
    )
    with pytest.raises(ch.ModelError, match=r"8.8e\+08 synapses take about 16.4 GiB"):
        ch.network(table)


def test_the_projections_of_a_file_are_counted_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extent, "available", lambda: math.inf)
    table = network(connect={"rule": "all_to_all"})
    table["projections"]["q"] = table["projections"]["p"]
    with pytest.raises(
        ch.ModelError, match=r"the table: the projections are of 3.87e\+09 synapses; 2e\+09 are the most"
    ):
        ch.network(table)


def test_drawn_values_that_no_memory_holds_are_refused(monkeypatch: pytest.MonkeyPatch):
    drawn = {"sample": "normal", "mean": -65, "std": 1, "unit": "mV", "seed": 1}
    monkeypatch.setattr(extent, "available", lambda: 300.0 * 2**20)
    with pytest.raises(
        ch.ModelError, match=r"the table: 10,000,000 neurons take about 381 MiB to build, and 300 MiB are free"
    ):
        ch.cell({"schema": 1, "size": 10**7, "C": "1 uF/cm^2", "V": drawn})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"populations": {"a": {"size": 10**7}, "b": {"size": 10**7}}, "projections": {"p": {"post": "b", "connect": {"rule": "fixed_probability", "p": 1e-30}}}},
         r"projections.p goes through 1e\+14 pairs; 1e\+13 are the most"),
        ({"populations": {f"p{k}": {} for k in range(5_001)}}, "has 5,002 populations; 5,000 are the most"),
        ({"groups": {**{f"g{k}": f"g{k + 1}" for k in range(1_200)}, "g1200": "a"}}, "groups.g0 is a part of a part of ...; 32 groups on one another"),
    ],
)  # fmt: skip
def test_what_would_take_for_ever_is_refused(change: dict[str, Any], said: str):
    table = network(connect={"rule": "one_to_one"})
    for section, parts in change.items():
        known = table.setdefault(section, {})
        for label, part in parts.items():
            known[label] = known[label] | part if label in known else part
    with pytest.raises(ch.ModelError, match=said):
        ch.network(table)


def test_groups_of_groups_are_parts_of_parts():
    cells = ch.SingleCompartment(130, C="1 uF/cm^2")
    parts = {f"g{k}": f"g{k + 1}[1:]" for k in range(90)}
    net = ch.Network(a=cells, g90="a", **parts)
    np.testing.assert_array_equal(net.indices("g89")[1], np.arange(1, 130))
    np.testing.assert_array_equal(net.indices("g0[::2]")[1], np.arange(90, 130, 2))
    with pytest.raises(ch.ModelError, match="parts of groups, 100 of one another at most"):
        ch.Network(a=cells, g1200="a", **{f"g{k}": f"g{k + 1}[:]" for k in range(1_200)})


def test_unions_of_unions_cost_what_they_name():
    doubled = {f"g{k}": f"g{k + 1}[:5] + g{k + 1}" for k in range(30)}
    net = ch.Network(a=ch.SingleCompartment(13, C="1 uF/cm^2"), g30="a", **doubled)
    np.testing.assert_array_equal(net.indices("g0")[1], np.arange(13))
    table = network(connect={"rule": "one_to_one"})
    table["groups"] = doubled | {"g30": next(iter(table["populations"]))}
    assert dict(ch.network(table).groups)["g0"] == doubled["g0"]


@pytest.mark.parametrize("p", [5e-324, 1e-300, 1e-30, 1e-19, 1e-18, 1e-17])
def test_a_probability_close_to_0_makes_no_synapse(p: float):
    n = np.arange(2_000)
    edges = ch.fixed_probability(p).edges(Ends(n, n, False, n[:, None], n[:, None]), np.random.default_rng(0))
    assert edges.n == 0
    with pytest.warns(UserWarning, match="'p' has no synapse"):
        net = ch.network(network(connect={"rule": "fixed_probability", "p": p}))
    assert net.projections["p"].wiring.edges.n == 0


@pytest.mark.parametrize(("p", "n"), [(1e-6, 4_000), (1e-3, 1_000), (0.3, 300)])
def test_the_number_of_synapses_is_binomial(p: float, n: int):
    index = np.arange(n)
    rng, rule = np.random.default_rng(3), ch.fixed_probability(p)
    counts = [rule.edges(Ends(index, index, False, index[:, None], index[:, None]), rng).n for _ in range(20)]
    mean, std = n * n * p, math.sqrt(n * n * p * (1 - p))
    assert abs(np.mean(counts) - mean) < 4 * std / math.sqrt(20)


class Rude:
    """A plugin whose importer ends the process."""

    @hookimpl
    def channelome_importers(self):
        def leave(path: Path) -> dict[str, Any]:
            raise SystemExit(3)

        return {".rude": leave}


def test_an_importer_that_ends_the_process_is_an_error(tmp_path: Path):
    (tmp_path / "x.rude").write_text("")
    with plugged(Rude()), pytest.raises(ch.ModelError, match=r"x.rude cannot be read by .*: SystemExit: 3"):
        ch.load(tmp_path / "x.rude")


@needs_proc
def test_the_memory_that_is_left_is_what_the_system_says():
    lines = Path("/proc/meminfo").read_text().splitlines()
    free = 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    assert memory.available() <= 1.1 * free
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30));"
        "from channelome.memory import available; print(available())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 0 < float(said) < 2**30
    assert memory.shown(1.5 * 2**30) == "1.5 GiB"
    assert memory.shown(2**20) == "1 MiB"


def test_models_within_the_limits_are_built():
    assert ch.cell(CELL).size == (2,)
    assert len(ch.network(NETWORK).populations) == 4
