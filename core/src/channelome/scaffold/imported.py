"""What was imported, put into a pack: modules in the house style, with golden data and a reference to each file."""

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError, PackError
from ..registry.discovery import GROUP
from .channel import Draft, find_place, new_channels
from .looked import Looked
from .pack import new_pack
from .request import Origin, outline


class Made(NamedTuple):
    """What was made: the pack's folder, whether it is new, and the names of the classes in the order of what was given."""

    folder: Path
    is_new: bool
    names: tuple[str, ...]


def put(given: Iterable[Looked], folder: Path, *, family: str = "", licence: str = "", source: str = "") -> Made:
    """Put mechanisms into the pack in `folder`, which is made if it is not there and `family` and `licence` are said.

    Raises:
        PackError: where there is no pack, and none can be made.
        ModelError: where there is nothing to put, or something of that name is there already.
    """
    given = [one for one in given if one.write is not None]
    if not given:
        raise ModelError("none of the files is a mechanism here: nothing is put into the pack.")
    is_new = not (folder / "pyproject.toml").is_file()
    if is_new and not (family and licence):
        raise PackError(
            f"{folder} holds no pack: say --family Smith2020 and --license, and it is made; or make one with `channelome new pack`."
        )
    family = family or _family(folder)
    names = _named(given, family)
    if not is_new:
        _check_are_new(
            (other for one, name in zip(given, names, strict=True) for other in one.named(name)), folder, family
        )
    drafts = [_draft(one, name, source or family) for one, name in zip(given, names, strict=True)]
    if is_new:
        first = next((draft for draft in drafts if draft.written and draft.written.kind == "channel"), None)
        if first is None:
            raise ModelError(
                "a pack is made around a channel, and none of the files is one: make it with `channelome new pack`."
            )
        origin = Origin(source or f"the files of {given[0].path.parent.name}")
        new_pack(first.outline, origin, licence, folder=folder, draft=first)
        drafts.remove(first)
    if drafts:
        new_channels(drafts, folder)
    for one, name in zip(given, names, strict=True):
        one.packed = name
    return Made(folder, is_new, names)


def _draft(one: Looked, name: str, source: str) -> Draft:
    digest = hashlib.sha256(one.path.read_bytes()).hexdigest()
    ported = f"{one.path.name}, SHA-256 {digest}, licence not stated"
    ion = one.ion if one.ion in ("na", "k", "ca", "cl", "mg", "h") else "none"
    assert one.write is not None
    return Draft(outline(name, ["m"], ion), Origin(source, ported_from=ported), one.write(name))


def _family(folder: Path) -> str:
    points = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("entry-points", {})
    families = list(points.get(GROUP, ()))
    if len(families) != 1:
        raise PackError(f"the pack in {folder} has {len(families)} families: say which, --family.")
    return families[0]


def _named(given: Iterable[Looked], family: str) -> tuple[str, ...]:
    """A name for each, after its mechanism: ``IKv_Smith2020``, ``CaCad_Smith2020``, ``Exp2Syn_Smith2020``; no two classes have one."""
    found, taken = list[str](), set[str]()
    for one in given:
        number, name = 2, f"{one.base}_{family}"
        while taken & (own := {other.casefold() for other in one.named(name)}):
            name, number = f"{one.base}v{number}_{family}", number + 1
        taken |= own
        found.append(name)
    return tuple(found)


def _check_are_new(names: Iterable[str], folder: Path, family: str) -> None:
    """Refuse what the pack has already, before anything is made for it."""
    manifest = find_place(folder, family).manifest
    table = tomllib.loads(manifest.read_text(encoding="utf-8"))
    held = {name for kind in ("channel", "ion", "synapse") for name in table.get(kind, {})}
    if known := sorted(held.intersection(names)):
        raise ModelError(
            f"{', '.join(known)} is there already, in {manifest}: leave its file out, or take another pack."
        )
