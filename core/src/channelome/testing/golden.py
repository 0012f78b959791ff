"""A channel against numbers that another program made, and against what every channel must do.

Golden data is a JSON file, a list of cases. Each case names a channel and what surrounds it::

    {"channel": "IK_TM1991", "parameters": {"V_sh": "-60 mV"}, "celsius": 36, "ions": {"PotassiumFixed": {"E": "-90 mV"}}}

(all but ``channel`` may be left out), and holds curves, a voltage clamp or both: ``"V"`` in mV with ``"steady_state"`` and
``"tau"`` (ms), each a table from gate or state to numbers of the shape of V; ``"t"`` in ms, ``"hold"`` and ``"pulses"`` in mV
with ``"current"`` in uA/cm^2, one row for each time.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..cells import channel, ion
from ..clamp import curves, voltage_clamp
from .kit import quick

_GRID = np.arange(-120.0, 120.25, 0.25)
_CELSIUS = 36.0


@jax.enable_x64(True)
def check_golden(path: Path, names: Iterable[str], *, rtol: float = 1e-9) -> None:
    """Compare channels with the golden data in the file `path`.

    Args:
        path: of the JSON file.
        names: registered names; the file must hold each of them and no others.
        rtol: relative tolerance, also of a current relative to the largest one of its family.

    Raises:
        AssertionError: naming the channel and the quantity that differs.
    """
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert {case["channel"] for case in cases} == set(names), f"{path.name} holds other channels than the pack."
    for case in cases:
        check_case(case, path.name, rtol)


def check_case(case: dict[str, Any], source: str, rtol: float = 1e-9) -> None:
    """Compare a channel with one case of the golden data called `source`; as `check_golden`."""
    given = channel(case["channel"], **_with_units(case.get("parameters", {})))
    around: dict[str, Any] = {"celsius": case.get("celsius"), "ions": _ions(case)}
    where = f"{case['channel']} {case.get('parameters', '')} at {case.get('celsius')} degC"
    assert "V" in case or "t" in case, f"{source}: {where} has neither curves nor a voltage clamp."
    if "V" in case:
        found = quick(lambda: curves(given, (case["V"], "mV"), **around))()
        for quantity in ("steady_state", "tau"):
            _compare(getattr(found, quantity), case[quantity], rtol, f"{quantity} of {where}")
    if "t" in case:
        times, hold = (case["t"], "ms"), (case["hold"], "mV")
        current = quick(lambda: voltage_clamp(given, (case["pulses"], "mV"), times, hold=hold, **around))()
        wanted = np.asarray(case["current"])
        message = f"current of {where}"
        np.testing.assert_allclose(
            current, wanted, rtol=rtol, atol=rtol * float(np.max(np.abs(wanted))), err_msg=message
        )


def check_finite(name: str, *, celsius: float = _CELSIUS) -> None:
    """Check a channel on [-120, 120] mV in steps of 0.25 mV and just beside each, in both precisions.

    Steady states, time constants, the current under voltage clamp and the slopes of all over V are finite, time
    constants positive, gates and occupancies in [0, 1].

    Raises:
        AssertionError: naming the quantity, the precision and the potential.
    """
    for double in (True, False):
        with jax.enable_x64(double):
            dtype = np.float64 if double else np.float32
            grid = _GRID.astype(dtype)
            V = np.unique(np.concatenate([np.nextafter(grid, dtype(-1e3)), grid, np.nextafter(grid, dtype(1e3))]))
            for quantity, value, slope in _portrait(name, jnp.asarray(V), celsius):
                where = f"{quantity} of {name} in {dtype.__name__}"
                assert value.dtype == slope.dtype == dtype, f"{where} becomes {value.dtype}."
                _everywhere(np.isfinite(value), V, f"{where} is not finite")
                _everywhere(np.isfinite(slope), V, f"the slope of {where} is not finite")
                if quantity.startswith("tau"):
                    _everywhere(np.asarray(value) > 0, V, f"{where} is not positive")
                elif quantity.startswith("steady_state"):
                    inside = (np.asarray(value) >= 0) & (np.asarray(value) <= 1)
                    _everywhere(inside, V, f"{where} is not in [0, 1]")


@jax.enable_x64(True)
def check_relaxation(name: str, *, celsius: float = _CELSIUS) -> None:
    """Check that a channel stays at its steady state, and that it gets there from elsewhere.

    Raises:
        AssertionError: where the current drifts, or ends elsewhere.
    """
    V = (np.arange(-120.0, 61.0, 7.5), "mV")
    end = voltage_clamp(name, V, ([0.0, 1.0, 1e7], "ms"), hold=V, celsius=celsius)
    scale = 1e-9 * float(jnp.max(jnp.abs(end)))
    np.testing.assert_allclose(end[1:], end[:-1], rtol=1e-7, atol=scale, err_msg=f"{name} drifts from its steady state")
    moved = voltage_clamp(name, V, ([0.0, 1e7], "ms"), hold="-80 mV", celsius=celsius)
    np.testing.assert_allclose(moved[1], end[0], rtol=1e-7, atol=scale, err_msg=f"{name} does not relax")


def _with_units(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples: a list is a pair of numbers and unit."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _ions(case: dict[str, Any]) -> list[Any]:
    return [ion(name, **_with_units(values)) for name, values in case.get("ions", {}).items()]


def _compare(found: dict[str, Array], wanted: dict[str, Any], rtol: float, where: str) -> None:
    assert found.keys() == wanted.keys(), f"{where}: {sorted(found)} are not {sorted(wanted)}."
    for name, numbers in wanted.items():
        np.testing.assert_allclose(found[name], np.asarray(numbers), rtol=rtol, err_msg=f"{name}: {where}")


def _portrait(name: str, V: Array, celsius: float) -> Iterator[tuple[str, Array, Array]]:
    """What is to be finite: its name, its value and its slope over V."""

    def all_curves(V: Array) -> dict[str, Array]:
        shown = curves(name, (V, "mV"), celsius=celsius)
        return {f"{kind} {gate}": x for kind in ("steady_state", "tau") for gate, x in getattr(shown, kind).items()}

    def current(V: Array) -> dict[str, Array]:
        times = ([0.0, 0.01, 1.0, 100.0], "ms")
        return {"current": voltage_clamp(name, (V, "mV"), times, hold="-80 mV", celsius=celsius)}

    for function in (all_curves, current):
        values, slopes = _with_slope(function, V)
        yield from ((quantity, value, slopes[quantity]) for quantity, value in values.items())


def _with_slope(function: Callable[[Array], dict[str, Array]], V: Array) -> Any:
    return quick(lambda: jax.jvp(function, (V,), (jnp.ones_like(V),)))()


def _everywhere(fine: Any, V: np.ndarray, says: str) -> None:
    bad = ~np.broadcast_to(np.asarray(fine), (*np.shape(fine)[:-1], V.size)).reshape(-1, V.size).all(axis=0)
    assert not bad.any(), f"{says} at {V[bad][:3]} mV."
