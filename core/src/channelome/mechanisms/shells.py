"""Ions in concentric shells: what enters through the membrane diffuses to the core of a compartment, and along the cell.

The shells of a compartment are one tridiagonal system, solved with what binds and pumps by one linearly implicit step. All of it is written so
that nothing positive is subtracted from something positive, and what leaves a shell enters the next.
"""

import itertools
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from ..errors import ModelError
from ..maths import FARADAY, nernst
from ..module import STATIC, Module, param
from ..units import Bound, Concentration, Diffusivity, Length, PositiveConcentration, Rate, Unit
from .ions import Diffusing, Ion, IonView, States, valence_of
from .kinetics import Rule

Binding = Annotated[Any, Unit.parse("1/(mM*ms)"), Bound(0.0)]
PumpRate = Annotated[Any, Unit.parse("mM*um/ms"), Bound(0.0)]


class Rings(NamedTuple):
    """The shells of a cylinder, per um of its length and over pi, from the membrane inward.

    Attributes:
        volume: um^2 of each.
        across: between each and the next, the border's circumference over the way.
        membrane: um.
    """

    volume: list[Any]
    across: list[Any]
    membrane: Any

    @classmethod
    def of(cls, shells: int, diameter: Any, depth: Any) -> "Rings":
        """Values are meant on circles: the first on the membrane, the last on the axis, shells end halfway between them. So the first
        and the last are half as thick as others, or the first is as thick as `depth`."""
        R = diameter / 2
        if shells == 1:
            return cls([R**2], [], diameter)
        if depth is None:
            at = [R * (1 - s / (shells - 1)) for s in range(shells)]
        else:
            second = R - 2 * depth
            at = [R, *(second * (1 - s / (shells - 2)) for s in range(shells - 1))] if shells > 2 else [R, 0 * R]
        borders = [(a + b) / 2 for a, b in itertools.pairwise(at)]
        if depth is not None:
            borders[0] = R - depth
        outer, inner = [R, *borders], [*borders, 0 * R]
        volume = [(a - b) * (a + b) for a, b in zip(outer, inner, strict=True)]
        across = [2 * border / (a - b) for border, a, b in zip(borders, at, at[1:], strict=False)]
        return cls(volume, across, diameter)


class Shells(Ion):
    """An ion in `shells` concentric shells of each compartment; channels see the outermost, whose concentration is ``C_in``.

    ``dC[s]/dt`` is what diffuses over its two borders, less what binds; in the outermost also ``-10 I / (z F)`` and the pump, over its
    volume per membrane. With a buffer of `B` in all, which does not move,
    ``d bound/dt = k_on C (B - bound) - k_off bound``. The pump takes ``v (C / (C + K) - C_rest / (C_rest + K))`` through the membrane, which
    leaves rest at rest. Between compartments each shell exchanges with its like, unless ``axial=False``. The scheme of shells is that of
    Carnevale & Hines (2006), doi:10.1017/CBO9780511541612, ch. 9.

    Args:
        shells: how many; one is the whole compartment, well mixed.
        axial: whether it diffuses along the cell, too.
        diameter: um, of a point neuron, which is a cylinder then; of compartments it is their own.
        depth: um, of the outermost shell; if not given, that and the core are half as thick as the others.

    Raises:
        ModelError: for a number of shells below 1; a buffer or a pump without all of its numbers.
    """

    needs_celsius: ClassVar[bool] = True
    shells: Annotated[int, STATIC]
    axial: Annotated[bool, STATIC]
    D: Diffusivity
    C_rest: PositiveConcentration
    C_out: PositiveConcentration
    diameter: Length = None
    depth: Length = None
    B: Concentration = None
    k_on: Binding = None
    k_off: Rate = None
    v: PumpRate = None
    K: PositiveConcentration = None

    def __init__(self, *, shells: int = 4, axial: bool = True, **values: Any) -> None:
        name = type(self).__name__
        if isinstance(shells, bool) or not isinstance(shells, int | np.integer) or shells < 1:
            raise ModelError(f"shells of {name} is how many there are, 1 or more, not {shells!r}.")
        if not isinstance(axial, bool):
            raise ModelError(
                f"axial of {name} is True or False, not {axial!r}: D says how fast it diffuses along the cell."
            )
        Module.__init__(self, shells=int(shells), axial=axial, **values)
        for what, names in {"a buffer": ("B", "k_on", "k_off"), "a pump": ("v", "K")}.items():
            missing = [x for x in names if getattr(self, x) is None]
            if missing and len(missing) < len(names):
                raise ModelError(
                    f"{what} of {name} has {', '.join(names)}: give {', '.join(f'{x}=...' for x in missing)} too."
                )
        if shells == 1 and self.depth is not None:
            raise ModelError(
                f"one shell of {name} is the whole compartment, and has no depth: give shells=2 or more, or a pool such as CalciumDetailed."
            )

    # ---- where it is ----

    def in_cylinders(self, diameter: Any) -> Self:
        where = f"the ion '{self.species}' ({type(self).__name__})"
        if self.diameter is not None:
            raise ModelError(f"{where} is given a diameter, and compartments have their own: leave diameter out.")
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._set("diameter", diameter)
        new.check_room(where)
        return new

    def check_room(self, where: str) -> None:
        """Raise `ModelError` where the outermost shell is thicker than there is room for."""
        if self.depth is None or isinstance(self.depth, Tracer) or isinstance(self.diameter, Tracer):
            return
        room = self.diameter / (4 if self.shells > 2 else 2)
        if np.any(np.greater_equal(self.depth, room)):
            beside = "half the radius, so that the next ones have room" if self.shells > 2 else "the radius"
            raise ModelError(
                f"{where}: an outermost shell of {np.max(self.depth):g} um does not fit a diameter of "
                f"{np.min(np.asarray(self.diameter)):g} um: depth must be less than {beside}. Give a smaller depth, or leave it out."
            )

    def diffusing(self, diameter: Any) -> dict[str, Diffusing]:
        if not self.axial:
            return {}
        volume = Rings.of(self.shells, diameter, self.depth).volume
        return {name: Diffusing(self.D, 4 * each / diameter**2) for name, each in zip(self._free, volume, strict=True)}

    # ---- states ----

    @property
    def _free(self) -> list[str]:
        return ["C_in", *(f"shell[{s}]" for s in range(1, self.shells))]

    @property
    def _bound(self) -> list[str]:
        return [] if self.B is None else [f"bound[{s}]" for s in range(self.shells)]

    def named(self) -> dict[str, tuple[str, str]]:
        return {"shell[0]": ("C_in", "mM")} | {name: (name, "mM") for name in (*self._free[1:], *self._bound)}

    def initial(self) -> States:
        start: dict[str, Any] = dict.fromkeys(self._free, self.C_rest)
        if self.B is not None:
            bound = self.B * self.k_on * self.C_rest / (self.k_on * self.C_rest + self.k_off)
            start |= dict.fromkeys(self._bound, bound)
        return start

    def view(self, states: Any, celsius: Any) -> IonView:
        C_in = states["C_in"]
        return IonView(self.species, self.valence, C_in, self.C_out, nernst(C_in, self.C_out, self.valence, celsius))

    def slope(self, states: Any, current: Any) -> States:
        rings = Rings.of(self.shells, self.diameter, self.depth)
        C = [states[name] for name in self._free]
        inward = [self.D * across * (a - b) for across, a, b in zip(rings.across, C, C[1:], strict=False)]
        entered = (-10 * current / (self.valence * FARADAY) - self._pumped(C[0])) * rings.membrane
        gained = [a - b for a, b in zip([entered, *inward], [*inward, 0.0], strict=True)]
        rates = [x / volume for x, volume in zip(gained, rings.volume, strict=True)]
        if self.B is None:
            return dict(zip(self._free, rates, strict=True))
        bound = [states[name] for name in self._bound]
        binding = [self.k_on * c * (self.B - b) - self.k_off * b for c, b in zip(C, bound, strict=True)]
        free = [rate - taken for rate, taken in zip(rates, binding, strict=True)]
        return dict(zip((*self._free, *self._bound), (*free, *binding), strict=True))

    def relax(self, states: Any, current: Any, dt: Any, rule: Rule) -> States:
        """One step, linear in what is there at its start: of second order for ``theta = 1/2``, as `implicit.stepped`."""
        rings = Rings.of(self.shells, self.diameter, self.depth)
        change = {name: dt * rate for name, rate in self.slope(states, current).items()}
        C = [states[name] for name in self._free]
        links = [self.D * across for across in rings.across]
        leaving = [(a + b) / volume for a, b, volume in zip([0.0, *links], [*links, 0.0], rings.volume, strict=True)]
        leaving[0] = leaving[0] + self._pump_slope(C[0]) * rings.membrane / rings.volume[0]
        binds, frees = self._reaction(states)
        fastest = jnp.zeros_like(C[0])
        for rate in (*(a + p for a, p in zip(leaving, binds, strict=True)), *frees):
            fastest = jnp.maximum(fastest, dt * rate)
        h = rule.theta(fastest) * dt
        free = [change[name] for name in self._free]
        held = [1 + h * p / (1 + h * q) for p, q in zip(binds, frees, strict=True)]
        held[0] = held[0] + h * self._pump_slope(C[0]) * rings.membrane / rings.volume[0]
        kept = [1 / (1 + h * q) for q in frees]
        if self.B is not None:
            bound = [change[name] for name in self._bound]
            free = [x + h * q * k * b for x, q, k, b in zip(free, frees, kept, bound, strict=True)]
        moved = _tridiagonal(
            [v * x for v, x in zip(rings.volume, held, strict=True)],
            [h * link for link in links],
            [v * x for v, x in zip(rings.volume, free, strict=True)],
        )
        if self.B is None:
            return {name: states[name] + x for name, x in zip(self._free, moved, strict=True)}
        taken = [(b + h * p * x) * k for b, p, x, k in zip(bound, binds, moved, kept, strict=True)]  # pyright: ignore[reportPossiblyUnboundVariable]
        return {name: states[name] + x for name, x in zip((*self._free, *self._bound), (*moved, *taken), strict=True)}

    def _reaction(self, states: Any) -> tuple[list[Any], list[Any]]:
        """By shell, 1/ms: at what rate what is free is bound, and by which what is bound goes back to where binding and freeing are even."""
        if self.B is None:
            return [0.0] * self.shells, [0.0] * self.shells
        binds = [self.k_on * (self.B - states[name]) for name in self._bound]
        return binds, [self.k_on * states[name] + self.k_off for name in self._free]

    def _pumped(self, C: Any) -> Any:
        """mM um/ms, through the membrane."""
        if self.v is None:
            return 0.0
        return self.v * self.K * (C - self.C_rest) / ((C + self.K) * (self.C_rest + self.K))

    def _pump_slope(self, C: Any) -> Any:
        return 0.0 if self.v is None else self.v * self.K / (C + self.K) ** 2


class CalciumShells(Shells, species="ca"):
    """Calcium in concentric shells, with diffusion between them and along the cell, and perhaps a buffer and a pump; see `Shells`."""

    D: Diffusivity = param(
        0.223, source="Allbritton et al. 1992, doi:10.1126/science.1465619: of free calcium in cytosol"
    )
    C_rest: PositiveConcentration = param(2.4e-4, source="our choice: the rest of CalciumDetailed")
    C_out: PositiveConcentration = param(2.0, source="our choice: that of CalciumDetailed")


class IonShells(Shells):
    """Any species in concentric shells: ``IonShells(species="na", shells=4, D=..., C_rest=..., C_out=...)``; see `Shells`."""

    species: Annotated[str, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]
    valence: Annotated[int, STATIC]  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, species: str, valence: int | None = None, **values: Any) -> None:
        valence = valence_of(species, valence)
        Shells.__init__(self, species=species, valence=valence, **values)


def _tridiagonal(held: list[Array], links: list[Array], right: list[Array]) -> list[Array]:
    """The x with ``held[s] x[s] + links[s] (x[s] - x[s+1]) + links[s-1] (x[s] - x[s-1]) = right[s]``, elementwise: sums alone, no differences."""
    pivots: list[Any] = []
    for s, link in enumerate(links):
        pivots.append(held[s] + link)
        share = link / pivots[s]
        held = [*held[: s + 1], held[s + 1] + share * held[s], *held[s + 2 :]]
        right = [*right[: s + 1], right[s + 1] + share * right[s], *right[s + 2 :]]
    x = [right[-1] / held[-1]]
    for s in range(len(links) - 1, -1, -1):
        x.insert(0, (right[s] + links[s] * x[0]) / pivots[s])
    return x
