"""Networks kept going by Poisson drives of some 10 kHz, beside NEST over seeds; make_nest_drives.py wrote the numbers.

NEST's neurons step with an adaptive Runge-Kutta method and send a spike at its peak, half a millisecond after the threshold at which
ours do: rates and CVs do not show it.
"""

import functools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from cases import some_of

import channelome as ch

DATA = json.loads(Path(__file__).with_name("nest_drives.json").read_text(encoding="utf-8"))
RUNS, NUMBERS = DATA["runs"], DATA["numbers"]
EXCITATION, INHIBITION = ch.synapse("Expon", tau="5 ms", E="0 mV"), ch.synapse("Expon", tau="10 ms", E="-80 mV")
SEEDS = 6
KINDS = {"E": EXCITATION, "I": INHIBITION}


def driven(sizes: dict[str, int], rates: dict[str, float], weight: float, delay: float) -> dict:
    """Cells by population, and a source for each of them that sends what all its inputs from outside do."""
    parts: dict = {}
    for name, n in sizes.items():
        parts[name] = ch.cell("PointNeuron_Brette2007", size=n, V="-60 mV")
        parts[f"to_{name}"] = ch.Poisson(n, rate=(rates[name], "Hz"))
        parts[f"drives_{name}"] = ch.Projection(
            f"to_{name}", name, EXCITATION, ch.one_to_one(), weight=(weight, "nS"), delay=(delay, "ms")
        )
    return parts


def brunel(seed: int) -> ch.Network:
    of = NUMBERS["brunel"]
    parts = driven(of["sizes"], dict.fromkeys(of["sizes"], float(of["drive"])), of["drive_weight"], of["delay"])
    for pre, k in of["indegree"].items():
        for post in of["sizes"]:
            parts[f"{pre}_{post}"] = ch.Projection(
                pre, post, KINDS[pre], ch.fixed_indegree(k), weight=(of["weight"][pre], "nS"), delay=(of["delay"], "ms")
            )
    return ch.Network(seed=seed, **parts)


def potjans(seed: int) -> ch.Network:
    of = NUMBERS["potjans"]
    rates = {name: k * of["outside_rate"] for name, k in of["outside"].items()}
    parts = driven(of["sizes"], rates, of["drive_weight"], of["delay"]["E"][0])
    for post, probabilities in of["probability"].items():
        for pre, p in zip(of["sizes"], probabilities, strict=True):
            pairs, kind = of["sizes"][pre] * of["sizes"][post], pre[-1]
            n = round(math.log(1 - p) / math.log(1 - 1 / pairs)) if p else 0
            if n:
                mean, (late, spread) = of["weight"][kind], of["delay"][kind]
                parts[f"{pre}_{post}"] = ch.Projection(
                    pre, post, KINDS[kind], ch.fixed_total_number(n, self_connections=True),
                    weight=ch.normal((mean, "nS"), (of["spread"] * mean, "nS"), low="0 nS"),
                    delay=ch.normal((late, "ms"), (spread, "ms"), low="0.05 ms"),
                )  # fmt: skip
    return ch.Network(seed=seed, **parts)


NETWORKS = {"brunel": brunel, "potjans": potjans}


@functools.cache
def measured(name: str, seeds: int) -> list[dict[str, dict[str, float]]]:
    """As the script does: by population rate, mean CV of neurons with two intervals or more, and spikes of a source in Hz."""
    found = []
    for seed in range(seeds):
        net, sizes = NETWORKS[name](seed), NUMBERS[name]["sizes"]
        begun = ch.simulate(net, "200 ms", dt="0.1 ms", progress=False)
        run = ch.simulate(net, "1000 ms", dt="0.1 ms", state=begun.final, progress=False)
        found.append(
            {
                label: {
                    "rate": run.rates(label).mean(), "cv": np.nanmean(run.cv(label)), "drive": run.rates(f"to_{label}").mean(),
                }
                for label in sizes
            }
        )  # fmt: skip
    return found


def apart(ours: list[float], theirs: list[float]) -> float:
    """Difference of the means over seeds in its own standard error (Welch)."""
    a, b = np.array(ours), np.array(theirs)
    return float((a.mean() - b.mean()) / np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size))


@pytest.mark.slow
@pytest.mark.parametrize("name", some_of(NETWORKS, "brunel"))
def test_rates_and_cvs_are_nests(name):
    """Means over seeds of each population within 5 of their standard errors, which few runs know to a third; and all rates together."""
    theirs, ours = RUNS[name], measured(name, SEEDS)
    found = {
        (label, what): apart([run[label][what] for run in ours], [run[label][what] for run in theirs])
        for label in NUMBERS[name]["sizes"]
        for what in ("rate", "cv")
    }
    assert max(map(abs, found.values())) < 5, found
    means = [np.mean([run[label]["rate"] for run in runs for label in run]) for runs in (ours, theirs)]
    assert means[0] == pytest.approx(means[1], rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("name", some_of(NETWORKS, "brunel"))
def test_drives_are_delivered_at_their_rates(name):
    """Of n sources in a second within 5 standard deviations of a Poisson number; NEST's, of which ten were counted, too."""
    of = NUMBERS[name]
    for label, n in of["sizes"].items():
        rate = of["drive"] if name == "brunel" else of["outside"][label] * of["outside_rate"]
        for run, counted in ((measured(name, SEEDS)[0], n), (RUNS[name][0], 10)):
            assert abs(run[label]["drive"] - rate) < 5 * math.sqrt(rate / counted)
