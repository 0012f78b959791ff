"""Error of a late spike against cost, for every solver: as a program of its own, it runs in float64 and prints JSON."""

import json
import statistics
import sys
from collections.abc import Callable
from typing import Any

import channelome_cell
import jax
import numpy as np
from scipy.integrate import solve_ivp
from timing import timed

import channelome as ch
from channelome.registry import registry

DURATION = 100.0
STEPS = (0.1, 0.05, 0.025, 0.01)


def linoid(x: float, k: float) -> float:
    return k if abs(x) < 1e-9 else x / np.expm1(x / k)


def squid_axon(t: float, y: np.ndarray) -> list[float]:
    """Hodgkin & Huxley (1952) at 10 uA/cm^2, written here once more, apart from the packs."""
    V, m, h, n = y
    I = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
    return [
        10 - I,
        0.1 * linoid(-(V + 40), 10) * (1 - m) - 4 * np.exp(-(V + 65) / 18) * m,
        0.07 * np.exp(-(V + 65) / 20) * (1 - h) - h / (1 + np.exp(-(V + 35) / 10)),
        0.01 * linoid(-(V + 55), 10) * (1 - n) - 0.125 * np.exp(-(V + 65) / 80) * n,
    ]


def traub_miles(t: float, y: np.ndarray) -> list[float]:
    """The COBAHH neuron at 2 uA/cm^2."""
    V, m, h, n = y
    v = V + 63
    I = 100 * m**3 * h * (V - 50) + 30 * n**4 * (V + 90) + 0.05 * (V + 60)
    return [
        2 - I,
        0.32 * linoid(13 - v, 4) * (1 - m) - 0.28 * linoid(v - 40, 5) * m,
        0.128 * np.exp((17 - v) / 18) * (1 - h) - 4 / (1 + np.exp((40 - v) / 5)) * h,
        0.032 * linoid(15 - v, 5) * (1 - n) - 0.5 * np.exp((10 - v) / 40) * n,
    ]


def spikes(f: Callable[..., Any], start: np.ndarray, threshold: float) -> np.ndarray:
    """Converged times at which V rises through the threshold, by SciPy."""

    def crossing(t: float, y: np.ndarray) -> float:
        return y[0] - threshold

    crossing.direction = 1  # type: ignore[attr-defined]
    run = solve_ivp(f, (0, DURATION), start, "DOP853", events=crossing, rtol=1e-11, atol=1e-12)
    return run.t_events[0]


def cases() -> dict[str, tuple[Any, str, np.ndarray]]:
    """Cell, current, and the converged spikes of each model."""
    found: dict[str, tuple[Any, str, np.ndarray]] = {}
    for name, f, current, threshold in (
        ("SquidAxon_HH1952", squid_axon, "10 uA/cm^2", 0.0),
        ("PointNeuron_Brette2007", traub_miles, "2 uA/cm^2", -20.0),
    ):
        cell = ch.cell(name, size=1)
        state = cell.initial_state()
        gates = {gate: float(x[0]) for gates in state.channels.values() for gate, x in gates.items()}
        start = np.asarray([float(state.V[0]), *(gates[gate] for gate in "mhn")])
        found[name] = (cell, current, spikes(f, start, threshold))
    return found


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each model, solver and step: error of the last spike that the converged run has, and cost."""
    assert jax.config.jax_enable_x64, "set JAX_ENABLE_X64=1"
    solvers = [entry.name for entry in registry.entries(kind="solver")]
    rows: list[dict[str, Any]] = []
    for model, (cell, current, expected) in cases().items():
        last = 6 if model.startswith("Squid") else len(expected) - 2  # not one that the end of the run may cut off
        for name in solvers:
            for dt in STEPS[:2] if quick or name.endswith("_diffrax") else STEPS:
                row = {"model": model, "solver": name, "dt": dt, "order": getattr(ch.solver(name), "order", None)}
                rows.append(row | _run(cell, current, name, dt, expected, last))
    return rows


def _run(cell: Any, current: str, solver: str, dt: float, expected: np.ndarray, last: int) -> dict[str, Any]:
    try:
        traces = ch.simulate(cell, (DURATION, "ms"), dt=(dt, "ms"), stimulus=current, solver=solver, progress=False)
    except ch.SimulationError:
        return {"spikes": None, "error": None, "ns": None}
    times = traces.spikes.times
    error = float(times[last] - expected[last]) if len(times) > last else None
    return {"spikes": len(times), "error": error, "ns": _cost(row_cell(cell, solver), current, solver, dt)}


def row_cell(cell: Any, solver: str) -> Any:
    """What the cost is measured on: adaptive solvers on one neuron, the others on 1,000."""
    name = "SquidAxon_HH1952" if float(cell.V_th) == 0 else "PointNeuron_Brette2007"
    return ch.cell(name, size=1 if solver.endswith("_diffrax") else 1_000)


def _cost(cell: Any, current: str, solver: str, dt: float) -> float:
    """ns per neuron and step of the compiled loop alone."""
    steps = 400

    def run() -> Any:
        return ch.simulate(
            cell, (steps * dt, "ms"), dt=(dt, "ms"), stimulus=current, solver=solver, record=(), progress=False
        )

    loop = timed(channelome_cell.stepping(run, options=True))
    return statistics.median([loop() for _ in range(4)][1:]) / steps / int(np.prod(cell.size)) * 1e9


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv)))
