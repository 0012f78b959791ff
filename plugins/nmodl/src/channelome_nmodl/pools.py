"""Reading an ion off a mechanism that writes its concentrations or its reversal potential: a pool, a pump, a formula."""

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from .along import check_renamed, read_along
from .meaning import Meaning, all_formulas, check_kind, kept
from .names import SECTION, Names, of_neuron
from .rates import read_rates
from .regular import regular
from .text import NmodlError
from .tree import File

CURRENT, INSIDE, OUTSIDE = "I@", "C_in@", "C_out@"
"""Symbols of the current density in uA/cm^2 and of the two concentrations in mM; a file's names have no @."""
_PER_AREA = 1e-3
"""mA/cm2 in a uA/cm^2."""


def mean_ions(file: File) -> list[Meaning]:
    """What a file means for each ion whose concentrations or reversal potential it writes.

    Raises:
        NmodlError: with the line and the reason, for what no ion here can be.
    """
    check_kind(file)
    return [_mean_ion(file, species, written) for species, written in kept(file).items()]


def _mean_ion(file: File, species: str, written: tuple[str, ...]) -> Meaning:
    names = Names(file)
    meaning = names.meaning
    ion = next(one for one in file.ions if one.species == species)
    meaning.species = names.species(species, ion.valence, ion.line)
    names.kept = {f"i{species}"}
    names.given -= set(written)
    sides = (f"{species}i", f"{species}o")
    names.began = {one: f"{one}0_{species}_ion" for one in written if one in sides and one not in names.states}
    names.run()
    read_rates(names)
    read_along(names)
    meaning.arrows = []
    held = {name: _written(names, name) for name in written}
    needed = _needed(names, held)
    for name in sorted(set(meaning.rates) - needed):
        del meaning.rates[name]
        meaning.along.pop(name, None)
        meaning.notes.append(f"the state {name} was left out: nothing of {species} depends on it")
    if names.first.solved.steady or names.first.solved.equations:
        raise NmodlError(
            f"{names.place('INITIAL')}: INITIAL solves equations for the start of a pool, which is not done here."
        )
    meaning.starts = {name: _start(names, name) for name in meaning.rates}
    _rename(names, species, held)
    meaning.potential = _with_concentrations(held.pop(f"e{species}", None), species)
    regular(names)
    _check_symbols(names, ion.reads)
    return names.meant()


def _written(names: Names, name: str) -> Formula:
    """What the file puts into a variable of an ion."""
    if name in names.states and name not in names.meaning.rates:
        names.states.discard(name)  # it stands among the states, and only takes what another has
    if name not in names.states:
        if name not in names.cycle.env:
            raise NmodlError(f"{names.place(name)}: {name} is said to be written, and is not.")
        return names.final(name)
    _check_is_left(names, name)
    return x.symbol(name)


def _check_is_left(names: Names, name: str) -> None:
    """Refuse a state that more than its equation moves."""
    value = names.cycle.env.get(name)
    if value is not None and value is not x.symbol(name):
        raise NmodlError(
            f"{names.place(name, 'BREAKPOINT')}: BREAKPOINT sets the state {name} itself, which no equation here can say."
        )


def _needed(names: Names, held: dict[str, Formula]) -> set[str]:
    """States that what is written depends on, directly or by others."""
    found, old = set[str]().union(*(f.symbols for f in held.values())) & names.states, -1
    while len(found) > old:
        old = len(found)
        for name in sorted(found):
            if name not in names.meaning.rates:
                raise NmodlError(f"{names.place(name)}: the state {name} is used, and nothing says how it changes.")
            _check_is_left(names, name)
            found |= names.meaning.rates[name].symbols & names.states
    return found


def _start(names: Names, name: str) -> Formula:
    """What INITIAL gives a state, of parameters alone."""
    start = names.resolved(names.started(name))
    if start.symbols & names.states:
        raise NmodlError(
            f"{names.place(name, 'INITIAL')}: what {name} starts from depends on other states in a circle."
        )
    return start


def _rename(names: Names, species: str, held: dict[str, Formula]) -> None:
    """Make each written concentration a variable of its own name, in the place of the state that it is."""
    meaning = names.meaning
    for name, own in ((f"{species}i", INSIDE), (f"{species}o", OUTSIDE)):
        if name not in held:
            continue
        f = held.pop(name)
        states = sorted(f.symbols & names.states)
        names.states.add(own)
        if not states:
            meaning.rates[own], meaning.starts[own] = x.number(0), f
            continue
        parts = x.linear(f, states[0]) if len(states) == 1 else None
        if parts is None or parts[1].symbols & {"v", "t", "dt"}:
            raise NmodlError(
                f"{names.place(name)}: {name} is no multiple of one state but made of {', '.join(states)}; a concentration here is a state."
            )
        shift, factor = parts
        check_renamed(names, states[0], shift, factor)
        change = {states[0]: x.div(x.sub(x.symbol(own), shift), factor)}
        rate, start = meaning.rates.pop(states[0]), meaning.starts.pop(states[0])
        if states[0] == name and name not in names.first.env:
            start = x.number(of_neuron(species, name[-1]))
            meaning.of_neuron.add(own)
        if states[0] in meaning.along:
            meaning.along[own] = meaning.along.pop(states[0])
        meaning.rates[own], meaning.starts[own] = x.mul(factor, rate), start and x.add(shift, x.mul(factor, start))
        meaning.rates = {key: x.substituted(f, change) for key, f in meaning.rates.items()}
        held.update({key: x.substituted(f, change) for key, f in held.items()})
    meaning.rates = {key: _with_concentrations(f, species) or f for key, f in meaning.rates.items()}
    meaning.starts = {key: _with_concentrations(f, species) for key, f in meaning.starts.items()}


def _with_concentrations(f: Formula | None, species: str) -> Formula | None:
    """`f` of our symbols in place of what the file calls the current and the concentrations."""
    if f is None:
        return None
    current = x.mul(x.number(_PER_AREA), x.symbol(CURRENT))
    ours = {f"i{species}": current, f"{species}i": x.symbol(INSIDE), f"{species}o": x.symbol(OUTSIDE)}
    return x.substituted(f, ours)


def _check_symbols(names: Names, reads: tuple[str, ...]) -> None:
    """Every symbol is the current, a concentration, a state or a parameter; the parameters are written down."""
    meaning = names.meaning
    used = frozenset[str]().union(*(f.symbols for f in all_formulas(meaning)))
    if CURRENT in used and f"i{meaning.species}" not in reads:
        raise NmodlError(
            f"{names.place(f'i{meaning.species}', 'DERIVATIVE', 'KINETIC')}: it uses i{meaning.species} without READ, its own current and no other."
        )
    for name, start in meaning.starts.items():
        if start is not None and start.symbols & {CURRENT, *meaning.rates}:
            raise NmodlError(
                f"{names.place('INITIAL')}: {name.rstrip('@')} starts from the current, which an ion here does not know then."
            )
    for name in sorted(used - set(meaning.rates) - {CURRENT, INSIDE, OUTSIDE}):
        of_the_cell = name == "celsius" and meaning.potential is not None and not _in_rates(meaning, name)
        if name in SECTION:
            if not of_the_cell:
                meaning.quantities[name] = names.section(name)
        elif name in ("t", "dt"):
            raise NmodlError(
                f"{names.place(name, 'DERIVATIVE', 'KINETIC')}: its pool depends on {'time' if name == 't' else 'the length of a step'} itself ({name})."
            )
        elif name in ("v", "nseg") or name in names.given or _is_current(names, name):
            raise NmodlError(
                f"{names.place(name, 'DERIVATIVE', 'KINETIC')}: its pool depends on {name}, which an ion here does not see."
            )
        else:
            meaning.quantities[name] = names.quantity(name)


def _in_rates(meaning: Meaning, name: str) -> bool:
    return any(name in f.symbols for f in (*meaning.rates.values(), *meaning.starts.values()) if f is not None)


def _is_current(names: Names, name: str) -> bool:
    return any(name == f"i{ion.species}" for ion in names.file.ions)
