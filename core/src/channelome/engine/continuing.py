"""Whether the state that a run is to continue from is one of this network."""

from typing import Any

import jax
import numpy as np

from ..errors import ModelError
from ..state import NetworkState, State
from .prepare import Prepared
from .sharding import with_shared_rings
from .states import by_label, with_sums
from .step import initial


def checked_network_state(run: Prepared, state: Any, mesh: Any) -> NetworkState:
    """`state`, if it has the names, shapes and types that a run begins with; parts that the run adds up are added up.

    Raises:
        ModelError: naming the part that is of another network, another precision or another step.
    """
    if not isinstance(state, NetworkState):
        raise ModelError(f"the state of a network is the `final` of one of its runs, not {type(state).__name__}.")
    state = with_sums(run.layout, state)
    expected = _expected(run, state, mesh)
    for part in ("cells", "synapses", "sources", "rings"):
        has, needs = (", ".join(sorted(getattr(of, part))) or "none" for of in (state, expected))
        if has != needs:
            raise ModelError(f"the state is of another network: its {part} are {has}, and this network's {needs}.")
    given, wanted = _leaves(state), _leaves(expected)
    for path in {**wanted, **given}:
        _check_leaf(path, given.get(path), wanted.get(path))
    return state


def _expected(run: Prepared, state: NetworkState, mesh: Any) -> NetworkState:
    """The shapes of a state of this network; gates that lag behind where `state` has them."""
    if mesh is None:
        new = jax.eval_shape(lambda: by_label(run.layout, initial(run.plan, run.parts, run.dt.dtype, not run.tracing)))
    else:
        new = jax.eval_shape(
            lambda: by_label(
                run.layout, with_shared_rings(run.plan, initial(run.plan, run.parts, run.dt.dtype, True), mesh.size)
            )
        )
    lag = jax.ShapeDtypeStruct((), run.dt.dtype)
    cells = {
        name: cell._replace(behind=cell.channels, lag=lag)
        if isinstance(state.cells.get(name), State) and state.cells[name].behind is not None
        else cell
        for name, cell in new.cells.items()
    }
    return new._replace(cells=cells)


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
