# pyright: basic
# (formulas are evaluated in NumPy and JAX alike)
"""An imported channel beside the same file compiled by NEURON: currents under voltage clamp, from rest and after jumps."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from channelome.errors import ModelError
from channelome.mechanisms.channels import Channel
from channelome.mechanisms.ions import Fixed
from channelome.mechanisms.rules import EXACT

from .gates import as_gate
from .load import Imported

HOLD, PULSES, TIMES = -81.3, (-101.7, -62.1, -41.3, -19.7, 1.1, 31.9), (0.05, 0.3, 1.0, 4.0, 20.0, 100.0)
"""mV, mV, ms: odd numbers, so that no file's guard of a singular point is hit."""
REST = tuple(-97.3 + 13.1 * i for i in range(11))
CELSIUS = 24.0
IONS: Mapping[str, tuple[float, float, float]] = {
    "na": (50.0, 10.0, 140.0), "k": (-77.0, 140.0, 3.5), "ca": (110.0, 3e-4, 2.0), "cl": (-65.0, 8.0, 130.0)
}  # fmt: skip
"""E in mV, C_in and C_out in mM of each species in the clamp; of another as of `OTHER`."""
OTHER = (-30.0, 1.0, 2.0)
PATIENCE = 60
"""Seconds that NEURON may take for one file."""


class Comparison(NamedTuple):
    """What came out.

    Attributes:
        difference: largest difference of the currents after jumps, in uA/cm^2.
        largest: largest current, in uA/cm^2.
        at_rest: largest difference of the currents that NEURON starts from.
        worst: pulse in mV and time in ms of the largest difference.
        version: NEURON's.
    """

    difference: float
    largest: float
    at_rest: float
    worst: tuple[float, float]
    version: str

    @property
    def relative(self) -> float:
        return self.difference / self.largest if self.largest > 0 else self.difference

    def __str__(self) -> str:
        V, t = self.worst
        return (
            f"NEURON {self.version}: {self.difference:.2g} uA/cm^2 at most, {self.relative:.1e} of the largest current "
            f"({self.largest:.3g} uA/cm^2), {t:g} ms after a jump to {V:g} mV"
        )


def compare(imported: Imported, path: Path, python: str = sys.executable) -> Comparison:
    """Compile the file with NEURON, and compare.

    Args:
        python: an interpreter that has NEURON; nrnivmodl is looked for beside it.

    Raises:
        ModelError: where NEURON is not there, or cannot compile the file.
    """
    with tempfile.TemporaryDirectory(prefix="channelome-nmodl-") as folder:
        library = compiled(path, Path(folder), python)
        job = job_of(imported, str(library), imported.plan.meaning.name)
        (answer,) = ask([job], python)
        if "error" in answer:
            raise ModelError(f"NEURON cannot run {path.name}: {answer['error']}")
        return judged(imported, answer)


def compiled(path: Path, folder: Path, python: str) -> Path:
    """The library that nrnivmodl makes of a file and what lies beside it to be included."""
    found = Path(python).absolute().with_name("nrnivmodl")
    tool = str(found) if found.is_file() else shutil.which("nrnivmodl")
    if tool is None:
        raise ModelError(
            "NEURON is not installed: `pip install neuron` brings nrnivmodl, with which --compare compiles."
        )
    (folder / "mod").mkdir()
    shutil.copy(path, folder / "mod" / path.name)
    for inc in path.parent.glob("*.inc"):
        shutil.copy(inc, folder / "mod" / inc.name)
    done = subprocess.run([tool, "mod"], cwd=folder, text=True, capture_output=True)
    made = [*folder.glob("*/libnrnmech.*"), *folder.glob("*/.libs/libnrnmech.*")]
    if done.returncode or not made:
        last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-3:]
        raise ModelError(f"NEURON cannot compile {path.name}: {' | '.join(last)[:300]}")
    return made[0]


def ask(jobs: list[dict[str, Any]], python: str) -> list[dict[str, Any]]:
    """Answers of `worker.py` to jobs."""
    script = Path(__file__).with_name("worker.py")
    try:
        done = subprocess.run(
            [python, str(script)], input=json.dumps(jobs), text=True, capture_output=True, timeout=PATIENCE * len(jobs)
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"NEURON is not done after {PATIENCE * len(jobs)} s.") from None
    text = done.stdout[done.stdout.find("[{") :]
    if done.returncode or not text:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(f"NEURON failed: {last[:300]}")
    return json.loads(text)


def job_of(imported: Imported, library: str, mechanism: str) -> dict[str, Any]:
    """What NEURON is asked."""
    file = imported.plan.meaning.file
    ions: dict[str, dict[str, float]] = {}
    for ion in file.ions:
        E, C_in, C_out = IONS.get(ion.species, OTHER)
        ions[ion.species] = {f"e{ion.species}": E, f"{ion.species}i": C_in, f"{ion.species}o": C_out}
    own = [f"{name}_{mechanism}" for name in file.lists.get("NONSPECIFIC_CURRENT", ())]
    carried = [name for ion in file.ions for name in ion.writes if name == f"i{ion.species}"]
    return {
        "library": library, "mechanism": mechanism, "celsius": CELSIUS, "ions": ions, "currents": [*carried, *own],
        "hold": HOLD, "pulses": PULSES, "times": TIMES, "rest": REST, "exact": is_exact(imported),
    }  # fmt: skip


def is_exact(imported: Imported) -> bool:
    """Whether the method that the file asks for is exact while V is held: hand-written updates, and cnexp of lone gates."""
    plan = imported.plan
    if any(routine.kind == "PROCEDURE" for routine in _solved(plan.meaning.file, plan.meaning.methods)):
        return True
    rates = plan.meaning.rates
    lone = not any(rate.symbols & (set(rates) - {name}) or as_gate(rate, name) is None for name, rate in rates.items())
    return lone and not plan.meaning.arrows and all(method == "cnexp" for method in plan.meaning.methods.values())


def _solved(file: Any, methods: Mapping[str, str]) -> list[Any]:
    return [file.routines[name] for name in methods if name in file.routines]


def judged(imported: Imported, answer: Mapping[str, Any]) -> Comparison:
    """Our currents beside NEURON's."""
    with jax.enable_x64(True):
        rows, rest = currents(imported.cls())
    theirs, started = np.asarray(answer["rows"]), np.asarray(answer["rest"])
    if not np.all(np.isfinite(theirs)):
        raise ModelError("NEURON's own current is not a number.")
    off = np.abs(rows - theirs)
    off = np.where(np.isfinite(off), off, np.inf)
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    at_rest = float(np.max(np.abs(rest - started)))
    largest = float(np.max(np.abs(theirs)))
    return Comparison(float(off.max()), largest, at_rest, (PULSES[i], TIMES[j]), str(answer["version"]))


def currents(channel: Channel) -> tuple[np.ndarray, np.ndarray]:
    """Our currents after the jumps, of shape (pulses, times), and at rest at `REST`: integrated by SciPy where no gate is exact."""
    env = _surroundings(channel, jnp.asarray(PULSES))
    held = {**env, "V": jnp.full(len(PULSES), HOLD)}
    channel = channel.at(CELSIUS)
    start = channel.steady_state(held)
    if _is_lone(channel):
        rows = [channel.current(channel.relax(start, env, t, EXACT), env) for t in TIMES]
    else:
        rows = [channel.current(states, env) for states in _integrated(channel, start, env)]
    resting = _surroundings(channel, jnp.asarray(REST))
    rest = channel.current(channel.steady_state(resting), resting)
    shape = (len(PULSES),)
    return np.stack([np.broadcast_to(row, shape) for row in rows], -1), np.broadcast_to(np.asarray(rest), (len(REST),))


def _is_lone(channel: Channel) -> bool:
    moving = {*channel.gates}
    lone = not any(moving.intersection(channel._arguments[gate]) for gate in channel.gates)  # pyright: ignore
    return lone and not channel.occupancies and not channel.variables


def _surroundings(channel: Channel, V: jax.Array) -> dict[str, Any]:
    env: dict[str, Any] = {"V": V, "celsius": CELSIUS}
    for species in {*channel.carries, *channel.reads}:
        E, C_in, C_out = IONS.get(species, OTHER)
        ion = Fixed(
            species=species,
            valence=1 if species not in IONS else None,
            E=(E, "mV"),
            C_in=(C_in, "mM"),
            C_out=(C_out, "mM"),
        )
        env[species] = ion.view({}, CELSIUS)
    return env


def _integrated(channel: Channel, start: Mapping[str, Any], env: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = list(start)
    shape = jnp.shape(env["V"])
    flat = np.concatenate([np.broadcast_to(np.asarray(start[name], float), shape) for name in names])

    @jax.jit
    def slope(y: Any) -> Any:
        states = dict(zip(names, jnp.split(y, len(names)), strict=True))
        moved = channel.slope(states, env)
        return jnp.concatenate([jnp.broadcast_to(moved[name], shape) for name in names])

    jacobian = jax.jit(jax.jacfwd(slope))
    done = solve_ivp(
        lambda t, y: np.asarray(slope(y)), (0.0, TIMES[-1]), flat, "Radau", t_eval=TIMES, rtol=1e-10, atol=1e-18,
        jac=lambda t, y: np.asarray(jacobian(y)),
    )  # fmt: skip
    if not done.success:
        raise ModelError(f"the states cannot be integrated: {done.message}")
    return [
        {name: jnp.asarray(part) for name, part in zip(names, np.split(y, len(names)), strict=True)} for y in done.y.T
    ]
