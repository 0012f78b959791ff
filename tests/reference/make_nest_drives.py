"""Two networks that a Poisson drive of some 10 kHz keeps going, by NEST: writes nest_drives.json beside itself, with an interpreter that
has NEST 3.10 (``pip install nest-simulator``).

    python tests/reference/make_nest_drives.py [brunel] [potjans]

`brunel`: 800 excitatory and 200 inhibitory neurons with in-degrees of 80 and 20, one delay, and the drive that 1,000 inputs from outside at
20 Hz are (Brunel 2000, doi:10.1023/A:1008925309027). `potjans`: the eight populations of Potjans & Diesmann (2014, doi:10.1093/cercor/bhs358)
at a fiftieth of their sizes, with as many synapses as their probabilities say, normal weights and delays, and their in-degrees from outside
at 8 Hz. Neurons are `hh_cond_exp_traub`, those of Brette et al. 2007, in place of integrate-and-fire; weights are our choice.
Rates in Hz and CVs of one second after 200 ms, by population, over several seeds; and how many spikes the drive sent.
"""

import json
import math
import sys
from pathlib import Path

import nest
import numpy as np

BRUNEL = {
    "sizes": {"E": 800, "I": 200}, "indegree": {"E": 80, "I": 20}, "weight": {"E": 1.0, "I": 20.0}, "delay": 1.5,
    "drive": 20_000.0, "drive_weight": 0.12,
}  # fmt: skip
POTJANS = {
    "sizes": {"L23E": 414, "L23I": 117, "L4E": 438, "L4I": 110, "L5E": 97, "L5I": 21, "L6E": 288, "L6I": 59},
    "probability": {
        "L23E": (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
        "L23I": (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
        "L4E": (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
        "L4I": (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
        "L5E": (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
        "L5I": (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
        "L6E": (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
        "L6I": (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
    },
    "outside": {"L23E": 1600, "L23I": 1500, "L4E": 2100, "L4I": 1900, "L5E": 2000, "L5I": 1900, "L6E": 2900, "L6I": 2100},
    "weight": {"E": 2.5, "I": 25.0}, "spread": 0.1, "delay": {"E": (1.5, 0.75), "I": (0.8, 0.4)}, "outside_rate": 8.0,
    "drive_weight": 0.08,
}  # fmt: skip
SILENT, DURATION, DT = 200.0, 1000.0, 0.1


def begin(seed):
    nest.ResetKernel()
    nest.set(resolution=DT, rng_seed=seed + 1, local_num_threads=1)


def populations(sizes):
    made = {}
    for name, n in sizes.items():
        made[name] = nest.Create("hh_cond_exp_traub", n)  # at -60 mV, with gates at their steady state there
    return made


def synapses(pre, post, kind, rule, weight, delay):
    sign = 1.0 if kind == "E" else -1.0
    nest.Connect(
        pre,
        post,
        rule,
        {"weight": sign * weight, "delay": delay} if np.isscalar(weight) else {"weight": weight, "delay": delay},
    )


def driven(made, rates, weight, delay):
    """A Poisson generator for each population, of which each neuron gets a train of its own; some are counted by parrots."""
    counted = {}
    for name, neurons in made.items():
        source = nest.Create("poisson_generator", params={"rate": rates[name]})
        nest.Connect(source, neurons, "all_to_all", {"weight": weight, "delay": delay})
        parrot, counted[name] = (
            nest.Create("parrot_neuron", 10),
            nest.Create("spike_recorder", params={"start": SILENT}),
        )
        nest.Connect(source, parrot)
        nest.Connect(parrot, counted[name])
    return counted


def measured(made, counted):
    recorders = {}
    for name, neurons in made.items():
        recorders[name] = nest.Create("spike_recorder", params={"start": SILENT})
        nest.Connect(neurons, recorders[name])
    nest.Simulate(SILENT + DURATION)
    found = {}
    for name, recorder in recorders.items():
        events = recorder.get("events")
        cv = []
        for neuron in np.unique(events["senders"]):
            intervals = np.diff(np.sort(events["times"][events["senders"] == neuron]))
            if intervals.size >= 2:
                cv.append(intervals.std() / intervals.mean())
        found[name] = {
            "rate": len(events["times"]) / len(made[name]) / DURATION * 1e3, "cv": float(np.mean(cv)) if cv else None,
            "drive": counted[name].n_events / 10 / DURATION * 1e3,
        }  # fmt: skip
    return found


def brunel(seed, of=BRUNEL):
    begin(seed)
    made = populations(of["sizes"])
    for pre in made:
        for post in made:
            rule = {
                "rule": "fixed_indegree",
                "indegree": of["indegree"][pre],
                "allow_autapses": False,
                "allow_multapses": False,
            }
            synapses(made[pre], made[post], pre, rule, of["weight"][pre], of["delay"])
    return measured(made, driven(made, dict.fromkeys(made, of["drive"]), of["drive_weight"], of["delay"]))


def potjans(seed, of=POTJANS):
    begin(seed)
    made = populations(of["sizes"])
    for post, probabilities in of["probability"].items():
        for pre, p in zip(made, probabilities, strict=True):
            pairs = of["sizes"][pre] * of["sizes"][post]
            n = round(math.log(1 - p) / math.log(1 - 1 / pairs)) if p else 0
            if not n:
                continue
            kind = pre[-1]
            mean, (late, spread) = of["weight"][kind], of["delay"][kind]
            lowest, highest = (0.0, math.inf) if kind == "E" else (-math.inf, 0.0)
            sign = 1 if kind == "E" else -1
            weight = nest.math.redraw(
                nest.random.normal(mean=sign * mean, std=of["spread"] * mean), min=lowest, max=highest
            )
            delay = nest.math.redraw(nest.random.normal(mean=late, std=spread), min=DT - 0.5 * DT, max=100.0)
            rule = {"rule": "fixed_total_number", "N": n}
            synapses(made[pre], made[post], kind, rule, weight, delay)
    rates = {name: k * of["outside_rate"] for name, k in of["outside"].items()}
    return measured(made, driven(made, rates, of["drive_weight"], of["delay"]["E"][0]))


SEEDS = {"brunel": 4, "potjans": 4}


if __name__ == "__main__":
    file = Path(__file__).with_name("nest_drives.json")
    for name in sys.argv[1:] or SEEDS:
        runs = []
        for seed in range(SEEDS[name]):
            found = globals()[name](seed)
            runs.append({label: {key: round(x, 5) for key, x in of.items()} for label, of in found.items()})
            print(name, seed, runs[-1], flush=True)
            out = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"numbers": {}, "runs": {}}
            out["by"] = f"NEST {nest.__version__}, 1 s after 200 ms"
            out["numbers"][name] = {"brunel": BRUNEL, "potjans": POTJANS}[name]
            out["runs"][name] = runs
            file.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
