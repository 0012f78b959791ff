"""What a morphology measures, for people, and what in it deserves a look."""

from collections.abc import Iterator

import numpy as np

from .anatomy import Anatomy, type_name

_THIN = 0.1
"""um. Our choice: below what light microscopes resolve."""


def report(anatomy: Anatomy) -> str:
    """A page on `anatomy`: its parts, its measures, what is odd, what was repaired."""
    return "\n".join(
        [
            anatomy.source,
            *_table(anatomy),
            *_whole(anatomy),
            *_odd(anatomy),
            *(f"repaired: {note}" for note in anatomy.notes),
        ]
    )


def _table(anatomy: Anatomy) -> Iterator[str]:
    yield f"  {'part':<10}{'branches':>9}{'length um':>12}{'area um^2':>12}{'volume um^3':>13}{'diameter um':>16}"
    frusta, tags = anatomy.frusta, anatomy.branches.tag
    counts = np.diff(anatomy.branches.first)
    for tag in dict.fromkeys(tags.tolist()):
        of = tags == tag
        diameters = anatomy.branches.points[np.repeat(of, counts), 3]
        yield (
            f"  {type_name(tag):<10}{of.sum():>9}{frusta.lengths[of].sum():>12.1f}{frusta.areas[of].sum():>12.1f}"
            f"{frusta.volumes[of].sum():>13.1f}{f'{diameters.min():.3g} to {diameters.max():.3g}':>16}"
        )
    yield (
        f"  {'all':<10}{len(anatomy):>9}{frusta.lengths.sum():>12.1f}{frusta.areas.sum():>12.1f}{frusta.volumes.sum():>13.1f}"
    )


def _whole(anatomy: Anatomy) -> Iterator[str]:
    ends = anatomy.distance(np.arange(len(anatomy)), np.ones(len(anatomy)))
    far = int(np.argmax(ends))
    tips = sum(not below for below in anatomy.children)
    yield f"  {len(anatomy.branches.points)} points, {tips} ends, branch order up to {anatomy.orders.max()}"
    yield f"  farthest from {anatomy.label(*anatomy.origin)}: {anatomy.label(far, 1.0)}, {ends[far]:.1f} um along the branches"
    size = np.ptp(anatomy.branches.points[:, :3], axis=0)
    yield f"  {' x '.join(f'{side:.1f}' for side in size)} um (x, y, z)"


def _odd(anatomy: Anatomy) -> Iterator[str]:
    diameters = anatomy.branches.points[:, 3]
    if (thin := diameters < _THIN).any():
        yield f"look at: {thin.sum()} points thinner than {_THIN} um"
    if len(np.unique(diameters)) == 1 and len(anatomy) > 1:
        yield f"look at: every diameter is {diameters[0]:g} um, so none was measured"
    steps = anatomy.frusta.height
    inside = np.ones(len(steps), bool)
    inside[anatomy.branches.first[1:-1] - 1] = False
    if (inside & (steps == 0)).any():
        yield f"look at: {(inside & (steps == 0)).sum()} points lie on the one before them"
    ratio = diameters[1:] / diameters[:-1]
    if (jump := inside & ((ratio > 5) | (ratio < 0.2))).any():
        where = np.searchsorted(anatomy.branches.first, np.flatnonzero(jump)[0], side="right") - 1
        yield f"look at: the diameter changes more than fivefold from one point to the next {jump.sum()} times, first on {anatomy.label(int(where))}"
    if np.ptp(anatomy.branches.points[:, 2]) == 0:
        yield "look at: all points lie in one plane"
    if type_name(1) not in anatomy.members:
        yield "look at: there is no soma; distances count from the beginning of the root"
