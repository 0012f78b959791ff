# pyright: basic
# (formulas are evaluated in NumPy, and SciPy has no types here)
"""Golden data of a channel: its currents under voltage clamp, by NumPy and SciPy from the formulas of the file.

Neither the class that is written nor JAX has a part in them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from channelome.errors import ModelError
from channelome.formulas.gates import steady_state
from channelome.formulas.numeric import moved, stationary, values

from .lems import CELSIUS, INSIDE, OUTSIDE, V
from .load import Imported
from .meaning import Meaning, Plan

HOLD, PULSES, TIMES = -81.3, (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), (0.05, 0.3, 1.0, 4.0, 20.0, 100.0)
"""mV, mV, ms: odd numbers, so that no file's guard of a singular point is hit."""
WARM, E = 24.0, -30.0
"""degC, and mV of a channel with a reversal potential of its own."""
IONS = {"na": ("SodiumFixed", 50.0), "k": ("PotassiumFixed", -77.0), "ca": ("CalciumFixed", 110.0)}
_OTHERS = -65.0
_INSIDE, _OUTSIDE = 3e-4, 2.0
"""mM of calcium."""


def cases(one: Imported) -> tuple[dict[str, Any], ...]:
    """The one case of a channel, as `channelome.testing.check_golden` reads it.

    There is none where the file's own numbers are none, and of states that are no gates, which a clamp here only steps.
    """
    plan = one.plan
    if any(plan.meaning.starts.values()):
        return ()
    rows = currents(plan)
    if not np.all(np.isfinite(rows)):
        return ()
    own = "E" in one.cls.parameters
    ions = dict.fromkeys(one.cls.reads)
    if not own and isinstance(plan.ion, str):
        ions[plan.ion] = None
    case: dict[str, Any] = {
        "made": f"by NumPy and SciPy from the formulas of {plan.meaning.where}", "celsius": WARM,
        "parameters": {"g_max": [1.0, "mS/cm^2"], **({"E": [E, "mV"]} if own else {})},
        "ions": dict(_ion(species) for species in ions),
        "t": list(TIMES), "hold": HOLD, "pulses": list(PULSES), "current": [[float(f"{x:.12g}") for x in row] for row in rows],
    }  # fmt: skip
    return (case if not plan.meaning.scheme else {**case, "rtol": 3e-6},)


def currents(plan: Plan) -> np.ndarray:
    """Currents in uA/cm^2 after jumps, at 1 mS/cm^2, of shape (times, pulses)."""
    meaning = plan.meaning
    root = plan.methods[-1]
    potential = E if any(one.name == "E" for one in plan.fields) else _reversal(plan.ion)
    given = meaning.defaults | {
        CELSIUS: WARM,
        INSIDE: _INSIDE,
        OUTSIDE: _OUTSIDE,
        "g_max to give": 1.0,
        "E to give": potential,
    }
    given |= {f"E of {plan.ion}": potential}
    found = []
    for pulse in PULSES:
        start = _started(meaning, given | {V: HOLD})
        states = _moved(meaning, start, given | {V: pulse})
        flows = [float(values(root.formulas, given | {V: pulse} | one)[0]) for one in states]
        found.append(flows if root.name == "density" else [g * (pulse - potential) for g in flows])
    return np.asarray(found).T


def _ion(species: str) -> tuple[str, dict[str, Any]]:
    around = {"E": f"{_reversal(species)!r} mV"}
    if species == "ca":
        around |= {"C_in": f"{_INSIDE!r} mM", "C_out": f"{_OUTSIDE!r} mM"}
    if species in IONS:
        return IONS[species][0], around
    return "Fixed", {"species": species, **around}


def _reversal(species: Any) -> float:
    return IONS[species][1] if species in IONS else _OTHERS


def _rates(meaning: Meaning) -> dict[str, Any]:
    """Of each state its change per ms, those of a scheme as the sum of what flows in and out."""
    from channelome.formulas import expression as x

    found = dict(meaning.rates)
    for (a, b), rate in meaning.scheme.items():
        flow = x.mul(rate, x.symbol(a))
        found[a] = x.sub(found.get(a, x.number(0)), flow)
        found[b] = x.add(found.get(b, x.number(0)), flow)
    return found


def _started(meaning: Meaning, given: Mapping[str, float]) -> dict[str, float]:
    """What each state starts from at the held voltage."""
    found: dict[str, float] = {}
    if meaning.scheme:
        states = tuple(dict.fromkeys(end for pair in meaning.scheme for end in pair))
        found |= stationary(states, list(meaning.scheme), values(meaning.scheme.values(), given))
    for name, rate in meaning.rates.items():
        start = meaning.starts[name] or steady_state(rate, name)
        assert start is not None
        found[name] = float(values([start], given)[0])
    return found


def _moved(meaning: Meaning, start: Mapping[str, float], given: Mapping[str, float]) -> list[dict[str, float]]:
    """The states at each of `TIMES` after the jump; no numbers where they cannot be integrated."""
    try:
        return moved(_rates(meaning), start, given, TIMES)
    except ModelError:
        return [dict.fromkeys(start, float("nan")) for _ in TIMES]
