"""Ions of a cell, by species: what their reversal potential and concentrations are and how these change.

An ion's only state is its inner concentration ``C_in``, and only a pool has one. Currents are densities in uA/cm^2,
outward positive: a calcium current that enters the cell is negative and raises ``C_in``.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar

import jax.numpy as jnp
from jax import Array

from ..errors import DefinitionError, ModelError
from ..maths import FARADAY, nernst
from ..module import STATIC, Module, param
from ..units import Concentration, Diffusivity, Length, PositiveConcentration, PositiveTime, Rate, Unit, Voltage
from .kinetics import Linear, Relaxation, Rule

VALENCE: Mapping[str, int] = {"na": 1, "k": 1, "ca": 2, "cl": -1, "mg": 2, "h": 1}
"""Valence of the species that need no declaration. Any other name can be used by giving its valence."""

States = dict[str, Array]


class Diffusing(NamedTuple):
    """What moves along a cell: its diffusion coefficient in um^2/ms, and which share of the compartments' volume it fills."""

    D: Any
    share: Any


class IonView:
    """What a channel sees of an ion: ``C_in`` and ``C_out`` in mM, reversal potential ``E`` in mV."""

    def __init__(self, species: str, valence: int, C_in: Any, C_out: Any, E: Any) -> None:
        self.species = species
        self.valence = valence
        self._values = {"C_in": C_in, "C_out": C_out, "E": E}

    def _get(self, name: str) -> Any:
        value = self._values[name]
        if value is None:
            raise ModelError(
                f"a channel reads {name} of the ion '{self.species}', which was built without: give it {name}."
            )
        return value

    def each(self, f: Callable[[Any], Any]) -> "IonView":
        """The same with `f` of each value that there is."""
        return IonView(self.species, self.valence, *(None if x is None else f(x) for x in self._values.values()))

    @property
    def C_in(self) -> Any:
        return self._get("C_in")

    @property
    def C_out(self) -> Any:
        return self._get("C_out")

    @property
    def E(self) -> Any:
        return self._get("E")


class Ion(Module):
    """Base of all ions: a `species`, a `valence`, and what a channel sees of it."""

    species: ClassVar[str]
    valence: ClassVar[int]
    needs_celsius: ClassVar[bool] = False

    def __init_subclass__(cls, *, species: str | None = None, valence: int | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if species is None:
            return
        if valence is None and species not in VALENCE:
            raise DefinitionError(
                f"class {cls.__name__}: the species '{species}' is not one of {', '.join(VALENCE)}: say its valence, "
                f"class {cls.__name__}(..., species='{species}', valence=...)."
            )
        cls.species = species
        cls.valence = VALENCE[species] if valence is None else valence

    def initial(self) -> States:
        """The states at rest: empty, or ``{"C_in": ...}`` in mM for a pool."""
        return {}

    def diffusing(self, diameter: Any) -> dict[str, Diffusing]:
        """By state, what diffuses along a cell whose compartments are cylinders of these diameters (um); empty where nothing does."""
        return {}

    def in_cylinders(self, diameter: Any) -> Self:
        """The ion in compartments that are cylinders of these diameters (um): they are what a field ``diameter: Length = None`` of its is.

        Raises:
            ModelError: where it does not fit.
        """
        return in_cylinders(self, diameter) if "diameter" in type(self).parameters else self

    def named(self) -> dict[str, tuple[str, str]]:
        """What a run may record of it beside ``C_in, C_out, E``: by name the state and its unit."""
        return {}

    def layer(self) -> Any:
        """um: of the layer under the membrane that a pool fills. Only how it differs along a cell matters, to what diffuses."""
        return 1.0

    def view(self, states: Mapping[str, Array], celsius: Any) -> IonView:
        """What channels see, given the states and the temperature in degC (None where the cell has none)."""
        raise NotImplementedError

    def slope(self, states: Mapping[str, Array], current: Any) -> States:
        """Rates of change in mM/ms under the species' current density (uA/cm^2, outward positive)."""
        return {}

    def relax(self, states: Mapping[str, Array], current: Any, dt: Any, rule: Rule) -> States:
        """The states after `dt` ms at a constant current density."""
        return {}


_AnIon = TypeVar("_AnIon", bound=Ion)


def in_cylinders(ion: _AnIon, diameter: Any) -> _AnIon:
    """An ion with a field `diameter` in compartments of these diameters (um).

    Raises:
        ModelError: where it is given one.
    """
    if getattr(ion, "diameter") is not None:  # noqa: B009
        raise ModelError(
            f"the ion '{ion.species}' ({type(ion).__name__}) is given a diameter, and compartments have their own: leave diameter out."
        )
    new = object.__new__(type(ion))
    new.__dict__.update(ion.__dict__)
    new._set("diameter", diameter)
    return new


class FixedIon(Ion):
    """An ion whose reversal potential is given and constant. Concentrations are for channels that read them."""

    E: Voltage
    C_in: Concentration = None
    C_out: Concentration = None

    def view(self, states: Mapping[str, Array], celsius: Any) -> IonView:
        return IonView(self.species, self.valence, self.C_in, self.C_out, self.E)


class NernstIon(Ion):
    """An ion with constant concentrations, whose reversal potential follows from them and the cell's temperature."""

    needs_celsius: ClassVar[bool] = True
    C_in: PositiveConcentration
    C_out: PositiveConcentration

    def view(self, states: Mapping[str, Array], celsius: Any) -> IonView:
        return IonView(
            self.species, self.valence, self.C_in, self.C_out, nernst(self.C_in, self.C_out, self.valence, celsius)
        )


class Pool(Ion):
    """An ion whose inner concentration changes with its current; E by Nernst at the cell's temperature.

    A subclass has fields ``C_out`` and ``C_rest`` and writes ``balance(self, I)``, which returns a `Gate` or `Linear`
    for ``C_in``, given the current density `I` that the species carries. With a diffusion coefficient `D` it diffuses along the cell, in
    the layer under the membrane; where the depth of that layer differs along the cell, the class writes ``layer(self)``, in um.
    """

    needs_celsius: ClassVar[bool] = True
    D: Diffusivity = None
    C_out: Concentration
    C_rest: Concentration

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "balance" not in cls.__dict__ and not hasattr(cls, "balance"):
            raise DefinitionError(f"class {cls.__name__} needs a method balance(self, I) that returns Gate or Linear.")
        check_diffusion(cls)

    def balance(self, I: Any) -> Relaxation:
        raise NotImplementedError

    def initial(self) -> States:
        return {"C_in": self.C_rest}

    def diffusing(self, diameter: Any) -> dict[str, Diffusing]:
        return in_layer(self, self.D, diameter)

    def view(self, states: Mapping[str, Array], celsius: Any) -> IonView:
        C_in = states["C_in"]
        return IonView(self.species, self.valence, C_in, self.C_out, nernst(C_in, self.C_out, self.valence, celsius))

    def slope(self, states: Mapping[str, Array], current: Any) -> States:
        return {"C_in": self.balance(current).slope(states["C_in"])}

    def relax(self, states: Mapping[str, Array], current: Any, dt: Any, rule: Rule) -> States:
        return {"C_in": self.balance(current).relax(states["C_in"], dt, rule)}


def check_diffusion(cls: type[Ion]) -> None:
    """Raise `DefinitionError` for a class that calls something else `D`."""
    unit, wanted = cls.parameters["D"].unit, Unit.parse("um^2/ms")
    if unit.dimension != wanted.dimension:
        raise DefinitionError(
            f"class {cls.__name__}: D is the diffusion coefficient of every pool, in {wanted}, and cannot be a parameter in {unit}: give that "
            f"another name."
        )


def in_layer(ion: Ion, D: Any, diameter: Any) -> dict[str, Diffusing]:
    """What diffuses of an ion whose ``C_in`` is that of a layer under the membrane: ``pi d layer`` of a cylinder's ``pi d^2 / 4``."""
    return {} if D is None else {"C_in": Diffusing(D, 4 * ion.layer() / diameter)}


class SodiumFixed(FixedIon, species="na"):
    """Sodium with a constant reversal potential."""

    E: Voltage = param(50.0, source="Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764")
    C_in: Concentration = param(10.0, source="our choice: a mammalian neuron")
    C_out: Concentration = param(140.0, source="our choice: a mammalian neuron")


class PotassiumFixed(FixedIon, species="k"):
    """Potassium with a constant reversal potential."""

    E: Voltage = param(-95.0, source="Destexhe et al. 1996, doi:10.1152/jn.1996.76.3.2049")
    C_in: Concentration = param(140.0, source="our choice: a mammalian neuron")
    C_out: Concentration = param(3.5, source="our choice: a mammalian neuron")


class CalciumFixed(FixedIon, species="ca"):
    """Calcium with constant reversal potential and concentrations."""

    E: Voltage = param(120.0, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")
    C_in: Concentration = param(2.4e-4, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")
    C_out: Concentration = param(2.0, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")


class CalciumDetailed(Pool, species="ca"):
    """Calcium in a thin shell under the membrane: ``dC/dt = max(0, -10 I / (2 F d)) + (C_rest - C) / tau``.

    The factor 10 brings uA/cm^2 over um and C/mol to mM/ms. Destexhe et al. (1994), doi:10.1152/jn.1994.72.2.803.
    """

    d: Length = param(1.0, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")
    tau: PositiveTime = param(5.0, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")
    C_rest: Concentration = param(2.4e-4, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")
    C_out: Concentration = param(2.0, source="Destexhe et al. 1994, doi:10.1152/jn.1994.72.2.803")

    def layer(self) -> Any:
        return self.d

    def balance(self, I: Any) -> Linear:
        influx = jnp.maximum(-10 * I / (self.valence * FARADAY * self.d), 0.0)
        return Linear(influx + self.C_rest / self.tau, 1 / self.tau)


class CalciumFirstOrder(Pool, species="ca"):
    """Calcium with first-order removal and no resting source: ``dC/dt = max(0, -alpha I) - beta C``.

    ``C_rest`` is where it starts; without influx it decays to zero. Bazhenov et al. (2002),
    doi:10.1523/JNEUROSCI.22-19-08691.2002.
    """

    alpha: Annotated[Any, Unit.parse("mM*cm^2/(uA*ms)")] = param(0.13, source="BrainPy 2.8.2")
    beta: Rate = param(0.075, source="BrainPy 2.8.2")
    C_rest: Concentration = param(2.4e-4, source="our choice: the rest of CalciumDetailed")
    C_out: Concentration = param(2.0, source="our choice: that of CalciumDetailed")

    def layer(self) -> Any:
        return 10 / (self.valence * FARADAY * self.alpha)

    def balance(self, I: Any) -> Linear:
        return Linear(jnp.maximum(-self.alpha * I, 0.0), self.beta)


class Fixed(FixedIon):
    """Any species with a given reversal potential: ``Fixed(species="cl", E=...)``; `valence` for species of your own."""

    species: Annotated[str, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]
    valence: Annotated[int, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, species: str, valence: int | None = None, **values: Any) -> None:
        Module.__init__(self, species=species, valence=valence_of(species, valence), **values)


class Nernst(NernstIon):
    """Any species with constant concentrations: ``Nernst(species="mg", C_in=..., C_out=...)``; E by Nernst."""

    species: Annotated[str, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]
    valence: Annotated[int, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, species: str, valence: int | None = None, **values: Any) -> None:
        Module.__init__(self, species=species, valence=valence_of(species, valence), **values)


def valence_of(species: str, valence: int | None) -> int:
    """The valence that is given, or that of a species that needs none."""
    if not species.isidentifier():
        raise ModelError(f"a species must be a name such as 'na' or 'zn', not {species!r}.")
    if valence is None and species not in VALENCE:
        raise ModelError(f"the species '{species}' is not one of {', '.join(VALENCE)}: give its valence=...")
    return VALENCE[species] if valence is None else valence
