"""From .mod files to modules of a pack: classes in the house style, with golden data."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from channelome.formulas.write import module, names_of
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion
from channelome.scaffold import Written

from . import golden
from .load import Imported, load_all


def written(path: Path, name: str) -> Written:
    """The module of a file's classes, of which the first is called `name`, and golden data of a channel among them."""
    return of(load_all(path), path, name)


def of(parts: Sequence[Imported], path: Path, name: str) -> Written:
    """The module of the classes of one file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = module(names_of([one.plan for one in parts], name), digest)
    first = parts[0].cls
    kind = "channel" if issubclass(first, Channel) else "ion" if issubclass(first, Ion) else "synapse"
    return Written(text, kind, golden.cases(parts[0].plan) if kind == "channel" else ())


def base_of(parts: Sequence[Imported]) -> str:
    """What the first class is called before its family: ``IKv``, ``CaCad``, ``Exp2Syn``."""
    meaning = parts[0].plan.meaning
    base = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", meaning.name))
    if issubclass(parts[0].cls, Channel):
        return base if re.match(r"I[A-Z]", base) else f"I{base}"
    return f"{meaning.species.capitalize()}{base}" if issubclass(parts[0].cls, Ion) else base
