"""What INITIAL makes of states: their steady state, which needs no formula, or something else."""

import math

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.gates import steady_state
from channelome.formulas.numeric import same, stationary, values
from channelome.formulas.singular import Singular

from .elimination import solved
from .names import Names
from .text import NmodlError


def read_starts(names: Names) -> None:
    """What INITIAL makes of each state; None where that is its steady state."""
    meaning, env = names.meaning, names.first.env
    settled = names.first.solved.steady
    for equation, _ in names.first.solved.equations:
        settled = settled | (equation.symbols & names.states)
    for name, rate in meaning.rates.items():
        if name in settled and (name not in env or name in env[name].symbols):
            meaning.starts[name] = None
            continue
        start = names.started(name)
        steady = None if name in meaning.scheme else steady_state(rate, name)
        others = steady.symbols & set(meaning.rates) if steady is not None else frozenset[str]()
        if any(name in meaning.rates[other].symbols for other in others):
            steady = None  # they move each other: where one stands still says nothing of the others
        meaning.starts[name] = None if steady is not None and _alike(names, start, steady) else start
    if meaning.arrows:
        _check_scheme_start(names)
    if names.first.solved.equations:
        _check_equations(names)
    _check_steady(names)


def _alike(names: Names, start: Formula, steady: Formula) -> bool:
    """Whether a state starts at its steady state, which may be of other states at theirs."""
    for name in sorted(steady.symbols & names.states):
        steady = x.substituted(steady, {name: names.started(name)})
    clean = Singular(names.defaults(start) | names.defaults(steady))
    return same(clean.removed(start), clean.removed(steady), names.defaults(start) | names.defaults(steady), rtol=1e-7)


def _check_scheme_start(names: Names) -> None:
    starts = [names.meaning.starts[name] for name in names.meaning.scheme]
    if any(start is not None for start in starts):
        names.meaning.arrows = []  # it starts elsewhere than at rest, so its states are variables


def _check_equations(names: Names) -> None:
    """Start from what a LINEAR block gives, which INITIAL solves, where that is not the steady state of the scheme."""
    meaning = names.meaning
    equations = [names.resolved_first(f) for f, _ in names.first.solved.equations]
    rates = [arrow.rate for arrow in meaning.arrows]
    plain = {**names.plain(*equations, *rates), "v": -57.3}
    if meaning.arrows:
        pairs = [(arrow.left[0][1], arrow.right[0][1]) for arrow in meaning.arrows]
        occupied = stationary(meaning.scheme, pairs, values(rates, plain))
        if not all(math.isfinite(one) for one in occupied.values()):
            raise NmodlError(f"{names.where}: the rates of its scheme are no numbers with the file's own defaults.")
        off = values(equations, plain | occupied)
        size = max(abs(float(one)) for one in values(rates, plain))
        if all(abs(float(one)) <= 1e-6 * max(size, 1.0) for one in off):
            return
        meaning.findings.append(
            "its LINEAR block does not give the steady state of its scheme, and it starts from what that gives"
        )
    unknowns = sorted(frozenset[str]().union(*(f.symbols for f in equations)) & names.states)
    found = solved(equations, unknowns, plain)
    if found is None or not {*unknowns} <= {*meaning.rates}:
        raise NmodlError(
            f"{names.place('INITIAL')}: INITIAL solves a LINEAR block that does not say what each state starts from."
        )
    meaning.arrows = []
    meaning.starts |= found


def _check_steady(names: Names) -> None:
    """States that start at their steady state, and are neither gates nor of the scheme, are given the formula of it."""
    meaning = names.meaning
    for name, rate in meaning.rates.items():
        if meaning.starts[name] is not None or name in meaning.scheme:
            continue
        if steady_state(rate, name) is None:
            raise NmodlError(
                f"{names.place(name, 'INITIAL')}: {name} starts at a steady state for which there is no formula here."
            )
