"""A channel against numbers that another program made.

Golden data is a JSON file, a list of cases. Each case names a channel and what surrounds it::

    {"channel": "IK_TM1991", "parameters": {"V_sh": "-60 mV"}, "celsius": 36, "ions": {"PotassiumFixed": {"E": "-90 mV"}}}

(all but ``channel`` may be left out), and holds curves, a voltage clamp or both: ``"V"`` in mV with ``"steady_state"`` and
``"tau"`` (ms), each a table from gate or state to numbers of the shape of V; ``"t"`` in ms, ``"hold"`` and ``"pulses"`` in mV
with ``"current"`` in uA/cm^2, one row for each time. ``"rtol"`` is the tolerance of a case whose numbers are not good to 1e-9.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array

from ..cells import channel, ion
from ..instruments.clamp import curves, voltage_clamp
from ..instruments.patch import coupled
from .kit import quick


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
    rtol = max(rtol, float(case.get("rtol", 0.0)))
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
        clamp = functools.partial(voltage_clamp, given, (case["pulses"], "mV"), times, hold=hold, **around)
        current: Any = (
            clamp() if coupled(given) else quick(clamp)()
        )  # inside jit as many steps as it needs could not be taken
        wanted = np.asarray(case["current"])
        message = f"current of {where}"
        np.testing.assert_allclose(
            current, wanted, rtol=rtol, atol=rtol * float(np.max(np.abs(wanted))), err_msg=message
        )


def _with_units(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples: a list is a pair of numbers and unit."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _ions(case: dict[str, Any]) -> list[Any]:
    return [ion(name, **_with_units(values)) for name, values in case.get("ions", {}).items()]


def _compare(found: dict[str, Array], wanted: dict[str, Any], rtol: float, where: str) -> None:
    assert found.keys() == wanted.keys(), f"{where}: {sorted(found)} are not {sorted(wanted)}."
    for name, numbers in wanted.items():
        np.testing.assert_allclose(found[name], np.asarray(numbers), rtol=rtol, err_msg=f"{name}: {where}")
