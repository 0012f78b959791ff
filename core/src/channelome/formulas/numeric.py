"""Formulas in NumPy, at random places: to see whether two of them are the same, and where one is not a number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from . import expression as x
from .expression import Formula

Values = Mapping[str, Any]


def _linoid(a: Any, k: Any) -> Any:
    y = np.asarray(np.true_divide(a, k), float)
    near = np.abs(y) < 1e-6
    safe = np.where(near, 1.0, y)
    return k * np.where(near, 1 - y / 2, safe / np.expm1(safe))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": np.true_divide, "neg": lambda a: -a,
    "^": lambda a, b: np.power(np.asarray(a, float), b), "where": lambda t, a, b: np.where(np.asarray(t) != 0, a, b),
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "and": lambda a, b: np.logical_and(a, b), "or": lambda a, b: np.logical_or(a, b), "not": np.logical_not,
    "fabs": np.abs, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "linoid": _linoid,
    "erf": np.vectorize(__import__("math").erf),
    **{name: getattr(np, name) for name in ["exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil", "fmod"]},
}  # fmt: skip


def values(formulas: Iterable[Formula], at: Values) -> list[np.ndarray]:
    """Numbers of formulas at numbers of their symbols."""
    with np.errstate(all="ignore"):
        found = x.evaluate(formulas, at, FUNCTIONS)
    return [np.asarray(one, float) for one in found]


class Program:
    """Formulas to be computed many times while only a few of their symbols change: what does not depend on these is computed once.

    Args:
        held: numbers of the other symbols.
        moving: the symbols that change.
    """

    def __init__(self, formulas: Iterable[Formula], held: Values, moving: Sequence[str]) -> None:
        roots = list(formulas)
        at = dict[int, int]()
        self._cells: list[Any] = [0.0] * len(moving)
        self._steps = list[tuple[Callable[..., Any], tuple[int, ...]]]()
        parts = list(x.walk(roots))
        still = [part for part in parts if part.symbols.isdisjoint(moving)]
        with np.errstate(all="ignore"):
            for part, value in zip(still, x.evaluate(still, held, FUNCTIONS), strict=True):
                at[id(part)] = len(self._cells)
                self._cells.append(value)
        for part in parts:
            if part.op == "symbol" and part.value in moving:
                at[id(part)] = moving.index(part.value)
            elif id(part) not in at:
                at[id(part)] = len(self._cells) + len(self._steps)
                self._steps.append((FUNCTIONS[part.op], tuple(at[id(arg)] for arg in part.args)))
        self._roots = [at[id(root)] for root in roots]

    def __call__(self, given: np.ndarray) -> list[float]:
        """The formulas at numbers of the symbols that change, in their order."""
        cells = [*given.tolist(), *self._cells[len(given) :]]
        for function, at in self._steps:
            cells.append(function(*[cells[i] for i in at]))
        return [float(cells[i]) for i in self._roots]


def sample(symbols: Iterable[str], defaults: Mapping[str, float], seed: int = 0, count: int = 64) -> dict[str, Any]:
    """Plausible numbers of symbols: voltages for ``v``, temperatures for ``celsius``, near its default for a parameter."""
    draw = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name in sorted(symbols):
        if name == "v":
            found[name] = draw.uniform(-95.0, 45.0, count)
        elif name == "celsius":
            found[name] = draw.uniform(15.0, 37.0, count)
        elif name in defaults:
            found[name] = defaults[name] * draw.uniform(0.9, 1.1, count) + (
                draw.uniform(-0.1, 0.1, count) if not defaults[name] else 0
            )
        else:
            found[name] = draw.uniform(0.05, 0.95, count)
    return found


def same(a: Formula, b: Formula, defaults: Mapping[str, float], rtol: float = 1e-9) -> bool:
    """Whether two formulas agree wherever both are finite, at random places, and are somewhere."""
    if a is b:
        return True
    at = sample(a.symbols | b.symbols, defaults)
    one, other = (np.broadcast_to(value, (64,)) for value in values([a, b], at))
    good = np.isfinite(one) & np.isfinite(other)
    size = float(np.max(np.abs(one[good]), initial=0.0))
    return bool(good.any()) and bool(
        np.all(np.abs(one - other)[good] <= rtol * np.abs(one[good]) + 1e-12 * size + 1e-300)
    )


def moved(
    rates: Mapping[str, Formula], start: Mapping[str, float], given: Values, times: Sequence[float]
) -> list[dict[str, float]]:
    """States at each of `times` (ms) after 0, integrated by SciPy from `start`.

    Args:
        rates: of each state its change per ms.

    Raises:
        ModelError: where they cannot be integrated.
    """
    from scipy.integrate import solve_ivp

    names = list(start)
    if not names:
        return [{} for _ in times]
    rate_of = Program([rates[name] for name in names], given, names)
    size = np.abs([start[name] for name in names])  # of pumps in mol/cm2 1e-11, of gates 1
    least = 1e-14 * np.maximum(size, 1e-6 * float(np.max(size)) or 1.0)
    with np.errstate(all="ignore"):
        done: Any = solve_ivp(
            lambda t, y: rate_of(y),
            (0.0, times[-1]),
            list(start.values()),
            "LSODA",
            t_eval=times,
            rtol=1e-12,
            atol=least,
        )
    if not done.success:
        raise ModelError(f"the states cannot be integrated: {done.message}")
    return [dict(zip(names, map(float, y), strict=True)) for y in done.y.T]


def stationary(states: tuple[str, ...], arrows: list[tuple[str, str]], rates: Iterable[Any]) -> dict[str, float]:
    """Occupancies at which a closed scheme stands still: they sum to 1. None is a number where a rate is none."""
    matrix = np.zeros((len(states), len(states)))
    for (a, b), rate in zip(arrows, rates, strict=True):
        i, j = states.index(a), states.index(b)
        matrix[i, i] -= float(rate)
        matrix[j, i] += float(rate)
    if not np.all(np.isfinite(matrix)):
        return dict.fromkeys(states, float("nan"))
    full = np.vstack([matrix, np.ones(len(states))])
    found = np.linalg.lstsq(full, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    return dict(zip(states, map(float, found), strict=True))
