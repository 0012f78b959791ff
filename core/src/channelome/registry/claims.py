"""Who owns a family, and who claims what is not theirs."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .discovery import Problem
from .manifest import Alias, Entry, Manifest
from .names import Names
from .suggest import FIRST_PARTY

Owners = Mapping[str, tuple[tuple[str, str], ...]]
"""Family, as it is spelt, and distribution of each claim, by what all spellings of the family have in common."""


def same(family: str) -> str:
    """What spellings of a family that differ by case, or by the width of letters, have in common."""
    return unicodedata.normalize("NFKC", family).casefold()


def owners_of(manifests: Iterable[Manifest]) -> Owners:
    """The claims to each family."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for manifest in manifests:
        if manifest.family:
            found[same(manifest.family)].append((manifest.family, manifest.distribution))
    return {key: tuple(claims) for key, claims in found.items()}


def family_problems(owners: Owners) -> Iterator[Problem]:
    """Families that are claimed twice, one problem for each claim."""
    for claims in owners.values():
        if len(claims) < 2:
            continue
        first = claims[0][1].split()[0]
        for family, owner in claims:
            others = [
                distribution + (f", as '{other}'," if other != family else "")
                for other, distribution in claims
                if (other, distribution) != (family, owner)
            ] or [owner]
            what = f"it claims the family '{family}', which {' and '.join(others)} claims too"
            yield Problem(owner, what, f"Uninstall one, or disable it: CHANNELOME_DISABLE_PACKS={first}.", family)


def own_names(manifests: Iterable[Manifest], owners: Owners) -> tuple[Names, list[Problem]]:
    """The index of what packs may call their own, and the aliases that they may not.

    An alias is a name of the pack's family, or of that family as another project numbers it: ``INa_TM1991v2``. One of another
    family is its owner's, whether that is installed or not, and a name wins over an alias.
    """
    entries = [entry for manifest in manifests for entry in manifest.entries]
    problems: list[Problem] = []
    named, kept = Names.of(entries), list[Entry]()
    for entry in entries:
        good: list[Alias] = []
        for alias in entry.aliases:
            what = _mistake(alias.name, entry, named, owners)
            if what:
                what = f"its alias '{alias.name}' of '{entry.name}' {what}"
                problems.append(Problem(entry.distribution, what, f"Write {entry.name} instead.", entry.family))
            else:
                good.append(alias)
        kept.append(replace(entry, aliases=tuple(good)))
    return Names.of(kept), problems


def _mistake(alias: str, entry: Entry, named: Names, owners: Owners) -> str:
    """Why an entry may not have the alias; nothing where it may."""
    if others := [other for other in named.claims.get(alias, ()) if other.name != entry.name]:
        return f"is taken by '{others[0].name}' of {others[0].distribution}"
    if not entry.family:
        return ""
    _, bar, ending = alias.rpartition("_")
    own, ending = same(entry.family), same(ending)
    for family in (ending, re.sub(r"v[0-9]+$", "", ending)) if bar else ():
        if family == own:
            return ""
        if family in owners:
            spelt, owner = owners[family][0]
            return f"is a name of the family '{spelt}', which {owner} owns"
        if family in FIRST_PARTY:
            return f"is a name of another family, which {FIRST_PARTY[family]} owns, though that is not installed"
    return f"is no name of its family: those end with _{entry.family}"
