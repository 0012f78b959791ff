"""What a stimulus is given: amplitudes in one of four units, and times in ms."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..errors import ModelError, UnitError
from ..units import Unit, convert

DENSITY, ABSOLUTE, RATE, VOLTAGE = "uA/cm^2", "nA", "Hz", "mV"


def written(value: Any, unit: str) -> str:
    """A number with its unit; of an array the range and shape."""
    if isinstance(value, Tracer):
        return "<traced>"
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        words = np.asarray(jax.random.key_data(value)).ravel().tolist()
        return str(words[0] << 32 | words[1]) if len(words) == 2 else "<key>"
    suffix = f" {unit}" if unit else ""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array.item():g}{suffix}"
    inside = f"{array.min():g} .. {array.max():g}" if array.size else ""
    return f"[{inside}]{suffix} x {'x'.join(map(str, array.shape))}"


def number(value: Any, dtype: Any) -> Any:
    """A float or an array of them in the precision of a run."""
    return jnp.asarray(value, dtype) if isinstance(value, jax.Array) else np.asarray(value, dtype)


def finite(value: Any, what: str, advice: str = "") -> Any:
    """`value` as it is; ModelError where it, or one of an array, is NaN or infinite. `what` it is, for the error."""
    if isinstance(value, Tracer) or np.all(np.isfinite(value)):
        return value
    if not np.ndim(value):
        raise ModelError(f"{what} must be finite, got {value}.")
    where = np.argwhere(~np.isfinite(value))
    first = ", ".join(map(str, where[0]))
    raise ModelError(
        f"{what} must be finite: {len(where)} of {np.size(value)} are not, the first is values[{first}].{advice}"
    )


def alike(value: Any, unit: str, what: str) -> Any:
    """The number that `value` is in `unit`, that of another amplitude; `what` it is, for the error."""
    return finite(convert(value, Unit.parse(unit), what), what)


def amplitude_of(value: Any, what: str = "the amplitude of the stimulus", advice: str = "") -> tuple[str, Any]:
    """Whether `value` is a density, an absolute current, a rate or a voltage, and its number in that unit."""
    for unit in (DENSITY, ABSOLUTE, RATE, VOLTAGE):
        try:
            found = convert(value, Unit.parse(unit), what)
        except UnitError as error:
            reason = error
        else:
            return unit, finite(found, what, advice)
    raise UnitError(
        f"the amplitude of a stimulus must be a current density (such as '2 uA/cm^2') or a current (such as '0.2 nA'), that of a "
        f"clamp's command a voltage (such as '-70 mV'), the rate of Poisson a frequency (such as '20 Hz'), got {value!r}."
    ) from reason


def time_of(value: Any, what: str) -> Any:
    """In ms; infinity for never."""
    time = convert(value, Unit.parse("ms"), f"{what} of the stimulus")
    if not isinstance(time, Tracer) and np.any(np.isnan(time)):
        raise ModelError(f"{what} of the stimulus is a time, not NaN: got {time} ms.")
    return time


def one_time(value: Any, name: str, what: str) -> Any:
    """In ms, one for all neurons, more than 0 and finite; `name` and `what` it is, for the error."""
    time = time_of(value, name)
    if np.ndim(time) or not (isinstance(time, Tracer) or 0 < time < math.inf):
        raise ModelError(f"{what} must be positive, finite and one for all neurons, got {time} ms.")
    return time


def bounds_of(start: Any, stop: Any) -> tuple[float, float]:
    """From the earliest `start` to the latest `stop`; what JAX traces is taken to be any time."""
    return (
        -math.inf if isinstance(start, Tracer) else float(np.min(np.asarray(start))),
        math.inf if isinstance(stop, Tracer) else float(np.max(np.asarray(stop))),
    )


def length_of(start: Any, stop: Any) -> float:
    """The shortest time from `start` to `stop`; infinity where it is not known."""
    if isinstance(start, Tracer) or isinstance(stop, Tracer):
        return math.inf
    return float(np.min(np.asarray(stop) - np.asarray(start)))
