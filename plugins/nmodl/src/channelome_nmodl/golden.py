# pyright: basic
# (formulas are evaluated in NumPy, and SciPy has no types here)
"""Golden data of a channel: its currents under voltage clamp, by NumPy and SciPy from the formulas of the file.

Neither the class that is written nor JAX has a part in them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from channelome.errors import ModelError
from channelome.formulas.gates import as_gate, steady_state
from channelome.formulas.numeric import moved, stationary, values

from .clamped import HOLD, PULSES, TIMES
from .meaning import Meaning
from .motion import CELSIUS, IONS, OTHER
from .plan import Plan

_FAINT = 1e-6
"""uA/cm^2: the currents of a pump in balance, which are differences of large numbers, are below it by what the solver leaves."""
_FIXED = {"na": "SodiumFixed", "k": "PotassiumFixed", "ca": "CalciumFixed"}


def cases(plan: Plan) -> tuple[dict[str, Any], ...]:
    """The one case of a channel, as `channelome.testing.check_golden` reads it; none where the file's own numbers are none, are no
    current, or cannot be followed."""
    meaning = plan.meaning
    if any(field.default is None for field in plan.fields):
        return ()  # it must be given what the kit does not know
    try:
        rows = currents(meaning)
    except ModelError:  # SciPy cannot follow it
        return ()
    if not np.all(np.isfinite(rows)) or np.max(np.abs(rows)) <= _FAINT:
        return ()
    case: dict[str, Any] = {
        "made": f"by NumPy and SciPy from the formulas of {meaning.file.source.name}", "celsius": CELSIUS, "ions": _ions(plan),
        "t": list(TIMES), "hold": HOLD, "pulses": list(PULSES), "current": [[float(f"{x:.12g}") for x in row] for row in rows],
    }  # fmt: skip
    return (case if _is_lone(meaning) else {**case, "rtol": 3e-6},)


def currents(meaning: Meaning) -> np.ndarray:
    """Currents in uA/cm^2 after jumps, of shape (times, pulses)."""
    given = meaning.defaults | {"celsius": CELSIUS} | _outside(meaning)
    found = []
    for pulse in PULSES:
        start = _started(meaning, given | {"v": HOLD})
        states = moved(meaning.rates, start, given | {"v": pulse}, TIMES)
        total = [sum(values(meaning.currents.values(), given | {"v": pulse} | one)) for one in states]
        found.append([1e3 * float(x) for x in total])
    return np.asarray(found).T


def _started(meaning: Meaning, given: Mapping[str, float]) -> dict[str, float]:
    """What each state starts from at the held voltage."""
    found: dict[str, float] = {}
    if meaning.arrows:
        pairs = [(arrow.left[0][1], arrow.right[0][1]) for arrow in meaning.arrows]
        rates = values([arrow.rate for arrow in meaning.arrows], given)
        found |= stationary(meaning.scheme, pairs, rates)
    left = [name for name in meaning.rates if name not in found]
    while left:
        formulas = {name: meaning.starts[name] or steady_state(meaning.rates[name], name) for name in left}
        ready = [name for name in left if (f := formulas[name]) is not None and not f.symbols & {*left}]
        if not ready:
            raise ModelError(f"what {', '.join(left)} start from depends on each other.")
        for name in ready:
            (value,) = values([formulas[name]], given | found)  # pyright: ignore
            found[name] = float(value)
        left = [name for name in left if name not in ready]
    return found


def _is_lone(meaning: Meaning) -> bool:
    """Whether every state is a gate that no other moves: the kit's currents are exact then."""
    rates = meaning.rates
    alone = all(not rate.symbols & ({*rates} - {name}) and as_gate(rate, name) for name, rate in rates.items())
    return alone and not meaning.arrows and not any(meaning.starts.values())


def _outside(meaning: Meaning) -> dict[str, float]:
    found: dict[str, float] = {}
    for ion in meaning.file.ions:
        E, C_in, C_out = IONS.get(ion.species, OTHER)
        found |= {f"e{ion.species}": E, f"{ion.species}i": C_in, f"{ion.species}o": C_out}
    return found


def _ions(plan: Plan) -> dict[str, Any]:
    """The ions around the channel, for the kit: of a species that core does not name as it is declared there."""
    found: dict[str, Any] = {}
    for ion in plan.meaning.file.ions:
        E, C_in, C_out = IONS.get(ion.species, OTHER)
        around: dict[str, Any] = {"E": f"{E!r} mV", "C_in": f"{C_in!r} mM", "C_out": f"{C_out!r} mM"}
        if ion.species in _FIXED:
            found[_FIXED[ion.species]] = around
        else:
            valence = plan.meaning.valences.get(ion.species)
            found["Fixed"] = {"species": ion.species, **({"valence": valence} if valence is not None else {}), **around}
    return found
