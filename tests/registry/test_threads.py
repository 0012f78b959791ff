"""Threads share one registry: it is found once, and every name that any of them gives is there afterwards."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from channelome.errors import CollisionError
from channelome.registry import Registry
from channelome.registry.discovery import Switches

TURNS = 20
START = """
import json, sys, threading
sys.setswitchinterval(1e-6)
def together(count, work):
    barrier, found = threading.Barrier(count), [None] * count
    def run(k):
        barrier.wait()
        found[k] = work(k)
    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return found
"""


def said(code: str) -> object:
    """What `code` prints as JSON, in a process that has looked up nothing yet."""
    out = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def test_threads_that_look_up_first_at_once_find_one_registry():
    code = """
from channelome.registry import Registry
made, discover = [], Registry.discover
Registry.discover = staticmethod(lambda: made.append(1) or discover())
def look(k):
    from channelome.registry import registry
    return id(registry)
print(json.dumps([len(set(together(32, look))), len(made)]))
"""
    assert said(code) == [1, 1]


def test_what_threads_register_at_once_is_all_there():
    code = """
import channelome.authoring as author
from channelome.mechanisms.describe import describe
def make(k):
    from channelome.registry import registry
    cls = type(f"IMine{k}", (author.Ohmic,), {
        "conductance": lambda self, V: 0.1 + 0 * V, "__module__": f"script{k}", "__doc__": "Mine.",
    }, ion="k")
    registry.register(cls, kind="channel", table=describe(cls))
together(16, make)
from channelome.registry import registry
print(json.dumps([k for k in range(16) if f"IMine{k}" not in registry]))
"""
    assert said(code) == []


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("count", [16])
def test_looking_up_while_others_register_sees_every_name_whole(count: int):
    registry = Registry.discover([], Switches.from_environment({}))
    barrier = Barrier(count)

    def work(k: int) -> int:
        barrier.wait()
        for turn in range(TURNS):
            cls = type("Mine", (), {"__module__": f"notebook{k}", "__qualname__": f"Mine{k}"})
            registry.register(cls, name=f"Mine{k}", kind="channel", aliases=[f"Mein{k}_{turn}"])
            assert registry.load(f"Mine{k}") is cls  # replaced, and never away in between
            assert len(list(registry)) <= len(registry.entries())
        return k

    with ThreadPoolExecutor(count) as pool:
        assert sorted(pool.map(work, range(count))) == list(range(count))
    assert all(f"Mine{k}" in registry and f"Mein{k}_{turn}" in registry for k in range(count) for turn in range(TURNS))


class Slow(str):
    """An alias that takes its time to be looked at, so that others come in between."""

    def isidentifier(self) -> bool:
        time.sleep(0.002)
        return str.isidentifier(self)


def test_of_threads_that_want_one_name_one_has_it_and_the_others_are_told():
    registry = Registry.discover([], Switches.from_environment({}))
    barrier = Barrier(16)

    def work(k: int) -> bool:
        cls = type("Wanted", (), {"__module__": f"notebook{k}", "__qualname__": "Wanted"})
        barrier.wait()
        try:
            registry.register(cls, kind="channel", aliases=[Slow(f"Other{k}")])
        except CollisionError:
            return False
        assert registry.load("Wanted") is cls
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(work, range(16))) == 1
