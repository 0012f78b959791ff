"""Checks of synapses and plasticities: what a spike does, and that time passes exactly between spikes."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...mechanisms.transmission import Coupling, Followed, Release, Synapse
from ..kit import Check, Problems, Skip, check, quick
from ..subjects import SynapseSubject

_DT, _STEPS = 0.1, 400
_SPIKES = (1, 2, 101, 201)
"""Steps at which the source spikes; the second within a pulse of the first."""
_V = -40.0
_N = 4
_WEIGHTS = np.linspace(1.0, 2.0, _STEPS)[:, None] ** 2
"""Of steps in a sum that tells a later effect from a weaker one."""
_EXACT = "flow is the exact solution over any time, not a step of a solver."


def _part(subject: SynapseSubject) -> Any:
    if issubclass(subject.cls, Coupling):
        raise Skip("it conducts at all times: the network integrates it")
    return subject.built


def _sent(part: Any, start: Any, spiked: Any, dt: float) -> tuple[Any, Any]:
    """States of the source after a step that ends with `spiked`, and what its targets receive; None if nothing."""
    if isinstance(part, Release):
        after, amount = part.release(part.flow(start, dt), spiked)
        return after, amount * spiked
    if isinstance(part, Followed):
        after, sign, numbers = part.source_emit(part.source_flow(start, dt), spiked, dt)
        return after, numbers * sign[..., None]
    return start, spiked


def _source(part: Any, size: tuple[int, ...] = (_N,)) -> Any:
    if isinstance(part, Release):
        return part.initial(size, float)
    return part.source_initial(size, float) if isinstance(part, Followed) else {}


def _responses(part: Any, flags: Any, weight: Any) -> Any:
    """After each step what a synapse of `weight` conducts, or what a plasticity sends, of shape (step, neuron).

    `flags` are 1 at steps at which the source spikes, and 0 at others.
    """
    source = _source(part)
    target = {} if isinstance(part, Release) else part.initial((_N,), float)

    def step(states: Any, spiked: Any) -> tuple[Any, Any]:
        source, target = states
        source, arrived = _sent(part, source, jnp.full(_N, spiked), _DT)
        if isinstance(part, Release):
            return (source, target), arrived
        target = part.receive(part.flow(target, _DT), weight * arrived)
        return (source, target), jnp.broadcast_to(part.conductance(target, jnp.full(_N, _V)), (_N,))

    return jax.lax.scan(step, (source, target), flags)[1]


@functools.cache
def _compiled() -> Any:
    return quick(_responses)


def _after(part: Any, *, spikes: bool = True, weight: float = 1.0) -> np.ndarray:
    """`_responses` to `_SPIKES`, or to none."""
    return np.asarray(_compiled()(jax.tree.map(jnp.asarray, part), _train() * spikes, jnp.asarray(weight, float)))


def _train() -> Any:
    return jnp.zeros(_STEPS).at[jnp.asarray(_SPIKES)].set(1.0)


@check(hint="What comes after a spike is not negative and ends: look at the signs of receive, flow and conductance.")
def response(subject: SynapseSubject) -> Problems:
    """A spike has an effect that is finite, not negative, and in proportion to the weight; without one there is none."""
    part = _part(subject)
    for double in (True, False):
        with jax.enable_x64(double):
            how = "float64" if double else "float32"
            shown, silent = _after(part), _after(part, spikes=False)
            if not np.all(np.isfinite(shown)):
                yield f"it conducts {shown[~np.isfinite(shown)][0]} after spikes ({how})"
            elif np.any(shown < -1e-6 * np.max(np.abs(shown))):
                yield f"it conducts {shown.min():.3g} times its weight after spikes ({how})"
            elif not np.any(shown):
                yield "spikes have no effect"
            if np.any(silent):
                yield f"without a spike it conducts {np.max(np.abs(silent)):.3g} times its weight ({how})"
    if isinstance(part, Release) and np.any(_after(part) > 1 + 1e-9):
        yield f"a spike sends {np.max(_after(part)):.3g}, more than there is"
    if isinstance(part, Synapse) and not np.allclose(_after(part, weight=3.0), 3 * _after(part), rtol=1e-9):
        yield "three times the weight does not conduct three times as much"


@check(hint=_EXACT)
def exact(subject: SynapseSubject) -> Problems:
    """Twice half the time is the whole time, for the states of targets and of sources."""
    part = _part(subject)
    for what, states, flow in _flows(part):
        for dt in (0.01, 0.1, 1.0, 20.0):
            whole, halves = flow(states, dt), flow(flow(states, dt / 2), dt / 2)
            for name, x in whole.items():
                if not np.allclose(x, halves[name], rtol=1e-8, atol=1e-12):
                    i = int(np.argmax(np.abs(np.asarray(x - halves[name]))))
                    yield f"{name} of the {what} is {float(x[i]):.6g} after {dt:g} ms, and {float(halves[name][i]):.6g} in two halves"


def _flows(part: Any) -> list[tuple[str, Any, Callable[[Any, Any], Any]]]:
    """Each kind of states, some of them amid activity, and how time passes for them."""
    at = jnp.linspace(0.1, 0.9, _N)
    found: list[tuple[str, Any, Callable[[Any, Any], Any]]] = []
    if not isinstance(part, Release):
        found.append(("target", {name: at * (i + 1) for i, name in enumerate(part.states)}, part.flow))
    if isinstance(part, Release):
        found.append(("source", dict.fromkeys(part.initial((_N,), float), at), part.flow))
    if isinstance(part, Followed):
        source = _source(part)
        for flag in (0.0, 1.0):
            moved, _, _ = part.source_emit(source, jnp.full(_N, flag), _DT)
            found.append(("source", part.source_flow(moved, 0.2), part.source_flow))
    return found


@check(hint="Synapses onto one neuron are held as one sum: flow, receive and conductance must be linear in the states.")
def linear(subject: SynapseSubject) -> Problems:
    """What two synapses of a projection do to one neuron adds up."""
    part = _part(subject)
    if isinstance(part, Release) or (isinstance(part, Followed) and part.graded):
        raise Skip("it is no sum over synapses")
    wide = (_N, 2) if isinstance(part, Followed) else (_N,)
    a, b = ({name: jnp.linspace(0.1, c, _N) for name in part.states} for c in (0.7, 2.0))
    both = {name: a[name] + b[name] for name in a}
    V = jnp.linspace(-90.0, 30.0, _N)

    def conducted(s: Any) -> dict[str, Any]:
        return {"the conductance": part.conductance(s, V)}

    for what, flow in (("passing time", lambda s: part.flow(s, 0.3)), ("conducting", conducted)):
        one, two, sum_ = flow(a), flow(b), flow(both)
        for name in one:
            if not np.allclose(one[name] + two[name], sum_[name], rtol=1e-9, atol=1e-12):
                yield f"{what}, {name} of two synapses is not the sum of both"
    arrived, none = jnp.linspace(0.1, 1.0, int(np.prod(wide))).reshape(wide), part.initial((_N,), float)
    first, second = part.receive(part.receive(none, arrived), 2 * arrived), part.receive(none, 3 * arrived)
    for name, x in first.items():
        if not np.allclose(x, second[name], rtol=1e-9):
            yield f"two spikes that arrive one after the other leave {name} otherwise than both at once"


def _conducted(part: Any, V: Any) -> Any:
    """With all states 1, of the shape of V."""
    return jnp.broadcast_to(part.conductance({name: jnp.ones_like(V) for name in part.states}, V), V.shape)


@check(
    hint="Write what depends on V so that its slope is finite: exp and sigmoid, not a quotient that is 0/0 somewhere."
)
def voltages(subject: SynapseSubject) -> Problems:
    """From -120 to 60 mV the conductance and its slope are finite, in both precisions."""
    part = _part(subject)
    if isinstance(part, Release):
        raise Skip("it does not conduct")
    for double in (True, False):
        with jax.enable_x64(double):
            V = jnp.linspace(-120.0, 60.0, 721)
            value, slope = jax.jvp(lambda V: _conducted(part, V), (V,), (jnp.ones_like(V),))
            for what, y in (("the conductance", value), ("its slope", slope)):
                bad = ~np.isfinite(np.asarray(y))
                if bad.any():
                    yield f"{what} is {np.asarray(y)[bad][0]} at {np.asarray(V)[bad][0]:g} mV"


@check(hint="Read a parameter as self.NAME in the method that it belongs to, or take the field away.")
def synapse_parameters(subject: SynapseSubject) -> Problems:
    """Every parameter but E, which the network reads, has an effect, and a finite gradient."""
    part = _part(subject)
    weighted = lambda part: jnp.sum(_responses(part, _train(), 1.0) * _WEIGHTS)  # noqa: E731
    program: Any = quick(jax.value_and_grad(weighted))
    start = jax.tree.map(jnp.asarray, part)
    before, slopes = program(start)
    for parameter in type(part).parameters.values():
        name, value = parameter.name, getattr(part, parameter.name)
        if value is None or (name == "E" and isinstance(part, Synapse)):
            continue
        # 20 ms where the default is next to nothing, as the time constant of what is left out
        moved = (program(_with(start, name, to))[0] for to in (1.25 * value or 1.0, value + 20.0))
        if all(np.isclose(after, before, rtol=1e-9, atol=0) for after in moved):
            yield f"{name} has no effect on what a spike does"
        if not np.isfinite(float(getattr(slopes, name))):
            yield f"the gradient over {name} is {float(getattr(slopes, name))}"


def _with(part: Any, name: str, value: float) -> Any:
    changed = jax.tree.map(lambda x: x, part)
    changed._set(name, jnp.asarray(value))
    return changed


@check(hint="Compute with jnp from the arguments and self alone; shapes come from the arguments.")
def programs(subject: SynapseSubject) -> Problems:
    """Under jit and vmap it gives what it gives alone, and other parameter values do not trace it again."""
    part = _part(subject)
    if subject.cls._static:
        yield f"{', '.join(subject.cls._static)} is static: every value of it compiles a program of its own"
    count = 0

    def run(part: Any) -> Any:
        nonlocal count
        count += 1
        return _responses(part, _train(), 1.0)

    start = jax.tree.map(jnp.asarray, part)
    other = jax.tree.map(lambda x: 1.01 * x, start)
    program = jax.jit(run)
    for one in (start, other):
        jax.eval_shape(program, one)
    if count > 1:
        yield "other parameter values trace it again"
    each: Any = quick(jax.vmap(_responses, in_axes=(0, None, None)))
    together = each(jax.tree.map(lambda *x: jnp.stack(x), start, other), _train(), 1.0)
    for found, one in zip(together, (start, other), strict=True):
        if not np.allclose(found, _after(one), rtol=1e-9, atol=1e-12):
            yield "what it conducts under vmap is another than alone"


SYNAPSES: tuple[Check, ...] = (response, exact, linear, voltages, synapse_parameters, programs)
