"""What the environment's switches name, beside what there is to be named."""

import difflib
from collections.abc import Iterable, Iterator

from .discovery import Problem, Source, Switches, installed_points, normal
from .plugins import GROUP
from .suggest import FIRST_PARTY


def unknown_words(switches: Switches, sources: Iterable[Source], offered: Iterable[str]) -> Iterator[Problem]:
    """A problem for each word in CHANNELOME_PACKS and CHANNELOME_DISABLE_PACKS that nothing is called.

    Args:
        sources: packs that are installed, admitted or not.
        offered: families that plugins offer.
    """
    words = {"CHANNELOME_PACKS": switches.allowed or frozenset(), "CHANNELOME_DISABLE_PACKS": switches.disabled}
    if not any(words.values()):
        return
    known = {normal(name): name for name in _known(sources, offered)}
    ours = {normal(name) for name in (*FIRST_PARTY, *FIRST_PARTY.values())}
    for variable, named in words.items():
        for word in sorted(named - set(known)):
            if word in ours and variable == "CHANNELOME_DISABLE_PACKS":
                continue  # what is not installed is as good as disabled
            near = difflib.get_close_matches(word, known, n=1)
            remedy = f"Did you mean {known[near[0]]}?" if near else f"There are {', '.join(sorted(known.values()))}."
            yield Problem(variable, f"it names '{word}', which no installed pack or plugin is called", remedy)


def _known(sources: Iterable[Source], offered: Iterable[str]) -> Iterator[str]:
    yield from ("channelome", *offered)
    for source in sources:
        yield from (source.family, source.distribution.split()[0])
    for distribution, points in installed_points(GROUP):
        yield from (distribution.split()[0], *(point.name for point in points))
