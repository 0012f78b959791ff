"""Checks of rates, steady states and time constants over voltage and concentration."""

import json
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..golden import check_case
from ..kit import Check, Problems, Skip, check
from ..sampling import Portrait, no_gradients, not_finite, not_single, not_smooth, wrong_slopes
from ..subjects import ChannelSubject

_LINOID = "Write x / (exp(x/k) - 1) as linoid(x, k), and Boltzmann curves as sigmoid(x, k): right in value and slope everywhere."


@check(level="quick", hint=_LINOID + " A where(...) does not help: its slope is wrong or NaN at the very voltage.")
def finite(subject: ChannelSubject) -> Problems:
    """Values and slopes are finite at every quarter mV and around singular points, in float64 and float32."""
    return not_finite(subject.portrait)


@check(level="quick", hint=_LINOID)
def smooth(subject: ChannelSubject) -> Problems:
    """Values agree with their neighbours, just beside singular points too."""
    return not_smooth(subject.portrait)


@check(level="quick", hint=_LINOID + " Gradients and implicit solvers go by the slope.")
def slopes(subject: ChannelSubject) -> Problems:
    """Slopes by automatic differentiation agree with difference quotients."""
    return wrong_slopes(subject.portrait)


@check(hint=_LINOID + " A where(...) differentiates the branch that it does not take, too.")
def gradients(subject: ChannelSubject) -> Problems:
    """Gradients in reverse mode are finite at all these points."""
    return no_gradients(subject.curves, subject.portrait)


@check(level="quick", hint=_LINOID + " Differences of large numbers lose their digits in float32.")
def single_precision(subject: ChannelSubject) -> Problems:
    """Float32 gives what float64 gives, in value and slope."""
    return not_single(subject.portrait)


@check(
    level="quick",
    hint="A steady state is between 0 and 1, rates are not negative and a time constant is positive: look at the signs.",
)
def ranges(subject: ChannelSubject) -> Problems:
    """Steady states are in [0, 1], time constants positive, rates not negative, in both precisions."""
    yield from out_of_range(subject.portrait)


@check(hint="Floor the concentration, or write c**n / (c**n + K**n) in place of 1 / (1 + (K/c)**n) and of logarithms.")
def concentrations(subject: ChannelSubject) -> Problems:
    """From 1e-6 to 10 mM all is finite, smooth and in range, in value and slope."""
    if not subject.reads_concentrations:
        raise Skip("it reads no concentration")
    portrait = subject.concentrations
    for problems in (not_finite, wrong_slopes, not_single, out_of_range):
        yield from problems(portrait)


@check(
    hint="Write the paper's formula. A table is an approximation that no solver's step sees: results converge to a wrong answer."
)
def no_tables(subject: ChannelSubject) -> Problems:
    """Nothing is looked up in a table."""
    V = jnp.zeros(2)
    names = _primitives(jax.make_jaxpr(subject.curves)(V).jaxpr)
    found = sorted(names & {"gather", "dynamic_slice", "sort", "searchsorted"})
    if found:
        yield f"it looks numbers up in a table ({', '.join(found)})"


@check(
    hint="The data hold what another program makes of the paper: find which of the two is wrong before you change either."
)
def golden(subject: ChannelSubject) -> Problems:
    """Curves and currents are those of the golden data in the pack's tests."""
    found = False
    for path in subject.golden:
        for case in json.loads(path.read_text(encoding="utf-8")):
            if case["channel"] == subject.name:
                found = True
                try:
                    check_case(case, path.name)
                except AssertionError as error:
                    yield " ".join(str(error).split())[:240]
    if not found and subject.golden:
        yield f"{', '.join(path.name for path in subject.golden)} hold no case of it"
    if not subject.golden:
        raise Skip("there are no golden data beside the pack's tests")


def out_of_range(portrait: Portrait) -> Iterator[str]:
    """Curves that leave the values that their kind can have."""
    for name, curve in portrait.double.items():
        for how, y, slack in (("float64", curve.value[2], 1e-12), ("float32", portrait.single[name][0], 1e-6)):
            y, x = y[np.isfinite(y)], curve.x[-y.size :][np.isfinite(y)]
            kind = name.partition(" of ")[0]
            if kind == "tau" and np.any(y <= 0):
                yield _said(name, y, x, y <= 0, portrait.unit, how, "not positive")
            if kind in ("the steady state", "inf") and np.any((y < -slack) | (y > 1 + slack)):
                yield _said(name, y, x, (y < -slack) | (y > 1 + slack), portrait.unit, how, "not in [0, 1]")
            if (kind in ("alpha", "beta", "rate") or name.startswith("the rate ")) and np.any(y < 0):
                yield _said(name, y, x, y < 0, portrait.unit, how, "negative")


def _said(name: str, y: np.ndarray, x: np.ndarray, bad: np.ndarray, unit: str, how: str, what: str) -> str:
    i = int(np.argmax(bad))
    return f"{name} is {y[i]:.6g} at {x[i]:.10g} {unit} ({how}), which is {what}"


def _primitives(jaxpr: Any) -> set[str]:
    names: set[str] = set()
    for equation in jaxpr.eqns:
        names.add(equation.primitive.name)
        for inner in equation.params.values():
            for part in inner if isinstance(inner, tuple | list) else (inner,):
                if hasattr(part, "eqns") or hasattr(part, "jaxpr"):
                    names |= _primitives(getattr(part, "jaxpr", part))
    return names


CURVES: tuple[Check, ...] = (
    finite,
    smooth,
    slopes,
    gradients,
    single_precision,
    ranges,
    concentrations,
    no_tables,
    golden,
)
