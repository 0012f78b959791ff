"""Reading what diffuses along a cell: LONGITUDINAL_DIFFUSION of states that COMPARTMENT gives a volume."""

from channelome.formulas import expression as x
from channelome.formulas.expression import Formula

from .names import GIVEN, SECTION, Names


def read_along(names: Names) -> None:
    """Put what diffuses into the meaning: of each state that has a rate its coefficient and the cross-section that it fills.

    NEURON has ``V dC/dt = d/dx (W dC/dx)`` with V what COMPARTMENT says and W what LONGITUDINAL_DIFFUSION does. So the cross-section is V, whatever it
    is in the file, and the coefficient W/V.

    Raises:
        NmodlError: with the line, where either depends on what changes.
    """
    solved = names.cycle.solved
    for name, (flow, line) in solved.along.items():
        if name not in names.states:
            raise names.cycle.refuse(line, f"LONGITUDINAL_DIFFUSION of {name}, which is no STATE.")
        if name not in names.meaning.rates:
            continue  # nothing asks for it
        flow, section = names.resolved(flow), names.resolved(solved.volumes.get(name, x.number(1)))
        for what, f in (("LONGITUDINAL_DIFFUSION", flow), ("COMPARTMENT", section)):
            moving = sorted(f.symbols & ((names.states | names.given | names.kept | GIVEN) - SECTION.keys()))
            if moving:
                raise names.cycle.refuse(
                    line,
                    f"{what} of {name}, which diffuses along the cell, depends on {', '.join(moving)}: a constant is read.",
                )
        if x.is_number(section, 0):
            raise names.cycle.refuse(line, f"{name} diffuses along the cell, and its COMPARTMENT has no volume.")
        names.meaning.along[name] = (quotient(flow, section), section)


def check_unmoved(names: Names) -> None:
    """Refuse what a channel depends on and diffuses along the cell.

    Raises:
        NmodlError: with the line.
    """
    for name, (_, line) in names.cycle.solved.along.items():
        if name in names.meaning.rates:
            raise names.cycle.refuse(
                line,
                f"its current depends on {name}, which diffuses along the cell: only what is of an ion does so here.",
            )


def check_renamed(names: Names, state: str, shift: Formula, factor: Formula) -> None:
    """Refuse a concentration made of a state that diffuses where what makes it so differs along the cell, as the diameter does.

    Raises:
        NmodlError: with the line.
    """
    if state in names.meaning.along and (shift.symbols | factor.symbols) & SECTION.keys():
        line = names.cycle.solved.along[state][1]
        raise names.cycle.refuse(
            line, f"{state} diffuses along the cell, and the concentration is another multiple of it at each diameter."
        )


def quotient(a: Formula, b: Formula) -> Formula:
    """``a / b`` without the factors that are in both."""
    above, below = _factors(a)
    divided, by = _factors(b)
    above, below = above + by, below + divided
    for one in list(above):
        if one in below:
            above.remove(one)
            below.remove(one)
    return x.div(_product(above), _product(below)) if below else _product(above)


def _product(each: list[Formula]) -> Formula:
    found = x.number(1)
    for one in each:
        found = x.mul(found, one)
    return found


def _factors(f: Formula) -> tuple[list[Formula], list[Formula]]:
    """What a product is made of, above and below its bar."""
    if f.op == "*":
        (a, b), (c, d) = (_factors(arg) for arg in f.args)
        return a + c, b + d
    if f.op == "/":
        (a, b), (c, d) = (_factors(arg) for arg in f.args)
        return a + d, b + c
    return [f], []
