"""What half the step changes in a run, and what the order of its solver makes of that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..clock import MOST_STEPS
from ..errors import ModelError, UnitError
from ..units import Unit, convert

_MS, _MV = Unit.parse("ms"), Unit.parse("mV")
_DOUBLE = "take float64, JAX_ENABLE_X64=1 in the environment or jax.config.update('jax_enable_x64', True)"


@dataclass(frozen=True)
class Moved:
    """What half the step changes in one population.

    Attributes:
        V, V_rms: the greatest and the root mean square difference of V in mV, at the samples of the longer step.
        spikes: the greatest shift of a spike in ms; 0 where nobody spikes, NaN where somebody spikes another number of times.
        counts: spikes at `dt` and at half of it.
        rates: the mean rate in Hz at `dt` and at half of it.
        steepest: what a shift of V by 1 mV moves a spike by at most, in ms; 0 where nobody spikes.
    """

    V: float
    V_rms: float
    spikes: float
    counts: tuple[int, int]
    rates: tuple[float, float]
    steepest: float


@dataclass(frozen=True)
class ErrorEstimate:
    """By how much a run moves when its step is halved, and what the order of its solver makes of that.

    Attributes:
        dt: the step in ms.
        solver: its name.
        order: by which power of the step the error falls, here: synapses see spikes at whole steps, which is of first order.
        populations: what moves, by population; of a lone cell under ``"cell"``.
        trusted: whether the two runs are near enough for the order to say something.
        precision: of the numbers, ``"float32"`` or ``"float64"``.
        whole_steps: whether spikes stand at whole steps, as in networks: their times are of first order, and known to a step at best.
        own_steps: whether the solver chooses its own steps, so that `dt` says nothing.
        suggested: the step in ms for the accuracy that was asked for, None where none was.
    """

    dt: float
    duration: float
    solver: str
    order: int
    populations: Mapping[str, Moved]
    trusted: bool
    precision: str
    whole_steps: bool = False
    own_steps: bool = False
    suggested: float | None = None

    @property
    def V_error(self) -> float:
        """The estimated greatest error of V at `dt`, in mV."""
        return _share(self.order) * max(moved.V for moved in self.populations.values())

    @property
    def spike_error(self) -> float:
        """The estimated greatest error of a spike's time at `dt`, in ms; NaN where the numbers of spikes differ."""
        moved = float(np.max([moved.spikes for moved in self.populations.values()]))
        error = _share(self._order_of_spikes) * moved
        return max(error, self.dt) if self.whole_steps and self._spiking else error

    @property
    def _order_of_spikes(self) -> int:
        return 1 if self.whole_steps else self.order

    @property
    def _spiking(self) -> bool:
        return any(sum(moved.counts) for moved in self.populations.values())

    def dt_for(self, accuracy: Any) -> float:
        """The step in ms at which the error is at most `accuracy`: in ms of spikes, in mV of V.

        It is `dt` over a whole number, so that what is a whole number of steps stays one.

        Raises:
            UnitError: for an accuracy that is neither a time nor a voltage.
            ModelError: where the estimate cannot be trusted, and where no step reaches the accuracy in this precision.
        """
        wanted, unit, error, order, per_mV = self._goal(accuracy)
        if self.own_steps:
            raise ModelError(f"{self.solver} chooses its own steps: set its rtol and atol, not dt.")
        if not self.trusted:
            raise ModelError(
                f"at a step of {self.dt:g} ms the runs differ too much to say what another would give: estimate with one of "
                f"{self.dt / 2:g} ms, or give estimate_error the accuracy, which goes on by itself."
            )
        parts = max(1, math.ceil((error / wanted) ** (1 / order) * (1 - 1e-9)))
        steps = self.duration / self.dt * parts
        rounding = np.finfo(self.precision).eps * 100 * math.sqrt(steps) * per_mV
        if wanted < rounding or steps > MOST_STEPS:
            why = (
                f"it takes {steps:.3g} steps, more than a run can have"
                if steps > MOST_STEPS
                else f"rounding alone moves it by about {rounding:.2g} {unit} over {steps:.3g} steps"
            )
            more = f"; {_DOUBLE}" if self.precision == "float32" else ""
            raise ModelError(f"no dt reaches {wanted:g} {unit} in {self.precision}: {why}{more}, or ask for less.")
        return self.dt / parts

    def _goal(self, accuracy: Any) -> tuple[float, str, float, int, float]:
        """The number wanted, its unit, the error in it, the order of that, and how many of it 1 mV is."""
        try:
            wanted, unit = convert(accuracy, _MS, "the accuracy"), "ms"
        except UnitError:
            try:
                wanted, unit = convert(accuracy, _MV, "the accuracy"), "mV"
            except UnitError:
                raise UnitError(
                    f"the accuracy is a time, of spikes, or a voltage: '0.01 ms' or '0.1 mV', not {accuracy!r}."
                ) from None
        if np.ndim(wanted) or not 0 < wanted < math.inf:
            raise ModelError(f"the accuracy must be one number above 0, got {accuracy!r}.")
        if unit == "mV":
            return float(wanted), unit, self.V_error, self.order, 1.0
        if not self._spiking:
            raise ModelError(
                "nobody spikes in this run, so that an accuracy of spikes has no meaning: give one of V, '0.1 mV'."
            )
        steepest = max(moved.steepest for moved in self.populations.values())
        return float(wanted), unit, self.spike_error, self._order_of_spikes, steepest

    def facts(self) -> dict[str, Any]:
        """As JSON holds it."""

        def number(x: float) -> float | None:
            return None if math.isnan(x) else x

        parts = {
            name: {
                "V_mV": m.V,
                "V_rms_mV": m.V_rms,
                "spikes_ms": number(m.spikes),
                "counts": m.counts,
                "rates_Hz": m.rates,
            }
            for name, m in self.populations.items()
        }
        return {
            "dt_ms": self.dt, "order": self.order, "trusted": self.trusted, "moved": parts, "V_error_mV": self.V_error,
            "spike_error_ms": number(self.spike_error), "suggested_dt_ms": self.suggested,
        }  # fmt: skip

    def __repr__(self) -> str:
        lines = [f"{self.solver}, dt = {self.dt:g} ms beside {self.dt / 2:g} ms, over {self.duration:g} ms:"]
        for name, m in self.populations.items():
            spikes = "other numbers of spikes" if math.isnan(m.spikes) else f"spikes by up to {m.spikes:.3g} ms"
            lines.append(
                f"  {name}: V moves by up to {m.V:.3g} mV (rms {m.V_rms:.3g}), {spikes}; {m.counts[0]} and {m.counts[1]} spikes, "
                f"{m.rates[0]:.4g} and {m.rates[1]:.4g} Hz"
            )
        if self.own_steps:
            lines.append("  It chooses its own steps: the difference is that of its tolerances.")
        elif not self.trusted:
            lines.append("  That is too much for an estimate of the error: dt is too long.")
        else:
            stand = ", which stand at whole steps," if self.whole_steps else ""
            lines.append(
                f"  By order {self.order} the error at {self.dt:g} ms is about {self.V_error:.3g} mV"
                + (f", of spikes{stand} {self.spike_error:.3g} ms." if self._spiking else ".")
            )
        if self.suggested is not None:
            lines.append(f"  For the accuracy asked for take dt = {self.suggested:g} ms.")
        return "\n".join(lines)


def _share(order: int) -> float:
    """The error of a step over what it moves by when it is halved."""
    return 2**order / (2**order - 1)
