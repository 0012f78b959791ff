"""What a kind of stimulus is, apart from its numbers: how each kind is counted, averaged and printed; sums and multiples of any."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from .amounts import number, written

Numbers = Any
"""A pytree of numbers, by name."""


class Form(Protocol):
    """What a kind of stimulus is: static and hashable, so part of a program's structure. The numbers stand apart."""

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> "tuple[Form, Numbers]":
        """The form and numbers for steps of `dt` ms: times as `clock.moment` and `clock.rhythm`, floats of `dtype`."""
        ...

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        """From counted numbers the mean from share `first` to share `last` of step `n`."""
        ...

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        """From counted numbers the current at a share of step `n`. At an edge between two steps, each has its own side."""
        ...

    def edges(self, numbers: Numbers) -> int:
        """From counted numbers how many edges (of the current or of its slope) may lie inside one step, at most; static."""
        ...

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        """The share at which the first edge lies that comes after `share` in step `n`; 1 where there is none. By neuron or for all."""
        ...

    def neurons(self, numbers: Numbers) -> Any:
        """Of each number the first axis that goes over neurons, of the structure of `numbers`; -1 for none."""
        ...

    def span(self, numbers: Numbers) -> tuple[float, float]:
        """From the numbers as written when it begins and ends, in ms; outside it is 0."""
        ...

    def text(self, numbers: Numbers, unit: str) -> str:
        """As one would write it."""
        ...


@dataclass(frozen=True)
class Sum:
    first: Form
    second: Form

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        first, a = self.first.counted(numbers["first"], dt, dtype)
        second, b = self.second.counted(numbers["second"], dt, dtype)
        return Sum(first, second), {"first": a, "second": b}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        return self.first.mean(numbers["first"], n, first, last) + self.second.mean(numbers["second"], n, first, last)

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return self.first.at(numbers["first"], n, share) + self.second.at(numbers["second"], n, share)

    def edges(self, numbers: Numbers) -> int:
        return self.first.edges(numbers["first"]) + self.second.edges(numbers["second"])

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return jnp.minimum(self.first.edge(numbers["first"], n, share), self.second.edge(numbers["second"], n, share))

    def neurons(self, numbers: Numbers) -> Any:
        return {"first": self.first.neurons(numbers["first"]), "second": self.second.neurons(numbers["second"])}

    def span(self, numbers: Numbers) -> tuple[float, float]:
        (a, b), (c, d) = self.first.span(numbers["first"]), self.second.span(numbers["second"])
        return min(a, c), max(b, d)

    def text(self, numbers: Numbers, unit: str) -> str:
        first, second = self.first.text(numbers["first"], unit), self.second.text(numbers["second"], unit)
        return f"{first} - {second[1:]}" if second.startswith("-") else f"{first} + {second}"


@dataclass(frozen=True)
class Scaled:
    inner: Form

    def counted(self, numbers: Numbers, dt: float, dtype: Any) -> tuple[Form, Numbers]:
        inner, inside = self.inner.counted(numbers["inner"], dt, dtype)
        return Scaled(inner), {"factor": number(numbers["factor"], dtype), "inner": inside}

    def mean(self, numbers: Numbers, n: Any, first: Any, last: Any) -> Any:
        return numbers["factor"] * self.inner.mean(numbers["inner"], n, first, last)

    def at(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return numbers["factor"] * self.inner.at(numbers["inner"], n, share)

    def edges(self, numbers: Numbers) -> int:
        return self.inner.edges(numbers["inner"])

    def edge(self, numbers: Numbers, n: Any, share: Any) -> Any:
        return self.inner.edge(numbers["inner"], n, share)

    def neurons(self, numbers: Numbers) -> Any:
        return {"factor": 0, "inner": self.inner.neurons(numbers["inner"])}

    def span(self, numbers: Numbers) -> tuple[float, float]:
        return self.inner.span(numbers["inner"])

    def text(self, numbers: Numbers, unit: str) -> str:
        inner = self.inner.text(numbers["inner"], unit)
        inner = f"({inner})" if isinstance(self.inner, Sum | Scaled) else inner
        factor = written(numbers["factor"], "")
        return f"-{inner}" if factor == "-1" else f"{factor} * {inner}"


@dataclass(frozen=True)
class Named:
    """The part of a form that its name and the units of its numbers say.

    Attributes:
        name: of the function that makes it.
        axes: by number, the first axis over neurons, or -1.
        units: of numbers that are no currents.
    """

    name: str
    axes: tuple[tuple[str, int], ...]
    units: Mapping[str, str] = field(default_factory=dict[str, str], hash=False, compare=False)

    def neurons(self, numbers: Numbers) -> Any:
        def first_axis(name: str) -> Callable[[Any], int]:
            return lambda _: dict(self.axes).get(name, -1)

        return {name: jax.tree.map(first_axis(name), value) for name, value in numbers.items()}

    def options(self) -> Mapping[str, str]:
        """What it was given beside numbers, as one would write it."""
        return {}

    def text(self, numbers: Numbers, unit: str) -> str:
        given = {
            name: written(value, self.units.get(name, unit))
            for name, value in numbers.items()
            if value is not None and not (isinstance(value, float) and math.isinf(value))
        }
        return f"{self.name}({', '.join(f'{name}={text}' for name, text in {**given, **self.options()}.items())})"
