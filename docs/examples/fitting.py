"""Ten conductances of a reconstructed cell fitted to its own traces, from 32 starts at once.

    python fitting.py [--steps 400] [--starts 32] [--out fitting.png]

The target is a run of the pyramidal cell of the package with known conductances, recorded at the soma and at three places along the
dendrites. The starts are a population that shares the morphology: one run, one gradient, for all of them. Needs optax.
"""

import argparse
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

import channelome as ch

TRUE = {
    "INa": {"soma | axon": 120.0, "dend": 20.0, "apical": 40.0},
    "IK": {"soma | axon": 36.0, "dend": 8.0, "apical": 12.0},
    "IL": {"soma | axon": 0.3, "dend": 0.2, "apical": 0.1},
    "Ih": {"apical": 0.2},
}
"""Maximal conductances by region, mS/cm^2."""
NAMES = [(label, region) for label, regions in TRUE.items() for region in regions]
PLACES = ["soma", "dend[3](0.8)", "apical[0](0.5)", "apical[20](0.9)"]
CHANNELS = {
    "INa": "INa_HH1952",
    "IK": "IK_HH1952",
    "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-60 mV"),
    "Ih": "Ih_HM1992",
}
DURATION, DT = "25 ms", "0.05 ms"
STIMULUS = [
    ch.at("soma", ch.step("1.5 nA", start="2 ms", stop="8 ms")),
    ch.at("apical[20](0.9)", ch.step("-0.12 nA", start="12 ms", stop="20 ms")),
    ch.at("dend[3](0.8)", ch.step("-0.1 nA", start="14 ms", stop="22 ms")),
]
CUT = ch.Morphology.example().discretise(ch.max_length("100 um"))


def cells(g: Any) -> ch.MultiCompartment:
    """A population with the conductances `g`, of shape (cells, 10)."""
    columns = {name: (g[:, k : k + 1], "mS/cm^2") for k, name in enumerate(NAMES)}
    parts: dict[str, Any] = {}
    for label, region in NAMES:  # a label of its own for each region, so that each has one number by cell
        own = f"{label}_{region.split()[0]}"
        parts[own] = ch.on(region, CHANNELS[label], g_max=columns[label, region])
    ions = "SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV")
    return ch.MultiCompartment(CUT, *ions, **parts, celsius=20, size=len(g), V="-63 mV")


def voltages(g: Any) -> Any:
    """V at the places, of shape (samples, cells, places)."""
    run = ch.simulate(cells(g), DURATION, dt=DT, stimulus=STIMULUS, record=[f"{place}.V" for place in PLACES], every=2)
    return jnp.stack([run[f"{place}.V"] for place in PLACES], axis=-1)


def fit(starts: int, steps: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Any]:
    """Conductances over the true ones at the end, of shape (starts, 10), the errors on the way, and the target."""
    true = jnp.asarray([[TRUE[label][region] for label, region in NAMES]])
    target = jax.jit(voltages)(true)
    rng = np.random.default_rng(seed)
    p = jnp.asarray(rng.uniform(np.log(0.5), np.log(2), (starts, len(NAMES))), true.dtype)

    def errors(p: Any) -> Any:
        return jnp.mean((voltages(true * jnp.exp(p)) - target) ** 2, axis=(0, 2))  # mV^2, of each start

    optimiser = optax.adam(optax.cosine_decay_schedule(0.05, steps, 0.01))

    @jax.jit
    def step(p: Any, state: Any) -> Any:
        def total(p: Any) -> Any:
            each = errors(p)
            return jnp.sum(
                jnp.log(each + 1e-8)
            ), each  # each start as it would go alone, however large the others' errors

        (_, each), slope = jax.value_and_grad(total, has_aux=True)(p)
        change, state = optimiser.update(slope, state)
        return optax.apply_updates(p, change), state, each

    state, way = optimiser.init(p), []
    for _ in range(steps):
        p, state, each = step(p, state)
        way.append(np.asarray(each))
    return np.exp(np.asarray(p)), np.array(way), target


def draw(share: np.ndarray, way: np.ndarray, target: Any, file: str) -> None:
    """Errors on the way, conductances at the end, the target."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    left.semilogy(np.sqrt(way), lw=0.8, alpha=0.7)
    left.set(xlabel="step", ylabel="RMS of V (mV)", title=f"{len(share)} starts at once")
    best = way[-1] < 1e-2
    middle.plot(share.T, "o", ms=3, color="0.7")
    middle.plot(share[best].T, "o", ms=4, color="C0")
    middle.set_xticks(
        range(len(NAMES)), [f"{label} {region.split()[0]}" for label, region in NAMES], rotation=60, ha="right"
    )
    middle.set(ylabel="found / true", title=f"{best.sum()} of them arrived")
    t = np.arange(len(target)) * 0.1
    for k, place in enumerate(PLACES):
        right.plot(t, target[:, 0, k], label=place)
    right.set(xlabel="t (ms)", ylabel="V (mV)", title="the target")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=130)


def main() -> None:
    """Fit, say how near the conductances came, and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--starts", type=int, default=32)
    parser.add_argument("--out", default="fitting.png")
    options = parser.parse_args()
    share, way, target = fit(options.starts, options.steps)
    best = np.argsort(way[-1])[:5]
    print(f"RMS of V: {np.sqrt(np.median(way[0])):.3g} mV at the start, {np.sqrt(way[-1][best[0]]):.2g} mV at best")
    for start in best:
        print(
            f"start {start}: RMS {np.sqrt(way[-1][start]):.2g} mV, conductances within {np.abs(share[start] - 1).max():.2%}"
        )
    draw(share, way, target, options.out)


if __name__ == "__main__":
    main()
