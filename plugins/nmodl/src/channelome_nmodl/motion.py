# pyright: basic
# (states are held by name, in arrays of JAX)
"""How an imported channel moves while V is held, with the ions that its file keeps: exactly where that can be, else by SciPy."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from channelome.errors import ModelError
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Fixed, Ion
from channelome.mechanisms.rules import EXACT

from .seen import Seen, value_of

CELSIUS = 24.0
"""degC of the clamp."""
IONS: Mapping[str, tuple[float, float, float]] = {
    "na": (50.0, 10.0, 140.0), "k": (-77.0, 140.0, 3.5), "ca": (110.0, 3e-4, 2.0), "cl": (-65.0, 8.0, 130.0)
}  # fmt: skip
"""E in mV, C_in and C_out in mM of each species in the clamp; of another as of `OTHER`."""
OTHER = (-30.0, 1.0, 2.0)


class Followed(NamedTuple):
    """Ours: currents of shape (sweeps, times) in uA/cm^2, and what is seen then, (sweeps, times, variables)."""

    currents: np.ndarray
    kept: np.ndarray


def begun_at(pools: tuple[Ion, ...], V: jax.Array) -> dict[str, dict[str, jax.Array]]:
    """The states of each pool where it starts, for each voltage."""
    return {
        pool.species: {name: jnp.broadcast_to(jnp.asarray(x, float), V.shape) for name, x in pool.initial().items()}
        for pool in pools
    }


def _is_lone(channel: Channel) -> bool:
    moving = {*channel.gates}
    lone = not any(moving.intersection(channel._arguments[gate]) for gate in channel.gates)  # pyright: ignore
    return lone and not channel.occupancies and not channel.variables


def surroundings(
    channel: Channel, V: jax.Array, pools: tuple[Ion, ...] = (), states: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What surrounds a channel at voltages: ions as `IONS` has them, or as the states of pools make them."""
    env: dict[str, Any] = {"V": V, "celsius": CELSIUS}
    for species in {*channel.carries, *channel.reads} - {pool.species for pool in pools}:
        E, C_in, C_out = IONS.get(species, OTHER)
        valence = 1 if species not in IONS else None
        ion = Fixed(species=species, valence=valence, E=(E, "mV"), C_in=(C_in, "mM"), C_out=(C_out, "mM"))
        env[species] = ion.view({}, CELSIUS)
    return env | {pool.species: pool.view((states or {})[pool.species], CELSIUS) for pool in pools}


class Motion:
    """How the states of a channel and of pools move while V is held: exactly where no gate depends on what moves, else by SciPy.

    Args:
        names: what is seen beside the current.
        influx: by species what else carries it, in uA/cm^2 for each sweep.
    """

    def __init__(
        self,
        channel: Channel,
        pools: tuple[Ion, ...],
        sweeps: int,
        names: Sequence[Seen] = (),
        influx: Mapping[str, Any] | None = None,
    ) -> None:
        self.channel, self.pools, self.sweeps, self.names, self.influx = channel, pools, sweeps, names, influx or {}
        self.exact = _is_lone(channel) and not pools
        self._slope = jax.jit(self._change)
        self._jacobian = jax.jit(jax.jacfwd(self._change))

    def after(
        self, hold: jax.Array, steps: Sequence[tuple[jax.Array, Sequence[float]]], with_start: bool = False
    ) -> Followed:
        """From rest at `hold`: at the times of each step, counted from where it begins, and at the start if that is asked."""
        begun = begun_at(self.pools, hold)
        now = (self.channel.steady_state(surroundings(self.channel, hold, self.pools, begun)), begun)
        found = [self._seen(now, hold)] if with_start else []
        for V, times in steps:
            moved = self._exactly(now, V, times) if self.exact else self._integrated(now, V, times)
            found += [self._seen(one, V) for one in moved]
            now = moved[-1]
        currents, kept = zip(*found, strict=True)
        return Followed(np.stack(currents, -1), np.stack(kept, 1))

    def _seen(self, now: Any, V: jax.Array) -> tuple[np.ndarray, np.ndarray]:
        """The current of each sweep, and what is seen, of shape (sweeps, variables)."""
        states, ions = now
        env = surroundings(self.channel, V, self.pools, ions)
        rows = [np.broadcast_to(value_of(one, states, ions, env), (self.sweeps,)) for one in self.names]
        kept = np.stack(rows, -1) if rows else np.zeros((self.sweeps, 0))
        return np.broadcast_to(self.channel.current(states, env), (self.sweeps,)), kept

    def _exactly(self, now: Any, V: jax.Array, times: Sequence[float]) -> list[tuple[Any, Any]]:
        env = surroundings(self.channel, V)
        return [(self.channel.relax(now[0], env, t, EXACT), {}) for t in times]

    def _integrated(self, now: Any, V: jax.Array, times: Sequence[float]) -> list[tuple[Any, Any]]:
        whole = {("", name): x for name, x in now[0].items()}
        whole |= {(species, name): x for species, states in now[1].items() for name, x in states.items()}
        self.keys = list(whole)
        own = {*self.channel.variables}
        size = [float(jnp.max(jnp.abs(x))) or 1.0 if key[0] or key[1] in own else 1.0 for key, x in whole.items()]
        unit = np.repeat(size, self.sweeps)
        flat = np.concatenate([np.broadcast_to(np.asarray(x, float), V.shape) for x in whole.values()]) / unit
        done = solve_ivp(
            lambda t, y: np.asarray(self._slope(y, V, unit)), (0.0, times[-1]), flat, "Radau", t_eval=times, rtol=1e-10, atol=1e-18,
            jac=lambda t, y: np.asarray(self._jacobian(y, V, unit)),
        )  # fmt: skip
        if not done.success:
            raise ModelError(f"the states cannot be integrated: {done.message}")
        return [self._parted(y, unit) for y in done.y.T]

    def _parted(self, y: Any, unit: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        known = dict(zip(self.keys, jnp.split(jnp.asarray(y) * unit, len(self.keys)), strict=True))
        species = ("", *(pool.species for pool in self.pools))
        of = {one: {name: x for (where, name), x in known.items() if where == one} for one in species}
        return of.pop(""), of

    def _change(self, y: Any, V: Any, unit: Any) -> Any:
        states, ions = self._parted(y, unit)
        env = surroundings(self.channel, V, self.pools, ions)
        moved = {("", name): x for name, x in self.channel.slope(states, env).items()}
        carried = self.channel.carried(self.channel.current(states, env), states, env)
        for pool in self.pools:
            total = carried.get(pool.species, jnp.zeros_like(V)) + self.influx.get(pool.species, 0.0)
            change = pool.slope(ions[pool.species], total)
            moved |= {(pool.species, name): x for name, x in change.items()}
        return jnp.concatenate([jnp.broadcast_to(moved[key], V.shape) for key in self.keys]) / unit
