"""A current, or the voltage that a clamp commands, as a function of time: as a user writes it, and counted in steps of a run.

A stimulus is a pytree: its numbers are arguments of the compiled program, so another amplitude does not compile anew. Its
unit says whether it is a current density (uA/cm^2), an absolute current (nA, which needs the cell's area) or a voltage (mV);
one in Hz is the rate of a source of spikes. It carries its own time and never depends on the integrator's step. Depolarising
currents are positive.
"""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from ..clock import EARLIEST, MOST_STEPS
from ..equality import same
from ..errors import ModelError, UnitError
from ..streams import Stream
from ..units import Unit, convert, is_quantity
from .amounts import DENSITY, finite, number
from .form import Form, Numbers, Scaled, Sum

_ALONE = Stream()


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Current:
    """A current, or a voltage to command, as a function of time: what `step`, `ramp`, `sine`, `noise`, `pulses`, `samples`,
    `function` and `command` make.

    Those of one unit can be added and subtracted, also by `sum`, and multiplied and divided by numbers: one, or an array of the
    population's shape.

    Attributes:
        unit: ``"uA/cm^2"``, ``"nA"``, ``"mV"`` or, of rates, ``"Hz"``.
        form: what kind it is. Part of the structure.
        numbers: what the form computes with, by name; times in ms.
        detail: the shortest feature in time, in ms; steps of integration may not be longer.
    """

    unit: str
    form: Form
    numbers: Numbers
    detail: float = math.inf
    __array_ufunc__ = None  # an array times a stimulus is one stimulus, and no array of stimuli

    def __call__(self, t: Any) -> Any:
        """The current at `t` (ms), in `unit`: of the shape of `t`, and after it that of the population.

        Raises:
            ModelError: for a time that is no number, or too far away.
        """
        times = jnp.asarray(t, float)
        if not isinstance(times, Tracer) and not bool(jnp.all((times >= EARLIEST) & (times < MOST_STEPS))):
            raise ModelError(f"a stimulus is known from {EARLIEST:,} to {MOST_STEPS:,} ms, not at {t} ms.")
        counted = self.counted(1.0, times.dtype)

        def one(t: Any) -> Any:
            n = jnp.floor(t)
            return counted.at(n.astype(jnp.int32), t - n)

        values = jax.vmap(one)(times.ravel())
        return values.reshape(*times.shape, *values.shape[1:])

    def before(self) -> Any:
        """What it is until t = 0, where it may jump, in `unit`; of what begins only then its first value."""
        counted = self.counted(1.0, jax.dtypes.canonicalize_dtype(float))
        return counted.at(-1, 1.0) if self.span[0] < 0 else counted.at(0, 0.0)

    def counted(self, dt: float, dtype: Any, stream: Stream = _ALONE) -> "Counted":
        """The same for a run with steps of `dt` ms, in its precision; what is random without a seed follows from the stream."""
        form, numbers = self.form.counted(_keyed(self.numbers, stream, itertools.count()), dt, dtype)
        return Counted(self.unit, form, numbers)

    def check_step(self, dt: float, what: str) -> None:
        """Raise ModelError where a step of `dt` ms is longer than what it must not miss; `what` it is, for the error."""
        if dt > self.detail * (1 + 1e-9):
            raise ModelError(
                f"the step of {dt:g} ms is longer than the finest detail of {what}, {self.detail:g} ms, and would miss it: take dt of at "
                f"most {self.detail:g} ms."
            )

    @property
    def span(self) -> tuple[float, float]:
        """When it begins and ends, in ms; outside it is 0."""
        return self.form.span(self.numbers)

    def __add__(self, other: "Current") -> "Current":
        if not isinstance(other, Current):
            return _no_stimulus(other)
        if self.unit != other.unit:
            raise UnitError(
                f"a stimulus in {self.unit} and one in {other.unit} cannot be added: give both in one unit."
            )
        numbers = {"first": self.numbers, "second": other.numbers}
        return Current(self.unit, Sum(self.form, other.form), numbers, min(self.detail, other.detail))

    def __radd__(self, other: Any) -> "Current":
        return self if isinstance(other, int) and other == 0 else _no_stimulus(other)  # where `sum` begins

    def __mul__(self, factor: Any) -> "Current":
        if isinstance(factor, Current):
            return NotImplemented
        value = finite(convert(factor, Unit.parse("1"), "the factor of a stimulus"), "the factor of a stimulus")
        return Current(self.unit, Scaled(self.form), {"factor": value, "inner": self.numbers}, self.detail)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "Current":
        if isinstance(divisor, Current):
            return NotImplemented
        value = convert(divisor, Unit.parse("1"), "the divisor of a stimulus")
        if not isinstance(value, Tracer) and not np.all(value):
            raise ModelError("a stimulus cannot be divided by 0.")
        return self * (1 / value)

    def __neg__(self) -> "Current":
        return self * -1.0

    def __sub__(self, other: "Current") -> "Current":
        return self + (-other) if isinstance(other, Current) else _no_stimulus(other)

    def __rsub__(self, other: Any) -> Any:
        return _no_stimulus(other)

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, Current) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.unit, type(self.form)))

    def __reduce__(self) -> tuple[Any, ...]:
        """JAX's keys do not travel: their words do."""
        return _arrived, (self.unit, self.form, _each(_packed, self.numbers), self.detail)

    def __repr__(self) -> str:
        return self.form.text(self.numbers, self.unit)

    def tree_flatten(self) -> tuple[tuple[Any], tuple[Any, ...]]:
        return (self.numbers,), (self.unit, self.form)  # detail is for the door: it must not compile anew

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], children: tuple[Any]) -> "Current":
        return cls(*static, numbers=children[0])


@dataclass(frozen=True)
class _Key:
    """The words of a JAX key."""

    kind: str
    words: np.ndarray


def _no_stimulus(other: Any) -> Any:
    """Refuse a number, with a unit or without, where a stimulus is added; of anything else Python says what there is to say."""
    if not (isinstance(other, str) or is_quantity(other)):
        return NotImplemented
    raise UnitError(
        f"a stimulus is added to another stimulus, and {other!r} is none: a constant one is step('2 nA'), also from start= to stop=."
    )


def _each(f: Callable[[Any], Any], numbers: Numbers) -> Any:
    """`f` of every number, in the order in which they stand."""
    return {name: _each(f, x) for name, x in numbers.items()} if isinstance(numbers, dict) else f(numbers)


def _packed(x: Any) -> Any:
    is_key = isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return _Key(str(jax.random.key_impl(x)), np.asarray(jax.random.key_data(x))) if is_key else x


def _keyed(numbers: Numbers, stream: Stream, number: "itertools.count[int]") -> Any:
    """The numbers with a key where there is none yet, each of a stream of its own."""
    if not isinstance(numbers, dict):
        return numbers
    return {
        name: key_of(stream.of(f"noise{next(number)}").number())
        if name == "key" and x is None
        else _keyed(x, stream, number)
        for name, x in numbers.items()
    }


def key_of(seed: int) -> Array:
    """The JAX key of a seed of 64 bits, the same in every precision."""
    words: Any = np.asarray([seed >> 32, seed & 0xFFFFFFFF], np.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def _arrived(unit: str, form: Form, numbers: Numbers, detail: float) -> Current:
    def unpacked(x: Any) -> Any:
        return jax.random.wrap_key_data(jnp.asarray(x.words), impl=x.kind) if isinstance(x, _Key) else x

    return Current(unit, form, _each(unpacked, numbers), detail)


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class Counted:
    """A current in steps of a run: an argument of the compiled program."""

    unit: str
    form: Form
    numbers: Numbers

    def mean(self, n: Any, first: Any = 0.0, last: Any = 1.0) -> Any:
        """Its mean from share `first` to share `last` of step `n`, in `unit`."""
        return self.form.mean(self.numbers, n, first, last)

    def at(self, n: Any, share: Any) -> Any:
        """The current at a share of step `n`, in `unit`."""
        return self.form.at(self.numbers, n, share)

    @property
    def edges(self) -> int:
        """How many edges may lie inside one step."""
        return self.form.edges(self.numbers)

    def edge(self, n: Any, share: Any) -> Any:
        """The share of step `n` of the first edge after `share`; 1 where there is none."""
        return self.form.edge(self.numbers, n, share)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the current at one time."""
        leaves, structure = jax.tree.flatten(self)
        return _shape(structure, tuple((np.shape(x), getattr(x, "dtype", None)) for x in leaves))

    def neurons(self) -> "Counted":
        """The same structure, with the first axis over neurons of each number in its place, or -1."""
        return Counted(self.unit, self.form, self.form.neurons(self.numbers))

    def tree_flatten(self) -> tuple[tuple[Any], tuple[Any, ...]]:
        return (self.numbers,), (self.unit, self.form)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], children: tuple[Any]) -> "Counted":
        return cls(*static, numbers=children[0])


@functools.lru_cache(maxsize=256)
def _shape(structure: Any, leaves: tuple[tuple[tuple[int, ...], Any], ...]) -> tuple[int, ...]:
    """The shape of what a stimulus of this structure gives: to trace it for each of many populations would take longer than their run."""
    numbers = [jax.ShapeDtypeStruct(shape, dtype or jnp.result_type(float)) for shape, dtype in leaves]
    step_number = jax.ShapeDtypeStruct((), jnp.int32)
    return jax.eval_shape(lambda xs, n: jax.tree.unflatten(structure, xs).mean(n), numbers, step_number).shape


def summed(first: Counted, second: Counted) -> Counted:
    """Two counted densities as one."""
    return Counted(DENSITY, Sum(first.form, second.form), {"first": first.numbers, "second": second.numbers})


def scaled(current: Counted, factor: Any, dtype: Any) -> Counted:
    """A counted density of an absolute current: `factor` times it."""
    return Counted(DENSITY, Scaled(current.form), {"factor": number(factor, dtype), "inner": current.numbers})
