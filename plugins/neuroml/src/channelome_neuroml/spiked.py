# pyright: basic
# (states are held by name, in arrays of JAX)
"""An imported synapse beside jLEMS: its current at held voltages while spikes arrive.

jLEMS takes explicit Euler steps, and a synapse here goes from spike to spike at once. So jLEMS is asked at steps that are halved each time, and what the two
are compared by is the limit of steps of no length.
"""

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from channelome.errors import ModelError

from .document import Document, Texts
from .jlems import run
from .judged import TOLERANCE, Comparison
from .load import Imported

SPIKES, TIMES, LENGTH = (1.0, 4.0, 6.0, 25.0), (1.4, 3.0, 5.0, 8.0, 15.0, 24.0, 30.0, 50.0), 51.0
"""When spikes arrive, and when the current is looked at, in ms: in whole steps of each length."""
STEPS = (0.02, 0.01, 0.005, 0.0025)
"""ms."""
VOLTAGES, WEIGHT = (-81.3, -31.7, 12.1), 1.7
"""mV; that of the connection."""
_TYPES = """
<ComponentType name="pinnedCell" extends="baseCellMembPot">
  <Parameter name="hold" dimension="voltage"/>
  <Attachments name="synapses" type="basePointCurrent"/>
  <Exposure name="arrives" dimension="current"/>
  <Dynamics>
    <StateVariable name="v" exposure="v" dimension="voltage"/>
    <DerivedVariable name="arrives" exposure="arrives" dimension="current" select="synapses[*]/i" reduce="add"/>
    <OnStart><StateAssignment variable="v" value="hold"/></OnStart>
  </Dynamics>
</ComponentType>
"""


def ask(texts: Texts, id: str, python: str) -> tuple[np.ndarray, str]:
    """nA inward at `TIMES` and `VOLTAGES` by jLEMS, of steps of no length, and jNeuroML's version.

    Raises:
        ModelError: where jLEMS is not there, cannot run the file, or takes steps that are too long for it.
    """
    found, version = list[np.ndarray](), ""
    for step in STEPS:
        rows, version = run(texts, _bench(id), [f"p{i}[0]/arrives" for i in range(len(VOLTAGES))], python, step, LENGTH)
        found.append(1e9 * rows[[round(time / step) for time in TIMES]])
    limits = limit(found), limit(found[1:])
    left, largest = (float(np.max(np.abs(one))) for one in (limits[1] - limits[0], limits[0]))
    if not left <= 10 * TOLERANCE * largest:
        raise ModelError(
            f"jLEMS, at steps down to {STEPS[-1]} ms, leaves an error of some {left / largest if largest else left:.0e} of the largest current: they are too long for it."
        )
    return limits[0], version


def _bench(id: str) -> str:
    early = 0.4 * STEPS[-1]  # a spike is sent in the first step that begins when it is time, whatever rounding says
    spikes = "".join(f'<spike id="{i}" time="{time - early!r} ms"/>' for i, time in enumerate(SPIKES))
    cells = "".join(f'<pinnedCell id="h{i}" hold="{V} mV"/>' for i, V in enumerate(VOLTAGES))
    held = "".join(
        f'<population id="p{i}" component="h{i}" size="1"/><synapticConnectionWD from="sent[0]" to="p{i}[0]" synapse="{id}" destination="synapses" '
        f'weight="{WEIGHT}" delay="0 ms"/>'
        for i in range(len(VOLTAGES))
    )
    return f'{_TYPES}<spikeArray id="train">{spikes}</spikeArray>{cells}<network id="all"><population id="sent" component="train" size="1"/>{held}</network>'


def limit(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The limit of steps of no length, from those of a length halved each time: an error that is a power series in it."""
    for order in range(1, len(tables)):
        tables = [b + (b - a) / (2**order - 1) for a, b in itertools.pairwise(tables)]
    return tables[0]


def compare(document: Document, parts: Sequence[Imported], python: str) -> Comparison:
    """Ask jLEMS about a synapse of a document, and compare.

    Args:
        parts: the class of the synapse, and that of its plasticity if it has one.

    Raises:
        ModelError: where jNeuroML or Java is not there, or cannot run the file.
    """
    name = parts[0].plan.meaning.name
    (element,) = [one for one in document.components[name] if one.place == parts[0].plan.meaning.place]
    gbase = document.measures.of(element.need("gbase"), "conductance", element.place, "gbase").value
    return judged(parts, gbase, *ask(document.texts, name, python))


def judged(parts: Sequence[Imported], gbase: float, theirs: np.ndarray, version: str) -> Comparison:
    """Our currents beside those of jLEMS, of shape (times, voltages), in nA.

    Args:
        gbase: uS, which is not in the class.
    """
    with jax.enable_x64(True):
        ours = gbase * followed(parts)
    return Comparison.of(ours, theirs, "nA", version, lambda i, j: f"at {TIMES[i]:g} ms and {VOLTAGES[j]:g} mV")


def followed(parts: Sequence[Imported]) -> np.ndarray:
    """Our currents, inward positive, of a gbase of 1, of shape (times, voltages)."""
    synapse, *more = [one.cls() for one in parts]
    s = synapse.initial((), float)
    source = more[0].initial((), float) if more else {}
    found, t = list[list[float]](), 0.0
    for time, is_spike in sorted([(one, True) for one in SPIKES] + [(one, False) for one in TIMES]):
        s, sent = synapse.flow(s, time - t), jnp.asarray(1.0)
        if more:
            source = more[0].flow(source, time - t)
        if is_spike:
            if more:
                source, sent = more[0].release(source, jnp.asarray(1.0))
            s = synapse.receive(s, WEIGHT * sent)
        else:
            found.append([float(synapse.conductance(s, jnp.asarray(V)) * (synapse.E - V)) for V in VOLTAGES])
        t = time
    return np.asarray(found)
