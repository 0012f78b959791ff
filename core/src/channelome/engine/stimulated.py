"""Who is stimulated by what: the stimuli of a request by population, also where they are given to groups."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import ModelError, told_of
from ..networks import Poisson
from ..stimuli.amounts import DENSITY
from ..stimuli.clamp import Clamp
from ..stimuli.current import Counted, summed
from ..stimuli.places import Spots, gathered
from ..streams import Stream
from .blocks import resized
from .model import LONE, Model
from .placed import stimulus_at
from .plan import is_source
from .request import checked_stimulus
from .spread import SomeNeurons

_ROLE = "stimulus"


def stream_of(model: Model, name: str, role: str = _ROLE) -> Stream:
    """What the random parts of what is given to a population follow from."""
    return Stream(0 if model.network is None else model.network.seed, name, role)


def source_counted(model: Model, label: str, dt: float) -> Any:
    """A source of spikes in steps of `dt` ms."""
    source = model.populations[label]
    return source.counted(dt, stream_of(model, label, "rate")) if isinstance(source, Poisson) else source.counted(dt)


def apart(model: Model, stimulus: Any) -> tuple[Any, dict[str, Any]]:
    """The currents of a request, and the clamps by population.

    Raises:
        ModelError: for a clamp of a part of a population.
    """
    stimulus = gathered(stimulus)
    if model.network is None:
        if isinstance(stimulus, Spots):
            return stimulus, {LONE: stimulus} if any(isinstance(spot.what, Clamp) for spot in stimulus) else {}
        return (stimulus.beside, {LONE: stimulus}) if isinstance(stimulus, Clamp) else (stimulus, {})
    if not isinstance(stimulus, Mapping):
        return stimulus, {}
    stimulus = {name: gathered(given) for name, given in stimulus.items()}
    placed = {
        name: x for name, x in stimulus.items() if isinstance(x, Spots) and any(isinstance(s.what, Clamp) for s in x)
    }
    clamps = {name: given for name, given in stimulus.items() if isinstance(given, Clamp)} | placed
    for name in clamps:
        if name not in model.populations or is_source(model.populations[name]):
            cells = [label for label, part in model.populations.items() if not is_source(part)]
            raise ModelError(
                f"there is no population of cells '{name}' to clamp; there are {', '.join(cells)}. A clamp holds all cells of one: "
                f"make what is to be clamped a population of its own."
            )
    beside = {name: x.beside for name, x in clamps.items() if isinstance(x, Clamp) and x.beside is not None} | placed
    return {name: given for name, given in stimulus.items() if name not in clamps} | beside, clamps


def stimuli_of(model: Model, stimulus: Any, dt: float, dtype: Any) -> dict[str, Counted]:
    """The stimuli by population, densities counted in steps; those of a population and of its groups add up."""
    if stimulus is None:
        return {}
    if model.network is None:
        counted = _counted(model.populations[LONE], stimulus, dt, dtype, stream_of(model, LONE))
        return {} if counted is None else {LONE: counted}
    cells = [label for label, part in model.populations.items() if not is_source(part)]
    if not isinstance(stimulus, Mapping):
        raise ModelError(
            f"the stimulus of a network is given by population: stimulus={{{next(iter(cells or model.populations))!r}: ...}}."
        )
    found: dict[str, Counted] = {}
    for name, given in stimulus.items():
        try:
            label, index = model.network.indices(name)
        except ModelError as error:
            raise ModelError(
                f"there is no population of cells '{name}' to stimulate; there are {', '.join(cells)}. {error}"
            ) from None
        if label not in cells:
            raise ModelError(f"there is no population of cells '{name}' to stimulate; there are {', '.join(cells)}.")
        with told_of(f"the stimulus of '{name}'"):
            counted = _of_group(model.populations[label], given, index, dt, dtype, stream_of(model, name))
        if counted is not None:
            found[label] = summed(found[label], counted) if label in found else counted
    return found


def _counted(cell: Any, given: Any, dt: float, dtype: Any, stream: Stream) -> Counted | None:
    checked = checked_stimulus if cell.pointwise else stimulus_at
    return checked(cell, given, dt, dtype, stream)


def _of_group(cell: Any, given: Any, index: np.ndarray, dt: float, dtype: Any, stream: Stream) -> Counted | None:
    if index.size == math.prod(cell.size):
        return _counted(cell, given, dt, dtype, stream)
    if not cell.pointwise:
        raise ModelError(
            "of cells with compartments whole populations are stimulated: give the population one current for each cell, 0 for those that are to "
            "have none, at('soma', step(([0.1, 0.0], 'nA'))), or make what is to be apart a population of its own."
        )
    part = resized(cell, (index.size,))
    if np.ndim(cell.area):
        part._set(
            "area", jnp.ravel(cell.area)[index] if isinstance(cell.area, jax.Array) else np.ravel(cell.area)[index]
        )
    counted = checked_stimulus(part, given, dt, dtype, stream)
    if counted is None:
        return None
    return Counted(
        DENSITY, SomeNeurons(counted.form, cell.size), {"inner": counted.numbers, "index": index.astype(np.int32)}
    )
