"""Reading a channel off its blocks: what each state's rate and each current is a function of."""

from channelome.formulas import expression as x

from .along import check_unmoved
from .meaning import Meaning, all_formulas, check_current, check_kind, kept
from .names import SECTION, Names
from .rates import read_rates
from .regular import regular
from .starts import read_starts
from .text import NmodlError
from .tree import File


class NoCurrent(NmodlError):
    """A file whose currents are 0 whatever happens."""


def mean(file: File) -> Meaning:
    """What a file means as a channel.

    Raises:
        NmodlError: with the line and the reason, for what no channel here can be.
    """
    check_kind(file)
    check_current(file)
    names = Names(file)
    names.kept = {name for written in kept(file).values() for name in written}
    names.given |= names.kept
    total = {f"i{ion.species}" for ion in file.ions if f"i{ion.species}" in ion.reads}
    names.kept |= total  # what is read of it is the sum of all, whatever the file adds to it
    names.began = {
        one: f"{one}0_{ion}_ion" for ion in kept(file) for one in (f"{ion}i", f"{ion}o") if one in names.kept
    }
    names.run()
    read_rates(names)
    _currents(names)
    _leave_pools(names)
    _drop_unused(names)
    _check_left(names)
    check_unmoved(names)
    read_starts(names)
    regular(names)
    _check_symbols(names)
    return names.meant()


def _currents(names: Names) -> None:
    for ion in names.file.ions:
        name = f"i{ion.species}"
        if name in ion.writes:
            names.meaning.currents[names.species(ion.species, ion.valence, ion.line)] = names.final(name)
    for name in names.file.lists.get("NONSPECIFIC_CURRENT", ()):
        flow = names.final(name)
        known = names.meaning.currents.get("")
        names.meaning.currents[""] = flow if known is None else x.add(known, flow)
    if not any(not x.is_number(flow, 0) for flow in names.meaning.currents.values()):
        raise NoCurrent(f"{names.place('BREAKPOINT')}: its current is 0 whatever happens.")


def _leave_pools(names: Names) -> None:
    """Concentrations that the file writes itself are those of the cell's ion here, which another class of the file keeps."""
    for name in names.kept & {f"{ion.species}{side}" for ion in names.file.ions for side in "io"}:
        value = x.symbol(name) if name in names.states else names.cycle.env.get(name, x.symbol(name))
        if value.op == "symbol" and value.value in names.states:
            names.states.discard(value.value)
            names.meaning.rates.pop(value.value, None)
            change = {value.value: x.symbol(name)}
            names.meaning.rates = {one: x.substituted(f, change) for one, f in names.meaning.rates.items()}
            names.meaning.currents = {one: x.substituted(f, change) for one, f in names.meaning.currents.items()}


def _check_left(names: Names) -> None:
    """Refuse a state that more than its equation moves; say it of one that is but held, as within bounds."""
    for name in names.meaning.rates:
        value = names.cycle.env.get(name)
        if name in names.cycle.solved.updates or value is None or value is x.symbol(name):
            continue
        if not names.alike(x.substituted(value, {name: value}), value):
            raise NmodlError(
                f"{names.place(name, 'BREAKPOINT')}: the state {name} is moved by more than its equation, at each step, whatever its length is."
            )
        said = (
            f"the state {name} is set beside its equation: here the current is of what is set, and the state moves on"
        )
        names.meaning.findings.append(said)


def _drop_unused(names: Names) -> None:
    """States that no current depends on, directly or by other states, are left out."""
    rates = names.meaning.rates
    needed = set[str]().union(*(flow.symbols for flow in names.meaning.currents.values())) & names.states
    if names.meaning.arrows and needed & set(names.meaning.scheme):
        needed |= set(names.meaning.scheme)
    elif names.meaning.arrows:
        names.meaning.arrows = []
    old = -1
    while len(needed) > old:
        old = len(needed)
        for name in sorted(needed):
            if name in rates:
                needed |= rates[name].symbols & names.states
    for name in sorted(needed - set(rates)):
        held = names.started(name)
        if held.symbols & (names.states | {"v"}):
            raise NmodlError(f"{names.place(name)}: the state {name} is used, and nothing says how it changes.")
        change = {name: held}
        names.meaning.currents = {s: x.substituted(f, change) for s, f in names.meaning.currents.items()}
        names.meaning.rates = rates = {s: x.substituted(f, change) for s, f in rates.items()}
        names.meaning.findings.append(f"the state {name} never changes")
    for name in sorted(set(rates) - needed):
        del rates[name]
        names.meaning.notes.append(f"the state {name} was left out: no current depends on it")


def _check_symbols(names: Names) -> None:
    """Every symbol is V, celsius, a state, an ion's or a parameter; the parameters are written down."""
    used = frozenset[str]().union(*(f.symbols for f in all_formulas(names.meaning)))
    for name in sorted(used - names.states - {"v", "celsius"}):
        if name in ("t", "dt"):
            raise NmodlError(
                f"{names.place(name)}: its current depends on {'time' if name == 't' else 'the length of a step'} itself ({name})."
            )
        if name == "nseg":
            raise NmodlError(f"{names.place(name)}: it depends on nseg, which a channel here does not know.")
        if name in SECTION:
            names.meaning.quantities[name] = names.section(name)
            continue
        if name in names.given:
            _check_ion_name(names, name)
            continue
        names.meaning.quantities[name] = names.quantity(name)


def _check_ion_name(names: Names, name: str) -> None:
    for ion in names.file.ions:
        if name == f"i{ion.species}":
            raise names.cycle.refuse(
                ion.line, f"it depends on {name}, the sum over all channels, which one channel does not know."
            )
        if name in (*ion.reads, *ion.writes):
            names.species(ion.species, ion.valence, ion.line)
