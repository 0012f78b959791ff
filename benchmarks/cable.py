"""What a step of a reconstructed cell costs, beside Arbor, NEURON and Jaxley where they are installed.

    python benchmarks/cable.py CASE [ARGUMENT ...]

The pyramidal cell of the package, the squid's channels everywhere, 1 nA at the soma, dt 0.025 ms. Each case is a process of its own,
pinned to one core, so that precisions and peers do not mix; microseconds a step are the difference of a run of 25 ms and one of 5.
"""

import functools
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing

HERE = Path(__file__).resolve().parent
SWC = HERE.parent / "core/src/channelome/morphology/pyramidal.swc"
DT, SHORT, LONG, ROUNDS = 0.025, 5, 25, 9
COARSE, FINE, HUGE = "40 um", "5.4 um", "0.4 um"
"""Longest compartments: some 150, 770, and 10,000."""


def per_step(
    run: Callable[[float], object], *, short: float = SHORT, long: float = LONG, rounds: int = ROUNDS
) -> float:
    """Microseconds a step: the median over rounds of the difference of a long run and a short one, in ms."""
    run(short), run(long)
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run(short)
        middle = time.perf_counter()
        run(long)
        found.append((time.perf_counter() - middle) - (middle - begin))
    return statistics.median(found) / ((long - short) / DT) * 1e6


# ---- ours ----------------------------------------------------------------------------------------------------------


def cell(longest: str, **given: Any) -> Any:
    """The cell of all cases."""
    import channelome as ch

    parts = {
        "INa": "INa_HH1952", "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV"),
    } | given  # fmt: skip
    morph = ch.Morphology.from_swc(SWC)
    potassium = ch.ion("PotassiumFixed", E="-77 mV")
    return ch.MultiCompartment(morph, "SodiumFixed", potassium, celsius=6.3, discretise=ch.max_length(longest), **parts)


def steps(
    longest: str, size: str = "", region: str = "", *, short: float = SHORT, long: float = LONG, rounds: int = ROUNDS
) -> dict[str, float]:
    """Microseconds a step, with V at the soma recorded."""
    import channelome as ch

    given: dict[str, Any] = {"size": int(size)} if size else {}
    if region:
        leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")
        given |= {"INa": ch.on(region, "INa_HH1952"), "IK": ch.on(region, "IK_HH1952"), "IL": ch.on(region, leak)}
    model = cell(longest, **given)

    def run(duration: float) -> object:
        stimulus = ch.at("soma", ch.step("1 nA", start="1 ms"))
        return ch.simulate(model, f"{duration} ms", dt=f"{DT} ms", stimulus=stimulus, record="soma.V", check=False)

    share = len(model.numbers("INa")) / len(model.compartments)
    return {
        "compartments": len(model.compartments),
        "share": share,
        "us per step": per_step(run, short=short, long=long, rounds=rounds),
    }


def loss_of(model: Any, duration: float) -> Callable[[Any], Any]:
    """The mean square of V at the soma over a run, of three conductances in mS/cm^2."""
    import jax.numpy as jnp

    import channelome as ch

    def loss(g: Any) -> Any:
        own = {"INa.g_max": (g[0], "mS/cm^2"), "IK.g_max": (g[1], "mS/cm^2"), "IL.g_max": (g[2], "mS/cm^2")}
        stimulus = ch.at("soma", ch.step("1 nA", start="1 ms"))
        run = ch.simulate(model.replace(**own), f"{duration} ms", dt=f"{DT} ms", stimulus=stimulus, record="soma.V")
        return jnp.mean((run["soma.V"] + 60) ** 2)

    return loss


def gradient(longest: str, size: str = "", *, duration: float = 20, rounds: int = 5) -> dict[str, float]:
    """How many forward runs the gradient by three conductances takes, the derivative along one, and what a forward step does."""
    import jax
    import jax.numpy as jnp

    from channelome.engine.loops import compiler_options

    model = cell(longest, **({"size": int(size)} if size else {}))

    loss = loss_of(model, duration)
    g = jnp.asarray([120.0, 36.0, 0.3])

    def along(g: Any) -> Any:
        return jax.jvp(loss, (g,), (jnp.asarray([1.0, 0.0, 0.0]),))

    runs = {
        name: timing.timed(functools.partial(jax.jit(f, compiler_options=compiler_options()), g))
        for name, f in {"forward": loss, "gradient": jax.grad(loss), "along one": along}.items()
    }
    seconds = timing.interleave(runs, rounds)
    return {
        "forward, us per step": statistics.median(seconds["forward"]) / (duration / DT) * 1e6,
        "gradient, forward runs": timing.ratio(seconds["gradient"], seconds["forward"]),
        "along one, forward runs": timing.ratio(seconds["along one"], seconds["forward"]),
    }


def memory(longest: str, size: str = "", *, duration: float = 1000) -> dict[str, float]:
    """MB of this process: before, at the peak of a run of 1 s, and at the peak of its gradient by three conductances; and what XLA says it
    needs for the gradient beside arguments and results."""
    import jax
    import jax.numpy as jnp

    from channelome.engine.loops import compiler_options

    model, before = cell(longest, **({"size": int(size)} if size else {})), _peak()

    loss = loss_of(model, duration)
    g = jnp.asarray([120.0, 36.0, 0.3])
    peaks, temporary = [], 0
    for f in (loss, jax.grad(loss)):
        compiled = jax.jit(f, compiler_options=compiler_options()).lower(g).compile()
        jax.block_until_ready(compiled(g))
        peaks.append(_peak())
        temporary = compiled.memory_analysis().temp_size_in_bytes  # pyright: ignore
    return {
        "compartments": len(model.compartments), "before, MB": before, "run, MB": peaks[0], "gradient, MB": peaks[1],
        "of the gradient by XLA, MB": temporary / 1e6,
    }  # fmt: skip


def _peak() -> float:
    """MB that this process has had at most."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def first(longest: str) -> dict[str, float]:
    """Seconds of this process from its beginning to the first trace, and of its parts."""
    import channelome as ch

    _ = ch.MultiCompartment  # and with it JAX
    begin = time.process_time()
    model = cell(longest)
    built = time.process_time()
    ch.simulate(model, "1 ms", dt=f"{DT} ms", stimulus=ch.at("soma", ch.step("1 nA")), record="soma.V")
    return {
        "compartments": len(model.compartments), "imports, s": begin, "build, s": built - begin, "first run, s": time.process_time() - built,
        "process, s": time.process_time(),
    }  # fmt: skip


# ---- peers, in their own environment -------------------------------------------------------------------------------


def arbor(longest: str) -> dict[str, float]:
    """Float64, first order."""
    import arbor as a
    from arbor import units as u

    decor = a.decor().set_property(Vm=-65 * u.mV, cm=0.01 * u.F / u.m2, rL=100 * u.Ohm * u.cm, tempK=279.45 * u.Kelvin)
    decor.paint('"all"', a.density("hh")).place("(location 0 0.5)", a.i_clamp(1 * u.ms, 1e9 * u.ms, 1 * u.nA))
    policy = a.cv_policy_max_extent(float(longest.split()[0]) * u.um)
    shape = a.load_swc_neuron(str(SWC)).morphology
    model = a.single_cell_model(a.cable_cell(shape, decor, a.label_dict({"all": "(all)"}), policy))
    return {"us per step": per_step(lambda duration: model.run(duration * u.ms, DT * u.ms))}


def neuron(longest: str) -> dict[str, float]:
    """Float64, first order."""
    from neuron import h

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.input(str(SWC))
    h.Import3d_GUI(reader, 0).instantiate(None)
    length = float(longest.split()[0])
    for section in h.allsec():
        section.nseg, section.Ra = max(1, int(-(-section.L // length))), 100
        section.insert("hh")
    h.celsius, h.dt, h.steps_per_ms = 6.3, DT, 1 / DT
    clamp = h.IClamp(h.soma[0](0.5))
    clamp.delay, clamp.dur, clamp.amp = 1, 1e9, 1

    def run(duration: float) -> object:
        h.finitialize(-65)
        return h.continuerun(duration)

    return {"compartments": sum(section.nseg for section in h.allsec()), "us per step": per_step(run)}


def _of_jaxley(longest: str) -> Any:
    """The cell, with compartments for each branch so that their number comes near."""
    import jaxley as jx
    from jaxley.channels import HH

    made = jx.read_swc(str(SWC), ncomp=max(1, round({COARSE: 3, FINE: 14}[longest])))
    made.insert(HH())
    made.set("axial_resistivity", 100.0)
    made.branch(0).loc(0.5).record(verbose=False)
    return made


def jaxley(longest: str, size: str = "") -> dict[str, float]:
    """Float32, first order."""
    import jax
    import jax.numpy as jnp
    import jaxley as jx

    made = _of_jaxley(longest)
    current = {T: jx.step_current(1.0, 1e9, 1.0, DT, T) for T in (SHORT, LONG)}

    def voltage(T: int, scale: Any) -> Any:
        data = made.branch(0).loc(0.5).data_stimulate(current[T] * scale)
        return jx.integrate(made, data_stimuli=data, delta_t=DT)

    run = {
        T: jax.jit(jax.vmap(lambda s, T=T: voltage(T, s)) if size else lambda s, T=T: voltage(T, s)) for T in current
    }
    scales = jnp.ones(int(size)) if size else jnp.asarray(1.0)
    us = per_step(lambda duration: jax.block_until_ready(run[int(duration)](scales)))
    return {"compartments": len(made.nodes), "us per step": us}


def jaxley_gradient(longest: str, *, duration: float = 20, rounds: int = 5) -> dict[str, float]:
    """Microseconds a step of its gradient by the same three conductances, with as many levels of checkpoints as its manual takes."""
    import jax
    import jax.numpy as jnp
    import jaxley as jx

    made, n = _of_jaxley(longest), round(duration / DT)
    for name in ("HH_gNa", "HH_gK", "HH_gLeak"):
        made.make_trainable(name, verbose=False)
    current = made.branch(0).loc(0.5).data_stimulate(jx.step_current(1.0, 1e9, 1.0, DT, duration))
    each = math.ceil(n**0.5)

    def loss(p: Any) -> Any:
        V = jx.integrate(made, params=p, data_stimuli=current, delta_t=DT, checkpoint_lengths=[each, each])
        return jnp.mean((V + 60) ** 2)

    runs = {
        name: timing.timed(functools.partial(jax.jit(f), made.get_parameters()))
        for name, f in {"forward": loss, "gradient": jax.grad(loss)}.items()
    }
    seconds = timing.interleave(runs, rounds)
    us = {f"{name}, us per step": statistics.median(found) / n * 1e6 for name, found in seconds.items()}
    return us | {"gradient, forward runs": timing.ratio(seconds["gradient"], seconds["forward"])}


# ---- all of it -----------------------------------------------------------------------------------------------------

CASES: dict[str, tuple[str, ...]] = {
    "some 150, float32": ("steps", COARSE),
    "some 150, float64": ("steps64", COARSE),
    "some 150, Arbor": ("arbor", COARSE),
    "some 150, NEURON": ("neuron", COARSE),
    "some 150, Jaxley": ("jaxley", COARSE),
    "some 770, float32": ("steps", FINE),
    "some 770, float64": ("steps64", FINE),
    "some 770, channels on a part": ("steps", FINE, "", "soma | axon | dend[0:12]"),
    "some 770, Arbor": ("arbor", FINE),
    "some 770, NEURON": ("neuron", FINE),
    "some 770, Jaxley": ("jaxley", FINE),
    "64 cells of some 770, float32": ("steps", FINE, "64"),
    "64 cells of some 770, Jaxley": ("jaxley", FINE, "64"),
    "some 10,000, float32": ("steps", HUGE),
    "1,000 cells of some 100, float32": ("steps", "80 um", "1000"),
    "gradient, some 770": ("gradient", FINE),
    "gradient, 64 cells of some 770": ("gradient", FINE, "64"),
    "gradient, some 770, Jaxley": ("jaxley_gradient", FINE),
    "start, some 770": ("first", FINE),
}  # fmt: skip
PEERS = ("arbor", "neuron", "jaxley", "jaxley_gradient")


def measure(peer_python: str | None) -> dict[str, dict[str, float]]:
    """All cases that can be run here."""
    rows = {}
    for name, (case, *arguments) in CASES.items():
        python = peer_python if case in PEERS else sys.executable
        if python is None:
            continue
        command = [python, str(HERE / "cable.py"), case, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"{name} is left out: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}", file=sys.stderr)
            continue
        rows[name] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: {rows[name]}", file=sys.stderr, flush=True)
    return rows


def main(case: str, *arguments: str) -> None:
    """The case of a process."""
    timing.pin()
    if case == "steps64":
        import jax

        jax.config.update("jax_enable_x64", True)
        case = "steps"
    print(json.dumps(globals()[case](*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
