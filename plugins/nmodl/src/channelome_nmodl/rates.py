"""Rates of change of states: of DERIVATIVE and KINETIC blocks, and of procedures that step states by hand."""

from collections.abc import Mapping

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.numeric import sample, values
from channelome.formulas.slopes import slope

from .names import Names
from .solved import Arrow


def read_rates(names: Names) -> None:
    """Put the rate of every state into the meaning.

    Raises:
        NmodlError: for an update that is no rate, and for what has a rate and is no state.
    """
    _procedures(names)
    _kinetics(names)
    _hidden(names)
    solved = names.cycle.solved
    for name, rate in solved.rates.items():
        if name not in names.states:
            raise names.cycle.refuse(solved.lines.get(name, 0), f"{name}' is the rate of what is no STATE.")
        names.meaning.rates[name] = names.resolved(rate)


def _procedures(names: Names) -> None:
    """Undo what hand-written updates make of states: ``x'`` is the slope of the update by dt, at dt = 0."""
    solved = names.cycle.solved
    for name, update in solved.updates.items():
        solved.rates[name] = _undone(names, name, names.resolved(update), solved.lines.get(name, 0))


def _undone(names: Names, name: str, update: Formula, line: int) -> Formula:
    nothing = {"dt": x.number(0)}
    if "dt" not in update.symbols:
        raise names.cycle.refuse(line, f"{name} changes with each step whatever dt is, which is not a channel's way.")
    still = x.substituted(update, nothing)
    held = {p: x.number(value) for p, value in names.defaults(still).items() if p in still.symbols}
    if held:
        still, update = x.substituted(still, held), x.substituted(update, held)
        names.meaning.notes.append(
            f"{', '.join(sorted(held))} of the update of {name} is taken at its value in the file"
        )
    at = sample(still.symbols | {name}, names.defaults(still))
    after, before = values([still, x.symbol(name)], at)
    after = after + 0 * before
    good = abs(after - before) <= 1e-9 * (1 + abs(before))
    if not good.any() or not good[(after == after)].all():
        raise names.cycle.refuse(line, f"the update of {name} moves it even where dt is 0; what it means is not clear.")
    _check_is_flow(names, name, update)
    rate = x.substituted(slope(update, "dt"), nothing)
    names.meaning.notes.append(f"the hand-written update of {name} was undone: its rate of change is that of dt -> 0")
    return _tidy(rate)


def _check_is_flow(names: Names, name: str, update: Formula) -> None:
    """Say where two steps of half the length are not one step: then what NEURON gives depends on dt, and here it is the limit."""
    at = sample(update.symbols | {name, "dt"}, names.defaults(update))
    at["dt"] = 0.5 + 0 * at["dt"]
    half = x.substituted(update, {"dt": x.div(x.symbol("dt"), x.number(2))})
    twice = x.substituted(half, {name: half})
    one, two = values([update, twice], at)
    good = abs(one - two) <= 1e-9 * (1 + abs(one))
    if not good[(one == one) & (two == two)].all():
        names.meaning.steps.add(name)
        said = f"the hand-written update of {name} is no exponential: in NEURON it depends on dt; here it is that of dt -> 0"
        names.meaning.findings.append(said)


def _hidden(names: Names) -> None:
    """Variables that are no STATE and remember: states all the same where they move with dt."""
    needed = _reached(names)
    for name, value in list(names.cycle.env.items()):
        if name not in needed or name in names.states or name not in value.symbols or value is x.symbol(name):
            continue
        resolved = names.resolved(value, keep=name)
        if name in resolved.symbols and "dt" in resolved.symbols:
            names.states.add(name)
            names.cycle.solved.rates[name] = _undone(names, name, resolved, 0)
            del names.cycle.env[name]
            names.meaning.notes.append(f"{name} is no STATE in the file, but is one")


def _reached(names: Names) -> set[str]:
    """Variables that what the file writes depends on, directly or by others."""
    solved, env = names.cycle.solved, names.cycle.env
    written = [name for ion in names.file.ions for name in ion.writes]
    found = {*written, *names.file.lists.get("NONSPECIFIC_CURRENT", ())}
    found |= {name for rate in solved.rates.values() for name in rate.symbols}
    ahead = set(found)
    while ahead:
        name = ahead.pop()
        new = env[name].symbols - found if name in env else frozenset[str]()
        found |= new
        ahead |= new
    return found


def _kinetics(names: Names) -> None:
    solved = names.cycle.solved
    if not solved.arrows and not solved.sources:
        return
    flows: dict[str, Formula] = {}
    for arrow in solved.arrows:
        flow = arrow.rate
        for count, name in arrow.left:
            flow = x.mul(flow, x.power(_here(names, name), x.number(count)))
        for side, sign in ((arrow.left, -1.0), (arrow.right, 1.0)):
            for count, name in side:
                if name in names.states:
                    part = x.mul(x.number(sign * count), flow)
                    flows[name] = x.add(flows.get(name, x.number(0)), part)
    for name, flow in solved.sources:
        flows[name] = x.add(flows.get(name, x.number(0)), flow)
    for name, flow in flows.items():
        volume = solved.volumes.get(name)
        solved.rates[name] = flow if volume is None else x.div(flow, volume)
    names.meaning.arrows = [
        Arrow(arrow.left, arrow.right, names.resolved(arrow.rate), arrow.line) for arrow in solved.arrows
    ]
    if not _is_scheme(names, flows):
        names.meaning.arrows = []


def _here(names: Names, name: str) -> Formula:
    return x.symbol(name) if name in names.states else names.cycle.env.get(name, x.symbol(name))


def _is_scheme(names: Names, flows: Mapping[str, Formula]) -> bool:
    """Whether the reactions are those of one closed scheme of one channel: from one state to one other, no volumes."""
    solved = names.cycle.solved
    if solved.sources or solved.volumes or not names.meaning.arrows:
        return False
    ends = [arrow.left + arrow.right for arrow in names.meaning.arrows]
    if any(len(arrow.left) != 1 or len(arrow.right) != 1 for arrow in names.meaning.arrows):
        return False
    if any(count != 1 or name not in flows for pair in ends for count, name in pair):
        return False
    if any(arrow.rate.symbols & set(flows) for arrow in names.meaning.arrows):
        return False
    reached, old = {ends[0][0][1]}, 0
    while len(reached) > old:
        old = len(reached)
        reached |= {n for pair in ends for _, n in pair if reached & {name for _, name in pair}}
    return reached == set(flows)


def _tidy(rate: Formula) -> Formula:
    """A rate with factors of 1 and signs that cancel taken out, as slopes of updates have them."""
    return x.rebuilt(rate, lambda f, args: f if not args else x.build(f.op, args))
