"""What was imported beside the same file compiled by NEURON."""

import functools
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from channelome.errors import ModelError
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Ion
from channelome.mechanisms.transmission import Synapse

from . import accumulated, clamped, driven, received
from .load import Imported
from .oracle import Comparison, ask, compiled
from .seen import seen


class Question(NamedTuple):
    """What NEURON is asked about a class, and what its answer says of ours."""

    job: dict[str, Any]
    judged: Callable[[Mapping[str, Any]], list[Comparison]]


def compare(parts: tuple[Imported, ...], path: Path, python: str = sys.executable) -> list[Comparison]:
    """Compile a file with NEURON, and compare: a channel under voltage clamp, an ion under currents, a synapse under spikes.

    A file that holds a channel and keeps an ion is compared under both, its currents, what it writes into ions, and its states.

    Args:
        parts: all classes of the file.
        python: an interpreter that has NEURON; nrnivmodl is looked for beside it.

    Raises:
        ModelError: where NEURON is not there, or cannot compile or run the file.
    """
    with tempfile.TemporaryDirectory(prefix="channelome-nmodl-") as folder:
        library = compiled(path, Path(folder), python, beside(parts), parts[0].included)
        asked = questions(parts, str(library), parts[0].plan.meaning.file.name)
        answers = ask([question.job for question in asked], python)
        for answer in answers:
            if "error" in answer:
                raise ModelError(f"NEURON cannot run {path.name}: {answer['error']}")
        pairs = zip(asked, answers, strict=True)
        return [found for question, answer in pairs for found in question.judged(answer)]


def beside(parts: tuple[Imported, ...]) -> str:
    """The text of mechanisms that NEURON needs beside the file: for each ion one that carries its current."""
    return "".join(accumulated.driver(one.plan) for one in parts if issubclass(one.cls, Ion))


def questions(parts: tuple[Imported, ...], library: str, mechanism: str) -> list[Question]:
    """What NEURON is asked about each class of a file; about a channel or a synapse together with what else it is."""
    found: list[Question] = []
    ions = tuple(one for one in parts if issubclass(one.cls, Ion))
    pools = tuple(one.cls for one in ions)
    for one in parts:
        if issubclass(one.cls, Channel):
            names = seen([(part.cls, part.plan) for part in parts])
            judge = functools.partial(clamped.judged, one.cls, one.plan, pools, names)
            found.append(Question(clamped.job_of(one.plan, library, mechanism, names), judge))
            for ion in ions:
                judge = functools.partial(driven.judged, one.cls, one.plan, pools, ion.plan, names)
                found.append(Question(driven.job_of(one.plan, ion.plan, library, mechanism, names), judge))
        elif issubclass(one.cls, Ion) and len(pools) == len(parts):
            names = seen([(one.cls, one.plan)])
            judge = functools.partial(accumulated.judged, one.cls, one.plan, names)
            found.append(Question(accumulated.job_of(one.plan, library, mechanism, names), judge))
        elif issubclass(one.cls, Synapse):
            judge = functools.partial(received.judged, tuple((part.cls, part.plan) for part in parts))
            found.append(Question(received.job_of(one.plan, library, mechanism), judge))
    return found
