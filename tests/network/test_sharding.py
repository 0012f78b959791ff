"""A network on several devices gives what it gives on one, to the last bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import channelome as ch

SCRIPT = Path(__file__).with_name("several_devices.py")
# not imported from the script: that would give this process four devices, and fail once JAX has begun
VARIANTS = [
    "one weight",
    "a share that fills no vector",
    "sources with a delay",
    "weights and delays",
    "receptors",
    "long rows",
]
TWICE = VARIANTS[:2]
STIMULI = ["samples in time, as many as neurons", "pulses, as many as neurons", "noise for each", "noise and an array"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    output = tmp_path_factory.mktemp("devices") / "runs.npz"
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(output)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    found = np.load(output)
    assert {key.split("/")[0] for key in found.files} == {*VARIANTS, *STIMULI, "continued"}
    assert {key.split("/")[0] for key in found.files if "/2/" in key} == set(TWICE)
    return found


@pytest.mark.parametrize(
    ("variant", "devices"), [(variant, n) for variant in VARIANTS for n in (2, 4) if n == 4 or variant in TWICE]
)
def test_the_same_bits_on_several_devices(runs, variant, devices):
    keys = [key.split("/", 2)[2] for key in runs.files if key.startswith(f"{variant}/1/")]
    assert len(keys) == 7
    assert runs[f"{variant}/1/times"].size > 100
    for key in keys:
        one, several = runs[f"{variant}/1/{key}"], runs[f"{variant}/{devices}/{key}"]
        if variant == "a share that fills no vector" and devices == 4 and one.dtype.kind == "f":
            assert np.allclose(one, several, rtol=1e-9, atol=1e-9), (
                key
            )  # the compiler rounds what is left over otherwise
        else:
            assert np.array_equal(one, several), key


@pytest.mark.parametrize("variant", ["sources with a delay", "weights and delays", "receptors"])
def test_a_run_goes_on_on_as_many_devices_or_others(runs, variant):
    """From four to four, from one to four, from four to one."""
    assert np.array_equal(runs[f"continued/{variant}/V"], runs[f"{variant}/1/V"])


@pytest.mark.parametrize("stimulus", STIMULI)
def test_what_is_put_into_neurons_is_the_same_on_several_devices(runs, stimulus):
    """64 samples in time were shared among the devices as if they were of 64 neurons: 493 spikes became 452."""
    one, several = (runs[f"{stimulus}/{n}/V"] for n in (1, 4))
    assert np.ptp(one) > 30
    assert np.array_equal(one, several)
    assert np.array_equal(runs[f"{stimulus}/4/some"], one[:, [3, 40, 41]])


def test_a_part_of_a_population_sends_its_own_spikes_on_one_device_that_is_asked_for():
    """Those of the population's first neurons were sent; and a record of some neurons was of all."""
    net = ch.Network(
        cells=ch.cell("PointNeuron_Brette2007", size=32, V=ch.uniform("-75 mV", "-51 mV", seed=1)),
        exc=ch.Projection("cells[16:]", "cells", "Expon", ch.fixed_probability(0.4), weight="6 nS"),
    )
    plain, asked = (
        ch.simulate(net, "5 ms", dt="0.1 ms", record=["exc.g", "cells[3:9:2].V"], devices=n) for n in (None, 1)
    )
    assert plain["exc.g"].max() > 0
    for name in plain.data:
        assert np.array_equal(plain[name], asked[name])


def test_what_cannot_be_shared_is_named():
    net = ch.Network(cells=ch.cell("PointNeuron_Brette2007", size=(5, 5)))
    assert (
        ch.simulate(ch.Network(cells=ch.cell("PointNeuron_Brette2007", size=7)), "1 ms", dt="0.1 ms", devices=1).t.size
        == 11
    )
    with pytest.raises(
        ch.ModelError, match=r"'cells' of shape \(5, 5\) cannot be shared by 1 devices: give it one axis"
    ):
        ch.simulate(net, "1 ms", dt="0.1 ms", devices=1)
