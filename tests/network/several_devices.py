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
    "long rows": {"weight": "6 nS", "connect": ch.from_arrays(np.r_[np.zeros(390, int), np.arange(80)], np.r_[np.arange(390), np.arange(80)])},
}  # fmt: skip


TWICE = ("one weight", "a share that fills no vector")
"""These are run on two devices too."""


def network(synapse="Expon", connect=None, size=512, **given) -> ch.Network:
    return ch.Network(
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
            spikes = run.spikes["cells"]
            parts = {
                "times": spikes.times,
                "neurons": spikes.neurons,
                "noise": run.spikes["noise"].times,
                "V": run.final.cells["cells"].V,
            }
            found |= {f"{name}/{devices or 1}/{key}": np.asarray(x) for key, x in (parts | run.data).items()}
    np.savez(output, **found)


if __name__ == "__main__":
    main(sys.argv[1])
