"""What the kit's checks of curves find in the rate functions of jaxley-mech and of braincell, through small adapters.

``make bench-peers`` makes the environment that holds them; ``python tests/kit/peers_findings.py .venv-bench`` then writes the
table into docs/kit.md.
"""

import importlib
import inspect
import pkgutil
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax.numpy as jnp

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.path.extend(map(str, Path(sys.argv[1]).glob("lib/python*/site-packages")))

from kit.pages import PAGE, markdown, with_table

from channelome.testing.sampling import (
    Portrait,
    no_gradients,
    not_finite,
    not_single,
    not_smooth,
    over_voltage,
    wrong_slopes,
)

Rate = tuple[str, Callable[[Any], dict[str, Any]]]
"""A name and a function of V in mV that gives curves by name."""

CHECKS: dict[str, Callable[[Callable[..., Any], Portrait], Iterator[str]]] = {
    "finite": lambda _, portrait: not_finite(portrait),
    "smooth": lambda _, portrait: not_smooth(portrait),
    "slopes": lambda _, portrait: wrong_slopes(portrait),
    "gradients": no_gradients,
    "single precision": lambda _, portrait: not_single(portrait),
}


def jaxley_mech() -> Iterator[Rate]:
    """Each gate of each class: a function of v that gives two rates, or steady state and time constant."""
    import jaxley_mech.channels as package
    from jaxley.channels import Channel

    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for cls in vars(module).values():
            if not (inspect.isclass(cls) and issubclass(cls, Channel) and cls.__module__ == module.__name__):
                continue
            for name, gate in inspect.getmembers(cls, inspect.isfunction):
                if name.endswith("_gate") and list(inspect.signature(gate).parameters) == ["v"]:
                    yield (
                        f"{info.name}.{cls.__name__}.{name}",
                        lambda v, gate=gate: dict(zip("ab", gate(v), strict=False)),
                    )


def _named(gate: Any) -> dict[str, Any]:
    """Most give two curves, some one."""
    return dict(zip("ab", gate if isinstance(gate, tuple) else (gate,), strict=False))


def braincell() -> Iterator[Rate]:
    """Each function ``f_<gate>_<alpha, beta, inf or tau>`` of V of each class with its defaults, ions at rest."""
    import brainunit as u
    from braincell import IonInfo, channel

    ion = IonInfo(Ci=1e-4 * u.mM, Co=2.0 * u.mM, E=-80.0 * u.mV, valence=1) if _has_valence(IonInfo) else IonInfo(
        1e-4 * u.mM, 2.0 * u.mM, -80.0 * u.mV
    )  # fmt: skip
    seen: set[type] = set()
    for name in sorted(vars(channel)):
        cls = getattr(channel, name)
        if not inspect.isclass(cls) or cls in seen:
            continue
        seen.add(cls)
        try:
            made = cls(1)
        except Exception:
            continue
        for method, function in inspect.getmembers(made, inspect.ismethod):
            if method.startswith("f_") and method.endswith(("_alpha", "_beta", "_inf", "_tau")):
                more = [ion] * (len(inspect.signature(function).parameters) - 1)
                yield (
                    f"{name}.{method}",
                    lambda V, f=function, more=more: {"it": u.get_magnitude(f(V * u.mV, *more))},
                )


def _has_valence(cls: Any) -> bool:
    return "valence" in inspect.signature(cls).parameters


def findings(rates: Iterator[Rate]) -> tuple[int, int, Counter[str], dict[str, str]]:
    """How many functions there are, how many have a finding, how many of each check, and the first example of each."""
    total, failed, counts, examples = 0, 0, Counter[str](), defaultdict[str, str](str)
    for name, function in rates:
        try:
            portrait = over_voltage(lambda V, f=function: _floats(f(V)))
        except Exception as error:
            print(f"{name} cannot be evaluated: {type(error).__name__}: {str(error)[:100]}")
            continue
        total += len(portrait.double)
        bad: set[str] = set()
        for check, problems in CHECKS.items():
            said = list(problems(lambda V, f=function: _floats(f(V)), portrait))
            if said:
                bad.add(check)
                examples[check] = examples[check] or f"`{name}`: {said[0]}"
        counts.update(bad)
        failed += bool(bad)
    return total, failed, counts, examples


def _floats(curves: dict[str, Any]) -> dict[str, Any]:
    return {name: jnp.asarray(curve) for name, curve in curves.items()}


def rows() -> Iterator[tuple[str, ...]]:
    """A row for each package and check that found something."""
    yield "package", "check", "functions", "the first of them"
    for package, rates in (("jaxley-mech", jaxley_mech), ("braincell", braincell)):
        functions = sum(1 for _ in rates())
        curves, failed, counts, examples = findings(rates())
        yield f"{package} {version(package)}", "any", f"{failed} of {functions} ({curves} curves)", ""
        for check in CHECKS:
            if counts[check]:
                yield "", check, str(counts[check]), examples[check]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    table = markdown(rows())
    print(table)
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), "peers", table), encoding="utf-8")
