"""One of two processes that run a network together: ``python two_processes.py PORT RANK OUTPUT``; rank -1 runs it alone."""

import sys

import jax

jax.config.update("jax_enable_x64", True)
port, rank, output = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if rank >= 0:
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=2, process_id=rank)

import numpy as np  # noqa: E402

import channelome as ch  # noqa: E402

net = ch.Network(
    cells=ch.cell("PointNeuron_Brette2007", size=200, V=ch.uniform("-75 mV", "-55 mV", seed=1)),
    exc=ch.Projection(
        "cells[:160]", "cells", "Expon", connect=ch.fixed_probability(0.1), weight="6 nS",
        delay=ch.uniform("0 ms", "3 ms", seed=3),
    ),
    inh=ch.Projection(
        "cells[160:]", "cells", ch.synapse("Expon", tau="10 ms", E="-80 mV"), connect=ch.fixed_probability(0.1),
        weight="30 nS",
    ),
)  # fmt: skip
run = ch.simulate(
    net, "30 ms", dt="0.1 ms", stimulus={"cells": ch.step("0.3 nA")}, record="cells[:5].V",
    devices=2 if rank >= 0 else None, chunk=130,
)  # fmt: skip
spikes = run.spikes["cells"]
np.savez(output, V=run["cells[:5].V"], times=spikes.times, neurons=spikes.neurons)
