"""What to say of a name that nothing answers to: the pack to install or repair, or the names that are near."""

import difflib
from collections.abc import Collection, Iterable

from .discovery import Problem, Source

FIRST_PARTY = {
    **{
        family.casefold(): f"channelome-{family.casefold()}"
        for family in (
            *("HH1952", "TM1991", "Ba2002", "HM1992", "IS2008", "HP1992", "Re1993", "De1994", "De1996", "Ya1989"),
            *("Li2017", "diffrax"),
        )
    },
    "brette2007": "channelome-tm1991",
}
"""The distribution of each family that we publish ourselves."""


def unknown_name(
    name: str,
    kind: str | None,
    names: Iterable[str],
    families: Collection[str],
    problems: Iterable[Problem],
    left_out: Iterable[Source],
) -> str:
    """The message for the unknown `name`.

    Args:
        kind: that was asked for, if one was.
        names: that exist, of that kind.
        families: that are installed.
        problems: of packs; one of the name's family may be why the name is unknown.
        left_out: packs that the environment does not admit.
    """
    said = f"no installed pack provides {f'the {kind} ' if kind else ''}'{name}'."
    family = name.rpartition("_")[2].casefold() if "_" in name else ""
    if family and family not in {known.casefold() for known in families}:
        for problem in problems:
            if problem.family.casefold() == family:
                return f"{said} A pack that may is broken: {problem}"
        for source in left_out:
            if source.family.casefold() == family:
                return f"{said} {source.distribution} may; CHANNELOME_PACKS or CHANNELOME_DISABLE_PACKS leaves it out."
        if family in FIRST_PARTY:
            return f"{said} Install its pack: pip install {FIRST_PARTY[family]}."
    spelt = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(name.casefold(), spelt, n=3, cutoff=0.6)
    if close:
        return f"{said} Did you mean {' or '.join(spelt[match] for match in close)}?"
    return f"{said} See `channelome list` for what is installed."
