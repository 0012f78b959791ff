"""Checks of a channel as part of JAX programs: jit, vmap, grad, scan, and how often it is compiled."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ...mechanisms.channels import Channel
from ...mechanisms.rules import CLIPPED_PADE
from ...module import Q10
from ..kit import Check, Problems, Skip, check, quick
from ..subjects import CELSIUS, ChannelSubject

_V = np.linspace(-95.0, 35.0, 8)
_STEPS, _DT = 3, 0.05
_PURE = "Compute with exp, where, ... of channelome.authoring, from the arguments and self alone: no NumPy, float(), if, or memory."


class _Counted:
    """Some steps of a channel under clamp, and how often JAX traced them."""

    def __init__(self, subject: ChannelSubject) -> None:
        self.subject, self.count = subject, 0

    def start(self, channel: Channel, V: Array) -> Any:
        return channel.at(CELSIUS).steady_state(self.subject.env(V - 20.0))

    def step(self, channel: Channel, V: Array, states: Any) -> tuple[Any, Array]:
        at, env = channel.at(CELSIUS), self.subject.env(V)
        states = at.relax(states, env, _DT, CLIPPED_PADE)
        return states, jnp.broadcast_to(at.current(states, env), V.shape)

    def scanned(self, channel: Channel, V: Array) -> Array:
        self.count += 1
        _, I = lax.scan(lambda x, _: self.step(channel, V, x), self.start(channel, V), None, length=_STEPS)
        return jnp.sum(I)

    def stepped(self, channel: Channel, V: Array, of: Any = jnp.sum) -> Array:
        total, states = jnp.zeros(()), self.start(channel, V)
        for _ in range(_STEPS):
            states, I = self.step(channel, V, states)
            total = total + of(I)
        return total


@check(hint=_PURE)
def compiled(subject: ChannelSubject) -> Problems:
    """Under jit, scan and grad it gives what it gives alone, and other parameter values do not trace it again."""
    if subject.cls._static:
        yield f"{', '.join(subject.cls._static)} is static: every value of it compiles a program of its own"
    run, V = _Counted(subject), jnp.asarray(_V)
    channel = jax.tree.map(jnp.asarray, subject.channel)
    program = quick(jax.value_and_grad(run.scanned))
    value, slopes = program(channel, V)
    traced = run.count
    again, _ = program(_moved(channel), V)
    if run.count > traced:
        yield "other parameter values trace it again"
    for found, given, what in ((value, channel, ""), (again, _moved(channel), " with other parameters")):
        alone = float(run.stepped(given, V))
        if not np.isclose(found, alone, rtol=1e-6, atol=1e-9):
            yield f"the current under jit is {float(found):.6g}, and {alone:.6g} without{what}"
    yield from _wrong_gradients(subject, run, channel, slopes, lambda one: float(program(one, V)[0]))


def _wrong_gradients(
    subject: ChannelSubject, run: _Counted, channel: Channel, slopes: Channel, total: Callable[[Channel], float]
) -> Problems:
    V = jnp.asarray(_V)
    scale = float(run.stepped(channel, V, lambda I: jnp.sum(jnp.abs(I)))) + 1e-12
    for name in subject.cls.parameters:
        value, slope = getattr(channel, name), getattr(slopes, name)
        if value is None or isinstance(value, Q10):
            continue
        h = 1e-4 * (abs(float(value)) or 1.0)
        ahead, behind = (total(_with(channel, name, value + s)) for s in (h, -h))
        quotient = (ahead - behind) / (2 * h)
        if not abs(float(slope) - quotient) <= 1e-4 * abs(quotient) + 1e-9 * scale / h:
            yield f"the gradient of the current over {name} is {float(slope):.6g}, but by differences {quotient:.6g}"


@check(hint=_PURE)
def traced(subject: ChannelSubject) -> Problems:
    """Nothing that JAX traces stays behind in the instance or the class."""
    run, channel, V = _Counted(subject), jax.tree.map(jnp.asarray, subject.channel), jnp.asarray(_V)
    start = run.start(channel, V)
    try:
        with jax.checking_leaks():  # it traces everything anew, and so one step only
            jax.make_jaxpr(lambda channel, V: lax.scan(lambda x, _: run.step(channel, V, x), start, None, length=1))(
                channel, V
            )
    except Exception as error:
        if "leak" not in str(error).lower():
            raise
        yield "it keeps a traced value, which no later program can use"


@check(hint=_PURE + " Shapes come from the arguments.")
def batched(subject: ChannelSubject) -> Problems:
    """Under vmap, over the voltage and over every parameter, it gives what it gives alone."""
    if subject.cls._nodes:
        raise Skip("it has parts of its own")
    run, V = _Counted(subject), jnp.asarray(_V)
    channel = jax.tree.map(jnp.asarray, subject.channel)
    both = [channel, _moved(channel)]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *both)

    def once(channel: Channel, V: Array) -> Array:
        return run.step(channel, V, run.start(channel, V))[1]

    found = jax.vmap(jax.vmap(once, in_axes=(None, 0)), in_axes=(0, None))(stacked, V)
    alone = jnp.stack([once(one, V) for one in both])
    if found.shape != alone.shape or not np.allclose(found, alone, rtol=1e-9, atol=1e-12):
        yield "the current under vmap is another than alone"


def _moved(channel: Channel) -> Channel:
    return jax.tree.map(lambda x: x * 1.01, channel)


def _with(channel: Channel, name: str, value: Any) -> Channel:
    changed = jax.tree.map(lambda x: x, channel)
    changed._set(name, value)
    return changed


PROGRAMS: tuple[Check, ...] = (compiled, traced, batched)
