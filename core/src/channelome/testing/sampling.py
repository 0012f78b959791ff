"""Functions of one variable at many points, in both precisions: their values, slopes and difference quotients.

Everything is evaluated operation by operation, on arrays of few fixed shapes: each operation is then compiled once in a
process, for all channels, which takes a tenth of the time of compiling a program for each of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .singular import singular_points

Function = Callable[[Array], dict[str, Any]]
"""From points to curves by name, each of the shape of the points or a scalar."""

GRID = np.arange(-120.0, 120.25, 0.25)
"""Every quarter millivolt."""
POINTS = 3072
_H = 1e-3
_REL, _ABS = 1e-5, 1e-6
"""Tolerances of a slope: relative, and to the value per mV. Where a curve that changes e-fold in 1 mV has its extremum, difference
quotients of `_H` are off by a third of the second."""
_SINGLE = 1e-3
"""Relative tolerance of float32: V_sh of 100 mV is off by 4e-6 mV in it, V^4 in an exponent makes some 1e-5."""


@dataclass(frozen=True)
class Curve:
    """One curve at points `x`, five values to a point in float64: ``x - 2h, x - h, x, x + h, x + 2h``.

    Attributes:
        x: points, of shape (n,).
        step: h at each.
        value, slope: of shape (5, n).
    """

    x: np.ndarray
    step: np.ndarray
    value: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class Portrait:
    """All curves of a function: in float64 at `double`, and in float32 at points that both precisions have.

    Attributes:
        double: curves by name; the last `POINTS` of their points are those of `single`.
        single: value and slope in float32 by name, each of shape (n,).
        unit: of the points, for messages.
    """

    double: dict[str, Curve]
    single: dict[str, tuple[np.ndarray, np.ndarray]]
    unit: str


def over_voltage(function: Function) -> Portrait:
    """The portrait at every quarter mV, at singular points, and just beside each of them."""
    extra = singular_points(function, GRID)[: (POINTS - 3 * GRID.size) // 4]
    V = np.concatenate([_beside(GRID, np.float64), np.repeat(extra, 4) + np.tile([0.0, -1e-9, 1e-9, 1e-5], extra.size)])
    V32 = np.concatenate([_beside(GRID, np.float32), _beside(extra.astype(np.float32), np.float32)])
    return portrait(function, _padded(V), _padded(V32), _H, "mV")


def over_concentration(function: Function) -> Portrait:
    """The portrait from 1e-6 to 10 mM."""
    C = np.geomspace(1e-6, 10.0, POINTS)
    return portrait(function, C, C.astype(np.float32), np.concatenate([C, C]) * 1e-4, "mM")


def portrait(function: Function, points: np.ndarray, points32: np.ndarray, step: Any, unit: str) -> Portrait:
    """The portrait at `points`, and in float32 at `points32`; `step` is that of difference quotients."""
    both = np.concatenate([points, points32.astype(np.float64)])
    h = np.broadcast_to(step, both.shape)
    with jax.enable_x64(True):
        stencil = both + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None] * h
        value, slope = _with_slope(function, stencil.ravel())
    curves = {n: Curve(both, h, value[n].reshape(5, -1), slope[n].reshape(5, -1)) for n in value}
    with jax.enable_x64(False):
        value, slope = _with_slope(function, points32.astype(np.float32))
    return Portrait(curves, {n: (value[n], slope[n]) for n in value}, unit)


def _with_slope(function: Function, x: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    at = jnp.asarray(x)
    value, slope = jax.jvp(lambda x: _whole(function, x), (at,), (jnp.ones_like(at),))
    return {n: np.asarray(v) for n, v in value.items()}, {n: np.asarray(s) for n, s in slope.items()}


def _whole(function: Function, x: Array) -> dict[str, Array]:
    def over(curve: Any) -> Array:
        whole = jnp.issubdtype(jnp.result_type(curve), jnp.integer)  # as of rates(..., beta=1)
        return jnp.broadcast_to(jnp.asarray(curve, x.dtype if whole else None), x.shape)

    return {name: over(curve) for name, curve in function(x).items()}


def _beside(x: np.ndarray, dtype: Any) -> np.ndarray:
    x = x.astype(dtype)
    return np.concatenate([x, np.nextafter(x, dtype(-1e3)), np.nextafter(x, dtype(1e3))])


def _padded(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:POINTS], np.full(max(0, POINTS - x.size), x[0])])


# ---- what may be wrong ---------------------------------------------------------------------------------------------


def not_finite(portrait: Portrait) -> Iterator[str]:
    """Values and slopes that are NaN or infinite, in either precision."""
    for name, curve in portrait.double.items():
        for what, y in (("", curve.value[2]), ("the slope of ", curve.slope[2])):
            yield from _where(~np.isfinite(y), y, curve.x, portrait.unit, f"{what}{name}", "float64")
        x = curve.x[-portrait.single[name][0].size :]
        for what, y in zip(("", "the slope of "), portrait.single[name], strict=True):
            yield from _where(~np.isfinite(y), y, x, portrait.unit, f"{what}{name}", "float32")


def no_gradients(function: Function, portrait: Portrait) -> Iterator[str]:
    """Gradients in reverse mode that are not finite: the branch that a ``where`` does not take is differentiated too."""
    x = next(iter(portrait.double.values())).x
    value, pull = jax.vjp(lambda x: _whole(function, x), jnp.asarray(x))
    gradient = np.asarray(pull(jax.tree.map(jnp.ones_like, value))[0])
    yield from _where(
        ~np.isfinite(gradient), gradient, x, portrait.unit, "the gradient of its curves", "in reverse mode"
    )


def not_smooth(portrait: Portrait) -> Iterator[str]:
    """Values that agree with the neighbours on neither side; a step between two branches agrees with one."""
    for name, curve in portrait.double.items():
        v = curve.value
        with np.errstate(all="ignore"):
            left, right = np.abs(v[2] - (2 * v[1] - v[0])), np.abs(v[2] - (2 * v[3] - v[4]))
            allowed = _REL * np.max(np.abs(v[1:4]), axis=0) + 0.01 * np.abs(v[3] - v[1]) + 1e-300
            bad = np.isfinite(v).all(axis=0) & (np.minimum(left, right) > allowed)
        yield from _where(bad, v[2], curve.x, portrait.unit, name, "and differs from its neighbours", near=v[3])


def wrong_slopes(portrait: Portrait) -> Iterator[str]:
    """Slopes that are not what differences say, nor between those from the left and from the right, where these differ."""
    for name, curve in portrait.double.items():
        v, h, slope = curve.value, curve.step, curve.slope[2]
        with np.errstate(all="ignore"):
            left, right = (3 * v[2] - 4 * v[1] + v[0]) / (2 * h), (-3 * v[2] + 4 * v[3] - v[4]) / (2 * h)
            low, high = np.minimum(left, right), np.maximum(left, right)
            # A curve in C changes over C, not over a unit of it.
            per = np.abs(v[2]) * (_ABS if portrait.unit == "mV" else _ABS / (h * 1e2))
            allowed = _REL * np.maximum(np.abs(low), np.abs(high)) + per + 1e-300
            off = (slope < low - allowed) | (slope > high + allowed)
            bad = np.isfinite(v).all(axis=0) & np.isfinite(slope) & off
        what = f"the slope of {name}"
        yield from _where(
            bad, slope, curve.x, portrait.unit, what, "by AD, but by differences", (v[3] - v[1]) / (2 * h)
        )


def not_single(portrait: Portrait) -> Iterator[str]:
    """Values and slopes that float32 has otherwise than float64."""
    for name, (value, slope) in portrait.single.items():
        curve, n = portrait.double[name], value.size
        if value.dtype != np.float32:
            yield f"{name} becomes {value.dtype} where the voltage is float32"
            continue
        v, s, x = curve.value[1:4, -n:], curve.slope[1:4, -n:], curve.x[-n:]
        with np.errstate(all="ignore"):
            size = np.max(np.abs(v), axis=0)
            allowed = _SINGLE * size + 1e-6 * np.nanmax(size) + 1e-30
            bad = np.isfinite(v).all(axis=0) & (np.min(np.abs(v - value), axis=0) > allowed)
        yield from _where(bad, value, x, portrait.unit, name, "in float32, but in float64", v[1])
        with np.errstate(all="ignore"):
            allowed = 2 * _SINGLE * np.max(np.abs(s), axis=0) + 1e-4 * size + 1e-5 * np.nanmax(np.abs(s)) + 1e-30
            if portrait.unit != "mV":
                allowed = allowed + 1e-4 * size / x
            bad = np.isfinite(s).all(axis=0) & (np.min(np.abs(s - slope), axis=0) > allowed)
        yield from _where(bad, slope, x, portrait.unit, f"the slope of {name}", "in float32, but in float64", s[1])


def _where(
    bad: np.ndarray, y: np.ndarray, x: np.ndarray, unit: str, what: str, how: str, near: np.ndarray | None = None
) -> Iterator[str]:
    """A sentence on the first bad point, if there is one."""
    if bad.any():
        i = int(np.argmax(bad))
        other = f" {near[i]:.6g}" if near is not None else ""
        more = f", and at {len(np.unique(x[bad])) - 1} other points" if len(np.unique(x[bad])) > 1 else ""
        yield f"{what} is {y[i]:.6g} at {x[i]:.10g} {unit} {how}{other}{more}"
