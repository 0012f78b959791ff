"""Golden data from NEURON: what the make_neuron.py of the packs share. It knows nothing of channelome.

A mechanism stands alone in a compartment of so large a capacitance that its potential stays where it is put. Steady states
are those after a step of 10^9 ms. Time constants are measured: a state is moved, and one step of NEURON's own integrator,
which is exact while V is held, shows how far it comes back. Mechanisms other than NEURON's own come from a folder that holds
them compiled; their sources are not ours to ship. Each case says which file it comes from. Run a pack's script from the root
of the repository with an interpreter that has NEURON:

    PYTHONPATH=tests python plugins/de1994/tests/make_neuron.py FOLDER
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import neuron
from neuron import h

GRID = [-120.0 + 5 * i for i in range(37)]
"""-120 .. 60 mV."""
HOLD, PULSES, TIMES = -80.0, [-100.0, -60.0, -40.0, -20.0, 0.0, 30.0], [0.0, 0.1, 0.5, 2.0, 10.0, 50.0, 400.0]
LONG = 1e9
"""In ms: no gate here remembers it."""


def load() -> None:
    """Load the compiled mechanisms of the folder on the command line."""
    neuron.load_mechanisms(str(Path(sys.argv[1]).resolve()))


class Patch:
    """One mechanism in a compartment whose potential does not move.

    Args:
        mechanism: its SUFFIX.
        current: the variable of the compartment that holds its current, in mA/cm^2.
        celsius: temperature in degC.
        section: what to set in the compartment: reversal potentials (``ek``) and concentrations (``cai``).
        tables: whether its functions have a TABLE, which is then switched off.
        values: its RANGE parameters to set.
    """

    def __init__(
        self,
        mechanism: str,
        *,
        current: str,
        celsius: float,
        section: Mapping[str, float] | None = None,
        tables: bool = False,
        **values: float,
    ) -> None:
        self.name, self.current = mechanism, current
        h.celsius = celsius
        if tables:
            setattr(h, f"usetable_{mechanism}", 0)
        self.section = h.Section(name="patch")
        self.section.cm = 1e30
        self.section.insert(mechanism)
        self.segment = self.section(0.5)
        for name, value in values.items():
            setattr(self.at, name, value)
        for name, value in (section or {}).items():
            setattr(self.section, name, value)
        h.finitialize(0)
        for name, value in (section or {}).items():
            setattr(self.section, name, value)

    @property
    def at(self) -> Any:
        return getattr(self.segment, self.name)

    def step(self, V: float, dt: float) -> None:
        """Let `dt` ms pass at `V` mV."""
        h.dt, self.segment.v = dt, V
        h.fadvance()
        assert abs(self.segment.v - V) < 1e-9, f"{self.name} moved to {self.segment.v} mV."

    def settle(self, V: float) -> None:
        for _ in range(3):
            self.step(V, LONG)

    def steady_state(self, V: float, state: str) -> float:
        self.settle(V)
        return getattr(self.at, state)

    def left(self, V: float, state: str, dt: float) -> float:
        """How much of a displacement from the steady state is left after one step."""
        inf = self.steady_state(V, state)
        start = 0.0 if inf > 0.5 else 1.0
        setattr(self.at, state, start)
        self.step(V, dt)
        return (getattr(self.at, state) - inf) / (start - inf)

    def tau(self, V: float, state: str) -> float:
        """Time constant in ms."""
        dt = 1.0
        while not 0.2 < (left := self.left(V, state, dt)) < 0.8:
            dt *= 3 if left > 0.5 else 0.3
        return -dt / math.log(left)

    def now(self, V: float, silent: Iterable[str] = ()) -> float:
        """Current in uA/cm^2 at the present states, those of `silent` taken as 0."""
        kept = {state: getattr(self.at, state) for state in silent}
        for state in kept:
            setattr(self.at, state, 0.0)
        self.segment.v = V
        h.fcurrent()
        for state, value in kept.items():
            setattr(self.at, state, value)
        return 1e3 * getattr(self.segment, self.current)

    def after(self, V: float, times: Sequence[float], hold: float, silent: Iterable[str] = ()) -> list[float]:
        """Currents at `times` after a jump from `hold`."""
        self.settle(hold)
        found, t = [], 0.0
        for time in times:
            if time > t:
                self.step(V, time - t)
            found.append(self.now(V, silent))
            t = time
        return found


def curves(patch: Patch, gates: Mapping[str, str], V: Sequence[float] = GRID) -> dict[str, Any]:
    """Steady state and time constant over `V`; `gates` translates our names into those of the mechanism's states."""
    return {
        "V": list(V),
        "steady_state": {gate: [patch.steady_state(v, state) for v in V] for gate, state in gates.items()},
        "tau": {gate: [patch.tau(v, state) for v in V] for gate, state in gates.items()},
    }


def clamp(patch: Patch, times: Sequence[float] = TIMES, *, silent: Iterable[str] = ()) -> dict[str, Any]:
    """One family of currents after steps from -80 mV."""
    rows = zip(*(patch.after(V, times, HOLD, silent) for V in PULSES), strict=True)
    return {"hold": HOLD, "pulses": PULSES, "t": list(times), "current": [list(row) for row in rows]}


def case(name: str, source: str, *parts: Mapping[str, Any], **around: Any) -> dict[str, Any]:
    """One channel in one surrounding, with where its numbers come from."""
    told = {"channel": name, "source": f"{source}; NEURON {neuron.__version__}", **around}
    return told | {key: _rounded(value) for part in parts for key, value in part.items()}


def mS(conductance: float, share: float = 1.0) -> list[Any]:
    """A parameter for a case from a conductance in S/cm^2, of which the channel has a share."""
    return [_rounded(1e3 * share * conductance), "mS/cm^2"]


def nernst(patch: Patch) -> float:
    """Reversal potential of calcium in mV, with NEURON's constants, for files that work it out inside."""
    at = patch.segment
    return 1e3 * h.R * (h.celsius + 273.15) / (2 * h.FARADAY) * math.log(at.cao / at.cai)


def write(script: str, cases: Iterable[dict[str, Any]]) -> None:
    """Write `cases` to neuron.json beside the file `script`, one table a line."""
    lines = [",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in one.items()) for one in cases]
    text = "[\n" + ",\n".join(f"{{\n{line}\n}}" for line in lines) + "\n]\n"
    (Path(script).parent / "neuron.json").write_text(text, encoding="utf-8")


def _rounded(value: Any) -> Any:
    """12 digits, which is 100,000 times finer than the tolerance."""
    if isinstance(value, float):
        return float(f"{value:.11e}")
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
