"""What `device.py` measures, by parts. A part yields its rows as it goes, so that one that is ended loses nothing.

    python benchmarks/device_parts.py SETTINGS

A row says `what` is measured, its `value` and `unit`; `bytes`, where there are any, are those of the state that the unit has to read and
write, and `core` whether the same is worth measuring on one core.
"""

import dataclasses
import functools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timing

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a process measures.

    Args:
        parts: their names, in order.
        lane: "device", or "core" for the same on one core of the machine's processor.
        dry: small sizes, of which nothing can be learned but that everything runs.
        pretend: run on a processor what channelome chooses for accelerators.
        reference: the file of results that the core computes, and the device is compared with.
    """

    parts: tuple[str, ...]
    lane: str
    dry: bool
    pretend: bool
    reference: str

    def of(self, *, device: Any, core: Any, dry: Any) -> Any:
        """What this process takes of three choices."""
        return dry if self.dry else core if self.lane == "core" else device


def row(what: str, value: float, unit: str, **more: Any) -> Row:
    return {"what": what, "value": value, "unit": unit, **more}


# ---- the card ------------------------------------------------------------------------------------------------------


def card(settings: Settings) -> Iterator[Row]:
    """How fast memory is read and written: what all else is bounded by."""
    import jax
    import jax.numpy as jnp

    x = jnp.ones(settings.of(device=1 << 29, core=1 << 27, dry=1 << 20), jnp.float32)
    run = timing.timed(functools.partial(jax.jit(lambda x: x * 1.5), x))
    seconds = statistics.median(timing.interleave({"copy": run}, 9)["copy"])
    yield row("memory read and written", 2 * x.nbytes / seconds / 1e9, "GB/s")
    tiny = timing.timed(functools.partial(jax.jit(lambda x: x * 1.5), jnp.ones(8)))
    yield row("the least call", statistics.median(timing.interleave({"": tiny}, 50)[""]) * 1e6, "us")


def tests(settings: Settings) -> Iterator[Row]:
    """Tests of engine, networks and cables, by files: how many passed; what did not is named."""
    wanted = ["tests/engine", "tests/network", "tests/cable"]
    if settings.dry:
        wanted = ["tests/engine/test_maths.py", "-k", "nernst_potential or linoid_has"]
    several = subprocess.run([sys.executable, "-c", "import xdist"], capture_output=True).returncode == 0
    command = [
        sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-W", "default", "-m", "not slow and not release and not thorough",
        "--continue-on-collection-errors", *(["-n", "6"] if several and not settings.dry else []), *wanted,
    ]  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            named = re.search(r"(tests/[\w/]+\.py)(::\S.*?)?(?= (?:PASSED|FAILED|ERROR|SKIPPED)|$| - )", line)
            said = re.search(r"\b(PASSED|FAILED|ERROR)\b", line)
            if not named or not said or (line.startswith(("FAILED", "ERROR")) and named[2]):
                continue  # the summary repeats what was said
            of = found.setdefault(named[1], {"passed": 0, "failed": []})
            if said[1] == "PASSED":
                of["passed"] += 1
            else:
                of["failed"].append((named[2] or "::collection").removeprefix("::"))
            yield row(named[1], of["passed"], "passed", failed=list(of["failed"]), replaces=True)
    if not found:
        raise RuntimeError(f"pytest ended with {run.returncode} and said nothing of any test")


# ---- speed ---------------------------------------------------------------------------------------------------------


def neurons(settings: Settings) -> Iterator[Row]:
    """ns per neuron and step of the TM1991 neuron: the compiled loop of a call of `simulate`."""
    import channelome_cell
    import jax
    import numpy as np

    sizes = settings.of(
        device={1: 4000, 1_000: 4000, 100_000: 2000, 1_000_000: 1000, 10_000_000: 200},
        core={1: 20_000, 1_000: 5000, 100_000: 60, 1_000_000: 8, 10_000_000: 2},
        dry={1: 50, 1_000: 20},
    )
    for n, steps in sizes.items():
        work = channelome_cell.prepare(n, steps)
        chunk, arguments = channelome_cell.program_of(work)
        steps = int(arguments[-1])
        state = sum(np.asarray(x).nbytes for x in jax.tree.leaves(arguments[3]))
        run = timing.timed(lambda chunk=chunk, arguments=arguments: chunk(*arguments))
        seconds = statistics.median(timing.interleave({"": run}, 3)[""])
        yield row(f"TM1991, N = {n:,}", seconds / n / steps * 1e9, "ns per neuron and step", bytes=2 * state / n)


def networks(settings: Settings) -> Iterator[Row]:
    """Steps a second of COBAHH, spikes recorded, and its rate."""
    import networks as cobahh

    sizes = settings.of(
        device={4_000: 2000, 40_000: 1000, 400_000: 500}, core={4_000: 1000, 40_000: 100, 400_000: 10}, dry={400: 50}
    )
    for n, steps in sizes.items():
        work = cobahh.whole_call(cobahh.network(n), steps)
        seconds = statistics.median(timing.interleave({"": timing.timed(work)}, 2)[""])
        yield row(f"COBAHH, N = {n:,}", steps / seconds, "steps/s", rate=work.rate)  # pyright: ignore


def delivery(settings: Settings) -> Iterator[Row]:
    """Microseconds a step of ways of delivery, 4,000 sources of 80 synapses, by spikes per step."""
    import deliveries

    counts = settings.of(device=(0, 4, 64, 400), core=(0, 4, 64, 400), dry=(4,))
    steps = 30 if settings.dry else deliveries.STEPS
    for found in deliveries.measure(1 if settings.dry else 3, counts=counts, steps=steps):
        yield row(f"{found['name']}, {found['spikes']} spikes", found["us"], "us per step")
    off = deliveries.same(steps)
    wrong = [f"ways of delivery differ by {off:.2g}"] if not off < 1e-4 else []
    yield row("largest difference between them", off, "relative", failed=wrong)


def cables(settings: Settings) -> Iterator[Row]:
    """Microseconds a step of cells of 770 compartments, and the gradient of so many by three conductances."""
    import cable

    length = cable.COARSE if settings.dry else cable.FINE
    cells = settings.of(device=(1, 64, 1_000, 10_000), core=(1, 64, 1_000), dry=(2,))
    for n in cells:
        short, long = (0.25, 0.75) if settings.dry or (settings.lane == "core" and n >= 1_000) else (1, 4)
        found = cable.steps(length, str(n) if n > 1 else "", short=short, long=long, rounds=3)
        each = n * found["compartments"]
        name = f"{n:,} cells of {found['compartments']:.0f} compartments"
        # V, three gates, and the two arrays of conductances of a tree
        yield row(
            name,
            found["us per step"],
            "us per step",
            bytes=each * 4 * (2 * 4 + 2),
            ns=found["us per step"] / each * 1e3,
        )
    for n in settings.of(device=(1, 64, 1_000, 10_000), core=(1, 64), dry=(1,)):
        duration = settings.of(device=2, core=2, dry=0.5)
        found = cable.gradient(length, str(n) if n > 1 else "", duration=duration, rounds=2)
        yield row(f"{n:,} cells, forward under jit", found["forward, us per step"], "us per step")
        for name in ("gradient", "along one"):
            yield row(f"{n:,} cells, {name}", found[f"{name}, forward runs"], "forward runs")


def sweep(settings: Settings) -> Iterator[Row]:
    """Squid axons that differ in their conductances: whole calls of `simulate`, spikes found."""
    import numpy as np

    import channelome as ch

    n = settings.of(device=1_000_000, core=100_000, dry=100)
    duration, dt = settings.of(device=50, core=2.5, dry=1), 0.025
    g = np.linspace(90, 150, n)
    parts = {
        "INa": ch.channel("INa_HH1952", g_max=(g, "mS/cm^2")), "IK": ch.channel("IK_HH1952"), "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"),
    }  # fmt: skip
    axons = ch.SingleCompartment(n, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"), celsius=6.3, **parts)
    spikes = 0

    def run() -> None:
        nonlocal spikes
        found = ch.simulate(axons, f"{duration} ms", dt=f"{dt} ms", stimulus="10 uA/cm^2", record=(), progress=False)
        assert found.spikes is not None
        spikes = len(found.spikes)

    seconds = statistics.median(timing.interleave({"": timing.timed(run)}, 2)[""])
    each = seconds / n / (duration / dt) * 1e9
    yield row("a sweep of squid axons", each, "ns per neuron and step",
              cells=n, seconds=seconds, spikes_each=spikes / n, bytes=2 * 4 * 4)  # fmt: skip


def compiling(settings: Settings) -> Iterator[Row]:
    """Seconds that a first call traces and compiles, and lines of the program."""
    import compile_cost

    for found in compile_cost.measure(() if settings.dry else (10, 40)):
        yield row(f"compile {found['cell']}", found["trace"] + found["compile"], "s", lines=found["lines"])
    yield from _cable_compiled(settings)


def _cable_compiled(settings: Settings) -> Iterator[Row]:
    import cable

    import channelome as ch

    for length in () if settings.dry else (cable.COARSE, cable.FINE, "1.3 um"):
        model, seconds = cable.cell(length), []
        for _ in range(2):
            begin = time.perf_counter()
            ch.simulate(model, "1 ms", dt="0.025 ms", stimulus=ch.at("soma", ch.step("1 nA")), record="soma.V")
            seconds.append(time.perf_counter() - begin)
        name = f"compile a cell of {len(model.compartments):,} compartments"
        yield row(name, seconds[0] - seconds[1], "s")


def peers(settings: Settings) -> Iterator[Row]:
    """Those that are installed, in the same rounds: points by BrainPy, braincell and Jaxley, and Jaxley's cells."""
    import cable
    import channelome_cell
    from peers import Peers

    there = Peers(sys.executable)
    for n, steps in settings.of(device={1_000: 2000, 100_000: 1000}, core={}, dry={100: 20}).items():
        ours = timing.timed(channelome_cell.stepping(channelome_cell.prepare(n, steps), options=True))
        for name, seconds in timing.interleave({"channelome": ours} | there.prepare(n, steps), 3).items():
            yield row(f"{name}, N = {n:,}", statistics.median(seconds) / n / steps * 1e9, "ns per neuron and step")
    there.close()
    yield row("peers there", len(there.versions), "of 3", versions=there.versions)
    try:
        import jaxley  # noqa: F401
    except ImportError:
        return
    for n in settings.of(device=("", "1000"), core=(), dry=("",)):
        found = cable.jaxley(cable.COARSE if settings.dry else cable.FINE, n)
        yield row(f"Jaxley, {n or 1} cells of {found['compartments']}", found["us per step"], "us per step")


# ---- a process -----------------------------------------------------------------------------------------------------


def measured(name: str) -> Callable[[Settings], Iterator[Row]]:
    """The part of that name; those that compare results are in a file of their own."""
    if name in ("reference", "agreement"):
        import device_agreement

        return getattr(device_agreement, name)
    return globals()[name]


def memory() -> Row:
    """The most that was in use: on the device where it counts, else by the process."""
    import jax

    held = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    if held is None:
        import networks as cobahh

        return row("most memory, of the process", cobahh._memory() / 2**30, "GiB")
    return row("most memory, on the device", held / 2**30, "GiB")


def about() -> Row:
    """The device as JAX sees it."""
    import jax

    return {"platform": jax.default_backend(), "kind": jax.devices()[0].device_kind, "jax": jax.__version__}


def main(text: str) -> None:
    """Run the parts that are asked for, and say each row in a line."""
    settings = Settings(**json.loads(text))

    def say(**said: Any) -> None:
        print("@" + json.dumps(said), flush=True)

    if settings.lane == "core" and not settings.dry:
        timing.pin()
    if any(name not in ("tests",) for name in settings.parts):
        import jax

        if settings.pretend:
            jax.default_backend = lambda: "gpu"
        say(about=about() | {"cores": len(os.sched_getaffinity(0))})
    for name in settings.parts:
        begin = time.perf_counter()
        say(begin=name)
        for found in measured(name)(settings):
            say(part=name, row=found)
        if name != "tests":
            say(part=name, row=memory())
        say(end=name, seconds=time.perf_counter() - begin)


if __name__ == "__main__":
    main(sys.argv[1])
