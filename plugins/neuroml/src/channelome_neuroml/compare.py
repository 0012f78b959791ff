# pyright: basic
# (states are held by name, in arrays of JAX)
"""An imported channel beside jLEMS: how far it is open under jumps of the voltage, from before and to after, a ramp and a spike.

jLEMS takes explicit Euler steps, of kinetic schemes exact ones while V is held, which begin in their first state. So does this, of the rates of change of the
class, at the voltages that jLEMS wrote down: what is left is what the two make of the file.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm

from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Fixed
from channelome.mechanisms.rules import EXACT

from .document import Document
from .gates import STATES
from .jlems import CALCIUM, CELSIUS, OUTSIDE, Answer, Command, ask
from .judged import Comparison
from .load import Imported

_PULSES, _TEST = (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), 2.3
COMMANDS = (
    *(Command(f"a jump from -81.3 mV to {pulse:g} mV", -81.3, pulse, _TEST) for pulse in _PULSES),
    Command("a ramp from -91.3 mV to 38.7 mV", -91.3, -91.3, -91.3, ramp=130.0),
    Command("an action potential", -71.3, -71.3, -71.3, spike=100.0),
)
"""Odd numbers, so that no file's guard of a singular point is hit."""
BEGIN, STEP, SPANS = 1.005, 0.01, (20.0, 25.0)
"""ms; commands change between two steps, so that rounding of the time has no say."""
_E = -150.0


def compare(document: Document, one: Imported, python: str) -> Comparison:
    """Ask jLEMS about a channel of a document, and compare.

    Args:
        python: an interpreter that has pyNeuroML.

    Raises:
        ModelError: where jNeuroML or Java is not there, or cannot run the file.
    """
    return judged(
        one.cls, ask(document.texts, one.plan.meaning.name, COMMANDS, python, BEGIN, STEP, SPANS), starts(document, one)
    )


def starts(document: Document, one: Imported) -> dict[str, float]:
    """What jLEMS starts the states of kinetic schemes with, by name, of which one of two states is a gate here."""
    (element,) = [
        found for found in document.components[one.plan.meaning.name] if found.place == one.plan.meaning.place
    ]
    found = dict[str, float]()
    for gate in element.children:
        if "gateKS" not in document.lineage(document.kind(gate)):
            continue
        first = next(child for child in gate.children if child.tag in STATES)
        if gate.id in one.plan.symbols:
            found[one.plan.symbols[gate.id]] = float(
                first.tag == "openState" or first.get("relativeConductance") == "1"
            )
        else:
            names = one.plan.symbols
            begun = names[first.id] if first.id in names else names[f"{gate.id}_{first.id}"]
            found |= {name: float(name == begun) for name in one.cls.occupancies}
    return found


def judged(cls: type[Channel], answer: Answer, starts: Mapping[str, float]) -> Comparison:
    """What the class makes of jLEMS' voltages beside what jLEMS does.

    Args:
        starts: of the states that jLEMS steps exactly.
    """
    V = np.concatenate([answer.V[:1], answer.V])[
        :-1
    ]  # what jLEMS writes of a channel is two rows behind V, and one behind the state
    with jax.enable_x64(True):
        ours = opened(cls, V, starts)[:-1]
    theirs = answer.opened[1:]

    def where(row: int, column: int) -> str:
        return f"{(row + 1) * STEP:.4g} ms on {COMMANDS[column].name}"

    return Comparison.of(ours, theirs, "of all channels", answer.version, where)


def opened(cls: type[Channel], V: np.ndarray, starts: Mapping[str, float]) -> np.ndarray:
    """How far a class is open at each row of voltages in mV, of shape (rows, commands), by steps as jLEMS takes them."""
    given: dict[str, Any] = {"g_max": "1 mS/cm^2"} | ({"E": (_E, "mV")} if "E" in cls.parameters else {})
    channel = cls(**given).at(CELSIUS)
    names = list(cls.occupancies)
    gates = [name for name in starts if name not in names]

    def step(states: Any, row: Any) -> Any:
        V, moves = row
        env = _surroundings(channel, V)
        moved = {
            name: x + STEP * change
            for (name, x), change in zip(states.items(), _slopes(channel, states, env), strict=True)
        }
        if gates:
            relaxed = channel.relax(states, env, STEP, EXACT)
            moved |= {name: relaxed[name] for name in gates}
        if names:
            now = jnp.stack([states[name] for name in names], -1)
            moved |= dict(zip(names, jnp.moveaxis(jnp.einsum("cij,cj->ci", moves, now), -1, 0), strict=True))
        return moved, channel.current(states, env) / (V - _E)

    start = channel.steady_state(_surroundings(channel, jnp.asarray(V[0])))
    start |= {name: jnp.full_like(start[name], value) for name, value in starts.items()}
    rows = (jnp.asarray(V), jnp.asarray(_moves(channel, V)) if names else jnp.zeros(len(V)))
    return np.asarray(jax.jit(lambda start, rows: jax.lax.scan(step, start, rows)[1])(start, rows))


def _slopes(channel: Channel, states: Any, env: Any) -> list[Any]:
    slope = channel.slope(states, env)
    return [slope[name] for name in states]


def _moves(channel: Any, V: np.ndarray) -> np.ndarray:
    """What a step does to the occupancies at each voltage: the exponential of the scheme's matrix, of shape (*V, states, states)."""
    names, (each, back) = list(channel.occupancies), np.unique(V, return_inverse=True)
    matrix = np.zeros((len(each), len(names), len(names)))
    for (a, b), rate in channel._scheme(_surroundings(channel, jnp.asarray(each))).transitions.items():
        i, j = names.index(a), names.index(b)
        matrix[:, i, i] -= rate
        matrix[:, j, i] += rate
    return expm(STEP * matrix)[back].reshape(*V.shape, len(names), len(names))


def _surroundings(channel: Channel, V: Any) -> dict[str, Any]:
    env: dict[str, Any] = {"V": V, "celsius": CELSIUS}
    for species in {*channel.carries, *channel.reads}:
        C_in, C_out = (CALCIUM, OUTSIDE) if species == "ca" else (1.0, 1.0)
        env[species] = Fixed(species=species, E=(_E, "mV"), C_in=(C_in, "mM"), C_out=(C_out, "mM")).view({}, CELSIUS)
    return env
