"""Ions with equations of any form: shells with buffers and pumps, two sides of a membrane, reversal potentials that a paper gives."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..errors import DefinitionError, ModelError
from ..maths import nernst
from ..units import Diffusivity
from .implicit import real, stepped
from .ions import Diffusing, Ion, IonView, States, check_diffusion, in_layer
from .kinetics import Rule

_KNOWN = {"rest": (), "diffusion": (), "derivatives": ("I", "C_in", "C_out"), "potential": ("celsius", "C_in", "C_out")}
"""What each method may ask for beside variables."""


class GeneralIon(Ion):
    """An ion whose concentrations, and what binds and pumps them, are variables with any rates of change.

    Class keywords:
        variables: names of its states. ``C_in`` and ``C_out`` are its concentrations in mM; what is not a variable is a field,
            ``C_in: Concentration`` or ``C_out: Concentration``, where channels read it. Others are the author's; a run records them
            as ``"ca.B"``.

    With variables the class writes ``rest(self)``, what each starts from, and ``derivatives(self, I, ...)``, their rates of change per
    ms; the arguments name what they depend on, `I` being the current density that the species carries in uA/cm^2, outward positive. It may write
    ``potential(self, ...)`` of ``celsius, C_in, C_out`` and variables, in mV; without it E is that of Nernst.

    With a diffusion coefficient `D` its ``C_in`` diffuses along the cell as that of a `Pool`. Where others do, too, the class writes
    ``diffusion(self)``: of each variable that does its diffusion coefficient in um^2/ms and the cross-section that it fills in um^2,
    ``{"C_in": (self.D_ca, section), "B": (self.D_B, section)}``. A field ``diameter: Length = None`` is that of each compartment, and
    is given where there are none.

    Raises:
        DefinitionError: where the class is defined, for a method that is missing or asks for what there is not.
    """

    variables: ClassVar[tuple[str, ...]] = ()
    needs_celsius: ClassVar[bool] = True
    D: Diffusivity = None
    _asks: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})

    def __init_subclass__(cls, *, variables: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_diffusion(cls)
        cls.variables = tuple(variables) or cls.variables
        needed = ("rest", "derivatives") if cls.variables else ()
        for method in needed:
            if not callable(getattr(cls, method, None)):
                raise DefinitionError(f"class {cls.__name__} has variables and needs a method {method}(self, ...).")
        written = [method for method in _KNOWN if callable(getattr(cls, method, None))]
        cls._asks = MappingProxyType({method: _asked(cls, method) for method in written})
        known = {*cls.variables, *cls.parameters}
        cls.needs_celsius = {"C_in", "C_out"} <= known  # for Nernst's
        if "potential" in cls._asks:
            cls.needs_celsius = "celsius" in cls._asks["potential"]

    def initial(self) -> States:
        """What each variable starts from: numbers, or arrays over the neurons."""
        return {name: 1.0 * value for name, value in self._call("rest", {}).items()} if self.variables else {}

    def named(self) -> dict[str, tuple[str, str]]:
        return {name: (name, "1") for name in self.variables if name not in ("C_in", "C_out", "E")}

    def diffusing(self, diameter: Any) -> dict[str, Diffusing]:
        if "diffusion" not in self._asks:
            return in_layer(self, self.D, diameter)
        where = f"the ion '{self.species}' ({type(self).__name__})"
        if self.D is not None:
            raise ModelError(f"{where} says itself how it diffuses along a cell, and takes no D: leave D out.")
        found = self._call("diffusion", {})
        for name in found:
            if name not in self.variables:
                raise ModelError(
                    f"{where} lets '{name}' diffuse, which is none of its variables {', '.join(self.variables)}."
                )
        return {name: Diffusing(D, section / (np.pi * diameter**2 / 4)) for name, (D, section) in found.items()}

    def view(self, states: Mapping[str, Array], celsius: Any) -> IonView:
        C_in, C_out = self._concentrations(states)
        known = {**states, "C_in": C_in, "C_out": C_out, "celsius": celsius}
        if "potential" in self._asks:
            E = self._call("potential", known)
        else:
            E = None if C_in is None or C_out is None else nernst(C_in, C_out, self.valence, celsius)
        return IonView(self.species, self.valence, C_in, C_out, E)

    def slope(self, states: Mapping[str, Array], current: Any) -> States:
        if not self.variables:
            return {}
        C_in, C_out = self._concentrations(states)
        moved = self._call("derivatives", {"I": current, "C_in": C_in, "C_out": C_out, **states})
        return {
            name: jnp.broadcast_to(real(moved[name], states[name]), jnp.shape(states[name])) for name in self.variables
        }

    def relax(self, states: Mapping[str, Array], current: Any, dt: Any, rule: Rule) -> States:
        return stepped(lambda x: self.slope(x, current), dict(states), dt, rule) if self.variables else {}

    def _concentrations(self, states: Mapping[str, Array]) -> tuple[Any, Any]:
        return tuple(states[name] if name in states else getattr(self, name, None) for name in ("C_in", "C_out"))  # pyright: ignore[reportReturnType]

    def _call(self, method: str, known: Mapping[str, Any]) -> Any:
        return getattr(self, method)(*[known[name] for name in self._asks[method]])


def _asked(cls: type[GeneralIon], method: str) -> tuple[str, ...]:
    """The arguments of a method, each known."""
    names = tuple(inspect.signature(getattr(cls, method)).parameters)[1:]
    known = (*_KNOWN[method], *(cls.variables if method in ("derivatives", "potential") else ()))
    for name in names:
        if name not in known:
            raise DefinitionError(
                f"{cls.__name__}.{method} asks for '{name}', and may ask for {', '.join(known) or 'nothing'}. A parameter is a field, "
                f"read as self.{name}."
            )
    return names
