"""A cortical microcircuit: eight populations, 64 projections, the sizes and connections of Potjans & Diesmann (2014).

    python docs/examples/microcircuit.py [SCALE]

Four layers of excitatory and inhibitory neurons (doi:10.1093/cercor/bhs358, tables 4 and 5), at a tenth of its 77,169 neurons by
default, every pair connected with its probability. Neurons are conductance-based ones (`PointNeuron_Brette2007`) in place of
integrate-and-fire, with exponential conductances in place of currents, and what comes from outside is a constant current in
proportion to the in-degrees of the paper: weights and currents are our choice.
"""

import sys
import time
from typing import Any

import channelome as ch

NEURONS = {"L23E": 20683, "L23I": 5834, "L4E": 21915, "L4I": 5479, "L5E": 4850, "L5I": 1065, "L6E": 14395, "L6I": 2948}
PROBABILITY = {
    "L23E": (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    "L23I": (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    "L4E": (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    "L4I": (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    "L5E": (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    "L5I": (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    "L6E": (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    "L6I": (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
}
"""By target, from each source in the order of `NEURONS`."""
FROM_OUTSIDE = {
    "L23E": 1600,
    "L23I": 1500,
    "L4E": 2100,
    "L4I": 1900,
    "L5E": 2000,
    "L5I": 1900,
    "L6E": 2900,
    "L6I": 2100,
}
"""In-degree of what comes from outside."""
EXCITATION, INHIBITION = ch.synapse("Expon", tau="2 ms", E="0 mV"), ch.synapse("Expon", tau="8 ms", E="-80 mV")
WEIGHTS = {"E": 1.2, "I": 4.8}
"""In nS; from L4E to L23E twice as much, as in the paper."""
CURRENT = 0.12e-3
"""In nA for each input from outside."""


def microcircuit(scale: float = 0.1, seed: int = 0) -> ch.Network:
    """The network with `scale` times the neurons of the paper, and the same probabilities."""
    parts: dict[str, Any] = {
        name: ch.cell("PointNeuron_Brette2007", size=round(n * scale), V=ch.normal("-65 mV", "5 mV", seed=k))
        for k, (name, n) in enumerate(NEURONS.items())
    }
    for target, probabilities in PROBABILITY.items():
        for source, p in zip(NEURONS, probabilities, strict=True):
            if not p:
                continue
            kind = source[-1]
            weight = WEIGHTS[kind] * (2 if (source, target) == ("L4E", "L23E") else 1)
            parts[f"{source}_{target}"] = ch.Projection(
                source, target, EXCITATION if kind == "E" else INHIBITION, ch.fixed_probability(p),
                weight=(weight, "nS"), delay="1.5 ms" if kind == "E" else "0.8 ms",
            )  # fmt: skip
    return ch.Network(seed=seed, **parts)


def stimulus() -> dict[str, Any]:
    """What comes from outside, by population."""
    return {name: ch.step((CURRENT * k, "nA")) for name, k in FROM_OUTSIDE.items()}


def main(scale: float) -> None:
    began = time.perf_counter()
    net = microcircuit(scale)
    built = time.perf_counter() - began
    synapses = sum(path.wiring.edges.n for path in net.projections.values())
    print(f"{net.size:,} neurons, {synapses:,} synapses, built in {built:.2f} s")
    for number in ("first", "second"):
        began = time.perf_counter()
        run = ch.simulate(net, "200 ms", dt="0.1 ms", stimulus=stimulus(), progress=False)
        print(f"{number} run of 200 ms: {time.perf_counter() - began:.2f} s")
    for name in NEURONS:
        print(f"  {name}: {run.rates(name).mean():.1f} Hz")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.1)
