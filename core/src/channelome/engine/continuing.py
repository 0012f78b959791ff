"""Whether the state that a run is to continue from is one of this network."""

from typing import Any

import jax
import numpy as np

from ..errors import ModelError
from ..state import NetworkState


def checked_state(state: Any, expected: NetworkState) -> NetworkState:
    """`state`, if it has the names, shapes and types of `expected`.

    Raises:
        ModelError: naming the part that is of another network, another precision or another step.
    """
    if not isinstance(state, NetworkState):
        raise ModelError(f"the state of a network is the `final` of one of its runs, not {type(state).__name__}.")
    for part in ("cells", "synapses", "sources", "rings"):
        has, needs = (", ".join(sorted(getattr(of, part))) or "none" for of in (state, expected))
        if has != needs:
            raise ModelError(f"the state is of another network: its {part} are {has}, and this network's {needs}.")
    given, wanted = _leaves(state), _leaves(expected)
    for path in {**wanted, **given}:
        _check_leaf(path, given.get(path), wanted.get(path))
    return state


def _leaves(state: NetworkState) -> dict[tuple[str, ...], Any]:
    """By the names that lead there, such as ``("cells", "E", "channels", "INa", "m")``."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {tuple(str(getattr(key, "key", getattr(key, "name", key))) for key in path): x for path, x in leaves}


def _check_leaf(path: tuple[str, ...], has: Any, needs: Any) -> None:
    if has is not None and needs is not None and np.shape(has) == needs.shape and has.dtype == needs.dtype:
        return
    part, label = path[0], path[1] if len(path) > 1 else ""
    if part == "rings" and (has is None or needs is None or has.dtype.kind == needs.dtype.kind):
        raise ModelError(
            f"the state has spikes under way in '{label}' for another number of steps or devices: continue it with the dt, delays "
            f"and devices of the run that it is from."
        )
    if part == "rings":
        raise ModelError(
            f"the state has spikes under way in '{label}' as runs under jit, vmap and grad keep them and others do not, or the "
            f"other way round: continue it as it was begun."
        )
    if has is None or needs is None:
        raise ModelError(f"the state is of another network: {'.'.join(path)} is in one of them alone.")
    if np.shape(has) != needs.shape:
        raise ModelError(
            f"the state is of another network: its {'.'.join(path)} has the shape {np.shape(has)}, not {needs.shape}."
        )
    raise ModelError(
        f"{'.'.join(path)} of the state is {has.dtype}, but JAX runs in {needs.dtype}: set "
        f"jax.config.update('jax_enable_x64', {has.dtype == np.float64}) before anything else, or convert the state."
    )
