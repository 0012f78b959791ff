"""What a check is, and how one is run: a plain function of a subject that yields what is wrong."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import jax

from ..registry.words import described
from .report import Finding

Level = Literal["quick", "default", "full"]
LEVELS: tuple[Level, ...] = ("quick", "default", "full")

Problems = Iterable[str]
"""What a check finds: a sentence for each thing wrong, which names the quantity and the place."""


class Skip(Exception):
    """Raised by a check that does not apply, with the reason."""


@dataclass(frozen=True)
class Check:
    """A check.

    Attributes:
        name: as reports and ``[[expected_failures]]`` call it: the function's, with spaces.
        level: the least at which it runs.
        says: what holds of a subject that passes, in one sentence.
        hint: how to repair what fails.
        problems: the function.
    """

    name: str
    level: Level
    says: str
    hint: str
    problems: Callable[[Any], Problems]


def check(*, hint: str, level: Level = "default") -> Callable[[Callable[[Any], Problems]], Check]:
    """Make a function of a subject a `Check`; the first line of its docstring is what the check says.

    Raises:
        ValueError: for a level that is none.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}.")

    def made(function: Callable[[Any], Problems]) -> Check:
        says = (function.__doc__ or "").strip().partition("\n")[0]
        return Check(function.__name__.replace("_", " "), level, says, hint, function)

    return made


def at_level(checks: Iterable[Check], level: Level) -> list[Check]:
    """Those of `checks` that run at `level`."""
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}.")
    return [check for check in checks if LEVELS.index(check.level) <= LEVELS.index(level)]


def run_check(check: Check, subject: Any) -> Finding:
    """What `check` says of `subject`. An exception is a failure; whatever a pack does, the other checks run."""
    try:
        with jax.enable_x64(True):
            problems = list(check.problems(subject))
    except Skip as reason:
        return Finding(check.name, subject.name, "skipped", str(reason))
    except KeyboardInterrupt:  # of the user
        raise
    except BaseException as error:
        problems = [described(error).partition("\\n")[0]]
    if not problems:
        return Finding(check.name, subject.name, "ok")
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return Finding(check.name, subject.name, "failed", "; ".join(problems[:3]) + more, check.hint)


def quick(function: Callable[..., Any]) -> Any:
    """`function` under ``jax.jit``, not optimised: the kit's programs run a few times, and compiling them takes the time."""
    return jax.jit(function, compiler_options=_compiler_options())


@functools.cache
def _compiler_options() -> dict[str, Any]:
    """The options that this jaxlib knows, which take less than half the time of its defaults (CPU, jaxlib 0.10)."""
    level = {"xla_backend_optimization_level": 0}
    for options in ({**level, "xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1}, level):
        try:
            jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
        except Exception:
            continue
        return options
    return {}
