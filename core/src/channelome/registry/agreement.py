"""Whether code is what its manifest says. Imports the engine's mechanisms, so it comes in with the first pack that is loaded."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..mechanisms.describe import KINDS_OF_CLASSES, describe
from ..mechanisms.source import without_blanks
from .manifest import Entry
from .words import printable

_SAME = ("kind", "ion", "reads", "gates", "temperature", "equations")
_SOLVER = ("start", "step", "voltage", "state")


def misfit(entry: Entry, made: Any) -> str:
    """Why `made` is not what an entry of its kind names; nothing where it is."""
    if entry.kind == "solver":
        fits = all(callable(getattr(made, member, None)) for member in _SOLVER)
        return "" if fits else f"{entry.where} is no solver: an object with {', '.join(_SOLVER)}"
    bases = KINDS_OF_CLASSES[entry.kind]
    if not isinstance(made, type) or not issubclass(made, bases):
        return f"{entry.where} is no class of the kind '{entry.kind}'"
    return ""


def facts_of(entry: Entry, made: Any) -> dict[str, Any]:
    """What the code says of itself, in the words of a manifest; ``code`` where its parameters are those of the manifest."""
    if entry.kind == "solver":
        order = getattr(made, "order", None)
        return {"order": order} if isinstance(order, int) else {}
    facts = describe(made)
    if any(_of_parameters(entry.table.get("parameters"), facts["parameters"])):
        return facts
    return facts | {"code": facts["digest"]}  # what else its digest can differ by


def differences(said: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """What a manifest says of a mechanism and its code does not, in words. What it leaves out is no lie."""
    found = list(_of_parameters(said.get("parameters"), facts.get("parameters", {})))
    found += [
        _whole(key, said[key], facts.get(key))
        for key in _SAME
        if key in said and _bare(said[key]) != _bare(facts.get(key))
    ]
    if said.get("order", facts.get("order")) != facts.get("order", said.get("order")):
        found.append(f"its order is {said['order']} there, {facts['order']} in the code")
    if not found and said.get("digest", facts.get("digest")) != facts.get("digest"):
        missing = " cannot be compared: its sources are not there" if not facts.get("digest") else " is another"
        found.append(f"its code{missing}")
    return found


def _of_parameters(said: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> Iterator[str]:
    if said is None:
        return
    for name in dict.fromkeys((*said, *facts)):
        if name not in facts or name not in said:
            yield f"it {'has no' if name not in facts else 'has a'} parameter '{name}' in the code"
            continue
        there, here = (_value(one[name], facts[name]) for one in (said, facts))
        if there != here:
            yield f"{name} is {there} there, {here} in the code"


def _value(parameter: Mapping[str, Any], complete: Mapping[str, Any]) -> str:
    """A default with its unit, in words; what the manifest leaves out is that of the code."""
    default = parameter.get("default", "to be given")
    if isinstance(default, Mapping):
        default = cast("Mapping[str, float]", default)
        default = f"a Q10 of {float(default['q10'])!r} from {float(default['reference'])!r} degC"
    elif isinstance(default, int | float):
        default = repr(float(default))
    unit = parameter.get("unit", complete.get("unit", "1"))
    return printable(default if unit == "1" else f"{default} {unit}")


def _bare(value: Any) -> Any:
    """A value to compare; of a text the lines that are not blank."""
    return without_blanks(value) if isinstance(value, str) else value


def _whole(key: str, said: Any, here: Any) -> str:
    if key == "equations":
        return "its equations are others in the code" if here else "its equations are not there to compare with"
    return printable(f"its {key} is {said!r} there, {here!r} in the code")
