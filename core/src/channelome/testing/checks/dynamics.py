"""Checks of how gates move: their steady state, one step of any length, and the order at which steps converge."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...mechanisms.kinetics import Rule
from ...mechanisms.rules import CLIPPED_PADE, EXACT, IMPLICIT
from ..kit import Check, Problems, Skip, check
from ..subjects import SIZE, ChannelSubject

_RULES: dict[str, tuple[Rule, int]] = {
    "exact": (EXACT, 2),
    "clipped Pade": (CLIPPED_PADE, 2),
    "implicit": (IMPLICIT, 1),
}
"""What solvers step gates with, and the order for gates that depend on others."""
_STEPS = (0.01, 0.1, 1.0, 5.0)
_OVERRIDDEN = "steady_state, slope and relax follow from the gates' methods: do not write them yourself."


def _surrounded(subject: ChannelSubject) -> dict[str, Any]:
    V, C = subject.spread()
    return subject.env(V, C)


def _held(subject: ChannelSubject) -> tuple[str, ...]:
    """The states that rest at their steady state and stay in [0, 1]: gates and occupancies, and not what is a variable."""
    if not (names := (*subject.cls.gates, *subject.cls.occupancies)):
        raise Skip("it has no gates")
    return names


@check(hint=_OVERRIDDEN)
def fixed_point(subject: ChannelSubject) -> Problems:
    """At the steady state nothing moves."""
    held, channel, env = _held(subject), subject.at(), _surrounded(subject)
    steady = channel.steady_state(env)
    slope, moved = channel.slope(steady, env), channel.relax(steady, env, 1.0, EXACT)
    fast = {name: _rate(subject, env, steady, name) for name in held}
    for name in held:
        x = steady[name]
        yield from _first(
            np.abs(slope[name]) > 1e-9 * fast[name] + 1e-14, env["V"], f"{name} moves at {{}} from its steady state"
        )
        yield from _first(
            np.abs(moved[name] - x) > 1e-9, env["V"], f"a step at {{}} takes {name} from its steady state"
        )


@check(hint=_OVERRIDDEN)
def reached(subject: ChannelSubject) -> Problems:
    """From anywhere the steady state is reached."""
    held, channel, env = _held(subject), subject.at(), _surrounded(subject)
    steady = channel.steady_state(env)
    for kind in ("closed", "open"):
        states = subject.states(kind, env)
        for _ in range(5):
            states = channel.relax(states, env, 1e9, IMPLICIT)
        for name in held:
            off = np.abs(np.asarray(states[name] - steady[name])) > 1e-6
            yield from _first(off, env["V"], f"{name}, {kind} at first, does not reach its steady state at {{}}")


@check(hint="Rates that are negative, or a time constant that is, make a step leave [0, 1]. " + _OVERRIDDEN)
def steps(subject: ChannelSubject) -> Problems:
    """One step of 0.01 to 5 ms from anywhere keeps gates and occupancies in [0, 1], in both precisions."""
    held = _held(subject)
    for double in (True, False):
        with jax.enable_x64(double):
            slack = 1e-12 if double else 2e-6
            env, dt = _surrounded(subject), jnp.asarray(np.resize(_STEPS, SIZE), float)
            for kind in ("closed", "open", "half"):
                states = subject.states(kind, env)
                for rule_name, (rule, _) in _RULES.items():
                    after = subject.at().relax(states, env, dt, rule)
                    where = f"after one {rule_name} step from {kind} in {'float64' if double else 'float32'}"
                    for name in held:
                        x = np.asarray(after[name])
                        bad = ~((x >= -slack) & (x <= 1 + slack))
                        yield from _first(bad, env["V"], f"{name} leaves [0, 1] at {{}} {where}")


@check(hint=_OVERRIDDEN)
def order(subject: ChannelSubject) -> Problems:
    """Steps converge to what the rates of change say, at the order of the rule."""
    held, channel, env = _held(subject), subject.at(), _surrounded(subject)
    start = subject.states("half", env)
    fast = jnp.max(jnp.stack([_rate(subject, env, start, name) for name in held]), axis=0)
    span = 1.0 / fast
    wanted = _runge_kutta(lambda x: channel.slope(x, env), start, span, 24)
    for rule_name, (rule, order) in _RULES.items():
        coarse, fine = (_error(_stepped(subject, env, start, span, n, rule), wanted, held) for n in (4, 8))
        if fine > 1e-6 and np.log2(coarse / fine) < order - 0.4:
            yield (
                f"{rule_name} steps are off by {coarse:.2g} and, half as long, by {fine:.2g}: of order "
                f"{np.log2(coarse / fine):.2f}, not {order}"
            )


def _stepped(subject: ChannelSubject, env: Any, x: Any, span: Any, n: int, rule: Rule) -> Any:
    for _ in range(n):
        x = subject.at().relax(x, env, span / n, rule)
    return x


def _runge_kutta(slope: Callable[[Any], Any], x: Any, span: Any, n: int) -> Any:
    """The classical method of fourth order, written out: what nothing of the engine's rules takes part in."""
    h = span / n

    def moved(share: float, k: Any) -> Any:
        return jax.tree.map(lambda y, dy: y + share * h * dy, x, k)

    for _ in range(n):
        a = slope(x)
        b = slope(moved(0.5, a))
        c = slope(moved(0.5, b))
        d = slope(moved(1.0, c))
        x = jax.tree.map(lambda y, a, b, c, d: y + h * (a + 2 * b + 2 * c + d) / 6, x, a, b, c, d)
    return x


def _error(found: Any, wanted: Any, names: tuple[str, ...]) -> float:
    return max(float(jnp.max(jnp.abs(found[name] - wanted[name]))) for name in names)


def _rate(subject: ChannelSubject, env: Any, states: Any, name: str) -> Any:
    """How fast a state moves, in 1/ms: the sum of the rates at which it is entered and left."""
    channel, known = subject.at(), {**env, **states}
    if name in channel.gates:
        return jnp.broadcast_to(1 / channel._gate(name, known).tau, env["V"].shape)
    leaving = [rate for (a, b), rate in channel._call("transitions", known).items() if name in (a, b)]
    return jnp.broadcast_to(sum(leaving), env["V"].shape)


def _first(bad: Any, V: Any, says: str) -> Problems:
    bad = np.asarray(bad)
    if bad.any():
        yield says.format(f"{float(np.asarray(V)[int(np.argmax(bad))]):.4g} mV")


@check(hint="Each transition takes from one state what it gives to another; do not write slope yourself.")
def conserved(subject: ChannelSubject) -> Problems:
    """The occupancies of a kinetic scheme sum to 1 at rest, and their rates of change to 0."""
    if not subject.cls.occupancies:
        raise Skip("it has no kinetic scheme")
    channel, env = subject.at(), _surrounded(subject)
    steady, slope = channel.steady_state(env), channel.slope(subject.states("half", env), env)
    total, drift = (sum(x[name] for name in channel.occupancies) for x in (steady, slope))
    yield from _first(np.abs(np.asarray(total) - 1) > 1e-9, env["V"], "occupancies at rest do not sum to 1 at {}")
    fast = max(float(jnp.max(jnp.abs(slope[name]))) for name in channel.occupancies)
    yield from _first(np.abs(np.asarray(drift)) > 1e-9 * fast, env["V"], "rates of change do not sum to 0 at {}")


DYNAMICS: tuple[Check, ...] = (fixed_point, reached, steps, order, conserved)
