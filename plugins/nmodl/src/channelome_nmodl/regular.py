"""Formulas made regular: quotients that are 0/0 somewhere, and branches that are not taken."""

import contextlib

from channelome.errors import ModelError
from channelome.formulas import expression as x
from channelome.formulas.expression import Formula
from channelome.formulas.safe import Guarded
from channelome.formulas.singular import Singular

from .meaning import all_formulas
from .names import SECTION, Names


def regular(names: Names) -> None:
    """Take out singular quotients everywhere, and the section where it cancels."""
    meaning = names.meaning
    meaning.rates = {name: _anywhere(names, f) for name, f in meaning.rates.items()}
    meaning.currents = {name: _anywhere(names, f) for name, f in meaning.currents.items()}
    clean = Singular(names.defaults(*all_formulas(meaning)))
    meaning.rates = {name: clean.removed(f) for name, f in meaning.rates.items()}
    meaning.currents = {name: clean.removed(f) for name, f in meaning.currents.items()}
    meaning.starts = {name: f and clean.removed(f) for name, f in meaning.starts.items()}
    for arrow in meaning.arrows:
        arrow.rate = clean.removed(arrow.rate)
    meaning.along = {name: (clean.removed(D), clean.removed(section)) for name, (D, section) in meaning.along.items()}
    if meaning.potential is not None:
        meaning.potential = clean.removed(meaning.potential)
    meaning.findings += clean.findings
    guarded = Guarded(names.plain(*all_formulas(meaning)))
    meaning.rates = {name: guarded.safe(f) for name, f in meaning.rates.items()}
    meaning.currents = {name: guarded.safe(f) for name, f in meaning.currents.items()}
    meaning.starts = {name: f and guarded.safe(f) for name, f in meaning.starts.items()}
    for arrow in meaning.arrows:
        arrow.rate = guarded.safe(arrow.rate)
    for f, name in {**names.first.names, **names.cycle.names}.items():
        if f.symbols.isdisjoint(("dt", "t")):
            with contextlib.suppress(ModelError):
                meaning.names.setdefault(guarded.safe(clean.removed(names.resolved(f))), name)


def _anywhere(names: Names, f: Formula) -> Formula:
    """`f` without diameter and area where they cancel, as in reactions of a membrane over the membrane."""
    for name in sorted(f.symbols & SECTION.keys() - {"celsius"}):
        plain = x.substituted(f, {name: x.number(1)})
        if names.alike(f, plain):
            f = plain
    return f
