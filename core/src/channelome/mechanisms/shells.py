"""Ions in concentric shells: what enters through the membrane diffuses to the core of a compartment, and along the cell.

The shells of a compartment are one tridiagonal system, solved with what binds and pumps by one linearly implicit step. All of it is written so
that nothing positive is subtracted from something positive, and what leaves a shell enters the next.
"""

from typing import Annotated, Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..errors import ModelError
from ..maths import FARADAY, nernst
from ..module import STATIC, Module, param
from ..units import Bound, Concentration, Diffusivity, Length, PositiveConcentration, Rate, Unit
from .ions import Diffusing, Ion, IonView, States, in_cylinders, valence_of
from .kinetics import Rule
from .rings import Pair, Rings, tridiagonal, tridiagonal_pairs

Binding = Annotated[Any, Unit.parse("1/(mM*ms)"), Bound(0.0)]
PumpRate = Annotated[Any, Unit.parse("mM*um/ms"), Bound(0.0)]


class Shells(Ion):
    """An ion in `shells` concentric shells of each compartment; channels see the outermost, whose concentration is ``C_in``.

    ``dC[s]/dt`` is what diffuses over its two borders, less what binds; in the outermost also ``-10 I / (z F)`` and the pump, over its
    volume per membrane. With a buffer of `B` in all,
    ``d bound/dt = k_on C (B - bound) - k_off bound``. It moves with the diffusion coefficient `D_B`, bound as fast as free, so that `B` stays the
    same everywhere and only what is bound has to be followed; without one it stays where it is. The pump takes ``v (C / (C + K) - C_rest / (C_rest + K))`` through the membrane, which
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
    D_B: Diffusivity = None
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
        if self.D_B is not None and self.B is None:
            raise ModelError(
                f"D_B of {name} is that of a buffer, and there is none: give B=..., k_on=... and k_off=... too."
            )
        if shells == 1 and self.depth is not None:
            raise ModelError(
                f"one shell of {name} is the whole compartment, and has no depth: give shells=2 or more, or a pool such as CalciumDetailed."
            )

    # ---- where it is ----

    def in_cylinders(self, diameter: Any) -> Self:
        where = f"the ion '{self.species}' ({type(self).__name__})"
        new = in_cylinders(self, diameter)
        if np.ndim(diameter) == 1 and self.D_B is not None and np.shape(self.B)[-1:] not in ((), (1,)):
            raise ModelError(
                f"{where}: a buffer that moves spreads until it is the same everywhere: give one number for B, or one by cell, not one by "
                f"compartment."
            )
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
        moving = [(self.D, self._free)] if self.D_B is None else [(self.D, self._free), (self.D_B, self._bound)]
        return {
            name: Diffusing(D, 4 * each / diameter**2)
            for D, of in moving
            for name, each in zip(of, volume, strict=True)
        }

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
        entered = (-10 * current / (self.valence * FARADAY) - self._pumped(C[0])) * rings.membrane
        rates = rings.gained(entered, rings.inward(self.D, C))
        if self.B is None:
            return dict(zip(self._free, rates, strict=True))
        bound = [states[name] for name in self._bound]
        binding = [self.k_on * c * (self.B - b) - self.k_off * b for c, b in zip(C, bound, strict=True)]
        free = [rate - taken for rate, taken in zip(rates, binding, strict=True)]
        if self.D_B is not None:
            moved = rings.gained(0.0, rings.inward(self.D_B, bound))
            binding = [x + y for x, y in zip(binding, moved, strict=True)]
        return dict(zip((*self._free, *self._bound), (*free, *binding), strict=True))

    def relax(self, states: Any, current: Any, dt: Any, rule: Rule) -> States:
        """One step, linear in what is there at its start: of second order for ``theta = 1/2``, as `implicit.stepped`."""
        rings = Rings.of(self.shells, self.diameter, self.depth)
        change = {name: dt * rate for name, rate in self.slope(states, current).items()}
        C = [states[name] for name in self._free]
        leaving, carried = rings.leaving(self.D), rings.leaving(0.0 if self.D_B is None else self.D_B)
        leaving[0] = leaving[0] + self._pump_slope(C[0]) * rings.membrane / rings.volume[0]
        binds, frees = self._reaction(states)
        fastest = jnp.zeros_like(C[0])
        for rate in (x + y for a, b in ((leaving, binds), (carried, frees)) for x, y in zip(a, b, strict=True)):
            fastest = jnp.maximum(fastest, dt * rate)
        h = rule.theta(fastest) * dt
        if self.D_B is not None:
            return self._moved_together(states, rings, change, binds, frees, h)
        free = [change[name] for name in self._free]
        held = [1 + h * p / (1 + h * q) for p, q in zip(binds, frees, strict=True)]
        held[0] = held[0] + h * self._pump_slope(C[0]) * rings.membrane / rings.volume[0]
        kept = [1 / (1 + h * q) for q in frees]
        if self.B is not None:
            bound = [change[name] for name in self._bound]
            free = [x + h * q * k * b for x, q, k, b in zip(free, frees, kept, bound, strict=True)]
        moved = tridiagonal(
            [v * x for v, x in zip(rings.volume, held, strict=True)],
            [h * self.D * across for across in rings.across],
            [v * x for v, x in zip(rings.volume, free, strict=True)],
        )
        if self.B is None:
            return {name: states[name] + x for name, x in zip(self._free, moved, strict=True)}
        taken = [(b + h * p * x) * k for b, p, x, k in zip(bound, binds, moved, kept, strict=True)]  # pyright: ignore[reportPossiblyUnboundVariable]
        return {name: states[name] + x for name, x in zip((*self._free, *self._bound), (*moved, *taken), strict=True)}

    def _moved_together(
        self, states: Any, rings: Rings, change: States, binds: list[Any], frees: list[Any], h: Any
    ) -> States:
        """The step where what is bound moves, too: free and bound are solved for at once."""
        pumped = [self._pump_slope(states["C_in"]) * rings.membrane / rings.volume[0], *[0.0] * (self.shells - 1)]
        held = [
            Pair((v * (1 + h * out), v * 1.0), (v * h * p, v * h * q))
            for v, p, q, out in zip(rings.volume, binds, frees, pumped, strict=True)
        ]
        links = [(h * self.D * across, h * self.D_B * across) for across in rings.across]
        right = [(v * change[a], v * change[b]) for v, a, b in zip(rings.volume, self._free, self._bound, strict=True)]
        found = tridiagonal_pairs(held, links, right)
        free, bound = ([one[k] for one in found] for k in (0, 1))
        return {name: states[name] + x for name, x in zip((*self._free, *self._bound), (*free, *bound), strict=True)}

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
