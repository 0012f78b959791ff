"""Whether the state that a run is to continue from is one of this network, and what becomes of it where the network was changed.

A spike under way meets the synapses that there are when it arrives, so weights may be others from run to run, one for all or one
for each. What has arrived stays as it is, but for receptors that are followed at their sources: they weigh at once what their
synapses do.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..errors import ModelError
from ..mechanisms.transmission import Followed
from ..results.archive import fetched
from ..state import NetworkState, State
from .delivery import n_words, pack, unpacked
from .layout import Member
from .marks import marks_of
from .prepare import Prepared
from .rings import kinds_of
from .states import by_label, with_sums
from .step import initial


def checked_network_state(run: Prepared, state: Any) -> NetworkState:
    """`state`, if it has the names, shapes and types that a run begins with; parts that the run adds up are added up, and what sources
    sent has the form that the run has it in.

    Raises:
        ModelError: naming the part that is of another network, another precision, another step or other delays.
    """
    if not isinstance(state, NetworkState):
        raise ModelError(f"the state of a network is the `final` of one of its runs, not {type(state).__name__}.")
    state = with_sums(run.layout, state)
    state, expected = state._replace(marks=state.marks or {}), _expected(run, state)
    for part in ("cells", "synapses", "sources", "rings"):
        has, needs = (", ".join(sorted(getattr(of, part))) or "none" for of in (state, expected))
        if has != needs and (part != "rings" or set(state.rings) - set(expected.rings)):
            raise ModelError(f"the state is of another network: its {part} are {has}, and this network's {needs}.")
    given, wanted = (_leaves(x._replace(rings={}, marks={})) for x in (state, expected))
    for path in {**wanted, **given}:
        _check_leaf(path, given.get(path), wanted.get(path))
    members = [member for bundle in run.layout.bundles.values() for member in bundle.members]
    marks = marks_of(run.layout, run.dt.dtype)
    _check_units(state, marks)
    rings = {member.label: _under_way(run, state, member, marks) for member in members}
    state = _weighed(state._replace(rings=rings), members, marks)
    return _doubted(state, marks)._replace(marks=None)


def _expected(run: Prepared, state: NetworkState) -> NetworkState:
    """The shapes of a state of this network; gates that lag behind where `state` has them."""
    new = jax.eval_shape(lambda: by_label(run.layout, initial(run.plan, run.parts, run.dt.dtype)))
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


def _check_units(state: NetworkState, marks: Mapping[str, Any]) -> None:
    for label, now in marks.items():
        was = state.marks.get(label, {}).get("unit")
        if was is not None and not _alike(was, now["unit"]):
            raise ModelError(
                f"the state is of another network: the weight of '{label}' had another unit there, which its synapses' states have too."
            )


# ---- spikes under way ----------------------------------------------------------------------------------------------


def _under_way(run: Prepared, state: NetworkState, member: Member, marks: Mapping[str, Any]) -> Any:
    """What the sources of a projection sent, as the run has it: spikes as words or, under a trace, as numbers."""
    label, ring = member.label, state.rings.get(member.label)
    if not isinstance(ring, Tracer):
        ring = None if ring is None else fetched(ring)
        if label not in state.rings and member.longest:
            _check_nothing_owed(state, member)
        if ring is None or not np.any(ring):
            return None
    if not _alike(state.marks.get(label, {}).get("delays"), marks[label].get("delays")):
        raise ModelError(
            f"the state has spikes under way in '{label}' with other delays, another dt or, as synapses with delays of their own have got a "
            f"part of them, along other synapses: continue it with those of the run that it is from, or without what is under way, "
            f"state._replace(rings={{}})."
        )
    path = next(path for path in run.plan.paths if path.label == run.layout.lanes[label].path)
    plastic = member.pathway.plasticity is not None
    synapse, n = member.pathway.synapse, run.layout.places[member.pathway.wiring.pre].n
    ones = not (kinds_of(synapse) or plastic or path.several)
    shape, dtype = (member.longest, n, *kinds_of(synapse)), run.dt.dtype
    if ones and ring.dtype == np.uint32 and ring.shape == (member.longest, n_words(n)):
        return jax.vmap(unpacked)(jnp.asarray(ring))[:, :n].astype(dtype) if run.tracing else ring
    if ring.shape != shape or ring.dtype.kind != "f":
        raise ModelError(
            f"the state is of another network: what is under way in '{label}' has the shape {ring.shape} and the type {ring.dtype}."
        )
    if ring.dtype != dtype and not ones:
        _check_leaf(("rings", label), ring, jax.ShapeDtypeStruct(shape, dtype))
    if run.tracing or not ones:
        return ring.astype(dtype)
    if np.any((ring != 0) & (ring != 1)):
        raise ModelError(
            f"the state has spikes under way in '{label}' of which each weighs another share, and its sources send whole ones: continue it "
            f"without what is under way, state._replace(rings={{}})."
        )
    return jax.vmap(pack)(jnp.asarray(ring) != 0)


def _check_nothing_owed(state: NetworkState, member: Member) -> None:
    """Refuse to leave out the ends of pulses."""
    synapse, label = member.pathway.synapse, member.label
    if not isinstance(synapse, Followed) or synapse.graded:
        return
    held = (synapse.owing(state.sources[label]), *state.synapses[label].values())
    if any(isinstance(x, Tracer) or np.any(x) for x in held):
        raise ModelError(
            f"the state is without the spikes under way in '{label}', among which are the ends of pulses of transmitter "
            f"({type(synapse).__name__}) that have begun: leave out the others alone, state._replace(rings={{'{label}': "
            f"state.rings['{label}']}}), or go on when none has been for long."
        )


def _alike(one: Any, other: Any) -> bool:
    """Whether two marks are one, as far as is known before a run."""
    if one is None or other is None:
        return one is other
    return isinstance(one, Tracer) or isinstance(other, Tracer) or bool(one == other)


def _doubted(state: NetworkState, marks: Mapping[str, Any]) -> NetworkState:
    """With V that is NaN where it turns out under a trace, which cannot raise, that the state is of other delays or weights."""
    pairs = [
        (state.marks[label][mark], now[mark])
        for label, now in marks.items()
        for mark in ("unit", "delays", "edges", "weights")
        if mark in now and isinstance(state.marks.get(label, {}).get(mark), Tracer)
    ]
    if not pairs:
        return state
    other = jnp.any(jnp.stack([one != two for one, two in pairs]))
    return state._replace(cells={k: x._replace(V=jnp.where(other, jnp.nan, x.V)) for k, x in state.cells.items()})


# ---- receptors -----------------------------------------------------------------------------------------------------


def _weighed(state: NetworkState, members: list[Member], marks: Mapping[str, Any]) -> NetworkState:
    """With receptors that weigh what their synapses do now.

    Raises:
        ModelError: where weights of their own are others while pulses go on.
    """
    synapses = dict(state.synapses)
    for member in members:
        label, synapse = member.label, member.pathway.synapse
        if not isinstance(synapse, Followed) or synapse.graded:
            continue
        was, now = (marks.get(label, {}) for marks in (state.marks, marks))
        same = _alike(was.get("edges"), now["edges"])
        if same and "weights" in now and _alike(was.get("weights"), now["weights"]):
            continue
        if same and "weight" in now and "weight" in was:
            old, new = was["weight"], now["weight"]
            traced = isinstance(old, Tracer) or isinstance(new, Tracer)
            if not traced and old == new:
                continue
            if traced or old != 0:
                synapses[label] = {k: _rescaled(x, old, new) for k, x in synapses[label].items()}
                continue
        on, ring = synapse.owing(state.sources[label]), state.rings[label]
        if any(isinstance(x, Tracer) for x in (on, ring)) or np.any(on) or ring is not None:
            raise ModelError(
                f"the {'weights' if same else 'synapses'} of '{label}' are others than in the run that the state is from, and pulses of "
                f"transmitter ({type(synapse).__name__}) go on that would end otherwise than they began: go on when none is under way, or "
                f"change one weight for all synapses to another, neither of them 0."
            )
    return state._replace(synapses=synapses)


def _rescaled(x: Any, was: Any, now: Any) -> Any:
    """Sums of `was`, each now of another weight: exact where they are whole multiples of it."""
    return jnp.where(was == 0, x, x / jnp.where(was == 0, 1, was) * now)
