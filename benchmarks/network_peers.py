"""The peers' COBAHH network, each in a process of its own; `python network_peers.py NAME` is that process.

Each peer has conductances in mS/cm^2 and the cells, connection probability and weights of `networks.py`; how fast it is depends on
the rate, so the rate that each reaches is measured too.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from peers import DT, serve

NAMES = {"BrainPy": "brainpy", "braincell": "braincell", "Brian2": "brian2", "Brian2, vectorised": "brian2"}
"""Contenders, and the module that each needs; for delivery alone there is `brainevent` too."""
SYNAPSES = {"E": (5.0, 0.0, 0.03, (0.2, 0.075)), "I": (10.0, -80.0, 0.335, (1.0, 0.6))}
"""Time constant in ms, reversal potential in mV, weight and the initial conductance's mean and spread in mS/cm^2: 6 and 67 nS
on 20,000 um^2."""

EQUATIONS = """
dv/dt = (g_L*(-60*mV - v) + ge*(-v) + gi*(-80*mV - v) + 100*S*m**3*h*(50*mV - v) + 30*S*n**4*(-90*mV - v))/C : volt
dm/dt = a_m*(1 - m) - b_m*m : 1
dh/dt = a_h*(1 - h) - b_h*h : 1
dn/dt = a_n*(1 - n) - b_n*n : 1
dge/dt = -ge/(5*ms) : siemens/metre**2
dgi/dt = -gi/(10*ms) : siemens/metre**2
x = v/mV + 63 : 1
a_m = 0.32*(13 - x)/(exp((13 - x)/4) - 1)/ms : Hz
b_m = 0.28*(x - 40)/(exp((x - 40)/5) - 1)/ms : Hz
a_h = 0.128*exp((17 - x)/18)/ms : Hz
b_h = 4/(1 + exp((40 - x)/5))/ms : Hz
a_n = 0.032*(15 - x)/(exp((15 - x)/5) - 1)/ms : Hz
b_n = 0.5*exp((10 - x)/40)/ms : Hz
"""
"""Brian2's cells. Rates as quotients of ``exp(x) - 1``, since its safe `exprel` costs it its vectors."""
VECTORS = ("--param=vect-max-version-for-alias-checks=200", "-ffinite-math-only")
"""With the first gcc vectorises Brian2's loop over neurons; where its C library is told of fast math too, which the second does."""


def probability(n: int) -> float:
    """80 inputs per neuron."""
    return 80 / n


def start(kind: str, n: int) -> np.ndarray:
    mean, spread = SYNAPSES[kind][3]
    return np.random.default_rng(ord(kind)).normal(mean, spread, n).astype(np.float32)


def brainpy(n: int, steps: int, leak: float) -> Callable[[], Any]:
    """`CondNeuGroup` with `exp_auto`, `EventCSRLinear` and `HalfProjAlignPost`, the loop jitted once."""
    import brainpy as bp
    import brainpy.math as bm

    bm.set_dt(DT)
    first_inhibitory = n * 4 // 5

    class Cells(bp.dyn.CondNeuGroup):
        def __init__(self) -> None:
            super().__init__(n, V_initializer=bp.init.Normal(-65.0, 5.0), V_th=-20.0, method="exp_auto")
            self.INa = bp.dyn.INa_TM1991(n, E=50.0, g_max=100.0, V_sh=-63.0)
            self.IK = bp.dyn.IK_TM1991(n, E=-90.0, g_max=30.0, V_sh=-63.0)
            self.IL = bp.dyn.IL(n, E=-60.0, g_max=leak)

    class Net(bp.DynSysGroup):
        def __init__(self) -> None:
            super().__init__()
            self.cells = Cells()
            self.E = self.projection("E", first_inhibitory)
            self.I = self.projection("I", n - first_inhibitory)

        def projection(self, kind: str, pre: int) -> Any:
            tau, reversal, weight, _ = SYNAPSES[kind]
            wiring = bp.conn.FixedProb(probability(n), pre=pre, post=n)
            made = bp.dyn.HalfProjAlignPost(
                comm=bp.dnn.EventCSRLinear(wiring, weight=weight), syn=bp.dyn.Expon(size=n, tau=tau),
                out=bp.dyn.COBA(E=reversal), post=self.cells,
            )  # fmt: skip
            made.refs["syn"].g.value = bm.asarray(start(kind, n))
            return made

        def update(self) -> Any:
            spikes = self.cells.spike.value
            self.E(spikes[:first_inhibitory])
            self.I(spikes[first_inhibitory:])
            self.cells(0.0)
            return self.cells.spike.value.sum()

    net = Net()

    @bm.jit
    def run() -> Any:
        def one(i: Any) -> Any:
            bp.share.save(t=i * DT, dt=DT, i=i)
            return net.update()

        return bm.for_loop(one, bm.arange(steps))

    return lambda: bm.as_jax(run())


def braincell(n: int, steps: int, leak: float) -> Callable[[], Any]:
    """`SingleCompartment` with `ind_exp_euler`, `EventFixedProb` and `AlignPostProj`, the whole loop jitted."""
    import braincell as bc
    import brainpy.state as bs
    import brainstate
    import braintools
    import brainunit as u
    import jax.numpy as jnp

    brainstate.environ.set(dt=DT * u.ms)
    S, mV = u.mS / u.cm**2, u.mV
    first_inhibitory = n * 4 // 5

    class Cells(bc.SingleCompartment):
        def __init__(self) -> None:
            begin = braintools.init.Normal(-65.0 * mV, 5.0 * mV)
            super().__init__(n, V_initializer=begin, V_th=-20.0 * mV, solver="ind_exp_euler")
            self.na = bc.ion.SodiumFixed(n, E=50.0 * mV)
            self.na.add(INa=bc.channel.INa_TM1991(n, g_max=100.0 * S, V_sh=-63.0 * mV))
            self.k = bc.ion.PotassiumFixed(n, E=-90.0 * mV)
            self.k.add(IK=bc.channel.IK_TM1991(n, g_max=30.0 * S, V_sh=-63.0 * mV))
            self.IL = bc.channel.IL(n, E=-60.0 * mV, g_max=leak * S)

    class Net(brainstate.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = Cells()
            self.E = self.projection("E", first_inhibitory)
            self.I = self.projection("I", n - first_inhibitory)

        def projection(self, kind: str, pre: int) -> Any:
            tau, reversal, weight, _ = SYNAPSES[kind]
            return bs.AlignPostProj(
                comm=brainstate.nn.EventFixedProb(pre, n, conn_num=probability(n), conn_weight=weight * S),
                syn=bs.Expon(n, tau=tau * u.ms, g_initializer=lambda size, *_, **__: start(kind, n) * S),
                out=bs.COBA(E=reversal * mV), post=self.cells,
            )  # fmt: skip

        def update(self, i: Any) -> Any:
            with brainstate.environ.context(t=i * DT * u.ms, i=i):
                spikes = self.cells.spike.value
                self.E(spikes[:first_inhibitory])
                self.I(spikes[first_inhibitory:])
                return self.cells(0.0 * u.uA / u.cm**2).sum()

    net = Net()
    brainstate.nn.init_all_states(net)

    @brainstate.transform.jit
    def run() -> Any:
        return brainstate.transform.for_loop(net.update, jnp.arange(steps))

    return run


def brian2(n: int, steps: int, leak: float, *flags: str) -> Callable[[], Any]:
    """C++ standalone, float64 as by default; a run's seconds are those that the program itself reports, without its start."""
    import brian2 as b

    b.prefs.codegen.cpp.extra_compile_args_gcc = [*b.prefs.codegen.cpp.extra_compile_args_gcc, *flags]
    b.prefs.devices.cpp_standalone.extra_make_args_unix = [
        "-j2"
    ]  # its "-j" starts a compiler for each projection at once
    b.set_device("cpp_standalone", build_on_run=False)
    b.device.reinit()
    b.device.activate(build_on_run=False)
    b.defaultclock.dt = DT * b.ms
    S = b.msiemens / b.cm**2
    names = {"S": S, "C": b.ufarad / b.cm**2, "g_L": leak * S}
    cells = b.NeuronGroup(n, EQUATIONS, threshold="v > -20*mV", refractory=3*b.ms, method="exponential_euler", namespace=names)  # fmt: skip
    cells.v = "(5*randn() - 65)*mV"
    for gate in "mhn":
        setattr(cells, gate, f"a_{gate}/(a_{gate} + b_{gate})")
    keep = [cells]
    for kind, variable, part in (("E", "ge", cells[: n * 4 // 5]), ("I", "gi", cells[n * 4 // 5 :])):
        setattr(cells, variable, start(kind, n) * S)
        weight = {"w": SYNAPSES[kind][2] * S}
        synapses = b.Synapses(part, cells, on_pre=f"{variable} += w", namespace=weight)
        synapses.connect(p=probability(n))
        keep.append(synapses)
    monitor = b.SpikeMonitor(cells, record=False)
    net = b.Network(*keep, monitor)
    net.run(steps * DT * b.ms)
    folder = tempfile.mkdtemp()
    b.device.build(directory=folder, compile=True, run=False, with_output=False)

    def run() -> Any:
        b.device.run(folder, with_output=False)
        return float(b.device._last_run_time), monitor.num_spikes

    return run


def brainevent(n: int, steps: int, per_step: int) -> Callable[[], Any]:
    """Delivery alone, as `deliveries.py` measures it: `CSR` and `BinaryArray`, compiled by numba."""
    import brainevent as be
    import delivery_spikes
    import jax
    import jax.numpy as jnp

    counts, targets = delivery_spikes.edges()
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    matrix = be.CSR((jnp.ones(1, jnp.float32), jnp.asarray(targets), jnp.asarray(starts)), shape=(n, n))
    flags = jnp.asarray(delivery_spikes.spiking(per_step))

    @jax.jit
    def run(flags: Any) -> Any:
        return jax.lax.scan(lambda g, s: (g * 0.98 + be.BinaryArray(s) @ matrix, None), jnp.zeros(n), flags)[0]

    return lambda: run(flags)


PREPARE: dict[str, Callable[..., Callable[[], Any]]] = {
    "BrainPy": brainpy,
    "braincell": braincell,
    "brainevent": brainevent,
    "Brian2": brian2,
    "Brian2, vectorised": lambda n, steps, leak: brian2(n, steps, leak, *VECTORS),
}


def measured(name: str) -> Callable[[int, int, float], Callable[[], dict[str, float]]]:
    """A run that says its seconds and its spikes per neuron and second."""

    def prepare(n: int, steps: int, leak: float) -> Callable[[], dict[str, float]]:
        work = PREPARE[name](n, steps, leak)

        def run() -> dict[str, float]:
            begin = time.perf_counter()
            out = work()
            if isinstance(out, tuple):
                seconds, spikes = out
            else:
                spikes = float(np.asarray(out).sum())
                seconds = time.perf_counter() - begin
            return {"seconds": seconds, "rate": spikes / n / (steps * DT * 1e-3)}

        return run

    return prepare


if __name__ == "__main__":
    serve(NAMES.get(sys.argv[1], sys.argv[1]), measured(sys.argv[1]))
