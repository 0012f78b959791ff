"""Whether a device computes what a processor does: the same models in float64 and float32, on both.

The processor's results are computed in a process of their own: channelome chooses other ways for accelerators (spikes in blocks, trees in
rounds), and a process that has both would take the same on both.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cable
import channelome_cell
import jax
import jax.numpy as jnp
import networks
import numpy as np

import channelome as ch

if TYPE_CHECKING:
    from device_parts import Row, Settings

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
"""Largest difference over the largest value: float64 of float64; float32 of the processor's float64, where rounding grows at the flank
of a spike."""
DT = "0.025 ms"


def axons() -> Any:
    """V of sixteen squid axons, from rest into firing."""
    parts = {"INa": "INa_HH1952", "IK": "IK_HH1952", "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")}
    cells = ch.SingleCompartment(16, "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"), celsius=6.3, **parts)
    stimulus = ch.step((np.linspace(0, 15, 16), "uA/cm^2"), start="1 ms")
    return ch.simulate(cells, "10 ms", dt=DT, stimulus=stimulus, record="V", progress=False)["V"]


def points() -> Any:
    """V of TM1991 neurons."""
    return ch.simulate(channelome_cell.cell(64), "10 ms", dt=DT, stimulus="2 uA/cm^2", record="V", progress=False)["V"]


def network() -> Any:
    """V of COBAHH while the first spikes arrive; later, rounding decides who spikes."""
    return ch.simulate(networks.network(400), "5 ms", dt="0.1 ms", record="cells.V", progress=False)["cells.V"]


def tree() -> Any:
    """V of two reconstructed cells, everywhere."""
    stimulus = ch.at("soma", ch.step("1 nA", start="1 ms"))
    return ch.simulate(cable.cell(cable.COARSE, size=2), "5 ms", dt=DT, stimulus=stimulus, record="V", progress=False)[
        "V"
    ]


def _slope(model: Any, stimulus: Any, record: str, duration: str) -> Any:
    def loss(g: Any) -> Any:
        own = {"INa.g_max": (g[0], "mS/cm^2"), "IK.g_max": (g[1], "mS/cm^2"), "IL.g_max": (g[2], "mS/cm^2")}
        run = ch.simulate(model.replace(**own), duration, dt=DT, stimulus=stimulus, record=record)
        return jnp.mean((run[record] + 60) ** 2)

    g = jnp.asarray([120.0, 36.0, 0.3])
    return jax.jit(jax.grad(loss))(g) * g


def slope_of_tree() -> Any:
    """The gradient of a reconstructed cell by three conductances, relative."""
    return _slope(cable.cell(cable.COARSE), ch.at("soma", ch.step("1 nA", start="1 ms")), "soma.V", "3 ms")


def slope_of_network() -> Any:
    """The gradient of COBAHH by a conductance: over all its synapses."""
    net = networks.network(200)

    def loss(scale: Any) -> Any:
        run = ch.simulate(
            net.replace(**{"cells.INa.g_max": (100 * scale, "mS/cm^2")}), "2 ms", dt="0.1 ms", record="cells.V"
        )
        return jnp.mean(run["cells.V"] ** 2)

    return jax.jit(jax.grad(loss))(jnp.asarray(1.0))


CASES: dict[str, Callable[[], Any]] = {
    "squid axons": axons,
    "TM1991 neurons": points,
    "COBAHH": network,
    "a reconstructed cell": tree,
    "its gradient": slope_of_tree,
    "the gradient of COBAHH": slope_of_network,
}


DRY = ("COBAHH", "a reconstructed cell")
"""Those of a dry run: what accelerators compute in other ways."""


def results(dry: bool) -> Iterator[tuple[str, str, np.ndarray]]:
    """Case, precision and what came out."""
    cases = {name: case for name, case in CASES.items() if not dry or name in DRY}
    for precision in TOLERANCE:
        with jax.enable_x64(precision == "float64"):
            for name, case in cases.items():
                yield name, precision, np.asarray(case(), np.float64)


def reference(settings: "Settings") -> Iterator["Row"]:
    """The processor's results, into a file that is there when it is whole."""
    begin, file = time.perf_counter(), Path(settings.reference)
    found = {f"{name}, {precision}": x for name, precision, x in results(settings.dry)}
    partial = file.with_suffix(".part.npz")
    np.savez(partial, **found)  # pyright: ignore[reportArgumentType]
    partial.rename(file)
    yield {"what": "computed what the device is compared with", "value": time.perf_counter() - begin, "unit": "s"}


def agreement(settings: "Settings") -> Iterator["Row"]:
    """The largest difference from the processor's float64 over the largest value of each case, beside the processor's own in float32."""
    file = Path(settings.reference)
    while not file.exists():  # the part's time is bounded by who started it
        time.sleep(0.2)
    there = np.load(file)
    for name, precision, x in results(settings.dry):
        right = there[f"{name}, float64"]
        scale = np.abs(right).max()
        off = (
            float(np.abs(x - right).max() / scale) if np.isfinite(x).all() and x.shape == right.shape else float("inf")
        )
        core = float(np.abs(there[f"{name}, {precision}"] - right).max() / scale)
        yield {
            "what": f"{name}, {precision}", "value": off, "unit": "relative", "core": core, "tolerance": TOLERANCE[precision],
            "failed": [] if off <= TOLERANCE[precision] else [f"{name}, {precision}: differs by {off:.2g}"],
        }  # fmt: skip
