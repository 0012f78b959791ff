"""The synapses of a path laid out for a run: in rows to walk, or one by one for the product. Kept with the wiring."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from ..errors import ModelError
from ..mechanisms.transmission import Followed
from ..networks.projection import Pathway
from ..networks.rows import NOWHERE, Flat, Inward, Rows, Shape, Turned, by_target, flat, laid_out, room, rows_of
from ..networks.wiring import Wiring
from .delivery import WORD, Pairs
from .lanes import over_lanes, summed_lanes
from .layout import Bundle, Layout, Member, Place, delay_of, in_words, numbers
from .plan import Path


def path_of(layout: Layout, name: str, bundle: Bundle, tracing: bool) -> Path:
    """What is static of the synapses of a bundle."""
    first = bundle.members[0]
    delay, longest = delay_of(bundle)
    alone = len(bundle.members) == 1 and layout.devices == 1
    begin = first.pathway.wiring.pre_first + layout.places[first.pathway.wiring.pre].first if alone else 0
    return Path(
        name, bundle.pre, bundle.post, bundle.lanes, begin, delay, longest, _uniform(bundle),
        first.pathway.unit.symbol, first.pathway.frozen, bundle.several,
        "" if tracing or jax.default_backend() != "cpu" else _counts(bundle),
        tuple(node for member in bundle.members for node in nodes_of(member.pathway.wiring, layout)),
        (bundle.across,) if bundle.across else _size_of(first.pathway.wiring, layout),
    )  # fmt: skip


def _size_of(wiring: Wiring, layout: Layout) -> tuple[int, ...]:
    return () if wiring.landing is None else layout.places[wiring.post].size


def _counts(bundle: Bundle) -> str:
    """Where all that arrives in a step is how many spikes, the narrowest whole numbers that hold twice what all synapses of a target
    are: they are emptied, added to and read in a quarter of the time, and a ring of them misses the cache less often."""
    pathways = [member.pathway for member in bundle.members]
    plain = all(not isinstance(path.synapse, Followed) and path.plasticity is None for path in pathways)
    if bundle.several or not plain or not _uniform(bundle):
        return ""
    most = 2 * sum(_indegree(path.wiring) for path in pathways)
    return next((name for name in ("uint8", "uint16") if most <= np.iinfo(name).max), "")


def _indegree(wiring: Wiring) -> int:
    """The most synapses onto one target."""
    if "most" not in wiring.kept:
        targets, counts = wiring.edges.targets, np.zeros(wiring.edges.n_post, np.int64)
        for first in range(0, targets.size, _BLOCK):  # NumPy makes 8 bytes of each
            counts += np.bincount(targets[first : first + _BLOCK], minlength=counts.size)
        wiring.kept["most"] = int(counts.max(initial=0))
    return wiring.kept["most"]


_BLOCK = 1 << 22


def nodes_of(wiring: Any, layout: Layout) -> tuple[int, ...]:
    """The nodes of a target's tree on which synapses land; none on points."""
    if wiring.landing is None:
        return ()
    place = layout.places[wiring.post]
    nodes = place.cell.compartments.tree.position[list(wiring.landing.compartments)]
    return tuple((nodes if place.stand is None else place.stand.rows[nodes].ravel()).tolist())


def target_of(layout: Layout, wiring: Wiring) -> Place:
    """Where the states of a projection's synapses lie: in its target's block, or of places on cells in arrays of their own."""
    place = layout.places[wiring.post]
    return place if wiring.landing is None else place.own


def _uniform(bundle: Bundle) -> bool:
    """Whether weights can be multiplied after delivery: no synapse has its own, and those that share a lane are alike."""
    if any(np.ndim(member.pathway.weight) for member in bundle.members):
        return False
    seen: dict[tuple[str, int], Any] = {}
    if len(bundle.members) == 1:
        return True
    return all(
        seen.setdefault((member.pathway.wiring.post, member.lane), float(member.pathway.weight))
        == float(member.pathway.weight)
        for member in bundle.members
    )


def numbers_of(layout: Layout, bundle: Bundle) -> tuple[Any, Any, Any, Any]:
    """Synapse, plasticity, weight (None where it stands in the rows) and initial state, over all lanes."""
    first = bundle.members[0].pathway
    uniform = _uniform(bundle)
    if len(bundle.members) == 1:
        pre, post = layout.places[first.wiring.pre], target_of(layout, first.wiring)
        synapse, plasticity = _in_block(first.synapse, post), _in_block(first.plasticity, pre)
        if bundle.spread:
            synapse = jax.tree.map(lambda x: x if np.ndim(x) == 0 else x.reshape(1, -1), synapse)
        weight = summable(first) if uniform else None
        return synapse, plasticity, weight, _in_block(first.initial, post, 0.0)
    paths = [member.pathway for member in bundle.members]
    columns = zip(*(jax.tree.leaves(path.synapse) for path in paths), strict=True)
    leaves = [over_lanes(bundle, layout.places, column, np.ravel(column[0])[0]) for column in columns]
    synapse = jax.tree.unflatten(jax.tree.structure(first.synapse), leaves)
    weight = over_lanes(bundle, layout.places, [path.weight for path in paths], 0.0) if uniform else None
    return synapse, None, weight, summed_lanes(bundle, layout.places, [path.initial for path in paths])


def summable(pathway: Pathway, dtype: Any = None) -> Any:
    """The weight, of receptors that are followed on a grid so coarse that all sums onto one target are exact in the precision of a run.

    What is added when a pulse begins is then what is taken away when it ends, and nothing is left over, however long the run. The
    grid is 2^-23 (float64: 2^-52) of what all synapses onto one target weigh together, or up to twice that.
    """
    weight, synapse, edges = pathway.weight, pathway.synapse, pathway.wiring.edges
    if not isinstance(synapse, Followed) or synapse.graded or isinstance(weight, Tracer) or not edges.n:
        return weight
    if np.ndim(weight):
        most = np.bincount(edges.targets, np.abs(np.asarray(weight, float))).max()
    else:
        most = _indegree(pathway.wiring) * abs(float(weight))
    if most == 0:
        return weight
    step = 2.0 ** (np.ceil(np.log2(most)) - np.finfo(dtype or jax.dtypes.canonicalize_dtype(float)).nmant)
    return np.rint(np.asarray(weight, float) / step) * step


def _in_block(numbers: Any, place: Place, elsewhere: float | None = None) -> Any:
    """Numbers of a population as those of its block: arrays over its neurons have any of their own values elsewhere."""
    if place.alone:
        return numbers

    def over(x: Any) -> Any:
        if np.ndim(x) == 0 and (elsewhere is None or x == elsewhere):
            return x
        whole = np.full(math.prod(place.whole), np.ravel(x)[0] if elsewhere is None else elsewhere)
        whole[place.first : place.first + place.n] = np.ravel(x)
        return whole.reshape(place.whole)

    return jax.tree.map(over, numbers)


class Laid(NamedTuple):
    """The edges of a bundle in the order of all its sources: how they lie in rows, or flat from the places `starts` on, and the order
    that brought them there; and how they lie by target with the sources there, of synapses that send at every step."""

    shape: Shape
    starts: Any
    targets: Any
    order: np.ndarray | None
    senders: np.ndarray | None
    turned: Turned | None
    sources: Any
    kept: Any
    """What it was made of: as long as it is kept, no other object has the same identity."""

    def rows(self, weights: Any, inward: Inward | None) -> Rows | Flat:
        """To walk, with weights that were `placed`."""
        if self.starts is None:
            return Rows(self.shape.starts, self.targets, weights, self.senders, inward)
        width = self.shape.width
        once = int(self.shape.counts.max(initial=0)) <= width
        return Flat(self.starts, self.targets, weights, self.senders, inward, width, once)

    def placed(self, values: np.ndarray, filling: Any) -> np.ndarray:
        """One value per synapse, in the order of `shape`, where the synapses lie."""
        if self.starts is None:
            return laid_out(self.shape, values, filling)
        return flat(self.shape.counts, self.shape.width, values)


def rows_for(layout: Layout, path: Path, bundle: Bundle, dtype: Any, *, lanes: bool) -> Rows | Flat:
    """The synapses of a bundle to walk; `lanes` as of the plan."""
    with jax.ensure_compile_time_eval():  # what is known before a trace is worked out before it
        laid = _laid(layout, path, bundle, _lies_flat(path, lanes))
        if path.uniform:
            return laid.rows(None, None if laid.turned is None else Inward(laid.sources, None))
        given = [member.pathway.weight for member in bundle.members]
        if not any(isinstance(weight, Tracer) for weight in given):
            weights, inward = _weights_in_rows(bundle, laid, given, dtype)
            return laid.rows(weights, None if inward is None else Inward(laid.sources, inward))
        (weight,) = given  # under a trace a bundle has one member
        places = laid.placed(np.arange(weight.size, dtype=np.int32), weight.size)
    return laid.rows(jnp.asarray(weight, dtype).at[places].get(mode="fill", fill_value=0), None)


def _weights_in_rows(bundle: Bundle, laid: Laid, given: list[Any], dtype: Any) -> tuple[Array, Array | None]:
    """In rows and by target; kept with the wiring, for the weights that were laid out last."""
    kept = bundle.members[0].pathway.wiring.kept
    key = (*map(id, given), id(laid), str(dtype))
    if kept.get("weights", (None,))[0] != key:
        each = _in_rows(weights_of(bundle, dtype), laid)
        inward = None if laid.turned is None else jnp.asarray(laid.turned.laid_out(each, 0.0))
        kept["weights"] = key, (_as_it_is(laid.placed(each, 0.0)), inward), given, laid
    return kept["weights"][1]


def _as_it_is(x: np.ndarray) -> Array:
    """For JAX, without a copy where its memory suits: nobody writes to it any more."""
    return jax.device_put(x, may_alias=True)


def _in_rows(weights: np.ndarray, laid: Laid) -> np.ndarray:
    return weights if laid.order is None else weights[laid.order]


def weights_of(bundle: Bundle, dtype: Any) -> np.ndarray:
    """One weight for each synapse, member by member."""
    pathways = [member.pathway for member in bundle.members]
    given = [(np.asarray(summable(path), dtype), path.wiring.edges.n) for path in pathways]
    parts = [weight if weight.ndim else np.broadcast_to(weight, (n,)) for weight, n in given]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _laid(layout: Layout, path: Path, bundle: Bundle, flat: bool) -> Laid:
    """Worked out at the first run of these wirings in these places, and kept with the first of them."""
    wirings = tuple(member.pathway.wiring for member in bundle.members)
    ends = tuple((layout.places[wiring.pre], layout.places[wiring.post]) for wiring in wirings)
    lanes = bundle.lanes, tuple(member.lane for member in bundle.members)
    key = tuple(map(id, wirings)), ends, lanes, (path.delay, layout.dt), flat
    kept = wirings[0].kept
    if kept.get("rows", (None,))[0] != key:  # one layout at a time: they are as large as the edges
        kept["rows"] = key, _lay_out(layout, path, bundle, wirings, flat)
    return kept["rows"][1]


def _lay_out(layout: Layout, path: Path, bundle: Bundle, wirings: Any, flat: bool) -> Laid:
    targets = [places_of(layout, path, bundle, member) for member in bundle.members]
    if len(bundle.members) == 1:
        edges, order = bundle.members[0].pathway.wiring.edges, None
        counts, where = edges.counts, targets[0]
        known = path.first == 0 and counts.size == numbers(layout, bundle)
    else:
        sources = np.concatenate([numbered(layout, bundle, member) for member in bundle.members])
        order = np.argsort(sources, kind="stable").astype(np.int32 if sources.size < 2**31 else np.int64)
        counts = np.bincount(sources, minlength=numbers(layout, bundle))
        where, known = np.concatenate(targets)[order], False
    shape = rows_of(counts)
    starts = None
    if flat and room(counts, shape.width) < 2**31:
        starts = np.zeros(counts.size + 1, np.int32)
        np.cumsum(counts, out=starts[1:])
        shape = shape._replace(starts=None, counts=counts)
    senders = None if known else _senders(path, counts, numbers(layout, bundle))
    turned, sources = _by_target(layout, path, bundle, where)
    laid = Laid(shape, starts, None, order, senders, turned, sources, wirings)
    return laid._replace(targets=_as_it_is(laid.placed(where, NOWHERE)))


def _lies_flat(path: Path, lanes: bool) -> bool:
    """With weights of their own, which it halves, synapses lie flat where they are walked; even rows are some percent faster without."""
    return not path.uniform and not lanes


def _by_target(layout: Layout, path: Path, bundle: Bundle, where: np.ndarray) -> tuple[Turned | None, Any]:
    """How synapses that send at every step lie by target, and the numbers of their sources there."""
    (first, *more), n = bundle.members, numbers(layout, bundle)
    synapse = first.pathway.synapse
    if more or path.delay is None or layout.devices > 1 or not (isinstance(synapse, Followed) and synapse.graded):
        return None, None
    turned = by_target(where, bundle.lanes * math.prod(target_of(layout, first.pathway.wiring).whole))
    if turned is None:
        return None, None
    sources = numbered(layout, bundle, first).astype(np.int32)
    return turned, jnp.asarray(turned.laid_out(sources, np.int32(n)))


def places_of(layout: Layout, path: Path, bundle: Bundle, member: Member) -> np.ndarray:
    """The place of each synapse of a member in what its path delivers into: lane by lane, delay by delay."""
    place = target_of(layout, member.pathway.wiring)
    whole = bundle.across or math.prod(place.whole)
    begin = member.lane * whole + place.first
    edges, landing = member.pathway.wiring.edges, member.pathway.wiring.landing
    targets = edges.targets if begin == 0 else edges.targets + np.int32(begin)
    if landing is not None and landing.which is not None:
        targets = targets + landing.which * np.int32(place.n)
    if path.delay is not None:
        return targets
    if (path.longest + 2) * bundle.lanes * whole >= NOWHERE // 2:
        raise ModelError(
            f"the delays of '{member.label}' are up to {path.longest} steps over {whole} neurons, more than a ring holds: take a "
            f"longer dt or shorter delays."
        )
    places = np.asarray(member.pathway.wiring.delay_steps(layout.dt, member.label), np.int32)
    places = places * np.int32(bundle.lanes * whole)
    return np.add(places, targets, out=places) if places.ndim else places + targets


def numbered(layout: Layout, bundle: Bundle, member: Member) -> np.ndarray:
    """The number of each synapse's source: in its block, or where several blocks send words, in these."""
    wiring, place = member.pathway.wiring, layout.places[member.pathway.wiring.pre]
    sources = wiring.edges.sources + np.int32(wiring.pre_first + place.first)
    return sources if len(bundle.pre) == 1 else in_words(layout, bundle, place.block)[sources]


def _senders(path: Path, counts: np.ndarray, n: int) -> np.ndarray | None:
    flags = np.zeros(-(-n // WORD) * WORD, bool)
    flags[path.first : path.first + counts.size] = counts > 0
    return None if flags.all() else words_of(flags)


def words_of(flags: np.ndarray) -> np.ndarray:
    """Flags, whole words of them, packed as spikes are."""
    bits = flags.reshape(-1, WORD).astype(np.uint32)
    return np.bitwise_or.reduce(bits << np.arange(WORD, dtype=np.uint32), axis=1)


def pairs_for(layout: Layout, path: Path, bundle: Bundle) -> Pairs:
    """The synapses of a bundle of one projection, one by one."""
    (member,) = bundle.members
    wiring = member.pathway.wiring
    weight = member.pathway.weight if np.ndim(member.pathway.weight) else None
    targets = places_of(layout, path, bundle, member)
    return Pairs(wiring.edges.sources + np.int32(wiring.pre_first), targets, weight)
