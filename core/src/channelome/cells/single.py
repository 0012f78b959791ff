"""A population of point neurons: one compartment, any channels and ions, any size."""

from typing import Annotated, Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..errors import ModelError
from ..mechanisms.kinetics import Rule
from ..mechanisms.rules import CLIPPED_PADE
from ..module import STATIC, Module, param
from ..registry.hooks import model_built
from ..state import State
from ..streams import Stream
from ..units import Area, Capacitance, Temperature, Voltage
from .assembled import Assembled
from .bend import bends
from .check import check_cell
from .membrane import Membrane
from .parts import build_channel, build_ion, check_own, unknown
from .protocol import Inject


class SingleCompartment(Membrane, Assembled):
    """A population of point neurons of shape `size`: ``C dV/dt = I_injected - sum of channel currents``.

    Args:
        size: number of neurons, or the shape of the population.
        ions: ions, by name, class or instance.
        channels: by label, a channel's name, class or instance. The label is the channel's name in this cell.
        C: capacitance in uF/cm^2.
        area: membrane area in um^2; needed where currents are absolute.
        V: initial membrane potential in mV: a scalar, an array of shape `size`, or sampled (`normal`, `lognormal`, `uniform`).
        V_th: threshold in mV; a spike is an upward crossing of it.
        celsius: temperature in degC; needed where a channel or an ion depends on it.

    Every parameter is a scalar or an array of shape `size`.

    Raises:
        ModelError: for an ion that a channel needs and the cell lacks, a species or label used twice, a shape that does
            not broadcast, a temperature that is needed and not given.
        UnitError: for a missing or wrong unit.
    """

    pointwise: ClassVar[bool] = True
    C: Capacitance = param(1.0, source="our choice: the usual value of cell membranes")
    V: Voltage = param(-65.0, source="our choice")
    V_th: Voltage = param(0.0, source="our choice")
    area: Area = None
    celsius: Temperature = None
    size: Annotated[tuple[int, ...], STATIC]

    def __new__(cls, /, *given: Any, **named: Any) -> Self:
        if given and "size" in named:
            check_own("size", named["size"])
            raise ModelError(f"size is given twice, as {given[0]!r} and as size={named['size']!r}.")
        return object.__new__(cls)

    def __init__(
        self,
        /,
        size: int | tuple[int, ...] = 1,
        *ions: Any,
        C: Any = "1 uF/cm^2",
        V: Any = "-65 mV",
        V_th: Any = "0 mV",
        area: Any = None,
        celsius: Any = None,
        **channels: Any,
    ) -> None:
        for name, value in {"size": size, "C": C, "V": V, "V_th": V_th, "area": area, "celsius": celsius}.items():
            check_own(name, value)
        built = [build_ion(ion) for ion in ions]
        by_species = {ion.species: ion for ion in built}
        if len(by_species) < len(built):
            names = [ion.species for ion in built]
            twice = next(name for name in names if names.count(name) > 1)
            raise ModelError(f"the ion '{twice}' is given twice: a cell has one ion of each species.")
        Module.__init__(
            self,
            C=C, V=V, V_th=V_th, area=area, celsius=celsius, size=shape_of(size), ions=by_species,
            channels={label: build_channel(value, label) for label, value in channels.items()},
        )  # fmt: skip
        self._settle()
        model_built(self)

    def _settle(self) -> None:
        """Draw what is sampled, then check the model; called once, when it is built."""
        self.__dict__.update(self.drawn_from(Stream()).__dict__)
        check_cell(self)

    @property
    def _drawn_shape(self) -> tuple[int, ...]:
        return self.size

    def replace(self, **changes: Any) -> Self:
        """A copy with other values: ``replace(C=..., **{"INa.g_max": ..., "ca.tau": ...})`` or a whole part, ``INa=...``.

        Raises:
            ModelError: for a name that the cell does not have.
            UnitError: for a missing or wrong unit.
        """
        own = {name: value for name, value in changes.items() if name in type(self).parameters}
        for name, value in own.items():
            check_own(name, value)
        new = super().replace(**own)
        channels, ions = dict(self.channels), dict(self.ions)
        for path, value in changes.items():
            if path in own:
                continue
            label, _, name = path.partition(".")
            if label in channels:
                channels[label] = channels[label].replace(**{name: value}) if name else build_channel(value, label)
            elif label in ions:
                ions[label] = ions[label].replace(**{name: value}) if name else build_ion(value)
            else:
                raise unknown(path, [*type(self).parameters, *channels, *ions])
        new._set("channels", channels)
        new._set("ions", ions)
        new._settle()
        return new

    # ---- the Cell protocol ----

    def initial_state(self, V: Any = None) -> State:
        return self.rest(jnp.broadcast_to(jnp.asarray(self.V if V is None else V, dtype=float), self.size))

    def derivative(self, state: State, inject: Inject) -> State:
        return self.slopes(state, (inject(state.V) - self.outward(state)) / self.C)

    def spiking(self, V: Array) -> Array:
        return V

    def charged(self, at: State, behind: Array | None, I: Array, G: Array, dt: Any, rule: Rule) -> Array:
        h = dt / self.C  # a division of numbers, not of one per neuron
        missing = -h * I if behind is None else behind - h * I
        return at.V + missing * rule.gain(h * G)

    # ---- what solvers for points ask beside it ----

    def membrane(self, state: State, inject: Inject, dt: Any) -> State:
        """V after `dt` ms, with gates and concentrations held: the midpoint rule, which is the same forth and back.

        For currents that are linear in V it is the clipped Pade step. Of others it takes what they are at the middle beside
        the line by one step of Newton's method, which leaves an error of the seventh power of `dt`.
        """

        def outward(V: Array) -> Array:
            return self.outward(state._replace(V=V)) - inject(V)

        along, h = jnp.ones_like(state.V), dt / self.C
        I, G = jax.jvp(outward, (state.V,), (along,))
        change = -h * I * CLIPPED_PADE.gain(h * G)
        if not bends(outward, state.V):
            return state._replace(V=state.V + change)
        bent, slope = jax.jvp(outward, (state.V + change / 2,), (along,))
        beside = bent - (I + G * (change / 2))
        return state._replace(V=state.V + change - h * beside * CLIPPED_PADE.gain(h * slope))

    def accumulate(self, state: State, dt: Any) -> State:
        """Concentrations after `dt` ms, with V and gates held: the midpoint rule, to the fifth power of `dt`."""
        reached = state
        for _ in range(4 if any(state.ions.values()) else 0):
            middle = state._replace(ions=jax.tree.map(lambda a, b: (a + b) / 2, state.ions, reached.ions))
            carried = self.carried(self.currents(middle), middle)
            reached = state._replace(ions=self.pools(state, carried, dt, CLIPPED_PADE))
        return reached


def shape_of(size: int | tuple[int, ...]) -> tuple[int, ...]:
    shape = tuple(size) if isinstance(size, tuple | list) else (size,)
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in shape):
        raise ModelError(f"size must be a positive number of neurons or a tuple of them, not {size!r}.")
    return tuple(int(n) for n in shape)
