"""The peers, each in a process of its own: their environment is not ours, and takes its turn in the same rounds.

As `python peers.py NAME` it is that process: it reads requests from its input, one JSON a line, and answers each.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from timing import Run, timed

DT = 0.1
VARIABLE = "CHANNELOME_BENCH_PEERS"


class Peers:
    """The peers that the Python interpreter `python` has; none if it is None.

    Args:
        script: what each process runs, with the peer's name; this file if None.
        names: of the peers.
    """

    def __init__(self, python: str | None, script: Path | None = None, names: Iterable[str] = ()) -> None:
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self.versions: dict[str, str] = {}
        self.last: dict[str, dict[str, float]] = {}
        for name in (names or PREPARE) if python else ():
            worker = subprocess.Popen(
                [str(python), str(script or Path(__file__).resolve()), name],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            answer = _answer(worker)
            if "version" in answer:
                self._workers[name], self.versions[name] = worker, answer["version"]
            else:
                print(f"{name} is left out: {answer['error']}", file=sys.stderr)
                worker.terminate()

    def prepare(self, *size: float) -> dict[str, Run]:
        """Runs by name, of so many neurons and steps; a peer that fails is left out, with a line that says why.

        What a run said last, beside its seconds, is in `last`.
        """
        runs: dict[str, Run] = {}
        for name, worker in self._workers.items():
            answer = _ask(worker, {"prepare": size})
            if "error" in answer:
                print(f"{name} is left out for {size[0]} neurons: {answer['error']}", file=sys.stderr)
            else:
                runs[name] = functools.partial(self._run, name)
        return runs

    def _run(self, name: str) -> float:
        self.last[name] = answer = _ask(self._workers[name], {"run": True})
        return float(answer["seconds"])

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.communicate()


def _ask(worker: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any]:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(request) + "\n")
    worker.stdin.flush()
    return _answer(worker)


def _answer(worker: subprocess.Popen[str]) -> dict[str, Any]:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    return json.loads(line) if line else {"error": "the process ended"}


# ---- in the peers' environment -------------------------------------------------------------------------------------

Prepare = Callable[[int, int], Callable[[], Any]]


def brainpy(n: int, steps: int) -> Callable[[], Any]:
    """`CondNeuGroup` with `exp_auto`, the loop jitted once."""
    import brainpy as bp
    import brainpy.math as bm

    bm.set_dt(DT)

    class Neurons(bp.dyn.CondNeuGroup):
        def __init__(self, size: int) -> None:
            super().__init__(size, V_initializer=bp.init.Constant(-65.0), method="exp_auto")
            self.INa = bp.dyn.INa_TM1991(size, E=50.0, g_max=100.0, V_sh=-63.0)
            self.IK = bp.dyn.IK_TM1991(size, E=-90.0, g_max=30.0, V_sh=-63.0)
            self.IL = bp.dyn.IL(size, E=-60.0, g_max=0.05)

    neurons = Neurons(n)

    @bm.jit
    def run(I: Any) -> Any:
        def one(i: Any) -> None:
            bp.share.save(t=i * DT, dt=DT, i=i)
            neurons.update(I)
            neurons.clear_input()

        bm.for_loop(one, bm.arange(steps))
        return neurons.V.value

    return lambda: bm.as_jax(run(2.0))


def braincell(n: int, steps: int) -> Callable[[], Any]:
    """`SingleCompartment` with `ind_exp_euler`, the whole loop jitted."""
    import braincell as bc
    import brainstate
    import braintools
    import brainunit as u
    import jax.numpy as jnp

    brainstate.environ.set(dt=DT * u.ms)
    S, mV = u.mS / u.cm**2, u.mV

    class Neurons(bc.SingleCompartment):
        def __init__(self, size: int) -> None:
            start = braintools.init.Constant(-65.0 * mV)
            super().__init__(size, V_initializer=start, V_th=-20.0 * mV, solver="ind_exp_euler")
            self.na = bc.ion.SodiumFixed(size, E=50.0 * mV)
            self.na.add(INa=bc.channel.INa_TM1991(size, g_max=100.0 * S, V_sh=-63.0 * mV))
            self.k = bc.ion.PotassiumFixed(size, E=-90.0 * mV)
            self.k.add(IK=bc.channel.IK_TM1991(size, g_max=30.0 * S, V_sh=-63.0 * mV))
            self.IL = bc.channel.IL(size, E=-60.0 * mV, g_max=0.05 * S)

    neurons = Neurons(n)
    neurons.init_state()

    @brainstate.transform.jit
    def run(I: Any) -> Any:
        def one(i: Any) -> None:
            with brainstate.environ.context(t=i * DT * u.ms, i=i):
                neurons.update(I * u.uA / u.cm**2)

        brainstate.transform.for_loop(one, jnp.arange(steps))
        return neurons.V.value.mantissa

    return lambda: run(jnp.float32(2.0))


def jaxley(n: int, steps: int) -> Callable[[], Any]:
    """`Compartment` with the same rates (its Pospischil channels), `vmap` over neurons inside one jit."""
    import jax
    import jax.numpy as jnp
    import jaxley as jx
    from jaxley.channels.pospischil import K, Leak, Na
    from jaxley.integrate import build_init_and_step_fn

    neuron = jx.Compartment()
    for channel in (Na(), K(), Leak()):
        neuron.insert(channel)
    numbers = {
        "Na_gNa": 0.1,
        "K_gK": 0.03,
        "Leak_gLeak": 5e-5,
        "Leak_eLeak": -60.0,
        "eNa": 50.0,
        "eK": -90.0,
        "vt": -63.0,
    }
    for key, value in {**numbers, "v": -65.0}.items():
        neuron.set(key, value)
    neuron.to_jax()
    neuron.init_states(delta_t=DT)
    neuron.stimulate(jnp.zeros(2))
    start, step = build_init_and_step_fn(neuron)
    inds = {"i": neuron.external_inds["i"]}
    area = float(neuron.nodes["area"].iloc[0]) if "area" in neuron.nodes else 2 * 3.141592653589793 * 10.0
    states, params = start([])

    @jax.jit
    def run(I: Any) -> Any:
        def single(I: Any) -> Any:
            def one(state: Any, _: Any) -> Any:
                return step(state, params, {"i": jnp.reshape(I, (1,))}, inds, delta_t=DT), None

            return jax.lax.scan(one, states, None, length=steps)[0]

        return jax.vmap(single)(I)

    amplitude = jnp.full(n, 2.0 * area * 1e-5, jnp.float32)  # nA for 2 uA/cm^2
    return lambda: run(amplitude)


PREPARE: dict[str, Prepare] = {"BrainPy": brainpy, "braincell": braincell, "Jaxley": jaxley}


def serve(module: str, prepare: Callable[..., Callable[[], dict[str, float]]]) -> None:
    """Answer requests: prepare a size, or run it."""
    import importlib.metadata

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is no answer

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        __import__(module)
        say({"version": importlib.metadata.version(module)})
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
        return
    work: Callable[[], dict[str, float]] = dict
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                work = prepare(*request["prepare"])
                work()
                say({"ready": True})
            else:
                say(work())
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


def measured(name: str) -> Callable[[int, int], Callable[[], dict[str, float]]]:
    """A run that says its seconds."""

    def prepare(n: int, steps: int) -> Callable[[], dict[str, float]]:
        run = timed(PREPARE[name](n, steps))
        return lambda: {"seconds": run()}

    return prepare


if __name__ == "__main__":
    serve(sys.argv[1].lower(), measured(sys.argv[1]))
