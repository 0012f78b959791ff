"""Populations of cells with compartments give on several devices what they give on one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import channelome as ch

SCRIPT = Path(__file__).with_name("cells_on_devices.py")
# not imported from the script: that would give this process four devices, and fail once JAX has begun
QUICK = {"alone": (2,), "few": (2,)}
MORE = {
    "alone": (4,), "network": (1, 2, 4), "joined": (2,), "held": (2,), "through_a_resistance": (2,), "points_held": (2,), "backward": (2,),
    "shells": (2,), "derivative": (2,), "batch": (2,), "joined_derivative": (2,), "traced_network": (1, 2), "as_on_accelerators": (2,), "diffusing": (2,),
}  # fmt: skip
"""By case on how many devices."""


def run(folder, cases):
    output = folder / "runs.npz"
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(output), *(f"{name}={','.join(map(str, on))}" for name, on in cases.items())],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return np.load(output)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return run(tmp_path_factory.mktemp("devices"), QUICK)


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    return run(tmp_path_factory.mktemp("devices"), MORE)


def compare(runs, name, devices):
    """To rounding, relative to the largest number of its kind."""
    keys = [key.split("/", 2)[2] for key in runs.files if key.startswith(f"{name}/0/")]
    assert sum(np.ptp(runs[f"{name}/0/{key}"]) > 0 for key in keys if runs[f"{name}/0/{key}"].size) > len(keys) / 3
    for key in keys:
        one, several = runs[f"{name}/0/{key}"], runs[f"{name}/{devices}/{key}"]
        assert one.shape == several.shape, key
        assert np.all(np.abs(one - several) <= 1e-9 * np.max(np.abs(one), initial=0)), key


def every(cases):
    return pytest.mark.parametrize(("name", "devices"), [(name, n) for name, on in cases.items() for n in on])


@every(QUICK)
def test_several_devices_give_what_one_gives(quick, name, devices):
    compare(quick, name, devices)
    spikes = [key for key in quick.files if key.startswith(f"{name}/{devices}/") and key.endswith(".times")]
    assert spikes
    assert all(quick[key].size >= 16 for key in spikes)


@pytest.mark.thorough
@every(MORE)
def test_so_they_do_in_other_ways_of_running(more, name, devices):
    compare(more, name, devices)


def goes_on(runs, devices):
    """From one device to several, and the reverse."""
    for before in (0, devices):
        second = runs[f"continued/{devices}/{before}"]
        whole = runs[f"alone/{devices}/V"]
        assert np.allclose(second, whole[-len(second) :], rtol=1e-9, atol=1e-9)
        assert np.ptp(second) > 10


def test_a_run_goes_on_on_another_number_of_devices_from_a_file(quick):
    goes_on(quick, 2)


@pytest.mark.thorough
def test_so_it_does_on_four(more):
    goes_on(more, 4)


def test_what_devices_cannot_share_evenly_is_named():
    cells = ch.MultiCompartment(
        ch.Morphology.soma("20 um"), IL=ch.channel("IL", g_max="1 mS/cm^2", E="-60 mV"), size=(2, 3)
    )
    says = re.escape("the population of shape (2, 3) cannot be shared by 1 devices: give it one axis and a size")
    with pytest.raises(ch.ModelError, match=says):
        ch.simulate(cells, "1 ms", dt="0.1 ms", devices=1)
