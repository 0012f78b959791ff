"""The COBAHH network in NumPy, from its equations (Brette et al. 2007; Traub & Miles 1991): nothing of channelome is used here.

Exponential Euler in the order that channelome documents: gates and V go one step from the old V and gates, with the synaptic
conductances of the old time; a neuron spikes where V crosses the threshold upward; conductances decay one step; then what spiked
is added to its targets.
"""

import numpy as np

C, G_NA, G_K, G_L = 1.0, 100.0, 30.0, 0.05  # uF/cm^2, mS/cm^2
E_NA, E_K, E_L, V_SH, V_TH = 50.0, -90.0, -60.0, -63.0, -20.0  # mV
TAU, E_SYN = {"exc": 5.0, "inh": 10.0}, {"exc": 0.0, "inh": -80.0}
TO_DENSITY = 1e-6 / (20000e-8)  # nS on 20,000 um^2 in mS/cm^2


def rates(V):
    v = V - V_SH
    m = 0.32 * (13 - v) / np.expm1((13 - v) / 4), 0.28 * (v - 40) / np.expm1((v - 40) / 5)
    h = 0.128 * np.exp((17 - v) / 18), 4 / (1 + np.exp((40 - v) / 5))
    n = 0.032 * (15 - v) / np.expm1((15 - v) / 5), 0.5 * np.exp((10 - v) / 40)
    return m, h, n


def run(V, g, sources, targets, weights, dt, steps):
    """Spikes as pairs of step and neuron, and V after the last step.

    Args:
        V: in mV at t = 0; the gates start at their steady state.
        g: conductances in nS by projection, over neurons.
        sources, targets: of each synapse, by projection.
        weights: in nS, by projection.
    """
    V, g = V.copy(), {label: x.copy() for label, x in g.items()}
    gates = [alpha / (alpha + beta) for alpha, beta in rates(V)]
    found = []
    for step in range(steps):
        m, h, n = gates
        conductances = [G_NA * m**3 * h, G_K * n**4, np.full_like(V, G_L), *(TO_DENSITY * g[label] for label in g)]
        total = sum(conductances)
        rest = (
            sum(x * E for x, E in zip(conductances, (E_NA, E_K, E_L, *(E_SYN[label] for label in g)), strict=True))
            / total
        )
        after = []
        for x, (alpha, beta) in zip(gates, rates(V), strict=True):
            end = alpha / (alpha + beta)
            after.append(end + (x - end) * np.exp(-dt * (alpha + beta)))
        new = rest + (V - rest) * np.exp(-dt * total / C)
        spiked = (V < V_TH) & (new >= V_TH)
        V, gates = new, after
        for label in g:
            g[label] *= np.exp(-dt / TAU[label])
            sends = spiked[sources[label]]
            np.add.at(g[label], targets[label][sends], weights[label])
        found += [(step, int(neuron)) for neuron in np.flatnonzero(spiked)]
    return found, V
