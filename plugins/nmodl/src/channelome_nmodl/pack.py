"""From .mod files to modules of a pack: classes in the house style, with golden data."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from channelome.errors import ModelError, PackError
from channelome.formulas.write import module, names_of
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion
from channelome.registry.discovery import GROUP
from channelome.scaffold import Draft, Origin, Written, new_channels, new_pack, outline

from . import golden
from .load import Imported, load_all


class Made(NamedTuple):
    """What was made of files: the pack's folder, whether it is new, and the name of the class of each file."""

    folder: Path
    is_new: bool
    names: dict[Path, str]


def written(path: Path, name: str) -> Written:
    """The module of a file's classes, of which the first is called `name`, and golden data of a channel among them."""
    return _written(load_all(path), path, name)


def _written(parts: Sequence[Imported], path: Path, name: str) -> Written:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = module(names_of([one.plan for one in parts], name), digest)
    first = parts[0].cls
    kind = "channel" if issubclass(first, Channel) else "ion" if issubclass(first, Ion) else "synapse"
    return Written(text, kind, golden.cases(parts[0].plan) if kind == "channel" else ())


def put(
    files: Iterable[tuple[Path, Sequence[Imported]]],
    folder: Path,
    *,
    family: str = "",
    licence: str = "",
    source: str = "",
) -> Made:
    """Put what was made of files into the pack in `folder`, which is made if it is not there and `family` and `licence` are said.

    Raises:
        PackError: where there is no pack, and none can be made.
        ModelError: where there is nothing to put, or something of that name is there already.
    """
    files = list(files)
    if not files:
        raise ModelError("none of the files is a mechanism here: nothing is put into the pack.")
    is_new = not (folder / "pyproject.toml").is_file()
    if is_new and not (family and licence):
        raise PackError(
            f"{folder} holds no pack: say --family Smith2020 and --license, and it is made; or make one with `channelome new pack`."
        )
    family = family or _family(folder)
    names = _named(files, family)
    drafts = [_draft(path, parts, names[path], source or family) for path, parts in files]
    if is_new:
        first = next((draft for draft in drafts if draft.written and draft.written.kind == "channel"), None)
        if first is None:
            raise ModelError(
                "a pack is made around a channel, and none of the files is one: make it with `channelome new pack`."
            )
        origin = Origin(source or f"the files of {files[0][0].parent.name}")
        new_pack(first.outline, origin, licence, folder=folder, draft=first)
        drafts.remove(first)
    if drafts:
        new_channels(drafts, folder)
    return Made(folder, is_new, names)


def _draft(path: Path, parts: Sequence[Imported], name: str, source: str) -> Draft:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    ported = f"{path.name}, SHA-256 {digest}, licence not stated"
    ion = parts[0].plan.ion if isinstance(parts[0].plan.ion, str) else "none"
    sketch = outline(name, ["m"], ion if ion in ("na", "k", "ca", "cl", "mg", "h") else "none")
    return Draft(sketch, Origin(source, ported_from=ported), _written(parts, path, name))


def _family(folder: Path) -> str:
    points = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("entry-points", {})
    families = list(points.get(GROUP, ()))
    if len(families) != 1:
        raise PackError(f"the pack in {folder} has {len(families)} families: say which, --family.")
    return families[0]


def _named(files: Iterable[tuple[Path, Sequence[Imported]]], family: str) -> dict[Path, str]:
    """A name for each file, after its mechanism: ``IKv_Smith2020``, ``CaCad_Smith2020``, ``Exp2Syn_Smith2020``."""
    found: dict[Path, str] = {}
    for path, parts in files:
        base = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", parts[0].plan.meaning.name))
        if issubclass(parts[0].cls, Channel):
            base = base if re.match(r"I[A-Z]", base) else f"I{base}"
        elif issubclass(parts[0].cls, Ion):
            base = parts[0].plan.meaning.species.capitalize() + base
        number, name = 2, f"{base}_{family}"
        while name.casefold() in (other.casefold() for other in found.values()):
            name, number = f"{base}v{number}_{family}", number + 1
        found[path] = name
    return found
