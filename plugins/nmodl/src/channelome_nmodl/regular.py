"""Formulas made regular: quotients that are 0/0 somewhere, and branches that are not taken."""

import contextlib

from channelome.errors import ModelError
from channelome.formulas.safe import Guarded
from channelome.formulas.singular import Singular

from .meaning import all_formulas
from .names import Names


def regular(names: Names) -> None:
    """Take out singular quotients everywhere."""
    meaning = names.meaning
    clean = Singular(names.defaults(*all_formulas(meaning)))
    meaning.rates = {name: clean.removed(f) for name, f in meaning.rates.items()}
    meaning.currents = {name: clean.removed(f) for name, f in meaning.currents.items()}
    meaning.starts = {name: f and clean.removed(f) for name, f in meaning.starts.items()}
    for arrow in meaning.arrows:
        arrow.rate = clean.removed(arrow.rate)
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
