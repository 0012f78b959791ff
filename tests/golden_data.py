"""Golden data from formulas alone: what the make_golden.py of the packs share.

It knows nothing of channelome. Formulas are mpmath functions of V in mV and are evaluated with 40 digits, at removable
singularities by their limit. Run a pack's script from the root of the repository:

    PYTHONPATH=tests python plugins/tm1991/tests/make_golden.py
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mpmath import exp, mp, mpf

mp.dps = 40

Formula = Callable[[Any], Any]
GRID = [mpf(-120) + mpf(5) / 2 * i for i in range(73)]
"""-120 .. 60 mV in steps of 2.5 mV."""
HOLD, PULSES, TIMES = mpf(-80), [-100, -60, -40, -20, 0, 30], ["0", "0.1", "0.5", "2", "10", "50", "400"]


def L(k: str, x: Any, s: str) -> Any:
    """``k x / (1 - exp(-x/s))``, ``k s`` at ``x = 0``."""
    return mpf(k) * mpf(s) if x == 0 else mpf(k) * x / (1 - exp(-x / mpf(s)))


def boltzmann(x: Any) -> Any:
    """``1 / (1 + exp(x))``."""
    return 1 / (1 + exp(x))


def from_rates(alpha: Formula, beta: Formula, phi: Any = 1) -> tuple[Formula, Formula]:
    """Steady state and time constant of ``x' = phi (alpha (1 - x) - beta x)``."""
    return lambda V: alpha(V) / (alpha(V) + beta(V)), lambda V: 1 / (phi * (alpha(V) + beta(V)))


def case(
    name: str,
    gates: Mapping[str, tuple[Formula, Formula]],
    current: Callable[..., Any],
    *,
    singular: Iterable[Any] = (),
    **around: Any,
) -> dict[str, Any]:
    """One channel in one surrounding: its curves and its currents after steps from -80 mV.

    Args:
        name: of the channel.
        gates: steady state and time constant (ms) over V, by gate.
        current: density in uA/cm^2 from V and the gates, in the order of `gates`.
        singular: potentials to add to the grid.
        around: what the case holds besides: celsius, parameters, ions.
    """
    V = sorted({*GRID, *map(mpf, singular)})
    pulses, times = [mpf(v) for v in PULSES], [mpf(t) for t in TIMES]

    def after(gate: str, v: Any, t: Any) -> Any:
        inf, tau = gates[gate]
        return inf(v) + (inf(HOLD) - inf(v)) * exp(-t / tau(v))

    return {
        "channel": name,
        **around,
        "V": _floats(V),
        "steady_state": {gate: _floats(map(inf, V)) for gate, (inf, _) in gates.items()},
        "tau": {gate: _floats(map(tau, V)) for gate, (_, tau) in gates.items()},
        "hold": float(HOLD),
        "pulses": _floats(pulses),
        "t": _floats(times),
        "current": [_floats(current(v, *(after(gate, v, t) for gate in gates)) for v in pulses) for t in times],
    }


def _floats(values: Iterable[Any]) -> list[float]:
    """13 digits, which is 10,000 times finer than the tolerance."""
    return [float(f"{float(value):.12e}") for value in values]


def write(script: str, cases: list[dict[str, Any]]) -> None:
    """Write `cases` to golden.json beside the file `script`, one table a line."""
    lines = [",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in one.items()) for one in cases]
    text = "[\n" + ",\n".join(f"{{\n{line}\n}}" for line in lines) + "\n]\n"
    (Path(script).parent / "golden.json").write_text(text, encoding="utf-8")
