# pyright: basic
# (formulas are evaluated in NumPy and JAX alike)
"""An imported channel beside the same file in NEURON: currents under voltage clamp, from rest and after jumps."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from channelome.errors import ModelError
from channelome.formulas.gates import as_gate
from channelome.formulas.plan import Field
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion
from channelome.module import REQUIRED
from channelome.units import Unit

from .meaning import kept
from .motion import CELSIUS, IONS, OTHER, Followed, Motion, begun_at, surroundings
from .names import GIVEN
from .oracle import Comparison
from .plan import Plan
from .seen import Seen, compared

HOLD, PULSES, TIMES = -81.3, (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), (0.05, 0.3, 1.0, 4.0, 20.0, 100.0)
"""mV, mV, ms: odd numbers, so that no file's guard of a singular point is hit."""
_PREPULSES, _SPAN = PULSES[:4], 0.25


class Course(NamedTuple):
    """Voltages in mV that V jumps to, a row for each sweep, and how many ms each lasts."""

    levels: tuple[tuple[float, ...], ...]
    durations: tuple[float, ...]
    names: tuple[str, ...]


def _spike(t: float) -> float:
    return -71.3 + 101.7 * math.exp(-(((t - 3.1) / 0.4) ** 2)) - 20.3 * math.exp(-(((t - 5.7) / 2) ** 2))


COURSES = (
    Course(
        tuple((before, *(1.1,) * 3) for before in _PREPULSES), (40.0, 0.3, 0.9, 5.0),
        tuple(f"a prepulse of {before:g} mV" for before in _PREPULSES),
    ),
    Course(
        (tuple(-97.3 + 3.37 * i for i in range(40)), tuple(round(_spike(_SPAN * i), 3) for i in range(40))), (_SPAN,) * 40,
        ("a ramp of 13 mV/ms", "an action potential"),
    ),
)  # fmt: skip
"""Inactivation, a ramp and an action potential, in steps during which V is held, so that both sides are exact."""
REST = tuple(-97.3 + 13.1 * i for i in range(11))
DIAMETER, LENGTH = 3.7, 10.0
"""um of the compartment."""
NOTHING = 1e-10
"""uA/cm^2: a current below which there is nothing to compare, as that of a pump in balance, which is rounding."""
LIFTED = 1e-3
"""What a conductance or a permeability that is 0 in the file is given, in its unit: of a current of 0 there is nothing to compare."""
_OPENS = tuple(Unit.parse(one).dimension for one in ("mS/cm^2", "uS", "cm/s"))


def job_of(plan: Plan, library: str, mechanism: str, names: Sequence[Seen] = ()) -> dict[str, Any]:
    """What NEURON is asked: currents, and what the variables are then."""
    return {
        "library": library, "mechanism": mechanism, "celsius": CELSIUS, "ions": around(plan), "carries": carries(plan, mechanism),
        "hold": HOLD, "pulses": PULSES, "times": TIMES, "rest": REST, "exact": is_exact(plan) and not kept(plan.meaning.file), "steps": bool(plan.meaning.steps),
        "courses": [{"levels": one.levels, "durations": one.durations} for one in COURSES], "parameters": parameters(plan),
        "variables": [one.theirs for one in names], "states": [one.theirs for one in names if one.is_state],
    }  # fmt: skip


def around(plan: Plan) -> dict[str, dict[str, float]]:
    """The ions around a channel, those that its file keeps left out."""
    file, ions = plan.meaning.file, dict[str, dict[str, float]]()
    for ion in file.ions:
        if ion.species in kept(file):
            continue
        E, C_in, C_out = IONS.get(ion.species, OTHER)
        ions[ion.species] = {f"e{ion.species}": E, f"{ion.species}i": C_in, f"{ion.species}o": C_out}
    return ions


def carries(plan: Plan, mechanism: str) -> list[str]:
    """NEURON's names of the currents that a file writes."""
    file = plan.meaning.file
    carried = [name for ion in file.ions for name in ion.writes if name == f"i{ion.species}"]
    return [*carried, *(f"{name}_{mechanism}" for name in file.lists.get("NONSPECIFIC_CURRENT", ()))]


def parameters(plan: Plan) -> dict[str, float]:
    """The file's defaults, for a NEURON that has fewer digits of them."""
    ours = {name for name in plan.meaning.quantities if "[" not in name and "#" not in name}
    declared = plan.meaning.file.parameters
    given = {name for ion in plan.meaning.file.ions for name in (*ion.reads, *ion.writes)} | GIVEN
    defaults = {
        name: one.value for name, one in declared.items() if name in ours - given and isinstance(one.value, float)
    }
    return defaults | dict.fromkeys(_zero(plan), LIFTED)


def _zero(plan: Plan) -> dict[str, Field]:
    """Conductances and permeabilities that are 0 in the file, to be set by whoever uses it."""
    return {one.quantity.name: one for one in plan.fields if one.default == 0 and one.unit.dimension in _OPENS}


def built(cls: type[Any], plan: Plan) -> Any:
    """An instance as NEURON has it: what must be given is given, and what would let nothing through lets something."""
    lifted = {one.name: (LIFTED, (one.quantity.unit or one.unit).symbol) for one in _zero(plan).values()}
    return given(cls).replace(**lifted)


def is_exact(plan: Plan) -> bool:
    """Whether the method that the file asks for is exact while V is held: hand-written updates, and cnexp of lone gates."""
    if any(routine.kind == "PROCEDURE" for routine in _solved(plan.meaning.file, plan.meaning.methods)):
        return True
    rates = plan.meaning.rates
    lone = not any(rate.symbols & (set(rates) - {name}) or as_gate(rate, name) is None for name, rate in rates.items())
    return lone and not plan.meaning.arrows and all(method == "cnexp" for method in plan.meaning.methods.values())


def _solved(file: Any, methods: Mapping[str, str]) -> list[Any]:
    return [file.routines[name] for name in methods if name in file.routines]


def judged(
    cls: type[Channel], plan: Plan, pools: tuple[type[Ion], ...], names: Sequence[Seen], answer: Mapping[str, Any]
) -> list[Comparison]:
    """Our currents beside NEURON's, if it has some, and what the file keeps beside what that is there.

    Args:
        pools: the ions that the file keeps itself.
        names: what of them and of the states is seen.
    """
    with jax.enable_x64(True):
        channel, ions = built(cls, plan), tuple(given(pool) for pool in pools)
        rest = resting(channel, ions)
        starts = Motion(channel.at(CELSIUS), ions, 1, names).after(jnp.full(1, HOLD), [], with_start=True).kept[0, 0]
        ours = [jumps(channel, ions, names), *(along(channel, course, ions, names) for course in COURSES)]
    theirs = [np.asarray(answer["rows"]), *(np.asarray(found) for found in answer["courses"])]
    places = [
        lambda i, j: f"{TIMES[j]:g} ms after a jump to {PULSES[i]:g} mV",
        *(_place_on(course) for course in COURSES),
    ]
    started, version = np.asarray(answer["rest"]), str(answer["version"])
    found = list[Comparison]()
    pairs = [(mine.currents, other, place) for mine, other, place in zip(ours, theirs, places, strict=True)]
    if is_carried(pairs):
        found.append(beside(pairs, float(np.max(np.abs(rest - started))), version))
    if names:
        others = [np.asarray(one) for one in (answer["kept"]["rows"], *answer["kept"]["courses"])]
        kept = [(mine.kept, other, place) for mine, other, place in zip(ours, others, places, strict=True)]
        found.append(compared(names, kept, version, starts))
    if not found:
        raise ModelError("its current is 0 with the file's defaults: there is nothing to compare.")
    return found


def _place_on(course: Course) -> Callable[[int, int], str]:
    ends = np.cumsum(course.durations)
    return lambda i, j: f"{ends[j]:g} ms on {course.names[i]}"


Pairs = Sequence[tuple[np.ndarray, np.ndarray, Callable[[int, int], str]]]
"""Currents of ours and of NEURON's of the same shape, (sweeps, times), and what says where a sweep and a time are."""


def is_carried(pairs: Pairs) -> bool:
    """Whether there is a current at all, here or there.

    Raises:
        ModelError: where NEURON's is no number.
    """
    if not all(np.all(np.isfinite(theirs)) for _, theirs, _ in pairs):
        raise ModelError("NEURON's own current is not a number.")
    return any(not np.all(np.abs(one) <= NOTHING) for pair in pairs for one in pair[:2])


def beside(pairs: Pairs, at_rest: float, version: str) -> Comparison:
    """The largest difference of currents, and where it is."""
    off, where = max((off, place(i, j)) for mine, theirs, place in pairs for (i, j), off in _differences(mine, theirs))
    largest = max(float(np.max(np.abs(theirs))) for _, theirs, _ in pairs)
    return Comparison(off, largest, at_rest, where, "uA/cm^2", version)


def _differences(mine: np.ndarray, theirs: np.ndarray) -> list[tuple[tuple[int, int], float]]:
    """The largest difference of two tables, and where it is."""
    off = np.abs(mine - theirs)
    off = np.where(np.isfinite(off), off, np.inf)
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    return [((int(i), int(j)), float(off[i, j]))]


def given(cls: type[Any]) -> Any:
    """An instance, in the surroundings that NEURON has, which are given where they must be."""
    known = {
        "diam": (DIAMETER, "um"), "diameter": (DIAMETER, "um"), "L": (LENGTH, "um"), "area": (np.pi * DIAMETER * LENGTH, "um^2"), "celsius": (CELSIUS, "degC"),
    }  # fmt: skip
    asked = {name for name, one in cls.parameters.items() if one.default is REQUIRED} | {"diameter"} & {*cls.parameters}
    return cls(**{name: known[name] for name in asked})


def resting(channel: Channel, pools: tuple[Ion, ...] = ()) -> np.ndarray:
    """Our currents at rest at `REST`."""
    still, channel = jnp.asarray(REST), channel.at(CELSIUS)
    env = surroundings(channel, still, pools, begun_at(pools, still))
    return np.broadcast_to(np.asarray(channel.current(channel.steady_state(env), env)), (len(REST),))


def jumps(channel: Channel, pools: tuple[Ion, ...] = (), names: Sequence[Seen] = ()) -> Followed:
    """Ours after the jumps, sweep by sweep of `PULSES`, at `TIMES`: integrated by SciPy where no gate is exact."""
    motion = Motion(channel.at(CELSIUS), pools, len(PULSES), names)
    return motion.after(jnp.full(len(PULSES), HOLD), [(jnp.asarray(PULSES), TIMES)])


def along(channel: Channel, course: Course, pools: tuple[Ion, ...] = (), names: Sequence[Seen] = ()) -> Followed:
    """Ours at the end of each level of a course."""
    levels, count = jnp.asarray(course.levels), len(course.levels)
    steps = [(V, (duration,)) for V, duration in zip(levels.T, course.durations, strict=True)]
    return Motion(channel.at(CELSIUS), pools, count, names).after(jnp.full(count, HOLD), steps)
