# pyright: basic
# (formulas are evaluated in NumPy and JAX alike)
"""An imported channel beside the same file in NEURON: currents under voltage clamp, from rest and after jumps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from channelome.errors import ModelError
from channelome.formulas.gates import as_gate
from channelome.formulas.plan import Field
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Fixed, Ion
from channelome.mechanisms.rules import EXACT
from channelome.module import REQUIRED
from channelome.units import Unit

from .meaning import kept
from .oracle import Comparison
from .plan import Plan

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
CELSIUS, DIAMETER, LENGTH = 24.0, 3.7, 10.0
"""degC, and um of the compartment."""
NOTHING = 1e-10
"""uA/cm^2: a current below which there is nothing to compare, as that of a pump in balance, which is rounding."""
LIFTED = 1e-3
"""What a conductance or a permeability that is 0 in the file is given, in its unit: of a current of 0 there is nothing to compare."""
_OPENS = tuple(Unit.parse(one).dimension for one in ("mS/cm^2", "uS", "cm/s"))
IONS: Mapping[str, tuple[float, float, float]] = {
    "na": (50.0, 10.0, 140.0), "k": (-77.0, 140.0, 3.5), "ca": (110.0, 3e-4, 2.0), "cl": (-65.0, 8.0, 130.0)
}  # fmt: skip
"""E in mV, C_in and C_out in mM of each species in the clamp; of another as of `OTHER`."""
OTHER = (-30.0, 1.0, 2.0)


def job_of(plan: Plan, library: str, mechanism: str) -> dict[str, Any]:
    """What NEURON is asked."""
    file = plan.meaning.file
    ions: dict[str, dict[str, float]] = {}
    for ion in file.ions:
        if ion.species in kept(file):
            continue
        E, C_in, C_out = IONS.get(ion.species, OTHER)
        ions[ion.species] = {f"e{ion.species}": E, f"{ion.species}i": C_in, f"{ion.species}o": C_out}
    own = [f"{name}_{mechanism}" for name in file.lists.get("NONSPECIFIC_CURRENT", ())]
    carried = [name for ion in file.ions for name in ion.writes if name == f"i{ion.species}"]
    return {
        "library": library, "mechanism": mechanism, "celsius": CELSIUS, "ions": ions, "currents": [*carried, *own],
        "hold": HOLD, "pulses": PULSES, "times": TIMES, "rest": REST, "exact": is_exact(plan) and not kept(file), "steps": bool(plan.meaning.steps),
        "courses": [{"levels": one.levels, "durations": one.durations} for one in COURSES], "parameters": parameters(plan),
    }  # fmt: skip


def parameters(plan: Plan) -> dict[str, float]:
    """The file's defaults, for a NEURON that has fewer digits of them."""
    ours = {name for name in plan.meaning.quantities if "[" not in name and "#" not in name}
    declared = plan.meaning.file.parameters
    given = {name for ion in plan.meaning.file.ions for name in (*ion.reads, *ion.writes)} | {"v", "celsius", "dt"}
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


def judged(cls: type[Channel], plan: Plan, pools: tuple[type[Ion], ...], answer: Mapping[str, Any]) -> Comparison:
    """Our currents beside NEURON's.

    Args:
        pools: the ions that the file keeps itself.
    """
    with jax.enable_x64(True):
        channel, ions = built(cls, plan), tuple(given(pool) for pool in pools)
        rows, rest = currents(channel, ions)
        followed = [along(channel, course, ions) for course in COURSES]
    theirs, started = np.asarray(answer["rows"]), np.asarray(answer["rest"])
    others = [np.asarray(found) for found in answer["courses"]]
    if not all(np.all(np.isfinite(found)) for found in (theirs, *others)):
        raise ModelError("NEURON's own current is not a number.")
    if not np.any(np.abs(theirs) > NOTHING):
        raise ModelError("its current is 0 with the file's defaults: there is nothing to compare.")
    places = [(row, f"{TIMES[j]:g} ms after a jump to {PULSES[i]:g} mV") for (i, j), row in _differences(rows, theirs)]
    for course, mine, other in zip(COURSES, followed, others, strict=True):
        ends = np.cumsum(course.durations)
        places += [(off, f"{ends[j]:g} ms on {course.names[i]}") for (i, j), off in _differences(mine, other)]
    off, where = max(places)
    largest = max(float(np.max(np.abs(found))) for found in (theirs, *others))
    at_rest = float(np.max(np.abs(rest - started)))
    return Comparison(off, largest, at_rest, where, "uA/cm^2", str(answer["version"]))


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


def currents(channel: Channel, pools: tuple[Ion, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Our currents after the jumps, of shape (pulses, times), and at rest at `REST`: integrated by SciPy where no gate is exact."""
    channel = channel.at(CELSIUS)
    moved = _Motion(channel, pools, len(PULSES)).after(jnp.full(len(PULSES), HOLD), [(jnp.asarray(PULSES), TIMES)])
    still = jnp.asarray(REST)
    resting = _surroundings(channel, still, pools, _begun(pools, still))
    rest = channel.current(channel.steady_state(resting), resting)
    return moved, np.broadcast_to(np.asarray(rest), (len(REST),))


def along(channel: Channel, course: Course, pools: tuple[Ion, ...] = ()) -> np.ndarray:
    """Our currents at the end of each level of a course, of shape (sweeps, levels)."""
    levels, count = jnp.asarray(course.levels), len(course.levels)
    steps = [(V, (duration,)) for V, duration in zip(levels.T, course.durations, strict=True)]
    return _Motion(channel.at(CELSIUS), pools, count).after(jnp.full(count, HOLD), steps)


def _begun(pools: tuple[Ion, ...], V: jax.Array) -> dict[str, dict[str, jax.Array]]:
    return {
        pool.species: {name: jnp.broadcast_to(jnp.asarray(x, float), V.shape) for name, x in pool.initial().items()}
        for pool in pools
    }


def _is_lone(channel: Channel) -> bool:
    moving = {*channel.gates}
    lone = not any(moving.intersection(channel._arguments[gate]) for gate in channel.gates)  # pyright: ignore
    return lone and not channel.occupancies and not channel.variables


def _surroundings(
    channel: Channel, V: jax.Array, pools: tuple[Ion, ...] = (), states: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    env: dict[str, Any] = {"V": V, "celsius": CELSIUS}
    for species in {*channel.carries, *channel.reads} - {pool.species for pool in pools}:
        E, C_in, C_out = IONS.get(species, OTHER)
        valence = 1 if species not in IONS else None
        ion = Fixed(species=species, valence=valence, E=(E, "mV"), C_in=(C_in, "mM"), C_out=(C_out, "mM"))
        env[species] = ion.view({}, CELSIUS)
    return env | {pool.species: pool.view((states or {})[pool.species], CELSIUS) for pool in pools}


class _Motion:
    """How the states of a channel and of pools move while V is held: exactly where no gate depends on what moves, else by SciPy."""

    def __init__(self, channel: Channel, pools: tuple[Ion, ...], sweeps: int) -> None:
        self.channel, self.pools, self.sweeps = channel, pools, sweeps
        self.exact = _is_lone(channel) and not pools
        self._slope = jax.jit(self._change)
        self._jacobian = jax.jit(jax.jacfwd(self._change))

    def after(self, hold: jax.Array, steps: Sequence[tuple[jax.Array, Sequence[float]]]) -> np.ndarray:
        """Currents from rest at `hold`, of shape (sweeps, times): at the times of each step, counted from where it begins."""
        begun = _begun(self.pools, hold)
        now = (self.channel.steady_state(_surroundings(self.channel, hold, self.pools, begun)), begun)
        found = list[Any]()
        for V, times in steps:
            moved = self._exactly(now, V, times) if self.exact else self._integrated(now, V, times)
            found += [
                self.channel.current(states, _surroundings(self.channel, V, self.pools, ions)) for states, ions in moved
            ]
            now = moved[-1]
        return np.stack([np.broadcast_to(row, (self.sweeps,)) for row in found], -1)

    def _exactly(self, now: Any, V: jax.Array, times: Sequence[float]) -> list[tuple[Any, Any]]:
        env = _surroundings(self.channel, V)
        return [(self.channel.relax(now[0], env, t, EXACT), {}) for t in times]

    def _integrated(self, now: Any, V: jax.Array, times: Sequence[float]) -> list[tuple[Any, Any]]:
        whole = {("", name): x for name, x in now[0].items()}
        whole |= {(species, name): x for species, states in now[1].items() for name, x in states.items()}
        self.names = list(whole)
        own = {*self.channel.variables}
        size = [float(jnp.max(jnp.abs(x))) or 1.0 if key[0] or key[1] in own else 1.0 for key, x in whole.items()]
        unit = np.repeat(size, self.sweeps)
        flat = np.concatenate([np.broadcast_to(np.asarray(x, float), V.shape) for x in whole.values()]) / unit
        done = solve_ivp(
            lambda t, y: np.asarray(self._slope(y, V, unit)), (0.0, times[-1]), flat, "Radau", t_eval=times, rtol=1e-10, atol=1e-18,
            jac=lambda t, y: np.asarray(self._jacobian(y, V, unit)),
        )  # fmt: skip
        if not done.success:
            raise ModelError(f"the states cannot be integrated: {done.message}")
        return [self._parted(y, unit) for y in done.y.T]

    def _parted(self, y: Any, unit: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        known = dict(zip(self.names, jnp.split(jnp.asarray(y) * unit, len(self.names)), strict=True))
        species = ("", *(pool.species for pool in self.pools))
        of = {one: {name: x for (where, name), x in known.items() if where == one} for one in species}
        return of.pop(""), of

    def _change(self, y: Any, V: Any, unit: Any) -> Any:
        states, ions = self._parted(y, unit)
        env = _surroundings(self.channel, V, self.pools, ions)
        moved = {("", name): x for name, x in self.channel.slope(states, env).items()}
        carried = self.channel.carried(self.channel.current(states, env), states, env)
        for pool in self.pools:
            change = pool.slope(ions[pool.species], carried.get(pool.species, jnp.zeros_like(V)))
            moved |= {(pool.species, name): x for name, x in change.items()}
        return jnp.concatenate([jnp.broadcast_to(moved[key], V.shape) for key in self.names]) / unit
