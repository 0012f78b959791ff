"""Networks on 1, 2 and 4 host devices of one process: ``python several_devices.py OUTPUT``."""

import sys

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 4)

import numpy as np  # noqa: E402

import channelome as ch  # noqa: E402

OWN = ch.uniform("0 ms", "3 ms", seed=3)
VARIANTS = {
    "one weight": {"weight": "6 nS"},
    "a share that fills no vector": {"weight": "6 nS", "size": 400},
    "weights and delays": {"weight": ch.uniform("2 nS", "9 nS", seed=4), "delay": OWN},
    "receptors": {"weight": "6 nS", "synapse": "AMPA", "delay": "1 ms", "plasticity": None},
    "sources with a delay": {"weight": "6 nS", "delay": "0.7 ms", "more": True},
    "long rows": {"weight": "6 nS", "connect": ch.from_arrays(np.r_[np.zeros(390, int), np.arange(80)], np.r_[np.arange(390), np.arange(80)])},
}  # fmt: skip


CONTINUED = {"sources with a delay": (4, 4), "weights and delays": (None, 4), "receptors": (4, None)}
"""On how many devices a run is begun, and goes on."""


TWICE = ("one weight", "a share that fills no vector")
"""These are run on two devices too."""


STIMULI = {
    "samples in time, as many as neurons": lambda: ch.samples((np.linspace(0, 0.6, 64), "nA"), dt="0.25 ms"),
    "pulses, as many as neurons": lambda: ch.pulses("0.8 nA", times=(np.linspace(0.1, 14, 64), "ms"), width="0.15 ms"),
    "noise for each": lambda: ch.noise("0.3 nA", "0.3 nA", size=64),
    "noise and an array": lambda: (
        ch.noise((np.linspace(0, 0.3, 64), "nA"), "0.3 nA", size=64)
        + ch.step((np.linspace(0.3, 0, 64), "nA"), start="1.03 ms")
    ),
}
"""Of 64 neurons: an axis is theirs because the stimulus says so, and not because it is as long."""


def stimulated() -> ch.Network:
    return ch.Network(
        cells=ch.cell(
            "PointNeuron_Brette2007",
            size=64,
            V=ch.uniform("-75 mV", "-55 mV"),
            area=(np.linspace(2e4, 3e4, 64), "um^2"),
        ),
        some="cells[:9]",
    )


def network(synapse="Expon", connect=None, size=512, more=False, **given) -> ch.Network:
    """With `more`, two sources of other sizes that send several spikes in a step share a path."""
    extra = {
        "fast": ch.Poisson(12, rate="15 kHz"),
        "fed": ch.Projection("fast", "cells", "Expon", ch.fixed_indegree(4), weight="0.5 nS", delay="0.7 ms"),
        "fed2": ch.Projection("noise", "cells", "Expon", ch.fixed_indegree(4), weight="9 nS", delay="0.7 ms"),
    } if more else {}  # fmt: skip
    return ch.Network(
        **extra,
        cells=ch.cell("PointNeuron_Brette2007", size=size, V=ch.uniform("-75 mV", "-55 mV", seed=1)),
        noise=ch.Poisson(40, rate="300 Hz"),
        exc=ch.Projection("cells[:320]", "cells", synapse, connect or ch.fixed_probability(0.1), **given),
        drive=ch.Projection("noise", "cells", "Expon", ch.fixed_indegree(10), weight="20 nS"),
    )


def main(output: str) -> None:
    found = {}
    for name, given in VARIANTS.items():
        net = network(**given)
        for devices in (None, 2, 4) if name in TWICE else (None, 4):
            record = ["cells[3:200:7].V", "cells.INa.m", "drive.g"]
            run = ch.simulate(net, "15 ms", dt="0.1 ms", record=record, devices=devices, chunk=70)
            if devices == 4 and name in CONTINUED:
                before, after = CONTINUED[name]
                given = {"dt": "0.1 ms", "record": record, "chunk": 70}
                first = ch.simulate(net, "7 ms", devices=before, **given).final
                on = ch.simulate(net, "8 ms", devices=after, state=first, start="7 ms", **given)
                found[f"continued/{name}/V"] = np.asarray(on.final.cells["cells"].V)
            spikes = run.spikes["cells"]
            parts = {
                "times": spikes.times,
                "neurons": spikes.neurons,
                "noise": run.spikes["noise"].times,
                "V": run.final.cells["cells"].V,
            }
            found |= {f"{name}/{devices or 1}/{key}": np.asarray(x) for key, x in (parts | run.data).items()}
    for name, make in STIMULI.items():
        for devices in (None, 4):
            given = {"cells": make(), "some": "0.1 nA"}
            run = ch.simulate(
                stimulated(),
                "15 ms",
                dt="0.1 ms",
                record=["cells.V", "cells[3, 40, 41].V"],
                devices=devices,
                stimulus=given,
            )
            found[f"{name}/{devices or 1}/V"] = np.asarray(run["cells.V"])
            found[f"{name}/{devices or 1}/some"] = np.asarray(run["cells[3, 40, 41].V"])
    np.savez(output, **found)


if __name__ == "__main__":
    main(sys.argv[1])
