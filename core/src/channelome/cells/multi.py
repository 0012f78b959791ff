"""A reconstructed cell, or a population of cells of one shape: many compartments, channels and ions by region."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import jax
import numpy as np

from ..distances import ByDistance
from ..errors import ModelError
from ..mechanisms.channels import Channel
from ..mechanisms.ions import Ion
from ..module import STATIC, Module, param
from ..morphology import Compartments, Morphology, max_length
from ..morphology.discretise import DLambda, Rule
from ..registry.hooks import model_built
from ..sampled import Sampled
from ..state import State
from ..streams import Stream
from ..units import Bound, Capacitance, Temperature, Unit, Voltage
from .assembled import Assembled
from .cable import Cable, nodes_last
from .colours import coloured
from .laid import laid_out
from .on import On, Placed, along, placed
from .parts import OWN_OF_MANY, check_own, no_quantity, unknown
from .regional import check_regions
from .single import shape_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Resistivity = Annotated[Any, Unit.parse("ohm*cm"), Bound(0.0, strict=True)]


class MultiCompartment(Assembled):
    """A cell of many compartments, or a population of cells that share a morphology.

    ``C dV/dt = I_injected - sum of channel currents`` in each compartment, plus what flows along the branches through `Ra`.

    Args:
        morphology: a `Morphology`, or `Compartments` that it was cut into.
        ions: ions of the whole cell, by name, class or instance.
        parts: by label, a channel's name, class or instance for the whole cell, `on` for a region, or a list of these for regions with
            parameters of their own; an ion `on` a region under its species.
        Ra: axial resistivity in ohm cm.
        C: capacitance in uF/cm^2.
        V: initial membrane potential in mV.
        V_th: threshold in mV; a spike is an upward crossing of it at `spikes_at`.
        celsius: temperature in degC; needed where a channel or an ion depends on it.
        discretise: how finely it is cut: `max_length`, `d_lambda` or `per_branch`; ``max_length("20 um")`` if None.
        size: shape of the population; () for one cell, whose results have no axis for cells.
        spikes_at: the place at which spikes are detected; the middle of the soma if None, without one the beginning of the root.

    A parameter is a number, or an array that broadcasts to ``(*size, k)``, k being the compartments of its region (all of them for Ra,
    C and V) in their order: shape (k,) along the cell, also `by_distance`, (*size, 1) by cell. Channels and ions may have values by distance and, by cell, sampled
    ones. A run carries a `State` whose arrays have the shape (*size, m), m being the nodes of the tree in its order,
    ``compartments.tree``.

    Raises:
        ModelError: for a region that is empty, a place off the cell, an ion that a channel needs and some place lacks, an array that does
            not fit its region, a temperature that is needed and not given.
        UnitError: for a missing or wrong unit.
    """

    pointwise: ClassVar[bool] = False
    C: Capacitance = param(1.0, source="our choice: the usual value of cell membranes")
    Ra: Resistivity = param(100.0, source="our choice: of the order of measured ones")
    V: Voltage = param(-65.0, source="our choice")
    V_th: Voltage = param(0.0, source="our choice")
    celsius: Temperature = None
    compartments: Annotated[Compartments, STATIC]
    regions: Annotated[tuple[tuple[str, str], ...], STATIC]
    """The text of the region of each part that is not everywhere."""
    size: Annotated[tuple[int, ...], STATIC]
    spikes_at: Annotated[str, STATIC]

    def __init__(
        self,
        morphology: Morphology | Compartments,
        /,
        *ions: Any,
        Ra: Any = "100 ohm*cm",
        C: Any = "1 uF/cm^2",
        V: Any = "-65 mV",
        V_th: Any = "0 mV",
        celsius: Any = None,
        discretise: Rule | None = None,
        size: int | tuple[int, ...] = (),
        spikes_at: str | None = None,
        **parts: Any,
    ) -> None:
        own = {
            "Ra": Ra,
            "C": C,
            "V": V,
            "V_th": V_th,
            "celsius": celsius,
            "discretise": discretise,
            "size": size,
            "spikes_at": spikes_at,
        }
        _check_names(own, parts)
        compartments = _cut(morphology, discretise, Ra, C)
        found = [placed(ion, "an ion", compartments) for ion in ions]
        by_label = {label: placed(given, label, compartments) for label, given in parts.items()}
        channels = {label: one for label, one in by_label.items() if isinstance(one.part, Channel)}
        by_species = _by_species(found, {label: one for label, one in by_label.items() if label not in channels})
        regions = {label: one.region for label, one in (by_species | channels).items() if one.region is not None}
        C, Ra, V = (along(x, name, compartments) for name, x in (("C", C), ("Ra", Ra), ("V", V)))
        Module.__init__(
            self,
            C=C, Ra=Ra, V=V, V_th=V_th, celsius=celsius, compartments=compartments, size=shape_of(size) if size != () else (),
            spikes_at=_origin(compartments) if spikes_at is None else spikes_at, regions=tuple(regions.items()),
            ions={species: one.part for species, one in by_species.items()},
            channels={label: one.part for label, one in channels.items()},
        )  # fmt: skip
        self._settle()
        model_built(self)

    def _settle(self) -> None:
        self.__dict__.update(self.drawn_from(Stream()).__dict__)
        check_regions(self)

    @property
    def _drawn_shape(self) -> tuple[int, ...]:
        return (*self.size, 1) if self.size else ()

    def replace(self, **changes: Any) -> Self:
        """A copy with other values, ``replace(Ra=..., **{"INa.g_max": ..., "ca.tau": ...})``, or a whole part, ``INa=...``, where it was
        or `on` another region.

        Raises:
            ModelError: for a name that the cell does not have.
            UnitError: for a missing or wrong unit.
        """
        known = type(self).parameters
        _check_names({name: x for name, x in changes.items() if name in known}, {})
        own = {name: along(x, name, self.compartments) for name, x in changes.items() if name in known}
        new = super().replace(**own)
        kinds: dict[str, dict[str, Any]] = {"channels": dict(self.channels), "ions": dict(self.ions)}
        regions = dict(self.regions)
        for path, value in changes.items():
            if path in own:
                continue
            label, _, name = path.partition(".")
            parts = next((of for of in kinds.values() if label in of), None)
            if parts is None:
                raise unknown(path, [*type(self).parameters, *self.channels, *self.ions], OWN_OF_MANY)
            if name:
                value = along(value, f"{name} of '{label}'", self.compartments, self.numbers(label))
                parts[label] = parts[label].replace(**{name: value})
                continue
            given = value if isinstance(value, On | list | tuple) else On(regions.get(label, "all"), value)
            one = placed(given, label, self.compartments)
            parts[label] = one.part
            regions.pop(label, None)
            if one.region is not None:
                regions[label] = one.region
        for name, parts in kinds.items():
            new._set(name, parts)
        new._set("regions", tuple(regions.items()))
        new._settle()
        return new

    # ---- what it is ----

    @property
    def morphology(self) -> Morphology:
        """The cell's shape."""
        return Morphology(self.compartments.anatomy)

    def numbers(self, label: str) -> np.ndarray:
        """Shape (k,), int: the compartments where a part is."""
        region = dict(self.regions).get(label)
        return np.arange(len(self.compartments)) if region is None else self.compartments.numbers(region)

    @property
    def area(self) -> float:
        """Of the membrane of one cell, um^2."""
        return float(self.compartments.area.sum())

    def plot(
        self, color: Any = None, *, neuron: int = 0, label: str = "", projection: str = "xy", ax: Any = None
    ) -> "Figure":
        """The cell with its compartments in colour; what has no value, or is not in a region, is grey.

        Args:
            color: a parameter, ``"Ih.g_max"``, ``"Ra"``, ``"C"``; a measure, ``"area"``, ``"diameter"``, ``"distance"``; a part, ``"Ih"``, or
                a region, ``"apical & distance > 100 um"``, both in the colours of types; an array of shape (n,) over the
                compartments. None for compartments in turn.
            neuron: flat index of the cell whose parameter is shown, of several.
            label: of the scale of colours; the parameter with its unit if empty.
            projection: two of x, y, z, or ``"3d"``.
            ax: axes to draw in; a new figure if None.

        Raises:
            ModelError: for what the cell has not, a region that is empty, an array that does not fit, under a JAX transformation.
            ImportError: without matplotlib.
        """
        return coloured(self, color, neuron=neuron, label=label, projection=projection, ax=ax)

    # ---- what runs ----

    def ready(self) -> Cable:
        """The cell as the engine runs it."""
        return laid_out(self)

    def initial_state(self, V: Any = None) -> State:
        """The state at rest, at V (mV) or at the cell's own."""
        cell = self if V is None else self.replace(V=(V, "mV"))
        return jax.tree.map(nodes_last, cell.ready().initial_state())


def _check_names(own: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Refuse parts under names that are the cell's own, and numbers under labels."""
    for name, value in own.items():
        if isinstance(value, ByDistance) and name in ("V_th", "celsius"):
            raise ModelError(
                f"{name} is one number for a cell, or one by cell: by_distance() is of C, Ra, V and of what is in the membrane."
            )
        first = value[0] if isinstance(value, list | tuple) and value else value
        check_own(name, first.what if isinstance(first, On) else first, OWN_OF_MANY)
    for label, value in parts.items():
        no_quantity(value, label, OWN_OF_MANY)


def _origin(compartments: Compartments) -> str:
    """The place from which ways are counted."""
    branch, x = compartments.anatomy.origin
    return compartments.anatomy.label(branch, x)


def _cut(morphology: Any, rule: Rule | None, Ra: Any, C: Any) -> Compartments:
    if isinstance(morphology, Compartments):
        if rule is not None:
            raise ModelError(
                "the cell is cut already: give the Morphology together with discretise=, or Compartments alone."
            )
        return morphology
    if not isinstance(morphology, Morphology):
        raise ModelError(
            f"a MultiCompartment begins with a Morphology, such as Morphology.from_swc('cell.swc'), not {morphology!r}."
        )
    rule = max_length("20 um") if rule is None else rule
    if not isinstance(rule, DLambda):
        return morphology.discretise(rule)
    if any(isinstance(value, Sampled | ByDistance) or np.ndim(_number(value)) for value in (Ra, C)):
        raise ModelError(
            "d_lambda needs one Ra and one C for the whole cell: where they differ, cut it first, morph.discretise(d_lambda(0.1), Ra=..., "
            "C=...), and give the Compartments."
        )
    return morphology.discretise(rule, Ra=Ra, C=C)


def _number(value: Any) -> Any:
    """Of a value with a unit the number; 0 of a text."""
    if isinstance(value, str):
        return 0
    return value[0] if isinstance(value, tuple) else getattr(value, "mantissa", value)


def _by_species(given: list[Placed], labelled: Mapping[str, Placed]) -> dict[str, Placed]:
    """The ions by species.

    Raises:
        ModelError: for two of one species, or one under another label than its species.
    """
    for label, one in labelled.items():
        if label != one.part.species:  # pyright: ignore[reportAttributeAccessIssue]
            raise ModelError(
                f"'{label}' is the ion '{one.part.species}' ({type(one.part).__name__}): it is given under its species, "  # pyright: ignore
                f"{one.part.species}=..., or without a label."  # pyright: ignore[reportAttributeAccessIssue]
            )
    found: dict[str, Placed] = {}
    for one in (*given, *labelled.values()):
        if not isinstance(one.part, Ion):
            raise ModelError(f"the channel {type(one.part).__name__} needs a label: I{type(one.part).__name__}=...")
        if one.part.species in found:
            raise ModelError(
                f"the ion '{one.part.species}' is given twice: a cell has one ion of each species; with other parameters by region "
                f"{one.part.species}=[on(...), on(...)]."
            )
        found[one.part.species] = one
    return found
